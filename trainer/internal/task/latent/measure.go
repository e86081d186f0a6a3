package latent

import (
	"fmt"

	"mppm/trainer/internal/optim"
)

// Step is the graph of one training step, apart from any run, for whoever wants to
// measure it. Each run of the graph reads Clean and Noisy and leaves the gradients
// in Params.
type Step struct {
	Params       []*optim.Parameter // new ones, all in one graph
	Clean, Noisy []float32          // Batch × pixels, numbers in [0, 1], and the same with noise
	Terms        []float32          // of the loss, as Record has them
}

// NewStep returns the step of a run with the settings c.
func NewStep(c Config) (*Step, error) {
	if err := c.Validate(max(c.Batch, c.Centers)); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	t := New(c, nil)
	if err := t.draw(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	s, err := t.build(c.Batch)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return &Step{t.params, s.Inputs[inClean], s.Inputs[inNoisy], t.terms[:]}, nil
}
