//go:build webgpu

package classifier

import (
	"slices"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/run/runtest"
)

func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	c := Default()
	const n = 5
	build := func() compliance.Net {
		task := New(c, nil)
		task.params = netgraph.Parameters(c.Seed, streamInit, classifier.Digits)
		s, err := task.build(n)
		if err != nil {
			t.Fatal(err)
		}
		return compliance.Net{
			Graph: s.Graphs[0].Expr(), Params: task.params,
			Batch: func(step int) {
				r := rng.New(7, uint64(step))
				targets := s.Inputs[inTargets]
				clear(targets)
				for i := range n {
					targets[i*classifier.Classes+(step+i)%classifier.Classes] = 1
				}
				r.FillNorm(s.Inputs[inImages], 0.5)
			},
			Losses: func() []float32 { return slices.Concat(task.loss[:], task.logits) },
		}
	}
	gpu.Train(t, c.Rate, build)
}
