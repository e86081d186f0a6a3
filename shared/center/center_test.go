package center_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/rng"
)

// seven draws a 7 as a picture of w × h pixels: two strokes in a box of size
// pixels at (x0, y0), of a width in proportion, in ink on ground.
func seven(w, h int, x0, y0, size float64, ground, ink float32) []float32 {
	src := make([]float32, w*h)
	near := func(px, py, ax, ay, bx, by float64) float64 {
		dx, dy := bx-ax, by-ay
		t := min(max(((px-ax)*dx+(py-ay)*dy)/(dx*dx+dy*dy), 0), 1)
		return math.Hypot(px-ax-t*dx, py-ay-t*dy)
	}
	const half = 0.06 // of the stroke's width
	for i := range src {
		x, y := (float64(i%w)+0.5-x0)/size, (float64(i/w)+0.5-y0)/size
		d := min(near(x, y, 0.2, half, 0.8, half), near(x, y, 0.8, half, 0.35, 1-half))
		cover := min(max((half-d)*size+0.5, 0), 1)
		src[i] = ground + (ink-ground)*float32(cover)
	}
	return src
}

func image28(t *testing.T, src []float32, w, h int) []float32 {
	t.Helper()
	dst := make([]float32, center.Side*center.Side)
	if err := center.Image(dst, src, w, h); err != nil {
		t.Fatal(err)
	}
	return dst
}

func apart(a, b []float32) (mean, most float64) {
	for i, v := range a {
		d := math.Abs(float64(v - b[i]))
		mean += d / float64(len(a))
		most = max(most, d)
	}
	return mean, most
}

// TestInvariance: one digit gives one image, wherever, however large and in
// whatever ink it is written.
func TestInvariance(t *testing.T) {
	want := image28(t, seven(300, 300, 50, 50, 200, 0, 1), 300, 300)
	for _, c := range []struct {
		name        string
		w, h        int
		x, y, size  float64
		ground, ink float32
		mean        float64 // how far the image may be from the first, on average
	}{
		{"moved", 300, 300, 7, 83, 200, 0, 1, 1e-9},
		{"in a wide picture", 700, 300, 450, 50, 200, 0, 1, 1e-9},
		{"dark on white", 300, 300, 50, 50, 200, 1, 0, 1e-6},
		{"pencil on gray paper", 300, 300, 50, 50, 200, 0.75, 0.5, 1e-4},
		{"light on gray", 300, 300, 50, 50, 200, 0.3, 0.6, 1e-4},
		{"three times as large", 900, 900, 150, 150, 600, 0, 1, 0.01},
		{"half as large", 150, 150, 25, 25, 100, 0, 1, 0.01},
		{"as small as its image", 28, 28, 4, 4, 20, 0, 1, 0.02},
		{"smaller than its image", 20, 20, 3, 3, 14, 0, 1, 0.04},
	} {
		got := image28(t, seven(c.w, c.h, c.x, c.y, c.size, c.ground, c.ink), c.w, c.h)
		if mean, most := apart(got, want); mean > c.mean {
			t.Errorf("%s: the image is %.2g away on average, %.2g at most", c.name, mean, most)
		}
	}
}

// TestFrame: what comes out is in MNIST's frame: ink from 0 to 1, a box of 20
// pixels along its longer edge, its center of mass in the middle.
func TestFrame(t *testing.T) {
	for _, size := range [][2]int{{400, 90}, {60, 400}, {33, 31}} {
		w, h := size[0], size[1]
		src := make([]float32, w*h)
		thick := max(min(w, h)/12, 2) // of an outline: a whole sheet would be paper
		for y := h / 5; y < h*4/5; y++ {
			for x := w / 5; x < w*4/5; x++ {
				if min(x-w/5, w*4/5-1-x, y-h/5, h*4/5-1-y) < thick {
					src[y*w+x] = 1
				}
			}
		}
		img := image28(t, src, w, h)
		var mass, mx, my, top float64
		x0, y0, x1, y1 := center.Side, center.Side, 0, 0
		for i, v := range img {
			x, y := i%center.Side, i/center.Side
			top = max(top, float64(v))
			mass += float64(v)
			mx += float64(v) * (float64(x) + 0.5)
			my += float64(v) * (float64(y) + 0.5)
			if v > 0 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
		if top != 1 || max(x1-x0, y1-y0) != center.Frame {
			t.Errorf("%d × %d: ink up to %v in a box of %d × %d", w, h, top, x1-x0, y1-y0)
		}
		if cx, cy := mx/mass, my/mass; math.Abs(cx-center.Side/2) > 0.5+1e-9 || math.Abs(cy-center.Side/2) > 0.5+1e-9 {
			t.Errorf("%d × %d: the center of mass is (%.2f, %.2f)", w, h, cx, cy)
		}
		wantAspect := float64(w*4/5-w/5) / float64(h*4/5-h/5)
		short := float64(center.Frame) / max(wantAspect, 1/wantAspect)
		if got := float64(min(x1-x0, y1-y0)); math.Abs(got-short) > 0.51 {
			t.Errorf("%d × %d: the shorter edge is %v, want %.1f", w, h, got, short)
		}
	}
}

// TestSmears: a little noise and a faint smear do not move the digit, and a
// heavy foot stays whole.
func TestSmears(t *testing.T) {
	const w, h = 240, 240
	clean := seven(w, h, 60, 60, 120, 1, 0)
	want := image28(t, clean, w, h)
	r := rng.New(1, 0)
	for i := range clean {
		clean[i] -= 0.1 * r.Float32()
	}
	for x := range 40 { // a smear in a corner
		clean[5*w+x+5] = 0.85
	}
	if mean, _ := apart(image28(t, clean, w, h), want); mean > 0.08 {
		t.Errorf("noise moved the image by %.3f", mean)
	}
	heavy := make([]float32, w*h)
	for y := 20; y < 220; y++ {
		for x := 100; x < 110; x++ {
			heavy[y*w+x] = 1
		}
	}
	for y := 190; y < 220; y++ {
		for x := 20; x < 220; x++ {
			heavy[y*w+x] = 1
		}
	}
	img := image28(t, heavy, w, h)
	rows := 0
	for y := range center.Side {
		for x := range center.Side {
			if img[y*center.Side+x] > 0.1 {
				rows++
				break
			}
		}
	}
	if rows != center.Frame {
		t.Errorf("%d rows of ink are left of %d", rows, center.Frame)
	}
}

func TestBlank(t *testing.T) {
	dst := make([]float32, center.Side*center.Side)
	for _, v := range []float32{0, 0.5, 1} {
		src := make([]float32, 50*40)
		for i := range src {
			src[i] = v
		}
		src[1000] += 0.05
		if err := center.Image(dst, src, 50, 40); !errors.Is(err, ink.ErrBlank) {
			t.Errorf("a picture of %v: %v", v, err)
		}
	}
	for name, c := range map[string]struct {
		dst, src []float32
		w, h     int
		want     string
	}{
		"no pixels":   {dst, nil, 0, 0, "no picture"},
		"too few":     {dst, make([]float32, 5), 2, 3, "5 numbers"},
		"not finite":  {dst, []float32{0, 1, float32(math.NaN()), 1}, 2, 2, "column 0, row 1 is NaN"},
		"no room":     {dst[1:], make([]float32, 4), 2, 2, "room"},
		"overflowing": {dst, []float32{0, 1}, -1, -2, "no picture"},
	} {
		if err := center.Image(c.dst, c.src, c.w, c.h); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestExtremes: numbers far outside of [0, 1] give an image all the same.
func TestExtremes(t *testing.T) {
	r := rng.New(2, 0)
	for _, size := range [][2]int{{1, 2}, {2, 1}, {3, 3}, {1, 500}, {500, 1}} {
		for _, scale := range []float32{1, 1e30, -1e30} {
			src := make([]float32, size[0]*size[1])
			r.FillNorm(src, scale)
			dst := make([]float32, center.Side*center.Side)
			err := center.Image(dst, src, size[0], size[1])
			if errors.Is(err, ink.ErrBlank) {
				continue
			}
			if err != nil {
				t.Errorf("%v, scale %v: %v", size, scale, err)
			}
			for i, v := range dst {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("%v, scale %v: pixel %d is %v", size, scale, i, v)
				}
			}
		}
	}
}

// TestTaps: the weights of every pixel sum to 1 and lie on the line; a line that
// keeps its length keeps its pixels.
func TestTaps(t *testing.T) {
	for _, n := range []int{1, 2, 3, 20, 28, 57, 1000} {
		for _, m := range []int{1, 2, 19, 20, 28} {
			for i, tap := range center.Taps(n, m) {
				sum := 0.0
				for _, w := range tap.Weights {
					sum += w
				}
				if math.Abs(sum-1) > 1e-12 || tap.First < 0 || tap.First+len(tap.Weights) > n {
					t.Fatalf("%d to %d: pixel %d takes %v of %d on", n, m, i, tap.Weights, tap.First)
				}
				if n == m && !(tap.Weights[0] == 1 && tap.First == i || len(tap.Weights) == 2 && tap.Weights[1] == 1 && tap.First == i-1) {
					t.Errorf("%d to %d: pixel %d takes %v of %d on", n, m, i, tap.Weights, tap.First)
				}
			}
		}
	}
}

func FuzzImage(f *testing.F) {
	f.Add([]byte{0, 255, 3, 9}, 2)
	f.Add([]byte("a picture of some kind"), 5)
	f.Fuzz(func(t *testing.T, b []byte, w int) {
		if w < 1 || len(b)/w < 1 {
			return
		}
		h := len(b) / w
		src := make([]float32, w*h)
		for i := range src {
			src[i] = float32(b[i]) / 255
		}
		dst := make([]float32, center.Side*center.Side)
		if center.Image(dst, src, w, h) != nil {
			return
		}
		for i, v := range dst {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("pixel %d is %v", i, v)
			}
		}
	})
}
