package onnx

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/classifier"
	"mppm/shared/ddpm"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/weights"
)

func parsed(t *testing.T, b []byte) *safetensors.File {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// normal returns n numbers of a normal distribution.
func normal(seed uint64, n int) []float32 {
	x := make([]float32, n)
	rng.New(seed, 9).FillNorm(x, 1)
	return x
}

// TestClassifier holds the file of the shipped classifier to it, in both widths.
func TestClassifier(t *testing.T) {
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	x := digits(t, n)
	probs, e := make([]float32, n*c.Classes()), make([]float32, n*c.Width())
	c.Runner(n).Classify(probs, e, x)
	feeds := map[string]array{"image": arrayOf(x, n, 28, 28, 1)}
	f := parsed(t, weights.Classifier)
	out := onnxruntime(t, []run{
		{filepath.Join(files(t, f, ModelOptions{}), ClassifierFile), feeds},
		{filepath.Join(files(t, f, ModelOptions{Int8: true}), ClassifierFile), feeds},
	})
	for i, what := range []string{"", " in eight bits"} {
		near(t, "the probabilities"+what, out[i]["probabilities"], probs, 1e-5)
		near(t, "the embedding"+what, out[i]["embedding"], e, 1e-5)
	}
}

// TestEmbedding: an embedding takes pictures in [0, 1], and does itself what its net wants
// done to them.
func TestEmbedding(t *testing.T) {
	net := nn.Must(nn.New(nn.Shape{H: 8, W: 8, C: 3}, nn.Conv{Name: "a", Window: nn.Halving, Out: 4}, nn.ReLU, nn.Keep("embedding"), nn.Linear{Name: "b", Out: nn.Vector(2)}))
	text, err := net.Text()
	if err != nil {
		t.Fatal(err)
	}
	f := &safetensors.File{Meta: map[string]string{"kind": "embedding", "net": text, "input.mean": "[0.5,0.4,0.3]", "input.std": "[0.2]"}}
	for i, s := range net.Specs() {
		if err := f.AddFloat32(s.Name, normal(uint64(i), s.Size()), s.Shape...); err != nil {
			t.Fatal(err)
		}
	}
	const n = 3
	x := normal(7, n*net.In().Size())
	given := make([]float32, len(x))
	for i, v := range x {
		given[i] = (v - []float32{0.5, 0.4, 0.3}[i%3]) / 0.2
	}
	fn, err := net.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	r := fn.Runner(n)
	r.Forward(make([]float32, n*2), given)
	out := onnxruntime(t, []run{{filepath.Join(files(t, f, ModelOptions{}), EmbeddingFile), map[string]array{"image": arrayOf(x, n, 8, 8, 3)}}})
	near(t, "the embedding", out[0]["embedding"], r.Kept("embedding"), 1e-5)
	for _, c := range []struct{ key, value, want string }{
		{"input.std", "[0]", "cannot be divided by 0"}, {"input.mean", "[1,2]", "one for each of 3"}, {"net", "8x8", "net:"},
	} {
		bad := &safetensors.File{Meta: map[string]string{"kind": "embedding", "net": text, c.key: c.value}, Tensors: f.Tensors}
		if _, err := Files(bad, ModelOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %s: %v, want %q", c.key, c.value, err, c.want)
		}
	}
}

// TestGenerate holds generation to that of the shipped model.
func TestGenerate(t *testing.T) {
	for name, b := range map[string][]byte{"digits": weights.MNIST, "the autoencoder": weights.DAE} {
		f := parsed(t, b)
		m, err := latent.New(f)
		if err != nil {
			t.Fatal(err)
		}
		const n = 8
		d, p := m.Latent(), m.Generate
		r := m.Runner(n)
		// What Noise draws: of each code its spread, and then its width.
		noise, wide, z := make([]float32, n*d), make([]float32, n*d), make([]float32, n*d)
		src := rng.New(3, 0)
		for i := range n {
			src.FillNorm(noise[i*d:(i+1)*d], 1)
			if p.Start > 0 {
				src.FillNorm(wide[i*d:(i+1)*d], 1)
			}
		}
		r.Noise(z, p, rng.New(3, 0))
		seq, err := r.Flow(z, p)
		if err != nil {
			t.Fatal(err)
		}
		for range seq {
		}
		x := make([]float32, n*m.Pixels())
		r.Decode(x, z)
		feeds := map[string]array{"noise": arrayOf(noise, n, d)}
		if p.Start > 0 {
			feeds["wide"] = arrayOf(wide, n, d)
		}
		out := onnxruntime(t, []run{{filepath.Join(files(t, f, ModelOptions{}), GenerateFile), feeds}})
		near(t, "generation by "+name, out[0]["image"], x, 1e-4)
	}
}

// TestPoints holds the files of a shipped curve to it.
func TestPoints(t *testing.T) {
	f := parsed(t, weights.Circle)
	m, err := ambient.New(f)
	if err != nil {
		t.Fatal(err)
	}
	const n, share = 50, 1e-5
	r := m.Runner(n)
	x := normal(1, n*m.Dim)
	z, y, dae := make([]float32, n*m.Latent), make([]float32, len(x)), make([]float32, len(x))
	r.Encode(z, x)
	r.Decode(y, z)
	r.DAE(dae, x)
	d, grad := make([]float32, n), make([]float32, len(x))
	r.Distance(d, grad, x)
	flowed := append([]float32(nil), x...)
	seq, err := r.Flow(flowed, m.Flow)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for s := range seq {
		if s.Index == 1 {
			first = append([]float32(nil), s.X...)
		}
	}
	dir := files(t, f, ModelOptions{})
	at := func(name string) string { return filepath.Join(dir, name) }
	points, number := arrayOf(x, n, m.Dim), func(v float32) array { return arrayOf([]float32{v}) }
	out := onnxruntime(t, []run{
		{at(EncoderFile), map[string]array{"point": points}},
		{at(DecoderFile), map[string]array{"code": arrayOf(z, n, m.Latent)}},
		{at(DAEFile), map[string]array{"point": points}},
		{at(DistanceFile), map[string]array{"point": points}},
		{at(StepFile), map[string]array{"point": points, "alpha": number(m.Flow.Alpha), "beta": number(m.Flow.Beta), "sigma": number(m.Flow.SigmaD), "tau": number(m.Flow.Tau)}},
		{at(RestoreFile), map[string]array{"point": points}},
	})
	near(t, "F", out[0]["code"], z, share)
	near(t, "G", out[1]["point"], y, share)
	near(t, "the autoencoder", out[2]["restored"], dae, share)
	near(t, "D", out[3]["distance"], d, share)
	near(t, "∇D", out[3]["gradient"], grad, 10*share)
	near(t, "a step", out[4]["next"], first, share)
	near(t, "a flow", out[5]["restored"], flowed, 10*share)
}

// TestDiffusion holds latent diffusion to its files, noise and all.
func TestDiffusion(t *testing.T) {
	f := parsed(t, weights.LDM)
	m, err := ldm.New(f)
	if err != nil {
		t.Fatal(err)
	}
	const n, steps, share = 6, 40, 1e-5
	d, T := m.Latent(), m.Schedule.Len()
	sources := func() []*rng.Source {
		var all []*rng.Source
		for i := range n {
			all = append(all, rng.New(5, uint64(i)))
		}
		return all
	}
	// draws are what sources give so many steps: T × N × d.
	draws := func(s []*rng.Source, steps int) []float32 {
		all := make([]float32, steps*n*d)
		for t := range steps - 1 {
			for i, src := range s {
				src.FillNorm(all[(t*n+i)*d:(t*n+i+1)*d], 1)
			}
		}
		return all
	}
	r := m.Runner(n)
	x := digits(t, n)
	z, restored := make([]float32, n*d), make([]float32, len(x))
	r.Encode(z, x)
	codes := append([]float32(nil), z...)
	seq, err := r.Restore(z, steps, sources())
	if err != nil {
		t.Fatal(err)
	}
	var before, after []float32
	for s := range seq {
		switch s.Left {
		case 10:
			before = append([]float32(nil), s.X...)
		case 9:
			after = append([]float32(nil), s.X...)
		}
	}
	m.Codes(z, z, 0)
	r.Decode(restored, z)
	grown := make([]float32, n*m.Pixels())
	if seq, err = r.Generate(z, sources()); err != nil {
		t.Fatal(err)
	}
	for range seq {
	}
	m.Codes(z, z, 0)
	r.Decode(grown, z)
	start := make([]float32, n*d)
	rest := sources()
	for i, src := range rest {
		src.FillNorm(start[i*d:(i+1)*d], 1)
	}
	denoiser, err := ddpm.Load(f, d)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]float32, n*d)
	denoiser.Runner(n).Predict(noise, before, m.Schedule.Time(9))

	dir, small := files(t, f, ModelOptions{}), files(t, f, ModelOptions{Int8: true})
	all := draws(sources(), steps)
	at := func(name string) string { return filepath.Join(dir, name) }
	restoring := map[string]array{"image": arrayOf(x, n, 28, 28, 1), "steps": wholeOf(steps), "noise": arrayOf(all, steps, n, d)}
	out := onnxruntime(t, []run{
		{at(EncoderFile), map[string]array{"image": arrayOf(x, n, 28, 28, 1)}},
		{at(DenoiserFile), map[string]array{"point": arrayOf(before, n, d), "step": wholeOf(9)}},
		{at(DiffusionFile), map[string]array{"point": arrayOf(before, n, d), "step": wholeOf(9), "noise": arrayOf(all[(steps-10)*n*d:(steps-9)*n*d], n, d)}},
		{at(RestoreFile), restoring},
		{filepath.Join(small, RestoreFile), restoring},
		{at(GenerateFile), map[string]array{"point": arrayOf(start, n, d), "noise": arrayOf(draws(rest, T), T, n, d)}},
	})
	near(t, "F", out[0]["code"], codes, share)
	near(t, "the noise of a step", out[1]["noise"], noise, share)
	near(t, "a step back", out[2]["next"], after, share)
	near(t, "a restoration", out[3]["restored"], restored, share)
	near(t, "a restoration in eight bits", out[4]["restored"], restored, share)
	near(t, "generation", out[5]["image"], grown, 10*share)
}

// TestDiffusionOfFaces: with a U-Net, what was encoded gives the skips of what is restored.
func TestDiffusionOfFaces(t *testing.T) {
	if testing.Short() {
		t.Skip("a U-Net takes seconds")
	}
	f := parsed(t, weights.DrawnLDM)
	m, err := ldm.New(f)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 20
	d, s := m.Latent(), m.Image()
	src := rng.New(1, 0)
	x := make([]float32, s.Size())
	for i := range x {
		x[i] = src.Float32()
	}
	r := m.Runner(1)
	z, y := make([]float32, d), make([]float32, len(x))
	var skips latent.Skips
	r.EncodeSkips(z, x, &skips)
	seq, err := r.Restore(z, steps, []*rng.Source{rng.New(5, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for range seq {
	}
	m.Codes(z, z, 0)
	r.DecodeSkips(y, z, &skips, nil)
	noise, draws := make([]float32, steps*d), rng.New(5, 0)
	for i := range steps - 1 {
		draws.FillNorm(noise[i*d:(i+1)*d], 1)
	}
	dir := files(t, f, ModelOptions{Int8: true})
	out := onnxruntime(t, []run{{filepath.Join(dir, RestoreFile), map[string]array{"image": arrayOf(x, 1, s.H, s.W, s.C), "steps": wholeOf(steps), "noise": arrayOf(noise, steps, 1, d)}}})
	near(t, "a restoration", out[0]["restored"], y, 1e-5)
}

// TestRestorationOfFaces holds the iteration of App. B.3, with all that weighs skips and
// pixels, to that of package latent: of the shipped faces, and of nets whose skips are no
// whole parts of the image, of none that has L, and of several rounds.
func TestRestorationOfFaces(t *testing.T) {
	if testing.Short() {
		t.Skip("a U-Net takes seconds")
	}
	odd := func(local bool) *latent.Nets {
		image, c := nn.Shape{H: 22, W: 20, C: 3}, unet.Config{Channels: []int{4, 8, 8}, Latent: 12}
		nets, err := unet.New(image, c)
		if err == nil && local {
			nets.L, err = unet.Local(image, c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return nets
	}
	withoutP := odd(false)
	withoutP.P = nil
	faces := parsed(t, weights.Faces)
	for _, c := range []struct {
		name string
		f    *safetensors.File
		p    latent.Preset
	}{
		{"the shipped faces", faces, latent.Preset{}},
		{"two rounds", latenttest.FileOf(7, odd(true)), latent.Preset{Alpha: 0.4, Beta: 0.1, Sigma: 0.5, Start: 0.8, Steps: 2, Trust: 0.7, Local: 0.5, Keep: 0.3, Rounds: 2}},
		{"odd sides", latenttest.FileOf(2, odd(true)), latent.Preset{Alpha: 0.4, Beta: 0.1, Sigma: 0.5, Steps: 2, Trust: 0.7, Local: 0.5, Keep: 0.3}},
		{"pixels alone", latenttest.FileOf(3, odd(true)), latent.Preset{Alpha: 0.4, Sigma: 0.5, Steps: 1, Local: 0.5}},
		{"no L", latenttest.FileOf(4, odd(false)), latent.Preset{Alpha: 0.4, Sigma: 0.5, Steps: 1, Trust: 0.5, Rounds: 3}},
		{"no P", latenttest.FileOf(5, withoutP), latent.Preset{Alpha: 0.4, Sigma: 0.5, Steps: 1, Trust: 0.5}},
		{"skips as they are", latenttest.FileOf(6, odd(false)), latent.Preset{Alpha: 0.4, Sigma: 0.5, Steps: 1}},
	} {
		if c.p != (latent.Preset{}) {
			text, err := json.Marshal(c.p)
			if err != nil {
				t.Fatal(err)
			}
			c.f.Meta["flow.restore"] = string(text)
		}
		m, err := latent.New(c.f)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		const n = 2
		s := m.Image()
		x := make([]float32, n*s.Size())
		src := rng.New(1, 0)
		for i := range x {
			x[i] = src.Float32()
		}
		seq, err := m.Runner(n).Restoration(x, m.Restore)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var last latent.Frame
		for last = range seq {
		}
		dir := files(t, c.f, ModelOptions{Int8: c.name == "odd sides" || c.name == "the shipped faces"})
		out := onnxruntime(t, []run{{filepath.Join(dir, RestoreFile), map[string]array{"image": arrayOf(x, n, s.H, s.W, s.C)}}})
		near(t, c.name, out[0]["restored"], last.Image(), 1e-5)
	}
}

// TestOtherKinds: what is of no kind that is written is refused, with its name.
func TestOtherKinds(t *testing.T) {
	for _, kind := range []string{"", "teapot"} {
		if _, err := Files(&safetensors.File{Meta: map[string]string{"kind": kind}}, ModelOptions{}); err == nil || !strings.Contains(err.Error(), `"`+kind+`"`) {
			t.Errorf("%q: %v", kind, err)
		}
	}
}
