//go:build webgpu

package embedding

import (
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/webgpu"
)

func TestTraining(t *testing.T) {
	d, err := webgpu.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c := tiny()
	const n = 5
	build := func() compliance.Net {
		task := New(c, nil)
		if err := task.draw(); err != nil {
			t.Fatal(err)
		}
		s, err := task.build(n)
		if err != nil {
			t.Fatal(err)
		}
		return compliance.Net{
			Graph: s.Graphs[0].Expr(), Params: task.params,
			Batch: func(step int) {
				for k, views := range s.Inputs {
					rng.New(7, uint64(2*step+k)).FillNorm(views, 0.5)
				}
			},
			Losses: func() []float32 { return task.loss[:] },
		}
	}
	compliance.Training(t, c.Rate, build, func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
		return webgpu.NewTraining(d, g, params, seen)
	})
}
