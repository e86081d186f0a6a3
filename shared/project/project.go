// Package project casts codes' shadows on a plane, so that people see where they lie: that
// of the page's map, on which the codes of ten kinds of digits lie apart.
//
// The projection is linear, so that any point of the space, and every path
// through it, has its place beside the codes, and a place can be moved back into
// the space. All of it gives the same bits on every platform.
package project

import (
	"fmt"
	"math"

	"mppm/shared/fault"
)

// Plane is an orthogonal projection from Dim dimensions to two: distances on it
// are never longer than in the space. It is immutable and safe for concurrent
// use.
type Plane struct {
	mean []float32    // of the codes; its shadow is (0, 0)
	axes [2][]float32 // orthonormal
}

// New returns the projection along the two axes (2 × dim, one after the other)
// that puts mean (dim) at (0, 0). It returns an error if the axes are not
// orthonormal within 1e-3, which eight bits would not be.
func New(mean, axes []float32) (*Plane, error) {
	dim := len(mean)
	if dim < 2 || len(axes) != 2*dim {
		return nil, fault.New(fault.ErrSize, "plane: %d numbers of axes for %d of the mean; give twice as many, of 2 dimensions or more", len(axes), dim)
	}
	p := &Plane{mean: append([]float32(nil), mean...)}
	for i := range p.axes {
		p.axes[i] = append([]float32(nil), axes[i*dim:(i+1)*dim]...)
	}
	for i, v := range mean {
		if v-v != 0 {
			return nil, fault.New(fault.ErrNotFinite, "plane: number %d of the mean is %v; it must be finite", i, v)
		}
	}
	x, y := p.axes[0], p.axes[1]
	for _, c := range []struct{ got, want float32 }{{dot(x, x), 1}, {dot(y, y), 1}, {dot(x, y), 0}} {
		if !(math.Abs(float64(c.got-c.want)) <= 1e-3) {
			return nil, fmt.Errorf("plane: a product of the axes is %v; want %v: they must be orthonormal", c.got, c.want)
		}
	}
	return p, nil
}

// Dim returns the number of coordinates of a code.
func (p *Plane) Dim() int { return len(p.mean) }

// Mean returns the point whose shadow is (0, 0) and that the plane goes through.
// It belongs to the plane.
func (p *Plane) Mean() []float32 { return p.mean }

// Axes returns the two axes, one after the other: what New takes.
func (p *Plane) Axes() []float32 { return append(append([]float32(nil), p.axes[0]...), p.axes[1]...) }

// Shadow returns the place of code z (Dim) on the plane.
func (p *Plane) Shadow(z []float32) (x, y float32) {
	for i, m := range p.mean {
		d := z[i] - m
		x += float32(d * p.axes[0][i])
		y += float32(d * p.axes[1][i])
	}
	return x, y
}

// Shift writes to dst the code z moved in parallel to the plane by (dx, dy), all
// that the plane does not show staying as it is. dst may be z.
func (p *Plane) Shift(dst, z []float32, dx, dy float32) {
	for i, v := range z {
		dst[i] = v + float32(dx*p.axes[0][i]) + float32(dy*p.axes[1][i])
	}
}

func dot(a, b []float32) float32 {
	var s float32
	for i, v := range a {
		s += float32(v * b[i])
	}
	return s
}

// Widest returns the plane of the two coordinates in which codes (n × dim, row by row)
// vary most: one to show them on where nobody has looked for a better one. It returns
// an error if the codes are none of two dimensions or more, or not finite.
func Widest(codes []float32, dim int) (*Plane, error) {
	if dim < 2 || len(codes) == 0 || len(codes)%dim != 0 {
		return nil, fault.New(fault.ErrSize, "plane: %d numbers are no codes of %d dimensions; give whole codes of 2 or more", len(codes), dim)
	}
	n := float64(len(codes) / dim)
	mean, variance := make([]float32, dim), make([]float64, dim)
	for k := range mean {
		var sum, square float64
		for i := k; i < len(codes); i += dim {
			sum += float64(codes[i])
		}
		mean[k] = float32(sum / n)
		for i := k; i < len(codes); i += dim {
			d := float64(codes[i] - mean[k])
			square += float64(d * d)
		}
		variance[k] = square
	}
	axes := make([]float32, 2*dim)
	for i := range 2 {
		most := 0
		for k, v := range variance {
			if v > variance[most] {
				most = k
			}
		}
		axes[i*dim+most], variance[most] = 1, -1
	}
	return New(mean, axes)
}
