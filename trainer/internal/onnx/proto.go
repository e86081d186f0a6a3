package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// What follows reads the parts of onnx.proto3 that a net needs. The numbers of fields are
// that file's.

// model is a ModelProto's graph.
type model struct {
	nodes   []node
	tensors map[string]*tensor // initializers
	inputs  []valueInfo
	outputs []valueInfo
}

// node is a NodeProto.
type node struct {
	name, op, domain string
	in, out          []string
	attributes       map[string]attribute
}

// attribute is an AttributeProto.
type attribute struct {
	f    float32
	i    int64
	s    string
	ints []int64
	t    *tensor
}

// tensor is a TensorProto: numbers, or whole numbers.
type tensor struct {
	dims   []int
	floats []float32 // nil where it is of whole numbers
	ints   []int64
}

// valueInfo is a ValueInfoProto of a tensor: 0 stands for a dimension that is left open.
type valueInfo struct {
	name string
	dims []int
}

// field is one field of a message.
type field struct {
	number protowire.Number
	kind   protowire.Type
	bytes  []byte // of kind BytesType
	value  uint64 // of the others
}

// each calls f for every field of a message.
func each(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		one := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			one.value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(b)
			one.value = uint64(v)
		case protowire.Fixed64Type:
			one.value, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			one.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// parse reads a ModelProto.
func parse(b []byte) (*model, error) {
	m := &model{tensors: map[string]*tensor{}}
	graphs := 0
	err := each(b, func(f field) error {
		if f.number != 7 || f.kind != protowire.BytesType {
			return nil
		}
		graphs++
		return m.graph(f.bytes)
	})
	if err != nil {
		return nil, err
	}
	if graphs != 1 {
		return nil, fmt.Errorf("it holds %d graphs; want one", graphs)
	}
	return m, nil
}

// graph reads a GraphProto.
func (m *model) graph(b []byte) error {
	return each(b, func(f field) error {
		if f.kind != protowire.BytesType {
			return nil
		}
		switch f.number {
		case 1:
			n, err := parseNode(f.bytes)
			if err != nil {
				return fmt.Errorf("node %d: %w", len(m.nodes), err)
			}
			m.nodes = append(m.nodes, n)
		case 5:
			name, t, err := parseTensor(f.bytes)
			if err != nil {
				return fmt.Errorf("tensor %q: %w", name, err)
			}
			m.tensors[name] = t
		case 11, 12:
			v, err := parseValueInfo(f.bytes)
			if err != nil {
				return fmt.Errorf("value %q: %w", v.name, err)
			}
			if f.number == 11 {
				m.inputs = append(m.inputs, v)
			} else {
				m.outputs = append(m.outputs, v)
			}
		}
		return nil
	})
}

func parseNode(b []byte) (node, error) {
	n := node{attributes: map[string]attribute{}}
	err := each(b, func(f field) error {
		if f.kind != protowire.BytesType {
			return nil
		}
		switch f.number {
		case 1:
			n.in = append(n.in, string(f.bytes))
		case 2:
			n.out = append(n.out, string(f.bytes))
		case 3:
			n.name = string(f.bytes)
		case 4:
			n.op = string(f.bytes)
		case 5:
			name, a, err := parseAttribute(f.bytes)
			if err != nil {
				return fmt.Errorf("attribute %q: %w", name, err)
			}
			n.attributes[name] = a
		case 7:
			n.domain = string(f.bytes)
		}
		return nil
	})
	return n, err
}

func parseAttribute(b []byte) (name string, a attribute, err error) {
	err = each(b, func(f field) error {
		switch f.number {
		case 1:
			name = string(f.bytes)
		case 2:
			a.f = math.Float32frombits(uint32(f.value))
		case 3:
			a.i = int64(f.value)
		case 4:
			a.s = string(f.bytes)
		case 5:
			if f.kind != protowire.BytesType {
				return nil
			}
			_, t, err := parseTensor(f.bytes)
			a.t = t
			return err
		case 8:
			return wholes(f, &a.ints)
		}
		return nil
	})
	return name, a, err
}

// wholes adds the numbers of a field of whole numbers, packed or not.
func wholes(f field, to *[]int64) error {
	if f.kind != protowire.BytesType {
		*to = append(*to, int64(f.value))
		return nil
	}
	for b := f.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		*to = append(*to, int64(v))
		b = b[n:]
	}
	return nil
}

// Types of a TensorProto.
const (
	typeFloat = 1
	typeInt32 = 6
	typeInt64 = 7
)

// maxNumbers bounds the numbers of a tensor, and those of all values and of the weights of
// convolutions together, zeros included.
const maxNumbers = 1 << 27

func parseTensor(b []byte) (name string, t *tensor, err error) {
	t = new(tensor)
	var dims, ints []int64
	var floats []float32
	var raw []byte
	kind, external := uint64(0), false
	err = each(b, func(f field) error {
		switch f.number {
		case 1:
			return wholes(f, &dims)
		case 2:
			kind = f.value
		case 4:
			if f.kind == protowire.Fixed32Type {
				floats = append(floats, math.Float32frombits(uint32(f.value)))
				return nil
			}
			if len(f.bytes)%4 != 0 {
				return errors.New("its numbers are cut short")
			}
			floats = append(floats, littleFloats(f.bytes)...)
		case 5, 7:
			return wholes(f, &ints)
		case 8:
			name = string(f.bytes)
		case 9:
			raw = f.bytes
		case 13:
			external = true
		case 14:
			external = external || f.value != 0
		}
		return nil
	})
	if err != nil {
		return name, nil, err
	}
	if external {
		return name, nil, errors.New("its numbers are in another file: save the net in one")
	}
	size := 1
	for _, d := range dims {
		if d < 0 || d > maxNumbers || int(d)*size > maxNumbers {
			return name, nil, fmt.Errorf("its dimensions are %v; want at most %d numbers", dims, maxNumbers)
		}
		size *= int(d)
		t.dims = append(t.dims, int(d))
	}
	have := 0
	switch kind {
	case typeFloat:
		if raw != nil {
			if len(raw)%4 != 0 {
				return name, nil, errors.New("its numbers are cut short")
			}
			floats = littleFloats(raw)
		}
		if t.floats = floats; floats == nil {
			t.floats = []float32{}
		}
		have = len(floats)
		for i, v := range floats {
			if v-v != 0 {
				return name, nil, fmt.Errorf("number %d is %v", i, v)
			}
		}
	case typeInt32, typeInt64:
		if wide := 4 + 4*int(kind-typeInt32); raw != nil {
			if len(raw)%wide != 0 {
				return name, nil, errors.New("its numbers are cut short")
			}
			for ; len(raw) > 0; raw = raw[wide:] {
				if wide == 4 {
					ints = append(ints, int64(int32(binary.LittleEndian.Uint32(raw))))
				} else {
					ints = append(ints, int64(binary.LittleEndian.Uint64(raw)))
				}
			}
		}
		t.ints, have = ints, len(ints)
	default:
		return name, nil, fmt.Errorf("its numbers are of type %d of ONNX; want 32-bit floats (1)", kind)
	}
	if have != size {
		return name, nil, fmt.Errorf("it has %d numbers, and dimensions %v", have, dims)
	}
	return name, t, nil
}

func littleFloats(b []byte) []float32 {
	all := make([]float32, len(b)/4)
	for i := range all {
		all[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return all
}

// parseValueInfo reads the name, and the dimensions by way of TypeProto, its tensor type
// and TensorShapeProto.
func parseValueInfo(b []byte) (v valueInfo, err error) {
	into := func(number protowire.Number, next func([]byte) error) func([]byte) error {
		return func(b []byte) error {
			return each(b, func(f field) error {
				if f.number == number && f.kind == protowire.BytesType {
					return next(f.bytes)
				}
				return nil
			})
		}
	}
	dimension := func(b []byte) error {
		d := 0
		err := each(b, func(f field) error {
			if f.number == 1 && f.kind == protowire.VarintType {
				if f.value > maxNumbers {
					return fmt.Errorf("a dimension is %d", f.value)
				}
				d = int(f.value)
			}
			return nil
		})
		v.dims = append(v.dims, d)
		return err
	}
	dims := into(1, into(2, into(1, dimension)))
	err = each(b, func(f field) error {
		switch {
		case f.number == 1:
			v.name = string(f.bytes)
		case f.number == 2 && f.kind == protowire.BytesType:
			return dims(f.bytes)
		}
		return nil
	})
	return v, err
}
