// Package train trains the nets of Sec. 4.2 on Gorgonia graphs with the loss of
// Eq. 20, keeps checkpoints that a run resumes from to the same bits, and turns
// a trained run into the weights file that everything else reads.
package train

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/model"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// Streams of the seed: what is drawn for one purpose never depends on how much
// was drawn for another, so a run resumes from its step number alone.
const (
	streamInit  = 1 << 40 // + the number of the parameter
	streamOrder = 2 << 40 // + the epoch
	streamNoise = 3 << 40 // + the number of the image since the start of the run
	streamBank  = 4 << 40
	// Refinement draws its own orders.
	streamRefine   = 5 << 40 // + the epoch of refinement
	streamSurvey   = 6 << 40 // + the number of the survey
	streamProbes   = 7 << 40 // + the step
	streamDistance = 8 << 40 // + the epoch of D alone
)

// Terms is how many terms Eq. 20 has.
const Terms = 6

// net is the graph of one training step.
type net struct {
	params       []*optim.Parameter
	clean, noisy []float32 // the batch, batch × Pixels
	terms        [Terms]float32
	// Of D alone: codes of the batch, batch × Latent, in place of noisy.
	z, zStar []float32
	probes   *probes
}

// builder puts the nets into a graph, and remembers the first error.
type builder struct {
	g      *gorgonia.ExprGraph
	params map[string]*gorgonia.Node
	act    nn.Activation
	layers int // of D
	err    error
}

func (b *builder) keep(n *gorgonia.Node, err error) *gorgonia.Node {
	if b.err == nil {
		b.err = err
	}
	return n
}

// do applies a layer of the graph unless something failed before.
func (b *builder) do(f func() (*gorgonia.Node, error)) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	return b.keep(f())
}

func (b *builder) matrix(name string, rows, cols int, data []float32) *gorgonia.Node {
	return optim.Matrix(b.g, name, rows, cols, data)
}

func (b *builder) parameter(p *optim.Parameter) {
	p.AddTo(b.g)
	b.params[p.Name] = p.Node
}

func (b *builder) layer(name string) (w, bias *gorgonia.Node) {
	return b.params[name+".weight"], b.params[name+".bias"]
}

func (b *builder) activate(f nn.Activation, x *gorgonia.Node) *gorgonia.Node {
	return b.do(func() (*gorgonia.Node, error) { return graph.Activate(f, x) })
}

func (b *builder) linear(name string, x *gorgonia.Node) *gorgonia.Node {
	w, bias := b.layer(name)
	return b.do(func() (*gorgonia.Node, error) { return graph.Linear(x, w, bias) })
}

var (
	outer = nn.Halving(model.Side, model.Side, 1)
	inner = nn.Halving(outer.OH, outer.OW, 32)
)

// encode is F of Table 8.
func (b *builder) encode(x *gorgonia.Node) *gorgonia.Node {
	type layer func(g nn.Geometry, x, w, b *gorgonia.Node) (*gorgonia.Node, error)
	conv := func(of layer, g nn.Geometry, name string, x *gorgonia.Node) *gorgonia.Node {
		w, bias := b.layer(name)
		return b.activate(nn.ReLU, b.do(func() (*gorgonia.Node, error) { return of(g, x, w, bias) }))
	}
	h := conv(graph.ConvOfData, outer, "encoder.conv1", x)
	return b.linear("encoder.linear", conv(graph.Conv, inner, "encoder.conv2", h))
}

// decode is G of Table 8.
func (b *builder) decode(z *gorgonia.Node) *gorgonia.Node {
	return b.activate(nn.Sigmoid, b.logits(z))
}

// logits is G before the sigmoid at its end.
func (b *builder) logits(z *gorgonia.Node) *gorgonia.Node {
	deconv := func(g nn.Geometry, name string, x *gorgonia.Node) *gorgonia.Node {
		w, bias := b.layer(name)
		return b.do(func() (*gorgonia.Node, error) { return graph.ConvTranspose(g, x, w, bias) })
	}
	h := b.activate(nn.ReLU, b.linear("decoder.linear", z))
	return deconv(outer, "decoder.deconv2", b.activate(nn.ReLU, deconv(inner, "decoder.deconv1", h)))
}

// distance is D of Table 8: D(z), and the outputs of its hidden layers before
// activation, which ∇D is made from.
func (b *builder) distance(z *gorgonia.Node) (d *gorgonia.Node, hidden []*gorgonia.Node) {
	x := z
	for i := range b.layers - 1 {
		h := b.linear(fmt.Sprintf("distance.%d", i), x)
		hidden = append(hidden, h)
		x = b.activate(b.act, h)
	}
	return b.linear(fmt.Sprintf("distance.%d", b.layers-1), x), hidden
}

// gradient is ∇D written as a forward graph: from the last layer's weight back
// to the input, through transposed products and the activation's derivative.
func (b *builder) gradient(one *gorgonia.Node, hidden []*gorgonia.Node) *gorgonia.Node {
	g := one
	for i := b.layers - 1; i >= 0; i-- {
		w, _ := b.layer(fmt.Sprintf("distance.%d", i))
		g = b.do(func() (*gorgonia.Node, error) { return graph.Product(g, w, false) })
		if i > 0 {
			g = b.do(func() (*gorgonia.Node, error) { return graph.BackActivate(b.act, hidden[i-1], g) })
		}
	}
	return g
}

// newNet builds the graph of the loss for batches of c.Batch images.
func newNet(c Config, params []*optim.Parameter) (*net, error) {
	n := c.Batch
	t := &net{params: params, clean: make([]float32, n*model.Pixels), noisy: make([]float32, n*model.Pixels)}
	b := &builder{g: gorgonia.NewGraph(), params: map[string]*gorgonia.Node{}, act: c.Activation, layers: len(c.Hidden) + 1}
	for _, p := range params {
		b.parameter(p)
	}
	clean := b.matrix("clean", n, model.Pixels, t.clean)
	noisy := b.matrix("noisy", n, model.Pixels, t.noisy)
	loss := b.loss(c, t, clean, noisy)
	if b.err != nil {
		return nil, b.err
	}
	if err := optim.Differentiate(loss, params); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}

// loss is the loss of a method at a batch. Its terms are kept in t.
func (b *builder) loss(c Config, t *net, clean, noisy *gorgonia.Node) *gorgonia.Node {
	if c.Method == DAE {
		back := b.decode(b.encode(noisy))
		loss := b.do(func() (*gorgonia.Node, error) { return graph.SquaredError(back, clean) })
		b.keepTerm(t, 1, loss)
		return loss
	}
	// x* is the clean image that was damaged: of all training images it is the
	// nearest, but for rare accidents, and z* = F(x*).
	zStar, z := b.encode(clean), b.encode(noisy)
	terms := b.terms(t, b.ones(c.Batch), zStar, z, clean, true)
	return b.do(func() (*gorgonia.Node, error) { return graph.WeightedSum(c.Lambda[:], terms...) })
}

// ones returns a column of n ones.
func (b *builder) ones(n int) *gorgonia.Node {
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	return b.matrix("one", n, 1, ones)
}

// terms adds the terms of Eq. 20 to a graph, the second, which D is not in, only if
// G learns. They are kept in t.
func (b *builder) terms(t *net, one, zStar, z, clean *gorgonia.Node, decoder bool) []*gorgonia.Node {
	squared := func(a, c *gorgonia.Node) *gorgonia.Node {
		return b.do(func() (*gorgonia.Node, error) { return graph.SquaredError(a, c) })
	}
	dStar, _ := b.distance(zStar)
	d, hidden := b.distance(z)
	grad := b.gradient(one, hidden)
	shift := b.do(func() (*gorgonia.Node, error) { return graph.Shift(z, d, grad) })
	var terms []*gorgonia.Node
	term := func(number int, n *gorgonia.Node) {
		b.keepTerm(t, number, n)
		terms = append(terms, n)
	}
	term(1, b.do(func() (*gorgonia.Node, error) { return graph.DistanceError(d, z, zStar) }))
	if decoder {
		term(2, squared(b.decode(zStar), clean))
	}
	term(3, squared(dStar, nil))
	term(4, b.do(func() (*gorgonia.Node, error) {
		on, err := graph.NegativePart(dStar)
		if err != nil {
			return nil, err
		}
		off, err := graph.NegativePart(d)
		if err != nil {
			return nil, err
		}
		return graph.WeightedSum([]float32{0.5, 0.5}, on, off)
	}))
	term(5, squared(shift, zStar))
	term(6, squared(b.decode(shift), clean))
	return terms
}

// keepTerm has every run of the graph leave a term of the loss, counted from 1, in t.
func (b *builder) keepTerm(t *net, number int, n *gorgonia.Node) {
	b.do(func() (*gorgonia.Node, error) {
		return nil, graph.Keep(fmt.Sprintf("term %d", number), n, t.terms[number-1:number])
	})
}
