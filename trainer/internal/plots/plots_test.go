package plots

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/trainer/internal/imageio"

	"mppm/trainer/internal/curves"
)

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// has counts the pixels of a color.
func has(img image.Image, want color.Color) int {
	wr, wg, wb, _ := want.RGBA()
	n := 0
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r == wr && g == wg && b == wb {
				n++
			}
		}
	}
	return n
}

func TestCurves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "loss.png")
	var a, b curves.Line
	a.Name, b.Name = "train", "held out"
	for i := range 50 {
		x := float64(i)
		a.X, a.Y = append(a.X, x), append(a.Y, 100*math.Exp(-x/20))
		b.X, b.Y = append(b.X, x), append(b.Y, 110*math.Exp(-x/30))
	}
	for _, log := range []bool{false, true} {
		if err := Curves(path, curves.Axes{Title: "Loss", X: "epoch", Y: "loss", LogY: log}, a, b); err != nil {
			t.Fatal(err)
		}
		img := decode(t, path)
		if img.Bounds() != image.Rect(0, 0, 1200, 750) {
			t.Errorf("size %v", img.Bounds())
		}
		for i := range 2 {
			if n := has(img, palette[i]); n < 100 {
				t.Errorf("log %v: %d pixels of line %d", log, n, i)
			}
		}
	}
}

func TestCurvesOddInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	path := filepath.Join(t.TempDir(), "x.png")
	for name, line := range map[string]curves.Line{
		"one point":    {Name: "a", X: []float64{1}, Y: []float64{2}},
		"constant":     {Name: "a", X: []float64{1, 2, 3}, Y: []float64{2, 2, 2}},
		"same x":       {Name: "a", X: []float64{1, 1, 1}, Y: []float64{2, 3, 4}},
		"gaps":         {Name: "a", X: []float64{1, 2, 3, 4, 5}, Y: []float64{nan, 3, inf, 2, 0}},
		"bad x":        {Name: "a", X: []float64{nan, 2, inf}, Y: []float64{1, 2, 3}},
		"close values": {Name: "a", X: []float64{1, 2}, Y: []float64{3.001, 3.002}},
		"wide":         {Name: "a", X: []float64{1, 2}, Y: []float64{1e-200, 1e200}},
		"extreme":      {Name: "a", X: []float64{1, 2, 3}, Y: []float64{math.MaxFloat64, -math.MaxFloat64, 1}},
		"negative":     {Name: "a", X: []float64{1, 2, 3}, Y: []float64{-1, 5, -3}},
		"no name":      {Name: "", X: []float64{1, 2}, Y: []float64{1, 2}},
	} {
		for _, log := range []bool{false, true} {
			if err := Curves(path, curves.Axes{LogY: log}, line); err != nil {
				t.Errorf("%s, log %v: %v", name, log, err)
			}
		}
	}
	if err := Curves(path, curves.Axes{}, curves.Line{Name: "a", X: []float64{1}, Y: []float64{nan}}); err == nil {
		t.Error("nothing to draw: no error")
	}
	if err := Curves(path, curves.Axes{}); err == nil {
		t.Error("no lines: no error")
	}
	if err := Curves(path, curves.Axes{}, curves.Line{Name: "a", X: []float64{1, 2}, Y: []float64{1}}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("lengths differ: %v", err)
	}
	many := make([]curves.Line, 30)
	for i := range many {
		many[i] = curves.Line{Name: "line", X: []float64{0, 1}, Y: []float64{float64(i), 1}}
	}
	if err := Curves(path, curves.Axes{}, many...); err != nil {
		t.Error(err)
	}
}

func TestDecades(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0.5, 200, "0.5 1 2 5 10 20 50 100 200"},
		{1e-3, 1e3, "0.001 0.01 0.1 1 10 100 1000"},
		{21, 45, "30 40"},
		{3.001, 3.002, "3 3"},
	} {
		var labels []string
		for _, tick := range (decades{}).Ticks(c.lo, c.hi) {
			if tick.Value < c.lo || tick.Value > c.hi {
				t.Errorf("tick %v outside %v to %v", tick.Value, c.lo, c.hi)
			}
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestSheet(t *testing.T) {
	images := make([]float32, 5*imageio.Pixels)
	for i := range 5 {
		images[i*imageio.Pixels] = float32(i+1) / 5 // the corner tells which it is
		images[(i+1)*imageio.Pixels-1] = 7          // clamped
	}
	sheet, err := Sheet{Columns: 2, Scale: 3}.Draw(images)
	if err != nil {
		t.Fatal(err)
	}
	img := sheet.(*image.Gray)
	const pitch = 28*3 + gap
	if want := image.Rect(0, 0, gap+2*pitch, gap+3*pitch); img.Bounds() != want {
		t.Fatalf("size %v, want %v", img.Bounds(), want)
	}
	for i := range 5 {
		x, y := gap+i%2*pitch, gap+i/2*pitch
		for d := range 3 {
			if got, want := img.GrayAt(x+d, y+d).Y, byte((i+1)*51); got != want {
				t.Errorf("image %d has corner %d, want %d", i, got, want)
			}
			if got := img.GrayAt(x+83-d, y+83-d).Y; got != 255 {
				t.Errorf("image %d has end %d, want 255", i, got)
			}
		}
		if img.GrayAt(x+3, y).Y != 0 || img.GrayAt(x-1, y).Y != ground.Y {
			t.Errorf("image %d is not scaled by 3 in its place", i)
		}
	}
	if got := img.GrayAt(gap+pitch+5, gap+2*pitch+5).Y; got != ground.Y {
		t.Errorf("the empty place has %d", got)
	}
}

func TestSheetText(t *testing.T) {
	images := make([]float32, 4*imageio.Pixels)
	bare, err := Sheet{Columns: 2}.Draw(images)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := Sheet{Columns: 2, Heads: []string{"input", "a very long head"}, Labels: []string{"7", "", "é", "1"}}.Draw(images)
	if err != nil {
		t.Fatal(err)
	}
	img := sheet.(*image.Gray)
	if got, want := img.Bounds().Dy(), bare.Bounds().Dy()+3*textH; got != want {
		t.Errorf("height %d, want %d", got, want)
	}
	if has(img, ink) == 0 {
		t.Error("no text")
	}
	for y := range img.Bounds().Dy() { // text stays within its column
		if img.GrayAt(gap+56+gap/2, y) != ground {
			t.Fatalf("text between the columns at row %d", y)
		}
	}
}

// TestSheetColor: images of any shape, in their colors.
func TestSheetColor(t *testing.T) {
	shape := nn.Shape{H: 3, W: 5, C: 3}
	images := make([]float32, 2*shape.Size())
	copy(images[shape.Size():], []float32{1, 0.2, 0})
	sheet, err := Sheet{Image: shape, Columns: 2, Scale: 4}.Draw(images)
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 3*gap+2*20, 2*gap+12); sheet.Bounds() != want {
		t.Fatalf("size %v, want %v", sheet.Bounds(), want)
	}
	if got := sheet.At(2*gap+20+3, gap+3); got != (color.RGBA{255, 51, 0, 255}) {
		t.Errorf("the second image begins with %v", got)
	}
	if _, err := (Sheet{Image: nn.Shape{H: 3, W: 5, C: 2}}).Draw(make([]float32, 30)); err == nil {
		t.Error("images of two channels were drawn")
	}
}

func TestSheetErrors(t *testing.T) {
	one := make([]float32, imageio.Pixels)
	for name, f := range map[string]func() error{
		"nothing":         func() error { _, err := Sheet{}.Draw(nil); return err },
		"part of one":     func() error { _, err := Sheet{}.Draw(one[1:]); return err },
		"too many labels": func() error { _, err := Sheet{Labels: []string{"a", "b"}}.Draw(one); return err },
		"too many heads":  func() error { _, err := Sheet{Heads: []string{"a", "b"}}.Draw(one); return err },
		"too large":       func() error { _, err := Sheet{Scale: 1000}.Draw(one); return err },
		"no folder":       func() error { return Sheet{}.Save(filepath.Join(t.TempDir(), "no", "x.png"), one) },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	path := filepath.Join(t.TempDir(), "x.png")
	if err := (Sheet{}).Save(path, one); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, path).Bounds(); got != image.Rect(0, 0, 2*gap+56, 2*gap+56) {
		t.Errorf("size %v", got)
	}
}

// TestLogX: equal ratios of x are equal steps, what has no logarithm is left out,
// and a single x is no trouble.
func TestLogX(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plot.png")
	columns := func(x ...float64) (at []int) {
		t.Helper()
		for _, log := range []bool{false, true} {
			line := curves.Line{X: x, Y: make([]float64, len(x))}
			for i := range line.Y {
				line.Y[i] = float64(i % 2)
			}
			if err := Curves(path, curves.Axes{LogX: log}, line); err != nil {
				t.Fatal(err)
			}
			img := decode(t, path)
			// A row that each stroke of the zigzag crosses once.
			var all []int
			y := img.Bounds().Dy() / 2
			for i, last := 0, false; i < img.Bounds().Dx(); i++ {
				r, _, b, _ := img.At(i, y).RGBA()
				on := b > r+0x4000
				if on && !last {
					all = append(all, i)
				}
				last = on
			}
			at = append(at, all...)
			if !log && len(all) != len(x)-1 {
				t.Fatalf("%d strokes, want %d", len(all), len(x)-1)
			}
		}
		return at
	}
	at := columns(1, 4, 16, 64, 256)
	even, steps := at[:4], at[4:]
	if len(steps) != 4 || even[1]-even[0] > (even[3]-even[2])/3 {
		t.Fatalf("the strokes are at %v and %v", even, steps)
	}
	// Every other one: the middle of the picture is not that of the zigzag.
	if d := (steps[2] - steps[0]) - (steps[3] - steps[1]); d < -3 || d > 3 {
		t.Errorf("on the logarithmic axis the strokes are at %v", steps)
	}
	for _, x := range [][]float64{{0, 3, 5}, {-1, 7, 7}} {
		if err := Curves(path, curves.Axes{LogX: true, LogY: true}, curves.Line{X: x, Y: []float64{1, 2, 3}}); err != nil {
			t.Errorf("%v: %v", x, err)
		}
	}
	if err := Curves(path, curves.Axes{LogX: true}, curves.Line{X: []float64{0, -1}, Y: []float64{1, 2}}); err == nil {
		t.Error("points without a logarithm are drawn")
	}
}
