// Package ldm trains the denoiser of the latent diffusion model, the
// baseline of Sec. 5, on the codes of a trained autoencoder: Alg. 2.
package ldm

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"

	"mppm/shared/ddpm"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/latent"
)

// Config is everything a run's result depends on, but the data and the
// autoencoder.
type Config struct {
	Seed      uint64        `json:"seed"`
	Epochs    int           `json:"epochs"`
	Batch     int           `json:"batch"`
	Rate      float64       `json:"rate"`   // Adam's learning rate at the start
	Hidden    []int         `json:"hidden"` // widths of the denoiser's hidden layers
	Diffusion ldm.Diffusion `json:"diffusion"`
}

// Default is the configuration that the shipped weights were trained with: batch,
// learning rate and diffusion steps of Table 11.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 60, Batch: 128, Rate: 1e-3,
		Hidden:    []int{256, 256, 256},
		Diffusion: ldm.Diffusion{First: ddpm.First, Last: ddpm.Last, Steps: 2000},
	}
}

// Validate returns an error that says which setting is out of range for a data
// set of n images.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	_, err := c.schedule()
	return cmp.Or(run.Settings(c.Epochs, c.Batch, n, "images", c.Rate), run.Widths("the denoiser", c.Hidden), err)
}

func (c Config) schedule() (*ddpm.Schedule, error) {
	return ddpm.Linear(c.Diffusion.First, c.Diffusion.Last, c.Diffusion.Steps)
}

// Streams of the seed, each for one purpose, so that a run resumes from its step
// number alone.
const (
	streamInit   = 1 << 40 // + the number of the parameter
	streamOrder  = 2 << 40 // + the epoch
	streamNoise  = 3 << 40 // + the number of the code since the start of the run
	streamDamage = 4 << 40 // + the number of the image
)

// Task is the denoiser in training.
type Task struct {
	state
	set         *dataset.Set
	autoencoder []byte            // a weights file; nil to read that of the run's folder
	nets        *safetensors.File // F and G, as it has them
	dim         int               // numbers of a code
	params      []*optim.Parameter
	schedule    *ddpm.Schedule
	points      []float32  // the training codes, made normal: n × Latent; nil until needed
	mean, std   []float32  // of each coordinate of the codes
	loss        [1]float32 // of the last step
}

// state is the metadata of a checkpoint.
type state struct {
	Config      Config            `json:"config"`
	Step        int               `json:"step"`
	History     []float64         `json:"history"` // mean loss of each epoch
	Total       float64           `json:"total"`   // of the epoch under way
	Checksums   map[string]string `json:"checksums"`
	Autoencoder string            `json:"autoencoder"` // MD5 of its weights
}

// New returns the task of training with c on the codes that the autoencoder of a weights
// file gives a set: one of package latent, of which F and G are taken. For a run that is
// resumed there is no autoencoder, which the run's folder has, and c does not matter.
func New(c Config, set *dataset.Set, autoencoder []byte) *Task {
	return &Task{state: state{Config: c}, set: set, autoencoder: autoencoder}
}

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "ldm-28x28-checkpoint"

// AutoencoderName is the copy of the autoencoder's weights in a run's folder,
// which a run needs to resume.
const AutoencoderName = "autoencoder.safetensors"

// maxAutoencoder bounds the size of that file: far above any.
const maxAutoencoder = 1 << 30

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// Plan leaves a copy of a new run's autoencoder in dir. It returns an error if the file
// has none, or the data or the autoencoder is not what the run was trained on.
func (t *Task) Plan(dir string) (*run.Plan, error) {
	if err := optim.CheckData(t.Checksums, t.set.Checksums); err != nil {
		return nil, err
	}
	c := t.Config
	if err := c.Validate(t.set.Train.N); err != nil {
		return nil, err
	}
	if err := t.adopt(filepath.Join(dir, AutoencoderName)); err != nil {
		return nil, err
	}
	net, err := t.net()
	if err != nil {
		return nil, err
	}
	if err := optim.Fits(net.Specs()); err != nil {
		return nil, err
	}
	if t.schedule, err = c.schedule(); err != nil {
		return nil, err
	}
	t.Checksums = t.set.Checksums
	t.params = netgraph.Parameters(c.Seed, streamInit, net)
	each := int64(4 * t.dim) // the code of an image
	return &run.Plan{
		Things: t.set.Train.N, Batch: c.Batch, Seed: c.Seed, Rate: c.Rate, Params: t.params,
		Parts:  []run.Part{{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: func(ctx context.Context, _ *run.Step) (run.Fill, error) { return t.fill, t.encode(ctx) }}},
		Beside: int64(t.set.Train.N) * each,
	}, nil
}

// net is the denoiser.
func (t *Task) net() (*nn.Net, error) { return ddpm.Net(t.dim, t.Config.Hidden) }

// adopt takes F and G from the weights file of a new run, and leaves it at path, or from
// the one that is there.
func (t *Task) adopt(path string) error {
	if t.autoencoder != nil {
		if err := t.take(t.autoencoder); err != nil {
			return fmt.Errorf("the autoencoder's weights: %w", err)
		}
		return atomicfile.WriteBytes(path, t.autoencoder)
	}
	was := t.Autoencoder
	b, err := bounded.ReadFile(path, maxAutoencoder, safetensors.CheckStart)
	if err == nil {
		err = t.take(b)
	}
	if err == nil && t.Autoencoder != was {
		err = fmt.Errorf("the run was trained on another autoencoder: it had MD5 %s, and now has %s", was, t.Autoencoder)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// take takes F and G from a weights file.
func (t *Task) take(b []byte) error {
	f, err := safetensors.Parse(b)
	if err != nil {
		return err
	}
	if err := latent.CheckKind(f.Meta, latent.Kind); err != nil {
		return fmt.Errorf("%w, as train dae writes", err)
	}
	if _, err := latent.LoadAutoencoder(f); err != nil {
		return err
	}
	nets, err := latent.Described(f.Meta)
	if err != nil {
		return err
	}
	t.dim = nets.F.Out().Size()
	t.nets = &safetensors.File{Meta: map[string]string{"autoencoder": f.Meta["training"]}}
	if err := latent.Describe(t.nets.Meta, ldm.Kind, nets); err != nil {
		return err
	}
	for _, s := range netgraph.Specs(nets.All()...) {
		for _, name := range []string{s.Name, s.Name + ".scale"} {
			if v, ok := f.Lookup(name); ok {
				t.nets.Tensors = append(t.nets.Tensors, v)
			}
		}
	}
	sum := md5.Sum(b)
	t.Autoencoder = hex.EncodeToString(sum[:])
	return nil
}

// encode makes the points of the diffusion: the codes of the training images,
// shifted and scaled to mean 0 and standard deviation 1 in each coordinate.
func (t *Task) encode(ctx context.Context) error {
	if t.points != nil {
		return nil
	}
	nets, err := latent.LoadAutoencoder(t.nets)
	if err != nil {
		return err
	}
	codes, err := task.Codes(ctx, nets, &t.set.Train)
	if err != nil {
		return err
	}
	n := float64(t.set.Train.N)
	t.mean, t.std = make([]float32, t.dim), make([]float32, t.dim)
	for k := range t.dim {
		var sum, square float64
		for i := k; i < len(codes); i += t.dim {
			sum += float64(codes[i])
		}
		for i := k; i < len(codes); i += t.dim {
			e := float64(codes[i]) - sum/n
			square += float64(e * e)
		}
		t.mean[k], t.std[k] = float32(sum/n), float32(math.Sqrt(square/n))
		if !(t.std[k] > 0) {
			return fmt.Errorf("coordinate %d of all codes is %v: the autoencoder has collapsed", k, t.mean[k])
		}
		for i := k; i < len(codes); i += t.dim {
			codes[i] = (codes[i] - t.mean[k]) / t.std[k]
		}
	}
	t.points = codes
	return nil
}

// EndEpoch puts the mean loss of the epoch on record.
func (t *Task) EndEpoch() (string, error) {
	loss := t.Total / float64(t.set.Train.N/t.Config.Batch)
	t.History, t.Total = append(t.History, loss), 0
	return fmt.Sprintf("epoch %d/%d loss %.3f", len(t.History), t.Config.Epochs, loss), nil
}

// Curves returns the loss curve.
func (t *Task) Curves() (curves.Axes, []curves.Line) {
	return curves.Axes{Title: "Squared error, summed over the code (Alg. 2)", X: "epoch", Y: "mean over the epoch", LogY: true},
		[]curves.Line{run.Curve("ε predicted = ε", t.History)}
}

// inputs is how many numbers the denoiser takes.
func (t *Task) inputs() int { return t.dim + ddpm.TimeFeatures }

// Inputs of a step.
const (
	inPoints = iota // n × inputs: points with noise, and what is told of their times
	inNoise         // n × dim: the noise
)

// build makes the graph of lines 9 and 10 of Alg. 2 for n codes.
func (t *Task) build(n int) (*run.Step, error) {
	net, err := t.net()
	if err != nil {
		return nil, err
	}
	points, noise := make([]float32, n*t.inputs()), make([]float32, n*t.dim)
	b := netgraph.New(t.params)
	predicted := b.Apply(net, b.Matrix("in", n, t.inputs(), points)).Out()
	off := b.SquaredError(predicted, b.Matrix("noise", n, t.dim, noise))
	b.Keep("loss", off, t.loss[:])
	g, err := run.NewGraph(b, off, t.params, func(step int) error {
		t.Total += float64(t.loss[0])
		return run.Diverged("the loss", float64(t.loss[0]), step)
	})
	return &run.Step{Inputs: [][]float32{points, noise}, Graphs: []*run.Graph{g}}, err
}

// fill makes the batch of a step: lines 6 to 8 of Alg. 2.
func (t *Task) fill(batch [][]float32, which []int, step int) error {
	inputs := t.inputs()
	for i, at := range which {
		src := rng.New(t.Config.Seed, streamNoise+uint64(step*len(which)+i))
		time := src.IntN(t.schedule.Len())
		e := batch[inNoise][i*t.dim : (i+1)*t.dim]
		src.FillNorm(e, 1)
		row := batch[inPoints][i*inputs : (i+1)*inputs]
		t.schedule.Diffuse(row, t.points[at*t.dim:(at+1)*t.dim], e, time)
		ddpm.Features(row[t.dim:], t.schedule.Time(time))
	}
	return nil
}
