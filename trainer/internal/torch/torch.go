// Package torch reads weights as PyTorch's modules have them, and lays them out as this
// project does. docs/interop.md has the names and the layouts.
package torch

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/axes"
)

// Read returns a file with the tensors of the nets, as nn has them and in 32 bits, of one
// that has them as PyTorch does:
//
//	linear         weight [out, in], bias [out]             of nn.Linear
//	conv           weight [out, in, side, side], bias [out] of nn.Conv2d
//	convtranspose  weight [in, out, side, side], bias [out] of nn.ConvTranspose2d
//	batchnorm      weight, bias, running_mean, running_var  of nn.BatchNorm2d
//
// each called by its layer's name, a dot and those names. Where a linear layer takes an
// image or makes one, the image is flattened with the channels first, as nn.Flatten does
// it. Numbers may be of 64, 32 or 16 bits. What else the file holds is an error, so that
// nothing is left out unnoticed, but for the counters num_batches_tracked. The metadata is
// that of f. Read trusts nothing in f, and returns an error that says which tensor is wrong.
func Read(f *safetensors.File, nets ...*nn.Net) (*safetensors.File, error) {
	out := &safetensors.File{Meta: f.Meta}
	used := map[string]bool{}
	for _, n := range nets {
		for _, s := range n.Steps() {
			for _, t := range tensorsOf(s) {
				used[t.name] = true
				data, err := numbers(f, t)
				if err != nil {
					return nil, err
				}
				if err := out.AddFloat32(t.name, t.lay(data), t.shape...); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, t := range f.Tensors {
		if !used[t.Name] && !strings.HasSuffix(t.Name, ".num_batches_tracked") {
			return nil, fmt.Errorf("the tensor %q is of no layer of the nets; they have %s", t.Name, some(used))
		}
	}
	return out, nil
}

// tensor is a tensor of a layer.
type tensor struct {
	name  string
	torch []int // its shape in PyTorch
	as    string
	shape []int // and here
	axes  []int // the same as torch, with images unfolded; nil: torch
	order []int // of those, here; nil: as they are
}

// lay returns the numbers in their order here.
func (t *tensor) lay(data []float32) []float32 {
	if t.order == nil {
		return data
	}
	dims := t.axes
	if dims == nil {
		dims = t.torch
	}
	return axes.Turned(data, dims, t.order...)
}

// tensorsOf lists the tensors of a layer.
func tensorsOf(s nn.Step) []tensor {
	vector := func(name string, n int) tensor {
		return tensor{name: name, torch: []int{n}, as: "a number for each channel", shape: []int{n}}
	}
	switch l := s.Layer.(type) {
	case nn.Linear:
		in, out := s.In, s.Out
		bias := vector(l.Name+".bias", out.Size())
		bias.axes, bias.order = []int{out.C, out.H, out.W}, []int{1, 2, 0}
		return []tensor{{
			name: l.Name + ".weight", torch: []int{out.Size(), in.Size()}, as: "out × in of nn.Linear", shape: []int{out.Size(), in.Size()},
			axes: []int{out.C, out.H, out.W, in.C, in.H, in.W}, order: []int{1, 2, 0, 4, 5, 3},
		}, bias}
	case nn.Conv:
		return []tensor{{
			name: l.Name + ".weight", torch: []int{l.Out, s.In.C, l.Side, l.Side}, as: "out × in × side × side of nn.Conv2d",
			shape: []int{l.Out, l.Side, l.Side, s.In.C}, order: []int{0, 2, 3, 1},
		}, vector(l.Name+".bias", l.Out)}
	case nn.ConvTranspose:
		return []tensor{{
			name: l.Name + ".weight", torch: []int{s.In.C, l.To.C, l.Side, l.Side}, as: "in × out × side × side of nn.ConvTranspose2d",
			shape: []int{l.To.C, l.Side, l.Side, s.In.C}, order: []int{1, 2, 3, 0},
		}, vector(l.Name+".bias", l.To.C)}
	case nn.BatchNorm:
		var all []tensor
		for _, suffix := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			all = append(all, vector(l.Name+suffix, s.In.C))
		}
		return all
	}
	return nil
}

// numbers returns the numbers of a tensor in 32 bits.
func numbers(f *safetensors.File, want tensor) ([]float32, error) {
	t, ok := f.Lookup(want.name)
	if !ok {
		have := map[string]bool{}
		for _, t := range f.Tensors {
			have[t.Name] = true
		}
		return nil, fmt.Errorf("there is no tensor %q, %v: %s; the file has %s", want.name, want.torch, want.as, some(have))
	}
	if !slices.Equal(t.Shape, want.torch) {
		return nil, fmt.Errorf("tensor %q has the shape %v; want %v: %s", t.Name, t.Shape, want.torch, want.as)
	}
	var width int
	var read func([]byte) float64
	switch t.DType {
	case "F64":
		width, read = 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
	case safetensors.F32:
		width, read = 4, func(b []byte) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))) }
	case "BF16":
		width, read = 2, func(b []byte) float64 {
			return float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16))
		}
	case "F16":
		width, read = 2, func(b []byte) float64 { return half(binary.LittleEndian.Uint16(b)) }
	default:
		return nil, fmt.Errorf("tensor %q is of type %s; want numbers of 32 bits, as .float() makes them", t.Name, t.DType)
	}
	size := width
	for _, d := range t.Shape {
		size *= d
	}
	if len(t.Data) != size {
		return nil, fmt.Errorf("tensor %q, %v of %s, has %d bytes; want %d", t.Name, t.Shape, t.DType, len(t.Data), size)
	}
	data := make([]float32, len(t.Data)/width)
	for i := range data {
		data[i] = float32(read(t.Data[i*width:]))
		if data[i]-data[i] != 0 {
			return nil, fmt.Errorf("tensor %q: number %d is %v", t.Name, i, data[i])
		}
	}
	return data, nil
}

// half returns a number of 16 bits, of which 5 are the exponent.
func half(b uint16) float64 {
	sign, exponent, fraction := 1.0, int(b>>10&31), float64(b&1023)
	if b>>15 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		return sign * math.Inf(1) // or none: neither is a number
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// some lists the first of some names.
func some(names map[string]bool) string {
	const most = 8
	var all []string
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return "none"
	}
	if n := len(all) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), n)
	}
	return strings.Join(all, ", ")
}
