// Package runtest is for tests of training: of runs that are interrupted, and of steps on
// a GPU.
package runtest

import "context"

// Countdown is a context that ends after Left more questions whether it has: a run asks
// once a step.
type Countdown struct {
	context.Context
	Left int
}

// Err counts down.
func (c *Countdown) Err() error {
	if c.Left--; c.Left < 0 {
		return context.Canceled
	}
	return nil
}
