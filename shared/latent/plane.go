package latent

import (
	"fmt"

	"mppm/shared/project"
	"mppm/shared/safetensors"
)

// The tensors of the map: the mean of the codes, and the two axes.
const (
	mapMean = "map.mean"
	mapAxes = "map.axes"
)

// loadPlane reads the plane that the codes are shown on. A file with neither of
// its tensors has none.
func loadPlane(f *safetensors.File, dim int) (*project.Plane, error) {
	_, mean := f.Lookup(mapMean)
	_, axes := f.Lookup(mapAxes)
	if !mean && !axes {
		return nil, nil
	}
	m, err := f.Float32(mapMean, dim)
	if err != nil {
		return nil, err
	}
	a, err := f.Float32(mapAxes, 2, dim)
	if err != nil {
		return nil, err
	}
	p, err := project.New(m, a)
	if err != nil {
		return nil, fmt.Errorf("tensors %s and %s: %w", mapMean, mapAxes, err)
	}
	return p, nil
}

// AddPlane adds to a file the plane on which the codes of its bank overlap least
// by class (project.Separate), so that no one who reads it has to look for it:
// map.mean (d) and map.axes (2 × d), both F32. It is that of the codes
// as they are read, in eight bits or not. A bank without labels, or with less
// than three classes, has none, and the file stays as it is.
func AddPlane(f *safetensors.File) error {
	b, err := loadBank(f)
	if err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	if b.Labels == nil {
		return nil
	}
	p, err := project.Separate(b.Codes(), b.Dim(), b.Labels)
	if err != nil {
		return nil // the classes cannot be told apart: no plane is better than another
	}
	if err := f.AddFloat32(mapMean, p.Mean(), b.Dim()); err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	if err := f.AddFloat32(mapAxes, p.Axes(), 2, b.Dim()); err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	return nil
}

// Codes returns the codes of the bank, row by row: n × d.
func (b *Bank) Codes() []float32 {
	d := b.Dim()
	codes := make([]float32, b.Len()*d)
	for i := range b.Len() {
		b.Code(codes[i*d:(i+1)*d], i)
	}
	return codes
}
