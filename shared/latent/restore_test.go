package latent_test

import (
	"math"
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
				r.DecodeSkips(y, z, &s, &latent.Trust{Image: trust})
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
		r.DecodeSkips(none, z, &s, &latent.Trust{Image: make([]float32, n)})
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
	c.DecodeSkips(half, z, &s, &latent.Trust{Image: []float32{0, 1, 0}})
	c.Decode(zero, z)
	p := a.Pixels()
	if !slices.Equal(half[:p], zero[:p]) || !slices.Equal(half[p:2*p], kept[p:2*p]) || slices.Equal(kept[:p], zero[:p]) {
		t.Error("the skips are not weighed against 0")
	}
}

// local is a U-Net that knows the distance at each pixel.
func local(t *testing.T) *latent.Nets {
	t.Helper()
	n := uNet(t, 0)
	var err error
	if n.L, err = unet.Local(n.F.In(), unet.Config{Channels: []int{4, 6}}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLocal: the distance at a pixel says how far the skips there are trusted, and how far
// the pixel is kept, in a batch as alone, and in each round anew.
func TestLocal(t *testing.T) {
	m := latenttest.ModelOf(3, local(t))
	const n = 3
	x := noise(n * m.Pixels())
	p := latent.Preset{Alpha: 0.5, Sigma: 1, Steps: 1, Rounds: 2, Trust: 0.8, Local: 0.3, Keep: 0.2}
	codes, images := frames(t, m, x, p)
	image := m.Image()
	area := image.H * image.W
	r := m.Runner(2)
	y, z, d := slices.Clone(x), make([]float32, n*m.Latent()), make([]float32, n)
	where := make([]float32, n*area)
	at := 0
	for round := range 2 {
		var s latent.Skips
		r.EncodeSkips(z, y, &s)
		r.Distance(d, nil, z)
		r.Coder.Local(where, y, &s)
		trust := latent.Trust{Image: make([]float32, n), Pixel: make([]float32, n*area)}
		weight := func(v, t float32) float32 { return float32(t*t) / (float32(t*t) + float32(v*v)) }
		for i, v := range d {
			trust.Image[i] = weight(v, p.Trust*m.Bank.Spacing)
		}
		for i, v := range where {
			if v < 0 {
				t.Fatalf("the distance at a pixel is %v", v)
			}
			trust.Pixel[i] = weight(v, p.Local)
		}
		steps, err := r.Flow(z, p)
		if err != nil {
			t.Fatal(err)
		}
		decoded := make([]float32, len(x))
		for step := range steps {
			if step.Index == 0 && round > 0 {
				continue
			}
			r.DecodeSkips(decoded, z, &s, &trust)
			for k := range n {
				kept, share := make([]float64, area), 0.0
				for i := range kept {
					off := float64(where[k*area+i])
					light := 0.0
					for _, v := range y[(k*area+i)*image.C : (k*area+i+1)*image.C] {
						light += float64(v) / float64(image.C)
					}
					light = 0.2 + 0.8*min(max(light, 0), 1)
					kept[i] = 1 / (1 + math.Pow(off/(float64(p.Keep)*light), 4))
					share += 1 / (1 + math.Pow(off/0.03, 4)) / float64(area)
				}
				for i := range decoded[k*area*image.C : (k+1)*area*image.C] {
					at := k*area*image.C + i
					v := kept[i/image.C] * math.Pow(share, 4) / (math.Pow(share, 4) + math.Pow(0.25, 4))
					decoded[at] = float32(v*float64(y[at]) + (1-v)*float64(decoded[at]))
				}
			}
			for i, v := range images[at] {
				if math.Abs(float64(v-decoded[i])) > 1e-4 {
					t.Fatalf("frame %d is another: number %d is %v, not %v", at, i, v, decoded[i])
				}
			}
			if round == 0 && !slices.Equal(codes[at], z) {
				t.Fatalf("the codes of frame %d are others", at)
			}
			at++
		}
		y = images[at-1]
	}
	if slices.Max(where) == slices.Min(where) {
		t.Error("the distance is the same everywhere")
	}
	// A distance of 0 everywhere keeps all there is.
	file := latenttest.FileOf(3, local(t))
	for _, v := range file.Tensors {
		if strings.HasPrefix(v.Name, "local.out.") {
			clear(v.Data)
		}
	}
	b, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = latent.Load(b); err != nil {
		t.Fatal(err)
	}
	_, images = frames(t, m, x, p)
	for i, v := range images[0] { // all but 1 of 257
		if math.Abs(float64(v-x[i])) > 0.01*(1+math.Abs(float64(x[i]))) {
			t.Fatalf("where the distance is 0, number %d was %v and is %v", i, x[i], v)
		}
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
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Local: -1}, "the local trust"},
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Keep: -1}, "pixels are kept"},
		{make([]float32, m.Pixels()), latent.Preset{Sigma: 1, Keep: 0.1}, "no net for the distance at each pixel"},
	} {
		if _, err := m.Runner(1).Restoration(c.x, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v; want %q", c.p, err, c.want)
		}
	}
	n := local(t)
	for name, c := range map[string]struct {
		change func(meta map[string]string)
		want   string
	}{
		"others":      {func(m map[string]string) { m["projections"] = "9; relu" }, "does not keep skip.0"},
		"other codes": {func(m map[string]string) { m["projections"] = "8; relu" }, "want codes of 9 numbers"},
		"none taken":  {func(m map[string]string) { m["decoder"] = "9; linear l 17x22x3; sigmoid" }, "takes no skips"},
		"no map":      {func(m map[string]string) { m["local"] = "17x22x3; relu" }, "local: the net makes 17×22×3 of 17×22×3; want a map of one channel"},
		"of others":   {func(m map[string]string) { m["local"] = "17x22x3; input other 17x22x1; conv l 1,1,0 1" }, "local: the net takes other, of 17×22×1; want skips alone"},
		"no net":      {func(m map[string]string) { m["local"] = "17x22x3; what" }, "local: "},
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
