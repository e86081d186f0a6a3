// Package torchtest lays weights out as PyTorch does, for tests without it.
package torchtest

import (
	"fmt"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// File returns the tensors of the nets out of f as PyTorch's modules would have them, and
// the metadata given.
func File(f *safetensors.File, meta map[string]string, nets ...*nn.Net) (*safetensors.File, error) {
	out := &safetensors.File{Meta: meta}
	for _, n := range nets {
		for _, s := range n.Steps() {
			if err := layer(out, f, s); err != nil {
				return nil, fmt.Errorf("torchtest: %w", err)
			}
		}
	}
	return out, nil
}

// layer adds the tensors of a layer, each number looked up by what it is of.
func layer(out, f *safetensors.File, s nn.Step) error {
	switch l := s.Layer.(type) {
	case nn.Linear:
		w, err := f.Float32(l.Name+".weight", s.Out.Size(), s.In.Size())
		if err != nil {
			return err
		}
		b, err := f.Float32(l.Name+".bias", s.Out.Size())
		if err != nil {
			return err
		}
		var weight, bias []float32
		each(s.Out, func(o int) {
			bias = append(bias, b[o])
			each(s.In, func(i int) { weight = append(weight, w[o*s.In.Size()+i]) })
		})
		return add(out, l.Name, weight, bias, s.Out.Size(), s.In.Size())
	case nn.Conv:
		return conv(out, f, l.Name, l.Out, s.In.C, l.Side, false)
	case nn.ConvTranspose:
		return conv(out, f, l.Name, l.To.C, s.In.C, l.Side, true)
	case nn.BatchNorm:
		for _, suffix := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			v, err := f.Float32(l.Name+suffix, s.In.C)
			if err != nil {
				return err
			}
			if err := out.AddFloat32(l.Name+suffix, v, s.In.C); err != nil {
				return err
			}
		}
		out.Tensors = append(out.Tensors, safetensors.Tensor{Name: l.Name + ".num_batches_tracked", DType: "I64", Data: make([]byte, 8)})
	}
	return nil
}

// each calls f with the places of an image's numbers, the channels first.
func each(s nn.Shape, f func(at int)) {
	for c := range s.C {
		for y := range s.H {
			for x := range s.W {
				f((y*s.W+x)*s.C + c)
			}
		}
	}
}

func conv(out, f *safetensors.File, name string, o, i, side int, transposed bool) error {
	w, err := f.Float32(name+".weight", o, side, side, i)
	if err != nil {
		return err
	}
	b, err := f.Float32(name+".bias", o)
	if err != nil {
		return err
	}
	first, second := o, i
	if transposed {
		first, second = i, o
	}
	var weight []float32
	for p := range first {
		for q := range second {
			for tap := range side * side {
				to, from := p, q
				if transposed {
					to, from = q, p
				}
				weight = append(weight, w[(to*side*side+tap)*i+from])
			}
		}
	}
	return add(out, name, weight, b, first, second, side, side)
}

func add(out *safetensors.File, name string, weight, bias []float32, shape ...int) error {
	if err := out.AddFloat32(name+".weight", weight, shape...); err != nil {
		return err
	}
	return out.AddFloat32(name+".bias", bias, len(bias))
}
