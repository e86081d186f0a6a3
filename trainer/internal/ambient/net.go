package ambient

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/ambient"
	"mppm/shared/ddpm"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
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

// nets are those that a method trains for points of dim coordinates: F and G, and
// D of the model, or the denoiser alone.
func (m method) nets(c Config, dim int) ([]*nn.Net, error) {
	if m == diffusion {
		n, err := ddpm.Net(dim, c.Denoiser)
		return []*nn.Net{n}, err
	}
	encoder, decoder := ambient.Encoder, ambient.Decoder
	if m == dae {
		encoder, decoder = ambient.DAEEncoder, ambient.DAEDecoder
	}
	f, g, err := ambient.Autoencoder(encoder, decoder, dim, c.Hidden, c.Latent)
	if err != nil || m == dae {
		return []*nn.Net{f, g}, err
	}
	d, err := ambient.DistanceNet(dim, c.Distance, c.Activation)
	return []*nn.Net{f, g, d}, err
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

// newNet builds the graph of a method's loss over n points of dim coordinates;
// with derive, that of its gradient too, which every run leaves in params.
func newNet(c Config, m method, params []*optim.Parameter, n, dim int, derive bool) (*net, error) {
	t := &net{in: newBatch(n, c.Draws, dim)}
	nets, err := m.nets(c, dim)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	b := netgraph.New(params)
	var terms []*gorgonia.Node
	weights := []float32{1}
	switch m {
	case model:
		terms, weights = modelTerms(b, c, nets, t.in, n, dim), c.Lambda[:]
	case dae: // the squared error of G(F(x + noise))
		noisy := b.Matrix("noisy", n, dim, t.in.noisy)
		back := b.Apply(nets[1], b.Apply(nets[0], noisy).Out()).Out()
		terms = append(terms, b.SquaredError(back, b.Matrix("clean", n, dim, t.in.clean)))
	case diffusion: // lines 9 and 10 of Alg. 2
		x := b.Matrix("diffused", n*c.Draws, dim+ddpm.TimeFeatures, t.in.diffused)
		predicted := b.Apply(nets[0], x).Out()
		terms = append(terms, b.SquaredError(predicted, b.Matrix("noise", n*c.Draws, dim, t.in.noise)))
	}
	loss := b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum(weights, terms...) })
	t.terms = make([]float32, len(terms))
	for i, term := range terms {
		b.Keep(fmt.Sprintf("term %d", i+1), term, t.terms[i:i+1])
	}
	if err = b.Err(); err == nil && derive {
		err = optim.Differentiate(loss, params)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	t.vm = gorgonia.NewTapeMachine(b.Graph)
	return t, nil
}

// modelTerms is the terms of Eq. 16; nets are F, G and D.
func modelTerms(b *netgraph.Builder, c Config, nets []*nn.Net, in *batch, n, dim int) []*gorgonia.Node {
	f, g, d := nets[0], nets[1], nets[2]
	clean := b.Matrix("clean", n, dim, in.clean)
	noisy := b.Matrix("noisy", n, dim, in.noisy)
	one := b.Ones(n)
	project := func(x *gorgonia.Node) *gorgonia.Node { return b.Apply(g, b.Apply(f, x).Out()).Out() }
	var star *gorgonia.Node
	if c.Target == Projection {
		star = project(noisy)
	} else {
		star = b.Matrix("star", n, dim, in.star)
	}
	at := b.Apply(d, noisy)
	off, on := at.Out(), b.Apply(d, clean).Out()
	grad := at.Gradient(one)
	shift := b.Do(func() (*gorgonia.Node, error) { return graph.Shift(noisy, off, grad) })
	return []*gorgonia.Node{
		b.Do(func() (*gorgonia.Node, error) { return graph.DistanceError(off, noisy, star) }),
		b.SquaredError(project(clean), clean),
		b.SquaredError(on, nil),
		b.NegativePart(on, off),
		b.SquaredError(shift, star),
	}
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
