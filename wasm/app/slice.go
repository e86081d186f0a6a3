package app

import "time"

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
	curve  *strand
	camera Camera
	shape  float64
}

type cutting struct {
	whole, draft *Slice // what is shown; what is being computed
	rows         int    // of draft that are there
}

// sliceSide is how many places D is computed at along the longer edge.
const sliceSide = 96

// sliceTime is how much of a frame a slice may take.
const sliceTime = 5 * time.Millisecond

// SetFigureShape tells the shape of the figure on the screen: its width over its
// height.
func (a *App) SetFigureShape(shape float64) {
	if shape > 0 && shape != a.shape {
		a.shape = shape
		a.touch()
	}
}

// Slice returns D on the plane that faces the viewer, nil where it is not shown.
// While it is computed anew it is the one of before.
func (a *App) Slice() *Slice {
	if w := a.cut.whole; a.Figure.Slice && w != nil && w.of.curve == a.strand() {
		return w
	}
	return nil
}

// HighestAround returns the D at the end of the slice's scale.
func (a *App) HighestAround() float64 {
	if s := a.strand(); s != nil {
		return s.highest
	}
	return 0
}

func (a *App) wantedSlice() sliced {
	w := sliced{a.strand(), a.Figure.Camera, a.shape}
	if a.Figure.Flat() {
		w.camera.Azimuth, w.camera.Elevation = 0, 90
	}
	return w
}

// slicingNow reports whether the slice is out of date.
func (a *App) slicingNow() bool {
	w := a.wantedSlice()
	return a.Figure.Slice && w.curve != nil && w.shape > 0 && (a.cut.whole == nil || a.cut.whole.of != w)
}

// updateSlice computes some rows, and reports whether a new slice is whole.
func (a *App) updateSlice() bool {
	if !a.slicingNow() {
		return false
	}
	w, c := a.wantedSlice(), &a.cut
	if c.draft == nil || c.draft.of != w {
		c.draft, c.rows = newSlice(w), 0
	}
	m := c.draft
	for start := time.Now(); c.rows < m.H && time.Since(start) < sliceTime; c.rows++ {
		a.cutRow(m, c.rows)
	}
	if c.rows < m.H {
		return false
	}
	c.whole, c.draft = m, nil
	return true
}

// newSlice returns a slice without its values.
func newSlice(of sliced) *Slice {
	m := &Slice{W: sliceSide, H: sliceSide, of: of}
	if of.shape > 1 {
		m.H = max(int(sliceSide/of.shape), 2)
	} else {
		m.W = max(int(sliceSide*of.shape), 2)
	}
	m.D = make([]float32, m.W*m.H)
	return m
}

// cutRow computes a row of a slice of the curve that is shown.
func (a *App) cutRow(m *Slice, row int) {
	e := a.Eye(float64(m.W), float64(m.W)/m.of.shape)
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
