package train

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/trainer/internal/optim"
)

// Memory estimates the bytes of memory that the run takes on the CPU at most, those
// that this process holds already included.
func (r *Run) Memory() (int64, error) {
	n := r.Config.Batch
	steps := func(build func(Config, []*optim.Parameter) (*net, error)) (int64, error) {
		return optim.Steps(n, func(n int) (*gorgonia.ExprGraph, error) {
			c := r.Config
			c.Batch = n
			t, err := build(c, r.params)
			if err != nil {
				return nil, err
			}
			return t.params[0].Node.Graph(), nil
		})
	}
	most, err := steps(newNet)
	if err == nil && r.Config.Support.Epochs > 0 {
		var distance int64
		distance, err = steps(newDistance)
		most = max(most, distance)
	}
	if err == nil && r.Config.Refine > 0 {
		decoder := r.part("decoder.")
		var refine int64
		refine, err = optim.Steps(n, func(n int) (*gorgonia.ExprGraph, error) {
			z, x, loss := make([]float32, n*latent.Latent), make([]float32, n*latent.Pixels), make([]float32, 1)
			if err := newRefinement(decoder, n, z, x, loss); err != nil {
				return nil, err
			}
			return decoder[0].Node.Graph(), nil
		})
		most = max(most, refine)
	}
	// The codes of all images, and what the code bank is made of them with.
	const each = 4*latent.Latent + 32
	return optim.Peak(most+int64(r.set.Train.N)*each, r.params), err
}
