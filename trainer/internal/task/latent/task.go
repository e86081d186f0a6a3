// Package latent trains the nets of Sec. 4.2 on Gorgonia graphs with the loss of
// Eq. 20, and the autoencoder that the paper compares with, and turns them into the
// weights file that everything else reads.
package latent

import (
	"context"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
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

// Task is the nets in training.
type Task struct {
	state
	*nets
	set    *dataset.Set
	params []*optim.Parameter
	survey *survey        // nil before there is one
	terms  [Terms]float32 // of the loss of the last step
	probes *probes        // of that step, where D learns alone
}

// state is the metadata of a checkpoint. Sums, Support and Decoder are those of the
// epoch under way, as Record has them.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []Record          `json:"history"`
	Sums      [Terms]float64    `json:"sums"`
	Support   [2]float64        `json:"support,omitzero"`
	Decoder   float64           `json:"decoder,omitempty"`
	Checksums map[string]string `json:"checksums"`
}

// New returns the task of training with c on a set, or, for a run that is resumed, with
// whatever its checkpoint says.
func New(c Config, set *dataset.Set) *Task { return &Task{state: state{Config: c}, set: set} }

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "lmppm-28x28-checkpoint"

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// Data returns what the run sees of the set that it was given: all of it, or, if
// it leaves out training digits, the others to train on and those in place of
// the test digits.
func (t *Task) Data() *dataset.Set { return t.set }

// Plan returns an error if the data is not that of the checkpoint.
func (t *Task) Plan(string) (*run.Plan, error) {
	c := t.Config
	if c.Holdout != 0 {
		set, err := t.set.HoldOut(c.Holdout)
		if err != nil {
			return nil, err
		}
		t.set = set
	}
	if err := optim.CheckData(t.Checksums, t.set.Checksums); err != nil {
		return nil, err
	}
	if err := c.Validate(t.set.Train.N); err != nil {
		return nil, err
	}
	t.Checksums = t.set.Checksums
	if err := t.draw(); err != nil {
		return nil, err
	}
	if got := t.set.Train.Pixels(); got != t.pixels() {
		return nil, fmt.Errorf("the images of the data have %d numbers; the encoder takes images of %v", got, t.image())
	}
	if t.surveyed() {
		t.survey = newSurvey(t.fresh(), t.dim())
	}
	// The codes of all images, and what the code bank is made of them with.
	each := int64(4*t.dim() + 32)
	return &run.Plan{
		Things: t.set.Train.N, Batch: c.Batch, Seed: c.Seed, Rate: c.Rate, Params: t.params,
		Parts: []run.Part{
			{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: func(context.Context, *run.Step) (run.Fill, error) { return t.fill, nil }},
			{Epochs: c.Support.Epochs, Order: streamDistance, Build: t.buildDistance, Begin: t.beginDistance},
			{Epochs: c.Refine, Order: streamRefine, Build: t.buildRefinement, Begin: t.beginRefinement},
		},
		Beside: int64(t.set.Train.N) * each, Buffers: t.buffers,
	}, nil
}

// draw draws the parameters. It returns an error if they are more than the memory that
// there is.
func (t *Task) draw() (err error) {
	if t.nets, err = t.Config.nets(); err != nil {
		return err
	}
	if err := optim.Fits(netgraph.Specs(t.all()...)); err != nil {
		return err
	}
	t.params = netgraph.Parameters(t.Config.Seed, streamInit, t.all()...)
	return nil
}

// perEpoch is the number of steps of an epoch.
func (t *Task) perEpoch() int { return t.set.Train.N / t.Config.Batch }

// part returns the parameters of some of the nets.
func (t *Task) part(nets ...*nn.Net) []*optim.Parameter {
	specs := netgraph.Specs(nets...)
	var params []*optim.Parameter
	for _, p := range t.params {
		if slices.ContainsFunc(specs, func(s nn.Spec) bool { return s.Name == p.Name }) {
			params = append(params, p)
		}
	}
	return params
}

// EndEpoch puts the mean of each term over the epoch on record.
func (t *Task) EndEpoch() (string, error) {
	rec, n := Record{t.Sums, t.Support, t.Decoder}, float64(t.perEpoch())
	for i := range rec.Terms {
		rec.Terms[i] /= n
	}
	for i := range rec.Support {
		rec.Support[i] /= n
	}
	rec.Decoder /= n
	t.History = append(t.History, rec)
	t.Sums, t.Support, t.Decoder = [Terms]float64{}, [2]float64{}, 0
	return fmt.Sprintf("epoch %d/%d loss %.3f", len(t.History), t.Config.epochs(), rec.Loss(t.Config)), nil
}

// Curves returns a curve of each term of the loss.
func (t *Task) Curves() (curves.Axes, []curves.Line) {
	names := []string{"λ1: D = ‖z − z*‖", "λ2: G(z*) = x", "λ3: D(z*) = 0", "λ4: D ≥ 0", "λ5: z_shift = z*", "λ6: G(z_shift) = x"}
	title := "Terms of the loss (Eq. 20)"
	if t.Config.Support.Epochs > 0 {
		names = append(names, "D is the distance from S", "slope of D = 1")
	}
	if t.Config.Method == DAE {
		names, title = []string{"G(F(x + noise)) = x"}, "Squared error, summed over the pixels"
	}
	lines := make([]curves.Line, len(names))
	refined := curves.Line{Name: "G alone: cross entropy of G(z*), x"}
	for e, rec := range t.History {
		if e >= t.Config.Epochs+t.Config.Support.Epochs {
			refined.X, refined.Y = append(refined.X, float64(e+1)), append(refined.Y, rec.Decoder)
			continue
		}
		terms := append(rec.Terms[:Terms:Terms], rec.Support[:]...)
		for i := range lines {
			if terms[i] != 0 { // an epoch has what is learnt in it
				lines[i].X, lines[i].Y = append(lines[i].X, float64(e+1)), append(lines[i].Y, terms[i])
			}
		}
	}
	for i, name := range names {
		lines[i].Name = name
	}
	if refined.X != nil {
		lines = append(lines, refined)
	}
	return curves.Axes{Title: title, X: "epoch", Y: "mean over the epoch", LogY: true}, lines
}

// Inputs of a step of the joint part, batch × pixels both.
const (
	inClean = iota
	inNoisy
)

// builder makes the graph of a loss, and keeps its terms, in those of the task.
type builder struct {
	*netgraph.Builder
	*nets
	terms []float32
}

func (t *Task) builder(params []*optim.Parameter) *builder {
	t.terms, t.probes = [Terms]float32{}, nil // not each part has all
	return &builder{netgraph.New(params), t.nets, t.terms[:]}
}

func (b *builder) encode(x *gorgonia.Node) *gorgonia.Node     { return b.Apply(b.F, x).Out() }
func (b *builder) decode(z *gorgonia.Node) *gorgonia.Node     { return b.Apply(b.G, z).Out() }
func (b *builder) distance(z *gorgonia.Node) *netgraph.Values { return b.Apply(b.d, z) }

// build makes the graph of Eq. 20, or that of DAE, for n images.
func (t *Task) build(n int) (*run.Step, error) {
	b, pixels := t.builder(t.params), t.pixels()
	clean, noisy := make([]float32, n*pixels), make([]float32, n*pixels)
	loss := b.loss(t.Config, n, b.Matrix("clean", n, pixels, clean), b.Matrix("noisy", n, pixels, noisy))
	g, err := run.NewGraph(b.Builder, loss, t.params, t.sum)
	return &run.Step{Inputs: [][]float32{clean, noisy}, Graphs: []*run.Graph{g}}, err
}

// sum puts the terms of a step's loss on record, and those of Support, if there are any.
func (t *Task) sum(step int) error {
	for i, v := range t.terms {
		if err := run.Diverged(fmt.Sprintf("term %d of the loss", i+1), float64(v), step); err != nil {
			return err
		}
		t.Sums[i] += float64(v)
	}
	if t.probes != nil {
		for i, v := range t.probes.losses {
			t.Support[i] += float64(v)
		}
	}
	return nil
}

// loss is the loss of a method at a batch of n images. Its terms are kept.
func (b *builder) loss(c Config, n int, clean, noisy *gorgonia.Node) *gorgonia.Node {
	if c.Method == DAE {
		back := b.decode(b.encode(noisy))
		loss := b.SquaredError(back, clean)
		b.keepTerm(1, loss)
		return loss
	}
	// x* is the clean image that was damaged: of all training images it is the
	// nearest, but for rare accidents, and z* = F(x*).
	zStar, z := b.encode(clean), b.encode(noisy)
	terms := b.eq20(b.Ones(n), zStar, z, clean, true)
	return b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum(c.Lambda[:], terms...) })
}

// eq20 adds the terms of Eq. 20 to a graph, the second, which D is not in, only if
// G learns. They are kept.
func (b *builder) eq20(one, zStar, z, clean *gorgonia.Node, decoder bool) []*gorgonia.Node {
	dStar := b.distance(zStar).Out()
	at := b.distance(z)
	d, grad := at.Out(), at.Gradient(one)
	shift := b.Do(func() (*gorgonia.Node, error) { return graph.Shift(z, d, grad) })
	var terms []*gorgonia.Node
	term := func(number int, n *gorgonia.Node) {
		b.keepTerm(number, n)
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

// keepTerm has every run of the graph leave a term of the loss, counted from 1, among b.terms.
func (b *builder) keepTerm(number int, n *gorgonia.Node) {
	b.Keep(fmt.Sprintf("term %d", number), n, b.terms[number-1:number])
}

// fill makes the batch of a step of the joint part: images, and the same with noise.
func (t *Task) fill(batch [][]float32, which []int, step int) error {
	t.set.Train.Fill(batch[inClean], which)
	t.spoil(batch[inNoisy], batch[inClean], step)
	return t.set.Train.Err()
}

// spoil writes to y the images x, the first ones of a step's batch, with noise.
func (t *Task) spoil(y, x []float32, step int) {
	pixels := t.pixels()
	for i := range len(x) / pixels {
		lo, hi := i*pixels, (i+1)*pixels
		t.damage(y[lo:hi], x[lo:hi], t.noise(step*t.Config.Batch+i))
	}
}

// noise is what the noise of the i-th image since the start of the run is drawn
// from.
func (t *Task) noise(i int) *rng.Source { return rng.New(t.Config.Seed, streamNoise+uint64(i)) }

// damage writes to y the image x with Gaussian noise of a width drawn anew, unless
// it is fixed. The noise of a share of the images is cut off at black and white. y
// must not be x.
func (t *Task) damage(y, x []float32, src *rng.Source) {
	sigma := t.Config.Noise
	if !t.Config.FixedNoise {
		sigma *= src.Float64()
	}
	src.FillNorm(y, float32(sigma))
	for k, v := range x {
		y[k] += v
	}
	// Drawn last, so that runs without clipping are what they were.
	if t.Config.Clipped > 0 && src.Float64() < t.Config.Clipped {
		for k, v := range y {
			y[k] = min(max(v, 0), 1)
		}
	}
}
