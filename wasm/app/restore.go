package app

import (
	"fmt"
	"slices"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/metric"
	"mppm/shared/picture"
	"mppm/shared/rng"
	"mppm/wasm/app/pad"
	"mppm/wasm/app/timeline"
)

// restoring is what follows from the state of Restore.
type restoring struct {
	digits             *Digits
	pad                pad.Pad
	brought            [latent.Pixels]byte // what State.Picture holds
	bring              *picture.Picture    // a picture that the user brought
	offer              *Offer              // and may take
	original, degraded []float32           // latent.Pixels each
	settle             time.Duration       // until the pad shows the drawing as the model sees it, 0 once it does
	before             Score
	scores             []Score // of each step of restored
	damagedReads       Reading
	reads              []Reading // of each step of restored
	restored           timeline.Trajectory
	staleFlow          bool
	playFlow           bool // play the restoration from its start once computed
}

// Score compares an image with the original.
type Score struct {
	MSE  float64 `json:"mse"`
	SSIM float64 `json:"ssim"`
}

// Find returns the description of a kind of damage, the zero Info for None and
// for what there is not.
func Find(k degrade.Kind) degrade.Info { return link.Find(k) }

// AnotherDigit takes the next test digit and plays its restoration.
func (a *App) AnotherDigit() {
	if a.Source == Digit {
		a.Digit = (a.Digit + 1) % a.digits.Len()
	}
	a.Source = Digit
	a.recompute(true)
}

// SetDigit takes the test digit with the given index.
func (a *App) SetDigit(i int) error {
	if i < 0 || i >= a.digits.Len() {
		return fmt.Errorf("there is no digit %d; there are %d, counted from 0", i, a.digits.Len())
	}
	a.Digit, a.Source = i, Digit
	a.recompute(true)
	return nil
}

// SetKind chooses the damage, at its mild severity, and plays.
func (a *App) SetKind(k degrade.Kind) error {
	if !slices.Contains(link.Damages(), k) {
		return fmt.Errorf("there is no damage called %q", k)
	}
	a.Kind, a.Severity = k, Find(k).Mild
	a.recompute(true)
	return nil
}

// SetSeverity sets how strong the damage is, within the kind's range. What is
// shown stays at the same step, so that the effect of a slider is seen at once.
func (a *App) SetSeverity(s float64) error {
	i := Find(a.Kind)
	if a.Kind == None {
		return nil
	}
	if !(s >= i.Min && s <= i.Max) {
		return fmt.Errorf("severity %v is out of range: %s takes %v to %v", s, i.Label, i.Min, i.Max)
	}
	a.Severity = s
	a.recompute(false)
	return nil
}

// SetSeed redraws the damage from another seed and plays.
func (a *App) SetSeed(seed uint64) {
	a.Seed = seed
	a.recompute(true)
}

// SetBrush sets the diameter of the pen, in pixels of the 28 × 28 image.
func (a *App) SetBrush(b float64) error {
	if !(b >= MinBrush && b <= MaxBrush) {
		return fmt.Errorf("a brush of %v pixels is out of range: %v to %v", b, MinBrush, MaxBrush)
	}
	a.Brush = b
	a.touch()
	return nil
}

// ClearPad shows an empty pad to draw on.
func (a *App) ClearPad() {
	a.pad.Clear()
	a.redraw()
}

// Undo takes back the last stroke, or the clearing of the pad, Redo brings it
// back. While no drawing is shown, and where there is none, they do nothing.
func (a *App) Undo() {
	if a.CanUndo() && a.pad.Undo() {
		a.redraw()
	}
}

// Redo brings back what Undo took.
func (a *App) Redo() {
	if a.CanRedo() && a.pad.Redo() {
		a.redraw()
	}
}

// CanUndo reports whether Undo does something.
func (a *App) CanUndo() bool { return a.Source == Drawing && a.pad.CanUndo() }

// CanRedo reports whether Redo does something.
func (a *App) CanRedo() bool { return a.Source == Drawing && a.pad.CanRedo() }

// redraw shows the pad after it changed as a whole.
func (a *App) redraw() {
	a.Source, a.settle = Drawing, 0
	a.recompute(false)
}

// PenDown starts a stroke at (x, y), in pixels of the image. The first stroke
// over a test digit or a picture starts on an empty pad. pressure 1 is the brush
// as it is.
func (a *App) PenDown(x, y, pressure float64) {
	if a.Source != Drawing {
		a.pad.Clear()
		a.Source = Drawing
	}
	a.pad.Down(x, y, a.Brush*pressure)
	a.settle = settleTime
	a.recompute(false)
}

// PenMove draws on to (x, y); without a stroke begun it does nothing.
func (a *App) PenMove(x, y, pressure float64) {
	if a.pad.Move(x, y, a.Brush*pressure) {
		a.recompute(false)
	}
}

// PenUp ends the stroke. A little later, unless another one has begun, the pad
// shows the drawing where the model sees it.
func (a *App) PenUp() { a.pad.Up() }

// PenCancel takes away the stroke that is being drawn: it was not the pen's.
func (a *App) PenCancel() {
	if a.pad.Drawing() {
		a.pad.Cancel()
		a.recompute(false)
	}
}

// settleTime is how long after a stroke the pad waits for another one.
const settleTime = 700 * time.Millisecond

// Settled reports whether the original that is shown is the one the model gets.
func (a *App) Settled() bool { return a.Source != Drawing || a.settle == 0 }

// settleBy lets time pass for the pad.
func (a *App) settleBy(dt time.Duration) {
	if a.Settled() || a.pad.Drawing() {
		return
	}
	if a.settle = max(a.settle-dt, 0); a.settle == 0 {
		a.pad.Settle()
		a.touch()
	}
}

// PadEmpty reports whether the pad is shown and nothing is drawn on it.
func (a *App) PadEmpty() bool { return a.Source == Drawing && a.pad.Empty() }

func (a *App) recompute(play bool) {
	a.staleFlow = true
	a.playFlow = a.playFlow || play
	a.touch()
}

// updateRestoration computes the flow where it is out of date.
func (a *App) updateRestoration(dt time.Duration) {
	a.settleBy(dt)
	if !a.staleFlow {
		return
	}
	a.staleFlow = false
	a.fail(a.computeFlow())
	h := a.heads[Restoration]
	h.Follow(a.restored.Steps() - 1)
	switch {
	case a.open(h):
	case a.playFlow && !a.reducedMotion:
		h.Restart()
	case !h.Playing() && (a.Source == Drawing || a.playFlow):
		h.Jump(h.End())
	}
	a.playFlow = false
	a.touch()
}

// computeFlow makes the original, damages it, and restores it.
func (a *App) computeFlow() error {
	a.dropComparison()
	switch a.Source {
	case Drawing:
		a.pad.Framed(a.original)
	case Picture:
		for i, v := range a.brought {
			a.original[i] = float32(v) / 255
		}
	default:
		a.digits.Image(a.original, a.Digit)
	}
	copy(a.degraded, a.original)
	if a.Kind != None {
		d := degrade.Degradation{Kind: a.Kind, Severity: a.Severity}
		if err := d.Apply(a.degraded, a.original, latent.Side, latent.Side, rng.New(a.Seed, 0)); err != nil {
			return err
		}
	}
	if err := latent.CheckImage(a.degraded); err != nil {
		return err
	}
	z := make([]float32, latent.Latent)
	a.engine.Encode(z, a.degraded)
	seq, err := a.engine.Flow(z, a.RestoreFlow.Widened())
	if err != nil {
		return err
	}
	var path, distance []float32
	for s := range seq {
		path = append(path, s.X...)
		distance = append(distance, s.Distance...)
	}
	frames := make([]float32, len(distance)*latent.Pixels)
	a.engine.Decode(frames, path)
	a.restored = timeline.Trajectory{N: 1}
	a.scores = a.scores[:0]
	for i, d := range distance {
		x := frames[i*latent.Pixels : (i+1)*latent.Pixels]
		a.restored.Add(x, path[i*latent.Latent:(i+1)*latent.Latent], []float32{d})
		s, err := a.score(x)
		if err != nil {
			return err
		}
		a.scores = append(a.scores, s)
	}
	if a.before, err = a.score(a.degraded); err != nil {
		return err
	}
	// The damaged image is read as it is shown, without what leaves [0, 1].
	shown := make([]float32, latent.Pixels)
	for i, v := range a.degraded {
		shown[i] = min(max(v, 0), 1)
	}
	a.damagedReads = a.read(shown)[0]
	a.reads = a.read(frames)
	return a.compareNow()
}

func (a *App) score(x []float32) (Score, error) {
	ssim, err := metric.SSIM(a.original, x, latent.Side, latent.Side)
	if err != nil {
		return Score{}, err
	}
	return Score{MSE: metric.MSE(a.original, x), SSIM: ssim}, nil
}

// Label returns the class of the test digit that is shown, -1 for what the user
// drew or brought.
func (a *App) Label() int {
	if a.Source != Digit {
		return -1
	}
	return a.digits.Label(a.Digit)
}

// Original returns the image that is to be found again, latent.Pixels numbers in
// [0, 1]; while one draws it is the pad as it is drawn on. It belongs to the app.
func (a *App) Original() []float32 {
	if !a.Settled() {
		return a.pad.Image()
	}
	return a.original
}

// Degraded returns the damaged image, which may leave [0, 1].
func (a *App) Degraded() []float32 { return a.degraded }

// Scores returns how each step of the restoration compares with the original;
// nil where the timeline is about something else, or there is no original yet.
// They belong to the app.
func (a *App) Scores() []Score {
	if a.Subject() != Restoration || a.PadEmpty() {
		return nil
	}
	return a.scores
}
