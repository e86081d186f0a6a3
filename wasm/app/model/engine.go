// Package model is what the rooms of the page need of the models: an engine that
// codes, flows and decodes, and a classifier that reads what comes out.
package model

import (
	"iter"

	"mppm/shared/flow"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/project"
	"mppm/shared/rng"
)

// Engine is what the rooms need of a latent model; NewEngine makes one.
type Engine interface {
	// Image returns the shape of an image.
	Image() nn.Shape
	// Latent returns how many numbers a code has.
	Latent() int
	// Encode writes the codes of images x (n × Image().Size()) to z (n × Latent()).
	Encode(z, x []float32)
	// Decode writes the images of codes z to x, in [0, 1].
	Decode(x, z []float32)
	// Flow flows the codes z in place and yields the start and every step.
	Flow(z []float32, p latent.Preset) (iter.Seq[flow.Step], error)
	// Noise fills z with the starts of generation.
	Noise(z []float32, src *rng.Source)
	// Distance writes D of the codes z to d; grad may be nil.
	Distance(d, grad, z []float32)
	// Bank returns the codes of clean images, row by row, and their classes.
	Bank() (codes []float32, labels []uint8)
	// Plane returns the plane of the map, nil where the weights name none.
	Plane() *project.Plane
	// Only returns the engine whose bank holds the codes of one class alone.
	Only(class int) (Engine, error)
	// Taught returns the engine whose bank is as somebody taught it. It computes with the
	// same workspaces.
	Taught(t latent.Memory) (Engine, error)
}

// engine is a model with what the rooms ask of its bank.
type engine struct {
	*latent.Runner
	batch int
	only  map[int]Engine // those that were asked for
}

// NewEngine returns a model's engine, which computes at most batch images at a
// time.
func NewEngine(m *latent.Model, batch int) Engine {
	return &engine{Runner: m.Runner(batch), batch: batch, only: map[int]Engine{}}
}

// Bank returns the codes of clean images, n × Latent(), and their classes.
func (e *engine) Bank() (codes []float32, labels []uint8) {
	return e.Model.Bank.Codes(), e.Model.Bank.Labels
}

// Noise fills z with the starts of generation by the model's own flow.
func (e *engine) Noise(z []float32, src *rng.Source) { e.Runner.Noise(z, e.Generate, src) }

// Plane returns the plane that the weights name for the map, nil if none.
func (e *engine) Plane() *project.Plane { return e.Model.Plane }

// Only returns the engine that knows the codes of one class alone. It returns an
// error if the bank has none.
func (e *engine) Only(class int) (Engine, error) {
	if o, ok := e.only[class]; ok {
		return o, nil
	}
	m, err := e.Model.Class(class)
	if err != nil {
		return nil, err
	}
	o := NewEngine(m, e.batch)
	e.only[class] = o
	return o, nil
}

// Taught returns the engine of the model with what was taught, this one where that is
// nothing. It returns an error where latent.Model.Taught does.
func (e *engine) Taught(t latent.Memory) (Engine, error) {
	if t.Empty() {
		return e, nil
	}
	r, err := e.Runner.Taught(t)
	if err != nil {
		return nil, err
	}
	return &engine{Runner: r, batch: e.batch, only: map[int]Engine{}}, nil
}
