// Package run is one training run, whatever it trains: a folder that it claims, epochs
// of steps on either machine, batches that are made ahead, Adam with the cosine
// schedule, checkpoints that it resumes from to the same bits, progress, and the curves
// of the loss. What is trained is a Task.
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"

	"gorgonia.org/gorgonia"

	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/progress"
)

// ErrInterrupted says that a run was told to stop, has saved its state, and can
// be resumed.
var ErrInterrupted = errors.New("interrupted; --resume goes on from here")

// ErrDiverged says that a run's loss is not a number any more.
var ErrDiverged = errors.New("the run has diverged")

// Diverged returns an error that wraps ErrDiverged if v, of which what is the name, is
// no number. step is that of the run, from 1.
func Diverged(what string, v float64, step int) error {
	if v-v == 0 {
		return nil
	}
	return fmt.Errorf("%s is %v at step %d: %w; a lower --rate or other weights may hold it. The last checkpoint is kept", what, v, step, ErrDiverged)
}

// Task is what a run trains: data, nets and losses. A value is of one run.
type Task interface {
	// Kind is the kind of the task's checkpoints.
	Kind() string
	// State points to what a checkpoint says of a run beside its tensors, a struct that
	// JSON writes and reads, and to the number of steps done in it.
	State() (state any, step *int)
	// Plan draws the parameters. It returns an error that says what is wrong with the
	// settings, or that the data is not what the state was trained on. dir is the run's
	// folder, or "".
	Plan(dir string) (*Plan, error)
	// EndEpoch puts on record what the epoch's loss was, and returns a note of it for a
	// person, or "". All steps lie in the parameters.
	EndEpoch() (note string, err error)
	// Curves is what there is to see of the loss: nothing, if there are no lines.
	Curves() (curves.Axes, []curves.Line)
}

// Plan is what a run does.
type Plan struct {
	Things int     // that are trained on: images, codes, points
	Batch  int     // of them in a step
	Seed   uint64  // of the orders
	Rate   float64 // Adam's learning rate at the start of each part
	Unit   string  // what progress counts: "steps", or "images" if it is empty
	Params []*optim.Parameter
	Parts  []Part
	Beside int64 // bytes of memory that the task holds beside a step's
	// Buffers, unless it is nil, returns the tensors that a checkpoint keeps beside
	// parameters at this step, those of batch norm among them. It is read into them.
	Buffers func() []optim.Buffer
}

// Part is a number of epochs with one loss. Adam begins anew with each.
type Part struct {
	Epochs int
	Order  uint64 // stream of the seed that the epoch's order is from, + the epoch of the part
	// Build makes the graphs of a step on n things. It may be called for any n, to
	// estimate memory; the last call is for what is trained.
	Build func(n int) (*Step, error)
	// Begin returns what fills a batch, once the graphs are built.
	Begin func(ctx context.Context, s *Step) (Fill, error)
}

// Fill makes the batch of a step of the run, which counts from 0: of the things whose
// numbers are given, in slices as long as the step's Inputs. It is called some steps
// ahead, in their order, from one goroutine.
type Fill func(batch [][]float32, which []int, step int) error

// Step is one step of a part. All graphs read the same inputs, and have no parameters in
// common.
type Step struct {
	Inputs [][]float32 // of the graphs, that batches are copied to
	Graphs []*Graph
	// Prepare, unless it is nil, fills what cannot be made ahead, before each step, which
	// counts from 0.
	Prepare func(step int) error
	// Close, unless it is nil, is called at the end of the part.
	Close func()
}

// Graph is the graph of one loss.
type Graph struct {
	Params []*optim.Parameter // that it trains
	// Seen is told of each step by its number in the run, from 1, in order, while what
	// the graph keeps of it lies there (optim.NewTape).
	Seen func(step int) error
	// Idle, unless it is nil, reports whether the parameters have stopped to learn. It
	// changes only at the end of an epoch, and only to true.
	Idle func() bool

	b       *netgraph.Builder
	machine optim.Machine
}

// NewGraph differentiates a loss that b has built with respect to params.
func NewGraph(b *netgraph.Builder, loss *gorgonia.Node, params []*optim.Parameter, seen func(step int) error) (*Graph, error) {
	err := b.Err()
	if err == nil {
		err = optim.Differentiate(loss, params)
	}
	if err != nil {
		return nil, err
	}
	return &Graph{Params: params, Seen: seen, b: b}, nil
}

// Expr is the graph itself.
func (g *Graph) Expr() *gorgonia.ExprGraph { return g.b.Graph }

// Run is a training run.
type Run struct {
	dir  string
	task Task
	plan *Plan
	step *int // steps done
}

// New starts a run in dir, which is made if need be; with "" for dir, the run keeps
// nothing on disk. It returns an error if dir holds a run already, so that hours of work
// are not lost to a typing error, or what Task.Plan says.
func New(t Task, dir string) (*Run, error) {
	if dir != "" {
		if err := optim.Claim(dir); err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
	}
	plan, err := t.Plan(dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	_, step := t.State()
	return &Run{dir, t, plan, step}, nil
}

// Open reads the run in dir. It returns optim.ErrNoCheckpoint, wrapped, if there is
// none, and an error if it is of another kind, or the data is not what it was trained on.
func Open(t Task, dir string) (*Run, error) {
	r, err := open(t, dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return r, nil
}

func open(t Task, dir string) (*Run, error) {
	c, err := optim.Open(dir)
	if err != nil {
		return nil, err
	}
	state, step := t.State()
	reflect.ValueOf(state).Elem().SetZero() // what the file leaves out is not what was asked for
	if err := c.State(t.Kind(), state); err != nil {
		return nil, err
	}
	plan, err := t.Plan(dir)
	if err != nil {
		return nil, c.Wrap(err)
	}
	if err := c.Parameters(plan.Params); err != nil {
		return nil, err
	}
	r := &Run{dir, t, plan, step}
	return r, c.Buffers(r.buffers())
}

// Save writes the run's state, whole or not at all.
func (r *Run) Save() error {
	if r.dir == "" {
		return nil
	}
	state, _ := r.task.State()
	return optim.Save(r.dir, r.task.Kind(), state, r.plan.Params, r.buffers()...)
}

func (r *Run) buffers() []optim.Buffer {
	if r.plan.Buffers == nil {
		return nil
	}
	return r.plan.Buffers()
}

// perEpoch is the number of steps of an epoch. What is left of the data after the last
// whole batch waits for the next epoch's order.
func (r *Run) perEpoch() int { return r.plan.Things / r.plan.Batch }

// Steps returns how many steps the run has done, and will have done.
func (r *Run) Steps() (done, total int) {
	for _, p := range r.plan.Parts {
		total += p.Epochs * r.perEpoch()
	}
	return *r.step, total
}

// Done reports whether the run has come to its end.
func (r *Run) Done() bool {
	done, total := r.Steps()
	return done >= total
}

// Memory estimates the bytes of memory that the run takes on the CPU at most, those
// that this process holds already included.
func (r *Run) Memory() (int64, error) {
	var most int64
	for _, p := range r.plan.Parts {
		if p.Epochs == 0 {
			continue
		}
		var total int64
		for i, graphs := 0, 1; i < graphs; i++ {
			bytes, err := optim.Steps(r.plan.Batch, func(n int) (*gorgonia.ExprGraph, error) {
				s, err := p.Build(n)
				if err != nil {
					return nil, err
				}
				graphs = len(s.Graphs)
				return s.Graphs[i].Expr(), nil
			})
			if err != nil {
				return 0, err
			}
			total += bytes
		}
		most = max(most, total)
	}
	return optim.Peak(most + r.plan.Beside), nil
}

// Options are what a run's result does not depend on, but for the rounding of the device.
type Options struct {
	Every    int           // epochs between checkpoints; 0 is 1
	Device   device.Choice // what trains; the CPU if it is empty
	Progress io.Writer     // where a bar is drawn; nil draws none
	Label    string        // of the bar; "training" if it is empty
	// Draw, unless it is nil, draws the curves of the loss to a PNG file in the run's
	// folder, as plots.Curves does.
	Draw func(path string, a curves.Axes, lines ...curves.Line) error
	// After, unless it is nil, is called after each step, and after what is done at the
	// end of an epoch.
	After func()
}

// Train goes on to the end of the run. It saves the state every so many epochs, at the
// end of each part, when there is no next batch, and when ctx ends, and then returns
// ErrInterrupted.
func (r *Run) Train(ctx context.Context, o Options) error {
	o.Every = max(1, o.Every)
	if o.Label == "" {
		o.Label = "training"
	}
	done, total := r.Steps()
	bar := progress.New(o.Progress, o.Label, total*r.counts(), progress.Options{Unit: r.plan.Unit, Start: done * r.counts()})
	defer bar.Finish()
	first := 0
	for _, p := range r.plan.Parts {
		last := first + p.Epochs*r.perEpoch()
		if *r.step < last {
			l := &loop{Run: r, Part: p, Options: o, bar: bar, first: first}
			if err := l.run(ctx); err == ErrInterrupted {
				return err
			} else if err != nil {
				return fmt.Errorf("train: %w", err)
			}
		}
		first = last
	}
	return nil
}

// counts is what a step counts for on the bar.
func (r *Run) counts() int {
	if r.plan.Unit == "steps" {
		return 1
	}
	return r.plan.Batch
}

// draw draws the curves of the loss.
func (l *loop) draw() error {
	if l.dir == "" || l.Draw == nil {
		return nil
	}
	axes, lines := l.task.Curves()
	if len(lines) == 0 {
		return nil
	}
	return l.Draw(filepath.Join(l.dir, "loss.png"), axes, lines...)
}

// Curve is a line through a number of each epoch.
func Curve(name string, values []float64) curves.Line {
	l := curves.Line{Name: name, Y: values}
	for e := range values {
		l.X = append(l.X, float64(e+1))
	}
	return l
}

// order returns the numbers of the things in the batch of a step of the part that began
// at first: the epoch's order is kept in was.
func (r *Run) order(p Part, first, step int, was *[]int) []int {
	n, at := r.plan.Batch, (step-first)%r.perEpoch()
	if at == 0 || *was == nil {
		*was = rng.New(r.plan.Seed, p.Order+uint64((step-first)/r.perEpoch())).Perm(r.plan.Things)
	}
	return (*was)[at*n : (at+1)*n]
}

// Describe adds to the metadata of a weights file what values say, as JSON.
func Describe(f *safetensors.File, values map[string]any) error {
	for key, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("export: %s: %w", key, err)
		}
		f.Meta[key] = string(b)
	}
	return nil
}
