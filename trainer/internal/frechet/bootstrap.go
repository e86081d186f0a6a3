package frechet

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"mppm/shared/rng"
)

// Bootstrap says how sure distances from a set are: it draws from its images, with
// replacement, as many as there are, time and again (Efron 1979). What is compared with
// the set was made of its images, one of each, and is drawn along with them: so ratios of
// two such distances can be compared draw by draw.
type Bootstrap struct {
	dim   int
	draws [][]int
	sets  []*Gaussian // of each draw from the set
}

// NewBootstrap draws so many times from a set of embeddings e (n × dim), by a seed.
func NewBootstrap(e []float32, dim, times int, seed uint64) (*Bootstrap, error) {
	if _, err := Fit(e, dim); err != nil {
		return nil, err
	}
	b, n := &Bootstrap{dim: dim}, len(e)/dim
	for i := range times {
		r, at := rng.New(seed, uint64(i)), make([]int, n)
		for k := range at {
			at[k] = int(r.Float64() * float64(n))
		}
		g, err := Fit(drawn(e, dim, at), dim)
		if err != nil {
			return nil, err
		}
		b.draws, b.sets = append(b.draws, at), append(b.sets, g)
	}
	return b, nil
}

func drawn(e []float32, dim int, at []int) []float32 {
	out := make([]float32, 0, len(at)*dim)
	for _, i := range at {
		out = append(out, e[i*dim:(i+1)*dim]...)
	}
	return out
}

// Distances returns for each draw the distance of what was made of the set, in the
// set's order, e its embeddings. It returns ctx's error if that ends first.
func (b *Bootstrap) Distances(ctx context.Context, e []float32) ([]float64, error) {
	if len(b.draws) > 0 && len(e) != len(b.draws[0])*b.dim {
		return nil, fmt.Errorf("frechet: %d numbers are no embeddings of %d for each of %d images", len(e), b.dim, len(b.draws[0]))
	}
	out, errs := make([]float64, len(b.draws)), make([]error, len(b.draws))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(out) {
					return
				}
				g, err := Fit(drawn(e, b.dim, b.draws[i]), b.dim)
				if err == nil {
					out[i], err = Distance(g, b.sets[i])
				}
				errs[i] = err
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

// Interval returns the 95 % interval of a figure that the draws give these values. Draws
// hold fewer different images than the set, and lie farther apart by that: their mean is
// moved to the figure.
func Interval(figure float64, draws []float64) (low, high float64) {
	if len(draws) == 0 {
		return figure, figure
	}
	d := slices.Sorted(slices.Values(draws))
	var mean float64
	for _, v := range d {
		mean += v / float64(len(d))
	}
	tail := len(d) / 40 // 2.5 %
	return figure + d[tail] - mean, figure + d[len(d)-1-tail] - mean
}
