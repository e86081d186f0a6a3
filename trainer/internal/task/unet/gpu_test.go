//go:build webgpu

package unet

import (
	"slices"
	"testing"

	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

// TestTraining: each part, and the baseline, on both machines.
func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	const n = 4
	for name, c := range map[string]struct {
		config Config
		build  func(*Task) (*run.Step, error)
	}{
		"joint":    {tiny(), func(t *Task) (*run.Step, error) { return t.build(n) }},
		"alone":    {tiny(), func(t *Task) (*run.Step, error) { return t.buildAlone(n) }},
		"local":    {tiny(), func(t *Task) (*run.Step, error) { return t.buildLocal(n) }},
		"baseline": {tiny().Baseline(), func(t *Task) (*run.Step, error) { return t.build(n) }},
	} {
		t.Run(name, func(t *testing.T) {
			gpu.Train(t, c.config.Rate, func() compliance.Net {
				task := New(c.config, nil)
				var err error
				if task.nets, err = c.config.nets(); err != nil {
					t.Fatal(err)
				}
				task.params = netgraph.Parameters(c.config.Seed, streamInit, task.all()...)
				s, err := c.build(task)
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: s.Graphs[0].Expr(), Params: s.Graphs[0].Params,
					Batch: func(step int) {
						for k, in := range s.Inputs {
							r := rng.New(7, uint64(step*16+k))
							for i := range in {
								in[i] = r.Float32()
							}
						}
					},
					Losses: func() []float32 {
						switch name {
						case "baseline":
							return task.terms[1:2]
						case "local":
							return task.local[:]
						}
						return slices.Concat(task.terms[:], task.slope[:])
					},
				}
			})
		})
	}
}
