package latent_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/kde"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/metadata"
	"mppm/shared/project"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

func images(n int) []float32 {
	x := make([]float32, n*latent.DigitPixels)
	r := rng.New(9, 0)
	for i := range x {
		x[i] = r.Float32()
	}
	return x
}

// TestBatches: an image in a batch gives what it gives alone, bit for bit,
// through every net.
func TestBatches(t *testing.T) {
	m := latenttest.Model(1)
	const n = 7
	x := images(n)
	type out struct{ z, back, d, g, mean []float32 }
	run := func(r *latent.Runner, x []float32) out {
		k := len(x) / latent.DigitPixels
		o := out{make([]float32, k*latent.DigitLatent), make([]float32, len(x)), make([]float32, k), make([]float32, k*latent.DigitLatent), make([]float32, k*latent.DigitLatent)}
		r.Encode(o.z, x)
		r.Decode(o.back, o.z)
		r.Distance(o.d, o.g, o.z)
		r.Mean(o.mean, o.z, 0.5)
		return o
	}
	all := run(m.Runner(3), x)
	one := m.Runner(1)
	for i := range n {
		o := run(one, x[i*latent.DigitPixels:(i+1)*latent.DigitPixels])
		for _, c := range []struct {
			name      string
			got, want []float32
		}{{"z", o.z, all.z}, {"x", o.back, all.back}, {"d", o.d, all.d}, {"g", o.g, all.g}, {"mean", o.mean, all.mean}} {
			w := len(c.got)
			for k, v := range c.got {
				if math.Float32bits(v) != math.Float32bits(c.want[i*w+k]) {
					t.Fatalf("%s of image %d, number %d: %v alone, %v in the batch", c.name, i, k, v, c.want[i*w+k])
				}
			}
		}
	}
}

// TestGradient holds ∇̂D to central differences of D.
func TestGradient(t *testing.T) {
	for seed := range uint64(4) {
		r := latenttest.Model(seed).Runner(64)
		z := make([]float32, latent.DigitLatent)
		rng.New(seed, 2).FillNorm(z, 2)
		d, g := make([]float32, 1), make([]float32, latent.DigitLatent)
		r.Distance(d, g, z)
		if d[0] == 0 {
			continue // cut off: D below 0 has no slope to compare with
		}
		diff := make([]float64, latent.DigitLatent)
		var length float64
		const h = 1e-2
		for i := range z {
			var d1, d2 [1]float32
			keep := z[i]
			z[i] = keep + h
			r.Distance(d1[:], nil, z)
			z[i] = keep - h
			r.Distance(d2[:], nil, z)
			z[i] = keep
			diff[i] = float64(d1[0]-d2[0]) / (2 * h)
			length += diff[i] * diff[i]
		}
		for i := range diff {
			if want := diff[i] / math.Sqrt(length); math.Abs(float64(g[i])-want) > 5e-3 {
				t.Errorf("seed %d: gradient[%d] = %v, differences give %v", seed, i, g[i], want)
			}
		}
	}
}

// TestTrajectory pins the bits of a whole restoration, so that a native run and
// one in a browser are held to the same numbers, with and without SIMD.
func TestTrajectory(t *testing.T) {
	r := latenttest.Model(3).Runner(4)
	x := images(5)
	z := make([]float32, 5*latent.DigitLatent)
	r.Encode(z, x)
	bits := golden.NewBits()
	steps, err := r.Flow(z, r.Restore)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for s := range steps {
		bits.Add(s.X)
		bits.Add(s.Distance)
		bits.Add(s.Moved)
		count++
	}
	if count != r.Restore.Steps+1 {
		t.Errorf("%d states, want the start and %d steps", count, r.Restore.Steps)
	}
	r.Decode(x, z)
	bits.Add(x)
	r.Noise(z, r.Generate, rng.New(1, 2))
	bits.Add(z)
	golden.Check(t, "latent: a restoration of five images, every code, distance and pixel, and noise", bits)
}

// TestShrinkingKernel: σ_ker goes from Start to Sigma, a factor 1−β a step.
func TestShrinkingKernel(t *testing.T) {
	r := latenttest.Model(2).Runner(1)
	p := latent.Preset{Beta: 0.25, Sigma: 0.5, Start: 1, Steps: 5} // 1, 0.75, 0.5625, 0.5, 0.5
	z := make([]float32, latent.DigitLatent)
	rng.New(4, 0).FillNorm(z, 2)
	want, mean := slices.Clone(z), make([]float32, latent.DigitLatent)
	steps, err := r.Flow(z, p)
	if err != nil {
		t.Fatal(err)
	}
	sigmas := []float32{1, 0.75, 0.5625, 0.5, 0.5}
	for s := range steps {
		for i, v := range s.X {
			if math.Abs(float64(v-want[i])) > 1e-5 {
				t.Fatalf("after step %d coordinate %d is %v, want %v", s.Index, i, v, want[i])
			}
		}
		if s.Index < len(sigmas) {
			r.Mean(mean, want, sigmas[s.Index])
			for i := range want {
				want[i] += p.Beta * (mean[i] - want[i])
			}
		}
	}
	p.Start = 0.4
	if _, err := r.Flow(z, p); err == nil || !strings.Contains(err.Error(), "start at no less") {
		t.Errorf("a kernel that grows: error %v", err)
	}
}

// TestSampling: with a kernel that shrinks far enough, noise flows to codes of
// the bank, and to most of them, as diffusion's would.
func TestSampling(t *testing.T) {
	m := latenttest.Model(2)
	m.Generate = latent.Preset{Beta: 0.1, Sigma: 0.05, Start: 3, Steps: 60, Noise: 1}
	const n = 600
	r := m.Runner(50)
	z := make([]float32, n*latent.DigitLatent)
	r.Noise(z, r.Generate, rng.New(1, 0))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	var ws kde.Workspace
	hit := map[int]bool{}
	for i := range n {
		d2, at := m.Bank.Nearest(z[i*latent.DigitLatent:(i+1)*latent.DigitLatent], &ws)
		if d2 > 0.1 {
			t.Errorf("point %d ended %v from the nearest code", i, math.Sqrt(float64(d2)))
		}
		hit[at] = true
	}
	if len(hit) < m.Bank.Len()*3/4 {
		t.Errorf("%d points came to %d of %d codes", n, len(hit), m.Bank.Len())
	}
}

// withoutDistance is a file of a model without D, with flows it can run.
func withoutDistance(seed uint64) *safetensors.File {
	f := latenttest.File(seed)
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return strings.HasPrefix(t.Name, "distance.") })
	delete(f.Meta, "distance.activation")
	f.Meta["flow.restore"] = `{"sigma":0.4,"steps":0}`
	f.Meta["flow.generate"] = `{"beta":0.2,"sigma":0.5,"steps":5,"noise":1}`
	return f
}

// TestWithoutDistance: a model without D is F, G and the kernel: everything that
// does not need D is as with it, and what needs it is refused.
func TestWithoutDistance(t *testing.T) {
	bare, err := latent.New(withoutDistance(1))
	if err != nil {
		t.Fatal(err)
	}
	full := latenttest.Model(1)
	if bare.HasDistance() || !full.HasDistance() {
		t.Fatal("HasDistance is wrong")
	}
	x := images(3)
	flowed := func(m *latent.Model, p latent.Preset) []float32 {
		r := m.Runner(2)
		z := make([]float32, 3*latent.DigitLatent)
		r.Encode(z, x)
		steps, err := r.Flow(z, p)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		y := make([]float32, len(x))
		r.Decode(y, z)
		return y
	}
	for _, p := range []latent.Preset{bare.Restore, bare.Generate} {
		if !slices.Equal(flowed(bare, p), flowed(full, p)) {
			t.Errorf("%+v: not what the model with D gives for α = 0", p)
		}
	}
	r := bare.Runner(2)
	d, g := []float32{1, 1, 1}, slices.Repeat([]float32{1}, 3*latent.DigitLatent)
	r.Distance(d, g, make([]float32, 3*latent.DigitLatent))
	for _, v := range append(d, g...) {
		if v != 0 {
			t.Fatalf("distances %v and gradients %v, want 0", d, g)
		}
	}
	for _, c := range []struct {
		p    latent.Preset
		want string
	}{
		{latent.Preset{Alpha: 0.1, Sigma: 1, Steps: 1}, "α is 0.1"},
		{latent.Preset{Beta: 0.1, Tau: 1, Sigma: 1, Steps: 1}, "τ is 1"},
	} {
		if _, err := r.Flow(make([]float32, latent.DigitLatent), c.p); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "no distance net") {
			t.Errorf("%+v: error %v", c.p, err)
		}
	}
	f := withoutDistance(1)
	f.Meta["flow.sharp"] = `{"alpha":0.6,"sigma":0.4,"steps":1}`
	refused(t, "α without D", f.Encode, "flow.sharp")
	f = withoutDistance(1)
	f.Meta["distance.activation"] = "silu"
	refused(t, "an activation without D", f.Encode, "distance.0.weight is missing")
	f = latenttest.File(1)
	delete(f.Meta, "distance.activation")
	refused(t, "D without an activation", f.Encode, "distance.activation")
}

func TestCheckImages(t *testing.T) {
	m, x := latenttest.Model(1), images(2)
	if err := m.CheckImages(x); err != nil {
		t.Error(err)
	}
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		x[latent.DigitPixels+29] = bad
		if err := m.CheckImages(x); err == nil || !strings.Contains(err.Error(), "pixel (1, 1) of image 1") {
			t.Errorf("CheckImages with %v: %v", bad, err)
		}
	}
	if m.CheckImages(nil) == nil || m.CheckImages(make([]float32, 783)) == nil {
		t.Error("CheckImages took part of an image")
	}
}

// TestLoadRefuses changes one thing at a time in a good file.
func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"kind", "unet", `kind is "unet"`},
		{"distance.activation", "tanh", "distance.activation"},
		{"flow.restore", "", "flow.restore"},
		{"flow.restore", `{"alpha":-1,"sigma":1}`, "α is -1"},
		{"flow.restore", `{"alpha":0.7,"beta":0.3,"sigma":1}`, "less than 1"},
		{"flow.restore", `{"alpha":0.7,"steps":3}`, "σ_ker"},
		{"flow.generate", `{"sigma":1,"noise":-1}`, "noise"},
		{"flow.generate", `{`, "flow.generate"},
		{"classes", "sandal\n", "class 1 is empty"},
		{"classes", "sandal\nboot", "names of 2 classes"},
	} {
		f := latenttest.File(1)
		f.Meta[c.key] = c.value
		refused(t, c.key+"="+c.value, f.Encode, c.want)
	}
	f := latenttest.File(1)
	delete(f.Meta, "flow.generate")
	refused(t, "no flow.generate", f.Encode, "flow.generate is missing")
	for _, name := range []string{"encoder.conv1.weight", "decoder.linear.bias", "distance.0.weight", "distance.3.weight", "distance.2.bias", "bank.codes", "bank.spacing", "prior.mean", "prior.factor"} {
		f := latenttest.File(1)
		for i, tensor := range f.Tensors {
			if tensor.Name == name {
				f.Tensors = append(f.Tensors[:i], f.Tensors[i+1:]...)
				break
			}
		}
		refused(t, "without "+name, f.Encode, strings.TrimSuffix(strings.TrimSuffix(name, ".weight"), ".bias")[:8])
	}
	refused(t, "nonsense", func() ([]byte, error) { return []byte("not a model at all, but long enough"), nil }, "safetensors")
}

// TestClasses: a file's names of its classes are the model's, and one without has none.
func TestClasses(t *testing.T) {
	f := latenttest.File(1)
	for _, want := range [][]string{nil, strings.Split("a b c d e f g h i j", " ")} {
		if err := metadata.SetClasses(f.Meta, want); err != nil {
			t.Fatal(err)
		}
		m, err := latent.New(f)
		if err != nil || !slices.Equal(m.Classes(), want) {
			t.Errorf("the classes %q are read as %q, %v", want, m.Classes(), err)
		}
	}
}

// TestPlane: the plane of a file is the one that it names, a file that names none
// has none, and half of one or a wrong one is an error.
func TestPlane(t *testing.T) {
	f := latenttest.File(1)
	without := load(t, f)
	if without.Plane != nil {
		t.Fatal("a file without a plane has one")
	}
	want, err := project.Widest(without.Bank.Codes(), latent.DigitLatent)
	if err != nil {
		t.Fatal(err)
	}
	f.Tensors = append(f.Tensors, plain("map.mean", want.Mean(), latent.DigitLatent)...)
	f.Tensors = append(f.Tensors, plain("map.axes", want.Axes(), 2, latent.DigitLatent)...)
	m := load(t, f)
	if m.Plane == nil || !slices.Equal(m.Plane.Mean(), want.Mean()) || !slices.Equal(m.Plane.Axes(), want.Axes()) {
		t.Errorf("the file's plane is %v, want %v", m.Plane, want)
	}
	if c, err := m.Class(3); err != nil || c.Plane != m.Plane {
		t.Errorf("a class has the plane %v (%v), want that of all", c.Plane, err)
	}
	mean, axes := want.Mean(), want.Axes()
	skew := slices.Clone(axes)
	skew[0] += 0.1
	nan := slices.Clone(axes)
	nan[3] = float32(math.NaN())
	for _, c := range []struct {
		what       string
		mean, axes []float32
		want       string
	}{
		{"no axes", mean, nil, "map.axes"},
		{"no mean", nil, axes, "map.mean"},
		{"short mean", mean[:17], axes, "map.mean"},
		{"one axis", mean, axes[:18], "map.axes"},
		{"skew axes", mean, skew, "orthonormal"},
		{"no axes but zeros", mean, make([]float32, 36), "orthonormal"},
		{"not a number", mean, nan, "map.axes"},
	} {
		f := latenttest.File(1)
		f.Tensors = append(f.Tensors, plain("map.mean", c.mean, len(c.mean))...)
		f.Tensors = append(f.Tensors, plain("map.axes", c.axes, len(c.axes)/latent.DigitLatent, latent.DigitLatent)...)
		refused(t, c.what, f.Encode, c.want)
	}
	f = latenttest.File(1)
	if err := f.AddInt8("map.mean", make([]float32, 2*latent.DigitLatent), 2, latent.DigitLatent); err != nil {
		t.Fatal(err)
	}
	refused(t, "another type", f.Encode, "map.mean")
}

// plain returns a tensor with whatever numbers, none for no numbers.
func plain(name string, data []float32, shape ...int) []safetensors.Tensor {
	if data == nil {
		return nil
	}
	t := safetensors.Tensor{Name: name, DType: safetensors.F32, Shape: shape}
	for _, v := range data {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(v))
	}
	return []safetensors.Tensor{t}
}

func load(t *testing.T, f *safetensors.File) *latent.Model {
	t.Helper()
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func refused(t *testing.T, what string, encode func() ([]byte, error), want string) {
	t.Helper()
	b, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = latent.Load(b); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", what, err, want)
	}
}

func runner(b *testing.B) (*latent.Runner, []float32, []float32) {
	r := latenttest.Model(1).Runner(100)
	x := images(100)
	z := make([]float32, 100*latent.DigitLatent)
	r.Encode(z, x)
	return r, x, z
}

// The figures to set beside onnxruntime-web's: one image and a hundred.
func BenchmarkEncode(b *testing.B) {
	r, x, z := runner(b)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				r.Encode(z, x[:n*latent.DigitPixels])
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	r, x, z := runner(b)
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				r.Decode(x, z[:n*latent.DigitLatent])
			}
		})
	}
}

// BenchmarkFlowStep times one step of Alg. 4 for one code, with a bank of 100.
func BenchmarkFlowStep(b *testing.B) {
	r, _, z := runner(b)
	p := r.Restore
	p.Steps = 1
	for b.Loop() {
		steps, _ := r.Flow(z[:latent.DigitLatent], p)
		for range steps {
		}
	}
}

// TestNew: a model is the same of a file in memory and of its bytes.
func TestNew(t *testing.T) {
	f := latenttest.File(1)
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := latent.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	made, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := latenttest.Bits(loaded)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := latenttest.Bits(made); err != nil || got != want {
		t.Errorf("the file gives %s (%v), its bytes %s", got, err, want)
	}
	f.Tensors[0].Data = f.Tensors[0].Data[1:]
	if _, err := latent.New(f); err == nil {
		t.Error("a tensor with too few bytes makes a model")
	}
}
