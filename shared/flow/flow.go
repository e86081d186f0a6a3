// Package flow moves points down a distance and up a density onto the manifold
// of clean data, step by step, and yields every step. It knows neither images nor nets:
// what the distance and the density are, a Field says. The step is that of Eq. 13 and 15,
// in both of the paper's spaces: Alg. 1 (MPPM, of points as they are) and Alg. 4 (LMPPM, of
// the codes of images).
package flow

import (
	"fmt"
	"iter"
	"math"

	"mppm/shared/fault"
)

// Field is what a flow follows. Points are rows of Dim numbers.
type Field interface {
	// Dim returns the number of coordinates of a point.
	Dim() int
	// Mean writes to mean the kernel mean at each point of x: Ḡ(x) of Eq. 12,
	// or z̄ of Eq. 21. A flow with β > 0 asks for it once a step.
	Mean(mean, x []float32)
	// Distance writes to d the distance of each point of x to the manifold,
	// never negative, and to grad its gradient of length 1 (Eq. 14), or of
	// length 0 where there is none.
	Distance(d, grad, x []float32)
}

// Params are the parameters of a flow.
type Params struct {
	Alpha     float32 // α: share of the distance undone in a step, in [0, 1)
	Beta      float32 // β: weight of the kernel mean, in [0, 1); α+β < 1
	Tau       float32 // τ ≥ 0: the distance at which the gate is half open; 0: no gate
	Steps     int     // at most so many steps, in [0, MaxSteps]
	Tolerance float32 // ≥ 0: a point that moves by no more than this has arrived; 0: never
}

// MaxSteps bounds Params.Steps, so that a wrong number in a file, a link or a
// request does not run for hours.
const MaxSteps = 10_000

// Validate returns an error that says which parameter is out of range. α = 0 and
// β = 0 are the ablations of Table 1.
func (p Params) Validate() error {
	for _, c := range []struct {
		name  string
		value float32
	}{{"α", p.Alpha}, {"β", p.Beta}, {"τ", p.Tau}, {"the tolerance", p.Tolerance}} {
		if !(c.value >= 0) || math.IsInf(float64(c.value), 0) {
			return fmt.Errorf("flow: %s is %v; it must be a number of at least 0", c.name, c.value)
		}
	}
	if s := p.Alpha + p.Beta; s >= 1 {
		return fmt.Errorf("flow: α+β is %v (α %v, β %v); it must be less than 1", s, p.Alpha, p.Beta)
	}
	if p.Steps < 0 || p.Steps > MaxSteps {
		return fmt.Errorf("flow: %d steps; give 0 to %d", p.Steps, MaxSteps)
	}
	return nil
}

// Step is where a batch of points is after Index steps. Its slices are the
// flow's own and change with the next step.
type Step struct {
	Index    int       // 0 is the start
	X        []float32 // the points, n × Dim
	Distance []float32 // D at each point, n
	Moved    []float32 // length of the move that led here, n; 0 at the start and for points that have arrived
	Active   int       // points that have not arrived
}

// Run flows the points of x (n × Dim) in place and yields the start and then
// every step, until Steps are done or every point has arrived:
//
//	x' = (1-β)x + β·Ḡ(x) − α·D(x)·∇̂D(x)      (Eq. 15)
//
// With τ > 0 the distance gates the density: β becomes β·D/(D+τ), so that the
// kernel pulls far from the manifold and lets go near it.
//
// Points do not affect one another: a batch gives what its points give alone.
// Run returns an error if p is not valid or x is not a whole number of points.
func Run(f Field, p Params, x []float32) (iter.Seq[Step], error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	dim := f.Dim()
	if dim < 1 || len(x)%dim != 0 {
		return nil, fault.New(fault.ErrSize, "flow: %d numbers are not a whole number of points of %d dimensions", len(x), dim)
	}
	return func(yield func(Step) bool) {
		n := len(x) / dim
		s := Step{X: x, Distance: make([]float32, n), Moved: make([]float32, n), Active: n}
		grad := make([]float32, len(x))
		mean := make([]float32, len(x))
		arrived := make([]bool, n)
		f.Distance(s.Distance, grad, x)
		for {
			if !yield(s) || s.Index == p.Steps || s.Active == 0 {
				return
			}
			if p.Beta > 0 {
				f.Mean(mean, x)
			}
			for i := range n {
				if arrived[i] {
					s.Moved[i] = 0
					continue
				}
				at := i * dim
				s.Moved[i] = p.move(x[at:at+dim], mean[at:at+dim], grad[at:at+dim], s.Distance[i])
				if p.Tolerance > 0 && s.Moved[i] <= p.Tolerance {
					arrived[i] = true
					s.Active--
				}
			}
			f.Distance(s.Distance, grad, x)
			s.Index++
		}
	}, nil
}

// move takes one step of one point and returns its length. Products are rounded
// by explicit conversions, so that every platform computes the same bits.
func (p Params) move(x, mean, grad []float32, d float32) float32 {
	beta := p.Beta
	if p.Tau > 0 {
		beta = float32(beta*d) / (d + p.Tau)
	}
	fall := float32(p.Alpha * d)
	var sum float32
	for i, v := range x {
		step := -float32(fall * grad[i])
		if beta > 0 {
			step += float32(beta * (mean[i] - v))
		}
		x[i] = v + step
		sum += float32(step * step)
	}
	return float32(math.Sqrt(float64(sum)))
}

// Unit scales each row of dim numbers of g to length 1 (Eq. 14); one of length 0
// stays.
func Unit(g []float32, dim int) {
	for ; len(g) >= dim; g = g[dim:] {
		var sum float32
		for _, v := range g[:dim] {
			sum += float32(v * v)
		}
		if sum == 0 {
			continue
		}
		s := 1 / float32(math.Sqrt(float64(sum)))
		for i := range g[:dim] {
			g[i] *= s
		}
	}
}
