package ambient

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"mppm/shared/ddpm"
	"mppm/shared/mppm"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// method is one of the three that a run trains side by side. Their parameters
// have nothing in common, so one optimizer serves them all.
type method int

const (
	model     method = iota // MPPM: F, G and D
	dae                     // the denoising autoencoder
	diffusion               // the denoiser of Alg. 2
	methods
)

func (m method) String() string { return [methods]string{"MPPM", "DAE", "DDPM"}[m] }

// specs lists the parameters of a method for points of dim coordinates.
func (m method) specs(c Config, dim int) []mppm.Spec {
	back := slices.Clone(c.Hidden)
	slices.Reverse(back)
	switch m {
	case model:
		return slices.Concat(
			mppm.Specs(mppm.Encoder, dim, c.Hidden, c.Latent),
			mppm.Specs(mppm.Decoder, c.Latent, back, dim),
			mppm.Specs(mppm.Distance, dim, c.Distance, 1))
	case dae:
		return slices.Concat(
			mppm.Specs(mppm.DAEEncoder, dim, c.Hidden, c.Latent),
			mppm.Specs(mppm.DAEDecoder, c.Latent, back, dim))
	}
	var s []mppm.Spec
	for _, spec := range ddpm.Specs(dim, c.Denoiser) {
		s = append(s, mppm.Spec(spec))
	}
	return s
}

// batch is the data of one step: clean points, and the same with noise; and for
// the diffusion, diffused points with what is told of their times, and the noise
// in them.
type batch struct {
	clean, noisy    []float32 // n × dim
	star            []float32 // x* of each, n × dim, where it is a given point
	diffused, noise []float32 // (n·draws) × (dim + TimeFeatures), and × dim
}

func newBatch(n, draws, dim int) *batch {
	return &batch{make([]float32, n*dim), make([]float32, n*dim), make([]float32, n*dim), make([]float32, n*draws*(dim+ddpm.TimeFeatures)), make([]float32, n*draws*dim)}
}

// net is the graph of one method's loss.
type net struct {
	in    *batch // what the graph reads
	terms []float32
	vm    gorgonia.VM
}

// builder puts nets into a graph, and remembers the first error.
type builder struct {
	g      *gorgonia.ExprGraph
	params map[string]*gorgonia.Node
	err    error
}

// do applies a layer of the graph unless something failed before.
func (b *builder) do(f func() (*gorgonia.Node, error)) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	n, err := f()
	b.err = err
	return n
}

// chain is a net of so many layers at x: its output, and what its hidden layers
// put out before activation.
func (b *builder) chain(name string, act nn.Activation, layers int, x *gorgonia.Node) (y *gorgonia.Node, hidden []*gorgonia.Node) {
	for i := range layers {
		w, bias := b.params[fmt.Sprintf("%s.%d.weight", name, i)], b.params[fmt.Sprintf("%s.%d.bias", name, i)]
		y = b.do(func() (*gorgonia.Node, error) { return graph.Linear(x, w, bias) })
		if i == layers-1 {
			break
		}
		hidden = append(hidden, y)
		x = b.do(func() (*gorgonia.Node, error) { return graph.Activate(act, y) })
	}
	return y, hidden
}

// gradient is ∇D written as a forward graph: from the last layer's weight back
// to the input, through transposed products and the activation's derivative.
func (b *builder) gradient(act nn.Activation, one *gorgonia.Node, hidden []*gorgonia.Node) *gorgonia.Node {
	g := one
	for i := len(hidden); i >= 0; i-- {
		w := b.params[fmt.Sprintf("%s.%d.weight", mppm.Distance, i)]
		g = b.do(func() (*gorgonia.Node, error) { return graph.Product(g, w, false) })
		if i > 0 {
			g = b.do(func() (*gorgonia.Node, error) { return graph.BackActivate(act, hidden[i-1], g) })
		}
	}
	return g
}

func (b *builder) squared(a, c *gorgonia.Node) *gorgonia.Node {
	return b.do(func() (*gorgonia.Node, error) { return graph.SquaredError(a, c) })
}

// newNet builds the graph of a method's loss over n points of dim coordinates;
// with derive, that of its gradient too, which every run leaves in params.
func newNet(c Config, m method, params []*optim.Parameter, n, dim int, derive bool) (*net, error) {
	t := &net{in: newBatch(n, c.Draws, dim)}
	b := &builder{g: gorgonia.NewGraph(), params: map[string]*gorgonia.Node{}}
	for _, p := range params {
		p.AddTo(b.g)
		b.params[p.Name] = p.Node
	}
	var terms []*gorgonia.Node
	weights := []float32{1}
	switch m {
	case model:
		terms, weights = b.model(c, t.in, n, dim), c.Lambda[:]
	case dae:
		terms = b.dae(c, t.in, n, dim)
	case diffusion:
		terms = b.diffusion(c, t.in, n*c.Draws, dim)
	}
	loss := b.do(func() (*gorgonia.Node, error) { return graph.WeightedSum(weights, terms...) })
	t.terms = make([]float32, len(terms))
	for i, term := range terms {
		b.do(func() (*gorgonia.Node, error) {
			return nil, graph.Keep(fmt.Sprintf("term %d", i+1), term, t.terms[i:i+1])
		})
	}
	if b.err == nil && derive {
		b.err = optim.Differentiate(loss, params)
	}
	if b.err != nil {
		return nil, fmt.Errorf("train: %w", b.err)
	}
	t.vm = gorgonia.NewTapeMachine(b.g)
	return t, nil
}

// model is the terms of Eq. 16.
func (b *builder) model(c Config, in *batch, n, dim int) []*gorgonia.Node {
	clean := optim.Matrix(b.g, "clean", n, dim, in.clean)
	noisy := optim.Matrix(b.g, "noisy", n, dim, in.noisy)
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	one := optim.Matrix(b.g, "one", n, 1, ones)
	project := func(x *gorgonia.Node) *gorgonia.Node {
		z, _ := b.chain(mppm.Encoder, nn.ReLU, len(c.Hidden)+1, x)
		y, _ := b.chain(mppm.Decoder, nn.ReLU, len(c.Hidden)+1, z)
		return y
	}
	distance := func(x *gorgonia.Node) (d *gorgonia.Node, hidden []*gorgonia.Node) {
		return b.chain(mppm.Distance, c.Activation, len(c.Distance)+1, x)
	}
	var star *gorgonia.Node
	if c.Target == Projection {
		star = project(noisy)
	} else {
		star = optim.Matrix(b.g, "star", n, dim, in.star)
	}
	d, hidden := distance(noisy)
	on, _ := distance(clean)
	grad := b.gradient(c.Activation, one, hidden)
	shift := b.do(func() (*gorgonia.Node, error) { return graph.Shift(noisy, d, grad) })
	return []*gorgonia.Node{
		b.do(func() (*gorgonia.Node, error) { return graph.DistanceError(d, noisy, star) }),
		b.squared(project(clean), clean),
		b.squared(on, nil),
		b.do(func() (*gorgonia.Node, error) {
			negOn, err := graph.NegativePart(on)
			if err != nil {
				return nil, err
			}
			negOff, err := graph.NegativePart(d)
			if err != nil {
				return nil, err
			}
			return graph.WeightedSum([]float32{0.5, 0.5}, negOn, negOff)
		}),
		b.squared(shift, star),
	}
}

// dae is the loss of the denoising autoencoder: the squared error of
// G(F(x + noise)).
func (b *builder) dae(c Config, in *batch, n, dim int) []*gorgonia.Node {
	noisy := optim.Matrix(b.g, "noisy", n, dim, in.noisy)
	z, _ := b.chain(mppm.DAEEncoder, nn.ReLU, len(c.Hidden)+1, noisy)
	y, _ := b.chain(mppm.DAEDecoder, nn.ReLU, len(c.Hidden)+1, z)
	return []*gorgonia.Node{b.squared(y, optim.Matrix(b.g, "clean", n, dim, in.clean))}
}

// diffusion is lines 9 and 10 of Alg. 2.
func (b *builder) diffusion(c Config, in *batch, n, dim int) []*gorgonia.Node {
	x := optim.Matrix(b.g, "diffused", n, dim+ddpm.TimeFeatures, in.diffused)
	y, _ := b.chain("denoiser", nn.SiLU, len(c.Denoiser)+1, x)
	return []*gorgonia.Node{b.squared(y, optim.Matrix(b.g, "noise", n, dim, in.noise))}
}

// run runs the graph on the numbers of b.
func (t *net) run(b *batch) error {
	copy(t.in.clean, b.clean)
	copy(t.in.noisy, b.noisy)
	copy(t.in.star, b.star)
	copy(t.in.diffused, b.diffused)
	copy(t.in.noise, b.noise)
	defer t.vm.Reset()
	return t.vm.RunAll()
}

// loss is the loss of the last run.
func (t *net) loss(c Config) float64 {
	if len(t.terms) == 1 {
		return float64(t.terms[0])
	}
	var sum float64
	for i, v := range t.terms {
		sum += float64(c.Lambda[i]) * float64(v)
	}
	return sum
}
