package nn

import (
	"fmt"

	"mppm/shared/safetensors"
)

// Fold takes batch norms out of the net: each that follows a linear layer or a
// convolution, transposed or not, becomes a part of that one's weight and bias. f
// holds the net's tensors. It returns the net without them, and a file with the
// tensors of that net, those folded into as F32, and with all else that f holds.
// Batch norms in other places stay. The two nets differ by rounding alone.
func (n *Net) Fold(f *safetensors.File) (*Net, *safetensors.File, error) {
	drop := map[int]bool{}         // layers
	gone := map[string]bool{}      // tensors
	news := map[string][]float32{} // tensors that change
	shapes := map[string][]int{}
	for _, s := range n.steps {
		norm, ok := s.Layer.(BatchNorm)
		if !ok {
			continue
		}
		before, ok := n.maker(s.X)
		if !ok || !n.onlyFor(s.X, s) {
			continue
		}
		params, buffers := norm.tensors(s.In)
		t, err := read(f, append(params, buffers...))
		if err != nil {
			return nil, nil, fmt.Errorf("nn: folding %s: %w", norm.Name, err)
		}
		scale, shift, err := norm.affine(t[0], t[1], t[2], t[3])
		if err != nil {
			return nil, nil, fmt.Errorf("nn: folding %s: %w", norm.Name, err)
		}
		specs, _ := before.Layer.(unit).tensors(before.In)
		t, err = read(f, specs)
		if err != nil {
			return nil, nil, fmt.Errorf("nn: folding %s: %w", norm.Name, err)
		}
		weight, bias := t[0], t[1]
		row := len(weight) / len(bias)
		for o := range bias {
			c := o % len(scale) // the rows of a linear layer to an image are pixels of channels
			for i := o * row; i < (o+1)*row; i++ {
				weight[i] *= scale[c]
			}
			bias[o] = float32(bias[o]*scale[c]) + shift[c]
		}
		for i, spec := range specs {
			news[spec.Name], shapes[spec.Name] = t[i], spec.Shape
			gone[spec.Name+".scale"] = true
		}
		for _, spec := range append(params, buffers...) {
			gone[spec.Name], gone[spec.Name+".scale"] = true, true
		}
		drop[s.index] = true
	}
	var layers []Layer
	for i, l := range n.layers {
		if !drop[i] {
			layers = append(layers, l)
		}
	}
	folded, err := New(n.In(), layers...)
	if err != nil {
		return nil, nil, err
	}
	out := &safetensors.File{Meta: f.Meta}
	for _, t := range f.Tensors {
		if data, ok := news[t.Name]; ok {
			if err := out.AddFloat32(t.Name, data, shapes[t.Name]...); err != nil {
				return nil, nil, fmt.Errorf("nn: folding: %w", err)
			}
		} else if !gone[t.Name] {
			out.Tensors = append(out.Tensors, t)
		}
	}
	return folded, out, nil
}

// maker returns the step that makes a value, if that is a layer with a weight and a
// bias.
func (n *Net) maker(value int) (Step, bool) {
	for _, s := range n.steps {
		if s.Y == value {
			switch s.Layer.(type) {
			case Linear, Conv, ConvTranspose:
				return s, true
			}
		}
	}
	return Step{}, false
}

// onlyFor reports whether nobody but a step reads a value.
func (n *Net) onlyFor(value int, step Step) bool {
	for _, s := range n.steps {
		if s.Y != step.Y && (s.X == value || s.Other == value) {
			return false
		}
	}
	for _, v := range n.names {
		if v == value {
			return false
		}
	}
	return value != n.out
}
