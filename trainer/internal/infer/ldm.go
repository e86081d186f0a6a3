package infer

import (
	"context"
	"fmt"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/trainer/internal/imageio"
)

// streamDiffusion + i is the stream of what diffusion draws for image i that it
// restores; the damage draws from stream i.
const streamDiffusion = 1 << 40

// RestoreLDM is Restore with the latent diffusion model: the code of an image
// enters the diffusion after so many steps, as m.Start gives them, and goes back
// through them.
func RestoreLDM(ctx context.Context, m *ldm.Model, steps int, d *degrade.Degradation, images []byte, o Options) (*Restored, error) {
	return restore(ctx, m.Autoencoder, func(batch int) restorer {
		r := m.Runner(batch)
		return func(dst, x []float32, first int) error {
			z := make([]float32, len(x)/m.Pixels()*m.Latent())
			var skips latent.Skips
			r.EncodeSkips(z, x, &skips)
			seq, err := r.Restore(z, steps, sources(o.Seed, streamDiffusion+first, len(z)/m.Latent()))
			if err != nil {
				return err
			}
			for range seq {
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			return decode(r, dst, z, &skips, first)
		}
	}, d, images, o)
}

// GenerateLDM grows n images from pure noise with the latent diffusion model, and
// returns their bytes. Image i depends on the seed and i alone.
func GenerateLDM(ctx context.Context, m *ldm.Model, n int, o Options) ([]byte, error) {
	size := m.Pixels()
	out := make([]byte, n*size)
	err := each(ctx, m.Runner, n, size, o, func(r *ldm.Runner, lo, hi int) error {
		z := make([]float32, (hi-lo)*m.Latent())
		seq, err := r.Generate(z, sources(o.Seed, lo, hi-lo))
		if err != nil {
			return err
		}
		for range seq {
			if ctx.Err() != nil { // thousands of steps are a long time
				return ctx.Err()
			}
		}
		x := make([]float32, (hi-lo)*size)
		if err := decode(r, x, z, nil, lo); err != nil {
			return err
		}
		imageio.Quantize(out[lo*size:hi*size], x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TrajectoryLDM is Trajectory for the latent diffusion model, of the images that
// RestoreLDM numbers from 0.
func TrajectoryLDM(m *ldm.Model, start int, x []float32, seed uint64, k int) (steps []int, images [][]float32, err error) {
	n := len(x) / m.Pixels()
	r := m.Runner(min(n, together(m.Pixels())))
	z := make([]float32, n*m.Latent())
	var skips latent.Skips
	r.EncodeSkips(z, x, &skips)
	seq, err := r.Restore(z, start, sources(seed, streamDiffusion, n))
	if err != nil {
		return nil, nil, err
	}
	for s := range seq {
		if s.Index%k != 0 && s.Left > 0 {
			continue
		}
		codes, x := make([]float32, len(z)), make([]float32, n*m.Pixels())
		r.Codes(codes, s.X, s.Left)
		r.DecodeSkips(x, codes, &skips, nil)
		steps, images = append(steps, s.Index), append(images, x)
	}
	return steps, images, nil
}

// decode makes images x of points z of the diffusion at its end, and for a U-Net of the
// skips of the damaged images, if there are any. first is the number of the first image,
// for messages.
func decode(r *ldm.Runner, x, z []float32, skips *latent.Skips, first int) error {
	r.Codes(z, z, 0)
	r.DecodeSkips(x, z, skips, nil)
	if err := r.CheckImages(x); err != nil {
		return fmt.Errorf("images from %d on: %w: the weights overflow", first, err)
	}
	return nil
}

func sources(seed uint64, first, n int) []*rng.Source {
	all := make([]*rng.Source, n)
	for i := range all {
		all[i] = rng.New(seed, uint64(first+i))
	}
	return all
}
