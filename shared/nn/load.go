package nn

import (
	"fmt"

	"mppm/shared/fault"
	"mppm/shared/safetensors"
)

// Function is a net with its numbers. It is immutable and safe for concurrent use;
// a Runner computes with it, one for each goroutine.
type Function struct {
	*Net
	ops []op // of the steps; nil where there is nothing to do but join values
}

// Load reads the net's tensors from a file, whatever else it holds. It trusts
// nothing in it, and returns an error that says which tensor is wrong.
func (n *Net) Load(f *safetensors.File) (*Function, error) {
	fn := &Function{n, make([]op, len(n.steps))}
	for i, s := range n.steps {
		l, ok := s.Layer.(unit)
		if !ok {
			continue
		}
		params, buffers := l.tensors(s.In)
		t, err := read(f, append(params, buffers...))
		if err != nil {
			return nil, err
		}
		if fn.ops[i], err = l.bind(s.In, s.Out, t); err != nil {
			return nil, err
		}
	}
	return fn, nil
}

// read returns the numbers of tensors.
func read(f *safetensors.File, specs []Spec) ([][]float32, error) {
	var all [][]float32
	for _, s := range specs {
		data, err := f.Float32(s.Name, s.Shape...)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// Bounds of an MLP read from a file.
const (
	maxLayers = 16
	MaxWidth  = 4096 // of a layer
)

// LoadMLP reads the MLP of that name, from in numbers to out, as wide between them
// as the file has it; an out of 0 takes that from the file too. It trusts nothing in
// the file, and returns an error that says which tensor is wrong.
func LoadMLP(f *safetensors.File, name string, in, out int, act Activation) (*Function, error) {
	var widths []int
	for i := 0; ; i++ {
		weight := fmt.Sprintf("%s.%d.weight", name, i)
		t, ok := f.Lookup(weight)
		if !ok && i == 0 {
			return nil, fault.New(fault.ErrTensor, "tensor %s is missing", weight)
		}
		if !ok {
			break
		}
		if i == maxLayers || len(t.Shape) != 2 || t.Shape[0] < 1 || t.Shape[0] > MaxWidth {
			return nil, fault.New(fault.ErrTensor, "tensor %s has shape %v; want [out, in] with out from 1 to %d, in at most %d layers", weight, t.Shape, MaxWidth, maxLayers)
		}
		widths = append(widths, t.Shape[0])
	}
	last := len(widths) - 1
	if out > 0 && widths[last] != out {
		return nil, fault.New(fault.ErrTensor, "tensor %s.%d.weight has %d rows; the last layer of that net has one for each of %d numbers", name, last, widths[last], out)
	}
	n, err := MLP(name, in, widths[:last], widths[last], act)
	if err != nil {
		return nil, err
	}
	return n.Load(f)
}
