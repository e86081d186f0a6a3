package vec

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mppm/shared/rng"
)

// TestChannels holds what goes over rows of channels to its definition, bit for bit, for
// numbers of channels and rows that vectors do and do not divide.
func TestChannels(t *testing.T) {
	r := rng.New(3, 0)
	draw := func(n int) []float32 {
		x := make([]float32, n)
		r.FillNorm(x, 1)
		for i := range x {
			if i%7 == 3 {
				x[i] = 0 // ties
			}
		}
		return x
	}
	for _, c := range []int{1, 3, 4, 5, 16, 20, 32, 36, 100, 3000} {
		for _, rows := range []int{0, 1, 2, 7, 300} {
			if c*rows > 100_000 {
				continue
			}
			n := c * rows
			x, g := draw(n), draw(n)
			p := [][]float32{draw(c), draw(c), draw(c), draw(c), draw(c)}
			four := [4][]float32{draw(n), draw(n), draw(n), draw(n)}
			split := func(of []float32) *[4][]float32 {
				return &[4][]float32{of[:n], of[n : 2*n], of[2*n : 3*n], of[3*n:]}
			}
			for name, f := range map[string][2]func(y []float32){
				"LeakyReLU":     {func(y []float32) { LeakyReLU(y, x, 0.2) }, func(y []float32) { leakyReLUScalar(y, x, 0.2) }},
				"LeakyReLUBack": {func(y []float32) { LeakyReLUBack(y, g, x, 0.2) }, func(y []float32) { leakyReLUBackScalar(y, g, x, 0.2) }},
				"Larger":        {func(y []float32) { Larger(y[:n], x) }, func(y []float32) { largerScalar(y[:n], x) }},
				"ShareLargest":  {func(y []float32) { ShareLargest(split(y), &four, g) }, func(y []float32) { shareLargestScalar(split(y), &four, g) }},
				"AddRows":       {func(y []float32) { AddRows(y[4*n:], x) }, func(y []float32) { addRowsScalar(y[4*n:], x, 0) }},
				"AddSquares":    {func(y []float32) { AddSquares(y[4*n:], x, p[0]) }, func(y []float32) { addSquaresScalar(y[4*n:], x, p[0], 0) }},
				"AddProducts":   {func(y []float32) { AddProducts(y[4*n:], g, x, p[0], p[1]) }, func(y []float32) { addProductsScalar(y[4*n:], g, x, p[0], p[1], 0) }},
				"Normalize": {
					func(y []float32) { Normalize(y, x, p[0], p[1], p[2], p[3]) },
					func(y []float32) { normalizeScalar(y, x, p[0], p[1], p[2], p[3], 0) }},
				"NormalizeBack": {
					func(y []float32) { NormalizeBack(y, g, x, p[0], p[1], p[2], p[3], p[4]) },
					func(y []float32) { normalizeBackScalar(y, g, x, p[0], p[1], p[2], p[3], p[4], 0) }},
			} {
				t.Run(fmt.Sprintf("%s/%d/%d", name, c, rows), func(t *testing.T) {
					if name == "ShareLargest" && n == 0 {
						return
					}
					got := draw(4*n + c)
					want := slices.Clone(got)
					work := func(f func(y []float32), y []float32) {
						if name == "ShareLargest" {
							y = y[:4*n]
						}
						f(y)
					}
					work(f[0], got)
					work(f[1], want)
					for i, v := range want {
						if math.Float32bits(got[i]) != math.Float32bits(v) {
							t.Fatalf("number %d is %v, the definition gives %v", i, got[i], v)
						}
					}
				})
			}
		}
	}
}

// TestAdam holds the step to its definition, bit for bit.
func TestAdam(t *testing.T) {
	r := rng.New(5, 0)
	for n := range 140 {
		a := Adam{Beta1: 0.9, Rest1: 0.1, Beta2: 0.999, Rest2: 0.001, Size: 1e-3, Root: 1.5, Epsilon: 1e-8}
		if n >= 70 {
			a.Decay, a.Flush = 0.01, true
		}
		n := n % 70
		var got, want [4][]float32
		for k := range got {
			got[k] = make([]float32, n)
			r.FillNorm(got[k], 1)
			for i, v := range got[k] {
				if i%5 == 4 { // as what is trained by its decay alone
					v *= 1e-38
					got[k][i] = v
				}
				if k == 2 {
					got[k][i] = v * v
				}
			}
			want[k] = slices.Clone(got[k])
		}
		StepAdam(&a, got[0], got[1], got[2], got[3])
		adamScalar(&a, want[0], want[1], want[2], want[3])
		for k := range got {
			if !slices.Equal(got[k], want[k]) {
				t.Fatalf("array %d of %d numbers is %v, the definition gives %v", k, n, got[k], want[k])
			}
		}
	}
}
