// Package device chooses what trains: the CPU, or a GPU where the build has
// package webgpu in it.
package device

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/optim"
)

// Choice says what is to train: Auto, CPU, GPU, or the name of a GPU or a part of
// it.
type Choice string

// The choices that are no names.
const (
	Auto Choice = "auto" // a GPU if there is one that is no software
	CPU  Choice = "cpu"
	GPU  Choice = "gpu" // the fastest, a software one if there is no other
)

// Start makes a machine that trains a graph's parameters, as optim.NewTape has it,
// and says on what. It returns an error if a GPU is asked for and cannot be had,
// or cannot run the graph.
func (c Choice) Start(g *gorgonia.ExprGraph, params []*optim.Parameter, seen func(step int) error) (m optim.Machine, on string, err error) {
	if c != CPU && c != "" {
		m, on, err = c.gpu(g, params, seen)
		if err != nil {
			return nil, "", fmt.Errorf("--device %s: %w", c, err)
		}
	}
	if m == nil {
		m, on = optim.NewTape(g, params, seen), "the CPU"
	}
	return m, on, nil
}

// OnCPU reports whether the CPU is what trains.
func (c Choice) OnCPU() bool { return c == CPU || c == "" || c == Auto && !worthwhile() }
