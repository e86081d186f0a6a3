// Package quality tells whether generated images are good, whether they are
// diverse, and whether they are copies: precision and recall in an embedding,
// the entropy of their classes, and the distance to the nearest image that was
// trained on.
package quality

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// PrecisionRecall is how two sets of images cover each other.
type PrecisionRecall struct {
	Precision float64 `json:"precision"` // share of generated images among the real ones: are they good?
	Recall    float64 `json:"recall"`    // share of real images among the generated ones: are they all there?
}

// Neighbors is the k of the k-th nearest neighbors that Kynkäänniemi et al. use.
const Neighbors = 3

// Coverage returns precision and recall of generated against real embeddings,
// both of dim numbers each (Kynkäänniemi et al. 2019, Eq. 1 and 2). A set's
// manifold is a ball around each of its members, as wide as the distance to its
// k-th nearest other member; an image belongs to it that lies in a ball, rim
// included. The two shares depend on how many members the sets have: compare
// sets of equal sizes. It returns an error if a set has no more than k members.
func Coverage(ctx context.Context, real, generated []float32, dim, k int) (PrecisionRecall, error) {
	a, err := newPoints(real, dim)
	if err != nil {
		return PrecisionRecall{}, fmt.Errorf("quality: real embeddings: %w", err)
	}
	b, err := newPoints(generated, dim)
	if err != nil {
		return PrecisionRecall{}, fmt.Errorf("quality: generated embeddings: %w", err)
	}
	if k < 1 || k >= min(a.n, b.n) {
		return PrecisionRecall{}, fmt.Errorf("quality: %d-th neighbors of %d real and %d generated embeddings; give 1 to %d", k, a.n, b.n, min(a.n, b.n)-1)
	}
	share := func(manifold, of *points) (float64, error) {
		radius, err := manifold.radii(ctx, k)
		if err != nil {
			return 0, err
		}
		in := make([]bool, of.n)
		err = of.each(ctx, manifold, func(i int, near []float32) {
			for j, d2 := range near {
				if slack := of.slack(i, manifold, j); d2 > radius[j]+slack {
					continue
				} else if d2 < radius[j]-slack || of.exact(i, manifold, j) <= radius[j] {
					in[i] = true
					return
				}
			}
		})
		count := 0
		for _, v := range in {
			if v {
				count++
			}
		}
		return float64(count) / float64(of.n), err
	}
	var out PrecisionRecall
	if out.Precision, err = share(a, b); err != nil {
		return out, err
	}
	out.Recall, err = share(b, a)
	return out, err
}

// radii returns the squared distance from each point to its k-th nearest other.
func (p *points) radii(ctx context.Context, k int) ([]float32, error) {
	r := make([]float32, p.n)
	err := p.each(ctx, p, func(i int, near []float32) {
		_, r[i] = p.nearest(near, i, p, i, k)
	})
	return r, err
}

// Nearest returns the distance from each of the images x to the nearest of the
// images known, both of dim numbers each, and which one that is. Where skipSame
// is set, image i is not compared with known image i: so that a set is compared
// with itself. It returns an error if nothing is left to compare with.
func Nearest(ctx context.Context, x, known []float32, dim int, skipSame bool) (distance []float64, at []int, err error) {
	a, err := newPoints(x, dim)
	if err != nil {
		return nil, nil, fmt.Errorf("quality: %w", err)
	}
	b, err := newPoints(known, dim)
	if err != nil {
		return nil, nil, fmt.Errorf("quality: known images: %w", err)
	}
	if b.n == 1 && skipSame {
		return nil, nil, fmt.Errorf("quality: one image has no nearest other")
	}
	distance, at = make([]float64, a.n), make([]int, a.n)
	err = a.each(ctx, b, func(i int, near []float32) {
		skip := -1
		if skipSame {
			skip = i
		}
		var d2 float32
		at[i], d2 = a.nearest(near, i, b, skip, 1)
		distance[i] = math.Sqrt(float64(d2))
	})
	return distance, at, err
}

// Spread is how the distances of a set to the nearest training images lie.
type Spread struct {
	Mean   float64 `json:"mean"`
	Least  float64 `json:"least"`
	Low    float64 `json:"low"` // a tenth are less
	Median float64 `json:"median"`
}

// Summarize returns the spread of distances, of which there must be one.
func Summarize(distances []float64) Spread {
	d := slices.Sorted(slices.Values(distances))
	s := Spread{Least: d[0], Low: d[len(d)/10], Median: d[len(d)/2]}
	for _, v := range d {
		s.Mean += v / float64(len(d))
	}
	return s
}

// Histogram counts the members of each of n classes. It panics if one is not
// below n, as indexing does.
func Histogram(classes []uint8, n int) []int {
	counts := make([]int, n)
	for _, c := range classes {
		counts[c]++
	}
	return counts
}

// Entropy returns the entropy of a histogram as a share of the largest it can
// have: 1 where all classes are as frequent, 0 where there is one alone.
func Entropy(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	var h float64
	for _, c := range counts {
		if c > 0 {
			p := float64(c) / float64(total)
			h -= p * math.Log(p)
		}
	}
	if h <= 0 { // one class, or none
		return 0
	}
	return h / math.Log(float64(len(counts)))
}
