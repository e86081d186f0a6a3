// Package diffuse trains the denoiser of the latent diffusion model, the
// baseline of Sec. 5, on the codes of a trained autoencoder: Alg. 2.
package diffuse

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"gorgonia.org/gorgonia"

	"mppm/shared/ddpm"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/train"
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
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("epochs are %d; give at least 1", c.Epochs)
	case c.Batch < 1 || c.Batch > n:
		return fmt.Errorf("the batch is %d; give 1 to %d, the number of images", c.Batch, n)
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("the learning rate is %v; it must be more than 0", c.Rate)
	case len(c.Hidden) > 15:
		return fmt.Errorf("the denoiser has %d hidden layers; give at most 15", len(c.Hidden))
	}
	for _, h := range c.Hidden {
		if h < 1 || h > 4096 {
			return fmt.Errorf("a hidden layer of the denoiser has width %d; give 1 to 4096", h)
		}
	}
	_, err := c.schedule()
	return err
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

// Run is a training run in a folder.
type Run struct {
	Config Config
	Dir    string
	Device device.Choice // what trains; the CPU if it is empty

	set     *dataset.Set
	nets    *safetensors.File // F and G, as the autoencoder's weights have them
	sum     string            // MD5 of the autoencoder's weights
	params  []*optim.Parameter
	step    int       // steps done
	history []float64 // mean loss of each epoch
	total   float64   // of the epoch under way
	points  []float32 // the training codes, made normal: n × Latent; nil until needed
	mean    []float32 // of each coordinate of the codes
	std     []float32
}

// CheckpointKind is the kind of the checkpoints of this package's runs.
const CheckpointKind = "ldm-28x28-checkpoint"

// autoencoderName is the copy of the autoencoder's weights in a run's folder,
// which a run needs to resume.
const autoencoderName = "autoencoder.safetensors"

// maxAutoencoder bounds the size of that file: far above any.
const maxAutoencoder = 1 << 30

// state is the metadata of a checkpoint.
type state struct {
	Config      Config            `json:"config"`
	Step        int               `json:"step"`
	History     []float64         `json:"history"`
	Total       float64           `json:"total"`
	Checksums   map[string]string `json:"checksums"`
	Autoencoder string            `json:"autoencoder"` // MD5
}

// New starts a run in dir, which is made if need be, on the autoencoder of a
// weights file: one of package latent, of which F and G are taken. It returns an
// error if dir holds a run already, or the file has no autoencoder.
func New(c Config, set *dataset.Set, autoencoder []byte, dir string) (*Run, error) {
	r := &Run{Config: c, Dir: dir, set: set}
	err := c.Validate(set.Train.N)
	if err == nil {
		err = r.adopt(autoencoder)
	}
	if err == nil {
		r.params, err = newParameters(c)
	}
	if err == nil {
		err = optim.Claim(dir)
	}
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, autoencoderName), autoencoder)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return r, nil
}

// newParameters draws the parameters of the denoiser. It returns an error if they
// are more than the memory that there is.
func newParameters(c Config) ([]*optim.Parameter, error) {
	net, err := ddpm.Net(latent.Latent, c.Hidden)
	if err != nil {
		return nil, err
	}
	if err := optim.Fits(net.Specs()); err != nil {
		return nil, err
	}
	return netgraph.Parameters(c.Seed, streamInit, net), nil
}

// adopt takes F and G from a weights file.
func (r *Run) adopt(b []byte) error {
	f, err := safetensors.Parse(b)
	if err != nil {
		return fmt.Errorf("the autoencoder's weights: %w", err)
	}
	if err := latent.CheckKind(f.Meta, latent.Kind); err != nil {
		return fmt.Errorf("the autoencoder's weights: %w; want weights that train dae writes", err)
	}
	if _, err := latent.LoadAutoencoder(f); err != nil {
		return fmt.Errorf("the autoencoder's weights: %w", err)
	}
	encoder, decoder, err := latent.Nets(f.Meta)
	if err != nil {
		return fmt.Errorf("the autoencoder's weights: %w", err)
	}
	r.nets = &safetensors.File{Meta: map[string]string{"autoencoder": f.Meta["training"]}}
	if err := latent.Describe(r.nets.Meta, ldm.Kind, encoder, decoder); err != nil {
		return fmt.Errorf("the autoencoder's weights: %w", err)
	}
	for _, s := range slices.Concat(encoder.Specs(), decoder.Specs()) {
		for _, name := range []string{s.Name, s.Name + ".scale"} {
			if t, ok := f.Lookup(name); ok {
				r.nets.Tensors = append(r.nets.Tensors, t)
			}
		}
	}
	sum := md5.Sum(b)
	r.sum = hex.EncodeToString(sum[:])
	return nil
}

// Open reads the run in dir. It returns optim.ErrNoCheckpoint, wrapped, if there
// is none, and an error if the data or the autoencoder is not what the run was
// trained on.
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
	if err := optim.CheckData(s.Checksums, r.set.Checksums); err != nil {
		return c.Wrap(err)
	}
	if err := s.Config.Validate(r.set.Train.N); err != nil {
		return c.Wrap(err)
	}
	params, err := newParameters(s.Config)
	if err != nil {
		return c.Wrap(err)
	}
	path := filepath.Join(r.Dir, autoencoderName)
	b, err := bounded.ReadFile(path, maxAutoencoder, safetensors.CheckStart)
	if err == nil {
		err = r.adopt(b)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if r.sum != s.Autoencoder {
		return fmt.Errorf("%s: the run was trained on another autoencoder: it had MD5 %s, and now has %s", path, s.Autoencoder, r.sum)
	}
	r.Config, r.step, r.history, r.total = s.Config, s.Step, s.History, s.Total
	r.params = params
	return c.Parameters(r.params)
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	err := optim.Save(r.Dir, CheckpointKind, state{r.Config, r.step, r.history, r.total, r.set.Checksums, r.sum}, r.params)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// perEpoch is the number of steps of an epoch. What is left of the data after
// the last whole batch waits for the next epoch's order.
func (r *Run) perEpoch() int { return r.set.Train.N / r.Config.Batch }

// Done reports whether the run has come to its end.
func (r *Run) Done() bool { return r.step >= r.perEpoch()*r.Config.Epochs }

// Images returns how many codes the run has seen, and will have seen.
func (r *Run) Images() (done, total int) {
	return r.step * r.Config.Batch, r.perEpoch() * r.Config.Epochs * r.Config.Batch
}

// encode makes the points of the diffusion: the codes of the training images,
// shifted and scaled to mean 0 and standard deviation 1 in each coordinate.
func (r *Run) encode(ctx context.Context) error {
	if r.points != nil {
		return nil
	}
	nets, err := latent.LoadAutoencoder(r.nets)
	if err != nil {
		return err
	}
	codes, err := train.Codes(ctx, nets, &r.set.Train)
	if err != nil {
		return err
	}
	n := float64(r.set.Train.N)
	r.mean, r.std = make([]float32, latent.Latent), make([]float32, latent.Latent)
	for k := range latent.Latent {
		var sum, square float64
		for i := k; i < len(codes); i += latent.Latent {
			sum += float64(codes[i])
		}
		for i := k; i < len(codes); i += latent.Latent {
			e := float64(codes[i]) - sum/n
			square += float64(e * e)
		}
		r.mean[k], r.std[k] = float32(sum/n), float32(math.Sqrt(square/n))
		if !(r.std[k] > 0) {
			return fmt.Errorf("coordinate %d of all codes is %v: the autoencoder has collapsed", k, r.mean[k])
		}
		for i := k; i < len(codes); i += latent.Latent {
			codes[i] = (codes[i] - r.mean[k]) / r.std[k]
		}
	}
	r.points = codes
	return nil
}

// Train goes on to the end of the run. It saves the state every epochs epochs
// and when ctx ends, and then returns optim.ErrInterrupted.
func (r *Run) Train(ctx context.Context, epochs int, bar *progress.Bar) error {
	if r.Done() {
		return nil
	}
	if err := r.encode(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("train: %w", err)
	}
	var t *net
	var load *optim.Loader[*batch]
	var m optim.Machine
	if ctx.Err() == nil { // else there may be no codes, and nothing to do but save
		var err error
		if t, err = newNet(r.Config, r.params); err != nil {
			return err
		}
		var on string
		if m, on, err = r.Device.Start(t.graph, r.params, func(step int) error {
			if v := t.loss[0]; v-v != 0 {
				return fmt.Errorf("train: the loss is %v at step %d: the run has diverged; a lower --rate may hold it. The last checkpoint is kept", v, step)
			}
			r.total += float64(t.loss[0])
			return nil
		}); err != nil {
			return fmt.Errorf("train: %w", err)
		}
		defer m.Close()
		if r.Device != "" {
			bar.Note("training on %s", on)
		}
		if load, err = r.loader(); err != nil {
			return err
		}
		defer load.Stop()
	}
	loop := optim.Loop{
		Machine: m, Rate: r.Config.Rate, Batch: r.Config.Batch, PerEpoch: r.perEpoch(), Epochs: r.Config.Epochs, Every: epochs, Bar: bar,
		Do: func() error {
			b := load.Next()
			copy(t.in, b.in)
			copy(t.noise, b.noise)
			load.Recycle(b)
			return nil
		},
		EndEpoch: func() { r.endEpoch(bar) }, Save: r.Save, Draw: r.draw,
	}
	return loop.Run(ctx, &r.step)
}

// endEpoch puts the mean loss of the epoch on record.
func (r *Run) endEpoch(bar *progress.Bar) {
	loss := r.total / float64(r.perEpoch())
	r.history, r.total = append(r.history, loss), 0
	bar.Note("epoch %d/%d loss %.3f", len(r.history), r.Config.Epochs, loss)
}

// draw writes the loss curve.
func (r *Run) draw() error {
	l := plots.Line{Name: "ε predicted = ε"}
	for e, v := range r.history {
		l.X = append(l.X, float64(e+1))
		l.Y = append(l.Y, v)
	}
	return plots.Curves(filepath.Join(r.Dir, "loss.png"), plots.Axes{Title: "Squared error, summed over the code (Alg. 2)", X: "epoch", Y: "mean over the epoch", LogY: true}, l)
}

// inputs is how many numbers the denoiser takes.
const inputs = latent.Latent + ddpm.TimeFeatures

// batch is the data of one step: points with noise and what is told of their
// times, and the noise.
type batch struct{ in, noise []float32 }

// loader makes the batches of the coming steps.
func (r *Run) loader() (*optim.Loader[*batch], error) {
	s, err := r.Config.schedule()
	if err != nil {
		return nil, err
	}
	n := r.Config.Batch
	var order []int
	return optim.NewLoader(r.step,
		func() *batch { return &batch{make([]float32, n*inputs), make([]float32, n*latent.Latent)} },
		func(b *batch, step int) {
			if epoch := step / r.perEpoch(); order == nil || step%r.perEpoch() == 0 {
				order = rng.New(r.Config.Seed, streamOrder+uint64(epoch)).Perm(r.set.Train.N)
			}
			r.fill(b, s, step, order)
		}), nil
}

// fill makes the batch of a step: lines 6 to 8 of Alg. 2, for codes in the
// epoch's order.
func (r *Run) fill(b *batch, s *ddpm.Schedule, step int, order []int) {
	first := step % r.perEpoch() * r.Config.Batch
	for i := range r.Config.Batch {
		src := rng.New(r.Config.Seed, streamNoise+uint64(step*r.Config.Batch+i))
		t := src.IntN(s.Len())
		e := b.noise[i*latent.Latent : (i+1)*latent.Latent]
		src.FillNorm(e, 1)
		at := order[first+i] * latent.Latent
		row := b.in[i*inputs : (i+1)*inputs]
		s.Diffuse(row, r.points[at:at+latent.Latent], e, t)
		ddpm.Features(row[latent.Latent:], s.Time(t))
	}
}

// net is the graph of one training step.
type net struct {
	in, noise []float32 // the batch
	loss      [1]float32
	graph     *gorgonia.ExprGraph
}

// newNet builds the graph of lines 9 and 10 of Alg. 2.
func newNet(c Config, params []*optim.Parameter) (*net, error) {
	t := &net{in: make([]float32, c.Batch*inputs), noise: make([]float32, c.Batch*latent.Latent)}
	net, err := ddpm.Net(latent.Latent, c.Hidden)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	b := netgraph.New(params)
	t.graph = b.Graph
	predicted := b.Apply(net, b.Matrix("in", c.Batch, inputs, t.in)).Out()
	loss := b.SquaredError(predicted, b.Matrix("noise", c.Batch, latent.Latent, t.noise))
	b.Keep("loss", loss, t.loss[:])
	if err = b.Err(); err == nil {
		err = optim.Differentiate(loss, params)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return t, nil
}
