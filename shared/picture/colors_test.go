package picture_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"mppm/shared/picture"
	"mppm/shared/rng"
)

// TestColors: PNGs of every kind have the colors that the standard library finds in
// them, on white where they are transparent, and the gray that they have without.
func TestColors(t *testing.T) {
	r := rng.New(3, 0)
	for _, c := range []struct{ depth, kind int }{{1, 0}, {2, 0}, {4, 0}, {8, 0}, {16, 0}, {8, 2}, {16, 2}, {1, 3}, {2, 3}, {4, 3}, {8, 3}, {8, 4}, {16, 4}, {8, 6}, {16, 6}} {
		for _, interlaced := range []bool{false, true} {
			b := raw(t, 13, 9, c.depth, c.kind, interlaced, r)
			got, err := picture.DecodeColors(bytes.NewReader(b), picture.MaxArea)
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			gray, err := picture.DecodePNG(bytes.NewReader(b), picture.MaxArea)
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			if got.FullW != 13 || got.FullH != 9 || got.Red.Transparent != gray.Transparent || got.Red.Color != gray.Color {
				t.Errorf("%+v: %+v", c, got)
			}
			for i := range 13 * 9 {
				p := color.NRGBA64Model.Convert(img.At(i%13, i/13)).(color.NRGBA64)
				a := float64(p.A) / 65535
				for k, v := range []float64{float64(p.R), float64(p.G), float64(p.B)} {
					want := v/65535*a + 1 - a
					if x := []*picture.Picture{got.Red, got.Green, got.Blue}[k].Gray[i]; math.Abs(float64(x)-want) > 1e-4 {
						t.Fatalf("%+v, interlaced %v: channel %d of pixel %d is %v, want %v", c, interlaced, k, i, x, want)
					}
				}
			}
		}
	}
}

// TestColorsLarge: a large picture is the mean of squares, and is turned as its Exif says.
func TestColorsLarge(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2*picture.Work, 3))
	for i := range 2 * picture.Work * 3 {
		img.SetNRGBA(i%(2*picture.Work), i/(2*picture.Work), color.NRGBA{uint8(100 * (i % 2)), 50, 0, 255})
	}
	c, err := picture.DecodeColors(bytes.NewReader(encoded(t, img)), picture.MaxArea)
	if err != nil {
		t.Fatal(err)
	}
	if c.Red.W != picture.Work || c.Red.H != 2 || c.FullW != 2*picture.Work {
		t.Fatalf("%d × %d of %d", c.Red.W, c.Red.H, c.FullW)
	}
	for i, v := range c.Red.Gray {
		if math.Abs(float64(v)-50./255) > 1e-6 || math.Abs(float64(c.Green.Gray[i])-50./255) > 1e-6 || c.Blue.Gray[i] != 0 {
			t.Fatalf("square %d is %v, %v, %v", i, v, c.Green.Gray[i], c.Blue.Gray[i])
		}
	}
	if _, err := picture.DecodeColors(bytes.NewReader(encoded(t, img)), 100); err == nil {
		t.Error("a picture of more pixels than are read is read")
	}
	if _, err := picture.DecodeColors(bytes.NewReader(nil), 100); err == nil {
		t.Error("nothing is a picture")
	}
}
