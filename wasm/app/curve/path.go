package curve

import (
	"mppm/shared/ambient"
	"mppm/wasm/app/timeline"
)

// Path is how a method takes the point home.
type Path struct {
	X    [][3]float64 // the start and every step
	Off  []float64    // distances of these to the curve
	D    []float64    // the learned ones
	Rate float64      // steps in one of the timeline
}

// Steps returns how many steps the method takes.
func (p *Path) Steps() int { return len(p.X) - 1 }

// Fine returns where on the path's own steps a place of the timeline is.
func (p *Path) Fine(pos float64) float64 {
	return min(max(pos, 0)*p.Rate, float64(p.Steps()))
}

// At returns where the point is at a place of the timeline, and how far that is
// from the curve.
func (p *Path) At(pos float64) (x [3]float64, off float64) {
	k, t := timeline.Between(p.Fine(pos), p.Steps())
	if t == 0 {
		return p.X[k], p.Off[k]
	}
	return Mix(p.X[k], p.X[k+1], t), p.Off[k] + (p.Off[k+1]-p.Off[k])*t
}

// Construction is what MPPM sees at a point, as Fig. 3 draws it.
type Construction struct {
	Mean       [3]float64 // the kernel mean Ḡ(x), Eq. 19
	Projection [3]float64 // x* = G(F(x)), Eq. 18
	Foot       [3]float64 // x − D(x)∇̂D(x): where the learned distance ends
	Next       [3]float64 // the step of Eq. 15 that follows from Ḡ and the foot
}

// Ways are how the methods take a point home.
type Ways struct {
	MPPM, DAE, DDPM Path
	Constructions   []Construction // at each step of MPPM
	Noise           float64        // standard deviation of what diffusion was told
}

// Home has every method take a point home: MPPM by a flow, diffusion with noise of a seed.
// Distances are to a line, or without one to that through the curve's points. It returns
// an error if the flow is not valid.
func (c *Curve) Home(at [3]float64, p ambient.Preset, seed uint64, along *Line) (*Ways, error) {
	if along == nil || len(along.Points) == 0 {
		along = &c.Line
	}
	w := &Ways{MPPM: Path{Rate: 1}, DAE: Path{Rate: 1}}
	x := c.Row(at)
	seq, err := c.run.Flow(append([]float32(nil), x...), p)
	if err != nil {
		return nil, err
	}
	for step := range seq {
		c.add(&w.MPPM, step.X, along)
		t, err := c.construct(step.X, p)
		if err != nil {
			return nil, err
		}
		w.Constructions = append(w.Constructions, t)
	}
	c.add(&w.DAE, x, along)
	y := make([]float32, len(x))
	c.run.DAE(y, x)
	c.add(&w.DAE, y, along)
	if w.Noise, err = c.diffuse(&w.DDPM, x, seed, along); err != nil {
		return nil, err
	}
	w.DDPM.Rate = float64(w.DDPM.Steps()) / float64(max(w.MPPM.Steps(), 1))
	return w, nil
}
