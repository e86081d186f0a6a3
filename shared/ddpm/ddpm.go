// Package ddpm is denoising diffusion (J. Ho, A. Jain and P. Abbeel, "Denoising Diffusion
// Probabilistic Models", 2020; the paper's Alg. 2 and 3), which the paper compares its model
// with: the schedule by which noise is added, the net that predicts the noise, and the way
// back through all steps, in any number of dimensions.
//
// All of it gives the same bits on every platform.
package ddpm

import (
	"fmt"
	"iter"
	"math"

	"mppm/shared/fault"
	"mppm/shared/rng"
)

// The linear schedule of Alg. 2.
const (
	First = 1e-4 // β of the first step
	Last  = 0.02 // β of the last
)

// MaxSteps bounds the steps of a schedule, so that a wrong number in a file does
// not take all memory or run for hours.
const MaxSteps = 10_000

// Schedule says how much noise each step of a diffusion adds. Steps are counted
// from 0, as in Alg. 2 and 3. It is immutable and safe for concurrent use.
type Schedule struct {
	kept []float64 // ᾱ_t

	signal, noise []float32 // √ᾱ_t and √(1−ᾱ_t): Alg. 2, line 8
	coef, scale   []float32 // coef_t = β_t/√(1−ᾱ_t) and 1/√α_t: Alg. 3, line 4
	sigma         []float32 // σ_t = √β_t: Alg. 3, line 7, and the first choice of Ho et al.
}

// Linear returns the schedule of so many steps whose β goes from first to last
// along a line. It returns an error if steps is not in [1, MaxSteps] or a β not
// between 0 and 1.
func Linear(first, last float64, steps int) (*Schedule, error) {
	if steps < 1 || steps > MaxSteps {
		return nil, fmt.Errorf("diffusion: %d steps; give 1 to %d", steps, MaxSteps)
	}
	for _, b := range []float64{first, last} {
		if !(b > 0 && b < 1) {
			return nil, fmt.Errorf("diffusion: β is %v; it must be between 0 and 1", b)
		}
	}
	s := &Schedule{}
	kept := 1.0
	for t := range steps {
		beta := first
		if t > 0 {
			beta += float64((last - first) * float64(t) / float64(steps-1))
		}
		kept = float64(kept * (1 - beta))
		s.kept = append(s.kept, kept)
		s.signal = append(s.signal, float32(math.Sqrt(kept)))
		s.noise = append(s.noise, float32(math.Sqrt(1-kept)))
		s.coef = append(s.coef, float32(beta/math.Sqrt(1-kept)))
		s.scale = append(s.scale, float32(1/math.Sqrt(1-beta)))
		s.sigma = append(s.sigma, float32(math.Sqrt(beta)))
	}
	return s, nil
}

// Len returns T, the number of steps.
func (s *Schedule) Len() int { return len(s.kept) }

// Kept returns ᾱ_t: the share of a clean point's variance that is left after
// step t in [0, Len).
func (s *Schedule) Kept(t int) float64 { return s.kept[t] }

// Time returns the time t/T that the noise predictor is told at step t.
func (s *Schedule) Time(t int) float64 { return float64(t) / float64(s.Len()) }

// Diffuse writes to dst the point x as it is after step t in [0, Len), with
// standard normal noise e: Alg. 2, line 8. dst may be x.
func (s *Schedule) Diffuse(dst, x, e []float32, t int) {
	a, b := s.signal[t], s.noise[t]
	for i, v := range x {
		dst[i] = float32(a*v) + float32(b*e[i])
	}
}

// Match returns after how many steps, 0 to Len, diffusion has given points the
// noise that they have when noise of a standard deviation spread is added to
// clean ones: the number n for which √(1−ᾱ)/√ᾱ after n steps is closest to it.
func (s *Schedule) Match(spread float64) int {
	best, off := 0, math.Abs(spread)
	for t, k := range s.kept {
		if d := math.Abs(math.Sqrt((1-k)/k) - spread); d < off {
			best, off = t+1, d
		}
	}
	return best
}

// Enter scales points x, clean ones with added noise, in place as diffusion has
// them after steps in [0, Len], so that Run can start from there: by √ᾱ. Run
// from 0 steps leaves points as they are, and so does Enter.
func (s *Schedule) Enter(x []float32, steps int) {
	if steps == 0 {
		return
	}
	a := s.signal[steps-1]
	for i := range x {
		x[i] *= a
	}
}

// Predictor predicts the noise in points.
type Predictor interface {
	// Dim returns the number of coordinates of a point.
	Dim() int
	// Predict writes to noise the standard normal noise that is in each point of
	// x, rows of Dim numbers, at a time t/T in [0, 1): ε_θ(x, t/T).
	Predict(noise, x []float32, time float64)
}

// Step is where a batch of points is after Index steps back. Its slice is the
// sampler's own and changes with the next step.
type Step struct {
	Index int       // 0 is the start
	Left  int       // steps still to take
	X     []float32 // the points, n × Dim
}

// Run takes n points x (n × Dim) back through the last so many steps of the
// diffusion, in place, and yields the start and then every step: Alg. 3. From
// pure noise that is all Len of them. Point i draws from sources[i] alone and
// does not depend on the others.
//
// Run returns an error if steps is not in [0, Len] or there is not one source
// for each point.
func (s *Schedule) Run(p Predictor, steps int, x []float32, sources []*rng.Source) (iter.Seq[Step], error) {
	dim := p.Dim()
	if steps < 0 || steps > s.Len() {
		return nil, fmt.Errorf("diffusion: %d steps; give 0 to %d", steps, s.Len())
	}
	if dim < 1 || len(x) != dim*len(sources) {
		return nil, fault.New(fault.ErrSize, "diffusion: %d numbers for %d points of %d dimensions", len(x), len(sources), dim)
	}
	return func(yield func(Step) bool) {
		e, z := make([]float32, len(x)), make([]float32, dim)
		for t := steps; ; t-- {
			if !yield(Step{Index: steps - t, Left: t, X: x}) || t == 0 {
				return
			}
			p.Predict(e, x, s.Time(t-1))
			coef, scale, sigma := s.coef[t-1], s.scale[t-1], s.sigma[t-1]
			for i, src := range sources {
				at := x[i*dim : (i+1)*dim]
				if t > 1 {
					src.FillNorm(z, sigma)
				} else {
					clear(z)
				}
				for k, v := range at {
					at[k] = float32((v-float32(coef*e[i*dim+k]))*scale) + z[k]
				}
			}
		}
	}, nil
}
