package manifold

import (
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/room"
)

// Slice is D on the plane through the curve's middle that faces the viewer: on a
// figure of the same shape the middles of its W × H cells go, row by row, from the
// upper left corner to the lower right one.
type Slice struct {
	W, H int
	D    []float32
	of   sliced
}

// sliced is what a slice depends on.
type sliced struct {
	model  string
	curve  *curve.Shape // another one once it has learnt more
	camera link.Camera
	aspect float64
}

// slicing is the slice, and the next one.
type slicing struct {
	whole, draft *Slice // what is shown; what is being computed
	work         *compute.Work[compute.Distances]
}

// sliceSide is how many places D is computed at along the longer edge.
const sliceSide = 96

// sliceTime is how much of a frame a slice may take.
const sliceTime = 5 * time.Millisecond

// SetAspect tells the shape of the figure on the screen: its width over its
// height.
func (r *Room) SetAspect(aspect float64) {
	if aspect > 0 && aspect != r.aspect {
		r.aspect = aspect
		r.s.Touch()
	}
}

// Slice returns D on the plane that faces the viewer, nil where it is not shown.
// While it is computed anew it is the one of before.
func (r *Room) Slice() *Slice {
	if w := r.slice.whole; r.s.Figure.Slice && w != nil && w.of.model == r.model() && r.curve() != nil {
		return w
	}
	return nil
}

// Highest returns the D at the end of the slice's scale.
func (r *Room) Highest() float64 {
	s := r.curve()
	if s == nil {
		return 0
	}
	if r.Sheet() != nil { // so that the colors mean the same from the first step to the last
		return r.seen().Radius
	}
	return s.Highest
}

// wanted returns what the slice should be of.
func (r *Room) wanted() sliced {
	w := sliced{r.model(), r.curve(), r.s.Figure.Camera, r.aspect}
	if r.s.Figure.Flat() {
		w.camera.Azimuth, w.camera.Elevation = 0, 90
	}
	return w
}

// Working reports whether the slice is out of date.
func (r *Room) Working() bool {
	w := r.wanted()
	return r.s.Figure.Slice && w.curve != nil && w.aspect > 0 && (r.slice.whole == nil || r.slice.whole.of != w)
}

// Work has the slice made anew where it is out of date.
func (r *Room) Work(time.Duration) {
	if !r.Working() {
		return
	}
	w, c := r.wanted(), &r.slice
	if c.draft == nil || c.draft.of != w && c.work.Over() {
		c.draft = newSlice(w)
		c.work = compute.Ask(r.s.Compute, r.cut(c.draft))
	}
	m := c.draft
	if !c.work.All(room.Within(sliceTime), func(row *compute.Distances) { m.D = append(m.D, row.D...) }) {
		return
	}
	if err := c.work.Err(); err != nil {
		r.err, m.D = err, make([]float32, m.W*m.H)
	}
	c.whole, c.draft, c.work = m, nil, nil
	r.s.Touch()
}

// newSlice returns a slice without its values.
func newSlice(of sliced) *Slice {
	m := &Slice{W: sliceSide, H: sliceSide, of: of}
	if of.aspect > 1 {
		m.H = max(int(sliceSide/of.aspect), 2)
	} else {
		m.W = max(int(sliceSide*of.aspect), 2)
	}
	return m
}

// cut returns the job of a slice of the curve that is shown.
func (r *Room) cut(m *Slice) *compute.Cut {
	e := r.Eye(float64(m.W), float64(m.W)/m.of.aspect)
	return &compute.Cut{Curve: m.of.model, X: m.places(e, m.of.curve.Dim), Row: m.W}
}

// places returns the middles of the cells, as rows of dim numbers, seen on a figure of as
// many pixels in a row.
func (m *Slice) places(e Eye, dim int) []float32 {
	x := make([]float32, 0, m.W*m.H*dim)
	for row := range m.H {
		for i := range m.W {
			p := e.Place(e.w*float64(i)/float64(m.W-1), e.h*float64(row)/float64(m.H-1))
			for k := range dim {
				x = append(x, float32(p[k]))
			}
		}
	}
	return x
}
