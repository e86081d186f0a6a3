//go:build webgpu

package webgpu

import (
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

// TestTrainingSteps: a device that tells of its steps some steps late, as all but
// software devices do, tells of each by its own number, with what it kept.
func TestTrainingSteps(t *testing.T) {
	d, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Adapter.Software = false
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
	var steps []int
	var losses []float32
	vm, err := NewTraining(d, g, params, func(step int) error {
		steps, losses = append(steps, step), append(losses, loss[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	const first, n = 41, lag + 5 // as a run that is resumed
	var want []int
	for step := first; step < first+n; step++ {
		want = append(want, step)
		if err := vm.Step(step, 0.01); err != nil {
			t.Fatal(err)
		}
		if late := step%lag != (first-1)%lag; late && len(steps) > (step-first)/lag*lag {
			t.Fatalf("%d steps are told of at step %d: this device is not late", len(steps), step)
		}
	}
	if err := vm.Sync(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %v are told of, want %v", steps, want)
	}
	if !slices.IsSortedFunc(losses, func(a, b float32) int { return int(b*1e6) - int(a*1e6) }) || losses[0] != 9 {
		t.Errorf("losses %v, want them to fall from 9", losses)
	}
}
