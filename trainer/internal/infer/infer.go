// Package infer runs a model over any number of images, on all cores, through
// exactly the code that the browser runs. What it computes depends on the
// images, the model and the seed; not on the number of cores.
package infer

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/memory"
)

// most is how many images go through the nets together at most. It divides the work among
// the cores, and no image depends on it.
const most = 50

// together is how many images of size numbers go through the nets together.
func together(size int) int { return memory.Together(most, size) }

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
	Pixels []byte // of n images
	// Degraded and Output score what went into the model, and Pixels, against
	// the input, one score for each image. They are nil where the input was not
	// degraded, for then nothing clean is known.
	Degraded, Output []Score
}

// Restore degrades images (bytes) if d is not nil, and restores them
// by the flow p: G(flow(F(x))), Alg. 4.
func Restore(ctx context.Context, m *latent.Model, p latent.Preset, d *degrade.Degradation, images []byte, o Options) (*Restored, error) {
	return restore(ctx, m.Autoencoder, func(batch int) restorer {
		r := m.Runner(batch)
		return func(dst, x []float32, first int) error {
			return restoreBy(r, dst, x, p, first)
		}
	}, d, images, o)
}

// restorer writes to dst the restored images x, of which the first has the given
// number.
type restorer func(dst, x []float32, first int) error

// restore is Restore by any method: start returns a restorer for one goroutine.
func restore(ctx context.Context, m *latent.Autoencoder, start func(batch int) restorer, d *degrade.Degradation, images []byte, o Options) (*Restored, error) {
	size := m.Pixels()
	n := len(images) / size
	out := &Restored{Pixels: make([]byte, n*size)}
	if d != nil {
		out.Degraded, out.Output = make([]Score, n), make([]Score, n)
	}
	err := each(ctx, start, n, size, o, func(restore restorer, lo, hi int) error {
		x, err := degraded(m.Image(), images, lo, hi, d, o.Seed)
		if err != nil {
			return err
		}
		result := make([]float32, len(x))
		if err := restore(result, x, lo); err != nil {
			return err
		}
		imageio.Quantize(out.Pixels[lo*size:hi*size], result)
		if d == nil {
			return nil
		}
		clean := Floats(images[lo*size : hi*size])
		if err := score(out.Degraded[lo:hi], m.Image(), x, clean); err != nil {
			return err
		}
		return score(out.Output[lo:hi], m.Image(), Floats(out.Pixels[lo*size:hi*size]), clean)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// degraded returns the images lo … hi−1 of that shape as numbers, degraded if d is
// not nil.
func degraded(image nn.Shape, images []byte, lo, hi int, d *degrade.Degradation, seed uint64) ([]float32, error) {
	size := image.Size()
	x := Floats(images[lo*size : hi*size])
	if d == nil {
		return x, nil
	}
	for i := range hi - lo {
		one := x[i*size : (i+1)*size]
		if err := Degrade(one, one, image, *d, seed, lo+i); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// Damage returns the degraded form of images (bytes) of that shape, cut off at black
// and white.
func Damage(ctx context.Context, d degrade.Degradation, image nn.Shape, images []byte, o Options) ([]byte, error) {
	out := make([]byte, len(images))
	nothing := func(int) struct{} { return struct{}{} }
	size := image.Size()
	err := each(ctx, nothing, len(images)/size, size, o, func(_ struct{}, lo, hi int) error {
		x, err := degraded(image, images, lo, hi, &d, o.Seed)
		if err != nil {
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

// Degrade writes to dst the degraded form of image number i, whose clean form
// is src, both of that shape: as Restore does it.
func Degrade(dst, src []float32, image nn.Shape, d degrade.Degradation, seed uint64, i int) error {
	if err := d.ApplyColor(dst, src, image.W, image.H, image.C, rng.New(seed, uint64(i))); err != nil {
		return fmt.Errorf("image %d: %w", i, err)
	}
	return nil
}

// Generate grows n images from noise by the flow p, and returns their bytes.
// Image i depends on the seed, the flow and i alone.
func Generate(ctx context.Context, m *latent.Model, p latent.Preset, n int, o Options) ([]byte, error) {
	size, dim := m.Pixels(), m.Latent()
	out := make([]byte, n*size)
	err := each(ctx, m.Runner, n, size, o, func(r *latent.Runner, lo, hi int) error {
		z := make([]float32, (hi-lo)*dim)
		for i := range hi - lo {
			r.Noise(z[i*dim:(i+1)*dim], p, rng.New(o.Seed, uint64(lo+i)))
		}
		x := make([]float32, (hi-lo)*size)
		if err := finish(r, x, z, p, lo); err != nil {
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

// Trajectory flows the images x (numbers) and returns them as they
// are decoded after the steps whose numbers it also returns: every k-th, and the
// last.
func Trajectory(m *latent.Model, p latent.Preset, x []float32, k int) (steps []int, images [][]float32, err error) {
	frames, err := m.Runner(min(len(x)/m.Pixels(), together(m.Pixels()))).Restoration(x, p)
	if err != nil {
		return nil, nil, err
	}
	var last latent.Frame
	for f := range frames {
		last = f
		if f.Index%k == 0 {
			steps, images = append(steps, f.Index), append(images, slices.Clone(f.Image()))
		}
	}
	if steps[len(steps)-1] != last.Index {
		steps, images = append(steps, last.Index), append(images, slices.Clone(last.Image()))
	}
	return steps, images, nil
}

// restoreBy writes to dst the images x, restored by the flow p. first is the number of the
// first image, for messages.
func restoreBy(r *latent.Runner, dst, x []float32, p latent.Preset, first int) error {
	frames, err := r.Restoration(x, p)
	if err != nil {
		return err
	}
	var last latent.Frame
	for last = range frames {
	}
	copy(dst, last.Image())
	if err := r.CheckImages(dst); err != nil {
		return fmt.Errorf("images from %d on: %w: the weights or the flow's parameters overflow", first, err)
	}
	return nil
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
	if err := r.CheckImages(x); err != nil {
		return fmt.Errorf("images from %d on: %w: the weights or the flow's parameters overflow", first, err)
	}
	return nil
}

// each cuts n images of size numbers into batches and has work do them, on as many
// goroutines as o says, each with what start made for it. It returns the error of the lowest
// batch that failed before the others stopped.
func each[R any](ctx context.Context, start func(batch int) R, n, size int, o Options, work func(r R, lo, hi int) error) error {
	batch := together(size)
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

// Floats returns the numbers in [0, 1] that bytes of images stand for.
func Floats(b []byte) []float32 {
	x := make([]float32, len(b))
	for i, v := range b {
		x[i] = float32(v) / 255
	}
	return x
}

// Encode returns the codes of images (bytes), one after the other. It returns an error
// where they are not a whole number of the model's images.
func Encode(ctx context.Context, m *latent.Model, images []byte) ([]float32, error) {
	size, d := m.Pixels(), m.Latent()
	batch := together(size)
	r := m.Runner(batch)
	var codes []float32
	for ; len(images) > 0; images = images[min(len(images), batch*size):] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x := Floats(images[:min(len(images), batch*size)])
		if err := m.CheckImages(x); err != nil {
			return nil, err
		}
		z := make([]float32, len(x)/size*d)
		r.Encode(z, x)
		codes = append(codes, z...)
	}
	return codes, nil
}

// score scores images x of that shape against the clean ones, one after the other.
func score(scores []Score, image nn.Shape, x, clean []float32) error {
	size := image.Size()
	var scorer metric.Scorer
	for i := range scores {
		a, b := x[i*size:(i+1)*size], clean[i*size:(i+1)*size]
		ssim, err := scorer.SSIMColor(a, b, image.W, image.H, image.C)
		if err != nil {
			return err
		}
		scores[i] = Score{MSE: metric.MSE(a, b), PSNR: metric.PSNR(a, b), SSIM: ssim}
	}
	return nil
}
