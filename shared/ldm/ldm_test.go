package ldm_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/ldm/ldmtest"
	"mppm/shared/rng"
)

const n = 5

func sources(lo, hi int) []*rng.Source {
	var all []*rng.Source
	for i := lo; i < hi; i++ {
		all = append(all, rng.New(1, uint64(i)))
	}
	return all
}

// restore returns the images [lo, hi) of a batch, restored from steps.
func restore(t *testing.T, r *ldm.Runner, lo, hi, steps int) []float32 {
	t.Helper()
	x := make([]float32, n*latent.DigitPixels)
	rng.New(9, 0).FillNorm(x, 0.5)
	x = x[lo*latent.DigitPixels : hi*latent.DigitPixels]
	z := make([]float32, (hi-lo)*latent.DigitLatent)
	r.Encode(z, x)
	seq, err := r.Restore(z, steps, sources(lo, hi))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for s := range seq {
		if s.Index != count || s.Left != steps-count {
			t.Fatalf("step %d: index %d, %d left", count, s.Index, s.Left)
		}
		count++
	}
	if count != steps+1 {
		t.Errorf("%d states for %d steps", count, steps)
	}
	r.Codes(z, z, 0)
	r.Decode(x, z)
	return x
}

// TestBatches: an image gives the same bits alone and in any batch.
func TestBatches(t *testing.T) {
	m := ldmtest.Model(1)
	all := restore(t, m.Runner(3), 0, n, 20)
	for i := range n {
		one := restore(t, m.Runner(1), i, i+1, 20)
		for k, v := range one {
			if math.Float32bits(v) != math.Float32bits(all[i*latent.DigitPixels+k]) {
				t.Fatalf("image %d, pixel %d: %v alone, %v in the batch", i, k, v, all[i*latent.DigitPixels+k])
			}
		}
	}
}

// TestNoSteps: restored from 0 steps, images are encoded and decoded, and at the
// start of any restoration the codes are those that came in.
func TestNoSteps(t *testing.T) {
	m := ldmtest.Model(2)
	r := m.Runner(n)
	x := make([]float32, n*latent.DigitPixels)
	rng.New(3, 0).FillNorm(x, 1)
	z := make([]float32, n*latent.DigitLatent)
	r.Encode(z, x)
	for _, steps := range []int{0, 1, 33, 40} {
		p, back := slices.Clone(z), make([]float32, len(z))
		seq, err := r.Restore(p, steps, sources(0, n))
		if err != nil {
			t.Fatal(err)
		}
		for s := range seq {
			r.Codes(back, s.X, s.Left)
			break
		}
		for i, v := range back {
			if math.Abs(float64(v-z[i])) > 1e-5*(1+math.Abs(float64(z[i]))) {
				t.Fatalf("%d steps: coordinate %d is %v at the start, was %v", steps, i, v, z[i])
			}
		}
	}
}

func TestGenerate(t *testing.T) {
	m := ldmtest.Model(3)
	grow := func(batch, lo, hi int) []float32 {
		z := make([]float32, (hi-lo)*latent.DigitLatent)
		seq, err := m.Runner(batch).Generate(z, sources(lo, hi))
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for range seq {
			count++
		}
		if count != m.Schedule.Len()+1 {
			t.Errorf("%d states, want the start and %d steps", count, m.Schedule.Len())
		}
		return z
	}
	all := grow(2, 0, 4)
	if !slices.Equal(all, grow(4, 0, 4)) || !slices.Equal(all[latent.DigitLatent:2*latent.DigitLatent], grow(1, 1, 2)) {
		t.Error("what grows depends on the batch")
	}
	if slices.Equal(all[:latent.DigitLatent], all[latent.DigitLatent:2*latent.DigitLatent]) {
		t.Error("two sources grew the same")
	}
}

// TestStart: damage is started from the step whose noise it has, along a line
// between what the file knows.
func TestStart(t *testing.T) {
	m := ldmtest.Model(1)
	for _, c := range []struct {
		damage string
		spread float64
	}{
		{"gaussian=0", 0}, {"gaussian=0.5", 0.5}, {"gaussian=1", 1}, {"gaussian=1.5", 1},
		{"downsample=0.1", 2}, {"downsample=0.55", 1}, {"downsample=1", 0},
	} {
		d, err := degrade.Parse(c.damage)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Start(d)
		if err != nil {
			t.Fatal(err)
		}
		if want := m.Schedule.Match(c.spread); got != want {
			t.Errorf("%s starts at %d, want %d", c.damage, got, want)
		}
	}
	if _, err := m.Start(degrade.Degradation{Kind: degrade.Scribble, Severity: 3}); err == nil || !strings.Contains(err.Error(), "scribble") {
		t.Errorf("a kind that the file does not know: error %v", err)
	}
}

func TestSpread(t *testing.T) {
	m := ldmtest.Model(1)
	a, b := make([]float32, 2*latent.DigitLatent), make([]float32, 2*latent.DigitLatent)
	for i := range a {
		k := i % latent.DigitLatent
		a[i] = float32(i)
		b[i] = a[i] + 2*(0.5+float32(k)/latent.DigitLatent) // two standard deviations
	}
	if got := m.Spread(a, b); math.Abs(got-2) > 1e-5 {
		t.Errorf("spread %v, want 2", got)
	}
}

// TestLoadRefuses changes one thing at a time in a good file.
func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"kind", "lmppm-28x28", `kind is "lmppm-28x28"`},
		{"diffusion", "", "diffusion"},
		{"diffusion", `{"first":0.001,"last":0.2,"steps":0}`, "0 steps"},
		{"diffusion", `{"first":0.001,"last":0.2,"steps":2000000000}`, "2000000000 steps"},
		{"diffusion", `{"first":0.001,"last":2,"steps":10}`, "β is 2"},
		{"damage", "", "damage"},
		{"damage", `{"gaussian":[]}`, "empty"},
		{"damage", `{"gaussian":[{"severity":1,"spread":0},{"severity":1,"spread":1}]}`, "ascend"},
		{"damage", `{"gaussian":[{"severity":1,"spread":-1}]}`, "at least 0"},
	} {
		f := ldmtest.File(1)
		f.Meta[c.key] = c.value
		refused(t, c.key+"="+c.value, f.Encode, c.want)
	}
	for _, name := range []string{"encoder.conv1.weight", "decoder.linear.bias", "denoiser.0.weight", "denoiser.1.weight", "denoiser.1.bias", "latent.mean", "latent.std"} {
		f := ldmtest.File(1)
		for i, tensor := range f.Tensors {
			if tensor.Name == name {
				f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
				break
			}
		}
		refused(t, "without "+name, f.Encode, strings.TrimSuffix(strings.TrimSuffix(name, ".weight"), ".bias")[:8])
	}
	f := ldmtest.File(1)
	for i, tensor := range f.Tensors {
		if tensor.Name == "latent.std" {
			f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
			break
		}
	}
	if err := f.AddFloat32("latent.std", make([]float32, latent.DigitLatent), latent.DigitLatent); err != nil {
		t.Fatal(err)
	}
	refused(t, "a spread of 0", f.Encode, "more than 0")
	refused(t, "nonsense", func() ([]byte, error) { return []byte("not a model at all, but long enough"), nil }, "safetensors")

	r := ldmtest.Model(1).Runner(2)
	z := make([]float32, 2*latent.DigitLatent)
	if _, err := r.Restore(z, 41, sources(0, 2)); err == nil {
		t.Error("Restore took more steps than there are")
	}
	if _, err := r.Generate(z, sources(0, 1)); err == nil {
		t.Error("Generate took one source for two codes")
	}
}

func refused(t *testing.T, what string, encode func() ([]byte, error), want string) {
	t.Helper()
	b, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = ldm.Load(b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", what, err, want)
	}
}
