package spoil

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/rng"
)

// picture is a smooth image.
func picture(s nn.Shape) []float32 {
	x := make([]float32, s.Size())
	for i := range x {
		p := i / s.C
		x[i] = float32(0.5 + 0.3*math.Sin(float64(p%s.W)*0.2+float64(i%s.C)) + 0.1*math.Cos(float64(p/s.W)*0.3))
	}
	return x
}

// TestApply: whatever is done to an image of whatever shape, it is an image again, its
// damage follows from the seed, and it is of every kind at some time.
func TestApply(t *testing.T) {
	for _, s := range []nn.Shape{{H: 8, W: 8, C: 1}, {H: 33, W: 20, C: 3}, {H: 96, W: 96, C: 3}} {
		x, y, again := picture(s), make([]float32, s.Size()), make([]float32, s.Size())
		for _, kind := range Kinds() {
			a, err := New(kind, s, 0.35)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := New(kind, s, 0.35)
			same := 0
			for i := range 100 {
				a.Apply(y, x, rng.New(1, uint64(i)))
				b.Apply(again, x, rng.New(1, uint64(i)))
				if !slices.Equal(y, again) {
					t.Fatalf("%s of %v: image %d is not what it was", kind, s, i)
				}
				if slices.Equal(x, y) {
					same++
				}
				for _, v := range y {
					if !(v >= 0 && v <= 1) {
						t.Fatalf("%s of %v: image %d has the number %v", kind, s, i, v)
					}
				}
			}
			if same > 30 {
				t.Errorf("%s of %v: %d of 100 images are as they were", kind, s, same)
			}
		}
	}
	if _, err := New("rain", nn.Shape{H: 8, W: 8, C: 1}, 1); err == nil {
		t.Error("there is rain")
	}
}

// TestSmooth: a field has a variance of about 1, and neighbors are alike.
func TestSmooth(t *testing.T) {
	s, err := New(Fields, nn.Shape{H: 64, W: 64, C: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var sum, step float64
	n := 0
	for i := range 200 {
		s.smooth(s.field, 12, rng.New(2, uint64(i)))
		for p, v := range s.field[1:] {
			sum += float64(v * v)
			step += float64((v - s.field[p]) * (v - s.field[p]))
			n++
		}
	}
	if v := sum / float64(n); v < 0.7 || v > 1.5 {
		t.Errorf("the variance is %v", v)
	}
	if step/sum > 0.2 {
		t.Errorf("neighbors differ by %v of the variance", step/sum)
	}
}
