package diffuse

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/trainer/internal/optim"
)

// Memory estimates the bytes of memory that the run takes on the CPU at most, those
// that this process holds already included.
func (r *Run) Memory() (int64, error) {
	steps, err := optim.Steps(r.Config.Batch, func(n int) (*gorgonia.ExprGraph, error) {
		c := r.Config
		c.Batch = n
		t, err := newNet(c, r.params)
		if err != nil {
			return nil, err
		}
		return t.graph, nil
	})
	const each = 4 * latent.Latent // the code of an image
	return optim.Peak(steps+int64(r.set.Train.N)*each, r.params), err
}
