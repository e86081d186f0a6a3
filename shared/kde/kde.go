// Package kde holds a bank of codes, and says where from a point most of them are: the
// mean of all codes, each weighed by a Gaussian kernel at its distance (Eq. 21). Going
// there is going up the kernel density estimate of the codes (Eq. 7). It finds the nearest
// code, too.
package kde

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"mppm/shared/fault"
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
	// How much each code counts, and codes with all of it times that: what is summed up.
	// Where each counts as one, weights is nil, and weighted is codes.
	weights, weighted []float32
	reach             float32 // how far below the nearest's exponent others matter: see reach
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
		return nil, fault.New(fault.ErrSize, "code bank: %d numbers are not a whole number of codes of %d dimensions; give dim rows of equal length", len(codes), dim)
	}
	return build(codes, nil, dim)
}

// build is New with the weights of the codes, which are in range; nil: 1 of each.
func build(codes, weights []float32, dim int) (*Bank, error) {
	n := len(codes) / dim
	width := (dim + 1 + 3) &^ 3
	b := &Bank{dim: dim, n: n, width: width, codes: make([]float32, n*width), weights: weights, reach: reach(n) + farther(weights)}
	for i, v := range codes {
		if !(math.Abs(float64(v)) <= limit) {
			return nil, fault.New(fault.ErrNotFinite, "code bank: coordinate %d of code %d is %v; codes must be finite", i/n, i%n, v)
		}
	}
	scores := make([]float32, (dim+1)*n)
	for j := range n {
		var square float32
		for d := range dim {
			v := codes[d*n+j]
			b.codes[j*width+d] = v
			scores[d*n+j] = v
			square += float32(v * v)
		}
		b.codes[j*width+dim] = 1
		scores[dim*n+j] = -square / 2
	}
	b.weighted = b.codes
	if weights != nil {
		b.weighted = make([]float32, len(b.codes))
		for i, v := range b.codes {
			b.weighted[i] = weights[i/width] * v
		}
	}
	b.scores = gemm.Pack(gemm.Rows(scores, n), dim+1, n)
	b.sums = gemm.Pack(gemm.Rows(b.weighted, width), n, dim+1)
	return b, nil
}

// Len returns the number of codes.
func (b *Bank) Len() int { return b.n }

// Dim returns the number of coordinates of a code.
func (b *Bank) Dim() int { return b.dim }

// Code writes code j to dst (Dim numbers).
func (b *Bank) Code(dst []float32, j int) { copy(dst[:b.dim], b.codes[j*b.width:]) }

// Weight returns as how many codes code j counts.
func (b *Bank) Weight(j int) float32 {
	if b.weights == nil {
		return 1
	}
	return b.weights[j]
}

// Subset returns the bank of the codes whose indices are given, in that order, with
// their weights. It returns an error if there is none, or one is out of range.
func (b *Bank) Subset(indices []int) (*Bank, error) {
	if len(indices) == 0 {
		return nil, errors.New("code bank: no code would be left; leave at least one")
	}
	codes := make([]float32, b.dim*len(indices))
	var weights []float32
	for i, j := range indices {
		if j < 0 || j >= b.n {
			return nil, fmt.Errorf("code bank: there is no code %d; there are %d, counted from 0", j, b.n)
		}
		for d := range b.dim {
			codes[d*len(indices)+i] = b.codes[j*b.width+d]
		}
		if b.weights != nil {
			weights = append(weights, b.weights[j])
		}
	}
	return build(codes, weights, b.dim)
}

// MaxWeight bounds the weight of a code.
const MaxWeight = 1e6

// With returns the bank with more codes after those that it has (m × Dim, one after the
// other), each of which counts as so many of them, 1 to MaxWeight: the kernel mean is
// that of a bank which holds them so often. It returns an error if the codes are not
// whole, a coordinate is not a number of at most 1e15, or the weight is out of range.
func (b *Bank) With(codes []float32, weight float32) (*Bank, error) {
	if len(codes)%b.dim != 0 {
		return nil, fault.New(fault.ErrSize, "code bank: %d numbers are not a whole number of codes of %d dimensions", len(codes), b.dim)
	}
	if !(weight >= 1 && weight <= MaxWeight) {
		return nil, fmt.Errorf("code bank: the weight is %v; give 1 to %g", weight, float64(MaxWeight))
	}
	more := len(codes) / b.dim
	n := b.n + more
	all, weights := make([]float32, n*b.dim), make([]float32, n)
	for j := range n {
		code := codes[max(j-b.n, 0)*b.dim:]
		weights[j] = weight
		if j < b.n {
			code, weights[j] = b.codes[j*b.width:], b.Weight(j)
		}
		for d, v := range code[:b.dim] {
			all[d*n+j] = v
		}
	}
	return build(all, weights, b.dim)
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
	some    [chunk]some
}

// some is codes that may matter to a point, by their scores.
type some struct {
	top    float32
	scores []float32
	at     []int32
}

// chunk is how many points go through the products at a time: a few rows of the
// kernel's tile, and with 5,000 codes half a megabyte of weights.
const chunk = 24

// take puts n ≤ chunk points, and the number 1 with each, into the workspace.
func (b *Bank) take(z []float32, n int, ws *Workspace) {
	if codes := b.block(); len(ws.points) < chunk*(b.dim+1) || len(ws.weights) < chunk*codes {
		ws.points = make([]float32, chunk*(b.dim+1))
		ws.weights = make([]float32, chunk*codes)
		ws.sums = make([]float32, chunk*b.width)
	}
	for i := range n {
		row := ws.points[i*(b.dim+1):]
		copy(row[:b.dim], z[i*b.dim:])
		row[b.dim] = 1
	}
}

// large is the number of codes beyond which a bank is gone through in blocks.
const large = 20_000

// block is how many codes of a bank are looked at together: all, but of a large bank as many
// as stay in the cache with their weights.
func (b *Bank) block() int {
	if b.n > large {
		return 8192
	}
	return b.n
}

// score sets the workspace's weights to z·c_j − ‖c_j‖²/2 for the n points that it took, and
// the codes [lo, hi), no more than a block: hi − lo for each point.
func (b *Bank) score(n, lo, hi int, ws *Workspace) []float32 {
	scores := b.scores
	if hi-lo < b.n {
		scores = scores.Columns(lo, hi)
	}
	ws.gemm.MulPacked(ws.weights, hi-lo, n, gemm.Rows(ws.points, b.dim+1), scores, false)
	return ws.weights
}

// reach is how far the exponent of one of n codes may be below that of the nearest: codes
// whose weight is less than e^−reach of the nearest's are left out, n·e^−reach of all
// weights at most. That is 2e-7 of 5,000 codes, and no more than 1e-6 of any number, and z̄
// is off by no more than that share of how far apart codes are.
func reach(n int) float32 {
	r := float32(24)
	for ; n > 26_000; n /= 2 {
		r += 0.7 // more than ln 2
	}
	return r
}

// farther is by how much reach grows where some codes count more than others: by as much
// as that may make up for.
func farther(weights []float32) float32 {
	var r float32
	if weights != nil {
		for ratio := slices.Max(weights) / slices.Min(weights); ratio > 1; ratio /= 2 {
			r += 0.7
		}
	}
	return r
}

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
//	z̄ = Σ_j w_j·c_j·exp(−‖z−c_j‖²/2σ²) / Σ_j w_j·exp(−‖z−c_j‖²/2σ²)
//
// where the weight w_j is 1 but for codes of With.
// The nearest code's exponent is taken out of both sums (log-sum-exp), so that
// the mean exists however far z is; codes whose weight is less than e^−24 of the
// nearest's are left out, of more than 26,000 codes those with somewhat less. mean may be z.
func (b *Bank) Mean(mean, z []float32, sigma float32, ws *Workspace) {
	scale := 1 / float32(sigma*sigma)
	z = z[:min(len(z), len(mean))]
	for n := len(z) / b.dim; n > 0; n = len(z) / b.dim {
		n = min(n, chunk)
		b.take(z, n, ws)
		var ends [chunk]int
		if b.n <= large {
			b.weighAll(ends[:n], scale, ws)
		} else {
			b.weighBlocks(ends[:n], scale, ws)
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

// weighAll adds up the codes that matter to points by all scores. It sets ends to where
// those of each point end among ws.near.
func (b *Bank) weighAll(ends []int, scale float32, ws *Workspace) {
	n := len(ends)
	all := b.score(n, 0, b.n, ws)
	ws.at, ws.near = ws.at[:0], ws.near[:0]
	for i := range ends {
		b.weigh(all[i*b.n:(i+1)*b.n], scale, ws)
		ends[i] = len(ws.near)
	}
	if len(ws.near) > n*b.n/dense() {
		b.product(all, ends, ws)
	} else {
		b.gather(ends, ws)
	}
}

// weighBlocks is weighAll, block by block of a large bank: what may matter by the largest score so far is put aside, and chosen from by the largest of all.
func (b *Bank) weighBlocks(ends []int, scale float32, ws *Workspace) {
	far := b.reach / scale
	for i := range ends {
		s := &ws.some[i]
		s.top, s.scores, s.at = float32(math.Inf(-1)), s.scores[:0], s.at[:0]
	}
	for lo := 0; lo < b.n; lo += b.block() {
		hi := min(lo+b.block(), b.n)
		all := b.score(len(ends), lo, hi, ws)
		for i := range ends {
			s, scores := &ws.some[i], all[i*(hi-lo):(i+1)*(hi-lo)]
			s.top = max(s.top, vec.Max(scores))
			s.scores, s.at = atLeast(s.scores, s.at, scores, lo, s.top-far)
		}
	}
	ws.at, ws.near = ws.at[:0], ws.near[:0]
	for i := range ends {
		s, from := &ws.some[i], len(ws.near)
		for k, v := range s.scores {
			if v >= s.top-far {
				ws.near, ws.at = append(ws.near, v), append(ws.at, s.at[k])
			}
		}
		vec.ExpDiff(ws.near[from:], ws.near[from:], s.top, scale)
		ends[i] = len(ws.near)
	}
	b.gather(ends, ws)
}

// atLeast appends to near and at those scores that are no less than least, and which codes
// they are of, the first being of code lo.
func atLeast(near []float32, at []int32, scores []float32, lo int, least float32) ([]float32, []int32) {
	from := len(near)
	near, at = slices.Grow(near, len(scores))[:from+len(scores)], slices.Grow(at, len(scores))[:from+len(scores)]
	n := from + vec.AtLeast(near[from:], at[from:], scores, lo, least)
	return near[:n], at[:n]
}

// weigh appends to ws.at and ws.near the codes that matter by their scores, in order,
// and their weights.
func (b *Bank) weigh(scores []float32, scale float32, ws *Workspace) {
	top := vec.Max(scores)
	from := len(ws.near)
	ws.near, ws.at = atLeast(ws.near, ws.at, scores, 0, top-b.reach/scale)
	vec.ExpDiff(ws.near[from:], ws.near[from:], top, scale)
}

// gather adds up the codes that matter, one after the other.
func (b *Bank) gather(ends []int, ws *Workspace) {
	from := 0
	for i, end := range ends {
		vec.Sum(ws.sums[i*b.width:(i+1)*b.width], ws.near[from:end], ws.at[from:end], b.weighted, b.width)
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
	b.take(z, 1, ws)
	top := float32(math.Inf(-1))
	for lo := 0; lo < b.n; lo += b.block() {
		hi := min(lo+b.block(), b.n)
		for j, v := range b.score(1, lo, hi, ws)[:hi-lo] {
			if v > top {
				top, at = v, lo+j
			}
		}
	}
	for d, v := range b.codes[at*b.width : at*b.width+b.dim] {
		t := z[d] - v
		d2 += float32(t * t)
	}
	return d2, at
}
