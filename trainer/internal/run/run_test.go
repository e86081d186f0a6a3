package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/trainer/internal/curves"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run/runtest"
)

// toy trains a net of every kind of layer, batch norm and dropout among them, in two
// parts; and beside it, from the same batches, one that stops to learn after two epochs.
type toy struct {
	state
	net, side *nn.Net
	params    []*optim.Parameter
	buffers   []optim.Buffer
	fail      error // of a batch
	failAt    int   // the step
}

type state struct {
	Step   int       `json:"step"`
	Sum    float64   `json:"sum"`
	Losses []float64 `json:"losses"`
}

const (
	things = 11
	each   = 3
)

func newToy(t testing.TB) *toy {
	t.Helper()
	y := &toy{failAt: -1}
	_, _, y.net = nntest.Unplanned(t)
	var err error
	if y.side, err = nn.MLP("side", y.net.In().Size(), []int{3}, 2, nn.SiLU); err != nil {
		t.Fatal(err)
	}
	return y
}

func (y *toy) Kind() string                         { return "toy-checkpoint" }
func (y *toy) State() (any, *int)                   { return &y.state, &y.Step }
func (y *toy) Curves() (curves.Axes, []curves.Line) { return curves.Axes{}, nil }

func (y *toy) EndEpoch() (string, error) {
	y.Losses, y.Sum = append(y.Losses, y.Sum), 0
	return "", nil
}

func (y *toy) Plan(string) (*Plan, error) {
	y.params = netgraph.Parameters(1, 0, y.net, y.side)
	for _, p := range y.params {
		p.Decay = 0.01
	}
	y.buffers = netgraph.Buffers(y.net)
	part := Part{Epochs: 2, Order: 100, Build: y.build, Begin: func(context.Context, *Step) (Fill, error) { return y.fill, nil }}
	return &Plan{Things: things, Batch: each, Seed: 1, Rate: 3e-3, Params: y.params, Buffers: func() []optim.Buffer { return y.buffers }, Parts: []Part{part, {Epochs: 0}, part}}, nil
}

func (y *toy) build(n int) (*Step, error) {
	x, loss := make([]float32, n*y.net.In().Size()), make([]float32, 2)
	nets, side := y.params[:len(y.params)-4], y.params[len(y.params)-4:]
	b := netgraph.New(nets)
	target := make([]float32, n*y.net.Out().Size())
	off := b.SquaredError(b.Apply(y.net, b.Matrix("x", n, y.net.In().Size(), x)).Out(), b.Matrix("target", n, y.net.Out().Size(), target))
	b.Keep("loss", off, loss[:1])
	first, err := NewGraph(b, off, nets, func(step int) error {
		y.Sum += float64(loss[0])
		return Diverged("the loss", float64(loss[0]), step)
	})
	if err != nil {
		return nil, err
	}
	b = netgraph.New(side)
	off = b.SquaredError(b.Apply(y.side, b.Matrix("x", n, y.net.In().Size(), x)).Out(), nil)
	b.Keep("loss", off, loss[1:])
	second, err := NewGraph(b, off, side, func(step int) error {
		y.Sum += float64(loss[1])
		return Diverged("the loss beside it", float64(loss[1]), step)
	})
	if err != nil {
		return nil, err
	}
	second.Idle = func() bool { return len(y.Losses) >= 2 }
	return &Step{Inputs: [][]float32{x, target}, Graphs: []*Graph{first, second}}, nil
}

func (y *toy) fill(batch [][]float32, which []int, step int) error {
	for _, x := range batch {
		for i := range x {
			x[i] = float32(0.5 + 0.4*math.Sin(float64(i%89)*0.2+float64(which[i*each/len(x)])))
		}
	}
	if step == y.failAt {
		return y.fail
	}
	return nil
}

func checkpoint(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestResume: a run that is interrupted at any step ends with the checkpoint of one
// that is not, to the last bit: parameters, moments, running means and variances.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	y := newToy(t)
	whole, err := New(y, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Train(t.Context(), Options{Every: 2}); err != nil {
		t.Fatal(err)
	}
	if done, total := whole.Steps(); done != 12 || total != 12 || len(y.Losses) != 4 || !(y.Losses[3] < y.Losses[0]) {
		t.Errorf("%d steps of %d, the losses are %v", done, total, y.Losses)
	}
	for i, b := range netgraph.Buffers(y.net) {
		if slices.Equal(b.Data, y.buffers[i].Data) {
			t.Errorf("%s is as it was", b.Name)
		}
	}
	other := t.TempDir()
	r, err := New(newToy(t), other)
	if err != nil {
		t.Fatal(err)
	}
	for stop := 1; !r.Done(); stop = stop%3 + 1 {
		if err := r.Train(&runtest.Countdown{Context: t.Context(), Left: stop}, Options{}); err != nil && err != ErrInterrupted {
			t.Fatal(err)
		}
		if r, err = Open(newToy(t), other); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(checkpoint(t, other), checkpoint(t, dir)) {
		t.Error("the checkpoint differs from that of an uninterrupted run")
	}
}

// TestNoBatch: what was trained is saved when a batch cannot be had, but not if that is
// nothing.
func TestNoBatch(t *testing.T) {
	boom := errors.New("boom")
	for at, kept := range map[int]bool{0: false, 4: true, 9: true} {
		dir := t.TempDir()
		y := newToy(t)
		y.fail, y.failAt = boom, at
		r, err := New(y, dir)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Train(t.Context(), Options{Every: 100})
		if !errors.Is(err, boom) || strings.Contains(err.Error(), "--resume") != kept {
			t.Errorf("step %d: %v", at, err)
		}
		r, err = Open(newToy(t), dir)
		if !kept {
			if !errors.Is(err, optim.ErrNoCheckpoint) {
				t.Errorf("step %d: %v", at, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if done, _ := r.Steps(); done != at {
			t.Errorf("the checkpoint is of step %d, the run was at %d", done, at)
		}
	}
}

// TestFails: a loss that is no number ends a run, and names the step; a folder with a
// run is not begun in again; without a folder nothing is kept.
func TestFails(t *testing.T) {
	y := newToy(t)
	r, err := New(y, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Train(&runtest.Countdown{Context: t.Context(), Left: 5}, Options{}); err != ErrInterrupted {
		t.Fatal(err)
	}
	y.params[0].Data[0] = float32(math.NaN())
	if err := r.Train(t.Context(), Options{}); !errors.Is(err, ErrDiverged) || !strings.Contains(fmt.Sprint(err), "the loss is NaN at step 6: ") {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	if r, err = New(newToy(t), dir); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := New(newToy(t), dir); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("%v", err)
	}
	if bytes, err := r.Memory(); err != nil || bytes < 1<<20 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
}
