//go:build webgpu

package judge

import (
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/classifier"
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
	const n = 5
	build := func() compliance.Net {
		params := newParameters(c)
		net, err := newNet(n, params)
		if err != nil {
			t.Fatal(err)
		}
		return compliance.Net{
			Graph: params[0].Node.Graph(), Params: params,
			Batch: func(step int) {
				r := rng.New(7, uint64(step))
				clear(net.targets)
				for i := range n {
					net.targets[i*classifier.Classes+(step+i)%classifier.Classes] = 1
				}
				r.FillNorm(net.images, 0.5)
			},
			Losses: func() []float32 { return append(net.loss[:1:1], net.logits...) },
		}
	}
	compliance.Training(t, c.Rate, build, func(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (optim.Machine, error) {
		return webgpu.NewTraining(d, g, params, seen)
	})
}
