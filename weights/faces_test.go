package weights_test

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/weights"
)

// TestFaces: the shipped models of faces are small, know how far a code is from home, and
// take noise off the faces that they grow.
func TestFaces(t *testing.T) {
	const most = 4_000_000
	for name, files := range map[string][3][]byte{"faces": {weights.Faces, weights.FacesDAE, weights.FacesLDM}, "drawn": {weights.Drawn, weights.DrawnDAE, weights.DrawnLDM}} {
		if n := max(len(files[0]), len(files[1]), len(files[2])); n > most {
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
		rivals(t, name, m.Restore, files[2], dae, noisy, before, score)
		// D of damaged faces is above that of clean ones.
		d, far := make([]float32, n), make([]float32, n)
		r.Encode(z, clean)
		r.Distance(d, nil, z)
		r.Encode(z, noisy)
		r.Distance(far, nil, z)
		if mean(far) <= mean(d) {
			t.Errorf("%s: D is %v, and %v with noise", name, d, far)
		}
		patched(t, name, m, clean)
	}
}

// rivals: the file of diffusion has the nets of the denoising autoencoder, and diffusion
// takes noise off as well.
func rivals(t *testing.T, name string, p latent.Preset, file []byte, dae *latent.Model, noisy []float32, before float64, score func([]float32) float64) {
	l, err := ldm.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	n := len(noisy) / l.Pixels()
	r, other := l.Runner(n), dae.Runner(n)
	z, x, same := make([]float32, n*l.Latent()), make([]float32, len(noisy)), make([]float32, len(noisy))
	var skips, others latent.Skips
	other.EncodeSkips(z, noisy, &others)
	other.DecodeSkips(same, z, &others, nil)
	r.EncodeSkips(z, noisy, &skips)
	r.DecodeSkips(x, z, &skips, nil)
	if !slices.Equal(x, same) {
		t.Errorf("%s: the denoising autoencoder of the diffusion is another", name)
	}
	sources := make([]*rng.Source, n)
	for i := range sources {
		sources[i] = rng.New(3, uint64(i))
	}
	steps, err := r.Restore(z, 100, sources)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Codes(z, z, 0)
	r.DecodeSkips(x, z, &skips, nil)
	if after := score(x); !(after > before+0.2) {
		t.Errorf("%s: diffusion takes SSIM from %.3f to %.3f", name, before, after)
	}
}

// patched: L finds a patch on a face, and what is far from it stays as it was.
func patched(t *testing.T, name string, m *latent.Model, clean []float32) {
	s, size := m.Image(), m.Pixels()
	n := len(clean) / size
	damaged := slices.Clone(clean)
	lo, hi := s.H/3, s.H/2
	for i := range n {
		for r := lo; r < hi; r++ {
			for c := lo; c < hi; c++ {
				clear(damaged[i*size+(r*s.W+c)*s.C : i*size+(r*s.W+c+1)*s.C])
			}
		}
	}
	frames, err := m.Runner(n).Restoration(damaged, m.Restore)
	if err != nil {
		t.Fatal(err)
	}
	var last latent.Frame
	for last = range frames {
	}
	restored := last.Image()
	var inside, outside, off, before, moved, far float64
	for p, d := range last.Local {
		i, r, c := p/(s.H*s.W), p%(s.H*s.W)/s.W, p%s.W
		change := func(x []float32) (sum float64) {
			for k := range s.C {
				at := i*size + (r*s.W+c)*s.C + k
				sum += math.Abs(float64(x[at]-clean[at])) / float64(s.C)
			}
			return sum
		}
		switch {
		case r >= lo && r < hi && c >= lo && c < hi:
			inside += float64(d)
			before += change(damaged)
			off += change(restored)
		case r < lo-4 || r > hi+4 || c < lo-4 || c > hi+4:
			outside += float64(d)
			moved += change(restored)
			far++
		}
	}
	area := float64(n * (hi - lo) * (hi - lo))
	inside, outside, moved = inside/area, outside/far, moved/far
	if !(inside > 4*outside) || !(off < before/2) || !(moved < 0.02) {
		t.Errorf("%s: L is %.3f in the patch and %.3f elsewhere; the patch was off by %.3f, and is by %.3f; the rest is by %.3f", name, inside, outside, before/area, off/area, moved)
	}
}

func mean(v []float32) (m float32) {
	for _, x := range v {
		m += x / float32(len(v))
	}
	return m
}
