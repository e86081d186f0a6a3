// Package infer runs a model over any number of images, on all cores, through
// exactly the code that the browser runs. What it computes depends on the
// images, the model and the seed; not on the number of cores.
package infer

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/trainer/internal/imageio"
)

// batch is how many images go through the nets together. It divides the work
// among the cores, and no image depends on it.
const batch = 50

// Options are what the work can be told.
type Options struct {
	Workers  int         // goroutines; 0: one for each core
	Seed     uint64      // image i draws from the stream rng.New(Seed, i)
	Progress func(n int) // told of n more images, from any goroutine; may be nil
}

// Score says how far an image is from the clean one.
type Score struct {
	MSE, PSNR, SSIM float64 // PSNR in dB, infinite for equal images
}

// Mean returns the mean of scores. Images that equal the clean one have no
// finite PSNR: its mean is that of the others, and infinite if there are none.
func Mean(scores []Score) Score {
	var sum Score
	finite := 0
	for _, s := range scores {
		sum.MSE += s.MSE
		sum.SSIM += s.SSIM
		if !math.IsInf(s.PSNR, 0) {
			sum.PSNR += s.PSNR
			finite++
		}
	}
	n := float64(len(scores))
	mean := Score{MSE: sum.MSE / n, SSIM: sum.SSIM / n, PSNR: math.Inf(1)}
	if finite > 0 {
		mean.PSNR = sum.PSNR / float64(finite)
	}
	return mean
}

// Restored is the outcome of Restore.
type Restored struct {
	Pixels []byte // of n images, 784 each
	// Degraded and Output score what went into the model, and Pixels, against
	// the input, one score for each image. They are nil where the input was not
	// degraded, for then nothing clean is known.
	Degraded, Output []Score
}

// Restore degrades images (bytes, 784 each) if d is not nil, and restores them
// by the flow p: G(flow(F(x))), Alg. 4.
func Restore(ctx context.Context, m *latent.Model, p latent.Preset, d *degrade.Degradation, images []byte, o Options) (*Restored, error) {
	return restore(ctx, func(batch int) restorer {
		r := m.Runner(batch)
		return func(dst, x []float32, first int) error {
			z := make([]float32, len(x)/latent.Pixels*latent.Latent)
			r.Encode(z, x)
			return finish(r, dst, z, p, first)
		}
	}, d, images, o)
}

// restorer writes to dst the restored images x, of which the first has the given
// number.
type restorer func(dst, x []float32, first int) error

// restore is Restore by any method: start returns a restorer for one goroutine.
func restore(ctx context.Context, start func(batch int) restorer, d *degrade.Degradation, images []byte, o Options) (*Restored, error) {
	n := len(images) / latent.Pixels
	out := &Restored{Pixels: make([]byte, n*latent.Pixels)}
	if d != nil {
		out.Degraded, out.Output = make([]Score, n), make([]Score, n)
	}
	err := each(ctx, start, n, o, func(restore restorer, lo, hi int) error {
		x, err := degraded(images, lo, hi, d, o.Seed)
		if err != nil {
			return err
		}
		result := make([]float32, len(x))
		if err := restore(result, x, lo); err != nil {
			return err
		}
		imageio.Quantize(out.Pixels[lo*latent.Pixels:hi*latent.Pixels], result)
		if d == nil {
			return nil
		}
		clean := Floats(images[lo*latent.Pixels : hi*latent.Pixels])
		for i := range hi - lo {
			if out.Degraded[lo+i], err = score(at(x, i), at(clean, i)); err != nil {
				return err
			}
		}
		return out.score(images, lo, hi)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// score scores the images lo … hi−1 of the output, as others will read them,
// against the clean ones.
func (r *Restored) score(clean []byte, lo, hi int) error {
	x, y := Floats(r.Pixels[lo*latent.Pixels:hi*latent.Pixels]), Floats(clean[lo*latent.Pixels:hi*latent.Pixels])
	for i := range hi - lo {
		var err error
		if r.Output[lo+i], err = score(at(x, i), at(y, i)); err != nil {
			return err
		}
	}
	return nil
}

// degraded returns the images lo … hi−1 as numbers, degraded if d is not nil.
func degraded(images []byte, lo, hi int, d *degrade.Degradation, seed uint64) ([]float32, error) {
	x := Floats(images[lo*latent.Pixels : hi*latent.Pixels])
	if d == nil {
		return x, nil
	}
	for i := range hi - lo {
		if err := Degrade(at(x, i), at(x, i), *d, seed, lo+i); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Damage returns the degraded form of images (bytes, 784 each), cut off at black
// and white.
func Damage(ctx context.Context, d degrade.Degradation, images []byte, o Options) ([]byte, error) {
	out := make([]byte, len(images))
	nothing := func(int) struct{} { return struct{}{} }
	err := each(ctx, nothing, len(images)/latent.Pixels, o, func(_ struct{}, lo, hi int) error {
		x, err := degraded(images, lo, hi, &d, o.Seed)
		if err != nil {
			return err
		}
		imageio.Quantize(out[lo*latent.Pixels:hi*latent.Pixels], x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Degrade writes to dst the degraded form of image number i, whose clean form
// is src: as Restore does it.
func Degrade(dst, src []float32, d degrade.Degradation, seed uint64, i int) error {
	if err := d.Apply(dst, src, latent.Side, latent.Side, rng.New(seed, uint64(i))); err != nil {
		return fmt.Errorf("image %d: %w", i, err)
	}
	if err := latent.CheckImage(dst); err != nil {
		return fmt.Errorf("image %d, degraded: %w", i, err)
	}
	return nil
}

// Generate grows n images from noise by the flow p, and returns their bytes.
// Image i depends on the seed, the flow and i alone.
func Generate(ctx context.Context, m *latent.Model, p latent.Preset, n int, o Options) ([]byte, error) {
	out := make([]byte, n*latent.Pixels)
	own := *m // the spread of the starts is p's
	own.Generate = p
	err := each(ctx, own.Runner, n, o, func(r *latent.Runner, lo, hi int) error {
		z := make([]float32, (hi-lo)*latent.Latent)
		for i := range hi - lo {
			r.Noise(z[i*latent.Latent:(i+1)*latent.Latent], rng.New(o.Seed, uint64(lo+i)))
		}
		x := make([]float32, (hi-lo)*latent.Pixels)
		if err := finish(r, x, z, p, lo); err != nil {
			return err
		}
		imageio.Quantize(out[lo*latent.Pixels:hi*latent.Pixels], x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Trajectory flows the images x (numbers, 784 each) and returns them as they
// are decoded after the steps whose numbers it also returns: every k-th, and the
// last.
func Trajectory(m *latent.Model, p latent.Preset, x []float32, k int) (steps []int, images [][]float32, err error) {
	n := len(x) / latent.Pixels
	r := m.Runner(n)
	z := make([]float32, n*latent.Latent)
	r.Encode(z, x)
	seq, err := r.Flow(z, p)
	if err != nil {
		return nil, nil, err
	}
	var codes [][]float32
	last := 0
	for s := range seq {
		last = s.Index
		if s.Index%k == 0 {
			steps = append(steps, s.Index)
			codes = append(codes, append([]float32(nil), s.X...))
		}
	}
	if steps[len(steps)-1] != last {
		steps, codes = append(steps, last), append(codes, z)
	}
	for _, z := range codes {
		x := make([]float32, n*latent.Pixels)
		r.Decode(x, z)
		images = append(images, x)
	}
	return steps, images, nil
}

// finish flows the codes z and decodes them into x. first is the number of the
// first image, for messages.
func finish(r *latent.Runner, x, z []float32, p latent.Preset, first int) error {
	seq, err := r.Flow(z, p)
	if err != nil {
		return err
	}
	for range seq {
	}
	r.Decode(x, z)
	if err := latent.CheckImage(x); err != nil {
		return fmt.Errorf("images from %d on: %w: the weights or the flow's parameters overflow", first, err)
	}
	return nil
}

// each cuts n images into batches and has work do them, on as many goroutines
// as o says, each with what start made for it. It returns the error of the lowest
// batch that failed before the others stopped.
func each[R any](ctx context.Context, start func(batch int) R, n int, o Options, work func(r R, lo, hi int) error) error {
	batches := (n + batch - 1) / batch
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	// More than a few for each core gain nothing, and each has its own workspace.
	workers = min(workers, batches, 4*runtime.GOMAXPROCS(0))
	errs := make([]error, batches)
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			r := start(min(batch, n))
			for !failed.Load() && ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= batches {
					return
				}
				lo, hi := k*batch, min((k+1)*batch, n)
				if errs[k] = work(r, lo, hi); errs[k] != nil {
					failed.Store(true)
					return
				}
				if o.Progress != nil {
					o.Progress(hi - lo)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// at returns image i of x.
func at(x []float32, i int) []float32 { return x[i*latent.Pixels : (i+1)*latent.Pixels] }

// Floats returns the numbers in [0, 1] that bytes of images stand for.
func Floats(b []byte) []float32 {
	x := make([]float32, len(b))
	for i, v := range b {
		x[i] = float32(v) / 255
	}
	return x
}

func score(x, clean []float32) (Score, error) {
	ssim, err := metric.SSIM(x, clean, latent.Side, latent.Side)
	if err != nil {
		return Score{}, err
	}
	return Score{MSE: metric.MSE(x, clean), PSNR: metric.PSNR(x, clean), SSIM: ssim}, nil
}
