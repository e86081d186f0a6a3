package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mppm/shared/ambient"
	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/axes"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// The files that Files makes, by their names.
const (
	EncoderFile     = "encoder.onnx"
	DecoderFile     = "decoder.onnx"
	ProjectionsFile = "projections.onnx"
	LocalFile       = "local.onnx"
	DistanceFile    = "distance.onnx"
	StepFile        = "step.onnx"
	RestoreFile     = "restore.onnx"
	GenerateFile    = "generate.onnx"
	ClassifierFile  = "classifier.onnx"
	EmbeddingFile   = "embedding.onnx"
	DAEFile         = "dae.onnx"
	DenoiserFile    = "denoiser.onnx"
	DiffusionFile   = "diffusion.onnx"
)

// Names returns the names of all files that Files may make.
func Names() []string {
	return []string{
		EncoderFile, DecoderFile, ProjectionsFile, LocalFile, DistanceFile, StepFile, RestoreFile, GenerateFile,
		ClassifierFile, EmbeddingFile, DAEFile, DenoiserFile, DiffusionFile,
	}
}

// ModelOptions say how a model is written.
type ModelOptions struct {
	// Int8 keeps weights and codes that are stored in eight bits as they are: files of a
	// quarter of the size, which make 32-bit numbers of them when they are loaded.
	Int8 bool
}

// Files makes ONNX files of the weights in f, whatever they are of. What goes in and comes
// out are 32-bit floats unless said otherwise, N is open, and images are as everywhere in
// this project: N × height × width × channels, in [0, 1].
//
// Of a model of package latent, a denoising autoencoder among them:
//
//	encoder.onnx      F:  image → code, and of a U-Net S_1 to S_k by their names
//	decoder.onnx      G:  code, and of a U-Net the skips → image
//	projections.onnx  P of a U-Net that has projections: code → Ŝ_1 to Ŝ_k
//	local.onnx        L of a U-Net that has it: image, and the skips that it takes →
//	                  distance at each pixel (N × height × width × 1)
//	distance.onnx     D:  code → distance (N), gradient (N × d) of length 1 (Eq. 14)
//	step.onnx         one step of the flow (Eq. 15, Eq. 21):
//	                  code, alpha, beta, sigma, tau → next (N × d), distance (N), moved (N)
//	restore.onnx      the whole restoration: image → restored. F, the flow and G; of a
//	                  U-Net the iteration of App. B.3 with the weights of its skips
//	generate.onnx     the whole generation: noise (N × d, standard normal), and wide
//	                  likewise where the kernel starts wide → image
//
// A code is N × d; alpha to tau are one number each, as moved is of each code. Sigma and
// tau are in multiples of the bank's spacing, as in a preset. What has no D has no
// distance.onnx, and a flow without alpha and tau.
//
// Of latent diffusion, package ldm: encoder.onnx and decoder.onnx, and
//
//	denoiser.onnx     point (N × d), step (one int64, 0 to T − 1) → noise (N × d)
//	diffusion.onnx    one step back (Alg. 3): point, step, noise (N × d) → next
//	restore.onnx      image, steps (one int64, 0 to T), noise (T × N × d, of as many steps
//	                  at least) → restored
//	generate.onnx     point (N × d, standard normal), noise (T × N × d) → image
//
// Points are codes with the mean 0 and the deviation 1; noise is standard normal.
//
// Of a model of points, package ambient, in whose coordinates points are (N × D):
//
//	encoder.onnx      F:  point → code;  decoder.onnx, G:  code → point
//	distance.onnx     D:  point → distance (N), gradient (N × D)
//	step.onnx         point, alpha, beta, sigma, tau → next, distance, moved, with the
//	                  samples of the default flow (Eq. 24); sigma and tau are lengths
//	restore.onnx      the default flow: point → restored
//	dae.onnx          the denoising autoencoder: point → restored
//	denoiser.onnx     and diffusion.onnx, as of latent diffusion
//
// Of a classifier classifier.onnx: image → probabilities (N × classes), embedding. Of an
// embedding embedding.onnx: image → embedding.
func Files(f *safetensors.File, o ModelOptions) (files map[string][]byte, err error) {
	kind := f.Meta["kind"]
	for _, k := range []struct {
		is   bool
		make func(*safetensors.File, ModelOptions) (map[string][]byte, error)
	}{
		{latent.CheckKind(f.Meta, latent.Kind) == nil, modelFiles},
		{latent.CheckKind(f.Meta, ldm.Kind) == nil, diffusionFiles},
		{strings.HasPrefix(kind, classifier.Kind), classifierFiles},
		{kind == ambient.Kind, pointFiles},
		{kind == embeddingKind, embeddingFiles},
	} {
		if !k.is {
			continue
		}
		if files, err = k.make(f, o); err != nil {
			return nil, fmt.Errorf("onnx: %w", err)
		}
		return files, nil
	}
	return nil, fmt.Errorf("onnx: the weights are of the kind %q, of which no files are made", kind)
}

// writer makes the files of a model of package latent.
type writer struct {
	*landscape
	o     ModelOptions
	m     *latent.Model
	nets  *latent.Nets
	files map[string][]byte
}

func modelFiles(f *safetensors.File, o ModelOptions) (map[string][]byte, error) {
	m, err := latent.New(f)
	if err != nil {
		return nil, err
	}
	w := &writer{o: o, m: m, files: map[string][]byte{}}
	if w.nets, err = latent.Described(f.Meta); err != nil {
		return nil, err
	}
	if w.landscape, err = loadLandscape(f, m.Latent(), m.HasDistance(), m.Bank.Spacing); err != nil {
		return nil, err
	}
	w.landscape.bank = w.codes
	if err := coders(f, w.nets, o, w.files); err != nil {
		return nil, err
	}
	makers := []func() error{w.step, w.restore, w.generate}
	if w.nets.P != nil {
		makers = append(makers, w.projections)
	}
	if w.nets.L != nil {
		makers = append(makers, w.local)
	}
	if w.d != nil {
		makers = append(makers, w.distance)
	}
	for _, make := range makers {
		if err := make(); err != nil {
			return nil, err
		}
	}
	return w.files, nil
}

// coders writes F and G.
func coders(f *safetensors.File, nets *latent.Nets, o ModelOptions, files map[string][]byte) error {
	b := newBuilder(o.Int8)
	all, err := b.net(nets.F, f, []shaped{b.images("image", nets.F.In())})
	if err != nil {
		return err
	}
	b.leave("code", all[nets.F.Output()])
	b.skips(nets, nets.F, all)
	files[EncoderFile] = b.file("F", "F: the code of an image (N × height × width × channels, in [0, 1])")

	g, b := nets.G, newBuilder(o.Int8)
	in := []shaped{b.vectors("code", g.In().Size())}
	for i, name := range nets.Skips() {
		in = append(in, b.images(name, g.Shape(g.Inputs()[i+1])))
	}
	if all, err = b.net(g, f, in); err != nil {
		return err
	}
	b.leave("image", all[g.Output()])
	files[DecoderFile] = b.file("G", "G: the image (N × height × width × channels, in [0, 1]) of a code")
	return nil
}

// skips lets what G takes beside z leave.
func (b *builder) skips(nets *latent.Nets, n *nn.Net, all []shaped) {
	for _, name := range nets.Skips() {
		if v, ok := n.Value(name); ok {
			b.leave(name, all[v])
		}
	}
}

func (w *writer) projections() error {
	b := newBuilder(w.o.Int8)
	all, err := b.net(w.nets.P, w.f, []shaped{b.vectors("code", w.m.Latent())})
	if err != nil {
		return err
	}
	b.skips(w.nets, w.nets.P, all)
	w.files[ProjectionsFile] = b.file("P", "P: the projections of the skips that a code stands for (App. B.3)")
	return nil
}

func (w *writer) local() error {
	b, l := newBuilder(w.o.Int8), w.nets.L
	in := []shaped{b.images("image", l.In())}
	for i, name := range further(l) {
		in = append(in, b.images(name, l.Shape(l.Inputs()[i+1])))
	}
	all, err := b.net(l, w.f, in)
	if err != nil {
		return err
	}
	v := all[l.Output()]
	v.name = b.node("Relu", nil, v.name)
	b.leave("distance", v)
	w.files[LocalFile] = b.file("L", "L: how far an image is from clean ones, at each pixel, at least 0")
	return nil
}

func (w *writer) distance() (err error) {
	w.files[DistanceFile], err = w.landscape.distance(w.o, "code", "D: the distance of a code to those of clean images, at least 0, and its gradient of length 1 (Eq. 14)")
	return err
}

func (w *writer) step() (err error) {
	w.files[StepFile], err = w.landscape.step(w.o, "code", "one step of the flow of a code (Eq. 15 and 21); sigma and tau in multiples of the bank's spacing")
	return err
}

// codes adds the code bank.
func (w *writer) codes(b *builder) bank {
	n, d := w.m.Bank.Len(), w.m.Latent()
	codes := w.m.Bank.Codes()
	names := bank{shift: w.shifts(b, codes)}
	t, _ := w.f.Lookup("bank.codes")
	scale, err := w.f.Float32("bank.codes.scale", d)
	if !w.o.Int8 || t.DType != safetensors.I8 || err != nil {
		names.points = b.floats("bank.codes", codes, n, d)
		return names
	}
	names.points = b.scaled("bank.codes", axes.Turned(t.Data, []int{d, n}, 1, 0), scale, 1, n, d)
	return names
}

// courseOf is the flow of a preset.
func courseOf(p latent.Preset) course {
	return course{p.Alpha, p.Beta, p.Sigma, p.Tau, p.Start, p.Steps, p.Tolerance}
}

// generate writes the whole generation.
func (w *writer) generate() error {
	b, p, d := newBuilder(w.o.Int8), w.m.Generate, w.m.Latent()
	mean, err := w.f.Float32("prior.mean", d)
	if err != nil {
		return err
	}
	factor, err := w.f.Float32("prior.factor", d, d)
	if err != nil {
		return err
	}
	spread := make([]float32, d*d)
	for i := range d {
		for k := range i + 1 {
			spread[i*d+k] = factor[i*d+k] * p.Noise
		}
	}
	noise := b.vectors("noise", d).name
	z := b.node("Gemm", settings{"transB": 1}, noise, b.floats("prior.factor", spread, d, d), b.floats("prior.mean", mean, d))
	if p.Start > 0 {
		wide := b.vectors("wide", d).name
		z = b.node("Add", nil, z, b.node("Mul", nil, wide, b.float(p.Start*w.spacing)))
	}
	if z, err = w.flow(b, z, courseOf(p)); err != nil {
		return err
	}
	skips, err := projected(b, w.nets, w.f, z)
	if err != nil {
		return err
	}
	all, err := b.net(w.nets.G, w.f, append([]shaped{{z, w.nets.G.In(), false}}, skips...))
	if err != nil {
		return err
	}
	b.leave("image", all[w.nets.G.Output()])
	w.files[GenerateFile] = b.file("generate", "the whole generation: noise with the codes' spread, the flow of generation, and G")
	return nil
}

// projected adds what stands for the skips of codes: Ŝ_1 to Ŝ_k, or 0 where there is no P.
func projected(b *builder, nets *latent.Nets, f *safetensors.File, z string) ([]shaped, error) {
	names := nets.Skips()
	if len(names) == 0 {
		return nil, nil
	}
	if nets.P == nil {
		var all []shaped
		for k := range names {
			s := nets.G.Shape(nets.G.Inputs()[k+1])
			// One 0 of each code, as many as a skip has numbers.
			none := b.node("Mul", nil, b.node("ReduceSum", settings{"keepdims": 1}, z, b.wholes64(1)), b.float(0))
			ones := b.floats(names[k]+".none", make([]float32, s.Size()), 1, s.C, s.H, s.W)
			none = b.node("Reshape", nil, none, b.wholes64(-1, 1, 1, 1))
			all = append(all, shaped{b.node("Add", nil, none, ones), s, true})
		}
		return all, nil
	}
	values, err := b.net(nets.P, f, []shaped{{z, nets.P.In(), false}})
	if err != nil {
		return nil, err
	}
	return b.kept(nets, nets.P, values), nil
}

// kept are the skips among the values of F or P.
func (b *builder) kept(nets *latent.Nets, n *nn.Net, values []shaped) []shaped {
	var all []shaped
	for _, name := range nets.Skips() {
		v, _ := n.Value(name)
		all = append(all, b.asImage(values[v]))
	}
	return all
}

// restore writes the whole restoration, as latent.Runner.Restoration does it.
func (w *writer) restore() error {
	b, p := newBuilder(w.o.Int8), w.m.Restore
	y := b.images("image", w.nets.F.In())
	if p.Rounds < 2 {
		x, err := w.round(b, y)
		if err != nil {
			return err
		}
		b.leave("restored", x)
	} else {
		s := y.shape
		body := b.inner()
		body.input("round", typeInt64)
		body.input("more", typeBool)
		before := shaped{body.input("before", typeFloat, -1, s.C, s.H, s.W), s, true}
		x, err := w.round(body, before)
		if err != nil {
			return err
		}
		body.output("again", "more", typeBool)
		body.output("after", x.name, typeFloat, -1, s.C, s.H, s.W)
		last := b.node("Loop", settings{"body": body}, b.whole("rounds", p.Rounds), "", y.name)
		b.leave("restored", shaped{last, s, true})
	}
	w.files[RestoreFile] = b.file("restore", "the whole restoration: F, the flow of restoration, and G, with what skips there are")
	return nil
}

// round adds a round of restoration: what it makes of images.
func (w *writer) round(b *builder, y shaped) (shaped, error) {
	p, nets := w.m.Restore, w.nets
	all, err := b.net(nets.F, w.f, []shaped{y})
	if err != nil {
		return shaped{}, err
	}
	start := all[nets.F.Output()].name
	z, err := w.flow(b, start, courseOf(p))
	if err != nil {
		return shaped{}, err
	}
	var local string // L, N × 1 × H × W
	if p.Local > 0 || p.Keep > 0 {
		in := []shaped{y}
		for _, name := range further(nets.L) {
			v, _ := nets.F.Value(name)
			in = append(in, all[v])
		}
		seen, err := b.net(nets.L, w.f, in)
		if err != nil {
			return shaped{}, err
		}
		local = b.node("Relu", nil, seen[nets.L.Output()].name)
	}
	skips, err := w.mixed(b, all, start, z, local)
	if err != nil {
		return shaped{}, err
	}
	drawn, err := b.net(nets.G, w.f, append([]shaped{{z, nets.G.In(), false}}, skips...))
	if err != nil {
		return shaped{}, err
	}
	x := b.asImage(drawn[nets.G.Output()])
	if p.Keep > 0 {
		x.name = b.blend(b.retained(local, y.name, p.Keep), y.name, x.name)
	}
	return x, nil
}

// blend adds v·a + (1−v)·b.
func (b *builder) blend(v, s, t string) string {
	rest := b.node("Sub", nil, b.float(1), v)
	return b.node("Add", nil, b.node("Mul", nil, v, s), b.node("Mul", nil, rest, t))
}

// weigh adds t²/(t² + d²).
func (b *builder) weigh(d string, t float32) string {
	square := b.float(t * t)
	return b.node("Div", nil, square, b.node("Add", nil, square, b.node("Mul", nil, d, d)))
}

// mixed adds the skips that G takes at z: those of the values of F, which is start of the
// images, and the projections, as far as each is trusted.
func (w *writer) mixed(b *builder, all []shaped, start, z, local string) ([]shaped, error) {
	p, nets := w.m.Restore, w.nets
	seen := b.kept(nets, nets.F, all)
	if len(seen) == 0 || p.Trust == 0 && p.Local == 0 {
		return seen, nil
	}
	skips, err := projected(b, w.nets, w.f, z)
	if err != nil {
		return nil, err
	}
	var image, pixel string // weights, N × 1 × 1 × 1 and N × 1 × H × W
	if p.Trust > 0 {
		d, err := b.net(w.d, w.f, []shaped{{start, w.d.In(), false}})
		if err != nil {
			return nil, err
		}
		off := b.node("Relu", nil, d[w.d.Output()].name)
		image = b.node("Reshape", nil, b.weigh(off, p.Trust*w.spacing), b.wholes64(-1, 1, 1, 1))
	}
	if p.Local > 0 {
		pixel = b.weigh(local, p.Local)
	}
	from := nets.F.In()
	for k, s := range skips {
		trust := image
		if pixel != "" {
			small := b.shrink(pixel, from, s.shape)
			if trust = small; image != "" {
				trust = b.node("Mul", nil, image, small)
			}
		}
		skips[k].name = b.blend(trust, seen[k].name, s.name)
	}
	return skips, nil
}

// shrink adds the mean of what each pixel of the smaller image stands for.
func (b *builder) shrink(x string, from, to nn.Shape) string {
	if from.H == to.H && from.W == to.W {
		return x
	}
	mean := func(from, to int) []float32 { // to × from
		m := make([]float32, to*from)
		for r := range to {
			lo, hi := r*from/to, (r+1)*from/to
			for i := lo; i < hi; i++ {
				m[r*from+i] = 1 / float32(hi-lo)
			}
		}
		return m
	}
	*b.values++
	rows := b.floats(fmt.Sprintf("rows_%d", *b.values), mean(from.H, to.H), to.H, from.H)
	columns := b.floats(fmt.Sprintf("columns_%d", *b.values), axes.Turned(mean(from.W, to.W), []int{to.W, from.W}, 1, 0), from.W, to.W)
	return b.node("MatMul", nil, b.node("MatMul", nil, rows, x), columns)
}

// retained adds how far each pixel of images stays as it is, L being d: N × 1 × H × W.
// Restoration of package latent has the formula.
func (b *builder) retained(d, images string, keep float32) string {
	const sure, least, dark = 0.03, 0.25, 0.2
	four := func(x string) string {
		square := b.node("Mul", nil, x, x)
		return b.node("Mul", nil, square, square)
	}
	fourOf := func(x float32) string { return b.float(x * x * x * x) }
	share := func(near, off string) string { return b.node("Div", nil, near, b.node("Add", nil, near, off)) }
	light := b.node("ReduceMean", settings{"axes": []int{1}, "keepdims": 1}, images)
	light = b.node("Min", nil, b.node("Relu", nil, light), b.float(1))
	reach := b.node("Add", nil, b.float(keep*dark), b.node("Mul", nil, b.float(keep*(1-dark)), light))
	off := four(d)
	f := b.node("ReduceMean", settings{"axes": []int{1, 2, 3}, "keepdims": 1}, share(fourOf(sure), off))
	return b.node("Mul", nil, share(four(reach), off), share(four(f), fourOf(least)))
}

// further returns the names of the inputs of a net beside its first.
func further(n *nn.Net) []string {
	var names []string
	for _, l := range n.Layers() {
		if in, ok := l.(nn.Input); ok {
			names = append(names, in.Name)
		}
	}
	return names
}
