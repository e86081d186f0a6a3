package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"mppm/shared/ambient"
	"mppm/shared/classifier"
	"mppm/shared/ddpm"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// classifierFiles writes a classifier.
func classifierFiles(f *safetensors.File, o ModelOptions) (map[string][]byte, error) {
	if _, err := classifier.New(f); err != nil {
		return nil, err
	}
	net := classifier.Digits
	if text, ok := f.Meta["net"]; ok {
		var err error
		if net, err = nn.Parse(text); err != nil {
			return nil, err
		}
	}
	b := newBuilder(o.Int8)
	all, err := b.net(net, f, []shaped{b.images("image", net.In())})
	if err != nil {
		return nil, err
	}
	logits := all[net.Output()]
	logits.name = b.node("Softmax", settings{"axis": 1}, logits.name)
	b.leave("probabilities", logits)
	v, _ := net.Value("embedding")
	b.leave("embedding", all[v])
	return map[string][]byte{ClassifierFile: b.file("classifier", "the probability of each class of an image, and the numbers that it decides by")}, nil
}

// embeddingKind is what the metadata of an embedding has as its kind.
const embeddingKind = "embedding"

// embeddingFiles writes an embedding, which takes pictures in [0, 1] whatever its net takes.
func embeddingFiles(f *safetensors.File, o ModelOptions) (map[string][]byte, error) {
	net, err := nn.Parse(f.Meta["net"])
	if err != nil {
		return nil, fmt.Errorf("metadata: net: %w", err)
	}
	if len(net.Inputs()) > 1 {
		return nil, fmt.Errorf("metadata: net: it has %d inputs; want one, a picture", len(net.Inputs()))
	}
	if i := slices.Index(net.Layers(), nn.Layer(nn.Keep("embedding"))); i >= 0 { // what comes after is not needed
		if net, err = nn.New(net.In(), net.Layers()[:i]...); err != nil {
			return nil, fmt.Errorf("metadata: net: %w", err)
		}
	}
	b, in := newBuilder(o.Int8), net.In()
	x := b.images("image", in)
	for _, part := range []struct{ key, op string }{{"input.mean", "Sub"}, {"input.std", "Div"}} {
		text, ok := f.Meta[part.key]
		if !ok {
			continue
		}
		var numbers []float32
		if err := json.Unmarshal([]byte(text), &numbers); err != nil || len(numbers) != 1 && len(numbers) != in.C {
			return nil, fmt.Errorf("metadata: %s is %q; want a list of one number, or of one for each of %d channels", part.key, text, in.C)
		}
		if part.op == "Div" && slices.Contains(numbers, 0) {
			return nil, fmt.Errorf("metadata: %s is %s; a channel cannot be divided by 0", part.key, text)
		}
		x.name = b.node(part.op, nil, x.name, b.floats(part.key, numbers, 1, len(numbers), 1, 1))
	}
	all, err := b.net(net, f, []shaped{x})
	if err != nil {
		return nil, err
	}
	out := all[net.Output()]
	if out.image {
		out = shaped{b.node("Flatten", nil, b.node("Transpose", settings{"perm": []int{0, 2, 3, 1}}, out.name)), nn.Vector(out.shape.Size()), false}
	}
	b.leave("embedding", out)
	return map[string][]byte{EmbeddingFile: b.file("embedding", "the embedding of a picture (N × height × width × channels, in [0, 1])")}, nil
}

// pointFiles writes a model of points.
func pointFiles(f *safetensors.File, o ModelOptions) (map[string][]byte, error) {
	m, err := ambient.New(f)
	if err != nil {
		return nil, err
	}
	w, err := loadLandscape(f, m.Dim, true, 1)
	if err != nil {
		return nil, err
	}
	samples, err := m.Runner(64).Samples(m.Flow)
	if err != nil {
		return nil, err
	}
	points := make([]float32, samples.Len()*m.Dim)
	for j := range samples.Len() {
		samples.Code(points[j*m.Dim:(j+1)*m.Dim], j)
	}
	w.bank = func(b *builder) bank {
		return bank{b.floats("bank.points", points, samples.Len(), m.Dim), w.shifts(b, points)}
	}
	files := map[string][]byte{}
	mlp := func(b *builder, name string, in shaped) (shaped, error) {
		n, err := nn.LoadMLP(f, name, in.shape.Size(), 0, nn.ReLU)
		if err != nil {
			return shaped{}, err
		}
		all, err := b.net(n.Net, f, []shaped{in})
		if err != nil {
			return shaped{}, err
		}
		return all[n.Output()], nil
	}
	for _, n := range []struct {
		file, in, out, about string
		size                 int
		nets                 []string
	}{
		{EncoderFile, "point", "code", "F: the code of a point", m.Dim, []string{ambient.Encoder}},
		{DecoderFile, "code", "point", "G: the point of a code", m.Latent, []string{ambient.Decoder}},
		{DAEFile, "point", "restored", "the denoising autoencoder", m.Dim, []string{ambient.DAEEncoder, ambient.DAEDecoder}},
	} {
		b := newBuilder(o.Int8)
		v := b.vectors(n.in, n.size)
		for _, name := range n.nets {
			if v, err = mlp(b, name, v); err != nil {
				return nil, err
			}
		}
		b.leave(n.out, v)
		files[n.file] = b.file(n.out, n.about)
	}
	if files[DistanceFile], err = w.distance(o, "point", "D: the distance of a point to the clean ones, at least 0, and its gradient of length 1 (Eq. 14)"); err != nil {
		return nil, err
	}
	if files[StepFile], err = w.step(o, "point", "one step of the flow of a point (Eq. 15 and 19); sigma and tau are lengths"); err != nil {
		return nil, err
	}
	p := m.Flow
	b := newBuilder(o.Int8)
	x, err := w.flow(b, b.vectors("point", m.Dim).name, course{alpha: p.Alpha, beta: p.Beta, sigma: p.SigmaD, tau: p.Tau, steps: p.Steps, tolerance: p.Tolerance})
	if err != nil {
		return nil, err
	}
	b.output("restored", x, typeFloat, -1, m.Dim)
	files[RestoreFile] = b.file("restore", "the default flow of a point (Alg. 1)")
	d, err := loadDiffusion(f, m.Schedule, m.Dim, o)
	if err != nil {
		return nil, err
	}
	return files, d.common(files)
}

// diffusion writes denoising diffusion.
type diffusion struct {
	f   *safetensors.File
	s   *ddpm.Schedule
	net *nn.Net
	dim int
	o   ModelOptions
}

func loadDiffusion(f *safetensors.File, s *ddpm.Schedule, dim int, o ModelOptions) (*diffusion, error) {
	net, err := nn.LoadMLP(f, "denoiser", dim+ddpm.TimeFeatures, dim, nn.SiLU)
	if err != nil {
		return nil, err
	}
	return &diffusion{f, s, net.Net, dim, o}, nil
}

// table adds a number of each step.
func (w *diffusion) table(b *builder, name string, of func(t int) float64, n int) string {
	data := make([]float32, n)
	for t := range data {
		data[t] = float32(of(t))
	}
	return b.floats(name, data, n)
}

// tables are what a step back looks up.
type tables struct{ features, coef, scale, sigma string }

// lookups adds the features of all times, and with coefs those of Alg. 3, line 4 and 7.
func (w *diffusion) lookups(b *builder, coefs bool) tables {
	T := w.s.Len()
	features := make([]float32, T*ddpm.TimeFeatures)
	for t := range T {
		ddpm.Features(features[t*ddpm.TimeFeatures:], w.s.Time(t))
	}
	k := tables{features: b.floats("features", features, T, ddpm.TimeFeatures)}
	if !coefs {
		return k
	}
	beta := func(t int) float64 {
		if t == 0 {
			return 1 - w.s.Kept(0)
		}
		return 1 - w.s.Kept(t)/w.s.Kept(t-1)
	}
	k.coef = w.table(b, "coef", func(t int) float64 { return beta(t) / math.Sqrt(1-w.s.Kept(t)) }, T)
	k.scale = w.table(b, "scale", func(t int) float64 { return 1 / math.Sqrt(1-beta(t)) }, T)
	k.sigma = w.table(b, "sigma", func(t int) float64 {
		if t == 0 {
			return 0
		}
		return math.Sqrt(beta(t))
	}, T)
	return k
}

// predict adds the noise that is in points x at a step.
func (w *diffusion) predict(b *builder, x, step string, k tables) (string, error) {
	row := b.node("Gather", settings{"axis": 0}, k.features, step)
	rows := b.node("Gather", settings{"axis": 0}, b.node("Shape", nil, x), b.wholes64(0))
	dims := b.node("Concat", settings{"axis": 0}, rows, b.wholes64(ddpm.TimeFeatures))
	in := b.node("Concat", settings{"axis": 1}, x, b.node("Expand", nil, row, dims))
	all, err := b.net(w.net, w.f, []shaped{{in, w.net.In(), false}})
	if err != nil {
		return "", err
	}
	return all[w.net.Output()].name, nil
}

// back adds one step of Alg. 3.
func (w *diffusion) back(b *builder, x, step, noise string, k tables) (string, error) {
	e, err := w.predict(b, x, step, k)
	if err != nil {
		return "", err
	}
	of := func(table string) string { return b.node("Gather", settings{"axis": 0}, table, step) }
	clean := b.node("Mul", nil, b.node("Sub", nil, x, b.node("Mul", nil, of(k.coef), e)), of(k.scale))
	return b.node("Add", nil, clean, b.node("Mul", nil, of(k.sigma), noise)), nil
}

// common writes the denoiser and a step.
func (w *diffusion) common(files map[string][]byte) error {
	b := newBuilder(w.o.Int8)
	e, err := w.predict(b, b.vectors("point", w.dim).name, b.input("step", typeInt64), w.lookups(b, false))
	if err != nil {
		return err
	}
	b.output("noise", e, typeFloat, -1, w.dim)
	files[DenoiserFile] = b.file("denoiser", "the noise that is in a point at a step of diffusion")

	b = newBuilder(w.o.Int8)
	x, step, noise := b.vectors("point", w.dim).name, b.input("step", typeInt64), b.vectors("noise", w.dim).name
	next, err := w.back(b, x, step, noise, w.lookups(b, true))
	if err != nil {
		return err
	}
	b.output("next", next, typeFloat, -1, w.dim)
	files[DiffusionFile] = b.file("diffusion", "a step back of diffusion (Alg. 3), with standard normal noise")
	return nil
}

// flow adds steps back from points on, of which noise (T × N × d) has one part each.
func (w *diffusion) flow(b *builder, x, steps, noise string) (string, error) {
	k := w.lookups(b, true)
	body := b.inner()
	round := body.input("round", typeInt64)
	body.input("going", typeBool)
	at := body.input("at", typeFloat, -1, w.dim)
	left := body.node("Sub", nil, body.node("Sub", nil, steps, body.whole("one", 1)), round)
	next, err := w.back(body, at, left, body.node("Gather", settings{"axis": 0}, noise, round), k)
	if err != nil {
		return "", err
	}
	body.output("on", "going", typeBool)
	body.output("led", next, typeFloat, -1, w.dim)
	return b.node("Loop", settings{"body": body}, steps, "", x), nil
}

// diffusionFiles writes latent diffusion.
func diffusionFiles(f *safetensors.File, o ModelOptions) (map[string][]byte, error) {
	m, err := ldm.New(f)
	if err != nil {
		return nil, err
	}
	nets, err := latent.Described(f.Meta)
	if err != nil {
		return nil, err
	}
	d := m.Latent()
	w, err := loadDiffusion(f, m.Schedule, d, o)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	if err := coders(f, nets, o, files); err != nil {
		return nil, err
	}
	if err := w.common(files); err != nil {
		return nil, err
	}
	ends := func(b *builder) (mean, std string, err error) {
		if mean, err = b.vector(f, "latent.mean", d, nil); err == nil {
			std, err = b.vector(f, "latent.std", d, nil)
		}
		return mean, std, err
	}
	// draw adds the images of points at the end of a diffusion, with the skips of what was
	// encoded or else with the projections.
	draw := func(b *builder, x, name string, skips []shaped) error {
		mean, std, err := ends(b)
		if err != nil {
			return err
		}
		z := b.node("Add", nil, b.node("Mul", nil, x, std), mean)
		if skips == nil {
			if skips, err = projected(b, nets, f, z); err != nil {
				return err
			}
		}
		all, err := b.net(nets.G, f, append([]shaped{{z, nets.G.In(), false}}, skips...))
		if err == nil {
			b.leave(name, all[nets.G.Output()])
		}
		return err
	}

	b := newBuilder(o.Int8)
	image := b.images("image", nets.F.In())
	steps, noise := b.input("steps", typeInt64), b.input("noise", typeFloat, -2, -1, d)
	all, err := b.net(nets.F, f, []shaped{image})
	if err != nil {
		return nil, err
	}
	mean, std, err := ends(b)
	if err != nil {
		return nil, err
	}
	x := b.node("Div", nil, b.node("Sub", nil, all[nets.F.Output()].name, mean), std)
	signal := w.table(b, "signal", func(t int) float64 {
		if t == 0 {
			return 1
		}
		return math.Sqrt(m.Schedule.Kept(t - 1))
	}, m.Schedule.Len()+1)
	x = b.node("Mul", nil, x, b.node("Gather", settings{"axis": 0}, signal, steps))
	if x, err = w.flow(b, x, steps, noise); err != nil {
		return nil, err
	}
	if err := draw(b, x, "restored", b.kept(nets, nets.F, all)); err != nil {
		return nil, err
	}
	files[RestoreFile] = b.file("restore", "the whole restoration: F, so many steps back of diffusion, and G")

	b = newBuilder(o.Int8)
	point, noise := b.vectors("point", d).name, b.input("noise", typeFloat, -2, -1, d)
	if x, err = w.flow(b, point, b.whole("steps", m.Schedule.Len()), noise); err != nil {
		return nil, err
	}
	if err := draw(b, x, "image", nil); err != nil {
		return nil, err
	}
	files[GenerateFile] = b.file("generate", "the whole generation: diffusion from noise, and G")
	return files, nil
}
