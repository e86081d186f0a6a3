package train

import "mppm/trainer/internal/dataset"

// split returns what a run with c sees of a set.
func (c Config) split(set *dataset.Set) (*dataset.Set, error) {
	if c.Holdout == 0 || set == nil {
		return set, nil
	}
	return set.HoldOut(c.Holdout)
}

// Data returns what the run sees of the set that it was given: all of it, or, if
// it leaves out training digits, the others to train on and those in place of
// the test digits.
func (r *Run) Data() *dataset.Set { return r.set }
