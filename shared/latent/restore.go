package latent

import (
	"iter"

	"mppm/shared/flow"
)

// Frame is a step of a restoration. Index counts the steps of all rounds.
type Frame struct {
	flow.Step
	// Local is the distance at each pixel of the images that the round began with, in units
	// of the pixels (n × H·W); nil where the flow does not ask for it. The slice is the
	// restoration's own.
	Local []float32
	draw  func() []float32
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
// With L, the distance is known at each pixel as well. It weighs the skips there
// (p.Local), and pixels that are near enough to where they should be stay there (p.Keep):
// the images are v·x + (1−v)·x', with
//
//	v = s⁴/(s⁴ + L⁴) · f⁴/(f⁴ + 0.25⁴),   s = t·(0.2 + 0.8·y)
//
// where y is how bright the pixel is, for in the dark less is seen as wrong, and f the mean
// over the image of the first factor with 0.03 in place of s: the share of pixels that are
// right beyond doubt. An image that is off nearly everywhere, as an
// over-sharpened one is, has few of those and more that seem right: none is kept.
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
		var trust Trust
		var local, keep []float32
		if p.Trust > 0 {
			trust.Image = make([]float32, n)
		}
		area := r.Image().H * r.Image().W
		if p.Local > 0 || p.Keep > 0 {
			local = make([]float32, n*area)
		}
		if p.Local > 0 {
			trust.Pixel = make([]float32, n*area)
		}
		if p.Keep > 0 {
			keep = make([]float32, n*area)
		}
		index := 0
		for round := range max(1, p.Rounds) {
			r.EncodeSkips(z, y, &skips)
			if local != nil {
				r.Coder.Local(local, y, &skips)
				weigh(trust.Pixel, local, p.Local)
				retain(keep, local, y, p.Keep, area)
			}
			steps, err := r.Flow(z, p)
			if err != nil { // p was checked
				return
			}
			var last Frame
			for s := range steps {
				first := s.Index == 0
				if first {
					weigh(trust.Image, s.Distance, p.Trust*r.Bank.Spacing)
				}
				s.Index = index
				drawn := false
				last = Frame{s, local, func() []float32 {
					if !drawn {
						r.DecodeSkips(image, z, &skips, &trust)
						blend(image, y, keep)
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

// weigh writes to w t²/(t² + d²) of each distance d, unless w is nil.
func weigh(w, d []float32, t float32) {
	for i := range w {
		w[i] = float32(t*t) / (float32(t*t) + float32(d[i]*d[i]))
	}
}

// retain writes to v how far each pixel of the images y stays as it is, L being d, of so
// many pixels each, unless v is nil.
func retain(v, d, y []float32, t float32, area int) {
	if v == nil {
		return
	}
	const sure, least, dark = 0.03, 0.25, 0.2
	four := func(x float32) float32 { return float32(x*x) * float32(x*x) }
	right, few := four(sure), four(least)
	channels := len(y) / len(v)
	for ; len(v) > 0; v, d, y = v[area:], d[area:], y[area*channels:] {
		var f float32
		for i := range area {
			var light float32
			for _, x := range y[i*channels : (i+1)*channels] {
				light += x
			}
			light = min(max(light/float32(channels), 0), 1)
			near, off := four(t*(dark+float32((1-dark)*light))), four(d[i])
			v[i] = near / (near + off)
			f += right / (right + off)
		}
		f = four(f / float32(area))
		for i := range area {
			v[i] *= f / (f + few)
		}
	}
}

// blend writes v·y + (1−v)·x to x, with one weight for all channels of a pixel, unless
// there are none.
func blend(x, y, v []float32) {
	if v == nil {
		return
	}
	channels := len(x) / len(v)
	for p, v := range v {
		for k := p * channels; k < (p+1)*channels; k++ {
			x[k] = float32(v*y[k]) + float32((1-v)*x[k])
		}
	}
}
