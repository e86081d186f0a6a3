package ambient

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"mppm/shared/ddpm"
	"mppm/shared/rng"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/progress"
)

// Streams of the seed: what is drawn for one purpose never depends on how much
// was drawn for another, so a run resumes from its step number alone.
const (
	streamInit  = 1 << 40 // + the number of the parameter
	streamOrder = 2 << 40 // + the epoch
	streamNoise = 3 << 40 // + the number of the point since the start of the run
	streamHeld  = 4 << 40 // + the number of the row of the held-out points
	streamSplit = 5 << 40
	streamKept  = 6 << 40
)

// perMethod is how many parameters a method has at most: their streams do not
// depend on those of the others.
const perMethod = 1000

// heldEvery is how many epochs pass from one look at the points held out to the
// next.
const heldEvery = 5

// Record is how a run stands after an epoch.
type Record struct {
	Epoch int              `json:"epoch"`
	Train [methods]float64 `json:"train"` // mean loss since the last record
	Held  [methods]float64 `json:"held"`  // on the points that are held out
	Terms [Terms]float64   `json:"terms"` // of Eq. 16, before their weights, on those points
}

// Best is the epoch at which a method did best on the points held out, from 1; 0
// before the first.
type Best struct {
	Epoch   int     `json:"epoch"`
	Loss    float64 `json:"loss"`
	Stopped bool    `json:"stopped,omitempty"` // its patience is at an end
}

// Run is a training run in a folder. One in five points is held out for early
// stopping.
type Run struct {
	Config Config
	Dir    string

	cloud  *pointcloud.Cloud // as it was given
	frame  frame
	train  []float32 // in the model's coordinates
	held   []float32
	params [methods][]*optim.Parameter
	kept   [methods][]*optim.Parameter // those of the best epoch

	step    int // steps done
	sums    [methods]float64
	history []Record
	best    [methods]Best
}

// frame leads from the points' own coordinates to the model's.
type frame struct {
	center []float64
	scale  float32
}

// ErrInterrupted says that a run was told to stop, has saved its state, and can
// be resumed.
var ErrInterrupted = optim.ErrInterrupted

// New starts a run in dir, which is made if need be; without a dir, the run keeps
// nothing on disk. It returns an error if dir holds a run already, or there are
// fewer than two points.
func New(c Config, cloud *pointcloud.Cloud, dir string) (*Run, error) {
	r, err := newRun(c, cloud, dir)
	if err == nil && dir != "" {
		err = optim.Claim(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return r, nil
}

// maxDim is how many coordinates the points of a weights file can have.
const maxDim = 4096

func newRun(c Config, cloud *pointcloud.Cloud, dir string) (*Run, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if cloud.Len() < 2 {
		return nil, fmt.Errorf("there are %d points; give at least 2", cloud.Len())
	}
	if cloud.Dim > maxDim {
		return nil, fmt.Errorf("the points have %d coordinates; give at most %d", cloud.Dim, maxDim)
	}
	if err := fits(c, cloud.Dim); err != nil {
		return nil, err
	}
	r := &Run{Config: c, Dir: dir, cloud: cloud}
	r.split()
	for m := range methods {
		nets, err := m.nets(c, cloud.Dim)
		if err != nil {
			return nil, err
		}
		r.params[m] = netgraph.Parameters(c.Seed, streamInit+uint64(m)*perMethod, nets...)
		for _, p := range netgraph.Parameters(c.Seed, 0, nets...) {
			p.Name = "best." + p.Name
			r.kept[m] = append(r.kept[m], p)
		}
	}
	return r, nil
}

// split holds out one point in five, by chance, and brings all into the model's
// coordinates. Points that are about as large as the unit circle stay as they
// are.
func (r *Run) split() {
	c := r.cloud
	train := Trained(c.Len())
	r.frame = measure(c)
	for i, at := range rng.New(r.Config.Seed, streamSplit).Perm(c.Len()) {
		for k, v := range c.Point(at) {
			x := float32((v - r.frame.center[k]) / float64(r.frame.scale))
			if i < c.Len()-train {
				r.held = append(r.held, x)
			} else {
				r.train = append(r.train, x)
			}
		}
	}
}

// Trained returns how many of n ≥ 2 points are trained on: all but one in five, or
// one of fewer than five.
func Trained(n int) int {
	const share = 5
	return n - max(n/share, 1)
}

// measure returns the frame of a cloud: that of its mean and of the root mean
// square distance from it, unless the points are as large as they should be.
func measure(c *pointcloud.Cloud) frame {
	f := frame{make([]float64, c.Dim), 1}
	n := float64(c.Len())
	mean := slices.Clone(c.Point(0)) // from there on, so that far from 0 nothing is lost
	for i, v := range c.Points {
		mean[i%c.Dim] += (v - c.Points[i%c.Dim]) / n
	}
	var spread, norm float64
	for i, v := range c.Points {
		e := v - mean[i%c.Dim]
		spread += float64(e*e) / n
		norm += float64(v*v) / n
	}
	size := math.Sqrt(spread)
	if size > 0.4 && norm < 4 {
		return f
	}
	f.center, f.scale = mean, float32(size)
	return f
}

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	Sums      [methods]float64  `json:"sums"`
	History   []Record          `json:"history"`
	Best      [methods]Best     `json:"best"`
	Checksums map[string]string `json:"checksums"`
}

// CheckpointKind is the kind of the checkpoints of this package's runs.
const CheckpointKind = "mppm-points-checkpoint"

// Points returns the seed of the run in dir, and the checksum of the points that
// it was trained on.
func Points(dir string) (seed uint64, md5 string, err error) {
	c, err := optim.Open(dir)
	if err != nil {
		return 0, "", fmt.Errorf("train: %w", err)
	}
	var s state
	if err := c.State(CheckpointKind, &s); err != nil {
		return 0, "", fmt.Errorf("train: %w", err)
	}
	return s.Config.Seed, s.Checksums["points"], nil
}

// Open reads the run in dir on the points of cloud. It returns
// optim.ErrNoCheckpoint, wrapped, if there is none, and an error if the points
// are not those that the run was trained on.
func Open(dir string, cloud *pointcloud.Cloud) (*Run, error) {
	r, err := open(dir, cloud)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return r, nil
}

func open(dir string, cloud *pointcloud.Cloud) (*Run, error) {
	c, err := optim.Open(dir)
	if err != nil {
		return nil, err
	}
	var s state
	if err := c.State(CheckpointKind, &s); err != nil {
		return nil, err
	}
	if err := optim.CheckData(s.Checksums, map[string]string{"points": cloud.MD5()}); err != nil {
		return nil, c.Wrap(err)
	}
	r, err := newRun(s.Config, cloud, dir)
	if err != nil {
		return nil, c.Wrap(err)
	}
	r.step, r.sums, r.history, r.best = s.Step, s.Sums, s.History, s.Best
	return r, c.Parameters(r.saved())
}

// saved is everything of a checkpoint that is not its metadata.
func (r *Run) saved() []*optim.Parameter {
	var all []*optim.Parameter
	for m := range methods {
		all = append(append(all, r.params[m]...), r.kept[m]...)
	}
	return all
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	if r.Dir == "" {
		return nil
	}
	s := state{r.Config, r.step, r.sums, r.history, r.best, map[string]string{"points": r.cloud.MD5()}}
	if err := optim.Save(r.Dir, CheckpointKind, s, r.saved()); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func (r *Run) trained() int { return len(r.train) / r.cloud.Dim }

// batch is the number of points in a step.
func (r *Run) batch() int { return min(r.Config.Batch, r.trained()) }

// perEpoch is the number of steps of an epoch. What is left of the points after
// the last whole batch waits for the next epoch's order.
func (r *Run) perEpoch() int { return r.trained() / r.batch() }

// Done reports whether the run has come to its end.
func (r *Run) Done() bool { return r.step >= r.perEpoch()*r.Config.Epochs }

// Steps returns how many steps the run has done, and will have done at most.
func (r *Run) Steps() (done, total int) { return r.step, r.perEpoch() * r.Config.Epochs }

// Best returns the epoch that each of MPPM, DAE and DDPM is kept of.
func (r *Run) Best() [3]Best { return r.best }

// Train goes on to the end of the run. MPPM and the autoencoder stop to learn
// once they have not got better on the points held out for as many epochs as the
// patience; of every method, the parameters of its best epoch are kept. Train
// saves the state every so many epochs and when ctx ends, and then returns
// ErrInterrupted.
func (r *Run) Train(ctx context.Context, epochs int, bar *progress.Bar) error {
	if r.Done() {
		return nil
	}
	c, dim, n := r.Config, r.cloud.Dim, r.batch()
	schedule, err := c.schedule()
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	held := r.heldBatch(schedule)
	var nets, judges [methods]*net
	var all []*optim.Parameter
	for m := range methods {
		// The graph that is differentiated comes last: the parameters know its nodes.
		if judges[m], err = newNet(c, m, r.params[m], len(held.clean)/dim, dim, false); err != nil {
			return err
		}
		defer judges[m].vm.Close()
		for _, p := range r.params[m] {
			p.Decay = float32(c.Decay)
		}
		if nets[m], err = newNet(c, m, r.params[m], n, dim, true); err != nil {
			return err
		}
		defer nets[m].vm.Close()
		all = append(all, r.params[m]...)
	}
	load := r.loader(schedule)
	defer load.Stop()
	var failed error // of EndEpoch
	loop := optim.Loop{
		Params: all, Rate: c.Rate, Batch: 1, PerEpoch: r.perEpoch(), Epochs: c.Epochs, Every: epochs, Bar: bar,
		Do: func() error {
			if failed != nil {
				return failed
			}
			b := load.Next()
			defer load.Recycle(b)
			for m := range methods {
				if err := r.do(m, nets[m], b); err != nil {
					return err
				}
			}
			return nil
		},
		EndEpoch: func() { failed = r.endEpoch(judges, held, bar) }, Save: r.Save, Draw: r.draw,
	}
	err = loop.Run(ctx, &r.step)
	if err == nil {
		err = failed
	}
	return err
}

// do takes the gradients of one method at a batch, with the weight decay.
func (r *Run) do(m method, t *net, b *batch) error {
	if r.best[m].Stopped {
		for _, p := range r.params[m] {
			clear(p.Grad)
			p.Decay = 0
		}
		return nil
	}
	if err := t.run(b); err != nil {
		return fmt.Errorf("train: %v, step %d: %w", m, r.step+1, err)
	}
	loss := t.loss(r.Config)
	if loss-loss != 0 {
		return fmt.Errorf("train: the loss of %v is %v at step %d: the run has diverged; a lower --rate or other weights may hold it. The last checkpoint is kept", m, loss, r.step+1)
	}
	r.sums[m] += loss
	return nil
}

// endEpoch, every few epochs, puts the losses on record, keeps the parameters of
// methods that were never better, and stops those whose patience is at an end.
func (r *Run) endEpoch(judges [methods]*net, held *batch, bar *progress.Bar) error {
	epoch := r.step / r.perEpoch()
	if epoch%heldEvery != 0 && epoch < r.Config.Epochs {
		return nil
	}
	rec := Record{Epoch: epoch}
	since := epoch // epochs
	if n := len(r.history); n > 0 {
		since -= r.history[n-1].Epoch
	}
	for m := range methods {
		rec.Train[m] = r.sums[m] / float64(since*r.perEpoch())
		best := &r.best[m]
		if best.Stopped {
			rec.Held[m] = best.Loss
			continue
		}
		if err := judges[m].run(held); err != nil {
			return fmt.Errorf("train: %v, epoch %d: %w", m, epoch, err)
		}
		rec.Held[m] = judges[m].loss(r.Config)
		if m == model {
			for i, v := range judges[m].terms {
				rec.Terms[i] = float64(v)
			}
		}
		if best.Epoch == 0 || rec.Held[m] < best.Loss {
			best.Epoch, best.Loss = epoch, rec.Held[m]
			for i, p := range r.params[m] {
				copy(r.kept[m][i].Data, p.Data)
			}
		}
		// Table 10 has early stopping for MPPM; Alg. 2 has none.
		best.Stopped = m != diffusion && epoch-best.Epoch >= r.Config.Patience
	}
	r.history, r.sums = append(r.history, rec), [methods]float64{}
	bar.Note("epoch %d/%d held out: MPPM %.4f, DAE %.4f, DDPM %.3f", epoch, r.Config.Epochs, rec.Held[model], rec.Held[dae], rec.Held[diffusion])
	return nil
}

// loader makes the batches of the coming steps.
func (r *Run) loader(s *ddpm.Schedule) *optim.Loader[*batch] {
	n := r.batch()
	var order []int
	return optim.NewLoader(r.step,
		func() *batch { return newBatch(n, r.Config.Draws, r.cloud.Dim) },
		func(b *batch, step int) {
			if epoch := step / r.perEpoch(); order == nil || step%r.perEpoch() == 0 {
				order = rng.New(r.Config.Seed, streamOrder+uint64(epoch)).Perm(r.trained())
			}
			first := step % r.perEpoch() * n
			for i := range n {
				at := order[first+i] * r.cloud.Dim
				r.fill(b, i, r.train[at:at+r.cloud.Dim], s, rng.New(r.Config.Seed, streamNoise+uint64(step*n+i)))
			}
		})
}

// heldBatch is the points held out, each with several draws of noise that stay
// the same, so that epochs can be compared.
func (r *Run) heldBatch(s *ddpm.Schedule) *batch {
	dim := r.cloud.Dim
	points := len(r.held) / dim
	const rows = 500
	n := (rows + points - 1) / points * points
	if points > 4*rows {
		points, n = 4*rows, 4*rows
	}
	b := newBatch(n, r.Config.Draws, dim)
	for i := range n {
		at := i % points * dim
		r.fill(b, i, r.held[at:at+dim], s, rng.New(r.Config.Seed, streamHeld+uint64(i)))
	}
	return b
}

// fill makes row i of a batch: the clean point x, the same with Gaussian noise of
// a width drawn for it, unless it is fixed, and diffused as lines 6 to 8 of
// Alg. 2 say, as often as there are draws.
func (r *Run) fill(b *batch, i int, x []float32, s *ddpm.Schedule, src *rng.Source) {
	dim, draws := len(x), r.Config.Draws
	copy(b.clean[i*dim:], x)
	sigma := r.Config.Noise
	if !r.Config.FixedNoise {
		sigma *= src.Float64()
	}
	noisy := b.noisy[i*dim : (i+1)*dim]
	src.FillNorm(noisy, float32(sigma))
	for k, v := range x {
		noisy[k] += v
	}
	star := x
	if r.Config.Target == Nearest {
		star = r.nearest(noisy)
	}
	copy(b.star[i*dim:], star)
	const extra = ddpm.TimeFeatures
	for j := i * draws; j < (i+1)*draws; j++ {
		t := src.IntN(s.Len())
		e := b.noise[j*dim : (j+1)*dim]
		src.FillNorm(e, 1)
		row := b.diffused[j*(dim+extra) : (j+1)*(dim+extra)]
		s.Diffuse(row, x, e, t)
		ddpm.Features(row[dim:], s.Time(t))
	}
}

// nearest returns the training point that is nearest to x.
func (r *Run) nearest(x []float32) []float32 {
	dim := len(x)
	best, at := float32(math.Inf(1)), 0
	for i := 0; i < len(r.train); i += dim {
		var d2 float32
		for k, v := range r.train[i : i+dim] {
			e := v - x[k]
			d2 += float32(e * e)
		}
		if d2 < best {
			best, at = d2, i
		}
	}
	return r.train[at : at+dim]
}

// draw writes the loss curves.
func (r *Run) draw() error {
	if r.Dir == "" || len(r.history) == 0 { // it is kept every few epochs
		return nil
	}
	line := func(name string, value func(Record) float64) plots.Line {
		l := plots.Line{Name: name}
		for _, rec := range r.history {
			l.X = append(l.X, float64(rec.Epoch))
			l.Y = append(l.Y, value(rec))
		}
		return l
	}
	var lines []plots.Line
	for i, name := range []string{"λ1: D = ‖x − x*‖", "λ2: G(F(x)) = x", "λ3: D = 0 on points", "λ4: D ≥ 0", "λ5: x_shift = x*"} {
		lines = append(lines, line(name, func(rec Record) float64 { return rec.Terms[i] }))
	}
	lines = append(lines,
		line("DAE", func(rec Record) float64 { return rec.Held[dae] }),
		line("DDPM", func(rec Record) float64 { return rec.Held[diffusion] }))
	return plots.Curves(filepath.Join(r.Dir, "loss.png"), plots.Axes{Title: "Terms of the loss (Eq. 16), on the points held out", X: "epoch", Y: "squared error", LogY: true}, lines...)
}
