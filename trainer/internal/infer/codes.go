package infer

import (
	"context"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/trainer/internal/imageio"
)

// Codes returns F(x) of images (bytes, 784 each), degraded if d is not nil: where
// Restore starts the flow. Whoever tries many flows on the same images needs
// them once.
func Codes(ctx context.Context, m *latent.Model, d *degrade.Degradation, images []byte, o Options) ([]float32, error) {
	n := len(images) / latent.Pixels
	codes := make([]float32, n*latent.Latent)
	err := each(ctx, m.Runner, n, o, func(r *latent.Runner, lo, hi int) error {
		x, err := degraded(images, lo, hi, d, o.Seed)
		if err != nil {
			return err
		}
		r.Encode(codes[lo*latent.Latent:hi*latent.Latent], x)
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
	n := len(codes) / latent.Latent
	out := &Restored{Pixels: make([]byte, n*latent.Pixels), Output: make([]Score, n)}
	err := each(ctx, m.Runner, n, o, func(r *latent.Runner, lo, hi int) error {
		z := append([]float32(nil), codes[lo*latent.Latent:hi*latent.Latent]...)
		x := make([]float32, (hi-lo)*latent.Pixels)
		if err := finish(r, x, z, p, lo); err != nil {
			return err
		}
		imageio.Quantize(out.Pixels[lo*latent.Pixels:hi*latent.Pixels], x)
		return out.score(clean, lo, hi)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
