// Package classifier trains the classifier that restored and grown digits are judged
// by (Sec. 5.1): it reads them, and the Fréchet distance is measured in its
// embedding.
package classifier

import (
	"cmp"
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/classifier"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/run"
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
	if c.Holdout < 0 || c.Holdout > n-dataset.Least {
		return fmt.Errorf("%d images are to be held out; give 0 to %d, there are %d", c.Holdout, n-dataset.Least, n)
	}
	return cmp.Or(run.Settings(c.Epochs, c.Batch, n-c.Holdout, "images trained on", c.Rate), c.Warp.Validate())
}

// Streams of the seed, each for one purpose, so that a run resumes from its step
// number alone.
const (
	streamInit  = 1 << 40 // + the number of the parameter
	streamOrder = 2 << 40 // + the epoch
	streamWarp  = 3 << 40 // + the number of the image since the start of the run
)

// Task is a classifier in training.
type Task struct {
	state
	set    *dataset.Set
	net    *nn.Net // for as many classes as the data has
	params []*optim.Parameter
	loss   [1]float32 // of the last step
	logits []float32  // and what it read, n × classes
}

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []float64         `json:"history"` // mean loss of each epoch
	Sum       float64           `json:"sum"`     // of the epoch under way
	Checksums map[string]string `json:"checksums"`
}

// New returns the task of training with c on a set, or, for a run that is resumed, with
// whatever its checkpoint says.
func New(c Config, set *dataset.Set) *Task {
	return &Task{state: state{Config: c}, set: set, net: classifier.Digits}
}

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "classifier-28x28-checkpoint"

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// Plan returns an error if the data is not that of the checkpoint, or has no labels.
func (t *Task) Plan(string) (*run.Plan, error) {
	err := optim.CheckData(t.Checksums, t.set.Checksums)
	if err == nil {
		err = labelled(t.set)
	}
	if err == nil {
		err = t.Config.Validate(t.set.Train.N)
	}
	if err != nil {
		return nil, err
	}
	c := t.Config
	t.Checksums = t.set.Checksums
	if t.net, err = classifier.Net(classifier.Digits.In(), t.set.Count()); err != nil {
		return nil, err
	}
	t.params = netgraph.Parameters(c.Seed, streamInit, t.net)
	return &run.Plan{
		Things: t.trained(), Batch: c.Batch, Seed: c.Seed, Rate: c.Rate, Params: t.params,
		Parts: []run.Part{{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: func(context.Context, *run.Step) (run.Fill, error) { return t.fill, nil }}},
	}, nil
}

// labelled returns an error if a part of the data does not say what its digits
// are.
func labelled(set *dataset.Set) error {
	if set.Train.Labels == nil || set.Test.Labels == nil {
		return fmt.Errorf("the data in %s has no labels, and a classifier cannot be trained without: add train-labels-idx1-ubyte and t10k-labels-idx1-ubyte, or put images into a folder for each class", set.Name)
	}
	return nil
}

// trained is the number of images that are trained on.
func (t *Task) trained() int { return t.set.Train.N - t.Config.Holdout }

// EndEpoch puts the mean loss of the epoch on record.
func (t *Task) EndEpoch() (string, error) {
	loss := t.Sum / float64(t.trained()/t.Config.Batch)
	t.History, t.Sum = append(t.History, loss), 0
	return fmt.Sprintf("epoch %d/%d loss %.4f", len(t.History), t.Config.Epochs, loss), nil
}

// Curves returns the loss curve.
func (t *Task) Curves() (plots.Axes, []plots.Line) {
	return plots.Axes{Title: "Loss of the classifier", X: "epoch", Y: "mean over the epoch", LogY: true},
		[]plots.Line{run.Curve("cross entropy on bent digits", t.History)}
}

// Inputs of a step.
const (
	inImages  = iota // n × Pixels
	inTargets        // n × classes: 1 at the image's
)

// build makes the graph of the classifier and its loss for n images.
func (t *Task) build(n int) (*run.Step, error) {
	classes := t.net.Out().Size()
	images, targets := make([]float32, n*classifier.Pixels), make([]float32, n*classes)
	t.logits = make([]float32, n*classes)
	b := netgraph.New(t.params)
	y := b.Apply(t.net, b.Matrix("images", n, classifier.Pixels, images)).Out()
	want := b.Matrix("targets", n, classes, targets)
	entropy := b.Do(func() (*gorgonia.Node, error) { return graph.CrossEntropy(y, want) })
	b.Keep("loss", entropy, t.loss[:])
	b.Keep("logits", y, t.logits)
	g, err := run.NewGraph(b, entropy, t.params, func(step int) error {
		t.Sum += float64(t.loss[0])
		return run.Diverged("the loss", float64(t.loss[0]), step)
	})
	return &run.Step{Inputs: [][]float32{images, targets}, Graphs: []*run.Graph{g}}, err
}

// fill makes the batch of a step: images of the training set, each bent anew.
func (t *Task) fill(batch [][]float32, which []int, step int) error {
	clear(batch[inTargets])
	var x [dataset.Pixels]float32
	for i, at := range which {
		t.set.Train.Float32(x[:], at)
		src := rng.New(t.Config.Seed, streamWarp+uint64(step*len(which)+i))
		t.Config.Warp.apply(batch[inImages][i*dataset.Pixels:(i+1)*dataset.Pixels], x[:], src)
		batch[inTargets][i*t.net.Out().Size()+int(t.set.Train.Labels[at])] = 1
	}
	return t.set.Train.Err()
}
