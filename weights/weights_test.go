package weights_test

import (
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/weights"
)

// TestRestoresItsOwn grows digits from noise, damages them, and restores them
// with the shipped weights. The bits of all that are pinned: the same test runs
// in a browser.
func TestRestoresItsOwn(t *testing.T) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	r := m.Runner(n)
	bits := golden.NewBits()
	flow := func(z []float32, p latent.Preset) {
		steps, err := r.Flow(z, p)
		if err != nil {
			t.Fatal(err)
		}
		for s := range steps {
			bits.Add(s.X)
			bits.Add(s.Distance)
		}
	}
	z := make([]float32, n*m.Latent())
	r.Noise(z, m.Generate, rng.New(1, 0))
	flow(z, m.Generate)
	clean := make([]float32, n*m.Pixels())
	r.Decode(clean, z)
	noisy := make([]float32, len(clean))
	for i := range n {
		at := i * m.Pixels()
		d := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}
		if err := d.Apply(noisy[at:at+m.Pixels()], clean[at:at+m.Pixels()], m.Image().W, m.Image().H, rng.New(2, uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
	r.Encode(z, noisy)
	flow(z, m.Restore)
	restored := make([]float32, len(clean))
	r.Decode(restored, z)
	bits.Add(restored)
	if before, after := metric.MSE(noisy, clean), metric.MSE(restored, clean); after > before/5 {
		t.Errorf("the flow took the mean squared error from %.4f to %.4f only", before, after)
	}
	golden.Check(t, "weights: twenty digits grown and restored, every code, distance and pixel", bits)
}
