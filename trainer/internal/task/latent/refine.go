package latent

import (
	"context"
	"math"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
)

// Inputs of a step of refinement.
const (
	inCodes  = iota // batch × dim
	inImages        // batch × pixels
)

// buildRefinement makes the graph of a step that trains G alone, on n codes: F and D stay as they are, and so do the codes z* = F(x)
// of the clean images, which G learns to decode. In the joint loss G is also
// asked for the one image that is best for all the digits a noisy code may be of
// (term 6 of Eq. 20), and blurs; here each code is of one digit. Pixels count as
// shares of white, so the loss is their cross entropy: it minds a gray between
// black and white more than the squared error does.
func (t *Task) buildRefinement(n int) (*run.Step, error) {
	decoder, pixels, dim := t.part(t.G), t.pixels(), t.dim()
	z, x, loss := make([]float32, n*dim), make([]float32, n*pixels), make([]float32, 1)
	b := netgraph.New(decoder)
	logits := b.Apply(t.G.Trunk(), b.Matrix("codes", n, dim, z)).Out()
	clean := b.Matrix("clean", n, pixels, x)
	entropy := b.Do(func() (*gorgonia.Node, error) { return graph.BinaryCrossEntropy(logits, clean) })
	b.Keep("cross entropy", entropy, loss)
	g, err := run.NewGraph(b, entropy, decoder, func(step int) error {
		t.Decoder += float64(loss[0])
		return run.Diverged("the cross entropy", float64(loss[0]), step)
	})
	return &run.Step{Inputs: [][]float32{inCodes: z, inImages: x}, Graphs: []*run.Graph{g}}, err
}

// beginRefinement has the codes of clean images, and a share of restored ones.
func (t *Task) beginRefinement(ctx context.Context, _ *run.Step) (run.Fill, error) {
	codes, err := t.codes(ctx)
	if err != nil {
		return nil, err
	}
	restored := int(math.Round(t.Config.Restored * float64(t.Config.Batch)))
	restore, err := t.restorer(restored)
	if err != nil {
		return nil, err
	}
	return func(batch [][]float32, which []int, step int) error {
		t.pick(batch[inImages], batch[inCodes], which, codes)
		if err := restore(batch[inCodes][:restored*t.dim()], batch[inImages][:restored*t.pixels()], step); err != nil {
			return err
		}
		return t.set.Train.Err()
	}, nil
}

// pick fills a step's batch with images and their codes.
func (t *Task) pick(images, z []float32, which []int, codes []float32) {
	t.set.Train.Fill(images, which)
	for i, k := range which {
		copy(row(z, i, t.dim()), row(codes, k, t.dim()))
	}
}

// home is the flow of the codes that refinement restores: along the distance
// alone. It is a part of the training, not of what a weights file names, so that
// another choice there does not change the nets.
var home = latent.Preset{Alpha: 0.3, Sigma: 0.4, Steps: 10}

// restorer returns what fills z with the codes of n images x that are damaged as
// in training and then led home, for a step of the run.
func (t *Task) restorer(n int) (func(z, x []float32, step int) error, error) {
	if n == 0 {
		return func(z, x []float32, step int) error { return nil }, nil
	}
	m, err := t.unbanked()
	if err != nil {
		return nil, err
	}
	run, noisy := m.Runner(n), make([]float32, n*t.pixels())
	return func(z, x []float32, step int) error {
		t.spoil(noisy, x, step)
		run.Encode(z, noisy)
		steps, err := run.Flow(z, home)
		if err != nil {
			return err
		}
		for range steps {
		}
		return nil
	}, nil
}

// unbanked returns the model as it is trained, for flows that ask for no kernel
// mean: its bank is a single code.
func (t *Task) unbanked() (*latent.Model, error) {
	f, err := t.Nets(true)
	dim := t.dim()
	if err == nil {
		err = addBankTensors(f, make([]float32, dim), nil, 1, make([]float32, dim), make([]float32, dim*dim), true)
	}
	if err != nil {
		return nil, err
	}
	return latent.New(f)
}

// codes returns z* of every training image, by the encoder as it is trained.
func (t *Task) codes(ctx context.Context) ([]float32, error) {
	a, err := t.autoencoder()
	if err != nil {
		return nil, err
	}
	return Codes(ctx, a, &t.set.Train)
}

// autoencoder returns F and G as they are trained.
func (t *Task) autoencoder() (*latent.Autoencoder, error) {
	f := new(safetensors.File)
	if err := optim.Export(f, true, t.params); err != nil {
		return nil, err
	}
	a, err := t.Load(f)
	if err != nil {
		return nil, err
	}
	return a, nil
}
