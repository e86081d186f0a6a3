package quality

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"mppm/shared/gemm"
)

// points are n points, with their squared lengths.
type points struct {
	data   []float32 // n × dim
	norm   []float32
	n, dim int

	packing sync.Once
	packed  []*gemm.Packed // transposed, panel points each
}

// panel is how many points are packed at a time, and block how many are
// compared with all of them at a time.
const (
	panel = 4096
	block = 32
)

// slack bounds the error of the squared distance from point i of p to point j
// of q that each gives: a product of dim terms is off by at most dim roundings of
// half the sum of the squared lengths, and doubled; the sums add a few.
func (p *points) slack(i int, q *points, j int) float32 {
	return float32(p.dim+8) * 0x1p-24 * (p.norm[i] + q.norm[j])
}

func newPoints(data []float32, dim int) (*points, error) {
	if dim < 1 || len(data) == 0 || len(data)%dim != 0 {
		return nil, fmt.Errorf("%d numbers are not a whole number of points of %d, at least one", len(data), dim)
	}
	p := &points{data: data, n: len(data) / dim, dim: dim}
	p.norm = make([]float32, p.n)
	for i := range p.n {
		var sum float64
		for _, v := range p.at(i) {
			sum += float64(v) * float64(v)
		}
		if p.norm[i] = float32(sum); p.norm[i]-p.norm[i] != 0 {
			return nil, fmt.Errorf("point %d has numbers that are not finite, or too large", i)
		}
	}
	return p, nil
}

func (p *points) at(i int) []float32 { return p.data[i*p.dim : (i+1)*p.dim] }

// exact returns the squared distance from point i of p to point j of q, rounded
// once.
func (p *points) exact(i int, q *points, j int) float32 {
	var sum float64
	a, b := p.at(i), q.at(j)
	for k, v := range a {
		d := float64(v) - float64(b[k])
		sum += d * d
	}
	return float32(sum)
}

// pack lays q out for products, once.
func (q *points) pack() {
	q.packing.Do(func() {
		for at := 0; at < q.n; at += panel {
			n := min(panel, q.n-at)
			q.packed = append(q.packed, gemm.Pack(gemm.Rows(q.data[at*q.dim:], q.dim).T(), q.dim, n))
		}
	})
}

// each calls f for each point i of p with its squared distances to all points
// of q, on all cores: |a|² + |b|² − 2ab, right to slack, and never below
// 0. f must not keep near. It returns ctx's error if that ends first.
func (p *points) each(ctx context.Context, q *points, f func(i int, near []float32)) error {
	q.pack()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (p.n+block-1)/block) {
		wg.Go(func() {
			ws := gemm.Workspace{Fused: true} // no two platforms need agree on the last bit here
			rows := make([]float32, block*q.n)
			for ctx.Err() == nil {
				lo := int(next.Add(block)) - block
				if lo >= p.n {
					return
				}
				m := min(block, p.n-lo)
				for k, w := range q.packed {
					ws.MulPacked(rows[k*panel:], q.n, m, gemm.Rows(p.data[lo*p.dim:(lo+m)*p.dim], p.dim), w, false)
				}
				for i := range m {
					near := rows[i*q.n : (i+1)*q.n]
					for j, ab := range near {
						near[j] = max(p.norm[lo+i]+q.norm[j]-2*ab, 0)
					}
					f(lo+i, near)
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// nearest returns which point of q, but for number skip, is the k-th nearest to
// point i of p, and its squared distance; near holds those of all points as each
// gives them. Of equally far ones the first comes first.
func (p *points) nearest(near []float32, i int, q *points, skip, k int) (int, float32) {
	// What rounding puts among the k nearest bounds the k-th nearest's true
	// distance; whoever may be below the bound is measured.
	bound := float32(math.Inf(1))
	kth := make([]float32, 0, k+1)
	for j, v := range near {
		if j == skip || v >= bound {
			continue
		}
		v += p.slack(i, q, j)
		at, _ := slices.BinarySearch(kth, v)
		if kth = slices.Insert(kth, at, v); len(kth) >= k {
			kth = kth[:k]
			bound = kth[k-1]
		}
	}
	type candidate struct {
		at int
		d2 float32
	}
	var all []candidate
	for j, v := range near {
		if j != skip && v-p.slack(i, q, j) <= bound {
			all = append(all, candidate{j, p.exact(i, q, j)})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.d2, b.d2) })
	return all[k-1].at, all[k-1].d2
}
