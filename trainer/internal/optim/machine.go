package optim

import (
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/machine"
)

// Machine trains: it runs the graph of a training step and takes Adam's step with
// the gradients that the graph keeps.
type Machine interface {
	// Step trains on the batch that lies in the graph's inputs; step counts from
	// 1. What else the graph keeps may come later.
	Step(step int, rate float64) error
	// Sync waits until all steps are done and lie in the parameters.
	Sync() error
	// Close gives back what the machine holds.
	Close() error
}

// tape is a Machine on the CPU.
type tape struct {
	vm     *machine.VM
	err    error // why there is none
	params []*Parameter
	seen   func(step int) error
}

// NewTape returns a Machine on the CPU for a graph that keeps the gradients of
// the parameters (as Differentiate has it). seen, unless it is nil, is called for
// each step, in order and by its number, while what the graph keeps of that step
// lies where it was asked for; its errors come back from Step or Sync. Other
// machines may call it some steps late. A graph with an operation that is none of
// package graph fails at its first step.
func NewTape(g *gorgonia.ExprGraph, params []*Parameter, seen func(step int) error) Machine {
	vm, err := machine.New(g)
	return &tape{vm, err, params, seen}
}

func (t *tape) Step(step int, rate float64) error {
	if t.err != nil {
		return t.err
	}
	if err := t.vm.RunAll(); err != nil {
		return err
	}
	if t.seen != nil {
		if err := t.seen(step); err != nil {
			return err
		}
	}
	Adam(t.params, step, rate)
	return nil
}

func (t *tape) Sync() error { return nil }

func (t *tape) Close() error {
	t.vm = nil
	return nil
}
