package ambient

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// places finds the nearest of many points. They lie in the order of their first
// coordinate: from that of a point on, both ways, only those are looked at that are not
// farther in it than the nearest so far is in all.
type places struct {
	dim  int
	x    []float32 // in that order
	at   []int     // the number that each has among the points
	rank []int     // where the point of each number lies
}

func newPlaces(points []float32, dim int) *places {
	p := &places{dim: dim, at: make([]int, len(points)/dim), rank: make([]int, len(points)/dim)}
	for i := range p.at {
		p.at[i] = i
	}
	slices.SortStableFunc(p.at, func(a, b int) int { return cmp.Compare(points[a*dim], points[b*dim]) })
	for r, i := range p.at {
		p.rank[i] = r
		p.x = append(p.x, points[i*dim:(i+1)*dim]...)
	}
	return p
}

// nearest returns the number of the point that is nearest to x, of several the first.
// near is the number of one that is not far: the nearer, the fewer are looked at.
func (p *places) nearest(x []float32, near int) int {
	best, found := p.far(p.rank[near], x, float32(math.Inf(1))), near
	first := sort.Search(len(p.at), func(i int) bool { return p.x[i*p.dim] >= x[0] })
	for i := first; i < len(p.at); i++ {
		if e := p.x[i*p.dim] - x[0]; float32(e*e) > best {
			break
		}
		if d2 := p.far(i, x, best); d2 < best || d2 == best && p.at[i] < found {
			best, found = d2, p.at[i]
		}
	}
	for i := first - 1; i >= 0; i-- {
		if e := p.x[i*p.dim] - x[0]; float32(e*e) > best {
			break
		}
		if d2 := p.far(i, x, best); d2 < best || d2 == best && p.at[i] < found {
			best, found = d2, p.at[i]
		}
	}
	return found
}

// far returns the squared distance from x to a point, or some number of more than enough
// if it is more.
func (p *places) far(i int, x []float32, enough float32) float32 {
	var d2 float32
	for k, v := range p.x[i*p.dim:][:len(x)] {
		e := v - x[k]
		d2 += float32(e * e)
		if d2 > enough { // it only grows
			break
		}
	}
	return d2
}
