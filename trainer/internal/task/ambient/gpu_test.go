//go:build webgpu

package ambient

import (
	"testing"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/run/runtest"
)

// TestTraining: every method trains on a GPU as on the CPU, weight decay included.
func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	for m := range methods {
		t.Run(m.String(), func(t *testing.T) {
			const n = 9
			c := tiny()
			c.Target, c.Activation, c.Decay = Projection, nn.SiLU, 1e-2
			build := func() compliance.Net {
				task := New(c, circle(20))
				if err := task.draw(); err != nil {
					t.Fatal(err)
				}
				in := newInputs(n, c.Draws, task.cloud.Dim)
				g, err := task.graph(m, in, n)
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: g.Expr(), Params: g.Params,
					Batch: func(step int) {
						r := rng.New(7, uint64(step))
						for _, x := range in {
							r.FillNorm(x, 1)
						}
					},
					Losses: func() []float32 { return task.terms[m] },
				}
			}
			gpu.Train(t, c.Rate, build)
		})
	}
}
