package plots

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"mppm/trainer/internal/curves"
)

func TestField(t *testing.T) {
	path := filepath.Join(t.TempDir(), "field.png")
	g := Grid{W: 3, H: 2, Values: []float32{0, 1, 2, 1, 2, 3}, X0: -1, Y0: -1, X1: 1, Y1: 1}
	cloud := curves.Line{Name: "points", X: []float64{0, 0.5}, Y: []float64{0, 0.5}}
	if err := Field(path, curves.Axes{Title: "a field"}, g, cloud); err != nil {
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
	// The colors go from dark to light, from one corner to the other.
	bright := func(x, y int) uint32 { r, g, b, _ := img.At(x, y).RGBA(); return r + g + b }
	b := img.Bounds()
	low, high := bright(b.Dx()/5, b.Dy()*3/4), bright(b.Dx()*3/5, b.Dy()/5)
	if low >= high {
		t.Errorf("where the field is low the brightness is %d, where it is high %d", low, high)
	}
	g.Values = make([]float32, 6) // a field that is the same everywhere
	if err := Field(path, curves.Axes{}, g, cloud); err != nil {
		t.Error(err)
	}
	for _, bad := range []Grid{{W: 1, H: 6, Values: g.Values}, {W: 3, H: 3, Values: g.Values}} {
		if err := Field(path, curves.Axes{}, bad, cloud); err == nil {
			t.Errorf("a grid of %d × %d with %d values is drawn", bad.W, bad.H, len(bad.Values))
		}
	}
}
