package ambient

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/ambient"
	"mppm/shared/ddpm"
	"mppm/shared/lesson"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/machine"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/run"
)

// Method is one of the three that a run trains side by side, as a lesson numbers them.
// They have nothing in common but points and noise: trained one after the other, they
// end with the same bits.
type Method = lesson.Method

const (
	model     = lesson.MPPM // F, G and D
	dae       = lesson.DAE  // the denoising autoencoder
	diffusion = lesson.DDPM // the denoiser of Alg. 2
	methods   = lesson.Methods
)

// netsOf are those that a method trains for points of dim coordinates: F and G, and
// D of the model, or the denoiser alone.
func netsOf(m Method, c Config, dim int) ([]*nn.Net, error) {
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

// inputs are what the graphs of all methods read.
type inputs = [][]float32

// Inputs of a step.
const (
	inClean    = iota // n × dim: points
	inNoisy           // n × dim: the same with noise
	inStar            // n × dim: x* of each, where it is a given point
	inDiffused        // (n·draws) × (dim + TimeFeatures): diffused points, and what is told of their times
	inNoise           // (n·draws) × dim: the noise in them
)

func newInputs(n, draws, dim int) inputs {
	return inputs{make([]float32, n*dim), make([]float32, n*dim), make([]float32, n*dim), make([]float32, n*draws*(dim+ddpm.TimeFeatures)), make([]float32, n*draws*dim)}
}

// loss adds the loss of a method over n points, which lie in in, to a graph, and the
// terms that it is the weighted sum of, which are kept.
func (t *Task) loss(b *netgraph.Builder, m Method, in inputs, n int) (loss *gorgonia.Node, terms []float32, err error) {
	c, dim := t.Config, t.cloud.Dim
	nets, err := netsOf(m, c, dim)
	if err != nil {
		return nil, nil, err
	}
	var nodes []*gorgonia.Node
	weights := []float32{1}
	switch m {
	case model:
		nodes, weights = modelTerms(b, c, nets, in, n, dim), c.Lambda[:]
	case dae: // the squared error of G(F(x + noise))
		noisy := b.Matrix("noisy", n, dim, in[inNoisy])
		back := b.Apply(nets[1], b.Apply(nets[0], noisy).Out()).Out()
		nodes = append(nodes, b.SquaredError(back, b.Matrix("clean", n, dim, in[inClean])))
	case diffusion: // lines 9 and 10 of Alg. 2
		x := b.Matrix("diffused", n*c.Draws, dim+ddpm.TimeFeatures, in[inDiffused])
		predicted := b.Apply(nets[0], x).Out()
		nodes = append(nodes, b.SquaredError(predicted, b.Matrix("noise", n*c.Draws, dim, in[inNoise])))
	}
	loss = b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum(weights, nodes...) })
	terms = make([]float32, len(nodes))
	for i, node := range nodes {
		b.Keep(fmt.Sprintf("term %d", i+1), node, terms[i:i+1])
	}
	return loss, terms, b.Err()
}

// loss is the loss whose terms are given.
func (c Config) loss(terms []float32) float64 {
	if len(terms) == 1 {
		return float64(terms[0])
	}
	var sum float64
	for i, v := range terms {
		sum += float64(c.Lambda[i]) * float64(v)
	}
	return sum
}

// build makes the graphs of all methods for n points.
func (t *Task) build(n int) (*run.Step, error) {
	s := &run.Step{Inputs: newInputs(n, t.Config.Draws, t.cloud.Dim)}
	for _, m := range t.trains() {
		g, err := t.graph(m, s.Inputs, n)
		if err != nil {
			return nil, err
		}
		s.Graphs = append(s.Graphs, g)
	}
	return s, nil
}

// graph makes the graph of a method's loss and its gradient.
func (t *Task) graph(m Method, in inputs, n int) (*run.Graph, error) {
	b := netgraph.New(t.params[m])
	loss, terms, err := t.loss(b, m, in, n)
	if err != nil {
		return nil, err
	}
	t.terms[m] = terms
	g, err := run.NewGraph(b, loss, t.params[m], func(step int) error {
		sum := t.Config.loss(terms)
		t.Sums[m] += sum
		return run.Diverged(fmt.Sprintf("the loss of %v", m), sum, step)
	})
	if err != nil {
		return nil, err
	}
	g.Idle = func() bool { return t.Best[m].Stopped } // its patience is at an end
	return g, nil
}

// judge is the graph of a method's loss over the points held out.
type judge struct {
	terms []float32
	vm    gorgonia.VM
}

func (t *Task) judge(m Method) (*judge, error) {
	b := netgraph.New(t.params[m])
	_, terms, err := t.loss(b, m, t.look, len(t.look[inClean])/t.cloud.Dim)
	if err != nil {
		return nil, err
	}
	vm, err := machine.New(b.Graph)
	return &judge{terms, vm}, err
}

// run returns the terms of the loss, which the next run overwrites.
func (j *judge) run() ([]float32, error) {
	defer j.vm.Reset()
	return j.terms, j.vm.RunAll()
}

// modelTerms is the terms of Eq. 16; nets are F, G and D.
func modelTerms(b *netgraph.Builder, c Config, nets []*nn.Net, in inputs, n, dim int) []*gorgonia.Node {
	f, g, d := nets[0], nets[1], nets[2]
	clean := b.Matrix("clean", n, dim, in[inClean])
	noisy := b.Matrix("noisy", n, dim, in[inNoisy])
	one := b.Ones(n)
	project := func(x *gorgonia.Node) *gorgonia.Node { return b.Apply(g, b.Apply(f, x).Out()).Out() }
	var star *gorgonia.Node
	if c.Target == Projection {
		star = project(noisy)
	} else {
		star = b.Matrix("star", n, dim, in[inStar])
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
