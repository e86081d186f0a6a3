package infer

import (
	"bytes"
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/trainer/internal/imageio"
)

// digits are n images of a few smooth strokes.
func digits(n int) []byte {
	b := make([]byte, n*latent.DigitPixels)
	for i := range b {
		x, y, k := i%28, i/28%28, i/latent.DigitPixels
		if d := (x-14)*(x-14) + (y-14)*(y-14); d > 30+k%20 && d < 70+k%30 {
			b[i] = byte(200 + k%50)
		}
	}
	return b
}

var noisy = &degrade.Degradation{Kind: "gaussian", Severity: 0.5}

// TestWorkersDoNotMatter: the result is that of one image after the other,
// composed by hand of the model's own operations, whatever the number of cores.
func TestWorkersDoNotMatter(t *testing.T) {
	m := latenttest.Model(1)
	const n = 2*most + 7
	images := digits(n)
	want := make([]byte, len(images))
	clean, x := make([]float32, latent.DigitPixels), make([]float32, latent.DigitPixels)
	z := make([]float32, latent.DigitLatent)
	r := m.Runner(1)
	for i := range n {
		for k, b := range images[i*latent.DigitPixels : (i+1)*latent.DigitPixels] {
			clean[k] = float32(b) / 255
		}
		if err := noisy.Apply(x, clean, 28, 28, rng.New(5, uint64(i))); err != nil {
			t.Fatal(err)
		}
		r.Encode(z, x)
		seq, err := r.Flow(z, m.Restore)
		if err != nil {
			t.Fatal(err)
		}
		for range seq {
		}
		r.Decode(x, z)
		imageio.Quantize(want[i*latent.DigitPixels:(i+1)*latent.DigitPixels], x)
	}
	var first *Restored
	for _, workers := range []int{1, 2, 5} {
		var told atomic.Int64
		got, err := Restore(t.Context(), m, m.Restore, noisy, images, Options{Workers: workers, Seed: 5, Progress: func(n int) { told.Add(int64(n)) }})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Pixels, want) {
			t.Errorf("%d workers: not what one image after the other gives", workers)
		}
		if told.Load() != n {
			t.Errorf("%d workers: progress of %d images, want %d", workers, told.Load(), n)
		}
		if first == nil {
			first = got
		}
		for i := range n {
			if got.Degraded[i] != first.Degraded[i] || got.Output[i] != first.Output[i] {
				t.Fatalf("%d workers: other scores of image %d", workers, i)
			}
		}
	}
}

func TestScores(t *testing.T) {
	m := latenttest.Model(1)
	images := digits(3)
	unclipped := &degrade.Degradation{Kind: degrade.GaussianUnclipped, Severity: 0.5}
	got, err := Restore(t.Context(), m, m.Restore, unclipped, images, Options{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		clean := Floats(images[i*latent.DigitPixels : (i+1)*latent.DigitPixels])
		out := Floats(got.Pixels[i*latent.DigitPixels : (i+1)*latent.DigitPixels])
		if want := metric.MSE(out, clean); got.Output[i].MSE != want {
			t.Errorf("MSE of output %d: %v, want %v", i, got.Output[i].MSE, want)
		}
		// Noise of deviation 0.5 has a mean square of 0.25.
		if mse := got.Degraded[i].MSE; mse < 0.2 || mse > 0.3 {
			t.Errorf("MSE of degraded image %d: %v, want about 0.25", i, mse)
		}
	}
	plain, err := Restore(t.Context(), m, m.Restore, nil, images, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if plain.Degraded != nil || plain.Output != nil {
		t.Error("scores against an input that is not known to be clean")
	}
}

func TestMean(t *testing.T) {
	inf := math.Inf(1)
	if got, want := Mean([]Score{{1, 10, 0.5}, {3, 20, 1}, {2, inf, 0.6}}), (Score{2, 15, 0.7}); got.MSE != want.MSE || got.PSNR != want.PSNR || math.Abs(got.SSIM-want.SSIM) > 1e-12 {
		t.Errorf("mean %v, want %v", got, want)
	}
	if got := Mean([]Score{{0, inf, 1}}); !math.IsInf(got.PSNR, 1) {
		t.Errorf("mean PSNR of equal images %v", got.PSNR)
	}
}

func TestGenerateIsStable(t *testing.T) {
	m := latenttest.Model(2)
	p := m.Generate
	long, err := Generate(t.Context(), m, p, most+9, Options{Seed: 3, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 8, most + 1} {
		short, err := Generate(t.Context(), m, p, n, Options{Seed: 3, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(short, long[:n*latent.DigitPixels]) {
			t.Errorf("%d images are not the first of %d", n, most+9)
		}
	}
	if bytes.Equal(long[:latent.DigitPixels], long[latent.DigitPixels:2*latent.DigitPixels]) {
		t.Error("the first two images are equal")
	}
	other, err := Generate(t.Context(), m, p, 1, Options{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(other, long[:latent.DigitPixels]) {
		t.Error("another seed gives the same image")
	}
	p.Noise = 0
	still, err := Generate(t.Context(), m, p, 2, Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(still[:latent.DigitPixels], still[latent.DigitPixels:]) {
		t.Error("starts without noise differ: the preset's noise was not used")
	}
	if m.Generate.Noise == 0 {
		t.Error("the model was changed")
	}
}

func TestTrajectory(t *testing.T) {
	m := latenttest.Model(1)
	images := digits(4)
	p := m.Restore
	p.Steps, p.Tolerance = 10, 0
	steps, got, err := Trajectory(m, p, Floats(images), 4)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 4 || steps[0] != 0 || steps[1] != 4 || steps[2] != 8 || steps[3] != 10 || len(got) != 4 {
		t.Fatalf("steps %v, %d sets of images", steps, len(got))
	}
	whole, err := Restore(t.Context(), m, p, nil, images, Options{})
	if err != nil {
		t.Fatal(err)
	}
	last := make([]byte, len(images))
	if imageio.Quantize(last, got[3]); !bytes.Equal(last, whole.Pixels) {
		t.Error("the trajectory does not end in what is restored")
	}
	p.Steps = 4
	fewer, err := Restore(t.Context(), m, p, nil, images, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if imageio.Quantize(last, got[1]); !bytes.Equal(last, fewer.Pixels) {
		t.Error("the images after step 4 are not those of a flow of 4 steps")
	}
	p.Steps = 0
	if steps, _, err = Trajectory(m, p, Floats(images), 1); err != nil || len(steps) != 1 {
		t.Errorf("no steps: %v, %v", steps, err)
	}
	p.Alpha = -1
	if _, _, err := Trajectory(m, p, Floats(images), 1); err == nil {
		t.Error("α = -1: no error")
	}
}

func TestCanceled(t *testing.T) {
	m := latenttest.Model(1)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Restore(ctx, m, m.Restore, nil, digits(5*most), Options{Workers: 1, Progress: func(int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestBadParameters(t *testing.T) {
	m := latenttest.Model(1)
	p := m.Restore
	p.Alpha = float32(math.NaN())
	if _, err := Restore(t.Context(), m, p, nil, digits(3*most), Options{}); err == nil {
		t.Error("NaN: no error")
	}
	if _, err := Generate(t.Context(), m, p, 3, Options{}); err == nil {
		t.Error("NaN: no error")
	}
}
