package kde

import (
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/rng"
)

// weighedMean is Eq. 21 in float64, with weights: Eq. 7 with further terms.
func weighedMean(b *Bank, z []float32, sigma float64) []float64 {
	code, least := make([]float32, b.Dim()), math.Inf(1)
	d2 := make([]float64, b.Len())
	for j := range d2 {
		b.Code(code, j)
		for d, c := range code {
			t := float64(z[d]) - float64(c)
			d2[j] += t * t
		}
		least = min(least, d2[j])
	}
	var total float64
	mean := make([]float64, b.Dim())
	for j := range d2 {
		w := float64(b.Weight(j)) * math.Exp((least-d2[j])/(2*sigma*sigma))
		total += w
		b.Code(code, j)
		for d, c := range code {
			mean[d] += w * float64(c)
		}
	}
	for d := range mean {
		mean[d] /= total
	}
	return mean
}

// TestWeight holds the kernel mean with remembered codes to float64, in banks of one
// block and of several, with kernels of which few codes matter and of which many do.
func TestWeight(t *testing.T) {
	for _, n := range []int{1, 17, 2000, large + 100} {
		for _, weight := range []float32{2.5, MaxWeight} {
			const dim = 18
			own := make([]float32, 2*dim)
			rng.New(7, 0).FillNorm(own, 3)
			b, err := bank(t, n, dim).With(own, weight)
			if err != nil {
				t.Fatal(err)
			}
			z := make([]float32, 6*dim)
			rng.New(2, 0).FillNorm(z, 3)
			copy(z, own[:dim]) // at what is remembered, and between it and the others
			for d := range dim {
				z[dim+d] = own[d] / 2
			}
			got := make([]float32, len(z))
			var ws Workspace
			for _, sigma := range []float32{0.3, 1, 4} {
				b.Mean(got, z, sigma, &ws)
				for i := 0; i < len(z); i += dim {
					for d, want := range weighedMean(b, z[i:i+dim], float64(sigma)) {
						if math.Abs(float64(got[i+d])-want) > 5e-5*(1+math.Abs(want)) {
							t.Fatalf("%d codes, weight %v, σ %v: mean[%d] of point %d is %v, want %v", n, weight, sigma, d, i/dim, got[i+d], want)
						}
					}
				}
			}
		}
	}
}

// TestWeightFar: a code counts although a nearer one is so much nearer that it would be
// left out if both counted alike.
func TestWeightFar(t *testing.T) {
	b, err := New([]float32{0}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = b.With([]float32{7.2}, MaxWeight); err != nil { // e^−(7.2²/2) is e^−25.9
		t.Fatal(err)
	}
	var mean [1]float32
	b.Mean(mean[:], []float32{0}, 1, new(Workspace))
	if want := weighedMean(b, []float32{0}, 1)[0]; mean[0] == 0 || math.Abs(float64(mean[0])/want-1) > 1e-4 {
		t.Errorf("the mean is %v, want %v", mean[0], want)
	}
}

// TestWeightOfOne: codes that count as one are codes like all others, bit for bit.
func TestWeightOfOne(t *testing.T) {
	const n, dim = 300, 5
	codes := make([]float32, n*dim)
	rng.New(1, 0).FillNorm(codes, 2)
	whole, err := New(codes, dim)
	if err != nil {
		t.Fatal(err)
	}
	some, err := whole.Subset([]int{0, 1, 2})
	if err != nil {
		t.Fatal(err)
	}
	rest, code := []float32(nil), make([]float32, dim)
	for j := 3; j < n; j++ {
		whole.Code(code, j)
		rest = append(rest, code...)
	}
	with, err := some.With(rest, 1)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, 40*dim)
	rng.New(2, 0).FillNorm(z, 2)
	a, b := make([]float32, len(z)), make([]float32, len(z))
	var ws Workspace
	whole.Mean(a, z, 0.8, &ws)
	with.Mean(b, z, 0.8, &ws)
	if !slices.Equal(a, b) {
		t.Error("the means differ")
	}
	if some.Len() != 3 || with.Len() != n || with.Weight(n-1) != 1 {
		t.Errorf("%d and %d codes, the last counts %v", some.Len(), with.Len(), with.Weight(n-1))
	}
}

// TestWeightStays: a code keeps its weight in a subset, and is the nearest where it is.
func TestWeightStays(t *testing.T) {
	b, err := bank(t, 10, 3).With([]float32{9, 9, 9}, 40)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = b.Subset([]int{10, 4}); err != nil {
		t.Fatal(err)
	}
	if b.Weight(0) != 40 || b.Weight(1) != 1 {
		t.Errorf("the weights are %v and %v, want 40 and 1", b.Weight(0), b.Weight(1))
	}
	if d2, at := b.Nearest([]float32{9, 9, 9}, new(Workspace)); d2 != 0 || at != 0 {
		t.Errorf("code %d is nearest, at %v; want the one that counts as 40, at 0", at, d2)
	}
}

func TestWithRefuses(t *testing.T) {
	nan, b := float32(math.NaN()), bank(t, 4, 2)
	for _, c := range []struct {
		codes  []float32
		weight float32
		want   string
	}{
		{make([]float32, 3), 1, "whole number"}, {[]float32{1, nan}, 1, "finite"}, {[]float32{1, 1e20}, 1, "finite"},
		{make([]float32, 2), 0, "weight"}, {make([]float32, 2), nan, "weight"}, {make([]float32, 2), 2 * MaxWeight, "weight"}, {make([]float32, 2), float32(math.Inf(1)), "weight"},
	} {
		if _, err := b.With(c.codes, c.weight); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("With(%v, %v): %v, want an error with %q", c.codes, c.weight, err, c.want)
		}
	}
}
