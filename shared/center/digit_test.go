package center_test

import (
	"errors"
	"slices"
	"testing"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/picture"
	"mppm/shared/rng"
)

// pixels is a picture of gray pixels.
func pixels(t testing.TB, gray []byte, w, h int) *picture.Picture {
	t.Helper()
	rgba := make([]byte, 0, 4*len(gray))
	for _, v := range gray {
		rgba = append(rgba, v, v, v, 255)
	}
	p, err := picture.FromNRGBA(rgba, w, h)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// framed is ink where MNIST would have it, moved to the side.
func framed(by int) []byte {
	b := make([]byte, center.Side*center.Side)
	for y := 4; y < 24; y++ {
		b[y*center.Side+13+by], b[y*center.Side+14+by] = 255, byte(9*y)
	}
	return b
}

func negative(b []byte) []byte {
	out := slices.Clone(b)
	for i, v := range b {
		out[i] = 255 - v
	}
	return out
}

// TestDigit: what is as MNIST's stays as it is, and so does its negative, inverted;
// what is not is centered; and all of it can be switched off.
func TestDigit(t *testing.T) {
	own := framed(0)
	noise := slices.Clone(own)
	r := rng.New(5, 0)
	for i := range noise {
		noise[i] = byte(min(max(float64(noise[i])+200*r.Norm(), 0), 255))
	}
	for name, c := range map[string]struct {
		gray []byte
		o    center.Options
		done string
		want []byte // to the bit; nil: another image
	}{
		"own":              {own, center.Options{}, "nothing", own},
		"negative":         {negative(own), center.Options{}, "inverted", own},
		"noise":            {noise, center.Options{}, "nothing", noise},
		"noise, negative":  {negative(noise), center.Options{}, "inverted", noise},
		"a little aside":   {framed(3), center.Options{}, "nothing", framed(3)}, // as damage leaves it
		"aside, negative":  {negative(framed(3)), center.Options{}, "inverted, centered", nil},
		"far aside":        {framed(8), center.Options{}, "centered", nil},
		"always":           {own, center.Options{Center: center.Always}, "centered", nil},
		"never":            {negative(own), center.Options{Center: center.Never}, "nothing", negative(own)},
		"never, dark ink":  {negative(own), center.Options{Center: center.Never, Options: ink.Options{Ink: ink.Dark}}, "inverted", own},
		"threshold chosen": {own, center.Options{Options: ink.Options{Threshold: 0.5}}, "centered", nil},
	} {
		dst := make([]float32, center.Side*center.Side)
		done, _, err := center.Digit(dst, pixels(t, c.gray, center.Side, center.Side), c.o)
		if err != nil || done.String() != c.done {
			t.Errorf("%s: done: %v (%v), want %s", name, done, err, c.done)
		}
		for i := range c.want {
			if byte(dst[i]*255+0.5) != c.want[i] {
				t.Errorf("%s: pixel %d is %v, want %d", name, i, dst[i]*255, c.want[i])
				break
			}
		}
	}
	dst := make([]float32, center.Side*center.Side)
	for name, c := range map[string]struct {
		p   *picture.Picture
		dst []float32
		o   center.Options
	}{
		"blank":   {pixels(t, make([]byte, 784), 28, 28), dst, center.Options{}},
		"blank 2": {pixels(t, make([]byte, 600), 30, 20), dst, center.Options{}},
		"no room": {pixels(t, own, 28, 28), dst[1:], center.Options{}},
		"no way":  {pixels(t, own, 28, 28), dst, center.Options{Center: "sideways"}},
		"no ink":  {pixels(t, make([]byte, 600), 30, 20), dst, center.Options{Options: ink.Options{Ink: "red"}}},
	} {
		if _, _, err := center.Digit(c.dst, c.p, c.o); err == nil || errors.Is(err, ink.ErrBlank) != (name[:2] == "bl") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
