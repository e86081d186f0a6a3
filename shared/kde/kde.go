// Package kde holds a bank of codes and its kernel density estimate (Eq. 7): the
// kernel mean at a point (Eq. 21), and the nearest code.
package kde

import (
	"fmt"
	"math"
	"slices"

	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// limit bounds the coordinates of codes, so that no square of one overflows.
const limit = 1e15

// Bank is a set of N codes in Dim dimensions. It is immutable and safe for
// concurrent use.
type Bank struct {
	dim, n int
	width  int       // of a row of codes: dim+1, and up to whole vectors
	codes  []float32 // n × width: a code, the number 1, and zeros
	// The kernel mean is two matrix products, with an exponential between: of a
	// point and the number 1 with scores, (dim+1) × n, which gives
	// z·c_j − ‖c_j‖²/2, that is −‖z−c_j‖²/2 but for a part all codes share; and of
	// the weights with sums, n × (dim+1), whose last column adds up the weights.
	scores, sums *gemm.Packed
}

// New returns the bank of the n codes whose coordinate d is codes[d*n : d*n+n],
// one row a dimension. It returns an error if the length is not a multiple of
// dim, there is no code, or a coordinate is not a number of at most 1e15.
func New(codes []float32, dim int) (*Bank, error) {
	if dim < 1 || len(codes) == 0 || len(codes)%dim != 0 {
		return nil, fmt.Errorf("code bank: %d numbers are not a whole number of codes of %d dimensions; give dim rows of equal length", len(codes), dim)
	}
	n := len(codes) / dim
	width := (dim + 1 + 3) &^ 3
	b := &Bank{dim: dim, n: n, width: width, codes: make([]float32, n*width)}
	scores := make([]float32, (dim+1)*n)
	copy(scores, codes)
	for j := range n {
		var square float32
		for d := range dim {
			v := codes[d*n+j]
			if !(math.Abs(float64(v)) <= limit) {
				return nil, fmt.Errorf("code bank: coordinate %d of code %d is %v; codes must be finite", d, j, v)
			}
			b.codes[j*width+d] = v
			square += float32(v * v)
		}
		b.codes[j*width+dim] = 1
		scores[dim*n+j] = -square / 2
	}
	b.scores = gemm.Pack(gemm.Rows(scores, n), dim+1, n)
	b.sums = gemm.Pack(gemm.Rows(b.codes, width), n, dim+1)
	return b, nil
}

// Len returns the number of codes.
func (b *Bank) Len() int { return b.n }

// Dim returns the number of coordinates of a code.
func (b *Bank) Dim() int { return b.dim }

// Code writes code j to dst (Dim numbers).
func (b *Bank) Code(dst []float32, j int) { copy(dst[:b.dim], b.codes[j*b.width:]) }

// Subset returns the bank of the codes whose indices are given, in that order.
// It returns an error if there is none, or one is out of range.
func (b *Bank) Subset(indices []int) (*Bank, error) {
	codes := make([]float32, b.dim*len(indices))
	for i, j := range indices {
		if j < 0 || j >= b.n {
			return nil, fmt.Errorf("code bank: there is no code %d; there are %d, counted from 0", j, b.n)
		}
		for d := range b.dim {
			codes[d*len(indices)+i] = b.codes[j*b.width+d]
		}
	}
	return New(codes, b.dim)
}

// Workspace holds what a bank computes with. The zero value is ready; it is not
// safe for concurrent use.
type Workspace struct {
	gemm    gemm.Workspace
	points  []float32 // points and 1
	weights []float32
	sums    []float32 // chunk × width
	near    []float32 // the weights that matter
	at      []int32   // whose they are
}

// chunk is how many points go through the products at a time: a few rows of the
// kernel's tile, and with 5,000 codes half a megabyte of weights.
const chunk = 24

// score sets the workspace's weights to z·c_j − ‖c_j‖²/2 for n ≤ chunk points.
func (b *Bank) score(z []float32, n int, ws *Workspace) []float32 {
	if ws.points == nil || len(ws.weights) < chunk*b.n {
		ws.points = make([]float32, chunk*(b.dim+1))
		ws.weights = make([]float32, chunk*b.n)
		ws.sums = make([]float32, chunk*b.width)
	}
	for i := range n {
		row := ws.points[i*(b.dim+1):]
		copy(row[:b.dim], z[i*b.dim:])
		row[b.dim] = 1
	}
	ws.gemm.MulPacked(ws.weights, b.n, n, gemm.Rows(ws.points, b.dim+1), b.scores, false)
	return ws.weights
}

// reach is how far the exponent of a code may be below that of the nearest: codes
// whose weight is less than e^−reach of the nearest's are left out. With n codes they are
// n·e^−24 of all weights at most, 2e-7 of 5,000 codes, and so z̄ is off by no more than
// that share of how far apart codes are.
const reach = 24

// dense is the share of codes from which on a product of matrices adds them up faster
// than one after the other: where products gather, that of rows one by one is as fast.
func dense() int {
	if gemm.Gathers() {
		return 2
	}
	return 24
}

// Mean writes to mean the kernel mean of each point of z, both n × Dim, for
// kernels of width sigma > 0 (Eq. 21):
//
//	z̄ = Σ_j c_j·exp(−‖z−c_j‖²/2σ²) / Σ_j exp(−‖z−c_j‖²/2σ²)
//
// The nearest code's exponent is taken out of both sums (log-sum-exp), so that
// the mean exists however far z is; codes whose weight is less than e^−24 of the
// nearest's are left out. mean may be z.
func (b *Bank) Mean(mean, z []float32, sigma float32, ws *Workspace) {
	scale := 1 / float32(sigma*sigma)
	for n := len(z) / b.dim; n > 0; n = len(z) / b.dim {
		n = min(n, chunk)
		all := b.score(z, n, ws)
		// The codes that matter, and their weights, point by point.
		ws.at, ws.near = ws.at[:0], ws.near[:0]
		var ends [chunk]int
		for i := range n {
			b.weigh(all[i*b.n:(i+1)*b.n], scale, ws)
			ends[i] = len(ws.near)
		}
		if len(ws.near) > n*b.n/dense() {
			b.product(all, ends[:n], ws)
		} else {
			b.gather(ends[:n], ws)
		}
		for i := range n {
			s := ws.sums[i*b.width:]
			for d := range b.dim {
				mean[i*b.dim+d] = s[d] / s[b.dim]
			}
		}
		z, mean = z[n*b.dim:], mean[n*b.dim:]
	}
}

// weigh appends to ws.at and ws.near the codes that matter by their scores, in order,
// and their weights.
func (b *Bank) weigh(scores []float32, scale float32, ws *Workspace) {
	top := vec.Max(scores)
	from := len(ws.near)
	ws.near, ws.at = slices.Grow(ws.near, b.n), slices.Grow(ws.at, b.n)
	near := ws.near[from : from+b.n]
	n := vec.AtLeast(near, ws.at[from:from+b.n], scores, 0, top-reach/scale)
	vec.ExpDiff(near[:n], near[:n], top, scale)
	ws.near, ws.at = ws.near[:from+n], ws.at[:from+n]
}

// gather adds up the codes that matter, one after the other.
func (b *Bank) gather(ends []int, ws *Workspace) {
	from := 0
	for i, end := range ends {
		vec.Sum(ws.sums[i*b.width:(i+1)*b.width], ws.near[from:end], ws.at[from:end], b.codes, b.width)
		from = end
	}
}

// product is gather as a product of matrices, with 0 for the weights that do not
// matter: faster where many do, and the same bits.
func (b *Bank) product(weights []float32, ends []int, ws *Workspace) {
	clear(weights[:len(ends)*b.n])
	from := 0
	for i, end := range ends {
		row := weights[i*b.n : (i+1)*b.n]
		for k := from; k < end; k++ {
			row[ws.at[k]] = ws.near[k]
		}
		from = end
	}
	ws.gemm.MulPacked(ws.sums, b.width, len(ends), gemm.Rows(weights, b.n), b.sums, false)
}

// Nearest returns the squared distance from z (Dim numbers) to the nearest code,
// and which code it is.
func (b *Bank) Nearest(z []float32, ws *Workspace) (d2 float32, at int) {
	w := b.score(z, 1, ws)[:b.n]
	for j, v := range w {
		if v > w[at] {
			at = j
		}
	}
	for d, v := range b.codes[at*b.width : at*b.width+b.dim] {
		t := z[d] - v
		d2 += float32(t * t)
	}
	return d2, at
}
