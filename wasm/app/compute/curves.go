package compute

import (
	"fmt"

	"mppm/shared/ambient"
	"mppm/wasm/app/curve"
)

func codeFlow(w *wire, p *ambient.Preset) {
	for _, v := range []*float32{&p.Alpha, &p.Beta, &p.SigmaD, &p.SigmaKer, &p.Tau, &p.Tolerance} {
		w.float32(v)
	}
	whole(w, &p.Samples)
	w.uint64(&p.Seed)
	whole(w, &p.Steps)
}

func codeLine(w *wire, l *curve.Line) {
	w.points(&l.Points)
	items(w, &l.Segments, 2, func(w *wire, s *[2]int) {
		whole(w, &s[0])
		whole(w, &s[1])
	})
}

// check returns an error if a line leads between points that there are not.
func check(l *curve.Line) error {
	for _, s := range l.Segments {
		if min(s[0], s[1]) < 0 || max(s[0], s[1]) >= len(l.Points) {
			return fmt.Errorf("compute: a line between points %d and %d of %d", s[0], s[1], len(l.Points))
		}
	}
	return nil
}

// Bend finds out the shape of a curve, and where a line is given, what has been learnt
// along that.
type Bend struct {
	answers[Shape]
	Curve string
	Along curve.Line // in the points' own coordinates
}

// Shape is the shape of a curve.
type Shape struct{ curve.Shape }

func (j *Bend) code(w *wire) {
	text(w, &j.Curve)
	codeLine(w, &j.Along)
}

func (s *Shape) code(w *wire) {
	whole(w, &s.Dim)
	codeLine(w, &s.Line)
	codeLine(w, &s.Learnt)
	for k := range s.Trained {
		w.bool(&s.Trained[k])
	}
	w.point(&s.Center)
	w.point(&s.Middle)
	w.point(&s.Half)
	for _, v := range []*float64{&s.Scale, &s.Radius, &s.Noise, &s.Highest} {
		w.float64(v)
	}
}

func (j *Bend) run(m *Models, yield func(coded) bool) error {
	c, err := m.curve(j.Curve)
	if err != nil {
		return err
	}
	if err := check(&j.Along); err != nil {
		return err
	}
	if len(j.Along.Segments) > 0 {
		c.Follow(j.Along)
	}
	yield(&Shape{c.Shape})
	return nil
}

// Home has every method take a point home to a curve.
type Home struct {
	answers[Ways]
	Curve string
	At    [3]float64
	Flow  ambient.Preset
	Seed  uint64     // of diffusion's noise
	Along curve.Line // what distances are measured to; without points: the curve
}

// Ways are how they go.
type Ways struct{ curve.Ways }

func (j *Home) code(w *wire) {
	text(w, &j.Curve)
	w.point(&j.At)
	codeFlow(w, &j.Flow)
	w.uint64(&j.Seed)
	codeLine(w, &j.Along)
}

func (v *Ways) code(w *wire) {
	for _, p := range []*curve.Path{&v.MPPM, &v.DAE, &v.DDPM} {
		w.points(&p.X)
		w.float64s(&p.Off)
		w.float64s(&p.D)
		w.float64(&p.Rate)
	}
	items(w, &v.Constructions, 96, func(w *wire, c *curve.Construction) {
		for _, x := range []*[3]float64{&c.Mean, &c.Projection, &c.Foot, &c.Next} {
			w.point(x)
		}
	})
	w.float64(&v.Noise)
}

func (j *Home) run(m *Models, yield func(coded) bool) error {
	c, err := m.curve(j.Curve)
	if err != nil {
		return err
	}
	if err := check(&j.Along); err != nil {
		return err
	}
	ways, err := c.Home(j.At, j.Flow, j.Seed, &j.Along)
	if err != nil {
		return err
	}
	yield(&Ways{*ways})
	return nil
}

// Cut has D of points around a curve, rows of as many numbers as it has coordinates, in
// pieces of Row points.
type Cut struct {
	answers[Distances]
	Curve string
	X     []float32
	Row   int
}

func (j *Cut) code(w *wire) {
	text(w, &j.Curve)
	w.float32s(&j.X)
	whole(w, &j.Row)
}

func (j *Cut) run(m *Models, yield func(coded) bool) error {
	c, err := m.curve(j.Curve)
	if err != nil {
		return err
	}
	if j.Row < 1 || j.Row > maxCells || len(j.X)%c.Dim != 0 {
		return errImages
	}
	for x := j.X; len(x) > 0; {
		n := min(j.Row*c.Dim, len(x))
		d := make([]float32, n/c.Dim)
		c.Distance(d, x[:n])
		if x = x[n:]; !yield(&Distances{d}) {
			return nil
		}
	}
	return nil
}

// Sample draws the points that a flow's kernel mean sums over.
type Sample struct {
	answers[Samples]
	Curve string
	Flow  ambient.Preset
}

// Samples are such points.
type Samples struct{ X [][3]float64 }

func (j *Sample) code(w *wire) {
	text(w, &j.Curve)
	codeFlow(w, &j.Flow)
}

func (s *Samples) code(w *wire) { w.points(&s.X) }

func (j *Sample) run(m *Models, yield func(coded) bool) error {
	c, err := m.curve(j.Curve)
	if err != nil {
		return err
	}
	x, err := c.Samples(j.Flow)
	if err != nil {
		return err
	}
	yield(&Samples{x})
	return nil
}
