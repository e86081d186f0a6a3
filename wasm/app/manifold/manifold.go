// Package manifold is the room with the curves: a point is dropped beside one of
// them, and the flow of MPPM (Sec. 4.1), an autoencoder and diffusion take it home.
// What flows are points and no images: the room has a camera and a figure of its
// own.
package manifold

import (
	"errors"
	"fmt"
	"math"
	"time"

	"mppm/shared/ambient"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// Room is what follows from the state of Manifold.
type Room struct {
	s       *room.Session
	head    timeline.Playhead
	dials   *dials.Flow[ambient.Preset]
	curves  map[link.Curve]*curve.Shape
	coming  map[link.Curve]*compute.Work[compute.Shape] // those whose models are there
	missing map[link.Curve]error                        // why a curve's model is not there

	paths         map[link.Method]*curve.Path
	constructions []curve.Construction // at each step of the flow
	noise         float64              // that diffusion was told
	of            string               // whose model's paths they are
	work          *compute.Work[compute.Ways]
	err           error   // of the flow
	stale         bool    // the paths are out of date
	newer         bool    // the curve of one's own has learnt more since, or is drawn otherwise
	play          bool    // play them from their start once computed
	grabbed       bool    // the point is being dragged
	aspect        float64 // width of the figure over its height
	slice         slicing
	sampling      sampling

	sheets []*Sheet // the visitor's own curves
	sheet  *Sheet   // the one that is shown, or was last
	tool   Tool
	ids    int
	dial   compute.Dial // starts the program that trains
	class  class
}

// What Manifold can do beside what every room does.
var (
	_ room.Worker    = (*Room)(nil)
	_ room.Restarter = (*Room)(nil)
	_ room.Saver     = (*Room)(nil)
)

// New returns the room, without a curve.
func New(s *room.Session) *Room {
	r := &Room{s: s, curves: map[link.Curve]*curve.Shape{}, coming: map[link.Curve]*compute.Work[compute.Shape]{}, missing: map[link.Curve]error{}, stale: true, play: true}
	r.dials = dials.Ambient(&s.Figure.Flow, link.CurveFlow(), func() {
		r.stale = true
		s.Touch()
	})
	return r
}

// Open shows what a link says.
func (r *Room) Open(l *link.Link) error {
	r.stale, r.play, r.grabbed = true, l.Step < 0, false
	r.paths, r.constructions = nil, nil // they may be of another curve
	if r.s.Figure.Curve == link.Own {
		return r.openOwn()
	}
	return nil
}

// Subject returns the paths of the point.
func (r *Room) Subject() room.Subject { return r }

// Head returns the playhead of the paths.
func (r *Room) Head() *timeline.Playhead { return &r.head }

// Dials returns the sliders of the flow.
func (r *Room) Dials() dials.Dials { return r.dials }

// Update has the paths computed where they are out of date. While the point is dragged,
// those that are under way are still shown.
func (r *Room) Update(time.Duration) {
	for name, w := range r.coming {
		r.meet(name, w)
	}
	for _, s := range r.sheets {
		r.meetSheet(s)
	}
	own := r.Sheet()
	if own != nil {
		own.drawn = r.s.Figure.Drawn
	}
	c := r.curve()
	if c == nil {
		return
	}
	f := &r.s.Figure
	if (r.stale || r.newer) && (r.work == nil || r.of != r.model()) {
		r.stale, r.newer = false, false
		r.work.Stop()
		j := &compute.Home{Curve: r.model(), At: f.At, Flow: f.Flow, Seed: f.Seed}
		if own != nil {
			j.Along = own.along()
		}
		r.of, r.work = j.Curve, compute.Ask(r.s.Compute, j)
	}
	r.sample()
	if r.work == nil || !r.work.All(room.Ever, r.take) {
		return
	}
	if r.err = r.work.Err(); r.err != nil {
		r.paths, r.constructions = nil, nil
	}
	r.work = nil
	h := &r.head
	h.Follow(f.Flow.Steps)
	if !r.s.Arrive(h) && r.play && !r.stale {
		h.Begin(r.s.ReducedMotion)
	}
	r.play = r.play && r.stale
	r.s.Touch()
}

// take shows the paths that have come.
func (r *Room) take(w *compute.Ways) {
	r.paths = map[link.Method]*curve.Path{link.MPPM: &w.MPPM, link.DAE: &w.DAE, link.DDPM: &w.DDPM}
	r.constructions, r.noise = w.Constructions, w.Noise
}

// meet takes the shape of a curve.
func (r *Room) meet(name link.Curve, w *compute.Work[compute.Shape]) {
	over := w.All(room.Ever, func(s *compute.Shape) {
		if info, ok := link.FindCurve(name); !ok || s.Dim != info.Dim() {
			r.missing[name] = fmt.Errorf("the model of %q has points of %d coordinates, and the page shows no such curve", name, s.Dim)
			return
		}
		r.curves[name] = &s.Shape
		r.stale = r.stale || name == r.s.Figure.Curve
	})
	if !over {
		return
	}
	if err := w.Err(); err != nil {
		r.missing[name] = err
	}
	delete(r.coming, name)
	r.s.Touch()
}

// Busy reports whether the paths are not there yet: the curve may still arrive.
func (r *Room) Busy() bool {
	if r.curve() == nil {
		if s := r.Sheet(); s != nil {
			return s.meeting != nil
		}
		return r.missing[r.s.Figure.Curve] == nil
	}
	return r.stale || r.newer || r.work != nil
}

// Restarts reports whether the paths will be played from their start.
func (r *Room) Restarts() bool { return (r.stale || r.work != nil) && r.play }

// Arrive says that a curve's model is there, or why there is none.
func (r *Room) Arrive(c link.Curve, err error) {
	delete(r.missing, c)
	if err != nil {
		r.missing[c] = err
	} else if r.curves[c] == nil && r.coming[c] == nil {
		r.coming[c] = compute.Ask(r.s.Compute, &compute.Bend{Curve: string(c)})
	}
	r.s.Touch()
}

// curve returns the curve that is shown, nil while it is not there.
func (r *Room) curve() *curve.Shape {
	if s := r.Sheet(); s != nil {
		return s.shape
	}
	return r.curves[r.s.Figure.Curve]
}

// model returns the name of the model of the curve that is shown.
func (r *Room) model() string {
	if s := r.Sheet(); s != nil {
		return s.model()
	}
	return string(r.s.Figure.Curve)
}

// seen returns the shape that says what part of space is seen, nil while nothing is.
func (r *Room) seen() *curve.Shape {
	if s := r.Sheet(); s != nil {
		return s.seen()
	}
	return r.curve()
}

// Ready reports whether the curve that is shown is there.
func (r *Room) Ready() bool { return r.curve() != nil }

// Err returns what keeps Manifold from showing the curve, nil if nothing.
func (r *Room) Err() error {
	if err := r.missing[r.s.Figure.Curve]; err != nil {
		return err
	}
	return r.err
}

// SetCurve shows another curve, with a point beside it.
func (r *Room) SetCurve(c link.Curve) error {
	i, ok := link.FindCurve(c)
	if !ok {
		return fmt.Errorf("there is no curve %q", c)
	}
	if c == link.Own {
		return r.DrawOwn()
	}
	if c != r.s.Figure.Curve {
		r.leave()
		r.s.Figure.Curve = c
		r.s.Figure.Camera.X, r.s.Figure.Camera.Y = 0, 0 // these are places of the other curve
		r.paths, r.constructions = nil, nil
		r.dropAt(i.First, true)
	}
	return nil
}

// SetShown shows the path of a method, or not.
func (r *Room) SetShown(m link.Method, on bool) error {
	if m != link.MPPM && m != link.DAE && m != link.DDPM {
		return fmt.Errorf("there is no method %q", m)
	}
	r.s.Figure.Show(m, on)
	r.s.Touch()
	return nil
}

// SetSlice shows D on the plane that faces the viewer, or not.
func (r *Room) SetSlice(on bool) {
	r.s.Figure.Slice = on
	r.s.Touch()
}

// SetConstruction shows Fig. 3 at the point, or not.
func (r *Room) SetConstruction(on bool) {
	r.s.Figure.Construction = on
	r.s.Touch()
}

// errNoCurve says that a call came too soon.
var errNoCurve = errors.New("the curve is not there yet")

// noCurve says what to do where nothing could take a point home.
func (r *Room) noCurve() error {
	if r.Sheet() != nil {
		return errors.New("nothing has been learnt yet that could take a point home: draw, then train")
	}
	return errNoCurve
}

// dropAt drops a point, and has it taken home.
func (r *Room) dropAt(x [3]float64, play bool) {
	for k, v := range x {
		x[k] = link.OnGrain(min(max(v, -link.Farthest), link.Farthest), link.PointGrain)
	}
	if r.s.Figure.Flat() {
		x[2] = 0
	}
	r.s.Figure.At = x
	r.stale, r.play = true, play
	r.head.Jump(0)
	r.s.Touch()
}

// DropPoint drops a point where the pixel (px, py) of the figure shows the plane
// that goes through the middle of the curve and faces the viewer.
func (r *Room) DropPoint(e Eye, px, py float64) error {
	if r.curve() == nil {
		return r.noCurve()
	}
	if px-px != 0 || py-py != 0 {
		return nil
	}
	r.dropAt(e.Place(px, py), true)
	return nil
}

// DropMiddle drops a point in the middle of the figure.
func (r *Room) DropMiddle() error {
	if r.curve() == nil {
		return r.noCurve()
	}
	r.dropAt(r.seen().Middle, true)
	return nil
}

// RandomPoint drops a point of the curve with noise added, as those that the
// models learned from; each call from the next seed.
func (r *Room) RandomPoint() error {
	if r.curve() == nil {
		return r.noCurve()
	}
	r.SetPointSeed((r.s.Figure.Seed + 1) & link.MaxSeed)
	return nil
}

// SetPointSeed drops the random point of a seed.
func (r *Room) SetPointSeed(seed uint64) {
	c := r.curve()
	r.s.Figure.Seed = seed
	r.s.Touch()
	if c == nil {
		return
	}
	src := rng.New(seed, 0)
	i := src.IntN(len(c.Points))
	e := make([]float32, c.Dim)
	src.FillNorm(e, float32(c.Noise))
	x := c.Points[i]
	for k, v := range e {
		x[k] += float64(v)
	}
	r.dropAt(x, true)
}

// Noise returns the standard deviation of a random point's noise, 0 while there
// is no curve.
func (r *Room) Noise() float64 {
	if c := r.curve(); c != nil {
		return c.Noise
	}
	return 0
}

// OverPoint reports whether the dropped point is within reach pixels of a place
// of the figure.
func (r *Room) OverPoint(e Eye, px, py, reach float64) bool {
	if r.curve() == nil {
		return false
	}
	x, y, _ := e.Screen(r.s.Figure.At)
	return math.Hypot(x-px, y-py) <= reach
}

// Grab takes up the point, to be dragged.
func (r *Room) Grab() {
	r.grabbed = r.curve() != nil
	r.head.Jump(0)
	r.s.Touch()
}

// DragPoint moves the point that is held to a pixel of the figure, as far from
// the viewer as it is.
func (r *Room) DragPoint(e Eye, px, py float64) {
	if !r.grabbed || px-px != 0 || py-py != 0 {
		return
	}
	x, y, _ := e.Screen(r.s.Figure.At)
	r.dropAt(e.shift(r.s.Figure.At, px-x, py-y), false)
}

// Release lets go of the point, and plays its paths home.
func (r *Room) Release() {
	if !r.grabbed {
		return
	}
	r.grabbed = false
	r.head.Begin(r.s.ReducedMotion)
	r.s.Touch()
}

// NudgePoint moves the point by (dx, dy) shares of what is seen.
func (r *Room) NudgePoint(dx, dy float64) {
	if r.curve() == nil {
		return
	}
	e := r.Eye(1, 1)
	r.dropAt(e.shift(r.s.Figure.At, dx, dy), false)
}

// Path returns how a method takes the point home, nil before it does.
func (r *Room) Path(m link.Method) *curve.Path { return r.paths[m] }

// Construction returns what MPPM sees at a step, and whether there is one.
func (r *Room) Construction(step int) (curve.Construction, bool) {
	if len(r.constructions) == 0 {
		return curve.Construction{}, false
	}
	return r.constructions[min(max(step, 0), len(r.constructions)-1)], true
}

// sampling is the points that the kernel mean sums over, and the next ones.
type sampling struct {
	x    [][3]float64
	of   sampled // whose they are
	work *compute.Work[compute.Samples]
	next sampled // whose those under way are
}

// sampled is what they depend on.
type sampled struct {
	model string
	curve *curve.Shape
	flow  ambient.Preset
}

// sample has them drawn anew where that is out of date, and they are shown.
func (r *Room) sample() {
	f, s := &r.s.Figure, &r.sampling
	want := sampled{r.model(), r.curve(), f.Flow}
	if f.Construction && s.of != want && s.next != want {
		s.work.Stop()
		s.next, s.work = want, compute.Ask(r.s.Compute, &compute.Sample{Curve: want.model, Flow: f.Flow})
	}
	if s.work == nil {
		return
	}
	over := s.work.All(room.Ever, func(p *compute.Samples) {
		s.x, s.of = p.X, s.next
		r.s.Touch()
	})
	if over {
		s.work = nil // of an error the flow says as much
	}
}

// Samples returns the points G(z) that the kernel mean sums over, where they are shown.
// They belong to the room.
func (r *Room) Samples() [][3]float64 {
	if r.sampling.of.model != r.model() {
		return nil
	}
	return r.sampling.x
}
