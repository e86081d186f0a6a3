package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/axes"
)

// The versions that files are written in: of the format, and of its operators. All that
// runs ONNX has known both for years.
const (
	irVersion = 8
	opset     = 17
)

// The names of the dimensions that files leave open: how many images, codes or points
// there are, and of the noise of diffusion, how many steps. They are declared as −1 and −2.
const (
	batch = "N"
	times = "T"
)

// builder makes the graph of a file, or one that a Loop runs. Fields have the numbers of
// onnx.proto3. The names of values are unique in all graphs of a file.
type builder struct {
	nodes, tensors, inputs, outputs []byte

	eight   bool              // weights of eight bits are written so
	weights map[string]string // the values that tensors of the weights file are, by their names
	values  *int              // how many were named
	outer   *builder          // of the graph that this one is in; nil where it is in none
}

func newBuilder(eight bool) *builder {
	return &builder{eight: eight, weights: map[string]string{}, values: new(int)}
}

// inner returns the builder of a graph within this one, which knows its values.
func (b *builder) inner() *builder {
	return &builder{eight: b.eight, weights: b.weights, values: b.values, outer: b}
}

func message(to []byte, number protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), b)
}

func whole(to []byte, number protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, number, protowire.VarintType), uint64(v))
}

func text(to []byte, number protowire.Number, s string) []byte { return message(to, number, []byte(s)) }

// Types of an AttributeProto.
const (
	attributeFloat = 1
	attributeInt   = 2
	attributeGraph = 5
	attributeInts  = 7
)

// settings are the attributes of a node, by name: an int, []int, float32 or a *builder.
type settings map[string]any

// node adds a node with one output and returns its name.
func (b *builder) node(op string, a settings, in ...string) string {
	return b.several(op, a, 1, in...)[0]
}

// several adds a node with so many outputs and returns their names.
func (b *builder) several(op string, a settings, n int, in ...string) []string {
	var m []byte
	for _, name := range in {
		m = text(m, 1, name)
	}
	var out []string
	for range n {
		*b.values++
		name := fmt.Sprintf("%s_%d", op, *b.values)
		out = append(out, name)
		m = text(m, 2, name)
	}
	m = text(m, 4, op)
	for _, name := range sortedKeys(a) {
		p := text(nil, 1, name)
		switch v := a[name].(type) {
		case float32:
			p = protowire.AppendTag(p, 2, protowire.Fixed32Type)
			p = whole(protowire.AppendFixed32(p, math.Float32bits(v)), 20, attributeFloat)
		case int:
			p = whole(whole(p, 3, v), 20, attributeInt)
		case []int:
			for _, i := range v {
				p = whole(p, 8, i)
			}
			p = whole(p, 20, attributeInts)
		case *builder:
			p = whole(message(p, 6, v.graph("body")), 20, attributeGraph)
		}
		m = message(m, 5, p)
	}
	b.nodes = message(b.nodes, 1, m)
	return out
}

// tensor adds numbers of a type of TensorProto, little-endian, and returns their name.
// Without dimensions it is one number.
func (b *builder) tensor(name string, kind int, raw []byte, dims ...int) string {
	var t []byte
	for _, d := range dims {
		t = whole(t, 1, d)
	}
	b.tensors = message(b.tensors, 5, message(text(whole(t, 2, kind), 8, name), 9, raw))
	return name
}

// floats adds a tensor of these numbers.
func (b *builder) floats(name string, data []float32, dims ...int) string {
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return b.tensor(name, typeFloat, raw, dims...)
}

// float adds one number, as a constant without a name of its own.
func (b *builder) float(v float32) string {
	*b.values++
	return b.floats(fmt.Sprintf("constant_%d", *b.values), []float32{v})
}

// wholes64 adds a vector of whole numbers, as shapes and axes are.
func (b *builder) wholes64(data ...int) string {
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	*b.values++
	return b.tensor(fmt.Sprintf("constant_%d", *b.values), typeInt64, raw, len(data))
}

// whole adds one whole number.
func (b *builder) whole(name string, v int) string {
	return b.tensor(name, typeInt64, binary.LittleEndian.AppendUint64(nil, uint64(v)))
}

// Further types of a TensorProto.
const (
	typeInt8 = 3
	typeBool = 9
)

// declared describes an input or an output of the graph.
func declared(name string, kind int, dims ...int) []byte {
	shape := []byte{}
	for _, d := range dims {
		switch d {
		case -1:
			shape = message(shape, 1, text(nil, 2, batch))
		case -2:
			shape = message(shape, 1, text(nil, 2, times))
		default:
			shape = message(shape, 1, whole(nil, 1, d))
		}
	}
	return message(text(nil, 1, name), 2, message(nil, 1, message(whole(nil, 1, kind), 2, shape)))
}

func (b *builder) input(name string, kind int, dims ...int) string {
	b.inputs = message(b.inputs, 11, declared(name, kind, dims...))
	return name
}

// output gives a value the name that it leaves the graph by.
func (b *builder) output(name, from string, kind int, dims ...int) {
	b.nodes = message(b.nodes, 1, text(text(text(nil, 1, from), 2, name), 4, "Identity"))
	b.outputs = message(b.outputs, 12, declared(name, kind, dims...))
}

// graph returns the GraphProto.
func (b *builder) graph(name string) []byte {
	g := append([]byte(nil), b.nodes...)
	g = append(text(g, 2, name), b.tensors...)
	return append(append(g, b.inputs...), b.outputs...)
}

// file returns the file of the graph.
func (b *builder) file(name, about string) []byte {
	f := text(text(whole(nil, 1, irVersion), 2, "mppm"), 6, about)
	return message(message(f, 7, b.graph(name)), 8, whole(text(nil, 1, ""), 2, opset))
}

// shaped is what goes through a net that is written.
type shaped struct {
	name  string
	shape nn.Shape
	// image is set where it is images with the channels first, as ONNX has them, and not
	// vectors.
	image bool
}

// net adds a net, with its tensors out of a file, at values for its inputs, and returns
// all of its values, by their numbers.
func (b *builder) net(n *nn.Net, f *safetensors.File, in []shaped) ([]shaped, error) {
	all := make([]shaped, n.Values())
	for i, v := range n.Inputs() {
		all[v] = in[i]
	}
	for _, s := range n.Steps() {
		y, err := b.step(s, f, all)
		if err != nil {
			return nil, err
		}
		all[s.Y] = y
	}
	return all, nil
}

// images declares an input of images as nn has them, and turns their channels to the
// front.
func (b *builder) images(name string, s nn.Shape) shaped {
	b.input(name, typeFloat, -1, s.H, s.W, s.C)
	return shaped{b.node("Transpose", settings{"perm": []int{0, 3, 1, 2}}, name), s, true}
}

// vectors declares an input of vectors.
func (b *builder) vectors(name string, n int) shaped {
	return shaped{b.input(name, typeFloat, -1, n), nn.Vector(n), false}
}

// leave gives a value a name to leave by: as images with the channels last, or as
// vectors.
func (b *builder) leave(name string, v shaped) {
	if !v.image {
		b.output(name, v.name, typeFloat, -1, v.shape.Size())
		return
	}
	b.output(name, b.node("Transpose", settings{"perm": []int{0, 2, 3, 1}}, v.name), typeFloat, -1, v.shape.H, v.shape.W, v.shape.C)
}

// asImage returns a value as images.
func (b *builder) asImage(v shaped) shaped {
	if v.image {
		return v
	}
	return shaped{b.node("Reshape", nil, v.name, b.wholes64(-1, v.shape.C, 1, 1)), v.shape, true}
}

// step adds a layer.
func (b *builder) step(s nn.Step, f *safetensors.File, all []shaped) (shaped, error) {
	x := all[s.X]
	image := func(name string) (shaped, error) { return shaped{name, s.Out, true}, nil }
	window := func(w nn.Window) settings {
		return settings{"kernel_shape": []int{w.Side, w.Side}, "strides": []int{w.Stride, w.Stride}, "pads": []int{w.Pad, w.Pad, w.Pad, w.Pad}}
	}
	switch l := s.Layer.(type) {
	case nn.Linear:
		return b.linear(l, s, f, x)
	case nn.Conv:
		weight, err := b.weight(f, l.Name+".weight", layout{
			file: []int{l.Out, l.Side, l.Side, s.In.C}, order: []int{0, 3, 1, 2}, as: []int{l.Out, s.In.C, l.Side, l.Side},
		})
		if err != nil {
			return shaped{}, err
		}
		bias, err := b.vector(f, l.Name+".bias", l.Out, nil)
		if err != nil {
			return shaped{}, err
		}
		return image(b.node("Conv", window(l.Window), b.asImage(x).name, weight, bias))
	case nn.ConvTranspose:
		weight, err := b.weight(f, l.Name+".weight", layout{
			file: []int{l.To.C, l.Side, l.Side, s.In.C}, order: []int{3, 0, 1, 2}, as: []int{s.In.C, l.To.C, l.Side, l.Side}, axis: 1,
		})
		if err != nil {
			return shaped{}, err
		}
		bias, err := b.vector(f, l.Name+".bias", l.To.C, nil)
		if err != nil {
			return shaped{}, err
		}
		a := window(l.Window)
		beyond := func(to, from int) int { return to - ((from-1)*l.Stride + l.Side - 2*l.Pad) }
		a["output_padding"] = []int{beyond(s.Out.H, s.In.H), beyond(s.Out.W, s.In.W)}
		return image(b.node("ConvTranspose", a, b.asImage(x).name, weight, bias))
	case nn.MaxPool:
		return image(b.node("MaxPool", window(l.Window), b.asImage(x).name))
	case nn.AvgPool:
		return image(b.node("AveragePool", window(l.Window), b.asImage(x).name))
	case nn.BatchNorm:
		in := []string{x.name}
		for _, suffix := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			v, err := b.vector(f, l.Name+suffix, s.In.C, nil)
			if err != nil {
				return shaped{}, err
			}
			in = append(in, v)
		}
		return shaped{b.node("BatchNormalization", settings{"epsilon": float32(nn.NormEpsilon)}, in...), s.Out, x.image}, nil
	case nn.Dropout:
		return x, nil
	case nn.Activation:
		name, err := b.activate(l, x.name)
		return shaped{name, s.Out, x.image}, err
	case nn.Concat, nn.Add:
		other := all[s.Other]
		if x.image != other.image {
			x, other = b.asImage(x), b.asImage(other)
		}
		if _, ok := l.(nn.Add); ok {
			return shaped{b.node("Add", nil, x.name, other.name), s.Out, x.image}, nil
		}
		return shaped{b.node("Concat", settings{"axis": 1}, x.name, other.name), s.Out, x.image}, nil
	}
	return shaped{}, fmt.Errorf("ONNX files of nets with a %T are not written", s.Layer)
}

// linear adds a linear layer. Images are flattened with the channels first, and so the
// weight's columns are put in that order; its rows, where images come out.
func (b *builder) linear(l nn.Linear, s nn.Step, f *safetensors.File, x shaped) (shaped, error) {
	in, out := s.In.Size(), s.Out.Size()
	to, from := s.Out, s.In
	weight, err := b.weight(f, l.Name+".weight", layout{
		file: []int{out, in}, dims: []int{to.H, to.W, to.C, from.H, from.W, from.C}, order: []int{2, 0, 1, 5, 3, 4}, as: []int{out, in},
		rows: []int{to.H, to.W, to.C}, rowOrder: []int{2, 0, 1},
	})
	if err != nil {
		return shaped{}, err
	}
	bias, err := b.vector(f, l.Name+".bias", out, func(v []float32) []float32 { return axes.Turned(v, []int{to.H, to.W, to.C}, 2, 0, 1) })
	if err != nil {
		return shaped{}, err
	}
	if x.image {
		x.name = b.node("Flatten", nil, x.name)
	}
	y := b.node("Gemm", settings{"transB": 1}, x.name, weight, bias)
	if s.Out == nn.Vector(out) {
		return shaped{y, s.Out, false}, nil
	}
	return shaped{b.node("Reshape", nil, y, b.wholes64(-1, s.Out.C, s.Out.H, s.Out.W)), s.Out, true}, nil
}

// activate adds an activation.
func (b *builder) activate(a nn.Activation, x string) (string, error) {
	switch a {
	case nn.Identity:
		return x, nil
	case nn.ReLU:
		return b.node("Relu", nil, x), nil
	case nn.LeakyReLU:
		return b.node("LeakyRelu", settings{"alpha": float32(nn.Leak)}, x), nil
	case nn.Sigmoid:
		return b.node("Sigmoid", nil, x), nil
	case nn.SiLU:
		return b.node("Mul", nil, x, b.node("Sigmoid", nil, x)), nil
	}
	return "", fmt.Errorf("ONNX files of nets with the activation %q are not written", string(a))
}

// derivative adds g times the derivative of an activation at x.
func (b *builder) derivative(a nn.Activation, g, x string) (string, error) {
	slope := func(below float32) string {
		return b.node("Mul", nil, g, b.node("Where", nil, b.node("Greater", nil, x, b.float(0)), b.float(1), b.float(below)))
	}
	switch a {
	case nn.Identity:
		return g, nil
	case nn.ReLU:
		return slope(0), nil
	case nn.LeakyReLU:
		return slope(nn.Leak), nil
	case nn.Sigmoid, nn.SiLU:
		s := b.node("Sigmoid", nil, x)
		rest := b.node("Sub", nil, b.float(1), s)
		if a == nn.SiLU { // σ(x)(1 + x(1 − σ(x))); of the sigmoid σ(x)(1 − σ(x))
			rest = b.node("Add", nil, b.float(1), b.node("Mul", nil, x, rest))
		}
		return b.node("Mul", nil, g, b.node("Mul", nil, s, rest)), nil
	}
	return "", fmt.Errorf("ONNX files with the gradient of the activation %q are not written", string(a))
}

// layout is how a weight lies in a file of this project and in one of ONNX.
type layout struct {
	file     []int // its shape there, the output channel first
	dims     []int // the same as axes to be turned; nil: file
	order    []int // of the axes here
	as       []int // its shape here
	axis     int   // of the output channel here
	rows     []int // the output channels as axes to be turned; nil: they stay as they are
	rowOrder []int
}

// weight adds a weight and returns the value that it is: a tensor of 32-bit numbers, or
// what comes of one of eight bits, with a scale for each output channel, where the file
// has it so and the builder is told to.
func (b *builder) weight(f *safetensors.File, name string, l layout) (string, error) {
	if b.outer != nil { // once, and not in every round of a Loop
		return b.outer.weight(f, name, l)
	}
	if v, ok := b.weights[name]; ok {
		return v, nil
	}
	if l.file == nil {
		return "", fmt.Errorf("the tensor %s is not among those written", name)
	}
	if l.dims == nil {
		l.dims = l.file
	}
	data, err := f.Float32(name, l.file...) // which checks all there is to it
	if err != nil {
		return "", err
	}
	t, _ := f.Lookup(name)
	if !b.eight || t.DType != safetensors.I8 {
		b.weights[name] = b.floats(name, axes.Turned(data, l.dims, l.order...), l.as...)
		return b.weights[name], nil
	}
	scale, err := f.Float32(name+".scale", l.file[0])
	if err != nil {
		return "", err
	}
	if l.rows != nil {
		scale = axes.Turned(scale, l.rows, l.rowOrder...)
	}
	b.weights[name] = b.scaled(name, axes.Turned(t.Data, l.dims, l.order...), scale, l.axis, l.as...)
	return b.weights[name], nil
}

// vector adds the n numbers that a tensor of the file is, or those that turn makes of them.
func (b *builder) vector(f *safetensors.File, name string, n int, turn func([]float32) []float32) (string, error) {
	if b.outer != nil {
		return b.outer.vector(f, name, n, turn)
	}
	if v, ok := b.weights[name]; ok {
		return v, nil
	}
	data, err := f.Float32(name, n)
	if err != nil {
		return "", err
	}
	if turn != nil {
		data = turn(data)
	}
	b.weights[name] = b.floats(name, data, n)
	return b.weights[name], nil
}

// scaled adds a tensor of eight bits and what comes of it with a scale for each index of
// an axis.
func (b *builder) scaled(name string, data []byte, scale []float32, axis int, dims ...int) string {
	return b.node("DequantizeLinear", settings{"axis": axis}, b.tensor(name, typeInt8, data, dims...), b.floats(name+".scale", scale, len(scale)))
}
