// Package project finds the plane on which the codes of ten kinds of digits lie
// apart, and casts codes' shadows on it.
//
// The projection is linear, so that any point of the space, and every path
// through it, has its place beside the codes, and a place can be moved back into
// the space. All of it gives the same bits on every platform.
package project

import (
	"fmt"
	"math"

	"mppm/shared/vec"
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
		return nil, fmt.Errorf("plane: %d numbers of axes for %d of the mean; give twice as many, of 2 dimensions or more", len(axes), dim)
	}
	p := &Plane{mean: append([]float32(nil), mean...)}
	for i := range p.axes {
		p.axes[i] = append([]float32(nil), axes[i*dim:(i+1)*dim]...)
	}
	for i, v := range mean {
		if v-v != 0 {
			return nil, fmt.Errorf("plane: number %d of the mean is %v; it must be finite", i, v)
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

// least is how many codes a class must have to count.
const least = 2

// width is the squared distance, in multiples of the variance within classes, at
// which two classes' overlap has fallen to 1/e. Of 1 to 6, it leaves most of the
// codes of the shipped bank among their own kind.
const width = 3

// Separate returns the plane on which n codes (n × dim, row by row) with the
// given classes overlap least: it has the least sum, over all pairs of classes,
// of exp(−d²/width), d being how far their means are from each other on the
// plane in standard deviations of a class (Mahalanobis). From the plane of
// pairwise linear discriminants (Loog, Duin and Haeb-Umbach 2001) it descends by
// rotations, one coordinate at a time.
//
// It returns an error if the lengths do not agree, or if less than three classes
// have codes that differ.
func Separate(codes []float32, dim int, labels []uint8) (*Plane, error) {
	n := len(labels)
	if dim < 2 || n == 0 || len(codes) != n*dim {
		return nil, fmt.Errorf("plane: %d numbers for %d labels of codes of %d dimensions", len(codes), n, dim)
	}
	for i, v := range codes {
		if v-v != 0 {
			return nil, fmt.Errorf("plane: coordinate %d of code %d is %v; codes must be finite", i%dim, i/dim, v)
		}
	}
	mean, means, within := moments(codes, dim, labels)
	if len(means) < 3 {
		return nil, fmt.Errorf("plane: there are %d classes of %d codes or more; want 3", len(means), least)
	}
	whiten, err := inverseRoot(within, dim)
	if err != nil {
		return nil, err
	}
	for i, m := range means {
		means[i] = multiply(whiten, m)
	}
	basis := discriminants(means, dim)
	descend(basis, means)
	// Back from the whitened space, and orthonormal there.
	x, y := multiply(whiten, basis[0]), multiply(whiten, basis[1])
	normalize(x)
	s := dot64(x, y)
	for i := range y {
		y[i] -= float64(s * x[i])
	}
	normalize(y)
	p := &Plane{mean: make([]float32, dim), axes: [2][]float32{make([]float32, dim), make([]float32, dim)}}
	for i := range dim {
		p.mean[i], p.axes[0][i], p.axes[1][i] = float32(mean[i]), float32(x[i]), float32(y[i])
	}
	return p, nil
}

// moments returns the mean of all codes, the means of the classes that have
// enough of them, and the covariance within those classes, dim × dim.
func moments(codes []float32, dim int, labels []uint8) (mean []float64, means [][]float64, within []float64) {
	mean = make([]float64, dim)
	var sums [256][]float64
	var count [256]int
	for i, l := range labels {
		if sums[l] == nil {
			sums[l] = make([]float64, dim)
		}
		count[l]++
		for k, v := range codes[i*dim : (i+1)*dim] {
			sums[l][k] += float64(v)
			mean[k] += float64(v) / float64(len(labels))
		}
	}
	for l, s := range sums {
		if count[l] < least {
			continue
		}
		for k := range s {
			s[k] /= float64(count[l])
		}
		means = append(means, s)
	}
	within = make([]float64, dim*dim)
	d, total := make([]float64, dim), 0
	for i, l := range labels {
		if count[l] < least {
			continue
		}
		total++
		for k, v := range codes[i*dim : (i+1)*dim] {
			d[k] = float64(v) - sums[l][k]
		}
		for a, v := range d {
			for b, w := range d {
				within[a*dim+b] += float64(v * w)
			}
		}
	}
	for i := range within {
		within[i] /= float64(max(total, 1))
	}
	return mean, means, within
}

// inverseRoot returns W^(−1/2) of a covariance.
func inverseRoot(w []float64, n int) ([]float64, error) {
	values, vectors := eigen(append([]float64(nil), w...), n)
	// A direction in which classes do not vary at all would count without bound.
	floor := 1e-6 * values[0]
	if !(floor > 0) {
		return nil, fmt.Errorf("plane: the codes of each class are all equal")
	}
	out := make([]float64, n*n)
	for k, v := range vectors {
		scale := 1 / math.Sqrt(max(values[k], floor))
		for a := range n {
			for b := range n {
				out[a*n+b] += float64(float64(v[a]*v[b]) * scale)
			}
		}
	}
	return out, nil
}

// discriminants returns an orthonormal basis of the whitened space whose first
// two directions are the pairwise linear discriminants.
func discriminants(means [][]float64, dim int) [][]float64 {
	between := make([]float64, dim*dim)
	d := make([]float64, dim)
	for i, p := range means {
		for _, q := range means[:i] {
			var square float64
			for k := range d {
				d[k] = p[k] - q[k]
				square += float64(d[k] * d[k])
			}
			if square == 0 {
				continue
			}
			// What two classes at this distance add to the share of codes that a line
			// between them sets apart: nearly 1/d² once it is large.
			weight := 1 / (4 + square)
			for a, v := range d {
				for b, w := range d {
					between[a*dim+b] += float64(float64(v*w) * weight)
				}
			}
		}
	}
	_, basis := eigen(between, dim)
	return basis
}

// descend rotates the first two directions of a basis, each against one of the
// others at a time, until no rotation lessens the overlap of the classes.
func descend(basis, means [][]float64) {
	overlap := func() (sum float64) {
		at := make([][2]float64, len(means))
		for i, m := range means {
			at[i] = [2]float64{dot64(basis[0], m), dot64(basis[1], m)}
			for _, q := range at[:i] {
				dx, dy := at[i][0]-q[0], at[i][1]-q[1]
				sum += float64(vec.Exp1(float32(-(float64(dx*dx) + float64(dy*dy)) / width)))
			}
		}
		return sum
	}
	best := overlap()
	for t := 0.25; t > 1e-3; {
		better := false
		for k := range 2 {
			for j := 2; j < len(basis); j++ {
				for _, half := range []float64{t, -t} {
					turn(basis[k], basis[j], half)
					if now := overlap(); now < best-1e-6 {
						best, better = now, true
					} else {
						turn(basis[k], basis[j], -half)
					}
				}
			}
		}
		if !better {
			t /= 2
		}
	}
}

// turn rotates two directions towards each other, by an angle the tangent of
// whose half is given: so no sine is needed, whose last bit may differ.
func turn(a, b []float64, half float64) {
	square := float64(half * half)
	c, s := (1-square)/(1+square), 2*half/(1+square)
	for i := range a {
		g, h := a[i], b[i]
		a[i] = float64(c*g) + float64(s*h)
		b[i] = float64(c*h) - float64(s*g)
	}
}

func multiply(a, v []float64) []float64 {
	n := len(v)
	out := make([]float64, n)
	for i := range out {
		out[i] = dot64(a[i*n:(i+1)*n], v)
	}
	return out
}

func dot64(a, b []float64) (s float64) {
	for i, v := range a {
		s += float64(v * b[i])
	}
	return s
}

func normalize(v []float64) {
	s := 1 / math.Sqrt(dot64(v, v))
	for i := range v {
		v[i] *= s
	}
}
