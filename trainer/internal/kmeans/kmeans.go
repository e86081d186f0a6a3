// Package kmeans compresses a set of codes to cluster centers (Lloyd 1982, with
// the seeding of Arthur and Vassilvitskii 2007, k-means++).
package kmeans

import (
	"context"
	"math"
	"runtime"
	"sync"

	"mppm/shared/gemm"
	"mppm/shared/rng"
)

// Clusters is the outcome: K centers of Dim numbers, row by row, and the cluster
// of each point.
type Clusters struct {
	Dim     int
	Centers []float32
	Of      []int
}

// Cluster finds k ≥ 1 centers of the n points (n × dim, n ≥ k) in at most
// iterations rounds. The result depends on the arguments alone, not on the
// number of processors. It returns ctx's error if that ends first.
func Cluster(ctx context.Context, points []float32, dim, k, iterations int, r *rng.Source) (*Clusters, error) {
	n := len(points) / dim
	c := &Clusters{Dim: dim, Centers: seed(points, dim, k, r), Of: make([]int, n)}
	dist := make([]float32, n)
	for range iterations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if changed := c.assign(points, dist); changed == 0 {
			break
		}
		c.update(points, dist)
	}
	c.assign(points, dist)
	return c, nil
}

// seed draws the first centers: each next one from the points, with probability
// in proportion to the squared distance to the nearest so far. To keep this from
// costing as much as the clustering, a whole batch of centers is drawn before
// the distances are brought up to date.
func seed(points []float32, dim, k int, r *rng.Source) []float32 {
	n := len(points) / dim
	centers := make([]float32, 0, k*dim)
	first := r.IntN(n)
	centers = append(centers, points[first*dim:(first+1)*dim]...)
	near := make([]float32, n)
	for i := range near {
		near[i] = float32(math.Inf(1))
	}
	taken := map[int]bool{first: true}
	for done := 0; len(centers) < k*dim; {
		added := centers[done*dim:]
		parallel(n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				p := points[i*dim : (i+1)*dim]
				for a := 0; a < len(added); a += dim {
					near[i] = min(near[i], squared(p, added[a:a+dim]))
				}
			}
		})
		done = len(centers) / dim
		cumulative := make([]float64, n)
		var sum float64
		for i, d := range near {
			sum += float64(d)
			cumulative[i] = sum
		}
		for range max(1, min(done/8, k-done)) {
			at := search(cumulative, r.Float64()*sum)
			for taken[at] { // points that are equal, or drawn twice in a batch
				at = (at + 1) % n
			}
			taken[at] = true
			centers = append(centers, points[at*dim:(at+1)*dim]...)
		}
	}
	return centers
}

func search(cumulative []float64, x float64) int {
	lo, hi := 0, len(cumulative)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if cumulative[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

func squared(a, b []float32) float32 {
	var s float32
	for i, v := range a {
		t := v - b[i]
		s += float32(t * t)
	}
	return s
}

// assign finds the nearest center of every point, ‖p−c‖² = ‖p‖² − 2p·c + ‖c‖²,
// and returns how many changed.
func (c *Clusters) assign(points, dist []float32) int {
	k := len(c.Centers) / c.Dim
	norms := make([]float32, k)
	for j := range norms {
		for _, v := range c.Centers[j*c.Dim : (j+1)*c.Dim] {
			norms[j] += float32(v * v)
		}
	}
	packed := gemm.Pack(gemm.Rows(c.Centers, c.Dim).T(), c.Dim, k)
	changes := make([]int, len(c.Of)/rows+1)
	parallel(len(c.Of), func(lo, hi int) {
		var w gemm.Workspace
		products := make([]float32, rows*k)
		for at := lo; at < hi; at += rows {
			m := min(rows, hi-at)
			w.MulPacked(products, k, m, gemm.Rows(points[at*c.Dim:], c.Dim), packed, false)
			for i := range m {
				best, least := 0, float32(math.Inf(1))
				for j, p := range products[i*k : (i+1)*k] {
					if d := norms[j] - 2*p; d < least {
						best, least = j, d
					}
				}
				if c.Of[at+i] != best {
					c.Of[at+i] = best
					changes[(at+i)/rows]++
				}
				p := points[(at+i)*c.Dim : (at+i+1)*c.Dim]
				dist[at+i] = squared(p, c.Centers[best*c.Dim:(best+1)*c.Dim])
			}
		}
	})
	total := 0
	for _, n := range changes {
		total += n
	}
	return total
}

// update moves every center to the mean of its points. A center without points
// goes to the point that is farthest from its own.
func (c *Clusters) update(points, dist []float32) {
	k := len(c.Centers) / c.Dim
	sums := make([]float64, len(c.Centers))
	counts := make([]int, k)
	for i, j := range c.Of {
		counts[j]++
		for d, v := range points[i*c.Dim : (i+1)*c.Dim] {
			sums[j*c.Dim+d] += float64(v)
		}
	}
	for j, n := range counts {
		center := c.Centers[j*c.Dim : (j+1)*c.Dim]
		if n == 0 {
			far := 0
			for i, d := range dist {
				if d > dist[far] {
					far = i
				}
			}
			dist[far] = 0
			copy(center, points[far*c.Dim:(far+1)*c.Dim])
			continue
		}
		for d := range center {
			center[d] = float32(sums[j*c.Dim+d] / float64(n))
		}
	}
}

// rows is how many points are assigned at a time.
const rows = 64

// parallel cuts n points into runs of whole rows, one for each processor.
func parallel(n int, f func(lo, hi int)) {
	workers := runtime.GOMAXPROCS(0)
	span := (n/workers/rows + 1) * rows
	var wg sync.WaitGroup
	for lo := 0; lo < n; lo += span {
		wg.Go(func() { f(lo, min(n, lo+span)) })
	}
	wg.Wait()
}
