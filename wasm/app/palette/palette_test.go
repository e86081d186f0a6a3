package palette

import (
	"image/color"
	"math"
	"testing"
)

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
