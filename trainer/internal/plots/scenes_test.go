package plots

import (
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestScene: the dots of a layer are in the picture, in their color, and a circle
// is as wide as it is high.
func TestScene(t *testing.T) {
	var circle [][2]float64
	for i := range 100 {
		s, c := math.Sincos(2 * math.Pi * float64(i) / 100)
		circle = append(circle, [2]float64{5 + c, s})
	}
	path := filepath.Join(t.TempDir(), "scene.png")
	line := Layer{XY: [][2]float64{{4, 0}, {6, 0}}, Line: true, Color: Green}
	if err := Scene(path, Panel{Title: "left", Layers: []Layer{{Name: "dots", XY: circle, Color: Red, Size: 2}, line}}, Panel{Title: "right"}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 1200 {
		t.Errorf("the picture is %d pixels wide, want 1200", img.Bounds().Dx())
	}
	lo, hi := [2]int{1 << 30, 1 << 30}, [2]int{}
	green := 0
	for y := range img.Bounds().Dy() - 40 { // without the legend
		for x := range img.Bounds().Dx() {
			switch color.RGBAModel.Convert(img.At(x, y)) {
			case Red:
				lo, hi = [2]int{min(lo[0], x), min(lo[1], y)}, [2]int{max(hi[0], x), max(hi[1], y)}
			case Green:
				green++
			}
		}
	}
	w, h := hi[0]-lo[0], hi[1]-lo[1]
	if w < 400 || w > 600 || w-h > 3 || h-w > 3 || hi[0] > 600 {
		t.Errorf("the circle is %d×%d pixels, from x %d to %d", w, h, lo[0], hi[0])
	}
	if green < w {
		t.Errorf("%d pixels of the line", green)
	}
}

func TestSceneRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scene.png")
	for want, layer := range map[string]Layer{
		"no point":                  {},
		`point 1 of "d" is (0, NaN`: {Name: "d", XY: [][2]float64{{0, 0}, {0, math.NaN()}}, Color: Ink},
	} {
		if err := Scene(path, Panel{Layers: []Layer{layer}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a scene that cannot be drawn leaves a file")
	}
}

func TestView(t *testing.T) {
	for _, c := range []struct {
		v       View
		x, y, z float64
		want    [2]float64
	}{
		{View{0, 90}, 1, 2, 3, [2]float64{1, 2}}, // from above
		{View{0, 0}, 1, 2, 3, [2]float64{1, 3}},  // from the front
		{View{90, 0}, 1, 2, 3, [2]float64{2, 3}}, // from the side
	} {
		got := c.v.Project(c.x, c.y, c.z)
		if math.Hypot(got[0]-c.want[0], got[1]-c.want[1]) > 1e-12 {
			t.Errorf("%+v shows (%v, %v, %v) at %v, want %v", c.v, c.x, c.y, c.z, got, c.want)
		}
	}
}
