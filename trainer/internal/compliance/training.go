package compliance

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
)

// Net is the graph of a training step.
type Net struct {
	Graph  *gorgonia.ExprGraph
	Params []*optim.Parameter
	Batch  func(step int)   // fills the inputs
	Losses func() []float32 // what the step kept
}

// Start makes a Machine, as optim.NewTape does.
type Start func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error)

// Training takes 20 steps on the tape machine and on the one that start makes,
// from the same parameters and on the same batches, and compares the losses.
//
// Rounding is all that may differ. What it does to a loss depends on the net, so
// it is measured: a second run on the tape machine starts from parameters that
// differ from the first's in their last bits.
func Training(t *testing.T, rate float64, build func() Net, start Start) {
	const steps = 20
	tape := func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
		return optim.NewTape(g, params, seen), nil
	}
	run := func(n Net, start Start) (losses [][]float32) {
		m, err := start(n.Graph, n.Params, func(step int) error {
			if step != len(losses)+1 {
				t.Errorf("step %d is told of as step %d", len(losses)+1, step)
			}
			losses = append(losses, append([]float32(nil), n.Losses()...))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for step := range steps {
			n.Batch(step)
			if err := m.Step(step+1, optim.Cosine(rate, step, steps)); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Sync(); err != nil {
			t.Fatal(err)
		}
		if len(losses) != steps {
			t.Fatalf("%d steps are told of, want %d", len(losses), steps)
		}
		return losses
	}
	nets := [3]Net{build(), build(), build()}
	for _, p := range nets[1].Params {
		for i, v := range p.Data {
			p.Data[i] = math.Nextafter32(v, float32(i%2*2-1)*2)
		}
	}
	want, other, got := run(nets[0], tape), run(nets[1], tape), run(nets[2], start)
	// The second run's rounding is that of its parameters alone; that of every
	// sum may be some times larger.
	const more = 12
	for step := range want {
		for i, w := range want[step] {
			allowed := 3e-6 * (1 + math.Abs(float64(w)))
			for s := range step + 1 {
				allowed = max(allowed, more*math.Abs(float64(other[s][i]-want[s][i])))
			}
			if d := math.Abs(float64(got[step][i] - w)); !(d <= allowed) {
				t.Errorf("step %d: loss %d is %v, and %v on the tape machine; at most %.2g apart", step+1, i+1, got[step][i], w, allowed)
			}
		}
	}
	if first, last := want[0][0], want[steps-1][0]; first == last {
		t.Errorf("nothing is trained: the loss stays %v", first)
	}
	for i, p := range nets[0].Params {
		for k, w := range p.Data {
			if d := math.Abs(float64(nets[2].Params[i].Data[k] - w)); !(d <= float64(steps)*rate) {
				t.Fatalf("%s: number %d is %v, and %v on the tape machine", p.Name, k, nets[2].Params[i].Data[k], w)
			}
		}
	}
}
