package kde

import (
	"fmt"
	"math"
	"testing"
	"time"

	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/weights"
)

// BenchmarkBanks times the kernel mean of a point over banks of 5,000 codes and more, drawn
// about those that ship as far away as their neighbors are, with the kernels of restoration
// and of generation, for points as far from a code as a flow ends and as it begins. The best of
// all rounds is told.
func BenchmarkBanks(b *testing.B) {
	f, err := safetensors.Parse(weights.MNIST)
	if err != nil {
		b.Fatal(err)
	}
	t, ok := f.Lookup("bank.codes")
	if !ok {
		b.Fatal("the weights have no bank")
	}
	shipped, err := f.Float32("bank.codes", t.Shape...)
	if err != nil {
		b.Fatal(err)
	}
	spacing, err := f.Float32("bank.spacing", 1)
	if err != nil {
		b.Fatal(err)
	}
	dim, few := t.Shape[0], t.Shape[1]
	about := spacing[0] / float32(math.Sqrt(float64(dim))) // in each dimension
	for _, n := range []int{5_000, 60_000, 600_000} {
		codes := make([]float32, dim*n)
		r := rng.New(1, uint64(n))
		if n > few {
			r.FillNorm(codes, about)
		}
		for j := range n {
			for d := range dim {
				codes[d*n+j] += shipped[d*few+j%few]
			}
		}
		start := time.Now()
		bank, err := New(codes, dim)
		if err != nil {
			b.Fatal(err)
		}
		b.Logf("%d codes: a bank is made in %v", n, time.Since(start))
		const points = 8
		for _, from := range []float32{0.8, 1.4} {
			z, mean := make([]float32, points*dim), make([]float32, points*dim)
			r.FillNorm(z, from*about)
			code := make([]float32, dim)
			for i := range points {
				bank.Code(code, i*(n/points))
				for d, v := range code {
					z[i*dim+d] += v
				}
			}
			for _, sigma := range []float32{0.19, 0.42} {
				b.Run(fmt.Sprintf("%d/from=%v/sigma=%v", n, from, sigma), func(b *testing.B) {
					var ws Workspace
					best := time.Duration(math.MaxInt64)
					for b.Loop() {
						start := time.Now()
						bank.Mean(mean, z, sigma*spacing[0], &ws)
						best = min(best, time.Since(start))
					}
					b.ReportMetric(float64(best.Nanoseconds())/points/1e3, "best-µs/point")
				})
			}
		}
	}
}
