package run

import (
	"fmt"
	"math"
)

// What follows says which setting of a task is out of range.

// Settings checks those that every task has: epochs, the batch and the learning rate of
// a run on so many things, of which what is the name. Without a number of things, the
// batch may be of any size.
func Settings(epochs, batch, things int, what string, rate float64) error {
	switch {
	case epochs < 1:
		return fmt.Errorf("epochs are %d; give at least 1", epochs)
	case batch < 1 && things == 0:
		return fmt.Errorf("the batch is %d; give at least 1", batch)
	case batch < 1 || things > 0 && batch > things:
		return fmt.Errorf("the batch is %d; give 1 to %d, the number of %s", batch, things, what)
	case !(rate > 0) || math.IsInf(rate, 0):
		return fmt.Errorf("the learning rate is %v; it must be more than 0", rate)
	}
	return nil
}

// NotNegative checks a number that may be 0.
func NotNegative(what string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 0) {
		return fmt.Errorf("%s is %v; it must be at least 0", what, v)
	}
	return nil
}

// Lambdas checks the weights of a loss.
func Lambdas(lambda []float32) error {
	for i, l := range lambda {
		if err := NotNegative(fmt.Sprintf("λ%d", i+1), float64(l)); err != nil {
			return err
		}
	}
	return nil
}

// Share checks a number from 0 to 1.
func Share(what string, v float64) error {
	if !(v >= 0 && v <= 1) {
		return fmt.Errorf("%s is %v; give 0 to 1", what, v)
	}
	return nil
}

// Widths checks the hidden layers of a net against what a weights file can have.
func Widths(net string, hidden []int) error {
	const layers, widest = 15, 4096
	if len(hidden) > layers {
		return fmt.Errorf("%s has %d hidden layers; give at most %d", net, len(hidden), layers)
	}
	for _, h := range hidden {
		if h < 1 || h > widest {
			return fmt.Errorf("a hidden layer of %s has width %d; give 1 to %d", net, h, widest)
		}
	}
	return nil
}
