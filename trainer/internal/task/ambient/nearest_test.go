package ambient

import (
	"testing"

	"mppm/shared/rng"
)

// TestNearest: of points of which several are as near, or on one place, the first is found.
func TestNearest(t *testing.T) {
	r := rng.New(3, 0)
	for dim := 1; dim <= 4; dim++ {
		for _, n := range []int{1, 2, 7, 90} {
			points := make([]float32, n*dim)
			r.FillNorm(points, 1)
			for i := range points { // on a grid, where many are as far
				points[i] = float32(int(4*points[i])) / 4
			}
			p := newPlaces(points, dim)
			for range 300 {
				x := make([]float32, dim)
				r.FillNorm(x, 1.5)
				if r.IntN(2) == 0 {
					for i := range x {
						x[i] = float32(int(4*x[i])) / 4
					}
				}
				best, want := float32(0), -1
				for i := range n {
					var d2 float32
					for k, v := range points[i*dim : (i+1)*dim] {
						e := v - x[k]
						d2 += float32(e * e)
					}
					if want < 0 || d2 < best {
						best, want = d2, i
					}
				}
				if got := p.nearest(x, r.IntN(n)); got != want {
					t.Fatalf("%d points of %d coordinates: %v is nearest to number %d, not %d", n, dim, x, want, got)
				}
			}
		}
	}
}
