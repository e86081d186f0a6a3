// Package kde holds a bank of codes and its kernel density estimate (Eq. 7): the
// kernel mean at a point (Eq. 21), and the distance to the nearest code.
package kde

import (
	"fmt"
	"math"

	"mppm/shared/vec"
)

// lanes is the number of partial sums of every sum over codes: code j belongs to
// sum j mod 16, and vec.Fold joins them. It is the widest vector of any target,
// so that each can keep this order and give the same bits.
const lanes = 16

// far is where the codes that fill up the last group of 16 lie: their squared
// distance is finite, and their weight is always zero.
const far = 1e18

// Bank is a set of N codes in Dim dimensions. It is immutable and safe for
// concurrent use.
type Bank struct {
	dim, n, padded int
	codes          []float32 // dim rows of padded numbers
}

// New returns the bank of the n codes whose coordinate d is codes[d*n : d*n+n],
// one row a dimension. It returns an error if the length is not a multiple of
// dim, there is no code, or a coordinate is not finite.
func New(codes []float32, dim int) (*Bank, error) {
	if dim < 1 || len(codes) == 0 || len(codes)%dim != 0 {
		return nil, fmt.Errorf("code bank: %d numbers are not a whole number of codes of %d dimensions; give dim rows of equal length", len(codes), dim)
	}
	n := len(codes) / dim
	b := &Bank{dim: dim, n: n, padded: (n + lanes - 1) / lanes * lanes}
	b.codes = make([]float32, dim*b.padded)
	for d := range dim {
		row := b.codes[d*b.padded : (d+1)*b.padded]
		copy(row, codes[d*n:(d+1)*n])
		for j, v := range row[:n] {
			if !(math.Abs(float64(v)) < far) {
				return nil, fmt.Errorf("code bank: coordinate %d of code %d is %v; codes must be finite", d, j, v)
			}
		}
		for j := n; j < b.padded; j++ {
			row[j] = far
		}
	}
	return b, nil
}

// Len returns the number of codes.
func (b *Bank) Len() int { return b.n }

// Dim returns the number of coordinates of a code.
func (b *Bank) Dim() int { return b.dim }

// Code writes code j to dst (Dim numbers).
func (b *Bank) Code(dst []float32, j int) {
	for d := range b.dim {
		dst[d] = b.codes[d*b.padded+j]
	}
}

// Workspace holds the weights of one point. The zero value is ready; it is not
// safe for concurrent use.
type Workspace struct{ w []float32 }

func (b *Bank) weights(ws *Workspace) []float32 {
	if cap(ws.w) < b.padded {
		ws.w = make([]float32, b.padded)
	}
	return ws.w[:b.padded]
}

// Mean writes to mean the kernel mean of each point of z, both n × Dim, for
// kernels of width sigma > 0 (Eq. 21):
//
//	z̄ = Σ_j c_j·exp(−‖z−c_j‖²/2σ²) / Σ_j exp(−‖z−c_j‖²/2σ²)
//
// The nearest code's exponent is taken out of both sums (log-sum-exp), so that
// the mean exists however far z is. mean and z must not overlap.
func (b *Bank) Mean(mean, z []float32, sigma float32, ws *Workspace) {
	w := b.weights(ws)
	scale := 1 / (2 * float32(sigma*sigma))
	for i := 0; i+b.dim <= len(z); i += b.dim {
		squares(w, z[i:i+b.dim], b.codes)
		m := minimum(w)
		for j, v := range w {
			w[j] = (m - v) * scale
		}
		vec.Exp(w, w)
		weighted(mean[i:i+b.dim], w, b.codes)
	}
}

// Nearest returns the squared distance from z (Dim numbers) to the nearest code,
// and which code it is.
func (b *Bank) Nearest(z []float32, ws *Workspace) (d2 float32, at int) {
	w := b.weights(ws)
	squares(w, z, b.codes)
	d2 = w[0]
	for j, v := range w[:b.n] {
		if v < d2 {
			d2, at = v, j
		}
	}
	return d2, at
}

func minimum(w []float32) float32 {
	m := w[0]
	for _, v := range w {
		if v < m {
			m = v
		}
	}
	return m
}

// squaresScalar sets w[j] = Σ_d (z_d − c_jd)², d ascending, where c_jd is
// codes[d*len(w)+j]. The twins are functions, not methods, because the compiler
// (Go 1.27.3) does not build methods that use package simd.
func squaresScalar(w, z, codes []float32) {
	clear(w)
	for d, x := range z {
		row := codes[d*len(w) : (d+1)*len(w)]
		for j, c := range row {
			t := x - c
			w[j] += float32(t * t)
		}
	}
}

// weightedScalar sets mean_d = Σ_j w_j·c_jd / Σ_j w_j.
func weightedScalar(mean, w, codes []float32) {
	var p [lanes]float32
	for j, v := range w {
		p[j%lanes] += v
	}
	total := vec.Fold(&p)
	for d := range mean {
		row := codes[d*len(w) : (d+1)*len(w)]
		p = [lanes]float32{}
		for j, v := range w {
			p[j%lanes] += float32(v * row[j])
		}
		mean[d] = vec.Fold(&p) / total
	}
}
