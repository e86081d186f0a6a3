package latent

import (
	"mppm/shared/fault"
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
		return nil, fault.New(fault.ErrTensor, "tensors %s and %s: %w", mapMean, mapAxes, err)
	}
	return p, nil
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
