//go:build webgpu

package latent

import (
	"math"
	"testing"

	"mppm/shared/rng"
	"mppm/trainer/internal/compliance"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

func TestTraining(t *testing.T) {
	gpu := runtest.OpenGPU(t)
	for name, c := range map[string]Config{"LMPPM": Default(), "D alone": Default(), "DAE": DefaultDAE()} {
		t.Run(name, func(t *testing.T) {
			c.Batch = 5
			build := func() compliance.Net {
				task := New(c, nil)
				if err := task.draw(); err != nil {
					t.Fatal(err)
				}
				s, err := task.build(c.Batch)
				if name == "D alone" {
					s, err = task.buildDistance(c.Batch)
				}
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: s.Graphs[0].Expr(), Params: s.Graphs[0].Params,
					Batch: func(step int) {
						r := rng.New(7, uint64(step))
						clean := s.Inputs[inClean] // and inPictures
						for i := range clean {
							clean[i] = max(0, float32(math.Sin(float64(i%97)*0.3+float64(step))))
						}
						p := task.probes
						if p == nil {
							noisy := s.Inputs[inNoisy]
							r.FillNorm(noisy, 0.4)
							for i := range noisy {
								noisy[i] += clean[i]
							}
							return
						}
						for _, x := range [][]float32{s.Inputs[inZ], s.Inputs[inStar], p.points, p.slopes, p.distances} {
							r.FillNorm(x, 1)
						}
					},
					Losses: func() []float32 { return task.terms[:] },
				}
			}
			gpu.Train(t, c.Rate, build)
		})
	}
}

// TestUnplannedGPU: nets that no table has are trained on a GPU too.
func TestUnplannedGPU(t *testing.T) {
	unplannedOn{run.Options{Device: device.GPU}}.flows(t)
}
