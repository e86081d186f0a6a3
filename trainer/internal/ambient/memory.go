package ambient

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
)

// Memory estimates the bytes of memory that the run takes at most, those that this
// process holds already included. All methods learn at the same time.
func (r *Run) Memory() (int64, error) {
	var total int64
	for m := range methods {
		steps, err := optim.Steps(r.batch(), func(n int) (*gorgonia.ExprGraph, error) {
			t, err := newNet(r.Config, m, r.params[m], n, r.cloud.Dim, true)
			if err != nil {
				return nil, err
			}
			defer t.vm.Close() // it has not run, and holds nothing
			return r.params[m][0].Node.Graph(), nil
		})
		if err != nil {
			return 0, err
		}
		total += steps
	}
	return optim.Peak(total, r.saved()), nil
}

// fits returns an error if the nets for points of dim coordinates are more than the
// memory that there is.
func fits(c Config, dim int) error {
	var all []nn.Spec
	for m := range methods {
		nets, err := m.nets(c, dim)
		if err != nil {
			return err
		}
		specs := netgraph.Specs(nets...)
		all = append(append(all, specs...), specs...) // the nets, and the best so far
	}
	return optim.Fits(all)
}
