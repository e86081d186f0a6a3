package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
)

// Method is what a run trains. A run of before there was a choice is of LMPPM.
type Method string

// The methods of package train.
const (
	LMPPM Method = ""    // F, G and D, with the loss of Eq. 20
	DAE   Method = "dae" // the baseline: F and G, with the squared error of G(F(x + noise)) alone (Table 11)
)

// Config is everything a run's result depends on, but the data.
type Config struct {
	Method     Method         `json:"method,omitempty"`
	Seed       uint64         `json:"seed"`
	Epochs     int            `json:"epochs"`
	Refine     int            `json:"refine,omitempty"`   // epochs at the end, in which G alone learns; of LMPPM
	Restored   float64        `json:"restored,omitempty"` // share of the codes of those epochs that are restored ones; the others are of clean images
	Batch      int            `json:"batch"`
	Rate       float64        `json:"rate"`                 // Adam's learning rate at the start
	Lambda     [Terms]float32 `json:"lambda,omitzero"`      // λ₁ … λ₆ of Eq. 20; of LMPPM
	Noise      float64        `json:"noise"`                // training noise is Gaussian with σ ~ U(0, Noise)
	FixedNoise bool           `json:"fixedNoise,omitempty"` // σ is Noise, always
	Clipped    float64        `json:"clipped,omitempty"`    // share of the images whose noise is cut off at black and white, as a file has it
	Centers    int            `json:"centers"`
	Holdout    int            `json:"holdout,omitempty"`    // so many training images are not trained on; dataset.HoldOut says which
	Hidden     []int          `json:"hidden,omitempty"`     // widths of D's hidden layers; of LMPPM
	Activation nn.Activation  `json:"activation,omitempty"` // of D; of LMPPM
	Support    Support        `json:"support,omitzero"`     // of LMPPM
}

// Default is the configuration that the shipped weights were trained with; Table
// 8 gives the widths and Table 11 the optimizer, trials gave the rest.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 24, Refine: 12, Restored: 0.4, Batch: 128, Rate: 1e-3,
		Lambda: [Terms]float32{0.18, 1, 0.18, 1, 0.05, 2},
		Noise:  0.8, Clipped: 0.25, Centers: 5000,
		Hidden: []int{100, 50, 20}, Activation: nn.SiLU,
		Support: Support{Epochs: 8, Distance: 20, Eikonal: 8},
	}
}

// DefaultDAE is Default for the denoising autoencoder: whatever the two have in
// common is the same, so that what differs is the method. It has the epochs of
// the other's run in which the encoder or the decoder learns.
func DefaultDAE() Config {
	c := Default()
	c.Epochs, c.Refine, c.Restored = c.Epochs+c.Refine, 0, 0
	c.Method, c.Lambda, c.Hidden, c.Activation, c.Support = DAE, [Terms]float32{}, nil, "", Support{}
	return c
}

// maxHidden is how many hidden layers of D a weights file can have.
const maxHidden = 15

// Validate returns an error that says which setting is out of range for a data
// set of n images.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	switch {
	case c.Method != LMPPM && c.Method != DAE:
		return fmt.Errorf("the method %q is not known", c.Method)
	case c.Epochs < 1:
		return fmt.Errorf("epochs are %d; give at least 1", c.Epochs)
	case c.Refine < 0 || c.Refine > 0 && c.Method != LMPPM:
		return fmt.Errorf("epochs of refinement are %d; give at least 0, and 0 for a denoising autoencoder", c.Refine)
	case !(c.Restored >= 0 && c.Restored <= 1) || c.Restored > 0 && c.Method != LMPPM:
		return fmt.Errorf("the share of restored codes is %v; give 0 to 1, and 0 for a denoising autoencoder", c.Restored)
	case c.Batch < 1 || c.Batch > n:
		return fmt.Errorf("the batch is %d; give 1 to %d, the number of images", c.Batch, n)
	case c.Centers < 1 || c.Centers > n:
		return fmt.Errorf("the code bank is to have %d centers; give 1 to %d, the number of images", c.Centers, n)
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("the learning rate is %v; it must be more than 0", c.Rate)
	case !(c.Noise >= 0) || math.IsInf(c.Noise, 0):
		return fmt.Errorf("the noise is %v; it must be at least 0", c.Noise)
	case !(c.Clipped >= 0 && c.Clipped <= 1):
		return fmt.Errorf("the share of clipped noise is %v; give 0 to 1", c.Clipped)
	case c.Support != Support{} && c.Method != LMPPM:
		return errors.New("a denoising autoencoder has no distance: leave out the weights of its support")
	case c.Method == LMPPM && !c.Activation.Valid():
		return fmt.Errorf("the activation %q is not known", c.Activation)
	}
	if err := c.Support.valid(); err != nil {
		return err
	}
	for i, l := range c.Lambda {
		if !(l >= 0) || math.IsInf(float64(l), 0) {
			return fmt.Errorf("λ%d is %v; it must be at least 0", i+1, l)
		}
	}
	if len(c.Hidden) > maxHidden {
		return fmt.Errorf("the distance net has %d hidden layers; give at most %d", len(c.Hidden), maxHidden)
	}
	for _, h := range c.Hidden {
		if h < 1 || h > 4096 {
			return fmt.Errorf("a hidden layer of D has width %d; give 1 to 4096", h)
		}
	}
	return nil
}

// Record is the loss of one epoch: the mean of each term of Eq. 20, before its
// weight. The loss of DAE is the first of them. An epoch of D alone has no second
// term, but those of Support; an epoch of refinement has Decoder instead.
type Record struct {
	Terms   [Terms]float64 `json:"terms"`
	Support [2]float64     `json:"support,omitzero"`  // the terms of Support, before their weights
	Decoder float64        `json:"decoder,omitempty"` // cross entropy of G(z*) and x, summed over the pixels
}

// Loss returns what an epoch's steps went down: Eq. 20, the weighted sum of the
// terms, or what Record says.
func (r Record) Loss(c Config) float64 {
	switch {
	case c.Method == DAE:
		return r.Terms[0]
	case r.Decoder != 0:
		return r.Decoder
	}
	var sum float64
	for i, t := range r.Terms {
		sum += float64(c.Lambda[i]) * t
	}
	return sum + float64(c.Support.Distance)*r.Support[0] + float64(c.Support.Eikonal)*r.Support[1]
}

// Run is a training run in a folder.
type Run struct {
	Config Config
	Dir    string
	Device device.Choice // what trains; the CPU if it is empty

	set     *dataset.Set
	params  []*optim.Parameter
	step    int // steps done
	history []Record
	sums    Record  // of the epoch under way
	survey  *survey // nil before there is one
}

// ErrInterrupted says that a run was told to stop, has saved its state, and can
// be resumed.
var ErrInterrupted = optim.ErrInterrupted

// ErrNoCheckpoint says that a folder holds no run.
var ErrNoCheckpoint = optim.ErrNoCheckpoint

// ErrDiverged says that a run's loss is not a number any more.
var ErrDiverged = errors.New("the run has diverged")

// New starts a run in dir, which is made if need be. It returns an error if dir
// holds a run already, so that hours of work are not lost to a typing error.
func New(c Config, set *dataset.Set, dir string) (*Run, error) {
	set, err := c.split(set)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := c.Validate(set.Train.N); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	params, err := newParameters(c)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := optim.Claim(dir); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &Run{Config: c, Dir: dir, set: set, params: params}, nil
}

// Open reads the run in dir. set may be nil if the run is only to be exported
// without its data; it returns ErrNoCheckpoint, wrapped, if there is none, and
// an error if the data is not what the run was trained on.
func Open(dir string, set *dataset.Set) (*Run, error) {
	c, err := optim.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	r := &Run{Dir: dir, set: set}
	if err := r.decode(c); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return r, nil
}

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []Record          `json:"history"`
	Sums      [Terms]float64    `json:"sums"`
	Support   [2]float64        `json:"support,omitzero"`
	Decoder   float64           `json:"decoder,omitempty"`
	Checksums map[string]string `json:"checksums"`
}

// CheckpointKind is the kind of the checkpoints of this package's runs.
const CheckpointKind = "lmppm-28x28-checkpoint"

// nets are those that are trained.
func (c Config) nets() ([]*nn.Net, error) {
	nets := []*nn.Net{latent.F, latent.G}
	if c.Method != LMPPM {
		return nets, nil
	}
	d, err := c.distanceNet()
	return append(nets, d), err
}

// distanceNet is D.
func (c Config) distanceNet() (*nn.Net, error) {
	return latent.Distance(latent.Latent, c.Hidden, c.Activation)
}

// newParameters draws the parameters of the nets that are trained. It returns an
// error if they are more than the memory that there is.
func newParameters(c Config) ([]*optim.Parameter, error) {
	nets, err := c.nets()
	if err != nil {
		return nil, err
	}
	if err := optim.Fits(netgraph.Specs(nets...)); err != nil {
		return nil, err
	}
	return netgraph.Parameters(c.Seed, streamInit, nets...), nil
}

func (r *Run) decode(c *optim.Checkpoint) error {
	var s state
	if err := c.State(CheckpointKind, &s); err != nil {
		return err
	}
	var err error
	if r.set, err = s.Config.split(r.set); err != nil {
		return c.Wrap(err)
	}
	if r.set != nil {
		if err := optim.CheckData(s.Checksums, r.set.Checksums); err != nil {
			return c.Wrap(err)
		}
		if err := s.Config.Validate(r.set.Train.N); err != nil {
			return c.Wrap(err)
		}
	}
	if r.params, err = newParameters(s.Config); err != nil {
		return c.Wrap(err)
	}
	r.Config, r.step, r.history, r.sums = s.Config, s.Step, s.History, Record{s.Sums, s.Support, s.Decoder}
	if err := c.Parameters(r.params); err != nil || !r.surveyed() || r.set == nil {
		return err
	}
	r.survey, err = r.readSurvey(c)
	return err
}

// surveyed reports whether the run goes on with a survey that it has made.
func (r *Run) surveyed() bool {
	done := r.step - r.perEpoch()*r.Config.Epochs
	return done > 0 && done < r.perEpoch()*r.Config.Support.Epochs
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	var buffers []optim.Buffer
	if r.surveyed() {
		buffers = r.survey.buffers()
	}
	err := optim.Save(r.Dir, CheckpointKind, state{r.Config, r.step, r.history, r.sums.Terms, r.sums.Support, r.sums.Decoder, r.set.Checksums}, r.params, buffers...)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// perEpoch is the number of steps of an epoch. What is left of the data after
// the last whole batch waits for the next epoch's order.
func (r *Run) perEpoch() int { return r.set.Train.N / r.Config.Batch }

// epochs is the number of epochs of all parts of the run.
func (c Config) epochs() int { return c.Epochs + c.Support.Epochs + c.Refine }

// Done reports whether the run has come to its end.
func (r *Run) Done() bool { return r.step >= r.perEpoch()*r.Config.epochs() }

// Steps returns the steps done.
func (r *Run) Steps() int { return r.step }

// Images returns how many images the run has seen, and will have seen.
func (r *Run) Images() (done, total int) {
	return r.step * r.Config.Batch, r.perEpoch() * r.Config.epochs() * r.Config.Batch
}

// Train goes on to the end of the run. It saves the state every epochs epochs
// and when ctx ends, and then returns ErrInterrupted.
func (r *Run) Train(ctx context.Context, epochs int, bar *progress.Bar) error {
	if r.step < r.perEpoch()*r.Config.Epochs {
		if err := r.joint(ctx, epochs, bar); err != nil {
			return err
		}
	}
	if r.step < r.perEpoch()*(r.Config.Epochs+r.Config.Support.Epochs) {
		if err := r.distance(ctx, epochs, bar); err != nil {
			return err
		}
	}
	if r.Done() {
		return nil
	}
	return r.refine(ctx, epochs, bar)
}

// start makes the machine that trains params on the graph which they are in. seen
// puts what a step lost on record.
func (r *Run) start(params []*optim.Parameter, bar *progress.Bar, seen func(step int) error) (optim.Machine, error) {
	m, on, err := r.Device.Start(params[0].Node.Graph(), params, seen)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if r.Device != "" {
		bar.Note("training on %s", on)
	}
	return m, nil
}

// loop is a part of the run: epochs of steps by m on the batches that do lays
// out. The checkpoint is saved every so many epochs.
func (r *Run) loop(m optim.Machine, first, epochs, every int, bar *progress.Bar, do func() error) *optim.Loop {
	return &optim.Loop{
		Machine: m, Rate: r.Config.Rate, Batch: r.Config.Batch, First: first, PerEpoch: r.perEpoch(), Epochs: epochs, Every: every, Bar: bar,
		Do: func() error {
			if err := do(); err != nil {
				return err
			}
			if err := r.set.Train.Err(); err != nil {
				return fmt.Errorf("train: %w", err)
			}
			return nil
		},
		EndEpoch: func() { r.endEpoch(bar) }, Save: r.Save, Draw: r.draw,
	}
}

// joint trains the nets together, with the loss of Eq. 20, or that of DAE.
func (r *Run) joint(ctx context.Context, every int, bar *progress.Bar) error {
	t, err := newNet(r.Config, r.params)
	if err != nil {
		return err
	}
	m, err := r.start(r.params, bar, func(step int) error { return r.sum(t, step) })
	if err != nil {
		return err
	}
	defer m.Close()
	load := r.loader()
	defer load.Stop()
	return r.loop(m, 0, r.Config.Epochs, every, bar, func() error {
		b := load.Next()
		copy(t.clean, b.clean)
		copy(t.noisy, b.noisy)
		load.Recycle(b)
		return nil
	}).Run(ctx, &r.step)
}

// sum puts the terms of a step's loss on record. step is that of the run, from 1.
func (r *Run) sum(t *net, step int) error {
	for i, v := range t.terms {
		if v-v != 0 {
			return diverged(fmt.Sprintf("term %d of the loss", i+1), v, step)
		}
		r.sums.Terms[i] += float64(v)
	}
	if t.probes != nil {
		for i, v := range t.probes.losses {
			r.sums.Support[i] += float64(v)
		}
	}
	return nil
}

// diverged is the error of a loss, or a part of it, that is no number at a step of
// the run, the first of which is 1.
func diverged(what string, v float32, step int) error {
	return fmt.Errorf("train: %s is %v at step %d: %w; a lower --rate or other weights may hold it. The last checkpoint is kept", what, v, step, ErrDiverged)
}

// endEpoch puts the mean of each term over the epoch on record.
func (r *Run) endEpoch(bar *progress.Bar) {
	rec, n := r.sums, float64(r.perEpoch())
	for i := range rec.Terms {
		rec.Terms[i] /= n
	}
	for i := range rec.Support {
		rec.Support[i] /= n
	}
	rec.Decoder /= n
	r.history, r.sums = append(r.history, rec), Record{}
	bar.Note("epoch %d/%d loss %.3f", len(r.history), r.Config.epochs(), rec.Loss(r.Config))
}

// draw writes the loss curves.
func (r *Run) draw() error {
	names := []string{"λ1: D = ‖z − z*‖", "λ2: G(z*) = x", "λ3: D(z*) = 0", "λ4: D ≥ 0", "λ5: z_shift = z*", "λ6: G(z_shift) = x"}
	title := "Terms of the loss (Eq. 20)"
	if r.Config.Support.Epochs > 0 {
		names = append(names, "D is the distance from S", "slope of D = 1")
	}
	if r.Config.Method == DAE {
		names, title = []string{"G(F(x + noise)) = x"}, "Squared error, summed over the pixels"
	}
	lines := make([]plots.Line, len(names))
	refined := plots.Line{Name: "G alone: cross entropy of G(z*), x"}
	for e, rec := range r.history {
		if e >= r.Config.Epochs+r.Config.Support.Epochs {
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
	return plots.Curves(filepath.Join(r.Dir, "loss.png"), plots.Axes{Title: title, X: "epoch", Y: "mean over the epoch", LogY: true}, lines...)
}

// batch is the data of one step.
type batch struct{ clean, noisy []float32 }

// loader makes the batches of the coming steps.
func (r *Run) loader() *optim.Loader[*batch] {
	n := r.Config.Batch * latent.Pixels
	var order []int
	return optim.NewLoader(r.step,
		func() *batch { return &batch{make([]float32, n), make([]float32, n)} },
		func(b *batch, step int) {
			if epoch := step / r.perEpoch(); order == nil || step%r.perEpoch() == 0 {
				order = rng.New(r.Config.Seed, streamOrder+uint64(epoch)).Perm(r.set.Train.N)
			}
			r.fill(b, step, order)
		})
}

// fill makes the batch of a step: images in the epoch's order, and the same with
// noise.
func (r *Run) fill(b *batch, step int, order []int) {
	first := step % r.perEpoch() * r.Config.Batch
	r.set.Train.Fill(b.clean, order[first:first+r.Config.Batch])
	r.spoil(b.noisy, b.clean, step)
}

// spoil writes to y the images x, the first ones of a step's batch, with noise.
func (r *Run) spoil(y, x []float32, step int) {
	for i := range len(x) / latent.Pixels {
		lo, hi := i*latent.Pixels, (i+1)*latent.Pixels
		r.damage(y[lo:hi], x[lo:hi], r.noise(step*r.Config.Batch+i))
	}
}

// noise is what the noise of the i-th image since the start of the run is drawn
// from.
func (r *Run) noise(i int) *rng.Source { return rng.New(r.Config.Seed, streamNoise+uint64(i)) }

// damage writes to y the image x with Gaussian noise of a width drawn anew, unless
// it is fixed. The noise of a share of the images is cut off at black and white. y
// must not be x.
func (r *Run) damage(y, x []float32, src *rng.Source) {
	sigma := r.Config.Noise
	if !r.Config.FixedNoise {
		sigma *= src.Float64()
	}
	src.FillNorm(y, float32(sigma))
	for k, v := range x {
		y[k] += v
	}
	// Drawn last, so that runs without clipping are what they were.
	if r.Config.Clipped > 0 && src.Float64() < r.Config.Clipped {
		for k, v := range y {
			y[k] = min(max(v, 0), 1)
		}
	}
}
