package latent_test

import (
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
)

func uNet(t *testing.T, chart int) *latent.Nets {
	t.Helper()
	n, err := unet.New(nn.Shape{H: 17, W: 22, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 9, Chart: chart})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func noise(n int) []float32 {
	x := make([]float32, n)
	rng.New(7, 0).FillNorm(x, 1)
	return x
}

// frames copies what a restoration yields.
func frames(t *testing.T, m *latent.Model, x []float32, p latent.Preset) (codes, images [][]float32) {
	t.Helper()
	seq, err := m.Runner(2).Restoration(x, p)
	if err != nil {
		t.Fatal(err)
	}
	for f := range seq {
		if f.Index != len(codes) {
			t.Errorf("frame %d has the index %d", len(codes), f.Index)
		}
		codes, images = append(codes, slices.Clone(f.X)), append(images, slices.Clone(f.Image()))
	}
	return codes, images
}

// TestRestoration: of a model without skips the frames are the decoded codes of the flow.
func TestRestoration(t *testing.T) {
	m := latenttest.Model(1)
	x := noise(3 * m.Pixels())
	codes, images := frames(t, m, x, m.Restore)
	r := m.Runner(3)
	z, y := make([]float32, 3*m.Latent()), make([]float32, 3*m.Pixels())
	r.Encode(z, x)
	steps, err := r.Flow(z, m.Restore)
	if err != nil {
		t.Fatal(err)
	}
	for s := range steps {
		r.Decode(y, z)
		if !slices.Equal(codes[s.Index], z) || !slices.Equal(images[s.Index], y) {
			t.Fatalf("frame %d is not the flow's", s.Index)
		}
	}
	if len(codes) != m.Restore.Steps+1 {
		t.Errorf("there are %d frames", len(codes))
	}
}

// TestMendedSkips: App. B.3 by the definitions of the nets, a round at a time, for trust
// between all and none.
func TestMendedSkips(t *testing.T) {
	for _, chart := range []int{0, 8} {
		m := latenttest.ModelOf(3, uNet(t, chart))
		if !m.HasSkips() {
			t.Fatal("the model is of no U-Net")
		}
		const n = 3
		x := noise(n * m.Pixels())
		p := latent.Preset{Alpha: 0.5, Sigma: 1, Steps: 2, Rounds: 3, Trust: 0.8}
		codes, images := frames(t, m, x, p)
		if len(codes) != 7 {
			t.Fatalf("there are %d frames; want the start, and two for each of three rounds", len(codes))
		}
		r := m.Runner(n)
		y, z, d, trust := slices.Clone(x), make([]float32, n*m.Latent()), make([]float32, n), make([]float32, n)
		at := 0
		for round := range 3 {
			var s latent.Skips
			r.EncodeSkips(z, y, &s)
			r.Distance(d, nil, z)
			for i, v := range d {
				spread := p.Trust * m.Bank.Spacing
				trust[i] = spread * spread / (spread*spread + v*v)
			}
			steps, err := r.Flow(z, p)
			if err != nil {
				t.Fatal(err)
			}
			for step := range steps {
				if step.Index == 0 && round > 0 {
					continue
				}
				r.DecodeSkips(y, z, &s, trust)
				if !slices.Equal(codes[at], z) || !slices.Equal(images[at], y) {
					t.Fatalf("chart %d: frame %d is another", chart, at)
				}
				at++
			}
		}
		// Trusted all, nothing of z reaches the skips; not trusted, nothing of x.
		var s latent.Skips
		r.EncodeSkips(z, x, &s)
		full, none, projected := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		r.DecodeSkips(full, z, &s, nil)
		r.DecodeSkips(none, z, &s, make([]float32, n))
		r.Decode(projected, z)
		if !slices.Equal(none, projected) || slices.Equal(full, projected) {
			t.Error("the weight of the skips does not go from Ŝ to S")
		}
	}
}

// TestNoProjections: a U-Net without projections has skips of 0 in their place.
func TestNoProjections(t *testing.T) {
	n := uNet(t, 0)
	file := latenttest.FileOf(3, n)
	delete(file.Meta, "projections")
	a, err := latent.LoadAutoencoder(file)
	if err != nil {
		t.Fatal(err)
	}
	x, z := noise(3*a.Pixels()), make([]float32, 3*a.Latent())
	c := a.Coder(2)
	var s latent.Skips
	c.EncodeSkips(z, x, &s)
	kept, half, zero := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
	c.DecodeSkips(kept, z, &s, nil)
	c.DecodeSkips(half, z, &s, []float32{0, 1, 0})
	c.Decode(zero, z)
	p := a.Pixels()
	if !slices.Equal(half[:p], zero[:p]) || !slices.Equal(half[p:2*p], kept[p:2*p]) || slices.Equal(kept[:p], zero[:p]) {
		t.Error("the skips are not weighed against 0")
	}
}

// TestUNetBits: a U-Net's flows end in the same bits on every platform.
func TestUNetBits(t *testing.T) {
	bits, err := latenttest.Bits(latenttest.ModelOf(3, uNet(t, 8)))
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "latent: the flows of a U-Net, and the images they end in", bits)
}

// TestRestorationRefuses: what cannot be restored, or not so, is an error.
func TestRestorationRefuses(t *testing.T) {
	m := latenttest.Model(1)
	for _, c := range []struct {
		x    []float32
		p    latent.Preset
		want string
	}{
		{make([]float32, 3), latent.Preset{Sigma: 1}, "whole number of images"},
		{make([]float32, m.Pixels()), latent.Preset{}, "σ_ker"},
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Rounds: -1}, "-1 rounds"},
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Rounds: 101}, "101 rounds"},
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Trust: -1}, "trust"},
	} {
		if _, err := m.Runner(1).Restoration(c.x, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.p, err, c.want)
		}
	}
	n := uNet(t, 0)
	for name, c := range map[string]struct {
		change func(meta map[string]string)
		want   string
	}{
		"others":      {func(m map[string]string) { m["projections"] = "9; relu" }, "does not keep skip.0"},
		"other codes": {func(m map[string]string) { m["projections"] = "8; relu" }, "want codes of 9 numbers"},
		"none taken":  {func(m map[string]string) { m["decoder"] = "9; linear l 17x22x3; sigmoid" }, "takes no skips"},
	} {
		f := latenttest.FileOf(1, n)
		c.change(f.Meta)
		b, err := f.Encode()
		if err == nil {
			_, err = latent.Load(b)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
