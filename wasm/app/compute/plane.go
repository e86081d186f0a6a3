package compute

import (
	"fmt"

	"mppm/wasm/app/atlas"
)

// Survey finds out where the codes are on the map.
type Survey struct{ answers[Surveyed] }

// Surveyed is what is to be known of the map.
type Surveyed struct{ atlas.Survey }

func (j *Survey) code(*wire) {}

func (s *Surveyed) code(w *wire) {
	place := func(w *wire, p *[2]float32) {
		w.float32(&p[0])
		w.float32(&p[1])
	}
	items(w, &s.At, 8, place)
	items(w, &s.Centers, 8, place)
	for _, v := range []*float64{&s.X, &s.Y, &s.W, &s.H} {
		w.float64(v)
	}
	w.float32(&s.Highest)
}

func (j *Survey) run(m *Models, yield func(coded) bool) error {
	t, err := m.theAtlas()
	if err != nil {
		return err
	}
	yield(&Surveyed{t.Survey})
	return nil
}

// Heat is D on a rectangle of the map: at (X0, Y0) lies the middle of the first of
// W × H cells, at (X1, Y1) that of the last.
type Heat struct {
	answers[Distances]
	X0, Y0, X1, Y1 float64
	W, H           int
}

// Distances are D of a row of cells, or of some points.
type Distances struct{ D []float32 }

// maxCells bounds the cells along an edge.
const maxCells = 4096

func (j *Heat) code(w *wire) {
	for _, v := range []*float64{&j.X0, &j.Y0, &j.X1, &j.Y1} {
		w.float64(v)
	}
	whole(w, &j.W)
	whole(w, &j.H)
}

func (d *Distances) code(w *wire) { w.float32s(&d.D) }

func (j *Heat) run(m *Models, yield func(coded) bool) error {
	if j.W < 2 || j.H < 2 || j.W > maxCells || j.H > maxCells {
		return fmt.Errorf("a map of %d × %d cells; give 2 to %d along each edge", j.W, j.H, maxCells)
	}
	t, err := m.theAtlas()
	if err != nil {
		return err
	}
	e, err := m.engine()
	if err != nil {
		return err
	}
	x := make([]float64, j.W)
	for i := range x {
		x[i] = j.X0 + (j.X1-j.X0)*float64(i)/float64(j.W-1)
	}
	for row := range j.H {
		d := make([]float32, j.W)
		t.Distances(e, d, x, j.Y0+(j.Y1-j.Y0)*float64(row)/float64(j.H-1))
		if !yield(&Distances{d}) {
			return nil
		}
	}
	return nil
}
