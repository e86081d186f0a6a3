package judge

import (
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
)

// Memory estimates the bytes of memory that the run takes on the CPU at most, those
// that this process holds already included.
func (r *Run) Memory() (int64, error) {
	steps, err := optim.Steps(r.Config.Batch, func(n int) (*gorgonia.ExprGraph, error) {
		t, err := newNet(n, r.params)
		if err != nil {
			return nil, err
		}
		return t.graph, nil
	})
	return optim.Peak(steps, r.params), err
}
