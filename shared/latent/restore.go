package latent

import (
	"iter"

	"mppm/shared/flow"
)

// Frame is a step of a restoration. Index counts the steps of all rounds.
type Frame struct {
	flow.Step
	draw func() []float32
}

// Image returns the images that the restoration has come to (n × pixels), computed when
// they are asked for. The slice is the restoration's own and changes with the next frame.
func (f Frame) Image() []float32 { return f.draw() }

// Restoration restores n images x (n × pixels), and yields the start and every step.
//
// Of a model without skips that is Alg. 4: x is encoded, its codes flow, and a frame's
// images are their decoded codes. Of a U-Net it is the iteration of App. B.3: in each
// round the images are encoded, (S, z) = F(x), z flows, and
//
//	x' = G(w·S + (1−w)·Ŝ(z'), z'),   w = t²/(t² + D(z)²)
//
// with the trust t of the preset: far from the codes the projections count, near them
// the skips. With t = 0 the skips are as they are.
//
// x is not changed. Restoration returns an error if p is not valid, needs a D that the model
// does not have, or x is not a whole number of images.
func (r *Runner) Restoration(x []float32, p Preset) (iter.Seq[Frame], error) {
	if err := r.check(p); err != nil {
		return nil, err
	}
	if err := r.CheckImages(x); err != nil {
		return nil, err
	}
	return func(yield func(Frame) bool) {
		n := len(x) / r.Pixels()
		y, z := append([]float32(nil), x...), make([]float32, n*r.Latent())
		image := make([]float32, len(x))
		var skips Skips
		var trust []float32
		if p.Trust > 0 {
			trust = make([]float32, n)
		}
		index := 0
		for round := range max(1, p.Rounds) {
			r.EncodeSkips(z, y, &skips)
			steps, err := r.Flow(z, p)
			if err != nil { // p was checked
				return
			}
			var last Frame
			for s := range steps {
				first := s.Index == 0
				if first && trust != nil {
					t := p.Trust * r.Bank.Spacing
					for i, d := range s.Distance {
						trust[i] = float32(t*t) / (float32(t*t) + float32(d*d))
					}
				}
				s.Index = index
				drawn := false
				last = Frame{s, func() []float32 {
					if !drawn {
						r.DecodeSkips(image, z, &skips, trust)
						drawn = true
					}
					return image
				}}
				if first && round > 0 { // where the last round has led, encoded again
					continue
				}
				index++
				if !yield(last) {
					return
				}
			}
			if round+1 < p.Rounds {
				copy(y, last.Image())
			}
		}
	}, nil
}
