package app

import (
	"errors"
	"fmt"
	"math"

	"mppm/shared/ambient"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/timeline"
)

// figuring is what follows from the state of Manifold.
type figuring struct {
	strands   map[Curve]*strand
	missing   map[Curve]error // why a curve's model is not there
	ways      map[Method]*Way
	thoughts  []Thought // at each step of the flow
	told      float64   // the noise that diffusion was told
	flowErr   error
	staleWays bool
	playWays  bool
	grabbed   bool // the point is being dragged
	shape     float64
	cut       cutting
}

// Way is how a method takes the point home.
type Way struct {
	X    [][3]float64 // the start and every step
	Off  []float64    // distances of these to the curve
	D    []float64    // the learned ones
	rate float64      // steps in one of the timeline
}

// Steps returns how many steps the method takes.
func (w *Way) Steps() int { return len(w.X) - 1 }

// fine returns where on the way's own steps a place of the timeline is.
func (w *Way) fine(pos float64) float64 {
	return min(max(pos, 0)*w.rate, float64(w.Steps()))
}

// At returns where the point is at a place of the timeline, and how far that is
// from the curve.
func (w *Way) At(pos float64) (x [3]float64, off float64) {
	k, t := timeline.Between(w.fine(pos), w.Steps())
	if t == 0 {
		return w.X[k], w.Off[k]
	}
	return mix(w.X[k], w.X[k+1], t), w.Off[k] + (w.Off[k+1]-w.Off[k])*t
}

// Thought is what MPPM sees at a point, as Fig. 3 draws it.
type Thought struct {
	Mean       [3]float64 // the kernel mean Ḡ(x), Eq. 19
	Projection [3]float64 // x* = G(F(x)), Eq. 18
	Foot       [3]float64 // x − D(x)∇̂D(x): where the learned distance ends
	Next       [3]float64 // the step of Eq. 15 that follows from Ḡ and the foot
}

// SetCurveModel brings a curve's model, or says why there is none.
func (a *App) SetCurveModel(c Curve, m *ambient.Model, err error) {
	info, ok := FindCurve(c)
	if err == nil && (!ok || m.Dim != info.Dim()) {
		err = fmt.Errorf("the model of %q has points of %d coordinates, and the page shows no such curve", c, m.Dim)
	}
	if a.missing == nil {
		a.missing, a.strands = map[Curve]error{}, map[Curve]*strand{}
	}
	delete(a.missing, c)
	if err != nil {
		a.missing[c] = err
	} else {
		a.strands[c] = newStrand(m)
	}
	if c == a.Figure.Curve {
		a.staleWays = true
	}
	a.touch()
}

// strand returns the curve that is shown, nil while it is not there.
func (a *App) strand() *strand { return a.strands[a.Figure.Curve] }

// FigureReady reports whether the curve that is shown is there.
func (a *App) FigureReady() bool { return a.strand() != nil }

// FigureErr returns what keeps Manifold from showing the curve, nil if nothing.
func (a *App) FigureErr() error {
	if err := a.missing[a.Figure.Curve]; err != nil {
		return err
	}
	return a.flowErr
}

// SetCurve shows another curve, with a point beside it.
func (a *App) SetCurve(c Curve) error {
	i, ok := FindCurve(c)
	if !ok {
		return fmt.Errorf("there is no curve %q", c)
	}
	if c != a.Figure.Curve {
		a.Figure.Curve = c
		a.Figure.Camera.X, a.Figure.Camera.Y = 0, 0 // these are places of the other curve
		a.dropAt(i.First, true)
	}
	return nil
}

// SetShown shows the way of a method, or not.
func (a *App) SetShown(m Method, on bool) error {
	if m != MPPM && m != DAE && m != DDPM {
		return fmt.Errorf("there is no method %q", m)
	}
	a.Figure.Show(m, on)
	a.touch()
	return nil
}

// SetSlice shows D on the plane that faces the viewer, or not.
func (a *App) SetSlice(on bool) {
	a.Figure.Slice = on
	a.touch()
}

// SetConstruction shows Fig. 3 at the point, or not.
func (a *App) SetConstruction(on bool) {
	a.Figure.Construction = on
	a.touch()
}

// errNoCurve says that a call came too soon.
var errNoCurve = errors.New("the curve is not there yet")

// dropAt drops a point, and has it taken home.
func (a *App) dropAt(x [3]float64, play bool) {
	for k, v := range x {
		x[k] = link.OnGrain(min(max(v, -link.Farthest), link.Farthest), link.PointGrain)
	}
	if a.Figure.Flat() {
		x[2] = 0
	}
	a.Figure.At = x
	a.staleWays, a.playWays = true, play
	a.heads[Descent].Jump(0)
	a.touch()
}

// DropPoint drops a point where the pixel (px, py) of the figure shows the plane
// that goes through the middle of the curve and faces the viewer.
func (a *App) DropPoint(e Eye, px, py float64) error {
	if a.strand() == nil {
		return errNoCurve
	}
	if px-px != 0 || py-py != 0 {
		return nil
	}
	a.dropAt(e.Place(px, py), true)
	return nil
}

// DropMiddle drops a point in the middle of the figure.
func (a *App) DropMiddle() error {
	s := a.strand()
	if s == nil {
		return errNoCurve
	}
	a.dropAt(s.middle, true)
	return nil
}

// RandomPoint drops a point of the curve with noise added, as those that the
// models learned from; each call from the next seed.
func (a *App) RandomPoint() error {
	s := a.strand()
	if s == nil {
		return errNoCurve
	}
	a.SetPointSeed((a.Figure.Seed + 1) & MaxSeed)
	return nil
}

// SetPointSeed drops the random point of a seed.
func (a *App) SetPointSeed(seed uint64) {
	s := a.strand()
	a.Figure.Seed = seed
	a.touch()
	if s == nil {
		return
	}
	src := rng.New(seed, 0)
	i := src.IntN(len(s.points))
	e := make([]float32, s.run.Dim)
	src.FillNorm(e, float32(s.noise))
	x := s.points[i]
	for k, v := range e {
		x[k] += float64(v)
	}
	a.dropAt(x, true)
}

// Noise returns the standard deviation of a random point's noise, 0 while there
// is no curve.
func (a *App) Noise() float64 {
	if s := a.strand(); s != nil {
		return s.noise
	}
	return 0
}

// OverPoint reports whether the dropped point is within reach pixels of a place
// of the figure.
func (a *App) OverPoint(e Eye, px, py, reach float64) bool {
	if a.strand() == nil {
		return false
	}
	x, y, _ := e.Screen(a.Figure.At)
	return math.Hypot(x-px, y-py) <= reach
}

// Grab takes up the point, to be dragged.
func (a *App) Grab() {
	a.grabbed = a.strand() != nil
	a.heads[Descent].Jump(0)
	a.touch()
}

// DragPoint moves the point that is held to a pixel of the figure, as far from
// the viewer as it is.
func (a *App) DragPoint(e Eye, px, py float64) {
	if !a.grabbed || px-px != 0 || py-py != 0 {
		return
	}
	x, y, _ := e.Screen(a.Figure.At)
	a.dropAt(e.shift(a.Figure.At, px-x, py-y), false)
}

// Release lets go of the point, and plays its ways home.
func (a *App) Release() {
	if !a.grabbed {
		return
	}
	a.grabbed = false
	if !a.reducedMotion {
		a.heads[Descent].Restart()
	}
	a.touch()
}

// NudgePoint moves the point by (dx, dy) shares of what is seen.
func (a *App) NudgePoint(dx, dy float64) {
	if a.strand() == nil {
		return
	}
	e := a.Eye(1, 1)
	a.dropAt(e.shift(a.Figure.At, dx, dy), false)
}

// updateFigure takes the point home where that is out of date.
func (a *App) updateFigure() {
	if s := a.strand(); a.staleWays && s != nil {
		a.staleWays = false
		a.flowErr = a.takeHome(s)
		h := a.heads[Descent]
		h.Follow(a.Figure.Flow.Steps)
		if !a.open(h) && a.playWays {
			if h.Jump(0); a.reducedMotion {
				h.Jump(h.End())
			} else {
				h.Restart()
			}
		}
		a.playWays = false
		a.touch()
	}
}

// waitsForCurve reports whether the curve may still arrive.
func (a *App) waitsForCurve() bool {
	return a.strand() == nil && a.missing[a.Figure.Curve] == nil
}

// figuringNow reports whether the ways are not there yet.
func (a *App) figuringNow() bool {
	return a.waitsForCurve() || a.staleWays && a.strand() != nil
}

// takeHome has every method take the point home.
func (a *App) takeHome(s *strand) error {
	f := &a.Figure
	a.ways, a.thoughts = nil, nil
	ways := map[Method]*Way{}
	x := s.row(f.At)
	seq, err := s.run.Flow(append([]float32(nil), x...), f.Flow)
	if err != nil {
		return err
	}
	flow := &Way{rate: 1}
	for step := range seq {
		s.add(flow, step.X)
		t, err := s.think(step.X, f.Flow)
		if err != nil {
			return err
		}
		a.thoughts = append(a.thoughts, t)
	}
	ways[MPPM] = flow

	once := &Way{rate: 1}
	s.add(once, x)
	y := make([]float32, len(x))
	s.run.DAE(y, x)
	s.add(once, y)
	ways[DAE] = once

	diffused := &Way{}
	if a.told, err = s.diffuse(diffused, x, f.Seed); err != nil {
		return err
	}
	diffused.rate = float64(diffused.Steps()) / float64(max(flow.Steps(), 1))
	ways[DDPM] = diffused
	a.ways = ways
	return nil
}

// Way returns how a method takes the point home, nil before it does.
func (a *App) Way(m Method) *Way { return a.ways[m] }

// Told returns the standard deviation of the noise that diffusion was told.
func (a *App) Told() float64 { return a.told }

// Thought returns what MPPM sees at a step, and whether there is one.
func (a *App) Thought(step int) (Thought, bool) {
	if len(a.thoughts) == 0 {
		return Thought{}, false
	}
	return a.thoughts[min(max(step, 0), len(a.thoughts)-1)], true
}

// Descended is what Manifold says in numbers.
type Descended struct {
	Ready   bool                  `json:"ready"`
	D       float64               `json:"d"`       // at the step of MPPM
	Start   float64               `json:"start"`   // distance of the dropped point to the curve
	Off     map[Method]float64    `json:"off"`     // distances at the step
	X       map[Method][3]float64 `json:"x"`       // places at the step
	Diffuse int                   `json:"diffuse"` // steps that diffusion takes
	Told    float64               `json:"told"`    // the noise that it was told
}

// Descended returns what is on the screen of Manifold at a step.
func (a *App) Descended(step int) Descended {
	d := Descended{Ready: a.FigureReady() && a.ways != nil && !a.staleWays, Off: map[Method]float64{}, X: map[Method][3]float64{}}
	if a.ways == nil {
		return d
	}
	d.Start, d.Diffuse, d.Told = a.ways[MPPM].Off[0], a.ways[DDPM].Steps(), a.told
	for _, m := range Methods() {
		d.X[m], d.Off[m] = a.ways[m].At(float64(step))
	}
	w := a.ways[MPPM]
	d.D = w.D[min(step, w.Steps())]
	return d
}
