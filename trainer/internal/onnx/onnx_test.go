package onnx

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"mppm/shared/nn"
	"mppm/shared/rng"
)

// graph writes an ONNX file, with weights drawn from a seed.
type graph struct {
	bytes []byte
	r     *rng.Source
}

// file is the whole file.
func (g *graph) file() []byte {
	opset := whole(nil, 2, 13)
	return message(message(whole(nil, 1, 8), 8, opset), 7, text(slices.Clone(g.bytes), 2, "test"))
}

// value declares an input (11) or an output (12). A dimension of −1 is open.
func (g *graph) value(number protowire.Number, name string, dims ...int) {
	var shape []byte
	for _, d := range dims {
		dim := whole(nil, 1, d)
		if d < 0 {
			dim = text(nil, 2, "n")
		}
		shape = message(shape, 1, dim)
	}
	kind := message(whole(nil, 1, typeFloat), 2, shape)
	g.bytes = message(g.bytes, number, message(text(nil, 1, name), 2, message(nil, 1, kind)))
}

// floats adds a tensor of these numbers.
func (g *graph) floats(name string, data []float32, dims ...int) string {
	var t, raw []byte
	for _, d := range dims {
		t = whole(t, 1, d)
	}
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	g.bytes = message(g.bytes, 5, message(text(whole(t, 2, typeFloat), 8, name), 9, raw))
	return name
}

// drawn adds a tensor of random numbers about a middle.
func (g *graph) drawn(name string, middle, spread float32, dims ...int) string {
	n := 1
	for _, d := range dims {
		n *= d
	}
	data := make([]float32, n)
	g.r.FillNorm(data, spread)
	for i := range data {
		data[i] += middle
	}
	return g.floats(name, data, dims...)
}

// shape adds a tensor of whole numbers.
func (g *graph) shape(name string, data ...int) string {
	t := whole(nil, 1, len(data))
	for _, v := range data {
		t = protowire.AppendVarint(protowire.AppendTag(t, 7, protowire.VarintType), uint64(int64(v)))
	}
	g.bytes = message(g.bytes, 5, text(whole(t, 2, typeInt64), 8, name))
	return name
}

// node adds a node. An attribute is a float32, a string or whole numbers.
func (g *graph) node(op, out string, attributes map[string]any, in ...string) string {
	var b []byte
	for _, name := range in {
		b = text(b, 1, name)
	}
	b = text(text(text(b, 2, out), 3, "node "+out), 4, op)
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a := text(nil, 1, name)
		switch v := attributes[name].(type) {
		case float32:
			a = whole(protowire.AppendFixed32(protowire.AppendTag(a, 2, protowire.Fixed32Type), math.Float32bits(v)), 20, 1)
		case int:
			a = whole(whole(a, 3, v), 20, 2)
		case string:
			a = whole(text(a, 4, v), 20, 3)
		case []int:
			for _, n := range v {
				a = protowire.AppendVarint(protowire.AppendTag(a, 8, protowire.VarintType), uint64(int64(n)))
			}
			a = whole(a, 20, 7)
		}
		b = message(b, 5, a)
	}
	g.bytes = message(g.bytes, 1, b)
	return out
}

type attributes = map[string]any

// nets are those that onnxruntime has run.
var nets = map[string]func() []byte{
	// Residual blocks as of nets for faces: preprocessing, uneven padding, PRelu, groups,
	// dilation, a flattened image.
	"residual": func() []byte {
		g := &graph{r: rng.New(1, 0)}
		g.value(11, "x", 1, 3, 14, 14)
		x := g.node("Sub", "centered", nil, "x", g.drawn("mean", 0.5, 0.1, 1, 3, 1, 1))
		x = g.node("Mul", "scaled", nil, x, g.floats("two", []float32{2}))
		x = g.node("Conv", "conv1", attributes{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "auto_pad": "SAME_UPPER"}, x, g.drawn("w1", 0, 0.3, 6, 3, 3, 3))
		x = g.node("BatchNormalization", "norm1", attributes{"epsilon": float32(1e-3)}, x, g.drawn("g1", 1, 0.1, 6), g.drawn("b1", 0, 0.1, 6), g.drawn("m1", 0, 0.1, 6), g.drawn("v1", 1, 0.05, 6))
		skip := g.node("PRelu", "prelu", nil, x, g.drawn("slopes", 0.2, 0.1, 6, 1, 1))
		x = g.node("Conv", "conv2", attributes{"kernel_shape": []int{3, 3}, "pads": []int{2, 2, 2, 2}, "dilations": []int{2, 2}, "group": 3}, skip, g.drawn("w2", 0, 0.3, 6, 2, 3, 3), g.drawn("c2", 0, 0.1, 6))
		x = g.node("LeakyRelu", "leaky", attributes{"alpha": float32(0.1)}, x)
		x = g.node("Conv", "conv3", attributes{"kernel_shape": []int{1, 3}, "pads": []int{0, 1, 0, 1}}, x, g.drawn("w3", 0, 0.3, 6, 6, 1, 3))
		x = g.node("Add", "sum", nil, skip, x)
		x = g.node("Conv", "conv4", attributes{"kernel_shape": []int{2, 2}, "pads": []int{1, 0, 0, 1}}, x, g.drawn("w4", 0, 0.3, 6, 6, 2, 2))
		x = g.node("Dropout", "dropped", nil, x)
		x = g.node("Flatten", "flat", attributes{"axis": 1}, x)
		x = g.node("Gemm", "numbers", attributes{"transB": 1, "alpha": float32(0.5), "beta": float32(2)}, x, g.drawn("w5", 0, 0.1, 8, 6*7*7), g.drawn("c5", 0, 0.1, 8))
		x = g.node("BatchNormalization", "y", nil, x, g.drawn("g6", 1, 0.1, 8), g.drawn("b6", 0, 0.1, 8), g.drawn("m6", 0, 0.1, 8), g.drawn("v6", 1, 0.05, 8))
		g.value(12, x, 1, 8)
		return g.file()
	},
	// Branches and poolings, channels last at the input, and a linear layer in two nodes.
	"branches": func() []byte {
		g := &graph{r: rng.New(2, 0)}
		g.value(11, "x", -1, 9, 9, 3)
		x := g.node("Transpose", "first", attributes{"perm": []int{0, 3, 1, 2}}, "x")
		x = g.node("Conv", "conv1", attributes{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}}, x, g.drawn("w1", 0, 0.3, 5, 3, 3, 3), g.drawn("c1", 0, 0.1, 5))
		x = g.node("LeakyRelu", "leaky", attributes{"alpha": float32(0.2)}, x)
		a := g.node("MaxPool", "largest", attributes{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}}, x)
		b := g.node("AveragePool", "means", attributes{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}}, x)
		c := g.node("Sigmoid", "sigmoid", nil, b)
		x = g.node("Concat", "joined", attributes{"axis": 1}, a, b, c)
		x = g.node("Relu", "relu", nil, x)
		x = g.node("GlobalAveragePool", "all", nil, x)
		x = g.node("Reshape", "flat", nil, x, g.shape("shape", -1, 15))
		x = g.node("MatMul", "product", nil, x, g.drawn("w2", 0, 0.3, 15, 7))
		x = g.node("Add", "y", nil, g.drawn("c2", 0, 0.1, 7), x)
		x = g.node("Identity", "z", nil, x)
		g.value(12, x, -1, 7)
		return g.file()
	},
	// An image that is flattened by a product without being transposed before.
	"flattened": func() []byte {
		g := &graph{r: rng.New(3, 0)}
		g.value(11, "x", 1, 1, 6, 6)
		x := g.node("Conv", "conv1", attributes{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}}, "x", g.drawn("w1", 0, 0.3, 4, 1, 3, 3))
		x = g.node("Reshape", "flat", nil, x, g.shape("shape", 1, 16))
		x = g.node("Mul", "scaled", nil, x, g.floats("half", []float32{0.5}))
		x = g.node("MatMul", "y", nil, x, g.drawn("w2", 0, 0.3, 16, 3))
		g.value(12, x, 1, 3)
		return g.file()
	},
}

// input is the picture that the nets are given, as nn has it.
func input(s nn.Shape) []float32 {
	x := make([]float32, s.Size())
	for i := range x {
		x[i] = float32(0.5 + 0.5*math.Sin(float64(i)*0.37))
	}
	return x
}

// TestAgainstONNXRuntime holds what the nets make to what onnxruntime makes of the same
// files and inputs. With MPPM_ONNX=DIR the files and inputs are written there, from which
// testdata/golden.mjs makes testdata/golden.json.
func TestAgainstONNXRuntime(t *testing.T) {
	var golden map[string][]float32
	b, err := os.ReadFile("testdata/golden.json")
	if err == nil {
		err = json.Unmarshal(b, &golden)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, make1 := range nets {
		b := make1()
		net, f, err := Read(b, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x := input(net.In())
		if dir := os.Getenv("MPPM_ONNX"); dir != "" {
			j, err := json.Marshal(map[string]any{"shape": []int{net.In().H, net.In().W, net.In().C}, "last": name == "branches", "x": x})
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name+".json"), j, 0o666)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name+".onnx"), b, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		fn, err := net.Load(f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		y := make([]float32, net.Out().Size())
		fn.Runner(1).Forward(y, x)
		want := golden[name]
		if len(want) != len(y) {
			t.Errorf("%s: %d numbers, onnxruntime makes %d", name, len(y), len(want))
			continue
		}
		for i, w := range want {
			if math.Abs(float64(y[i]-w)) > 1e-5*(1+math.Abs(float64(w))) {
				t.Errorf("%s: number %d is %v, onnxruntime makes %v", name, i, y[i], w)
			}
		}
	}
}

// TestOptions: another value can be taken for the output, and a side is said where the file
// leaves it open.
func TestOptions(t *testing.T) {
	net, _, err := Read(nets["residual"](), Options{Output: "sum"})
	if err != nil || net.Out() != (nn.Shape{H: 7, W: 7, C: 6}) {
		t.Errorf("the value sum: %v, %v", net, err)
	}
	open := func() []byte {
		g := &graph{r: rng.New(1, 0)}
		g.value(11, "x", -1, 3, -1, -1)
		x := g.node("Conv", "y", attributes{}, "x", g.drawn("w", 0, 1, 2, 3, 3, 3))
		g.value(12, x, -1, 2, -1, -1)
		return g.file()
	}()
	if _, _, err := Read(open, Options{}); err == nil || !strings.Contains(err.Error(), "open") {
		t.Errorf("no side: %v", err)
	}
	if net, _, err := Read(open, Options{Side: 10}); err != nil || net.In() != (nn.Shape{H: 10, W: 10, C: 3}) || net.Out() != (nn.Shape{H: 8, W: 8, C: 2}) {
		t.Errorf("a side of 10: %v", err)
	}
	if _, _, err := Read(nets["flattened"](), Options{Side: 10}); err == nil || !strings.Contains(err.Error(), "6") {
		t.Errorf("another side than the file's: %v", err)
	}
}

// TestRefused: what is not known is named, and so is what does not fit.
func TestRefused(t *testing.T) {
	make1 := func(build func(g *graph) string) []byte {
		g := &graph{r: rng.New(1, 0)}
		g.value(11, "x", 1, 3, 8, 8)
		g.value(12, build(g), 1, 2)
		return g.file()
	}
	for want, b := range map[string][]byte{
		"no ONNX file":                []byte("a file of words"),
		"0 graphs":                    {},
		`Softplus "node y"`:           make1(func(g *graph) string { return g.node("Softplus", "y", nil, "x") }),
		"known; those are":            make1(func(g *graph) string { return g.node("Erf", "y", nil, "x") }),
		`nothing before it makes`:     make1(func(g *graph) string { return g.node("Relu", "y", nil, "nobody") }),
		`no node makes a value "off"`: make1(func(g *graph) string { return "off" }),
		"do not fit 8×8×3":            make1(func(g *graph) string { return g.node("Conv", "y", nil, "x", g.drawn("w", 0, 1, 2, 4, 3, 3)) }),
		"cannot be made square":       make1(func(g *graph) string { return g.node("Conv", "y", nil, "x", g.drawn("w", 0, 1, 2, 3, 1, 3)) }),
		"was flattened":               make1(func(g *graph) string { return g.node("Gemm", "y", nil, "x", g.drawn("w", 0, 1, 2, 192)) }),
		"strides are [1 2]": make1(func(g *graph) string {
			return g.node("Conv", "y", attributes{"strides": []int{1, 2}}, "x", g.drawn("w", 0, 1, 2, 3, 3, 3))
		}),
		"ceil_mode": make1(func(g *graph) string {
			return g.node("MaxPool", "y", attributes{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "ceil_mode": 1}, "x")
		}),
		"count_include_pad": make1(func(g *graph) string {
			return g.node("AveragePool", "y", attributes{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}, "count_include_pad": 1}, "x")
		}),
		"is not constant":              make1(func(g *graph) string { return g.node("Conv", "y", nil, "x", "x") }),
		"only the sum of equal":        make1(func(g *graph) string { return g.node("Mul", "y", nil, "x", "x") }),
		"go with the channels":         make1(func(g *graph) string { return g.node("Add", "y", nil, "x", g.drawn("k", 0, 1, 8)) }),
		"channel 0 is multiplied":      make1(func(g *graph) string { return g.node("Div", "y", nil, "x", g.floats("k", []float32{0})) }),
		"another shape":                make1(func(g *graph) string { return g.node("Reshape", "y", nil, "x", g.shape("s", 1, 2, 96)) }),
		"no kernel_shape":              make1(func(g *graph) string { return g.node("MaxPool", "y", nil, "x") }),
		"axis 2":                       make1(func(g *graph) string { return g.node("Concat", "y", attributes{"axis": 2}, "x", "x") }),
		"the axes [1]":                 make1(func(g *graph) string { return g.node("ReduceMean", "y", attributes{"axes": []int{1}}, "x") }),
		"number 0 is NaN":              make1(func(g *graph) string { return g.floats("k", []float32{float32(math.NaN())}, 1) }),
		"it has 1 numbers":             make1(func(g *graph) string { return g.floats("k", []float32{1}, 1<<20, 1<<5) }),
		"want at most":                 make1(func(g *graph) string { return g.floats("k", []float32{1}, 1<<20, 1<<20, 1<<20) }),
		"takes [{x [1 3 8 8]} {z []}]": make1(func(g *graph) string { g.value(11, "z"); return "x" }),
	} {
		if _, _, err := Read(b, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzRead: no file makes it panic, or make a net that cannot be loaded.
func FuzzRead(f *testing.F) {
	for _, make1 := range nets {
		f.Add(make1())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		net, file, err := Read(b, Options{Side: 8})
		if err != nil {
			return
		}
		if _, err := net.Load(file); err != nil {
			t.Errorf("what was read is not loaded: %v", err)
		}
	})
}
