package app

import (
	"image/color"
	"math"
	"testing"
	"time"

	"mppm/shared/idx"
	"mppm/shared/latent"
)

func TestPlayhead(t *testing.T) {
	var p Playhead
	p.SetEnd(3)
	p.Seek(2)
	if p.Pos() != 0 || !p.Moving() {
		t.Errorf("seeking jumps to %v", p.Pos())
	}
	p.Advance(Ease/2, false)
	if pos := p.Pos(); pos <= 0 || pos >= 2 {
		t.Errorf("half way through the easing it is at %v", pos)
	}
	p.Advance(Ease/2, false)
	if p.Pos() != 2 || p.Moving() {
		t.Errorf("after the easing it is at %v, moving %v", p.Pos(), p.Moving())
	}
	p.Seek(99)
	if p.Step() != 3 {
		t.Errorf("beyond the end it is at %d", p.Step())
	}
	p.Seek(-99)
	if p.Step() != 0 {
		t.Errorf("before the start it is at %d", p.Step())
	}
	// A very slow frame shows every step all the same.
	p.Restart()
	for want := 1; want <= 3; want++ {
		p.Advance(10*time.Second, false)
		if p.Step() != want {
			t.Fatalf("a slow frame went to step %d, want %d", p.Step(), want)
		}
	}
	if p.Playing() {
		t.Error("it plays on beyond the end")
	}
	p.Play()
	if p.Step() != 0 || !p.Playing() {
		t.Errorf("playing at the end: step %d, playing %v; want it to start over", p.Step(), p.Playing())
	}
	p.SetEnd(0)
	if p.Pos() != 0 {
		t.Errorf("with one step it is at %v", p.Pos())
	}
	p.Restart()
	if p.Playing() {
		t.Error("it plays though there is one step")
	}
}

func TestTrajectoryBlends(t *testing.T) {
	tr := Trajectory{N: 1}
	dst := make([]byte, latent.Pixels)
	dst[0] = 9
	tr.At(dst, 0, 0)
	if dst[0] != 0 {
		t.Error("without any step the image is not empty")
	}
	frame := func(v float32) []float32 {
		x := make([]float32, latent.Pixels)
		for i := range x {
			x[i] = v
		}
		return x
	}
	tr.add(frame(0), make([]float32, latent.Latent), []float32{2})
	tr.add(frame(1), make([]float32, latent.Latent), []float32{1})
	for pos, want := range map[float64]byte{-1: 0, 0: 0, 0.5: 128, 1: 255, 7: 255, math.NaN(): 0} {
		tr.At(dst, 0, pos)
		if dst[5] != want {
			t.Errorf("at %v the ink is %d, want %d", pos, dst[5], want)
		}
	}
	if d := tr.DistanceAt(0, 0.25); d != 1.75 {
		t.Errorf("D at 0.25 is %v, want 1.75", d)
	}
	if tr.Highest() != 2 || tr.Mean(1) != 1 {
		t.Errorf("highest D is %v, mean %v", tr.Highest(), tr.Mean(1))
	}
}

func TestInk(t *testing.T) {
	for v, want := range map[float32]byte{-3: 0, 0: 0, 0.5: 128, 1: 255, 2: 255, float32(math.NaN()): 0, float32(math.Inf(1)): 255} {
		if got := Ink(v); got != want {
			t.Errorf("Ink(%v) = %d, want %d", v, got, want)
		}
	}
}

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
	row := func(y int) float32 { return p.Image()[y*latent.Side+14] }
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
	x0, y0 = latent.Side, latent.Side
	mass := 0.0
	for i, v := range img {
		if v > 0 {
			x, y := i%latent.Side, i/latent.Side
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
		img := make([]float32, latent.Pixels)
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
	img := make([]float32, latent.Pixels)
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
			if q.Y > latent.Side {
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

func TestFilm(t *testing.T) {
	for _, c := range []struct {
		width float64
		last  int
		tiles int
	}{
		{1000, 15, 16}, // room for all
		{320, 15, 6},   // every third
		{320, 16, 5},   // every fourth
		{320, 13, 8},   // 13 is prime: uneven
		{320, 0, 1},
		{10, 15, 2},
		{0, 15, 0},
	} {
		f := NewFilm(c.width, c.last, 38)
		if f.Tiles != c.tiles {
			t.Errorf("%v wide, %d steps: %d tiles, want %d", c.width, c.last+1, f.Tiles, c.tiles)
			continue
		}
		if c.tiles == 0 {
			continue
		}
		if f.Step(0) != 0 || f.Step(f.Tiles-1) != c.last {
			t.Errorf("%v wide: the film goes from step %d to %d, want 0 to %d", c.width, f.Step(0), f.Step(f.Tiles-1), c.last)
		}
		for s := range c.last + 1 {
			if c.tiles > 1 && f.At(f.X(float64(s))) != s {
				t.Errorf("%v wide: step %d is at %v, where step %d is", c.width, s, f.X(float64(s)), f.At(f.X(float64(s))))
			}
		}
		if f.At(-100) != 0 || f.At(1e6) != f.Step(f.Tiles-1) {
			t.Error("beside the film there is something else than its ends")
		}
	}
}

func TestColors(t *testing.T) {
	c, err := ParseColor(" #0fA07c")
	if err != nil || c != (color.RGBA{0x0f, 0xa0, 0x7c, 255}) {
		t.Errorf("got %v, %v", c, err)
	}
	for _, bad := range []string{"", "#fff", "red", "0fa07c0", "#0fa07g", "#-fa07c"} {
		if _, err := ParseColor(bad); err == nil {
			t.Errorf("%q was read as a color", bad)
		}
	}
	p := Palette{Ink: color.RGBA{255, 255, 255, 255}}
	p.Cool, err = ParseColors("#000000, #646464")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Scale(0.5); got.R != 50 {
		t.Errorf("the middle of the scale is %v", got)
	}
	if p.Scale(-1) != p.Cool[0] || p.Scale(9) != p.Cool[1] || p.Scale(math.NaN()) != p.Cool[0] {
		t.Error("the scale is not clamped")
	}
	if r := p.Ramp(); r[0][0] != 0 || r[255][0] != 255 || r[128][0] != 128 {
		t.Errorf("the ramp is %v, %v, %v", r[0], r[128], r[255])
	}
}

func TestParseDigitsRefuses(t *testing.T) {
	file := func(data []byte, shape ...int) []byte {
		f, err := idx.New(data, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return f.Encode()
	}
	one := file(make([]byte, latent.Pixels), 1, 28, 28)
	for name, c := range map[string][2][]byte{
		"nothing":         {nil, nil},
		"no labels":       {one, nil},
		"too few labels":  {one, file(nil, 0)},
		"a label of 10":   {one, file([]byte{10}, 1)},
		"another size":    {file(make([]byte, 100), 1, 10, 10), file([]byte{1}, 1)},
		"no images":       {file(nil, 0, 28, 28), file(nil, 0)},
		"labels as image": {one, one},
	} {
		if _, err := ParseDigits(c[0], c[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
