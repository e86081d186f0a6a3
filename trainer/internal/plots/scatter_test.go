package plots

import (
	"image/color"
	"math"
	"path/filepath"
	"testing"

	"mppm/trainer/internal/curves"
)

func TestScatter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trials.png")
	var a, b curves.Line
	a.Name = "few digits"
	for i := range 40 {
		x := float64(i)
		a.X, a.Y = append(a.X, x, math.NaN()), append(a.Y, 1+x, 3)
		b.X, b.Y = append(b.X, x), append(b.Y, 50-x)
	}
	for _, log := range []bool{false, true} {
		if err := Scatter(path, curves.Axes{Title: "Trials", X: "gain", Y: "ratio", LogY: log}, []curves.Line{a, b}, []Mark{{"winner", 20, 45}, {"nowhere", math.Inf(1), 1}}); err != nil {
			t.Fatal(err)
		}
		img := decode(t, path)
		for i, c := range []color.Color{palette[0], palette[1], palette[len(palette)-1]} {
			if n := has(img, c); n < 20 {
				t.Errorf("log %v: %d pixels of color %d", log, n, i)
			}
		}
	}
	if err := Scatter(path, curves.Axes{}, nil, []Mark{{"alone", 1, 2}}); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]curves.Line{"lengths": {Name: "a", X: []float64{1}, Y: nil}, "nothing": {Name: "a", X: []float64{1}, Y: []float64{math.NaN()}}} {
		if err := Scatter(path, curves.Axes{}, []curves.Line{c}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
