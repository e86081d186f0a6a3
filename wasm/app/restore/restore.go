// Package restore is the room in which a damaged image is restored: what one
// draws, brings or takes of the test digits, its damage, the flow that restores
// it, and what the baselines make of it.
package restore

import (
	"fmt"
	"slices"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/picture"
	"mppm/shared/stroke"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/model"
	"mppm/wasm/app/pad"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// Room is what follows from the state of Restore.
type Room struct {
	s      *room.Session
	head   timeline.Playhead
	dials  *dials.Flow[latent.Preset]
	digits Samples

	pad      pad.Pad
	settle   time.Duration    // until the pad shows the drawing as the model sees it, 0 once it does
	brought  []byte           // what State.Picture holds
	bring    *picture.Picture // a picture that the user brought
	offer    *Offer           // and may take
	original []float32        // the image that is to be found again
	degraded []float32
	path     timeline.Trajectory
	stale    bool                            // what follows from the choice is out of date
	other    bool                            // so much so that what is under way is of something else
	play     bool                            // play the restoration from its start once computed
	ahead    time.Duration                   // how long it has been playing elsewhere; 0: it does not
	work     *compute.Work[compute.Restored] // the restoration under way, nil if none is

	before       Score
	scores       []Score // of each step of path
	damagedReads model.Reading
	reads        []model.Reading // of each step of path
	comparison
	changes changes
}

// What Restore can do beside what every room does.
var (
	_ room.Images = (*Room)(nil)
	_ room.Worker = (*Room)(nil)
	_ room.Saver  = (*Room)(nil)
)

// New returns the room with a model's own flow for restoring.
func New(s *room.Session, flow latent.Preset, d Samples) *Room {
	r := &Room{s: s}
	r.Use(flow, d)
	return r
}

// Use begins anew, with what the session's model has: its own flow for restoring, and
// images.
func (r *Room) Use(flow latent.Preset, d Samples) {
	r.work.Stop()
	r.stopComparing()
	s := r.s
	*r = Room{s: s, digits: d, stale: true, play: true, original: make([]float32, s.Pixels()), degraded: make([]float32, s.Pixels())}
	r.pad = *pad.New(s.Engine.Image().W, s.About.Digits)
	r.dials = dials.Latent(&s.RestoreFlow, flow, func() { r.recompute(false) })
}

// Past is the pad as it was, and all that could be taken back.
type Past struct {
	pad     pad.Pad
	changes changes
}

// Past returns what is there now: it outlasts that other models are shown.
func (r *Room) Past() Past { return Past{r.pad, r.changes} }

// Return has all of it again, once the state of then is opened.
func (r *Room) Return(p Past) {
	r.changes = p.changes
	if r.drawn() {
		r.pad = p.pad
	}
}

// Open shows what a link says.
func (r *Room) Open(l *link.Link) (err error) {
	var strokes [][]pad.Point
	r.brought = nil
	switch l.Source {
	case link.Drawing:
		strokes, err = stroke.Decode(l.Drawing)
	case link.Picture:
		r.brought, err = r.s.Links.UnpackPicture(l.State.Picture)
	}
	r.pad.Open(strokes)
	r.settle, r.changes = 0, changes{}
	r.recompute(false)
	r.play, r.other = l.Step < 0, true
	return err
}

// Save adds the strokes of a drawing to a link.
func (r *Room) Save(l *link.Link) {
	if r.s.Source == link.Drawing {
		l.Drawing = r.pad.Packed()
	}
}

// Subject returns the restoration.
func (r *Room) Subject() room.Subject { return r }

// Head returns the playhead of the restoration.
func (r *Room) Head() *timeline.Playhead { return &r.head }

// Path returns the restoration.
func (r *Room) Path() *timeline.Trajectory { return &r.path }

// Shown returns 0: there is one image.
func (r *Room) Shown() int { return 0 }

// Dials returns the sliders of the flow. What is shown stays at the same step, or
// at the end, so that the effect of one is seen at once.
func (r *Room) Dials() dials.Dials { return r.dials }

// Busy reports whether the restoration is out of date, or a drawing not yet where
// the model sees it.
func (r *Room) Busy() bool {
	return r.stale || r.work != nil || !r.Settled() && !r.pad.Drawing()
}

// Album returns the restoration, to be exported.
func (r *Room) Album(p *palette.Palette) (export.Album, error) { return r.s.NewAlbum(r, 1, p) }

// Score compares an image with the original.
type Score = compute.Score

// AnotherDigit takes the next test digit and plays its restoration.
func (r *Room) AnotherDigit() {
	if r.s.Source == link.Digit {
		r.s.Digit = (r.s.Digit + 1) % r.digits.Len()
	}
	r.s.Source = link.Digit
	r.recompute(true)
}

// SetDigit takes the test digit with the given index.
func (r *Room) SetDigit(i int) error {
	if i < 0 || i >= r.digits.Len() {
		return fmt.Errorf(r.s.About.Say("there is no digit %d; there are %d, counted from 0"), i, r.digits.Len())
	}
	r.s.Digit, r.s.Source = i, link.Digit
	r.recompute(true)
	return nil
}

// SetKind chooses the damage, at its mild severity, and plays.
func (r *Room) SetKind(k degrade.Kind) error {
	if !slices.Contains(link.Damages(), k) {
		return fmt.Errorf("there is no damage called %q", k)
	}
	r.s.Kind, r.s.Severity = k, link.Find(k).Mild
	r.recompute(true)
	return nil
}

// SetSeverity sets how strong the damage is, within the kind's range. What is
// shown stays at the same step, so that the effect of a slider is seen at once.
func (r *Room) SetSeverity(s float64) error {
	i := link.Find(r.s.Kind)
	if r.s.Kind == link.None {
		return nil
	}
	if !(s >= i.Min && s <= i.Max) {
		return fmt.Errorf("severity %v is out of range: %s takes %v to %v", s, i.Label, i.Min, i.Max)
	}
	r.s.Severity = s
	r.recompute(false)
	return nil
}

// SetSeed redraws the damage from another seed and plays.
func (r *Room) SetSeed(seed uint64) {
	r.s.Seed = seed
	r.recompute(true)
}

// SetBrush sets the diameter of the pen, in twenty-eighths of the pad's edge: the pixels
// of a digit.
func (r *Room) SetBrush(b float64) error {
	if !(b >= link.MinBrush && b <= link.MaxBrush) {
		return fmt.Errorf("a brush of %v pixels is out of range: %v to %v", b, link.MinBrush, link.MaxBrush)
	}
	r.s.Brush = b
	r.s.Touch()
	return nil
}

// ClearPad shows an empty pad to draw on.
func (r *Room) ClearPad() {
	r.pad.Clear()
	r.redraw()
}

// Undo takes back what was done last: a stroke, or the clearing of the pad, while a
// drawing is shown; or what was remembered or forgotten. Redo brings it back. Where there
// is nothing, they do nothing.
func (r *Room) Undo() {
	switch pad := r.drawn() && r.pad.CanUndo(); {
	case pad && !(r.changes.last && r.CanTakeBack()):
		if r.pad.Undo() {
			r.redraw()
		}
	default:
		r.TakeBack()
	}
}

// Redo brings back what Undo took.
func (r *Room) Redo() {
	switch pad := r.drawn() && r.pad.CanRedo(); {
	case pad && !(r.changes.last && len(r.changes.next) > 0):
		if r.pad.Redo() {
			r.redraw()
		}
	default:
		r.swap(&r.changes.next, &r.changes.past)
	}
}

// drawn reports whether a drawing is shown.
func (r *Room) drawn() bool { return r.s.Source == link.Drawing }

// CanUndo reports whether Undo does something.
func (r *Room) CanUndo() bool { return r.drawn() && r.pad.CanUndo() || r.CanTakeBack() }

// CanRedo reports whether Redo does something.
func (r *Room) CanRedo() bool { return r.drawn() && r.pad.CanRedo() || len(r.changes.next) > 0 }

// redraw shows the pad after it changed as a whole.
func (r *Room) redraw() {
	r.s.Source, r.settle, r.changes.last = link.Drawing, 0, false
	r.recompute(false)
}

// PenDown starts a stroke at (x, y), in twenty-eighths of the pad's edges. The first stroke
// over a test digit or a picture starts on an empty pad. pressure 1 is the brush
// as it is.
func (r *Room) PenDown(x, y, pressure float64) {
	if r.s.Source != link.Drawing {
		r.pad.Clear()
		r.s.Source = link.Drawing
	}
	r.pad.Down(x, y, r.s.Brush*pressure)
	r.settle, r.changes.last = settleTime, false
	r.recompute(false)
}

// PenMove draws on to (x, y); without a stroke begun it does nothing.
func (r *Room) PenMove(x, y, pressure float64) {
	if r.pad.Move(x, y, r.s.Brush*pressure) {
		r.recompute(false)
	}
}

// PenUp ends the stroke. A little later, unless another one has begun, the pad
// shows the drawing where the model sees it.
func (r *Room) PenUp() { r.pad.Up() }

// PenCancel takes away the stroke that is being drawn: it was not the pen's.
func (r *Room) PenCancel() {
	if r.pad.Drawing() {
		r.pad.Cancel()
		r.recompute(false)
	}
}

// Reread has the digit read, which could not be before: now there is a classifier.
func (r *Room) Reread() { r.recompute(false) }

// Began says that the restoration has been playing elsewhere for so long: here it goes on
// from there.
func (r *Room) Began(ago time.Duration) { r.ahead = ago }

// settleTime is how long after a stroke the pad waits for another one.
const settleTime = 700 * time.Millisecond

// Settled reports whether the original that is shown is the one the model gets.
func (r *Room) Settled() bool { return r.s.Source != link.Drawing || r.settle == 0 }

// settleBy lets time pass for the pad.
func (r *Room) settleBy(dt time.Duration) {
	if r.Settled() || r.pad.Drawing() {
		return
	}
	if r.settle = max(r.settle-dt, 0); r.settle == 0 {
		r.pad.Settle()
		r.s.Touch()
	}
}

// PadEmpty reports whether the pad is shown and nothing is drawn on it.
func (r *Room) PadEmpty() bool { return r.s.Source == link.Drawing && r.pad.Empty() }

func (r *Room) recompute(play bool) {
	r.stale = true
	r.play, r.other = r.play || play, r.other || play
	r.s.Touch()
}

// Update has the flow computed where it is out of date. While one draws, or drags a
// slider, what is under way is still shown: it is nearer to what is wanted than what is
// there.
func (r *Room) Update(dt time.Duration) {
	r.settleBy(dt)
	if r.ahead > 0 {
		r.ahead += dt
	}
	r.takeOnce()
	if r.stale && (r.work == nil && r.once == nil || r.other) {
		r.stale, r.other = false, false
		r.work.Stop()
		r.work = nil
		if err := r.begin(); err != nil {
			r.s.Fail(err)
			r.arrive()
		}
	}
	if r.work == nil || !r.work.All(room.Ever, r.take) {
		return
	}
	if err := r.work.Err(); err != nil {
		r.s.Fail(err)
		r.arrive()
	}
	r.work = nil
	r.s.Touch()
}

// draw writes to x the original, as the model sees it.
func (r *Room) draw(x []float32) {
	switch r.s.Source {
	case link.Drawing:
		r.pad.Framed(x)
	case link.Picture:
		for i, v := range r.brought {
			x[i] = float32(v) / 255
		}
	default:
		r.digits.Image(x, r.s.Digit)
	}
}

// begin makes the original, damages it, and has it restored.
func (r *Room) begin() error {
	r.draw(r.original)
	r.s.Touch()
	taught, err := r.s.Taught()
	if err != nil {
		return err
	}
	shape := r.s.Engine.Image()
	if err := r.s.Damaged(r.degraded, r.original, shape.W, shape.H); err != nil {
		return err
	}
	r.stopComparing()
	r.work = compute.Ask(r.s.Compute, &compute.Restore{Original: r.original, Damaged: r.degraded, Flow: r.s.RestoreFlow.Widened(), Taught: taught})
	return nil
}

// take shows a restoration that has come.
func (r *Room) take(p *compute.Restored) {
	n, pixels := r.s.Engine.Latent(), r.s.Pixels()
	r.path = timeline.Trajectory{N: 1}
	for i := range p.Distance {
		r.path.Add(p.Ink[i*pixels:(i+1)*pixels], p.Codes[i*n:(i+1)*n], p.Distance[i:i+1])
	}
	r.before, r.scores = p.Before, p.Scores
	r.damagedReads, r.reads = p.ReadsFirst, p.Reads
	r.s.Fail(nil)
	r.arrive()
	r.compare()
}

// arrive goes to where the timeline is to be.
func (r *Room) arrive() {
	h := &r.head
	h.Follow(r.path.Steps() - 1)
	switch {
	case r.s.Arrive(h):
	case r.play:
		h.Begin(r.s.ReducedMotion)
		h.Skip(r.ahead)
	case !h.Playing() && r.s.Source == link.Drawing:
		h.Jump(h.End())
	}
	r.play, r.ahead = false, 0
	r.s.Touch()
}

// Label returns the class of the test digit that is shown, -1 for what the user
// drew or brought.
func (r *Room) Label() int {
	if r.s.Source != link.Digit {
		return -1
	}
	return r.digits.Label(r.s.Digit)
}

// Original returns the image that is to be found again, in [0, 1]; while one draws
// it is the pad as it is drawn on. It belongs to the room.
func (r *Room) Original() []float32 {
	if !r.Settled() {
		return r.pad.Image()
	}
	return r.original
}

// Degraded returns the damaged image, which may leave [0, 1].
func (r *Room) Degraded() []float32 { return r.degraded }

// Scores returns how each step of the restoration compares with the original;
// nil where the timeline is about something else, or there is no original yet.
// They belong to the room.
func (r *Room) Scores() []Score {
	if r.s.Subject() != link.Restoration || r.PadEmpty() {
		return nil
	}
	return r.scores
}
