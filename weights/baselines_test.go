package weights_test

import (
	"fmt"
	"math"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/weights"
)

// TestBaselines: the shipped baselines restore digits that the shipped model
// grows, and diffusion gives the same bits wherever it runs.
func TestBaselines(t *testing.T) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	dae, err := latent.Load(weights.DAE)
	if err != nil {
		t.Fatal(err)
	}
	diffusion, err := ldm.Load(weights.LDM)
	if err != nil {
		t.Fatal(err)
	}
	if dae.HasDistance() {
		t.Error("the autoencoder has a distance")
	}
	const n = 20
	z, clean, noisy := make([]float32, n*m.Latent()), make([]float32, n*m.Pixels()), make([]float32, n*m.Pixels())
	r := m.Runner(n)
	r.Noise(z, m.Generate, rng.New(1, 0))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Decode(clean, z)
	for _, c := range []struct {
		kind  degrade.Kind
		share float64 // of the error that diffusion may leave is 1/share
	}{
		{degrade.GaussianUnclipped, 5},
		{degrade.Gaussian, 4}, // an error of half the size before
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			d := degrade.Degradation{Kind: c.kind, Severity: 0.7}
			var sources []*rng.Source
			for i := range n {
				at := i * m.Pixels()
				if err := d.Apply(noisy[at:at+m.Pixels()], clean[at:at+m.Pixels()], m.Image().W, m.Image().H, rng.New(2, uint64(i))); err != nil {
					t.Fatal(err)
				}
				sources = append(sources, rng.New(3, uint64(i)))
			}
			before := metric.MSE(noisy, clean)
			restored := make([]float32, len(clean))
			run := dae.Runner(n)
			run.Encode(z, noisy)
			run.Decode(restored, z)
			if after := metric.MSE(restored, clean); after > before/8 {
				t.Errorf("the autoencoder took the mean squared error from %.4f to %.4f only", before, after)
			}
			start, err := diffusion.Start(d)
			if err != nil {
				t.Fatal(err)
			}
			back := diffusion.Runner(n)
			back.Encode(z, noisy)
			seq, err := back.Restore(z, start, sources)
			if err != nil {
				t.Fatal(err)
			}
			for range seq {
			}
			back.Codes(z, z, 0)
			back.Decode(restored, z)
			if after := metric.MSE(restored, clean); after > before/c.share {
				t.Errorf("diffusion took the mean squared error from %.4f to %.4f only", before, after)
			}
			// One number of one code stands for all: every step and every net is in it.
			golden.Check(t, fmt.Sprintf("weights: the first number of the first code that diffusion restores from %v", d), fmt.Sprintf("%08x", math.Float32bits(z[0])))
		})
	}
}
