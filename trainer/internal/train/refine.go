package train

import (
	"context"
	"fmt"
	"math"
	"strings"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/progress"
)

// refine trains G alone: F and D stay as they are, and so do the codes z* = F(x)
// of the clean images, which G learns to decode. In the joint loss G is also
// asked for the one image that is best for all the digits a noisy code may be of
// (term 6 of Eq. 20), and blurs; here each code is of one digit. Pixels count as
// shares of white, so the loss is their cross entropy: it minds a gray between
// black and white more than the squared error does.
func (r *Run) refine(ctx context.Context, every int, bar *progress.Bar) error {
	first := r.perEpoch() * (r.Config.Epochs + r.Config.Support.Epochs)
	params, codes, err := r.alone(ctx, "decoder.", first)
	if err != nil {
		return err
	}
	n := r.Config.Batch
	z, x, loss := make([]float32, n*latent.Latent), make([]float32, n*latent.Pixels), make([]float32, 1)
	if err := newRefinement(params, n, z, x, loss); err != nil {
		return err
	}
	m, err := r.start(params, bar, func(step int) error {
		if loss[0]-loss[0] != 0 {
			return diverged("the cross entropy", loss[0], first+step)
		}
		r.sums.Decoder += float64(loss[0])
		return nil
	})
	if err != nil {
		return err
	}
	defer m.Close()
	load, err := r.refineLoader(codes, first)
	if err != nil {
		return err
	}
	defer load.Stop()
	return r.loop(m, first, r.Config.Refine, every, bar, func() error {
		b := load.Next()
		copy(z, b.codes)
		copy(x, b.images)
		err := b.err
		load.Recycle(b)
		return err
	}).Run(ctx, &r.step)
}

// alone begins a part of the run in which one net learns while F stands still, and
// returns the net's parameters, without the moments of another loss if the part's
// first step is the next, and the codes of all training images.
func (r *Run) alone(ctx context.Context, net string, first int) (params []*optim.Parameter, codes []float32, err error) {
	params = r.part(net)
	if r.step == first {
		for _, p := range params {
			clear(p.M)
			clear(p.V)
		}
	}
	codes, err = r.codes(ctx)
	if ctx.Err() != nil {
		return nil, nil, ErrInterrupted // nothing is new since the last checkpoint
	}
	return params, codes, err
}

// part returns the parameters whose names begin with that of a net.
func (r *Run) part(net string) []*optim.Parameter {
	var params []*optim.Parameter
	for _, p := range r.params {
		if strings.HasPrefix(p.Name, net) {
			params = append(params, p)
		}
	}
	return params
}

// picker returns what fills a step's batch with images and their codes. The part of
// the run whose first step is given draws the order of each epoch from its stream.
func (r *Run) picker(codes []float32, stream uint64, first int) func(images, z []float32, step int) {
	n := r.Config.Batch
	var order []int
	return func(images, z []float32, step int) {
		at := (step - first) % r.perEpoch()
		if at == 0 || order == nil {
			order = rng.New(r.Config.Seed, stream+uint64((step-first)/r.perEpoch())).Perm(r.set.Train.N)
		}
		which := order[at*n : (at+1)*n]
		r.set.Train.Fill(images, which)
		for i, k := range which {
			copy(row(z, i), row(codes, k))
		}
	}
}

// pairs are codes and the images that the decoder is to make of them.
type pairs struct {
	codes, images []float32
	err           error
}

// refineLoader returns the batches of refine, whose first step is first. The codes
// of clean images are given, the share of restored ones is made here.
func (r *Run) refineLoader(codes []float32, first int) (*optim.Loader[*pairs], error) {
	n := r.Config.Batch
	restored := int(math.Round(r.Config.Restored * float64(n)))
	restore, err := r.restorer(restored)
	if err != nil {
		return nil, err
	}
	pick := r.picker(codes, streamRefine, first)
	return optim.NewLoader(r.step,
		func() *pairs {
			return &pairs{codes: make([]float32, n*latent.Latent), images: make([]float32, n*latent.Pixels)}
		},
		func(b *pairs, step int) {
			pick(b.images, b.codes, step)
			b.err = restore(b.codes[:restored*latent.Latent], b.images[:restored*latent.Pixels], step)
		}), nil
}

// home is the flow of the codes that refinement restores: along the distance
// alone. It is a part of the training, not of what a weights file names, so that
// another choice there does not change the nets.
var home = latent.Preset{Alpha: 0.3, Sigma: 0.4, Steps: 10}

// restorer returns what fills z with the codes of n images x that are damaged as
// in training and then led home, for a step of the run.
func (r *Run) restorer(n int) (func(z, x []float32, step int) error, error) {
	if n == 0 {
		return func(z, x []float32, step int) error { return nil }, nil
	}
	m, err := r.unbanked()
	if err != nil {
		return nil, err
	}
	run, noisy := m.Runner(n), make([]float32, n*latent.Pixels)
	return func(z, x []float32, step int) error {
		r.spoil(noisy, x, step)
		run.Encode(z, noisy)
		steps, err := run.Flow(z, home)
		if err != nil {
			return fmt.Errorf("train: %w", err)
		}
		for range steps {
		}
		return nil
	}, nil
}

// unbanked returns the model as it is trained, for flows that ask for no kernel
// mean: its bank is a single code.
func (r *Run) unbanked() (*latent.Model, error) {
	f, err := r.Nets(true)
	if err == nil {
		err = addBankTensors(f, make([]float32, latent.Latent), nil, 1, make([]float32, latent.Latent), make([]float32, latent.Latent*latent.Latent), true)
	}
	if err != nil {
		return nil, err
	}
	b, err := f.Encode()
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	m, err := latent.Load(b)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return m, nil
}

// newRefinement builds the graph of a step of refine for n codes in z, n images
// in x and the decoder's parameters. A run of it leaves the loss in loss.
func newRefinement(decoder []*optim.Parameter, n int, z, x, loss []float32) error {
	b := netgraph.New(decoder)
	logits := b.Apply(latent.G.Trunk(), b.Matrix("codes", n, latent.Latent, z)).Out()
	clean := b.Matrix("clean", n, latent.Pixels, x)
	entropy := b.Do(func() (*gorgonia.Node, error) { return graph.BinaryCrossEntropy(logits, clean) })
	b.Keep("cross entropy", entropy, loss)
	if err := b.Err(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := optim.Differentiate(entropy, decoder); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// codes returns z* of every training image, by the encoder as it is trained.
func (r *Run) codes(ctx context.Context) ([]float32, error) {
	a, err := r.autoencoder()
	if err != nil {
		return nil, err
	}
	return Codes(ctx, a, &r.set.Train)
}

// autoencoder returns F and G as they are trained.
func (r *Run) autoencoder() (*latent.Autoencoder, error) {
	f := new(safetensors.File)
	if err := optim.Export(f, true, r.params); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	a, err := latent.LoadNets(f, latent.F, latent.G)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return a, nil
}
