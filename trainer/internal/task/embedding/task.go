// Package embedding trains the embedding that pictures are judged in where there is no
// better one: a small net that finds a picture again that is seen in another way, among
// others that are seen so (InfoNCE; van den Oord et al. 2018, and Chen et al. 2020, "A
// simple framework for contrastive learning of visual representations"). It needs no
// labels and no data but the pictures themselves.
package embedding

import (
	"cmp"
	"context"
	"fmt"
	"math"

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

// Config is everything a run's result depends on, but the data.
type Config struct {
	Seed    uint64  `json:"seed"`
	Epochs  int     `json:"epochs"`
	Batch   int     `json:"batch"` // pictures that are told apart in a step, each seen twice
	Rate    float64 `json:"rate"`  // Adam's learning rate at the start
	Side    int     `json:"side"`  // pixels along each edge of a picture as the net takes it
	Gray    bool    `json:"gray,omitempty"`
	Share   float64 `json:"share"`   // of the pictures, that is not trained on
	Numbers int     `json:"numbers"` // of an embedding
	Views   Views   `json:"views"`
}

// Default is the configuration to begin with. A hold-out with the share and the seed of
// task/latent's default is the same.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 30, Batch: 64, Rate: 2e-3, Side: 64, Share: 0.15, Numbers: 64,
		Views: Views{Crop: 0.3, Color: 0.2, Noise: 0.03, Blur: 0.3, Erase: 0.25},
	}
}

// Pictures returns how the pictures of a folder become the data of such a run.
func (c Config) Pictures() dataset.ImageOptions {
	return dataset.ImageOptions{Side: c.Side, Gray: c.Gray, Share: c.Share, Seed: c.Seed}
}

// image is the shape of a picture.
func (c Config) image() nn.Shape {
	s := nn.Shape{H: c.Side, W: c.Side, C: 3}
	if c.Gray {
		s.C = 1
	}
	return s
}

// MaxNumbers bounds Config.Numbers.
const MaxNumbers = 1024

// Validate returns an error that says which setting is out of range for a data set of n
// training pictures.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	switch {
	case c.Batch < 2:
		return fmt.Errorf("the batch is %d; give at least 2: a picture is told from the others of its batch", c.Batch)
	case c.Numbers < 2 || c.Numbers > MaxNumbers:
		return fmt.Errorf("the embedding has %d numbers; give 2 to %d", c.Numbers, MaxNumbers)
	case c.Side < 16 || c.Side > 512:
		return fmt.Errorf("the side of pictures is %d; give 16 to 512", c.Side)
	}
	return cmp.Or(run.Settings(c.Epochs, c.Batch, n, "pictures", c.Rate), c.Views.Validate())
}

// net is the embedding for pictures of a shape: four convolutions that halve the side, and
// a linear layer to so many numbers. Batch norm gives those one spread, which stands in for
// the unit length that embeddings are compared by elsewhere: it can be folded away.
func net(image nn.Shape, numbers int) (*nn.Net, error) {
	var layers []nn.Layer
	for i, channels := range []int{24, 48, 96, 128} {
		layers = append(layers,
			nn.Conv{Name: fmt.Sprintf("conv%d", i+1), Window: nn.Halving, Out: channels}, nn.BatchNorm{Name: fmt.Sprintf("norm%d", i+1)}, nn.ReLU)
	}
	layers = append(layers, nn.Linear{Name: "embedding", Out: nn.Vector(numbers)}, nn.BatchNorm{Name: last})
	return nn.New(image, layers...)
}

// last is the batch norm of the embedding's numbers.
const last = "norm"

// alike is what the product of two embeddings of one picture would be at the start if they
// were the same: the inverse of a temperature, which is learned from there on.
const alike = 10

// Streams of the seed, each for one purpose, so that a run resumes from its step number
// alone.
const (
	streamInit  = 1 << 40 // + the number of the parameter
	streamOrder = 2 << 40 // + the epoch
	streamViews = 3 << 40 // + the number of the view since the start of the run
	streamScore = 4 << 40 // + the number of the view
)

// Task is an embedding in training.
type Task struct {
	state
	set     *dataset.Set
	net     *nn.Net
	params  []*optim.Parameter
	buffers []optim.Buffer
	loss    [1]float32 // of the last step
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
func New(c Config, set *dataset.Set) *Task { return &Task{state: state{Config: c}, set: set} }

// SavedConfig returns the settings of the run in a folder.
func SavedConfig(dir string) (Config, error) {
	c, err := optim.Open(dir)
	if err != nil {
		return Config{}, err
	}
	var s state
	err = c.State(CheckpointKind, &s)
	return s.Config, err
}

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "embedding-checkpoint"

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// Plan returns an error if the data is not that of the checkpoint.
func (t *Task) Plan(string) (*run.Plan, error) {
	c := t.Config
	if err := optim.CheckData(t.Checksums, t.set.Checksums); err != nil {
		return nil, err
	}
	if err := c.Validate(t.set.Train.N); err != nil {
		return nil, err
	}
	if got := t.set.Train.Pixels(); got != c.image().Size() {
		return nil, fmt.Errorf("the pictures of the data have %d numbers; the embedding takes pictures of %v", got, c.image())
	}
	t.Checksums = t.set.Checksums
	if err := t.draw(); err != nil {
		return nil, err
	}
	return &run.Plan{
		Things: t.set.Train.N, Batch: c.Batch, Seed: c.Seed, Rate: c.Rate, Params: t.params,
		Parts:   []run.Part{{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: func(context.Context, *run.Step) (run.Fill, error) { return t.fill, nil }}},
		Buffers: func() []optim.Buffer { return t.buffers },
	}, nil
}

// draw draws the parameters.
func (t *Task) draw() (err error) {
	c := t.Config
	if t.net, err = net(c.image(), c.Numbers); err != nil {
		return err
	}
	if err := optim.Fits(t.net.Specs()); err != nil {
		return err
	}
	t.params, t.buffers = netgraph.Parameters(c.Seed, streamInit, t.net), netgraph.Buffers(t.net)
	for _, p := range t.params {
		if p.Name == last+".weight" {
			for i := range p.Data {
				p.Data[i] = float32(math.Sqrt(alike / float64(c.Numbers)))
			}
		}
	}
	return nil
}

// EndEpoch puts the mean loss of the epoch on record.
func (t *Task) EndEpoch() (string, error) {
	loss := t.Sum / float64(t.set.Train.N/t.Config.Batch)
	t.History, t.Sum = append(t.History, loss), 0
	return fmt.Sprintf("epoch %d/%d loss %.4f", len(t.History), t.Config.Epochs, loss), nil
}

// Curves returns the loss curve.
func (t *Task) Curves() (curves.Axes, []curves.Line) {
	return curves.Axes{Title: "Loss of the embedding", X: "epoch", Y: "mean over the epoch", LogY: true},
		[]curves.Line{run.Curve("cross entropy: which of a batch a view is of", t.History)}
}

// build makes the graph of the net and its loss for n pictures: its inputs are two views of
// each, n × pixels both.
func (t *Task) build(n int) (*run.Step, error) {
	pixels := t.net.In().Size()
	own := make([]float32, n*n) // a view is of the picture of the same number
	for i := range n {
		own[i*n+i] = 1
	}
	b := netgraph.New(t.params)
	want := b.Matrix("own", n, n, own)
	s := new(run.Step)
	var e [2]*gorgonia.Node
	for k := range e {
		views := make([]float32, n*pixels)
		s.Inputs = append(s.Inputs, views)
		e[k] = b.Apply(t.net, b.Matrix(fmt.Sprintf("views %d", k), n, pixels, views)).Out()
	}
	find := func(x, among *gorgonia.Node) *gorgonia.Node {
		like := b.Do(func() (*gorgonia.Node, error) { return graph.Product(x, among, true) })
		return b.Do(func() (*gorgonia.Node, error) { return graph.CrossEntropy(like, want) })
	}
	there, back := find(e[0], e[1]), find(e[1], e[0])
	loss := b.Do(func() (*gorgonia.Node, error) { return graph.WeightedSum([]float32{0.5, 0.5}, there, back) })
	b.Keep("loss", loss, t.loss[:])
	if err := b.Err(); err != nil {
		return nil, err
	}
	running, err := b.Follow(t.buffers)
	if err != nil {
		return nil, err
	}
	g, err := run.NewGraph(b, loss, t.params, func(step int) error {
		running.Step()
		t.Sum += float64(t.loss[0])
		return run.Diverged("the loss", float64(t.loss[0]), step)
	})
	s.Graphs = []*run.Graph{g}
	return s, err
}

// fill makes the batch of a step: two views of each picture, others every time.
func (t *Task) fill(batch [][]float32, which []int, step int) error {
	image := t.net.In()
	size := image.Size()
	x := make([]float32, len(which)*size)
	t.set.Train.Fill(x, which)
	for i := range which {
		for k := range batch {
			src := rng.New(t.Config.Seed, streamViews+uint64(2*(step*len(which)+i)+k))
			t.Config.Views.apply(batch[k][i*size:(i+1)*size], x[i*size:(i+1)*size], image, src)
		}
	}
	return t.set.Train.Err()
}
