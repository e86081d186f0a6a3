package pad

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/stroke"
)

func TestPadBounds(t *testing.T) {
	var p Pad
	// The pen may leave the pad, and a page may send anything.
	for _, at := range []Point{{X: -50, Y: -50, Width: 3}, {X: 1e9, Y: 0, Width: 3}, {X: math.NaN(), Y: 1, Width: 3}, {X: 5, Y: 5, Width: math.Inf(1)}, {X: 5, Y: 5, Width: -1}} {
		p.Down(at.X, at.Y, at.Width)
		p.Move(at.X+1, at.Y+1, at.Width)
		p.Up()
	}
	for i, v := range p.Image() {
		if v != 0 {
			t.Fatalf("pixel %d has ink %v from a pen that was never on the pad", i, v)
		}
	}
	p.Clear()
	p.Down(0, 0, 2)
	for i := range 2 * maxPoints {
		p.Move(float64(i%28), float64(i/28%28), 2)
	}
	if p.points > maxPoints {
		t.Errorf("the drawing has %d points, more than %d", p.points, maxPoints)
	}
	for i, v := range p.Image() {
		if !(v >= 0 && v <= 1) {
			t.Fatalf("pixel %d has ink %v", i, v)
		}
	}
}

func TestPadStrokeIsEvenAndSoft(t *testing.T) {
	var p Pad
	p.Down(4, 14, 3)
	p.Move(24, 14, 3)
	row := func(y int) float32 { return p.Image()[y*stroke.Side+14] }
	if row(13) != 1 || row(14) != 1 {
		t.Errorf("the two rows at the stroke's middle have ink %v and %v, want 1", row(13), row(14))
	}
	if !(row(12) > 0 && row(12) < 1) || row(12) != row(15) {
		t.Errorf("the edges have ink %v and %v, want equal, between 0 and 1", row(12), row(15))
	}
	if row(9) != 0 || row(18) != 0 {
		t.Error("the stroke is too wide")
	}
	// Ink over ink does not add.
	before := row(12)
	p.Down(4, 14, 3)
	p.Move(24, 14, 3)
	if row(12) != before {
		t.Errorf("a second stroke made the edge %v from %v", row(12), before)
	}
}

// inked returns the box of pixels with ink, and their center of mass.
func inked(img []float32) (x0, y0, x1, y1 int, mx, my float64) {
	x0, y0 = stroke.Side, stroke.Side
	mass := 0.0
	for i, v := range img {
		if v > 0 {
			x, y := i%stroke.Side, i/stroke.Side
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			mass += float64(v)
			mx += float64(v) * (float64(x) + 0.5)
			my += float64(v) * (float64(y) + 0.5)
		}
	}
	return x0, y0, x1, y1, mx / mass, my / mass
}

func TestFramedAsMNIST(t *testing.T) {
	for name, c := range map[string]struct {
		points [][2]float64
		wide   bool // the box is wider than high
	}{
		"small one in a corner": {[][2]float64{{2, 2}, {2, 9}}, false},
		"large one":             {[][2]float64{{14, 0.5}, {14, 27.5}}, false},
		"bar":                   {[][2]float64{{1, 25}, {27, 25}}, true},
		"seven":                 {[][2]float64{{3, 3}, {24, 3}, {10, 26}}, false},
		"tilted":                {[][2]float64{{5, 6}, {22, 13}}, true},
	} {
		var p Pad
		p.Down(c.points[0][0], c.points[0][1], 2.6)
		for _, q := range c.points[1:] {
			p.Move(q[0], q[1], 2.6)
		}
		p.Up()
		img := make([]float32, stroke.Side*stroke.Side)
		p.Framed(img)
		x0, y0, x1, y1, mx, my := inked(img)
		long, short := y1-y0, x1-x0
		if c.wide {
			long, short = short, long
		}
		if long < 19 || long > 20 || short > long {
			t.Errorf("%s: the ink's box is %d × %d, want the longer edge to be 20", name, x1-x0, y1-y0)
		}
		if math.Abs(mx-14) > 0.55 || math.Abs(my-14) > 0.55 {
			t.Errorf("%s: the center of mass is (%.2f, %.2f), want (14, 14) within half a pixel", name, mx, my)
		}
		// Framing what is framed changes nothing but by the grain.
		p.Settle()
		again := p.Image()
		for i := range again {
			if again[i] != img[i] {
				t.Fatalf("%s: the settled image is not the framed one", name)
			}
		}
	}
	var dot Pad
	dot.Down(25, 25, 3)
	img := make([]float32, stroke.Side*stroke.Side)
	dot.Framed(img)
	if x0, y0, x1, y1, mx, my := inked(img); x1-x0 > 6 || y1-y0 > 6 || math.Abs(mx-14) > 0.5 || math.Abs(my-14) > 0.5 {
		t.Errorf("a dot is framed as %d × %d pixels around (%v, %v)", x1-x0, y1-y0, mx, my)
	}
	var none Pad
	none.Framed(img)
	if _, _, x1, _, _, _ := inked(img); x1 != 0 {
		t.Error("an empty pad has ink")
	}
}

func TestPadHistory(t *testing.T) {
	var p Pad
	line := func(x float64) {
		p.Down(x, 5, 2)
		p.Move(x, 20, 2)
		p.Up()
	}
	if p.Undo() || p.Redo() || p.CanUndo() || p.CanRedo() {
		t.Error("an empty pad has a history")
	}
	p.Clear() // leaves nothing to take back
	if p.CanUndo() {
		t.Error("clearing an empty pad can be taken back")
	}
	for i := range 4 {
		line(float64(4 + 5*i))
	}
	p.Undo()
	p.Undo()
	if len(p.Strokes()) != 2 || p.points != 4 {
		t.Errorf("after taking two of four strokes back there are %d with %d points", len(p.Strokes()), p.points)
	}
	p.Redo()
	line(9)
	if p.CanRedo() || len(p.Strokes()) != 4 {
		t.Errorf("after another stroke there are %d, redo %v", len(p.Strokes()), p.CanRedo())
	}
	for p.Undo() {
	}
	if !p.Empty() {
		t.Error("taking everything back leaves something")
	}
	for p.Redo() {
	}
	if len(p.Strokes()) != 4 {
		t.Errorf("bringing everything back gives %d strokes", len(p.Strokes()))
	}
	// A pen that leaves the pad and comes back is one stroke to take back.
	p.Clear()
	p.Down(10, 10, 2)
	p.Move(10, 50, 2)
	p.Move(20, 50, 2)
	p.Move(20, 10, 2)
	if p.Undo() {
		t.Error("a stroke is taken back under the pen")
	}
	p.Up()
	for _, s := range p.Strokes() {
		for _, q := range s {
			if q.Y > stroke.Side {
				t.Errorf("there is ink at %v, beyond the pad", q)
			}
		}
	}
	if p.Undo(); !p.Empty() {
		t.Errorf("after taking the stroke back there are %d", len(p.Strokes()))
	}
	for range 2 * maxUndo {
		line(3)
	}
	if len(p.past) > maxUndo {
		t.Errorf("the history has %d entries", len(p.past))
	}
}

// TestPadOfOtherSides: on a pad for other images a drawing stays where it is drawn, as
// large in proportion as on any other, and goes through a link.
func TestPadOfOtherSides(t *testing.T) {
	for _, side := range []int{14, 28, 56, 200} {
		p := New(side, false)
		p.Down(7, 7, 4)
		p.Move(21, 7, 4)
		p.Up()
		drawn := append([]float32(nil), p.Image()...)
		p.Settle()
		framed := make([]float32, side*side)
		p.Framed(framed)
		if len(drawn) != side*side || !slices.Equal(drawn, p.Image()) || !slices.Equal(drawn, framed) {
			t.Fatalf("side %d: the drawing moved", side)
		}
		at := func(x, y float64) float32 { return drawn[int(y*float64(side)/28)*side+int(x*float64(side)/28)] }
		if at(14, 7) < 0.9 || at(8, 6.5) < 0.5 || at(14, 14) != 0 || at(14, 2) != 0 || at(2, 7) != 0 {
			t.Errorf("side %d: ink of %v in the stroke, %v below it, %v above", side, at(14, 7), at(14, 14), at(14, 2))
		}
		strokes, err := stroke.Decode(p.Packed())
		if err != nil {
			t.Fatal(err)
		}
		again := New(side, false)
		again.Open(strokes)
		if !slices.Equal(again.Image(), drawn) {
			t.Errorf("side %d: the drawing of a link is another", side)
		}
		p.Down(14, 14, 3)
		p.Move(20, 20, 3)
		p.Cancel()
		if !slices.Equal(p.Image(), drawn) {
			t.Errorf("side %d: a stroke that is cancelled leaves ink", side)
		}
		p.Undo()
		if !p.Empty() || slices.Max(p.Image()) != 0 {
			t.Errorf("side %d: what is taken back leaves ink", side)
		}
	}
	if New(28, true).side != 0 {
		t.Error("a pad for digits is one for other images")
	}
}
