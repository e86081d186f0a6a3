package onnx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// The files that Model makes, by their names.
const (
	EncoderFile     = "encoder.onnx"
	DecoderFile     = "decoder.onnx"
	ProjectionsFile = "projections.onnx"
	DistanceFile    = "distance.onnx"
	StepFile        = "step.onnx"
	RestoreFile     = "restore.onnx"
)

// ModelOptions say how a model is written.
type ModelOptions struct {
	// Int8 keeps weights and codes that are stored in eight bits as they are: files of a
	// quarter of the size, which make 32-bit numbers of them when they are loaded.
	Int8 bool
}

// Model makes ONNX files of the weights in f, which are of a model of package latent:
// what goes in and comes out are 32-bit floats, N is open, and
// images are as everywhere in this project: N × height × width × channels, in [0, 1].
//
//	encoder.onnx      F:  image → code, and of a U-Net S_1 to S_k by their names
//	decoder.onnx      G:  code, and of a U-Net the skips → image
//	projections.onnx  P of a U-Net that has projections: code → Ŝ_1 to Ŝ_k
//	distance.onnx     D:  code → distance (N), gradient (N × d) of length 1 (Eq. 14)
//	step.onnx         one step of the flow (Eq. 15, Eq. 21):
//	                  code, alpha, beta, sigma, tau → next (N × d), distance (N), moved (N)
//	restore.onnx      F, the flow of restoration and G in one, but for a U-Net and for
//	                  flows of several rounds: image → restored
//
// A code is N × d; alpha to tau are one number each, as moved is of each code. Sigma and tau are in multiples of the bank's spacing, as in a preset.
// The flow of a model without D has no part of it, and its files no distance.onnx.
func Model(f *safetensors.File, o ModelOptions) (files map[string][]byte, err error) {
	m, err := latent.New(f)
	if err != nil {
		return nil, err
	}
	nets, err := latent.Described(f.Meta)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	w := &writer{o: o, m: m, f: f, nets: nets, files: map[string][]byte{}}
	if err := w.all(); err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return w.files, nil
}

// writer makes the files of a model.
type writer struct {
	o     ModelOptions
	m     *latent.Model
	f     *safetensors.File
	nets  *latent.Nets
	d     *nn.Net // nil where there is no D
	files map[string][]byte
}

func (w *writer) all() error {
	if w.m.HasDistance() {
		act := nn.Activation(w.f.Meta["distance.activation"])
		d, err := nn.LoadMLP(w.f, "distance", w.m.Latent(), 1, act)
		if err != nil {
			return err
		}
		w.d = d.Net
	}
	makers := []func() error{w.encoder, w.decoder, w.step}
	if w.nets.P != nil {
		makers = append(makers, w.projections)
	}
	if w.d != nil {
		makers = append(makers, w.distance)
	}
	if !w.m.HasSkips() && w.m.Restore.Rounds < 2 {
		makers = append(makers, w.restore)
	}
	for _, make := range makers {
		if err := make(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) encoder() error {
	b := newBuilder(w.o.Int8)
	all, err := b.net(w.nets.F, w.f, []shaped{b.images("image", w.nets.F.In())})
	if err != nil {
		return err
	}
	b.leave("code", all[w.nets.F.Output()])
	w.skips(b, w.nets.F, all)
	w.files[EncoderFile] = b.file("F", "F: the code of an image (N × height × width × channels, in [0, 1])")
	return nil
}

// skips lets what G takes beside z leave.
func (w *writer) skips(b *builder, n *nn.Net, all []shaped) {
	for _, name := range w.nets.Skips() {
		if v, ok := n.Value(name); ok {
			b.leave(name, all[v])
		}
	}
}

func (w *writer) decoder() error {
	g, b := w.nets.G, newBuilder(w.o.Int8)
	in := []shaped{b.vectors("code", w.m.Latent())}
	for i, name := range w.nets.Skips() {
		in = append(in, b.images(name, g.Shape(g.Inputs()[i+1])))
	}
	all, err := b.net(g, w.f, in)
	if err != nil {
		return err
	}
	b.leave("image", all[g.Output()])
	w.files[DecoderFile] = b.file("G", "G: the image (N × height × width × channels, in [0, 1]) of a code")
	return nil
}

func (w *writer) projections() error {
	b := newBuilder(w.o.Int8)
	all, err := b.net(w.nets.P, w.f, []shaped{b.vectors("code", w.m.Latent())})
	if err != nil {
		return err
	}
	w.skips(b, w.nets.P, all)
	w.files[ProjectionsFile] = b.file("P", "P: the projections of the skips that a code stands for (App. B.3)")
	return nil
}

func (w *writer) distance() error {
	b := newBuilder(w.o.Int8)
	d, grad, err := w.descend(b, b.vectors("code", w.m.Latent()).name)
	if err != nil {
		return err
	}
	b.output("distance", b.node("Squeeze", nil, d, b.wholes64(1)), typeFloat, -1)
	b.output("gradient", grad, typeFloat, -1, w.m.Latent())
	w.files[DistanceFile] = b.file("D", "D: the distance of a code to those of clean images, at least 0, and its gradient of length 1 (Eq. 14)")
	return nil
}

// descend adds D at codes, cut off below at 0, N × 1, and its gradient of length 1,
// N × d, or of length 0 where there is none.
func (w *writer) descend(b *builder, z string) (d, grad string, err error) {
	all, err := b.net(w.d, w.f, []shaped{{z, w.d.In(), false}})
	if err != nil {
		return "", "", err
	}
	steps := w.d.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		switch l := steps[i].Layer.(type) {
		case nn.Linear:
			weight := b.weights[l.Name+".weight"] // out × in
			if grad == "" {                       // every code's gradient begins as the one row of the last layer
				grad = weight
				continue
			}
			grad = b.node("MatMul", nil, grad, weight)
		case nn.Activation:
			if grad == "" {
				return "", "", errors.New("the gradient of a D that ends in an activation is not written")
			}
			if grad, err = b.derivative(l, grad, all[steps[i].X].name); err != nil {
				return "", "", err
			}
		}
	}
	if len(steps) == 1 { // the same for every code
		grad = b.node("Expand", nil, grad, b.node("Shape", nil, z))
	}
	// The least of normal numbers: a gradient of length 0 stays 0.
	length := b.node("Max", nil, b.length(grad), b.float(0x1p-126))
	return b.node("Relu", nil, all[w.d.Output()].name), b.node("Div", nil, grad, length), nil
}

// length adds the length of each row, N × 1.
func (b *builder) length(x string) string {
	return b.node("Sqrt", nil, b.node("ReduceSum", settings{"keepdims": 1}, b.node("Mul", nil, x, x), b.wholes64(1)))
}

// bank names the codes, N × d, and −‖c‖²/2 of each.
type bank struct{ codes, shift string }

// bank adds the codes, for mean.
func (w *writer) bank(b *builder) bank {
	k, d := w.m.Bank, w.m.Latent()
	codes, shift := make([]float32, k.Len()*d), make([]float32, k.Len())
	for j := range k.Len() {
		c := codes[j*d : (j+1)*d]
		k.Code(c, j)
		var square float32
		for _, v := range c {
			square += float32(v * v)
		}
		shift[j] = -square / 2
	}
	names := bank{shift: b.floats("bank.shift", shift, k.Len())}
	t, _ := w.f.Lookup("bank.codes")
	scale, err := w.f.Float32("bank.codes.scale", d)
	if !w.o.Int8 || t.DType != safetensors.I8 || err != nil {
		names.codes = b.floats("bank.codes", codes, k.Len(), d)
		return names
	}
	names.codes = b.scaled("bank.codes", turned(t.Data, []int{d, k.Len()}, 1, 0), scale, 1, k.Len(), d)
	return names
}

// mean adds the kernel mean of codes (Eq. 21), for a σ_ker in multiples of the spacing.
// −‖z−c‖²/2 is z·c − ‖c‖²/2 but for what all codes share, which a softmax leaves out.
func (w *writer) mean(b *builder, k bank, z, sigma string) string {
	width := b.node("Mul", nil, sigma, b.float(w.m.Bank.Spacing))
	scores := b.node("Gemm", settings{"transB": 1}, z, k.codes, k.shift)
	weights := b.node("Softmax", settings{"axis": 1}, b.node("Div", nil, scores, b.node("Mul", nil, width, width)))
	return b.node("MatMul", nil, weights, k.codes)
}

// dials are the names of a flow's parameters, each one number.
type dials struct{ alpha, beta, sigma, tau string }

// move adds one step of the flow (Eq. 15): where it leads from z, D at z, N × 1 or of no
// name without D, and the move, N × d.
func (w *writer) move(b *builder, k bank, z string, p dials) (next, d, step string, err error) {
	beta, fall := p.beta, ""
	if w.d != nil {
		var grad string
		if d, grad, err = w.descend(b, z); err != nil {
			return "", "", "", err
		}
		// The gate: β·D/(D+τ), and β where τ is 0.
		tau := b.node("Mul", nil, p.tau, b.float(w.m.Bank.Spacing))
		gated := b.node("Div", nil, b.node("Mul", nil, p.beta, d), b.node("Add", nil, d, tau))
		beta = b.node("Where", nil, b.node("Greater", nil, tau, b.float(0)), gated, p.beta)
		fall = b.node("Mul", nil, b.node("Mul", nil, p.alpha, d), grad)
	}
	step = b.node("Mul", nil, beta, b.node("Sub", nil, w.mean(b, k, z, p.sigma), z))
	if fall != "" {
		step = b.node("Sub", nil, step, fall)
	}
	return b.node("Add", nil, z, step), d, step, nil
}

// constants adds the parameters of a preset.
func constants(b *builder, p latent.Preset) dials {
	return dials{
		alpha: b.floats("alpha", []float32{p.Alpha}), beta: b.floats("beta", []float32{p.Beta}),
		sigma: b.floats("sigma", []float32{p.Sigma}), tau: b.floats("tau", []float32{p.Tau}),
	}
}

func (w *writer) step() error {
	b := newBuilder(w.o.Int8)
	z := b.vectors("code", w.m.Latent()).name
	p := dials{beta: b.input("beta", typeFloat), sigma: b.input("sigma", typeFloat)}
	if w.d != nil {
		p.alpha, p.tau = b.input("alpha", typeFloat), b.input("tau", typeFloat)
	}
	next, d, step, err := w.move(b, w.bank(b), z, p)
	if err != nil {
		return err
	}
	b.output("next", next, typeFloat, -1, w.m.Latent())
	if d != "" {
		b.output("distance", b.node("Squeeze", nil, d, b.wholes64(1)), typeFloat, -1)
	}
	b.output("moved", b.node("Squeeze", nil, b.length(step), b.wholes64(1)), typeFloat, -1)
	w.files[StepFile] = b.file("step", "one step of the flow of a code (Eq. 15 and 21); sigma and tau in multiples of the bank's spacing")
	return nil
}

// restore writes the whole restoration. The flow is a Loop, whose kernel shrinks from step
// to step as that of package latent does, and in which a code that has arrived stays.
func (w *writer) restore() error {
	b := newBuilder(w.o.Int8)
	p := w.m.Restore
	all, err := b.net(w.nets.F, w.f, []shaped{b.images("image", w.nets.F.In())})
	if err != nil {
		return err
	}
	z := all[w.nets.F.Output()].name
	d, k := constants(b, p), w.bank(b)

	body := b.inner()
	body.input("step", typeInt64)
	body.input("going", typeBool)
	at := body.input("at", typeFloat, -1, w.m.Latent())
	arrived := body.input("arrived", typeBool, -1, 1)
	now := dials{d.alpha, d.beta, body.input("width", typeFloat), d.tau}
	next, _, step, err := w.move(body, k, at, now)
	if err != nil {
		return err
	}
	rests := arrived
	if p.Tolerance > 0 {
		still := body.node("LessOrEqual", nil, body.length(step), body.float(p.Tolerance*w.m.Bank.Spacing))
		rests = body.node("Or", nil, arrived, still)
	}
	shrunk := body.node("Mul", nil, now.sigma, body.node("Sub", nil, body.float(1), d.beta))
	body.output("on", "going", typeBool)
	body.output("led", body.node("Where", nil, arrived, at, next), typeFloat, -1, w.m.Latent())
	body.output("rests", rests, typeBool, -1, 1)
	body.output("shrunk", body.node("Max", nil, shrunk, d.sigma), typeFloat)

	nobody := b.node("Less", nil, b.length(z), b.float(0))
	flowed := b.several("Loop", settings{"body": body}, 3, b.whole("steps", p.Steps), "", z, nobody, b.float(max(p.Start, p.Sigma)))
	all, err = b.net(w.nets.G, w.f, []shaped{{flowed[0], w.nets.G.In(), false}})
	if err != nil {
		return err
	}
	b.leave("restored", all[w.nets.G.Output()])
	w.files[RestoreFile] = b.file("restore", "the whole restoration: F, the flow of restoration, and G")
	return nil
}
