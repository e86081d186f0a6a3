package manifold

import (
	"mppm/shared/link"
	"mppm/wasm/app/timeline"
)

// Path is how a method takes the point home.
type Path struct {
	X    [][3]float64 // the start and every step
	Off  []float64    // distances of these to the curve
	D    []float64    // the learned ones
	rate float64      // steps in one of the timeline
}

// Steps returns how many steps the method takes.
func (p *Path) Steps() int { return len(p.X) - 1 }

// fine returns where on the path's own steps a place of the timeline is.
func (p *Path) fine(pos float64) float64 {
	return min(max(pos, 0)*p.rate, float64(p.Steps()))
}

// At returns where the point is at a place of the timeline, and how far that is
// from the curve.
func (p *Path) At(pos float64) (x [3]float64, off float64) {
	k, t := timeline.Between(p.fine(pos), p.Steps())
	if t == 0 {
		return p.X[k], p.Off[k]
	}
	return mix(p.X[k], p.X[k+1], t), p.Off[k] + (p.Off[k+1]-p.Off[k])*t
}

// Construction is what MPPM sees at a point, as Fig. 3 draws it.
type Construction struct {
	Mean       [3]float64 // the kernel mean Ḡ(x), Eq. 19
	Projection [3]float64 // x* = G(F(x)), Eq. 18
	Foot       [3]float64 // x − D(x)∇̂D(x): where the learned distance ends
	Next       [3]float64 // the step of Eq. 15 that follows from Ḡ and the foot
}

// compute has every method take the point home.
func (r *Room) compute(c *curve) error {
	f := &r.s.Figure
	r.paths, r.constructions = nil, nil
	paths := map[link.Method]*Path{}
	x := c.row(f.At)
	seq, err := c.run.Flow(append([]float32(nil), x...), f.Flow)
	if err != nil {
		return err
	}
	flow := &Path{rate: 1}
	for step := range seq {
		c.add(flow, step.X)
		t, err := c.construct(step.X, f.Flow)
		if err != nil {
			return err
		}
		r.constructions = append(r.constructions, t)
	}
	paths[link.MPPM] = flow

	once := &Path{rate: 1}
	c.add(once, x)
	y := make([]float32, len(x))
	c.run.DAE(y, x)
	c.add(once, y)
	paths[link.DAE] = once

	diffused := &Path{}
	if r.noise, err = c.diffuse(diffused, x, f.Seed); err != nil {
		return err
	}
	diffused.rate = float64(diffused.Steps()) / float64(max(flow.Steps(), 1))
	paths[link.DDPM] = diffused
	r.paths = paths
	return nil
}

// Path returns how a method takes the point home, nil before it does.
func (r *Room) Path(m link.Method) *Path { return r.paths[m] }

// Construction returns what MPPM sees at a step, and whether there is one.
func (r *Room) Construction(step int) (Construction, bool) {
	if len(r.constructions) == 0 {
		return Construction{}, false
	}
	return r.constructions[min(max(step, 0), len(r.constructions)-1)], true
}
