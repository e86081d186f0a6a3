package onnx

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The checks of this file are those of onnx.checker and its strict shape inference, for
// the operators that files are written with: what is declared, what is defined before it
// is used, and what type and shape everything has.

// open stands for the dimensions that are left open where shapes are inferred: prime
// numbers that no other dimension is.
var open = map[string]int{batch: 7919, times: 7907}

// typed is the type and the shape of a value.
type typed struct {
	kind int
	dims []int
}

func (v typed) String() string { return fmt.Sprintf("type %d %v", v.kind, v.dims) }

func (v typed) size() int {
	n := 1
	for _, d := range v.dims {
		n *= d
	}
	return n
}

// scope are the values that a graph knows, with those of the graph that it is in.
type scope struct {
	values map[string]typed
	wholes map[string][]int // what whole numbers are, where that is known
	used   map[string]bool
	outer  *scope
}

func (s *scope) find(name string) (typed, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			s.used[name] = true
			return v, true
		}
	}
	return typed{}, false
}

func (s *scope) constant(name string) []int {
	for ; s != nil; s = s.outer {
		if v, ok := s.wholes[name]; ok {
			return v
		}
	}
	return nil
}

func (s *scope) define(name string, v typed) error {
	if name == "" {
		return fmt.Errorf("a value has no name")
	}
	for at := s; at != nil; at = at.outer {
		if _, ok := at.values[name]; ok {
			return fmt.Errorf("the name %q is taken", name)
		}
	}
	s.values[name] = v
	return nil
}

// fields collects the fields of a message by their numbers.
func fields(b []byte) (map[protowire.Number][]field, error) {
	all := map[protowire.Number][]field{}
	err := each(b, func(f field) error { all[f.number] = append(all[f.number], f); return nil })
	return all, err
}

func first(f []field) field {
	if len(f) == 0 {
		return field{}
	}
	return f[0]
}

// check returns an error if b is no ONNX file that a strict reader would take.
func check(b []byte) error {
	m, err := fields(b)
	if err != nil {
		return err
	}
	if v := first(m[1]).value; v < 3 || v > 10 {
		return fmt.Errorf("the version of the format is %d", v)
	}
	sets, err := fields(first(m[8]).bytes)
	if err != nil || len(m[8]) != 1 || len(first(sets[1]).bytes) != 0 || first(sets[2]).value != opset {
		return fmt.Errorf("%d sets of operators are declared, the first of version %d", len(m[8]), first(sets[2]).value)
	}
	if len(m[7]) != 1 {
		return fmt.Errorf("there are %d graphs", len(m[7]))
	}
	_, err = checkGraph(m[7][0].bytes, nil, nil)
	return err
}

// checkGraph checks a graph, and returns its outputs as they are declared. Of one in a
// node, given are the values that it is given.
func checkGraph(b []byte, outer *scope, given []typed) ([]typed, error) {
	g, err := fields(b)
	if err != nil {
		return nil, err
	}
	if len(first(g[2]).bytes) == 0 {
		return nil, fmt.Errorf("the graph has no name")
	}
	s := &scope{values: map[string]typed{}, wholes: map[string][]int{}, used: map[string]bool{}, outer: outer}
	for i, f := range g[11] {
		name, v, err := declaredValue(f.bytes)
		if err == nil {
			err = s.define(name, v)
		}
		if err == nil && outer != nil && (i >= len(given) || given[i].kind != v.kind || !slices.Equal(given[i].dims, v.dims)) {
			err = fmt.Errorf("it is declared as %v, and given %v", v, given)
		}
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
	}
	if outer != nil && len(given) != len(g[11]) {
		return nil, fmt.Errorf("the graph takes %d values and is given %d", len(g[11]), len(given))
	}
	for _, f := range g[5] {
		if err := s.initializer(f.bytes); err != nil {
			return nil, err
		}
	}
	for i, f := range g[1] {
		if err := s.node(f.bytes); err != nil {
			return nil, fmt.Errorf("node %d: %w", i, err)
		}
	}
	var out []typed
	for _, f := range g[12] {
		name, v, err := declaredValue(f.bytes)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
		got, ok := s.values[name] // of this graph itself
		if !ok || got.kind != v.kind || !slices.Equal(got.dims, v.dims) {
			return nil, fmt.Errorf("output %q is declared as %v and is %v", name, v, got)
		}
		s.used[name] = true
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the graph has no output")
	}
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if !s.used[name] && !slices.ContainsFunc(g[11], func(f field) bool { n, _, _ := declaredValue(f.bytes); return n == name }) {
			return nil, fmt.Errorf("nothing uses %q", name)
		}
	}
	return out, nil
}

// declaredValue reads a ValueInfoProto.
func declaredValue(b []byte) (name string, v typed, err error) {
	at := b
	for _, number := range []protowire.Number{2, 1} { // its type, of a tensor
		f, err := fields(at)
		if err != nil {
			return "", v, err
		}
		if name == "" {
			name = string(first(f[1]).bytes)
		}
		at = first(f[number]).bytes
	}
	t, err := fields(at)
	if err != nil {
		return name, v, err
	}
	v.kind = int(first(t[1]).value)
	shape, err := fields(first(t[2]).bytes)
	if err != nil {
		return name, v, err
	}
	v.dims = []int{}
	for _, f := range shape[1] {
		d, err := fields(f.bytes)
		if err != nil {
			return name, v, err
		}
		switch {
		case open[string(first(d[2]).bytes)] > 0:
			v.dims = append(v.dims, open[string(first(d[2]).bytes)])
		case len(d[1]) == 1:
			v.dims = append(v.dims, int(d[1][0].value))
		default:
			return name, v, fmt.Errorf("a dimension is neither a number nor one that is open")
		}
	}
	return name, v, nil
}

// widths are the bytes of a number of each type of TensorProto.
var widths = map[int]int{typeFloat: 4, typeInt8: 1, typeInt64: 8, typeInt32: 4, typeBool: 1}

func (s *scope) initializer(b []byte) error {
	t, err := fields(b)
	if err != nil {
		return err
	}
	name, v := string(first(t[8]).bytes), typed{kind: int(first(t[2]).value), dims: []int{}}
	for _, f := range t[1] {
		v.dims = append(v.dims, int(f.value))
	}
	raw := first(t[9]).bytes
	if w := widths[v.kind]; w == 0 || len(raw) != w*v.size() {
		return fmt.Errorf("initializer %q, %v, has %d bytes", name, v, len(raw))
	}
	if v.kind == typeInt64 {
		_, read, err := parseTensor(b)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", name, err)
		}
		s.wholes[name] = []int{}
		for _, n := range read.ints {
			s.wholes[name] = append(s.wholes[name], int(n))
		}
	}
	return s.define(name, v)
}

// node checks a node, and defines what it makes.
func (s *scope) node(b []byte) error {
	n, err := parseNode(b)
	if err != nil {
		return err
	}
	op, ok := specified[n.op]
	if !ok || n.domain != "" {
		return fmt.Errorf("the checks of this file know no operator %q of %q", n.op, n.domain)
	}
	for name := range n.attributes {
		if !slices.Contains(strings.Fields(op.attributes), name) {
			return fmt.Errorf("%s has no attribute %s", n.op, name)
		}
	}
	var in []typed
	for _, name := range n.in {
		v, ok := s.find(name)
		if !ok && name != "" {
			return fmt.Errorf("%s takes %q, which nothing before it makes", n.op, name)
		}
		in = append(in, v)
	}
	if len(in) < op.least || len(in) > op.most {
		return fmt.Errorf("%s takes %d values", n.op, len(in))
	}
	if n.op == "Loop" {
		return s.loop(b, n, in)
	}
	v, err := op.infer(s, n, in)
	if err != nil {
		return fmt.Errorf("%s of %v: %w", n.op, in, err)
	}
	if len(n.out) != 1 {
		return fmt.Errorf("%s makes %d values", n.op, len(n.out))
	}
	return s.define(n.out[0], v)
}

// loop checks a Loop of a number of rounds, whose body is given the round, whether it is
// to go on, and what goes from round to round.
func (s *scope) loop(b []byte, n node, in []typed) error {
	f, err := fields(b)
	if err != nil {
		return err
	}
	a, err := fields(first(f[5]).bytes)
	if err != nil {
		return err
	}
	if in[0].kind != typeInt64 || in[0].size() != 1 {
		return fmt.Errorf("the rounds of a Loop are %v", in[0])
	}
	given := append([]typed{{typeInt64, []int{}}, {typeBool, []int{}}}, in[2:]...)
	out, err := checkGraph(first(a[6]).bytes, s, given)
	if err != nil {
		return fmt.Errorf("the body of a Loop: %w", err)
	}
	if len(out) != len(in)-1 || len(n.out) != len(in)-2 {
		return fmt.Errorf("a Loop with %d values makes %d, and its body %d", len(in)-2, len(n.out), len(out))
	}
	for i, v := range out {
		if want := given[i+1]; v.kind != want.kind || !slices.Equal(v.dims, want.dims) {
			return fmt.Errorf("the body of a Loop is given %v and makes %v of it", want, v)
		}
		if i > 0 {
			if err := s.define(n.out[i-1], v); err != nil {
				return err
			}
			s.used[n.out[i-1]] = true // for it cannot be left out
		}
	}
	return nil
}

// operator is what is known of one.
type operator struct {
	least, most int // inputs
	attributes  string
	infer       func(s *scope, n node, in []typed) (typed, error)
}

var specified = map[string]operator{
	"Identity": {1, 1, "", func(_ *scope, _ node, in []typed) (typed, error) { return in[0], nil }},
	"Relu":     {1, 1, "", same}, "Sigmoid": {1, 1, "", same}, "Sqrt": {1, 1, "", same},
	"LeakyRelu": {1, 1, "alpha", same}, "Softmax": {1, 1, "axis", same},
	"Add": {2, 2, "", wide(0)}, "Sub": {2, 2, "", wide(0)}, "Mul": {2, 2, "", wide(0)}, "Div": {2, 2, "", wide(0)},
	"Max": {1, 99, "", wide(0)}, "Min": {1, 99, "", wide(0)},
	"Greater": {2, 2, "", wide(typeBool)}, "Less": {2, 2, "", wide(typeBool)}, "LessOrEqual": {2, 2, "", wide(typeBool)}, "Or": {2, 2, "", wide(typeBool)},
	"Where": {3, 3, "", func(_ *scope, _ node, in []typed) (typed, error) {
		if in[0].kind != typeBool {
			return typed{}, fmt.Errorf("the condition is %v", in[0])
		}
		dims, err := broadcast(in)
		return typed{in[1].kind, dims}, err
	}},
	"Transpose": {1, 1, "perm", func(_ *scope, n node, in []typed) (typed, error) {
		v := typed{kind: in[0].kind}
		seen := map[int64]bool{}
		for _, p := range n.attributes["perm"].ints {
			if p < 0 || int(p) >= len(in[0].dims) || seen[p] {
				return v, fmt.Errorf("the axes are %v", n.attributes["perm"].ints)
			}
			seen[p] = true
			v.dims = append(v.dims, in[0].dims[p])
		}
		return v, equalRank(v, in[0])
	}},
	"Flatten": {1, 1, "axis", func(_ *scope, _ node, in []typed) (typed, error) {
		return typed{typeFloat, []int{in[0].dims[0], in[0].size() / in[0].dims[0]}}, nil
	}},
	"Reshape": {2, 2, "", func(s *scope, n node, in []typed) (typed, error) {
		v, rest := typed{kind: in[0].kind}, in[0].size()
		open := -1
		for i, d := range s.constant(n.in[1]) {
			if v.dims = append(v.dims, d); d < 0 {
				open = i
				continue
			}
			if d == 0 || rest%d != 0 {
				return v, fmt.Errorf("%d numbers are not %v", in[0].size(), s.constant(n.in[1]))
			}
			rest /= d
		}
		if open >= 0 {
			v.dims[open] = rest
		}
		if v.size() != in[0].size() {
			return v, fmt.Errorf("%d numbers become %v", in[0].size(), v)
		}
		return v, nil
	}},
	"Squeeze": {1, 2, "", func(s *scope, n node, in []typed) (typed, error) {
		v := typed{in[0].kind, slices.Clone(in[0].dims)}
		for _, axis := range s.constant(n.in[1]) {
			if axis >= len(v.dims) || v.dims[axis] != 1 {
				return v, fmt.Errorf("axis %d is not 1", axis)
			}
			v.dims = slices.Delete(v.dims, axis, axis+1)
		}
		return v, nil
	}},
	"Gather": {2, 2, "axis", func(s *scope, n node, in []typed) (typed, error) {
		if from, at := s.constant(n.in[0]), s.constant(n.in[1]); from != nil && at != nil {
			for _, i := range at {
				s.wholes[n.out[0]] = append(s.wholes[n.out[0]], from[i])
			}
		}
		if in[1].kind != typeInt64 || n.attributes["axis"].i != 0 {
			return typed{}, fmt.Errorf("the numbers of what is taken are %v", in[1])
		}
		return typed{in[0].kind, slices.Concat(in[1].dims, in[0].dims[1:])}, nil
	}},
	"Shape": {1, 1, "", func(s *scope, n node, in []typed) (typed, error) {
		s.wholes[n.out[0]] = in[0].dims
		return typed{typeInt64, []int{len(in[0].dims)}}, nil
	}},
	"Expand": {2, 2, "", func(s *scope, n node, in []typed) (typed, error) {
		dims, err := broadcast([]typed{in[0], {typeFloat, s.constant(n.in[1])}})
		return typed{in[0].kind, dims}, err
	}},
	"ReduceSum": {1, 2, "keepdims", func(s *scope, n node, in []typed) (typed, error) {
		return reduce(in[0], s.constant(n.in[1]), n.attributes["keepdims"].i)
	}},
	"ReduceMean": {1, 1, "axes keepdims", func(_ *scope, n node, in []typed) (typed, error) {
		var axes []int
		for _, a := range n.attributes["axes"].ints {
			axes = append(axes, int(a))
		}
		return reduce(in[0], axes, n.attributes["keepdims"].i)
	}},
	"Concat": {1, 99, "axis", func(s *scope, n node, in []typed) (typed, error) {
		for _, name := range n.in {
			if in[0].kind == typeInt64 {
				s.wholes[n.out[0]] = append(s.wholes[n.out[0]], s.constant(name)...)
			}
		}
		axis, v := int(n.attributes["axis"].i), typed{in[0].kind, slices.Clone(in[0].dims)}
		v.dims[axis] = 0
		for _, x := range in {
			rest := slices.Clone(x.dims)
			rest[axis] = v.dims[axis]
			if x.kind != v.kind || !slices.Equal(rest, v.dims) {
				return v, fmt.Errorf("they differ in another dimension than %d", axis)
			}
			v.dims[axis] += x.dims[axis]
		}
		return v, nil
	}},
	"Gemm": {3, 3, "transB", func(_ *scope, n node, in []typed) (typed, error) {
		w := slices.Clone(in[1].dims)
		if n.attributes["transB"].i == 1 {
			slices.Reverse(w)
		}
		if len(in[0].dims) != 2 || len(w) != 2 || in[0].dims[1] != w[0] || !slices.Equal(in[2].dims, w[1:]) {
			return typed{}, fmt.Errorf("they do not multiply")
		}
		return typed{typeFloat, []int{in[0].dims[0], w[1]}}, floats(in)
	}},
	"MatMul": {2, 2, "", func(_ *scope, _ node, in []typed) (typed, error) {
		a, b := in[0].dims, in[1].dims
		i, k := len(a)-2, len(b)-2
		if i < 0 || k < 0 || a[i+1] != b[k] {
			return typed{}, fmt.Errorf("they do not multiply")
		}
		dims, err := broadcast([]typed{{typeFloat, a[:i]}, {typeFloat, b[:k]}})
		return typed{typeFloat, append(dims, a[i], b[k+1])}, cmp.Or(err, floats(in))
	}},
	"Conv": {3, 3, "kernel_shape strides pads", func(_ *scope, n node, in []typed) (typed, error) {
		x, w := in[0].dims, in[1].dims
		if len(x) != 4 || len(w) != 4 || x[1] != w[1] || !slices.Equal(in[2].dims, w[:1]) {
			return typed{}, fmt.Errorf("the weight does not fit")
		}
		v, err := windowed(n, in[0], w[2:])
		if err == nil {
			v.dims[1], err = w[0], floats(in)
		}
		return v, err
	}},
	"ConvTranspose": {3, 3, "kernel_shape strides pads output_padding", func(_ *scope, n node, in []typed) (typed, error) {
		x, w := in[0].dims, in[1].dims
		if len(x) != 4 || len(w) != 4 || x[1] != w[0] || !slices.Equal(in[2].dims, w[1:2]) {
			return typed{}, fmt.Errorf("the weight does not fit")
		}
		a := func(name string, i int) int { return int(n.attributes[name].ints[i]) }
		v := typed{typeFloat, []int{x[0], w[1], 0, 0}}
		for i := range 2 {
			if a("kernel_shape", i) != w[2+i] || a("output_padding", i) < 0 || a("output_padding", i) >= a("strides", i) {
				return v, fmt.Errorf("the window is %d, beyond the edge are %d", a("kernel_shape", i), a("output_padding", i))
			}
			v.dims[2+i] = (x[2+i]-1)*a("strides", i) + w[2+i] + a("output_padding", i) - a("pads", i) - a("pads", i+2)
		}
		return v, floats(in)
	}},
	"MaxPool":     {1, 1, "kernel_shape strides pads", func(_ *scope, n node, in []typed) (typed, error) { return windowed(n, in[0], nil) }},
	"AveragePool": {1, 1, "kernel_shape strides pads count_include_pad", func(_ *scope, n node, in []typed) (typed, error) { return windowed(n, in[0], nil) }},
	"BatchNormalization": {5, 5, "epsilon", func(_ *scope, _ node, in []typed) (typed, error) {
		for _, p := range in[1:] {
			if !slices.Equal(p.dims, in[0].dims[1:2]) {
				return typed{}, fmt.Errorf("a parameter is %v", p)
			}
		}
		return in[0], floats(in)
	}},
	"DequantizeLinear": {2, 2, "axis", func(_ *scope, n node, in []typed) (typed, error) {
		axis := int(n.attributes["axis"].i)
		if in[0].kind != typeInt8 || axis >= len(in[0].dims) || !slices.Equal(in[1].dims, in[0].dims[axis:axis+1]) {
			return typed{}, fmt.Errorf("the scales do not fit")
		}
		return typed{typeFloat, in[0].dims}, nil
	}},
	"Loop": {2, 99, "body", nil},
}

func same(_ *scope, _ node, in []typed) (typed, error) { return in[0], floats(in) }

// wide is the inference of an operator that broadcasts, and makes numbers of that type; 0
// is the type that it is given.
func wide(kind int) func(*scope, node, []typed) (typed, error) {
	return func(_ *scope, _ node, in []typed) (typed, error) {
		dims, err := broadcast(in)
		for _, v := range in {
			if v.kind != in[0].kind && err == nil {
				err = fmt.Errorf("they are of different types")
			}
		}
		return typed{cmp.Or(kind, in[0].kind), dims}, err
	}
}

func floats(in []typed) error {
	for _, v := range in {
		if v.kind != typeFloat {
			return fmt.Errorf("one is of type %d", v.kind)
		}
	}
	return nil
}

func equalRank(a, b typed) error {
	if len(a.dims) != len(b.dims) {
		return fmt.Errorf("%v becomes %v", b, a)
	}
	return nil
}

func reduce(x typed, axes []int, keep int64) (typed, error) {
	v := typed{x.kind, slices.Clone(x.dims)}
	for _, axis := range axes {
		if axis < 0 || axis >= len(v.dims) {
			return v, fmt.Errorf("axis %d", axis)
		}
		v.dims[axis] = 1
	}
	if keep != 1 {
		return v, fmt.Errorf("dimensions are not kept")
	}
	return v, nil
}

func broadcast(in []typed) ([]int, error) {
	rank := 0
	for _, v := range in {
		rank = max(rank, len(v.dims))
	}
	dims := slices.Repeat([]int{1}, rank)
	for _, v := range in {
		for i, d := range v.dims {
			at := rank - len(v.dims) + i
			if d != 1 && dims[at] != 1 && dims[at] != d {
				return nil, fmt.Errorf("%v do not go together", in)
			}
			dims[at] = max(dims[at], d)
		}
	}
	return dims, nil
}

// windowed is what a window that is moved over images makes; weight are the sides of its
// weight, if it has one.
func windowed(n node, x typed, weight []int) (typed, error) {
	v := typed{x.kind, slices.Clone(x.dims)}
	if len(x.dims) != 4 || x.kind != typeFloat {
		return v, fmt.Errorf("%v are no images", x)
	}
	a := func(name string, i int) int { return int(n.attributes[name].ints[i]) }
	for i := range 2 {
		if weight != nil && a("kernel_shape", i) != weight[i] {
			return v, fmt.Errorf("the window is %d and the weight %d", a("kernel_shape", i), weight[i])
		}
		v.dims[2+i] = (x.dims[2+i]+a("pads", i)+a("pads", i+2)-a("kernel_shape", i))/a("strides", i) + 1
	}
	return v, nil
}

// TestCheck: each thing that a reader would stumble over is one that the checks find.
func TestCheck(t *testing.T) {
	good := func() *builder {
		b := newBuilder(false)
		x := b.vectors("x", 3)
		b.output("y", b.node("Relu", nil, x.name), typeFloat, -1, 3)
		return b
	}
	if err := check(good().file("g", "")); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(b *builder){
		"nothing before it makes": func(b *builder) { b.output("z", "nowhere", typeFloat, -1, 3) },
		"is taken":                func(b *builder) { b.input("x", typeFloat, -1, 3) },
		"has 4 bytes":             func(b *builder) { b.output("z", b.tensor("w", typeFloat, make([]byte, 4), 2), typeFloat, 2) },
		"declared as":             func(b *builder) { b.output("z", "x", typeFloat, -1, 4) },
		"do not go together": func(b *builder) {
			b.output("z", b.node("Add", nil, "x", b.floats("w", make([]float32, 2), 2)), typeFloat, -1, 3)
		},
		"do not multiply": func(b *builder) { b.node("MatMul", nil, "x", b.floats("w", make([]float32, 4), 2, 2)) },
		"no attribute":    func(b *builder) { b.node("Relu", settings{"slope": 1}, "x") },
		"no operator":     func(b *builder) { b.node("Rlu", nil, "x") },
		"different types": func(b *builder) { b.node("Add", nil, "x", b.whole("k", 1)) },
		"nothing uses":    func(b *builder) { b.float(1) },
	} {
		b := good()
		spoil(b)
		if err := check(b.file("g", "")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if check(nil) == nil || check([]byte{0xff}) == nil {
		t.Error("what is no file passes")
	}
}
