package center

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"mppm/shared/picture"
)

func colorsOf(t *testing.T, img image.Image) *picture.Colors {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	c, err := picture.DecodeColors(&b, picture.MaxArea)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSquare: the middle of a picture, to the bit where its size is the one that is
// wanted, as the mean where it is larger, and smoothly where it is smaller.
func TestSquare(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 9, 5)) // the middle: columns 2 to 6
	at := func(x, y int) color.NRGBA { return color.NRGBA{uint8(20 * x), uint8(40 * y), uint8(x*y + 100), 255} }
	for y := range 5 {
		for x := range 9 {
			img.SetNRGBA(x, y, at(x, y))
		}
	}
	got := make([]float32, 5*5*3)
	Square(got, colorsOf(t, img), 5)
	for i := range 25 {
		c := at(i%5+2, i/5)
		for k, want := range []uint8{c.R, c.G, c.B} {
			if got[3*i+k] != float32(want)/255 {
				t.Fatalf("pixel %d, channel %d: %v, want %v", i, k, got[3*i+k], float32(want)/255)
			}
		}
	}
	gray := make([]float32, 5*5)
	SquareGray(gray, colorsOf(t, img).Green, 5)
	for i, v := range gray {
		if v != got[3*i+1] {
			t.Fatalf("pixel %d in gray is %v; of the color that it is of %v", i, v, got[3*i+1])
		}
	}
	one := make([]float32, 3)
	Square(one, colorsOf(t, img), 1)
	if want := float32(20*4) / 255; math.Abs(float64(one[0]-want)) > 1e-6 {
		t.Errorf("the mean red is %v, want %v", one[0], want)
	}
	large := make([]float32, 15*15*3)
	Square(large, colorsOf(t, img), 15)
	for i := 1; i < 15; i++ {
		if d := large[3*i] - large[3*i-3]; d < 0 || d > 20./255/2 {
			t.Errorf("red goes by %v from column %d to %d", d, i-1, i)
		}
	}
	// What is wide is cut, and shrunk from more pixels than are kept.
	wide := image.NewGray(image.Rect(0, 0, 3000, 1000))
	for i := range wide.Pix {
		if x := i % 3000; x >= 1000 && x < 2000 {
			wide.Pix[i] = 200
		}
	}
	small := make([]float32, 8*8*3)
	Square(small, colorsOf(t, wide), 8)
	for i, v := range small {
		if edge := i / 3 % 8; edge != 0 && edge != 7 && math.Abs(float64(v)-200./255) > 1e-5 {
			t.Errorf("number %d is %v", i, v)
		}
	}
}
