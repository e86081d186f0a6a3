package quality

import (
	"context"
	"math"
	"slices"
	"testing"

	"mppm/shared/rng"
)

func cloud(n, dim int, seed uint64, offset float32) []float32 {
	e := make([]float32, n*dim)
	rng.New(seed, 0).FillNorm(e, 1)
	for i := range e {
		e[i] += offset
	}
	return e
}

// distances is the definition: all squared distances, one by one.
func distances(a, b []float32, dim int) [][]float64 {
	var all [][]float64
	for i := 0; i < len(a); i += dim {
		var row []float64
		for j := 0; j < len(b); j += dim {
			var sum float64
			for k := range dim {
				d := float64(a[i+k]) - float64(b[j+k])
				sum += d * d
			}
			row = append(row, sum)
		}
		all = append(all, row)
	}
	return all
}

// share is the definition of Kynkäänniemi et al., one by one.
func share(manifold, of []float32, dim, k int) float64 {
	own := distances(manifold, manifold, dim)
	in := 0
	for _, row := range distances(of, manifold, dim) {
		for j, d := range row {
			others := slices.Sorted(slices.Values(slices.Delete(slices.Clone(own[j]), j, j+1)))
			if d <= others[k-1] {
				in++
				break
			}
		}
	}
	return float64(in) / float64(len(of)/dim)
}

func TestCoverageIsItsDefinition(t *testing.T) {
	for _, c := range []struct {
		n, m, dim, k int
		offset       float32
	}{{60, 50, 3, 3, 0.5}, {33, 70, 2, 1, 1}, {40, 40, 16, 5, 0.1}, {4, 9, 1, 3, 0}, {35, 35, 8, 3, 1000}} {
		real, fake := cloud(c.n, c.dim, 1, 1000*float32(int(c.offset)/1000)), cloud(c.m, c.dim, 2, c.offset)
		got, err := Coverage(t.Context(), real, fake, c.dim, c.k)
		if err != nil {
			t.Fatal(err)
		}
		want := PrecisionRecall{share(real, fake, c.dim, c.k), share(fake, real, c.dim, c.k)}
		if got != want {
			t.Errorf("%+v: %+v, the definition gives %+v", c, got, want)
		}
	}
}

func TestCoverageExtremes(t *testing.T) {
	const dim = 6
	real := cloud(80, dim, 1, 0)
	for _, c := range []struct {
		name string
		fake []float32
		want PrecisionRecall
	}{
		{"copies", slices.Clone(real), PrecisionRecall{1, 1}},
		{"far away", cloud(80, dim, 2, 100), PrecisionRecall{0, 0}},
		{"one image again and again", slices.Repeat(real[:dim], 80), PrecisionRecall{1, 1. / 80}},
	} {
		got, err := Coverage(t.Context(), real, c.fake, dim, Neighbors)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestNearestIsItsDefinition(t *testing.T) {
	const dim = 7
	// More known images than go into one panel; close together and far from the
	// origin, where products of matrices lose digits.
	for _, offset := range []float32{0, 50} {
		x, known := cloud(40, dim, 3, offset), cloud(panel+300, dim, 4, offset)
		copy(x, known[5*dim:6*dim]) // a copy
		d, at, err := Nearest(t.Context(), x, known, dim, false)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range distances(x, known, dim) {
			best := 0
			for j, v := range row {
				if v < row[best] {
					best = j
				}
			}
			if at[i] != best || math.Abs(d[i]-math.Sqrt(row[best])) > 1e-6*d[i] {
				t.Errorf("offset %v: the nearest of %d is %d at %v, want %d at %v", offset, i, at[i], d[i], best, math.Sqrt(row[best]))
			}
		}
		if d[0] != 0 || at[0] != 5 {
			t.Errorf("a copy is %v away from %d", d[0], at[0])
		}
	}
}

func TestNearestOther(t *testing.T) {
	x := []float32{0, 1, 3, 3, 10}
	d, at, err := Nearest(t.Context(), x, x, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{1, 1, 0, 0, 7}; !slices.Equal(d, want) {
		t.Errorf("distances %v, want %v", d, want)
	}
	if want := []int{1, 0, 3, 2, 2}; !slices.Equal(at, want) {
		t.Errorf("places %v, want %v", at, want)
	}
}

func TestEntropy(t *testing.T) {
	for _, c := range []struct {
		counts []int
		want   float64
	}{
		{[]int{5, 5, 5, 5}, 1},
		{[]int{0, 9, 0}, 0},
		{[]int{0, 0}, 0},
		{[]int{7}, 0},
		{[]int{1, 1, 0, 0}, 0.5},
		{[]int{1, 3}, 0.8112781244591328},
	} {
		if got := Entropy(c.counts); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("entropy of %v is %v, want %v", c.counts, got, c.want)
		}
	}
	if got := Histogram([]uint8{2, 0, 2, 3}, 5); !slices.Equal(got, []int{1, 0, 2, 1, 0}) {
		t.Errorf("histogram %v", got)
	}
}

func TestSummarize(t *testing.T) {
	d := make([]float64, 101)
	for i := range d {
		d[i] = float64(100 - i)
	}
	if got, want := Summarize(d), (Spread{Mean: 50, Least: 0, Low: 10, Median: 50}); math.Abs(got.Mean-50) > 1e-9 || got.Least != want.Least || got.Low != want.Low || got.Median != want.Median {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestErrors(t *testing.T) {
	nan := cloud(9, 3, 1, 0)
	nan[4] = float32(math.NaN())
	ok := cloud(9, 3, 1, 0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	coverage := func(ctx context.Context, a, b []float32, dim, k int) error {
		_, err := Coverage(ctx, a, b, dim, k)
		return err
	}
	near := func(ctx context.Context, a, b []float32, dim int, skip bool) error {
		_, _, err := Nearest(ctx, a, b, dim, skip)
		return err
	}
	for name, err := range map[string]error{
		"too few":         coverage(t.Context(), ok, ok[:9], 3, 3),
		"k of 0":          coverage(t.Context(), ok, ok, 3, 0),
		"part of a point": coverage(t.Context(), ok, ok[:8], 3, 1),
		"NaN":             coverage(t.Context(), ok, nan, 3, 1),
		"interrupted":     coverage(ended, ok, ok, 3, 1),
		"no images":       near(t.Context(), nil, ok, 3, false),
		"no known images": near(t.Context(), ok, nil, 3, false),
		"one alone":       near(t.Context(), ok[:3], ok[:3], 3, true),
		"ended":           near(ended, ok, ok, 3, false),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
