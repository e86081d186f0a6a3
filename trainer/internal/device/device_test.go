package device

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// parabola is a graph that trains one number to be 0.
func parabola(t *testing.T) (*gorgonia.ExprGraph, []*optim.Parameter, []float32) {
	t.Helper()
	params := optim.NewParameters(1, 0, []nn.Spec{{Name: "x", Shape: []int{1, 1}}})
	params[0].Data[0] = 3
	g := gorgonia.NewGraph()
	params[0].AddTo(g)
	y, err := graph.SquaredError(params[0].Node, nil)
	if err != nil {
		t.Fatal(err)
	}
	loss := make([]float32, 1)
	if err := graph.Keep("loss", y, loss); err != nil {
		t.Fatal(err)
	}
	if err := optim.Differentiate(y, params); err != nil {
		t.Fatal(err)
	}
	return g, params, loss
}

func TestStart(t *testing.T) {
	for _, c := range []Choice{CPU, Auto, ""} {
		g, params, loss := parabola(t)
		var losses []float32
		m, on, err := c.Start(g, params, func(int) error { losses = append(losses, loss[0]); return nil })
		if err != nil || on == "" {
			t.Fatalf("%q: on %q: %v", c, on, err)
		}
		const steps = 100
		for step := range steps {
			if err := m.Step(step+1, 0.1); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Sync(); err != nil {
			t.Fatal(err)
		}
		if len(losses) != steps || losses[0] != 9 || !(losses[steps-1] < 0.1) {
			t.Errorf("%q: %d losses, from %v to %v; want %d, from 9 to nearly 0", c, len(losses), losses[0], losses[len(losses)-1], steps)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStartFails(t *testing.T) {
	g, params, _ := parabola(t)
	if _, _, err := Choice("no such card").Start(g, params, nil); err == nil || !strings.Contains(err.Error(), "--device no such card") {
		t.Errorf("a GPU that is not there: %v, want an error that names the flag", err)
	}
}
