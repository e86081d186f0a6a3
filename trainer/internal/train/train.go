package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"mppm/shared/model"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
)

// Config is everything a run's result depends on, but the data.
type Config struct {
	Seed       uint64         `json:"seed"`
	Epochs     int            `json:"epochs"`
	Batch      int            `json:"batch"`
	Rate       float64        `json:"rate"`   // Adam's learning rate at the start
	Lambda     [Terms]float32 `json:"lambda"` // λ₁ … λ₆ of Eq. 20
	Noise      float64        `json:"noise"`  // training noise is Gaussian with σ ~ U(0, Noise)
	Centers    int            `json:"centers"`
	Hidden     []int          `json:"hidden"`     // widths of D's hidden layers
	Activation nn.Activation  `json:"activation"` // of D
}

// Default is the configuration that the shipped weights were trained with; Table
// 8 gives the widths and Table 11 the optimizer, trials gave the rest.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 12, Batch: 128, Rate: 1e-3,
		Lambda: [Terms]float32{0.05, 1, 0.05, 1, 0.05, 0.5},
		Noise:  0.8, Centers: 5000,
		Hidden: []int{100, 50, 20}, Activation: nn.SiLU,
	}
}

// Validate returns an error that says which setting is out of range for a data
// set of n images.
func (c Config) Validate(n int) error {
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("epochs are %d; give at least 1", c.Epochs)
	case c.Batch < 1 || c.Batch > n:
		return fmt.Errorf("the batch is %d; give 1 to %d, the number of images", c.Batch, n)
	case c.Centers < 1 || c.Centers > n:
		return fmt.Errorf("the code bank is to have %d centers; give 1 to %d, the number of images", c.Centers, n)
	case !(c.Rate > 0) || math.IsInf(c.Rate, 0):
		return fmt.Errorf("the learning rate is %v; it must be more than 0", c.Rate)
	case !(c.Noise >= 0) || math.IsInf(c.Noise, 0):
		return fmt.Errorf("the noise is %v; it must be at least 0", c.Noise)
	case !c.Activation.Valid():
		return fmt.Errorf("the activation %q is not known", c.Activation)
	}
	for i, l := range c.Lambda {
		if !(l >= 0) || math.IsInf(float64(l), 0) {
			return fmt.Errorf("λ%d is %v; it must be at least 0", i+1, l)
		}
	}
	for _, h := range c.Hidden {
		if h < 1 || h > 4096 {
			return fmt.Errorf("a hidden layer of D has width %d; give 1 to 4096", h)
		}
	}
	return nil
}

// Record is the loss of one epoch: the mean of each term of Eq. 20, before its
// weight.
type Record struct {
	Terms [Terms]float64 `json:"terms"`
}

// Loss returns Eq. 20: the weighted sum of the terms.
func (r Record) Loss(c Config) float64 {
	var sum float64
	for i, t := range r.Terms {
		sum += float64(c.Lambda[i]) * t
	}
	return sum
}

// Run is a training run in a folder.
type Run struct {
	Config Config
	Dir    string

	set     *dataset.Set
	params  []*parameter
	step    int // steps done
	history []Record
	sums    [Terms]float64 // of the epoch under way
}

const checkpointName = "checkpoint.safetensors"

// ErrInterrupted says that a run was told to stop, has saved its state, and can
// be resumed.
var ErrInterrupted = errors.New("interrupted; --resume goes on from here")

// ErrNoCheckpoint says that a folder holds no run.
var ErrNoCheckpoint = errors.New("no checkpoint there")

// New starts a run in dir, which is made if need be. It returns an error if dir
// holds a run already, so that hours of work are not lost to a typing error.
func New(c Config, set *dataset.Set, dir string) (*Run, error) {
	if err := c.Validate(set.Train.N); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	path := filepath.Join(dir, checkpointName)
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("train: %s holds a run; --resume goes on with it, or choose another folder with --out", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := atomicfile.Writable(path); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &Run{Config: c, Dir: dir, set: set, params: newParameters(c.Seed, c.Hidden)}, nil
}

// Open reads the run in dir. set may be nil if the run is only to be exported
// without its data; it returns ErrNoCheckpoint, wrapped, if there is none, and
// an error if the data is not what the run was trained on.
func Open(dir string, set *dataset.Set) (*Run, error) {
	path := filepath.Join(dir, checkpointName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("train: %s: %w", dir, ErrNoCheckpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	r := &Run{Dir: dir, set: set}
	if err := r.decode(b); err != nil {
		return nil, fmt.Errorf("train: %s: %w", path, err)
	}
	return r, nil
}

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	History   []Record          `json:"history"`
	Sums      [Terms]float64    `json:"sums"`
	Checksums map[string]string `json:"checksums"`
}

const checkpointKind = "lmppm-28x28-checkpoint"

func (r *Run) encode() ([]byte, error) {
	s, err := json.Marshal(state{r.Config, r.step, r.history, r.sums, r.set.Checksums})
	if err != nil {
		return nil, err
	}
	f := &safetensors.File{Meta: map[string]string{"kind": checkpointKind, "state": string(s)}}
	for _, p := range r.params {
		for prefix, data := range map[string][]float32{"": p.data, "adam.m.": p.m, "adam.v.": p.v} {
			if err := f.AddFloat32(prefix+p.Name, data, p.Shape...); err != nil {
				return nil, err
			}
		}
	}
	return f.Encode()
}

func (r *Run) decode(b []byte) error {
	f, err := safetensors.Parse(b)
	if err != nil {
		return err
	}
	if k := f.Meta["kind"]; k != checkpointKind {
		return fmt.Errorf("the kind is %q, not %q: this is not a checkpoint", k, checkpointKind)
	}
	var s state
	if err := json.Unmarshal([]byte(f.Meta["state"]), &s); err != nil {
		return fmt.Errorf("the state: %w", err)
	}
	if r.set != nil {
		for name, sum := range s.Checksums {
			if got := r.set.Checksums[name]; got != sum {
				return fmt.Errorf("the run was trained on other data: %s had MD5 %s, and now has %q; give the same with --data", name, sum, got)
			}
		}
		if err := s.Config.Validate(r.set.Train.N); err != nil {
			return err
		}
	}
	r.Config, r.step, r.history, r.sums = s.Config, s.Step, s.History, s.Sums
	r.params = newParameters(s.Config.Seed, s.Config.Hidden)
	for _, p := range r.params {
		for prefix, dst := range map[string][]float32{"": p.data, "adam.m.": p.m, "adam.v.": p.v} {
			data, err := f.Float32(prefix+p.Name, p.Shape...)
			if err != nil {
				return err
			}
			copy(dst, data)
		}
	}
	return nil
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	b, err := r.encode()
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(r.Dir, checkpointName), b)
	}
	if err != nil {
		return fmt.Errorf("train: saving the checkpoint: %w", err)
	}
	return nil
}

// perEpoch is the number of steps of an epoch. What is left of the data after
// the last whole batch waits for the next epoch's order.
func (r *Run) perEpoch() int { return r.set.Train.N / r.Config.Batch }

// Done reports whether the run has come to its end.
func (r *Run) Done() bool { return r.step >= r.perEpoch()*r.Config.Epochs }

// Steps returns the steps done.
func (r *Run) Steps() int { return r.step }

// Images returns how many images the run has seen, and will have seen.
func (r *Run) Images() (done, total int) {
	return r.step * r.Config.Batch, r.perEpoch() * r.Config.Epochs * r.Config.Batch
}

// Train goes on to the end of the run. It saves the state every epochs epochs
// and when ctx ends, and then returns ErrInterrupted.
func (r *Run) Train(ctx context.Context, epochs int, bar *progress.Bar) error {
	if r.Done() {
		return nil
	}
	t, err := newNet(r.Config, r.params)
	if err != nil {
		return err
	}
	defer t.vm.Close()
	total := r.perEpoch() * r.Config.Epochs
	load := newLoader(r)
	defer load.stop()
	for r.step < total {
		if ctx.Err() != nil {
			if err := r.Save(); err != nil {
				return err
			}
			return ErrInterrupted
		}
		b := load.next()
		copy(t.clean, b.clean)
		copy(t.noisy, b.noisy)
		load.recycle(b)
		if err := t.step(); err != nil {
			return fmt.Errorf("train: step %d: %w", r.step, err)
		}
		for i, v := range t.terms {
			if v-v != 0 {
				return fmt.Errorf("train: term %d of the loss is %v at step %d: the run has diverged; a lower --rate or other weights may hold it. The last checkpoint is kept", i+1, v, r.step)
			}
			r.sums[i] += float64(v)
		}
		adam(r.params, r.step+1, r.Config.rate(r.step, total))
		r.step++
		bar.Add(r.Config.Batch)
		if r.step%r.perEpoch() == 0 {
			if err := r.endEpoch(epochs, bar); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Run) endEpoch(every int, bar *progress.Bar) error {
	var rec Record
	for i := range r.sums {
		rec.Terms[i] = r.sums[i] / float64(r.perEpoch())
	}
	r.history, r.sums = append(r.history, rec), [Terms]float64{}
	epoch := len(r.history)
	bar.Note("epoch %d/%d loss %.3f", epoch, r.Config.Epochs, rec.Loss(r.Config))
	if epoch%every == 0 || r.Done() {
		if err := r.Save(); err != nil {
			return err
		}
		return r.draw()
	}
	return nil
}

// draw writes the loss curves.
func (r *Run) draw() error {
	names := []string{"λ1: D = ‖z − z*‖", "λ2: G(z*) = x", "λ3: D(z*) = 0", "λ4: D ≥ 0", "λ5: z_shift = z*", "λ6: G(z_shift) = x"}
	var lines []plots.Line
	for i := range Terms {
		l := plots.Line{Name: names[i]}
		for e, rec := range r.history {
			l.X = append(l.X, float64(e+1))
			l.Y = append(l.Y, rec.Terms[i])
		}
		lines = append(lines, l)
	}
	return plots.Curves(filepath.Join(r.Dir, "loss.png"), plots.Axes{Title: "Terms of the loss (Eq. 20)", X: "epoch", Y: "mean over the epoch", LogY: true}, lines...)
}

// batch is the data of one step.
type batch struct{ clean, noisy []float32 }

// loader makes the batches of a run's coming steps while others are trained on.
type loader struct {
	ready, free chan *batch
	quit        chan struct{}
}

func newLoader(r *Run) *loader {
	const ahead = 3
	l := &loader{make(chan *batch, ahead), make(chan *batch, ahead), make(chan struct{})}
	n := r.Config.Batch * model.Pixels
	for range ahead {
		l.free <- &batch{make([]float32, n), make([]float32, n)}
	}
	go func(step int) {
		var order []int
		for {
			var b *batch
			select {
			case <-l.quit:
				return
			case b = <-l.free:
			}
			if epoch := step / r.perEpoch(); order == nil || step%r.perEpoch() == 0 {
				order = rng.New(r.Config.Seed, streamOrder+uint64(epoch)).Perm(r.set.Train.N)
			}
			r.fill(b, step, order)
			step++
			l.ready <- b
		}
	}(r.step)
	return l
}

func (l *loader) next() *batch     { return <-l.ready }
func (l *loader) recycle(b *batch) { l.free <- b }
func (l *loader) stop()            { close(l.quit) }

// fill makes the batch of a step: images in the epoch's order, and the same with
// Gaussian noise of a width drawn for each image. The noise is not cut off at
// black and white.
func (r *Run) fill(b *batch, step int, order []int) {
	first := step % r.perEpoch() * r.Config.Batch
	for i := range r.Config.Batch {
		x := b.clean[i*model.Pixels : (i+1)*model.Pixels]
		y := b.noisy[i*model.Pixels : (i+1)*model.Pixels]
		r.set.Train.Float32(x, order[first+i])
		src := rng.New(r.Config.Seed, streamNoise+uint64(step*r.Config.Batch+i))
		src.FillNorm(y, float32(r.Config.Noise*src.Float64()))
		for k, v := range x {
			y[k] += v
		}
	}
}
