// Package train trains the nets of Sec. 4.2 on Gorgonia graphs with the loss of
// Eq. 20, keeps checkpoints that a run resumes from to the same bits, and turns
// a trained run into the weights file that everything else reads.
package train

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
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

// builder puts the nets of Table 8 into a graph.
type builder struct {
	*netgraph.Builder
	d *nn.Net // D; nil where the method has none
}

func newBuilder(c Config, params []*optim.Parameter) (*builder, error) {
	b := &builder{Builder: netgraph.New(params)}
	if c.Method == LMPPM {
		var err error
		if b.d, err = c.distanceNet(); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	return b, nil
}

func (b *builder) encode(x *gorgonia.Node) *gorgonia.Node { return b.Apply(latent.F, x).Out() }
func (b *builder) decode(z *gorgonia.Node) *gorgonia.Node { return b.Apply(latent.G, z).Out() }

// newNet builds the graph of the loss for batches of c.Batch images.
func newNet(c Config, params []*optim.Parameter) (*net, error) {
	n := c.Batch
	t := &net{params: params, clean: make([]float32, n*latent.Pixels), noisy: make([]float32, n*latent.Pixels)}
	b, err := newBuilder(c, params)
	if err != nil {
		return nil, err
	}
	clean := b.Matrix("clean", n, latent.Pixels, t.clean)
	noisy := b.Matrix("noisy", n, latent.Pixels, t.noisy)
	loss := b.loss(c, t, clean, noisy)
	if err := b.Err(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
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
		loss := b.SquaredError(back, clean)
		b.keepTerm(t, 1, loss)
		return loss
	}
	// x* is the clean image that was damaged: of all training images it is the
	// nearest, but for rare accidents, and z* = F(x*).
	zStar, z := b.encode(clean), b.encode(noisy)
	terms := b.terms(t, b.Ones(c.Batch), zStar, z, clean, true)
	return b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum(c.Lambda[:], terms...) })
}

// terms adds the terms of Eq. 20 to a graph, the second, which D is not in, only if
// G learns. They are kept in t.
func (b *builder) terms(t *net, one, zStar, z, clean *gorgonia.Node, decoder bool) []*gorgonia.Node {
	dStar := b.Apply(b.d, zStar).Out()
	at := b.Apply(b.d, z)
	d, grad := at.Out(), at.Gradient(one)
	shift := b.Do(func() (*gorgonia.Node, error) { return graph.Shift(z, d, grad) })
	var terms []*gorgonia.Node
	term := func(number int, n *gorgonia.Node) {
		b.keepTerm(t, number, n)
		terms = append(terms, n)
	}
	term(1, b.Do(func() (*gorgonia.Node, error) { return graph.DistanceError(d, z, zStar) }))
	if decoder {
		term(2, b.SquaredError(b.decode(zStar), clean))
	}
	term(3, b.SquaredError(dStar, nil))
	term(4, b.NegativePart(dStar, d))
	term(5, b.SquaredError(shift, zStar))
	term(6, b.SquaredError(b.decode(shift), clean))
	return terms
}

// keepTerm has every run of the graph leave a term of the loss, counted from 1, in t.
func (b *builder) keepTerm(t *net, number int, n *gorgonia.Node) {
	b.Keep(fmt.Sprintf("term %d", number), n, t.terms[number-1:number])
}
