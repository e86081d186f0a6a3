//go:build webgpu

package diffuse

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
	c := Default()
	c.Batch, c.Hidden = 9, []int{31, 40}
	build := func() compliance.Net {
		params, err := newParameters(c)
		if err != nil {
			t.Fatal(err)
		}
		n, err := newNet(c, params)
		if err != nil {
			t.Fatal(err)
		}
		return compliance.Net{
			Graph: params[0].Node.Graph(), Params: params,
			Batch: func(step int) {
				r := rng.New(7, uint64(step))
				r.FillNorm(n.in, 1)
				r.FillNorm(n.noise, 1)
			},
			Losses: func() []float32 { return n.loss[:] },
		}
	}
	compliance.Training(t, c.Rate, build, func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
		return webgpu.NewTraining(d, g, params, seen)
	})
}
