package weights_test

import (
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/weights"
)

// TestFaces: the shipped models of faces are small, know how far a code is from home, and
// take noise off the faces that they grow.
func TestFaces(t *testing.T) {
	const most = 4_000_000
	for name, files := range map[string][2][]byte{"faces": {weights.Faces, weights.FacesDAE}} {
		if n := max(len(files[0]), len(files[1])); n > most {
			t.Errorf("%s: a file has %d bytes; %d are the most", name, n, most)
		}
		m, err := latent.Load(files[0])
		if err != nil {
			t.Fatal(err)
		}
		dae, err := latent.Load(files[1])
		if err != nil {
			t.Fatal(err)
		}
		if !m.HasSkips() || !m.HasDistance() || dae.HasDistance() || dae.Image() != m.Image() || m.Image().C != 3 {
			t.Errorf("%s: the files are of %v and %v, or of other nets", name, m.Image(), dae.Image())
		}
		const n = 3
		s, size := m.Image(), m.Pixels()
		r := m.Runner(n)
		z, clean, noisy := make([]float32, n*m.Latent()), make([]float32, n*size), make([]float32, n*size)
		r.Noise(z, m.Generate, rng.New(1, 0))
		steps, err := r.Flow(z, m.Generate)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		r.Decode(clean, z)
		noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.3}
		for i := range n {
			if err := noise.ApplyColor(noisy[i*size:(i+1)*size], clean[i*size:(i+1)*size], s.W, s.H, s.C, rng.New(2, uint64(i))); err != nil {
				t.Fatal(err)
			}
		}
		var scorer metric.Scorer
		score := func(x []float32) (sum float64) {
			for i := range n {
				v, err := scorer.SSIMColor(x[i*size:(i+1)*size], clean[i*size:(i+1)*size], s.W, s.H, s.C)
				if err != nil {
					t.Fatal(err)
				}
				sum += v / n
			}
			return sum
		}
		before := score(noisy)
		for method, m := range map[string]*latent.Model{"LMPPM": m, "DAE": dae} {
			frames, err := m.Runner(n).Restoration(noisy, m.Restore)
			if err != nil {
				t.Fatal(err)
			}
			var last latent.Frame
			for last = range frames {
			}
			if after := score(last.Image()); !(after > before+0.2) {
				t.Errorf("%s: %s takes SSIM from %.3f to %.3f", name, method, before, after)
			}
		}
		// D of damaged faces is above that of clean ones.
		d, far := make([]float32, n), make([]float32, n)
		r.Encode(z, clean)
		r.Distance(d, nil, z)
		r.Encode(z, noisy)
		r.Distance(far, nil, z)
		if mean(far) <= mean(d) {
			t.Errorf("%s: D is %v, and %v with noise", name, d, far)
		}
	}
}

func mean(v []float32) (m float32) {
	for _, x := range v {
		m += x / float32(len(v))
	}
	return m
}
