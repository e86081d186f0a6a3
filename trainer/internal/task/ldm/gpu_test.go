//go:build webgpu

package ldm

import (
	"testing"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/run/runtest"
)

func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	c := Default()
	c.Batch, c.Hidden = 9, []int{31, 40}
	build := func() compliance.Net {
		task := New(c, nil, nil)
		task.dim = latent.DigitLatent
		net, err := task.net()
		if err != nil {
			t.Fatal(err)
		}
		task.params = netgraph.Parameters(c.Seed, streamInit, net)
		s, err := task.build(c.Batch)
		if err != nil {
			t.Fatal(err)
		}
		return compliance.Net{
			Graph: s.Graphs[0].Expr(), Params: task.params,
			Batch: func(step int) {
				r := rng.New(7, uint64(step))
				r.FillNorm(s.Inputs[inPoints], 1)
				r.FillNorm(s.Inputs[inNoise], 1)
			},
			Losses: func() []float32 { return task.loss[:] },
		}
	}
	gpu.Train(t, c.Rate, build)
}
