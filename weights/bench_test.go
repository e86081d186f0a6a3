package weights_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

// BenchmarkRestore times the shipped model: F, the flow's 15 steps with D and the kernel
// mean over 5,000 codes, and G, alone and together, on digits with noise of 0.7. The best of all rounds is told too, which
// is what a busy machine leaves alone.
func BenchmarkRestore(b *testing.B) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		b.Fatal(err)
	}
	p := m.Restore
	p.Steps, p.Tolerance, p.Rounds = 15, 0, 1
	for _, n := range []int{1, 100} {
		r := m.Runner(n)
		x, noise := make([]float32, n*m.Pixels()), make([]float32, n*m.Pixels())
		z, start, mean, d := make([]float32, n*m.Latent()), make([]float32, n*m.Latent()), make([]float32, n*m.Latent()), make([]float32, n)
		for i := range n {
			m.Bank.Code(z[i*m.Latent():], i*(m.Bank.Len()/n))
		}
		r.Decode(x, z)
		rng.New(7, 0).FillNorm(noise, 0.7)
		for i, v := range noise {
			x[i] += v
		}
		r.Encode(start, x)
		flow := func() {
			steps, err := r.Flow(z, p)
			if err != nil {
				b.Fatal(err)
			}
			for range steps {
			}
		}
		copy(z, start)
		flow()
		middle := append([]float32(nil), z...) // where the flow ends
		for _, part := range []struct {
			name string
			work func()
		}{
			{"F", func() { r.Encode(start, x) }},
			{"G", func() { r.Decode(x, middle) }},
			{"mean", func() { r.Mean(mean, start, p.Sigma) }},
			{"mean-late", func() { r.Mean(mean, middle, p.Sigma) }},
			{"D", func() { r.Distance(d, mean, start) }},
			{"flow", func() { copy(z, start); flow() }},
			{"whole", func() { r.Encode(z, x); flow(); r.Decode(x, z) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", part.name, n), func(b *testing.B) {
				best := time.Duration(math.MaxInt64)
				for b.Loop() {
					start := time.Now()
					part.work()
					best = min(best, time.Since(start))
				}
				b.ReportMetric(float64(best.Nanoseconds())/1e6, "best-ms")
			})
		}
	}
}
