package easel

import (
	"math"
	"reflect"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/link"
	"mppm/wasm/app/curve"
	"mppm/weights"
)

// circle is a stroke around a circle.
func circle(d *Drawing, x, y, r float64, n int) error {
	for i := range n + 1 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		p := [2]float64{x + r*cos, y + r*sin}
		if i == 0 {
			d.PenDown(p)
		}
		d.PenMove(p)
	}
	return d.PenUp()
}

// TestStroke: what is kept of a stroke is near what was drawn, on the grain, and short.
func TestStroke(t *testing.T) {
	var d Drawing
	if err := circle(&d, 0, 0, 1, 500); err != nil {
		t.Fatal(err)
	}
	s := d.Strokes()
	if len(s) != 1 || len(s[0]) > 80 {
		t.Errorf("a circle is kept as %d strokes of %d places", len(s), s.Places())
	}
	for i := range 360 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 180)
		if off := Off(s, [2]float64{cos, sin}); off > 1.5*link.StrokeGrain {
			t.Errorf("at %d° the stroke is %v off", i, off)
		}
	}
	back, err := link.UnpackStrokes(link.PackStrokes(s))
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("a link gives other strokes: %v", err)
	}
}

// TestOddPens: whatever a pen does, the drawing fits a link, and nothing is lost that was
// there.
func TestOddPens(t *testing.T) {
	var d Drawing
	d.PenMove([2]float64{1, 1}) // which is not down
	if err := d.PenUp(); err != nil || len(d.Strokes()) != 0 || d.CanUndo() {
		t.Errorf("a pen that was not down drew %v, %v", d.Strokes(), err)
	}
	d.PenDown([2]float64{math.NaN(), 0})
	d.PenMove([2]float64{0, math.Inf(1)})
	d.PenMove([2]float64{1e300, -1e300})
	if err := d.PenUp(); err != nil || !reflect.DeepEqual(d.Strokes(), link.Strokes{{{link.Farthest, -link.Farthest}}}) {
		t.Errorf("places that are none drew %v, %v", d.Strokes(), err)
	}
	d.PenDown([2]float64{math.NaN(), 0})
	if err := d.PenUp(); err != nil || len(d.Strokes()) != 1 {
		t.Errorf("a pen that was nowhere drew %v, %v", d.Strokes(), err)
	}
	d.PenDown([2]float64{})
	d.PenCancel()
	if len(d.Strokes()) != 1 {
		t.Error("a stroke that was given up is there")
	}
	// A stroke of a thousand turns.
	d.Open(nil)
	d.PenDown([2]float64{})
	for i := range 200_000 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 200)
		r := 0.1 + float64(i)/200_000
		d.PenMove([2]float64{r * cos, r * sin})
	}
	if err := d.PenUp(); err == nil {
		t.Error("a thousand turns fit")
	}
	for range 5 {
		if n := d.Strokes().Places(); n == 0 || n > link.MaxStrokePlaces {
			t.Fatalf("of a thousand turns %d places are kept", n)
		}
		if _, err := link.UnpackStrokes(link.PackStrokes(d.Strokes())); err != nil {
			t.Fatal(err)
		}
		_ = circle(&d, 0.3, 0.2, 0.777, 3000)
	}
}

func TestUndo(t *testing.T) {
	var d Drawing
	if d.Undo() || d.Redo() {
		t.Error("there is something to take back on an empty sheet")
	}
	for range 3 {
		if err := circle(&d, 0, 0, 0.5, 60); err != nil {
			t.Fatal(err)
		}
	}
	d.Undo()
	if !d.Undo() || len(d.Strokes()) != 1 || !d.Redo() || len(d.Strokes()) != 2 {
		t.Errorf("two back and one again: %d strokes", len(d.Strokes()))
	}
	d.Set(nil)
	if len(d.Strokes()) != 0 || d.CanRedo() || !d.Undo() || len(d.Strokes()) != 2 {
		t.Error("clearing cannot be taken back")
	}
}

// TestPull: what is held goes along, what is far away stays.
func TestPull(t *testing.T) {
	var d Drawing
	d.Open(link.Strokes{{{-1, 0}, {1, 0}}, {{0, 2}, {0.5, 2}}})
	if d.Grab([2]float64{0, 0.5}, 0.1) || d.Grab([2]float64{math.NaN(), 0}, 1) {
		t.Error("what is out of reach was held")
	}
	d.Drag([2]float64{1, 1}) // nothing is held
	if !d.Grab([2]float64{0, 0.05}, 0.1) {
		t.Fatal("nothing was held")
	}
	d.Drag([2]float64{0, 0.45})
	d.Drag([2]float64{math.NaN(), 0})
	if off := Off(d.Strokes(), [2]float64{0, 0.4}); off > 0.01 {
		t.Errorf("pulled by 0.4, the stroke is %v off", off)
	}
	d.Release()
	s := d.Strokes()
	if s[0][0] != [2]float64{-1, 0} || s[0][len(s[0])-1] != [2]float64{1, 0} || !reflect.DeepEqual(s[1], [][2]float64{{0, 2}, {0.5, 2}}) {
		t.Errorf("what is far away moved: %v", s)
	}
	if !d.Undo() || len(d.Strokes()[0]) != 2 {
		t.Error("pulling cannot be taken back")
	}
}

// TestPoints: points lie at even distances, as many as are asked for, and the same for the
// same seed.
func TestPoints(t *testing.T) {
	s := link.Strokes{{{0, 0}, {1, 0}, {1, 1}}, {{-1, -1}}, {{2, 0}, {2, 1}}}
	x := Points(s, 31, 0, 1)
	if len(x) != 62 {
		t.Fatalf("%d numbers, want those of 31 points", len(x))
	}
	for i := 0; i < len(x); i += 2 {
		if off := Off(s, [2]float64{x[i], x[i+1]}); off > 1e-6 {
			t.Errorf("point %d is %v off", i/2, off)
		}
	}
	if x[0] != -1 || x[1] != -1 || math.Abs(x[2]-0.05) > 1e-6 || math.Abs(x[4]-0.15) > 1e-6 {
		t.Errorf("the first points are %v", x[:6])
	}
	noisy := Points(s, 31, 0.1, 1)
	if !reflect.DeepEqual(noisy, Points(s, 31, 0.1, 1)) || reflect.DeepEqual(noisy, Points(s, 31, 0.1, 2)) {
		t.Error("noise does not follow the seed")
	}
	var sum float64
	for i := range x {
		sum += (noisy[i] - x[i]) * (noisy[i] - x[i])
		if float64(float32(noisy[i])) != noisy[i] {
			t.Errorf("32 bits do not hold %v", noisy[i])
		}
	}
	if d := math.Sqrt(sum / float64(len(x))); d < 0.07 || d > 0.13 {
		t.Errorf("noise of 0.1 moves by %v", d)
	}
	if n := len(Points(nil, 100, 0, 1)); n != 0 {
		t.Errorf("%d numbers without a stroke", n)
	}
	if x := Points(link.Strokes{{{1, 2}}}, 100, 0, 1); !reflect.DeepEqual(x, []float64{1, 2}) {
		t.Errorf("a dot gives %v", x)
	}
}

// TestTrace: each of the page's curves becomes as many strokes as it has pieces, near its
// points.
func TestTrace(t *testing.T) {
	for name, c := range map[string]struct {
		file   []byte
		pieces int
	}{"circle": {weights.Circle, 1}, "spiral": {weights.Spiral, 1}, "moons": {weights.Moons, 2}, "trefoil": {weights.Trefoil, 1}} {
		m, err := ambient.Load(c.file)
		if err != nil {
			t.Fatal(err)
		}
		shape := curve.New(m).Shape
		s := Trace(&shape)
		if len(s) != c.pieces || s.Places() > 600 {
			t.Errorf("%s: %d strokes of %d places", name, len(s), s.Places())
		}
		for _, p := range shape.Points {
			if off := Off(s, [2]float64{p[0], p[1]}); off > 2*link.StrokeGrain {
				t.Errorf("%s: a point is %v off", name, off)
				break
			}
		}
	}
}
