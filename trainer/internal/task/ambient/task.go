package ambient

import (
	"context"
	"fmt"
	"math"
	"slices"

	"mppm/shared/ddpm"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
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

// best begins the names of the parameters of the best epoch.
const best = "best."

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

// Task is MPPM and its baselines in training. One in five points is held out for early
// stopping.
type Task struct {
	state
	cloud    *pointcloud.Cloud // as it was given
	frame    frame
	train    []float32 // in the model's coordinates
	places   *places   // of those
	held     []float32
	schedule *ddpm.Schedule
	params   [methods][]*optim.Parameter
	kept     [methods][]*optim.Parameter // those of the best epoch
	terms    [methods][]float32          // of the losses of the last step
	judges   [methods]*judge             // of the points held out; while the run trains
	look     inputs                      // the points held out
	only     []Method                    // that are trained; nil: all
	from     *safetensors.File           // that the nets begin with; nil: they are drawn
}

// state is the metadata of a checkpoint.
type state struct {
	Config    Config            `json:"config"`
	Step      int               `json:"step"`
	Sums      [methods]float64  `json:"sums"` // of the losses since the last record
	History   []Record          `json:"history"`
	Best      [methods]Best     `json:"best"`
	Checksums map[string]string `json:"checksums"`
}

// frame leads from the points' own coordinates to the model's.
type frame struct {
	center []float64
	scale  float32
}

// New returns the task of training with c on the points of a cloud, or, for a run that is
// resumed, with whatever its checkpoint says.
func New(c Config, cloud *pointcloud.Cloud) *Task {
	return &Task{state: state{Config: c}, cloud: cloud}
}

// Only has the run train some of the methods alone. The others stay as they begin.
func (t *Task) Only(m ...Method) { t.only = m }

// trains returns the methods that are trained.
func (t *Task) trains() []Method {
	if t.only != nil {
		return t.only
	}
	return []Method{model, dae, diffusion}
}

// has reports whether a method is trained.
func (t *Task) has(m Method) bool { return t.only == nil || slices.Contains(t.only, m) }

// Adopt takes over what another task of the same configuration and points has learnt of
// a method. Both have been planned.
func (t *Task) Adopt(from *Task, m Method) {
	t.Best[m] = from.Best[m]
	for i, p := range from.params[m] {
		copy(t.params[m][i].Data, p.Data)
		copy(t.kept[m][i].Data, from.kept[m][i].Data)
	}
}

// CheckpointKind is the kind of the checkpoints.
const CheckpointKind = "mppm-points-checkpoint"

// Kind returns CheckpointKind.
func (t *Task) Kind() string { return CheckpointKind }

// State returns the metadata of a checkpoint.
func (t *Task) State() (any, *int) { return &t.state, &t.Step }

// maxDim is how many coordinates the points of a weights file can have.
const maxDim = 4096

// Plan returns an error if there are fewer than two points, or others than those of the
// checkpoint.
func (t *Task) Plan(string) (*run.Plan, error) {
	have := map[string]string{"points": t.cloud.MD5()}
	if err := optim.CheckData(t.Checksums, have); err != nil {
		return nil, err
	}
	t.Checksums = have
	c := t.Config
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if t.cloud.Len() < 2 {
		return nil, fmt.Errorf("there are %d points; give at least 2", t.cloud.Len())
	}
	if t.cloud.Dim > maxDim {
		return nil, fmt.Errorf("the points have %d coordinates; give at most %d", t.cloud.Dim, maxDim)
	}
	var err error
	if t.schedule, err = c.schedule(); err != nil {
		return nil, err
	}
	if err := t.draw(); err != nil {
		return nil, err
	}
	t.split()
	var all []*optim.Parameter
	for m := range methods {
		all = append(append(all, t.params[m]...), t.kept[m]...)
	}
	return &run.Plan{
		Things: t.trained(), Batch: t.batch(), Seed: c.Seed, Rate: c.Rate, Unit: "steps", Params: all,
		Parts: []run.Part{{Epochs: c.Epochs, Order: streamOrder, Build: t.build, Begin: t.begin}},
	}, nil
}

// draw draws the parameters. It returns an error if they are more than the memory that
// there is.
func (t *Task) draw() error {
	var nets [methods][]*nn.Net
	var specs []nn.Spec
	for m := range methods {
		var err error
		if nets[m], err = netsOf(m, t.Config, t.cloud.Dim); err != nil {
			return err
		}
		own := netgraph.Specs(nets[m]...)
		specs = append(append(specs, own...), own...) // the nets, and the best so far
	}
	if err := optim.Fits(specs); err != nil {
		return err
	}
	for m := range methods {
		t.params[m] = netgraph.Parameters(t.Config.Seed, streamInit+uint64(m)*perMethod, nets[m]...)
		for _, p := range t.params[m] {
			p.Decay = float32(t.Config.Decay)
		}
		t.kept[m] = nil
		for _, p := range t.params[m] {
			n := len(p.Data)
			kept := &optim.Parameter{Spec: p.Spec, Data: make([]float32, n), Grad: make([]float32, n), M: make([]float32, n), V: make([]float32, n)}
			kept.Name = best + p.Name
			t.kept[m] = append(t.kept[m], kept)
		}
	}
	if t.from != nil {
		if err := t.begun(); err != nil {
			return err
		}
	}
	for m := range methods { // until there is a best epoch
		for i, p := range t.params[m] {
			copy(t.kept[m][i].Data, p.Data)
		}
	}
	return nil
}

// split holds out one point in five, by chance, and brings all into the model's
// coordinates. Points that are about as large as the unit circle stay as they
// are.
func (t *Task) split() {
	c := t.cloud
	train := Trained(c.Len())
	t.frame = measure(c)
	for i, at := range rng.New(t.Config.Seed, streamSplit).Perm(c.Len()) {
		for k, v := range c.Point(at) {
			x := float32((v - t.frame.center[k]) / float64(t.frame.scale))
			if i < c.Len()-train {
				t.held = append(t.held, x)
			} else {
				t.train = append(t.train, x)
			}
		}
	}
	t.places = newPlaces(t.train, c.Dim)
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

func (t *Task) trained() int { return len(t.train) / t.cloud.Dim }

// batch is the number of points in a step.
func (t *Task) batch() int { return min(t.Config.Batch, t.trained()) }

// begin has the points held out at hand.
func (t *Task) begin(_ context.Context, s *run.Step) (run.Fill, error) {
	t.holdOut()
	for _, m := range t.trains() {
		j, err := t.judge(m)
		if err != nil {
			return nil, err
		}
		t.judges[m] = j
	}
	s.Close = func() {
		for _, m := range t.trains() {
			t.judges[m].vm.Close() // which is of the CPU, and holds nothing
		}
	}
	return t.fill, nil
}

// EndEpoch, every few epochs, puts the losses on record, keeps the parameters of
// methods that were never better, and stops those whose patience is at an end.
func (t *Task) EndEpoch() (string, error) {
	perEpoch := t.trained() / t.batch()
	epoch := t.Step / perEpoch
	if epoch%heldEvery != 0 && epoch < t.Config.Epochs {
		return "", nil
	}
	rec := Record{Epoch: epoch}
	since := epoch // epochs
	if n := len(t.History); n > 0 {
		since -= t.History[n-1].Epoch
	}
	for _, m := range t.trains() {
		rec.Train[m] = t.Sums[m] / float64(since*perEpoch)
		best := &t.Best[m]
		if best.Stopped {
			rec.Held[m] = best.Loss
			continue
		}
		terms, err := t.judges[m].run()
		if err != nil {
			return "", fmt.Errorf("%v, epoch %d: %w", m, epoch, err)
		}
		rec.Held[m] = t.Config.loss(terms)
		if m == model {
			for i, v := range terms {
				rec.Terms[i] = float64(v)
			}
		}
		if best.Epoch == 0 || rec.Held[m] < best.Loss {
			best.Epoch, best.Loss = epoch, rec.Held[m]
			for i, p := range t.params[m] {
				copy(t.kept[m][i].Data, p.Data)
			}
		}
		// Table 10 has early stopping for MPPM; Alg. 2 has none.
		best.Stopped = m != diffusion && epoch-best.Epoch >= t.Config.Patience
	}
	t.History, t.Sums = append(t.History, rec), [methods]float64{}
	return fmt.Sprintf("epoch %d/%d held out: MPPM %.4f, DAE %.4f, DDPM %.3f", epoch, t.Config.Epochs, rec.Held[model], rec.Held[dae], rec.Held[diffusion]), nil
}

// fill makes the batch of a step.
func (t *Task) fill(batch [][]float32, which []int, step int) error {
	for i, k := range which {
		at := k * t.cloud.Dim
		t.row(batch, i, t.train[at:at+t.cloud.Dim], k, rng.New(t.Config.Seed, streamNoise+uint64(step*len(which)+i)))
	}
	return nil
}

// holdOut makes a batch of the points held out, each with several draws of noise that
// stay the same, so that epochs can be compared.
func (t *Task) holdOut() {
	dim := t.cloud.Dim
	points := len(t.held) / dim
	const rows = 500
	n := (rows + points - 1) / points * points
	if points > 4*rows {
		points, n = 4*rows, 4*rows
	}
	t.look = newInputs(n, t.Config.Draws, dim)
	for i := range n {
		at := i % points * dim
		t.row(t.look, i, t.held[at:at+dim], 0, rng.New(t.Config.Seed, streamHeld+uint64(i)))
	}
}

// row makes row i of a batch, as far as what is trained reads it: the clean point x, the
// same with Gaussian noise of a width drawn for it, unless it is fixed, and diffused as
// lines 6 to 8 of Alg. 2 say, as often as there are draws. near is the number of a
// training point that is not far from x.
func (t *Task) row(b inputs, i int, x []float32, near int, src *rng.Source) {
	dim, draws := len(x), t.Config.Draws
	copy(b[inClean][i*dim:], x)
	sigma := t.Config.Noise
	if !t.Config.FixedNoise {
		sigma *= src.Float64()
	}
	if noisy := b[inNoisy][i*dim : (i+1)*dim]; t.has(model) || t.has(dae) {
		src.FillNorm(noisy, float32(sigma))
		for k, v := range x {
			noisy[k] += v
		}
	} else {
		src.SkipNorm(dim)
	}
	if t.has(model) {
		star := x
		if t.Config.Target == Nearest {
			at := t.places.nearest(b[inNoisy][i*dim:(i+1)*dim], near) * dim
			star = t.train[at : at+dim]
		}
		copy(b[inStar][i*dim:], star)
	}
	if !t.has(diffusion) {
		return
	}
	const extra = ddpm.TimeFeatures
	for j := i * draws; j < (i+1)*draws; j++ {
		time := src.IntN(t.schedule.Len())
		e := b[inNoise][j*dim : (j+1)*dim]
		src.FillNorm(e, 1)
		row := b[inDiffused][j*(dim+extra) : (j+1)*(dim+extra)]
		t.schedule.Diffuse(row, x, e, time)
		ddpm.Features(row[dim:], t.schedule.Time(time))
	}
}

// TermNames returns what the terms of Eq. 16 say.
func TermNames() [Terms]string {
	return [Terms]string{"λ1: D = ‖x − x*‖", "λ2: G(F(x)) = x", "λ3: D = 0 on points", "λ4: D ≥ 0", "λ5: x_shift = x*"}
}

// Curves returns a curve of each term of the loss, and of the baselines' losses.
func (t *Task) Curves() (axes curves.Axes, lines []curves.Line) {
	if len(t.History) == 0 { // it is kept every few epochs
		return axes, nil
	}
	line := func(name string, value func(Record) float64) curves.Line {
		l := curves.Line{Name: name}
		for _, rec := range t.History {
			l.X = append(l.X, float64(rec.Epoch))
			l.Y = append(l.Y, value(rec))
		}
		return l
	}
	for i, name := range TermNames() {
		lines = append(lines, line(name, func(rec Record) float64 { return rec.Terms[i] }))
	}
	lines = append(lines,
		line("DAE", func(rec Record) float64 { return rec.Held[dae] }),
		line("DDPM", func(rec Record) float64 { return rec.Held[diffusion] }))
	return curves.Axes{Title: "Terms of the loss (Eq. 16), on the points held out", X: "epoch", Y: "squared error", LogY: true}, lines
}
