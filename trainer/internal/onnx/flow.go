package onnx

import (
	"errors"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// landscape is what a flow follows (package flow), for files: D of points of dim numbers, and
// the points of a kernel mean.
type landscape struct {
	f       *safetensors.File
	dim     int
	d       *nn.Net // nil where there is no D
	spacing float32 // what sigma and tau are multiples of
	bank    func(b *builder) bank
}

// loadLandscape reads D of a file, which some have not.
func loadLandscape(f *safetensors.File, dim int, has bool, spacing float32) (*landscape, error) {
	w := &landscape{f: f, dim: dim, spacing: spacing}
	if !has {
		return w, nil
	}
	d, err := nn.LoadMLP(f, "distance", dim, 1, nn.Activation(f.Meta["distance.activation"]))
	if err != nil {
		return nil, err
	}
	w.d = d.Net
	return w, nil
}

// bank names the points of a kernel mean, N × d, and −‖c‖²/2 of each.
type bank struct{ points, shift string }

// shifts adds −‖c‖²/2 of each of these points.
func (w *landscape) shifts(b *builder, points []float32) string {
	shift := make([]float32, len(points)/w.dim)
	for j := range shift {
		var square float32
		for _, v := range points[j*w.dim : (j+1)*w.dim] {
			square += float32(v * v)
		}
		shift[j] = -square / 2
	}
	return b.floats("bank.shift", shift, len(shift))
}

// distance writes the file of D: what it takes is called point.
func (w *landscape) distance(o ModelOptions, point, about string) ([]byte, error) {
	b := newBuilder(o.Int8)
	d, grad, err := w.descend(b, b.vectors(point, w.dim).name)
	if err != nil {
		return nil, err
	}
	b.output("distance", b.node("Squeeze", nil, d, b.wholes64(1)), typeFloat, -1)
	b.output("gradient", grad, typeFloat, -1, w.dim)
	return b.file("D", about), nil
}

// descend adds D at points, cut off below at 0, N × 1, and its gradient of length 1,
// N × d, or of length 0 where there is none.
func (w *landscape) descend(b *builder, z string) (d, grad string, err error) {
	all, err := b.net(w.d, w.f, []shaped{{z, w.d.In(), false}})
	if err != nil {
		return "", "", err
	}
	steps := w.d.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		switch l := steps[i].Layer.(type) {
		case nn.Linear:
			weight, err := b.weight(w.f, l.Name+".weight", layout{}) // out × in, which is there
			if err != nil {
				return "", "", err
			}
			if grad == "" { // every point's gradient begins as the one row of the last layer
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
	if len(steps) == 1 { // the same for every point
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

// mean adds the kernel mean of points (Eq. 19, Eq. 21). −‖z−c‖²/2 is z·c − ‖c‖²/2 but for
// what all c share, which a softmax leaves out.
func (w *landscape) mean(b *builder, k bank, z, sigma string) string {
	width := b.node("Mul", nil, sigma, b.float(w.spacing))
	scores := b.node("Gemm", settings{"transB": 1}, z, k.points, k.shift)
	weights := b.node("Softmax", settings{"axis": 1}, b.node("Div", nil, scores, b.node("Mul", nil, width, width)))
	return b.node("MatMul", nil, weights, k.points)
}

// dials are the names of a flow's parameters, each one number.
type dials struct{ alpha, beta, sigma, tau string }

// move adds one step of the flow (Eq. 15): where it leads from z, D at z, N × 1 or of no
// name without D, and the move, N × d.
func (w *landscape) move(b *builder, k bank, z string, p dials) (next, d, step string, err error) {
	beta, fall := p.beta, ""
	if w.d != nil {
		var grad string
		if d, grad, err = w.descend(b, z); err != nil {
			return "", "", "", err
		}
		// The gate: β·D/(D+τ), and β where τ is 0.
		tau := b.node("Mul", nil, p.tau, b.float(w.spacing))
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

// step writes the file of one step: what it takes is called point.
func (w *landscape) step(o ModelOptions, point, about string) ([]byte, error) {
	b := newBuilder(o.Int8)
	z := b.vectors(point, w.dim).name
	p := dials{beta: b.input("beta", typeFloat), sigma: b.input("sigma", typeFloat)}
	if w.d != nil {
		p.alpha, p.tau = b.input("alpha", typeFloat), b.input("tau", typeFloat)
	}
	next, d, step, err := w.move(b, w.bank(b), z, p)
	if err != nil {
		return nil, err
	}
	b.output("next", next, typeFloat, -1, w.dim)
	if d != "" {
		b.output("distance", b.node("Squeeze", nil, d, b.wholes64(1)), typeFloat, -1)
	}
	b.output("moved", b.node("Squeeze", nil, b.length(step), b.wholes64(1)), typeFloat, -1)
	return b.file("step", about), nil
}

// course is a flow of files: that of a preset, whichever model it is of.
type course struct {
	alpha, beta, sigma, tau float32
	start                   float32 // sigma of the first step, which shrinks to 1−β of itself with each; 0: sigma throughout
	steps                   int
	tolerance               float32 // in multiples of the spacing
}

// flow adds a flow from points on, as a Loop in which a point that has arrived stays, and
// returns where it leads.
func (w *landscape) flow(b *builder, z string, c course) (string, error) {
	if c.steps == 0 {
		return z, nil
	}
	number := func(name string, v float32) string { return b.floats(name, []float32{v}) }
	d, k := dials{beta: number("beta", c.beta), sigma: number("sigma", c.sigma)}, w.bank(b)
	if w.d != nil {
		d.alpha, d.tau = number("alpha", c.alpha), number("tau", c.tau)
	}
	body := b.inner()
	body.input("step", typeInt64)
	body.input("going", typeBool)
	at := body.input("at", typeFloat, -1, w.dim)
	arrived := body.input("arrived", typeBool, -1, 1)
	now := d
	if c.start > 0 {
		now.sigma = body.input("width", typeFloat)
	}
	next, _, step, err := w.move(body, k, at, now)
	if err != nil {
		return "", err
	}
	rests := arrived
	if c.tolerance > 0 {
		still := body.node("LessOrEqual", nil, body.length(step), body.float(c.tolerance*w.spacing))
		rests = body.node("Or", nil, arrived, still)
	}
	body.output("on", "going", typeBool)
	body.output("led", body.node("Where", nil, arrived, at, next), typeFloat, -1, w.dim)
	body.output("rests", rests, typeBool, -1, 1)
	nobody := b.node("Less", nil, b.length(z), b.float(0))
	given := []string{b.whole("steps", c.steps), "", z, nobody}
	if c.start > 0 {
		// What noise is left of a code and noise of that width.
		shrunk := body.node("Mul", nil, now.sigma, body.node("Sub", nil, body.float(1), d.beta))
		body.output("shrunk", body.node("Max", nil, shrunk, d.sigma), typeFloat)
		given = append(given, b.float(max(c.start, c.sigma)))
	}
	return b.several("Loop", settings{"body": body}, len(given)-2, given...)[0], nil
}
