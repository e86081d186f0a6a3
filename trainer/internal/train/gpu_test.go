//go:build webgpu

package train

import (
	"math"
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
	for name, c := range map[string]Config{"LMPPM": Default(), "D alone": Default(), "DAE": DefaultDAE()} {
		t.Run(name, func(t *testing.T) {
			c.Batch = 5
			build := func() compliance.Net {
				params, err := newParameters(c)
				if err != nil {
					t.Fatal(err)
				}
				n, err := newNet(c, params)
				if name == "D alone" {
					n, err = newDistance(c, params)
				}
				if err != nil {
					t.Fatal(err)
				}
				return compliance.Net{
					Graph: n.params[0].Node.Graph(), Params: n.params,
					Batch: func(step int) {
						r := rng.New(7, uint64(step))
						for i := range n.clean {
							n.clean[i] = max(0, float32(math.Sin(float64(i%97)*0.3+float64(step))))
						}
						r.FillNorm(n.noisy, 0.4)
						for i := range n.noisy {
							n.noisy[i] += n.clean[i]
						}
						r.FillNorm(n.z, 1)
						r.FillNorm(n.zStar, 1)
						if p := n.probes; p != nil {
							r.FillNorm(p.points, 1)
							r.FillNorm(p.slopes, 1)
							r.FillNorm(p.distances, 1)
						}
					},
					Losses: func() []float32 { return n.terms[:] },
				}
			}
			compliance.Training(t, c.Rate, build, func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
				return webgpu.NewTraining(d, g, params, seen)
			})
		})
	}
}
