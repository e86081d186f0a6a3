package manifold

import (
	"time"

	"mppm/shared/link"
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
	curve  *curve
	camera link.Camera
	aspect float64
}

// slicing is the slice, and the next one.
type slicing struct {
	whole, draft *Slice // what is shown; what is being computed
	rows         int    // of draft that are there
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
	if w := r.slice.whole; r.s.Figure.Slice && w != nil && w.of.curve == r.curve() {
		return w
	}
	return nil
}

// Highest returns the D at the end of the slice's scale.
func (r *Room) Highest() float64 {
	if s := r.curve(); s != nil {
		return s.highest
	}
	return 0
}

// wanted returns what the slice should be of.
func (r *Room) wanted() sliced {
	w := sliced{r.curve(), r.s.Figure.Camera, r.aspect}
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

// Work computes some rows of the slice.
func (r *Room) Work(time.Duration) {
	if !r.Working() {
		return
	}
	w, c := r.wanted(), &r.slice
	if c.draft == nil || c.draft.of != w {
		c.draft, c.rows = newSlice(w), 0
	}
	m := c.draft
	for start := time.Now(); c.rows < m.H && time.Since(start) < sliceTime; c.rows++ {
		r.cutRow(m, c.rows)
	}
	if c.rows == m.H {
		c.whole, c.draft = m, nil
		r.s.Touch()
	}
}

// newSlice returns a slice without its values.
func newSlice(of sliced) *Slice {
	m := &Slice{W: sliceSide, H: sliceSide, of: of}
	if of.aspect > 1 {
		m.H = max(int(sliceSide/of.aspect), 2)
	} else {
		m.W = max(int(sliceSide*of.aspect), 2)
	}
	m.D = make([]float32, m.W*m.H)
	return m
}

// cutRow computes a row of a slice of the curve that is shown.
func (r *Room) cutRow(m *Slice, row int) {
	e := r.Eye(float64(m.W), float64(m.W)/m.of.aspect)
	run := m.of.curve.run
	x := make([]float32, 0, m.W*run.Dim)
	for i := range m.W {
		p := e.Place(e.w*float64(i)/float64(m.W-1), e.h*float64(row)/float64(m.H-1))
		for k := range run.Dim {
			x = append(x, float32(p[k]))
		}
	}
	run.Distance(m.D[row*m.W:(row+1)*m.W], nil, x)
}
