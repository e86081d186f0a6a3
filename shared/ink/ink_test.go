package ink_test

import (
	"errors"
	"math"
	"testing"

	"mppm/shared/center/centertest"
	"mppm/shared/ink"
	"mppm/shared/rng"
)

func gray(s centertest.Scene, d centertest.Digit, seed uint64) []float32 {
	img := s.Draw(d, rng.New(seed, 1))
	out := make([]float32, len(img.Pix))
	for i, v := range img.Pix {
		out[i] = float32(v) / 255
	}
	return out
}

// scale makes a scene small enough that all of them are drawn in a moment.
func scale(s centertest.Scene) centertest.Scene {
	if max(s.W, s.H) > 500 {
		by := float64(max(s.W, s.H)) / 500
		s.W, s.H = int(float64(s.W)/by), int(float64(s.H)/by)
	}
	return s
}

// TestMask: in every scene, what is found is the pen's ink: most of it, and little
// else.
func TestMask(t *testing.T) {
	for _, s := range centertest.Scenes() {
		s = scale(s)
		for _, digit := range []int{2, 7} {
			if s.Size > 1 || s.Turn != 0 {
				continue // the ink leaves the picture, or is not where it is looked for here
			}
			d := centertest.Written(digit, 0.08, rng.New(uint64(digit), 0))
			f, err := ink.Find(gray(s, d, 5), s.W, s.H, ink.Options{})
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
				continue
			}
			if want := s.Pen < s.Paper; f.Dark != want {
				t.Errorf("%s, %d: dark ink is %v", s.Name, digit, f.Dark)
			}
			short := float64(min(s.W, s.H))
			edge := s.Size * short
			x0, y0 := s.X*(float64(s.W)-edge), s.Y*(float64(s.H)-edge)
			var both, found, there float64
			for i, in := range f.Mask {
				is := d((float64(i%s.W)+0.5-x0)/edge, (float64(i/s.W)+0.5-y0)/edge) >= 0.5
				if in {
					found++
				}
				if is {
					there++
				}
				if in && is {
					both++
				}
			}
			if both < 0.85*there || both < 0.7*found {
				t.Errorf("%s, %d: of %v pixels of ink %v are found, with %v others", s.Name, digit, there, both, found-both)
			}
		}
	}
}

// TestEmpty: paper without a digit is called empty, in any light, ruled or not,
// dusty or not, within a frame or not.
func TestEmpty(t *testing.T) {
	pages := append(centertest.Scenes(), centertest.Scene{
		Name: "dark lines that end in dark edges", W: 600, H: 450, Size: 1, Paper: 0.95, Light: centertest.Slope(0.55, 1),
		Every: 0.12, Thick: 3, Shade: 0.3, Frame: [4]int{14, 0, 0, 9}, Grain: 0.01,
	})
	for _, s := range pages {
		s = scale(s)
		f, err := ink.Find(gray(s, func(u, v float64) float64 { return 0 }, 9), s.W, s.H, ink.Options{})
		if !errors.Is(err, ink.ErrBlank) {
			if f != nil {
				t.Errorf("%s: dark %v, lines %d, edges %d, marks %d, box %d,%d %d,%d", s.Name, f.Dark, f.Lines, f.Edges, f.Marks, f.X0, f.Y0, f.X1, f.Y1)
			} else {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}

// TestOptions: what is asked for is looked for, and what cannot be is refused.
func TestOptions(t *testing.T) {
	s := centertest.Scenes()[0]
	src := gray(s, centertest.Written(7, 0.1, rng.New(1, 0)), 1)
	area := func(o ink.Options) int {
		t.Helper()
		f, err := ink.Find(src, s.W, s.H, o)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, in := range f.Mask {
			if in {
				n++
			}
		}
		return n
	}
	if low, high := area(ink.Options{Threshold: ink.MinThreshold}), area(ink.Options{Threshold: ink.MaxThreshold}); low <= high {
		t.Errorf("a low threshold finds %d pixels, a high one %d", low, high)
	}
	if _, err := ink.Find(src, s.W, s.H, ink.Options{Ink: ink.Light}); !errors.Is(err, ink.ErrBlank) {
		t.Errorf("light ink on white paper: %v", err)
	}
	for _, o := range []ink.Options{{Ink: "blue"}, {Threshold: 1}, {Threshold: -0.1}, {Threshold: math.NaN()}} {
		if _, err := ink.Find(src, s.W, s.H, o); err == nil {
			t.Errorf("%+v is no error", o)
		}
	}
}

// TestThinOne: a thin 1 from edge to edge is no ruled line.
func TestThinOne(t *testing.T) {
	const w, h = 300, 300
	src := make([]float32, w*h)
	for i := range src {
		src[i] = 1
		if x, y := i%w, i/w; x >= 148 && x < 152 && y > 5 && y < 294 {
			src[i] = 0
		}
	}
	if f, err := ink.Find(src, w, h, ink.Options{}); err != nil || f.Lines > 0 || f.Y1-f.Y0 < 280 {
		t.Errorf("%v, %+v", err, f)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{0, 255, 3, 9}, 2, uint8(0))
	f.Add([]byte("a picture of some kind, and a little more of it"), 7, uint8(7))
	f.Add(make([]byte, 70*70), 70, uint8(40))
	f.Fuzz(func(t *testing.T, b []byte, w int, how uint8) {
		if w < 1 || len(b)/w < 1 {
			return
		}
		h := len(b) / w
		src := make([]float32, w*h)
		for i := range src {
			src[i] = float32(b[i]) / 255
		}
		o := ink.Options{Ink: ink.Kinds()[how%3]}
		if how/3 > 0 {
			o.Threshold = ink.MinThreshold + float64(how/3)/86*(ink.MaxThreshold-ink.MinThreshold)
		}
		found, err := ink.Find(src, w, h, o)
		if err != nil {
			if !errors.Is(err, ink.ErrBlank) && !errors.Is(err, ink.ErrNoise) {
				t.Fatal(err)
			}
			return
		}
		if found.X0 < 0 || found.Y0 < 0 || found.X1 > w || found.Y1 > h || found.X0 >= found.X1 || found.Y0 >= found.Y1 {
			t.Fatalf("the box is %d,%d to %d,%d of %d × %d", found.X0, found.Y0, found.X1, found.Y1, w, h)
		}
		for i, v := range found.Ink {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("pixel %d is %v", i, v)
			}
		}
	})
}
