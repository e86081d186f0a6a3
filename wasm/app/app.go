// Package app is the page's state and what it does, as plain Go: what the user
// chose, what the model made of it, and where on the timeline one looks. It
// draws nothing, knows no browser, and is tested natively.
//
// Everything here runs on one goroutine: the page's callbacks queue their calls
// and the frame loop makes them.
package app

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/flow"
	"mppm/shared/metric"
	"mppm/shared/model"
	"mppm/shared/rng"
)

// Engine is what the app needs of a model; *model.Runner is one.
type Engine interface {
	// Encode writes the codes of images x (n × model.Pixels) to z (n × model.Latent).
	Encode(z, x []float32)
	// Decode writes the images of codes z to x, in [0, 1].
	Decode(x, z []float32)
	// Flow flows the codes z in place and yields the start and every step.
	Flow(z []float32, p model.Preset) (iter.Seq[flow.Step], error)
	// Noise fills z with the starts of generation.
	Noise(z []float32, src *rng.Source)
}

// Reader is what the app needs of a classifier; *classifier.Runner is one.
type Reader interface {
	// Classify writes the probability of each class (n × classifier.Classes) of
	// images x (n × classifier.Pixels) to probs; embeddings may be nil.
	Classify(probs, embeddings, x []float32)
}

// Reading is what the classifier takes an image for.
type Reading struct {
	Digit      int     `json:"digit"`
	Confidence float64 `json:"confidence"` // the probability of Digit, 0 where nothing is read
}

// String says it, as in "reads as 4 (97 %)".
func (r Reading) String() string {
	percent := fmt.Sprintf("%.0f %%", 100*r.Confidence)
	if r.Confidence >= 0.995 {
		percent = "> 99 %" // it is never quite sure
	}
	return fmt.Sprintf("reads as %d (%s)", r.Digit, percent)
}

// Mode is one of the page's tabs.
type Mode string

// The modes.
const (
	Restore  Mode = "restore"
	Generate Mode = "generate"
)

// Source says where the original image comes from.
type Source string

// The sources.
const (
	Digit   Source = "digit"   // one of the test digits
	Drawing Source = "drawing" // the pad
)

// None is the kind of "no damage": the original itself is restored.
const None degrade.Kind = "none"

// Bounds of what can be chosen.
const (
	MinGrid  = 2
	MaxGrid  = 10
	MinBrush = 1.0 // diameter in pixels of the 28 × 28 image
	MaxBrush = 5.0
)

// firstDigit is the test digit that is shown first: one whose path is long
// enough to see.
const firstDigit = 173

// State is everything the user chose: a plain value that says what is on the
// screen, up to the playhead.
type State struct {
	Mode         Mode         `json:"mode"`
	Source       Source       `json:"source"`
	Digit        int          `json:"digit"`    // index of the test digit
	Kind         degrade.Kind `json:"kind"`     // None, or one of degrade.Kinds
	Severity     float64      `json:"severity"` // in the kind's unit
	Seed         uint64       `json:"seed"`     // of the damage
	Brush        float64      `json:"brush"`    // diameter, pixels
	GenerateSeed uint64       `json:"generateSeed"`
	Grid         int          `json:"grid"`     // digits along each edge of the grid
	Selected     int          `json:"selected"` // index of the digit of the grid that is shown large
	RestoreFlow  model.Preset `json:"restoreFlow"`
	GenerateFlow model.Preset `json:"generateFlow"`
}

// App is a State, what follows from it, and the playheads.
type App struct {
	State

	engine   Engine
	reader   Reader
	first    State // of the first screen
	opened   int   // the step that a link asked for, -1 once it is shown
	defaults map[Mode]model.Preset
	digits   *Digits
	pad      Pad

	original, degraded   []float32     // model.Pixels each
	settle               time.Duration // until the pad shows the drawing as the model sees it, 0 once it does
	before               Score
	scores               []Score // of each step of restored
	damagedReads         Reading
	reads                []Reading // of each step of restored
	grownReads           []Reading // of the steps of the digit of the grid that is shown large
	restored, generated  Trajectory
	heads                map[Mode]*Playhead
	next                 func() (flow.Step, bool) // the rest of the generation, nil once done
	stop                 func()
	draft                Trajectory // the generation under way
	draftSteps           int        // how many steps it takes at most
	staleFlow, staleGrid bool
	keepGrid             bool // show the old grid until the stale one is whole again
	growsHidden          bool // the generation under way is such a one
	playFlow             bool // play the restoration from its start once computed
	reducedMotion        bool
	err                  error
	revision             uint64
}

// Score compares an image with the original.
type Score struct {
	MSE, SSIM float64
}

// New returns the app at its first screen: a test digit under severe noise,
// about to be restored.
func New(e Engine, r Reader, restore, generate model.Preset, d *Digits) (*App, error) {
	if err := restore.Validate(); err != nil {
		return nil, fmt.Errorf("the model's flow for restoring: %w", err)
	}
	if err := generate.Validate(); err != nil {
		return nil, fmt.Errorf("the model's flow for generating: %w", err)
	}
	if d == nil || d.Len() == 0 {
		return nil, errors.New("there are no digits to show")
	}
	a := &App{
		State: State{
			Mode: Restore, Source: Digit, Kind: degrade.Gaussian, Seed: 1,
			Brush: 2.6, GenerateSeed: 1, Grid: 6,
			RestoreFlow: restore, GenerateFlow: generate,
		},
		engine: e, reader: r, defaults: map[Mode]model.Preset{Restore: restore, Generate: generate}, digits: d,
		original: make([]float32, model.Pixels), degraded: make([]float32, model.Pixels),
		heads:     map[Mode]*Playhead{Restore: {}, Generate: {}},
		staleFlow: true, staleGrid: true, playFlow: true,
	}
	a.Severity = Find(a.Kind).Mild
	if firstDigit < d.Len() {
		a.Digit = firstDigit
	}
	a.first, a.opened = a.State, -1
	return a, nil
}

// Find returns the description of a kind of damage, the zero Info for None and
// for what there is not.
func Find(k degrade.Kind) degrade.Info {
	for _, i := range degrade.Kinds() {
		if i.Kind == k {
			return i
		}
	}
	return degrade.Info{}
}

// known reports whether there is such a kind of damage, None included.
func known(k degrade.Kind) bool { return k == None || k != "" && Find(k).Kind == k }

// Revision grows whenever something on the screen may have changed.
func (a *App) Revision() uint64 { return a.revision }

// Err returns what went wrong with the last computation, nil if nothing did.
func (a *App) Err() error { return a.err }

// SetMode shows a tab. Entering Generate for the first time grows its grid; a
// tab that was left while playing plays on when it is shown again.
func (a *App) SetMode(m Mode) error {
	if m != Restore && m != Generate {
		return fmt.Errorf("there is no mode %q; choose %q or %q", m, Restore, Generate)
	}
	if a.Mode != m {
		a.Mode = m
		a.touch()
	}
	return nil
}

// SetReducedMotion stops easing and playing by itself.
func (a *App) SetReducedMotion(on bool) { a.reducedMotion = on }

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
	if !known(k) {
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
// over a test digit starts on an empty pad. pressure 1 is the brush as it is.
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

// SetGenerateSeed grows a new grid.
func (a *App) SetGenerateSeed(seed uint64) {
	a.GenerateSeed = seed
	a.regrow()
}

// SetGrid sets how many digits the grid has along each edge.
func (a *App) SetGrid(n int) error {
	if n < MinGrid || n > MaxGrid {
		return fmt.Errorf("a grid of %d × %d is out of range: %d to %d", n, n, MinGrid, MaxGrid)
	}
	a.Grid = n
	a.Selected = min(a.Selected, n*n-1)
	a.regrow()
	return nil
}

// Select shows one digit of the grid large, counted from 0.
func (a *App) Select(i int) error {
	if i < 0 || i >= a.Grid*a.Grid {
		return fmt.Errorf("there is no digit %d in the grid; there are %d, counted from 0", i, a.Grid*a.Grid)
	}
	a.Selected = i
	a.grownReads = a.grownReads[:0]
	a.touch()
	return nil
}

func (a *App) regrow() {
	a.staleGrid, a.keepGrid = true, false
	a.touch()
}

func (a *App) recompute(play bool) {
	a.staleFlow = true
	a.playFlow = a.playFlow || play
	a.touch()
}

func (a *App) touch() { a.revision++ }

// Head returns the playhead of the mode that is shown.
func (a *App) Head() *Playhead { return a.heads[a.Mode] }

// TogglePlay plays or pauses; at the end it starts over.
func (a *App) TogglePlay() {
	h := a.Head()
	if h.Playing() {
		h.Pause()
	} else {
		h.Play()
	}
	a.touch()
}

// Seek pauses and goes to a step; outside the flow it goes to the nearest end.
func (a *App) Seek(step int) {
	a.Head().Seek(step)
	a.touch()
}

// StepBy pauses and goes n steps on, or back.
func (a *App) StepBy(n int) { a.Seek(a.Head().Step() + n) }

// Update computes what is out of date, one step of the grid at most, and moves
// the playhead on by dt.
func (a *App) Update(dt time.Duration) {
	switch a.Mode {
	case Restore:
		a.settleBy(dt)
		if a.staleFlow {
			a.staleFlow = false
			a.fail(a.computeFlow())
			h := a.heads[Restore]
			h.follow(a.restored.Steps() - 1)
			if a.opened >= 0 {
				h.Jump(a.opened)
				a.opened = -1
			} else if a.playFlow && !a.reducedMotion {
				h.Restart()
			} else if !h.Playing() && (a.Source == Drawing || a.playFlow) {
				h.Jump(h.End())
			}
			a.playFlow = false
			a.touch()
		}
	case Generate:
		if a.staleGrid && (a.next == nil || !a.keepGrid) {
			a.staleGrid = false
			a.fail(a.startGrid())
			a.touch()
		}
		if a.next != nil {
			a.growGrid()
			a.touch()
		}
		if a.unread() {
			a.readGrown()
			a.touch()
		}
	}
	if a.Head().Advance(dt, a.reducedMotion) {
		a.touch()
	}
}

// Busy reports whether the next Update has something to do.
func (a *App) Busy() bool {
	return a.Head().Moving() || a.Mode == Restore && (a.staleFlow || !a.Settled() && !a.pad.Drawing()) || a.Mode == Generate && (a.staleGrid || a.next != nil || a.unread())
}

func (a *App) fail(err error) { a.err = err }

// computeFlow makes the original, damages it, and restores it.
func (a *App) computeFlow() error {
	if a.Source == Drawing {
		a.pad.Framed(a.original)
	} else {
		a.digits.Image(a.original, a.Digit)
	}
	copy(a.degraded, a.original)
	if a.Kind != None {
		d := degrade.Degradation{Kind: a.Kind, Severity: a.Severity}
		if err := d.Apply(a.degraded, a.original, model.Side, model.Side, rng.New(a.Seed, 0)); err != nil {
			return err
		}
	}
	if err := model.CheckImage(a.degraded); err != nil {
		return err
	}
	z := make([]float32, model.Latent)
	a.engine.Encode(z, a.degraded)
	seq, err := a.engine.Flow(z, a.RestoreFlow)
	if err != nil {
		return err
	}
	var path, distance []float32
	for s := range seq {
		path = append(path, s.X...)
		distance = append(distance, s.Distance...)
	}
	frames := make([]float32, len(distance)*model.Pixels)
	a.engine.Decode(frames, path)
	a.restored = Trajectory{N: 1}
	a.scores = a.scores[:0]
	for i, d := range distance {
		x := frames[i*model.Pixels : (i+1)*model.Pixels]
		a.restored.add(x, []float32{d})
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
	shown := make([]float32, model.Pixels)
	for i, v := range a.degraded {
		shown[i] = min(max(v, 0), 1)
	}
	a.damagedReads = a.read(shown)[0]
	a.reads = a.read(frames)
	return nil
}

// read returns what each of the images x is taken for.
func (a *App) read(x []float32) []Reading {
	n := len(x) / model.Pixels
	probs := make([]float32, n*classifier.Classes)
	a.reader.Classify(probs, nil, x)
	out := make([]Reading, n)
	for i := range out {
		d, p := classifier.Best(probs[i*classifier.Classes:])
		out[i] = Reading{Digit: d, Confidence: float64(p)}
	}
	return out
}

// unread reports whether there are steps of the digit that is shown large that
// the classifier has not seen.
func (a *App) unread() bool { return len(a.grownReads) < a.generated.Steps() }

// readGrown reads them.
func (a *App) readGrown() {
	from, to := len(a.grownReads), a.generated.Steps()
	x := make([]float32, (to-from)*model.Pixels)
	for k := from; k < to; k++ {
		a.generated.Image(x[(k-from)*model.Pixels:], k, a.Selected)
	}
	a.grownReads = append(a.grownReads, a.read(x)...)
}

func (a *App) score(x []float32) (Score, error) {
	ssim, err := metric.SSIM(a.original, x, model.Side, model.Side)
	if err != nil {
		return Score{}, err
	}
	return Score{MSE: metric.MSE(a.original, x), SSIM: ssim}, nil
}

// startGrid draws the noise that the grid grows from.
func (a *App) startGrid() error {
	if a.stop != nil {
		a.stop()
		a.next, a.stop = nil, nil
	}
	n := a.Grid * a.Grid
	z := make([]float32, n*model.Latent)
	a.engine.Noise(z, rng.New(a.GenerateSeed, 0))
	seq, err := a.engine.Flow(z, a.GenerateFlow)
	if err != nil {
		return err
	}
	a.draft, a.draftSteps = Trajectory{N: n}, a.GenerateFlow.Steps
	a.next, a.stop = iter.Pull(seq)
	if a.growsHidden = a.keepGrid && a.generated.N == n; a.growsHidden {
		return nil
	}
	a.generated, a.grownReads = a.draft, nil
	h := a.heads[Generate]
	h.SetEnd(a.draftSteps)
	if a.opened >= 0 {
		h.Jump(a.opened)
		a.opened = -1
	} else if a.reducedMotion {
		h.Jump(h.End())
	} else {
		h.Restart()
	}
	return nil
}

// growGrid computes one more step of the grid. A flow that arrives early
// shortens the timeline.
func (a *App) growGrid() {
	s, ok := a.next()
	if ok {
		x := make([]float32, a.draft.N*model.Pixels)
		a.engine.Decode(x, s.X)
		a.draft.add(x, s.Distance)
	}
	whole := !ok || s.Index == a.draftSteps
	if whole {
		a.stop()
		a.next, a.stop = nil, nil
	}
	switch {
	case !a.growsHidden:
		a.generated = a.draft
		if whole {
			a.heads[Generate].SetEnd(a.generated.Steps() - 1)
		}
	case whole:
		a.generated, a.grownReads = a.draft, nil
		a.heads[Generate].follow(a.generated.Steps() - 1)
	}
}

// Preset returns the flow of the mode that is shown.
func (a *App) Preset() model.Preset {
	if a.Mode == Generate {
		return a.GenerateFlow
	}
	return a.RestoreFlow
}

// Label returns the class of the test digit that is shown, -1 for a drawing.
func (a *App) Label() int {
	if a.Source == Drawing {
		return -1
	}
	return a.digits.Label(a.Digit)
}

// Original returns the image that is to be found again, model.Pixels numbers in
// [0, 1]; while one draws it is the pad as it is drawn on. It belongs to the app.
func (a *App) Original() []float32 {
	if !a.Settled() {
		return a.pad.Image()
	}
	return a.original
}

// Degraded returns the damaged image, which may leave [0, 1].
func (a *App) Degraded() []float32 { return a.degraded }

// Shown returns which image of Path the film and the curve are about.
func (a *App) Shown() int {
	if a.Mode == Generate {
		return a.Selected
	}
	return 0
}

// Path returns what the flow of the mode that is shown went through.
func (a *App) Path() *Trajectory {
	if a.Mode == Generate {
		return &a.generated
	}
	return &a.restored
}

// Readout is what the page says in numbers.
type Readout struct {
	State
	Label      int     `json:"label"`   // class of the test digit, -1 for a drawing
	Settled    bool    `json:"settled"` // the original is shown as the model sees it
	Undo       bool    `json:"undo"`    // there is something to take back
	Redo       bool    `json:"redo"`    // there is something to bring back
	Step       int     `json:"step"`
	Steps      int     `json:"steps"` // the last step there is
	Playing    bool    `json:"playing"`
	Busy       bool    `json:"busy"`       // something is still being computed or moving
	Distance   float64 `json:"distance"`   // D at the step, in Generate the mean over the grid
	Highest    float64 `json:"highest"`    // the highest D of the flow
	Shown      float64 `json:"shown"`      // D at the step of the image that is shown large
	MSEBefore  float64 `json:"mseBefore"`  // of the damaged image, in Restore
	MSEAfter   float64 `json:"mseAfter"`   // of the last step, in Restore
	SSIMBefore float64 `json:"ssimBefore"` //
	SSIM       float64 `json:"ssim"`       // of the step, in Restore
	SSIMAfter  float64 `json:"ssimAfter"`  //
	Reads      Reading `json:"reads"`      // the step, in Generate the image that is shown large
	ReadsFirst Reading `json:"readsFirst"` // the damaged image, in Restore
	Error      string  `json:"error,omitempty"`
}

// Readout returns what is on the screen, in numbers.
func (a *App) Readout() Readout {
	h, p := a.Head(), a.Path()
	r := Readout{State: a.State, Label: a.Label(), Settled: a.Settled(), Undo: a.CanUndo(), Redo: a.CanRedo(), Step: h.Step(), Steps: h.End(), Playing: h.Playing(), Busy: a.Busy()}
	if a.err != nil {
		r.Error = a.err.Error()
	}
	if p.Steps() > 0 {
		k := min(r.Step, p.Steps()-1)
		r.Distance, r.Highest, r.Shown = p.Mean(k), p.Highest(), p.Distance(k, a.Shown())
	}
	if a.Mode == Restore && len(a.scores) > 0 {
		r.MSEBefore, r.SSIMBefore = a.before.MSE, a.before.SSIM
		last := a.scores[len(a.scores)-1]
		r.MSEAfter, r.SSIMAfter = last.MSE, last.SSIM
		r.SSIM = a.scores[min(r.Step, len(a.scores)-1)].SSIM
	}
	reads := a.reads
	if a.Mode == Generate {
		reads = a.grownReads
	}
	if len(reads) > 0 && !(a.Mode == Restore && a.PadEmpty()) {
		r.Reads = reads[min(r.Step, len(reads)-1)]
		if a.Mode == Restore {
			r.ReadsFirst = a.damagedReads
		}
	}
	return r
}

// Status says in words where the flow is.
func (r Readout) Status() string {
	if r.Error != "" {
		return r.Error
	}
	var s string
	if r.Mode == Generate {
		s = fmt.Sprintf("step %d of %d · mean D = %.2f", r.Step, r.Steps, r.Distance)
	} else {
		s = fmt.Sprintf("step %d of %d · D = %.2f · SSIM %.2f", r.Step, r.Steps, r.Distance, round(r.SSIM, 2))
	}
	switch {
	case r.Reads.Confidence == 0:
	case r.Mode == Generate:
		s += fmt.Sprintf(" · digit %d %v", r.Selected+1, r.Reads)
	default:
		s += " · " + r.Reads.String()
	}
	return s
}

// round keeps a number that prints as zero from printing as minus zero.
func round(v float64, digits int) float64 {
	s := math.Pow10(digits)
	return math.Round(v*s)/s + 0
}
