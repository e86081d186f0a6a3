//go:build webgpu

package runtest

import (
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/webgpu"
)

// GPU is a GPU that tests train on.
type GPU struct{ device *webgpu.Device }

// OpenGPU opens the first GPU there is, until the test ends.
func OpenGPU(t *testing.T) GPU {
	t.Helper()
	d, err := webgpu.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return GPU{d}
}

// Train holds a net's training on the GPU, at a rate, to that on the CPU, as
// compliance.Training does.
func (g GPU) Train(t *testing.T, rate float64, build func() compliance.Net) {
	t.Helper()
	compliance.Training(t, rate, build, func(graph *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
		return webgpu.NewTraining(g.device, graph, params, seen)
	})
}
