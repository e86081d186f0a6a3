package infer

import (
	"context"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/trainer/internal/imageio"
)

// Codes returns F(x) of images (bytes), degraded if d is not nil: where
// Restore starts the flow. Whoever tries many flows on the same images needs
// them once.
func Codes(ctx context.Context, m *latent.Model, d *degrade.Degradation, images []byte, o Options) ([]float32, error) {
	n, dim := len(images)/m.Pixels(), m.Latent()
	codes := make([]float32, n*dim)
	err := each(ctx, m.Runner, n, m.Pixels(), o, func(r *latent.Runner, lo, hi int) error {
		x, err := degraded(m.Image(), images, lo, hi, d, o.Seed)
		if err != nil {
			return err
		}
		r.Encode(codes[lo*dim:hi*dim], x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// RestoreCodes is the rest of Restore: it flows codes, which it leaves alone,
// and scores what they are decoded to against the clean images.
func RestoreCodes(ctx context.Context, m *latent.Model, p latent.Preset, codes []float32, clean []byte, o Options) (*Restored, error) {
	size, dim := m.Pixels(), m.Latent()
	n := len(codes) / dim
	out := &Restored{Pixels: make([]byte, n*size), Output: make([]Score, n)}
	err := each(ctx, m.Runner, n, m.Pixels(), o, func(r *latent.Runner, lo, hi int) error {
		z := append([]float32(nil), codes[lo*dim:hi*dim]...)
		x := make([]float32, (hi-lo)*size)
		if err := finish(r, x, z, p, lo); err != nil {
			return err
		}
		part := out.Pixels[lo*size : hi*size]
		imageio.Quantize(part, x)
		return score(out.Output[lo:hi], m.Image(), Floats(part), Floats(clean[lo*size:hi*size]))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
