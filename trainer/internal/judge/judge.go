// Package judge trains the classifier that restored and grown digits are judged
// by (Sec. 5.1): it reads them, and the Fréchet distance is measured in its
// embedding.
package judge

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"mppm/shared/classifier"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
)

// Config is everything a run's result depends on, but the data.
type Config struct {
	Seed    uint64  `json:"seed"`
	Epochs  int     `json:"epochs"`
	Batch   int     `json:"batch"`
	Rate    float64 `json:"rate"`    // Adam's learning rate at the start
	Warp    Warp    `json:"warp"`    // how far training digits are bent
	Holdout int     `json:"holdout"` // so many of the last training digits are not trained on
}

// Default is the configuration that the shipped classifier was trained with. It
// was chosen on the last 5,000 training digits.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 20, Batch: 128, Rate: 2e-3,
		Warp: Warp{Shift: 2, Angle: 12, Scale: 0.12, Bend: 0.8},
	}
}

// Validate returns an error that says which setting is out of range for a data
// set of n training images.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("epochs are %d; give at least 1", c.Epochs)
	case c.Holdout < 0 || c.Holdout > n-dataset.Least:
		return fmt.Errorf("%d images are to be held out; give 0 to %d, there are %d", c.Holdout, n-dataset.Least, n)
	case c.Batch < 1 || c.Batch > n-c.Holdout:
		return fmt.Errorf("the batch is %d; give 1 to %d, the number of images trained on", c.Batch, n-c.Holdout)
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("the learning rate is %v; it must be more than 0", c.Rate)
	}
	return c.Warp.Validate()
}

// Streams of the seed, each for one purpose, so that a run resumes from its step
// number alone.
const (
	streamInit  = 1 << 40 // + the number of the parameter
	streamOrder = 2 << 40 // + the epoch
	streamWarp  = 3 << 40 // + the number of the image since the start of the run
)

// Run is a training run in a folder.
type Run struct {
	Config Config
	Dir    string
	Device device.Choice // what trains; the CPU if it is empty

	set     *dataset.Set
	params  []*optim.Parameter
	step    int       // steps done
	history []float64 // mean loss of each epoch
	sum     float64   // of the epoch under way
}

// CheckpointKind is the kind of the checkpoints of this package's runs.
const CheckpointKind = "classifier-28x28-checkpoint"

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []float64         `json:"history"`
	Sum       float64           `json:"sum"`
	Checksums map[string]string `json:"checksums"`
}

func newParameters(c Config) []*optim.Parameter {
	return netgraph.Parameters(c.Seed, streamInit, classifier.Digits)
}

// New starts a run in dir, which is made if need be. It returns an error if dir
// holds a run already, or the data has no labels.
func New(c Config, set *dataset.Set, dir string) (*Run, error) {
	err := labelled(set)
	if err == nil {
		err = c.Validate(set.Train.N)
	}
	if err == nil {
		err = optim.Claim(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &Run{Config: c, Dir: dir, set: set, params: newParameters(c)}, nil
}

// Open reads the run in dir. It returns optim.ErrNoCheckpoint, wrapped, if there
// is none, and an error if the data is not what the run was trained on.
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

func (r *Run) decode(c *optim.Checkpoint) error {
	var s state
	if err := c.State(CheckpointKind, &s); err != nil {
		return err
	}
	err := optim.CheckData(s.Checksums, r.set.Checksums)
	if err == nil {
		err = s.Config.Validate(r.set.Train.N)
	}
	if err == nil {
		err = labelled(r.set)
	}
	if err != nil {
		return c.Wrap(err)
	}
	r.Config, r.step, r.history, r.sum = s.Config, s.Step, s.History, s.Sum
	r.params = newParameters(s.Config)
	return c.Parameters(r.params)
}

// labelled returns an error if a part of the data does not say what its digits
// are.
func labelled(set *dataset.Set) error {
	if set.Train.Labels == nil || set.Test.Labels == nil {
		return fmt.Errorf("the data in %s has no labels, and a classifier cannot be trained without: add train-labels-idx1-ubyte and t10k-labels-idx1-ubyte, or put images into folders 0 to 9", set.Name)
	}
	return nil
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	err := optim.Save(r.Dir, CheckpointKind, state{r.Config, r.step, r.history, r.sum, r.set.Checksums}, r.params)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// trained is the number of images that are trained on.
func (r *Run) trained() int { return r.set.Train.N - r.Config.Holdout }

// perEpoch is the number of steps of an epoch.
func (r *Run) perEpoch() int { return r.trained() / r.Config.Batch }

// Done reports whether the run has come to its end.
func (r *Run) Done() bool { return r.step >= r.perEpoch()*r.Config.Epochs }

// Images returns how many images the run has seen, and will have seen.
func (r *Run) Images() (done, total int) {
	return r.step * r.Config.Batch, r.perEpoch() * r.Config.Epochs * r.Config.Batch
}

// Train goes on to the end of the run. It saves the state every epochs epochs
// and when ctx ends, and then returns optim.ErrInterrupted.
func (r *Run) Train(ctx context.Context, epochs int, bar *progress.Bar) error {
	if r.Done() {
		return nil
	}
	t, err := newNet(r.Config.Batch, r.params)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	m, on, err := r.Device.Start(t.graph, r.params, func(step int) error {
		if v := t.loss[0]; v-v != 0 {
			return fmt.Errorf("train: the loss is %v at step %d: the run has diverged; a lower --rate may hold it. The last checkpoint is kept", v, step)
		}
		r.sum += float64(t.loss[0])
		return nil
	})
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer m.Close()
	if r.Device != "" {
		bar.Note("training on %s", on)
	}
	load := r.loader()
	defer load.Stop()
	loop := optim.Loop{
		Machine: m, Rate: r.Config.Rate, Batch: r.Config.Batch, PerEpoch: r.perEpoch(), Epochs: r.Config.Epochs, Every: epochs, Bar: bar,
		Do: func() error {
			b := load.Next()
			copy(t.images, b.images)
			copy(t.targets, b.targets)
			load.Recycle(b)
			if err := r.set.Train.Err(); err != nil {
				return fmt.Errorf("train: %w", err)
			}
			return nil
		},
		EndEpoch: func() { r.endEpoch(bar) }, Save: r.Save, Draw: r.draw,
	}
	return loop.Run(ctx, &r.step)
}

// endEpoch puts the mean loss of the epoch on record.
func (r *Run) endEpoch(bar *progress.Bar) {
	loss := r.sum / float64(r.perEpoch())
	r.history, r.sum = append(r.history, loss), 0
	bar.Note("epoch %d/%d loss %.4f", len(r.history), r.Config.Epochs, loss)
}

// draw writes the loss curve.
func (r *Run) draw() error {
	line := plots.Line{Name: "cross entropy on bent digits"}
	for e, loss := range r.history {
		line.X = append(line.X, float64(e+1))
		line.Y = append(line.Y, loss)
	}
	return plots.Curves(filepath.Join(r.Dir, "loss.png"), plots.Axes{Title: "Loss of the classifier", X: "epoch", Y: "mean over the epoch", LogY: true}, line)
}

// batch is the data of one step.
type batch struct{ images, targets []float32 }

// loader makes the batches of the coming steps.
func (r *Run) loader() *optim.Loader[*batch] {
	n := r.Config.Batch
	var order []int
	return optim.NewLoader(r.step,
		func() *batch { return &batch{make([]float32, n*dataset.Pixels), make([]float32, n*dataset.Classes)} },
		func(b *batch, step int) {
			if order == nil || step%r.perEpoch() == 0 {
				order = rng.New(r.Config.Seed, streamOrder+uint64(step/r.perEpoch())).Perm(r.trained())
			}
			r.fill(b, step, order)
		})
}

// fill makes the batch of a step: images in the epoch's order, each bent anew.
func (r *Run) fill(b *batch, step int, order []int) {
	clear(b.targets)
	first := step % r.perEpoch() * r.Config.Batch
	var x [dataset.Pixels]float32
	for i := range r.Config.Batch {
		at := order[first+i]
		r.set.Train.Float32(x[:], at)
		src := rng.New(r.Config.Seed, streamWarp+uint64(step*r.Config.Batch+i))
		r.Config.Warp.apply(b.images[i*dataset.Pixels:(i+1)*dataset.Pixels], x[:], src)
		b.targets[i*dataset.Classes+int(r.set.Train.Labels[at])] = 1
	}
}
