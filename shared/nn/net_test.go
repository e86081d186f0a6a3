package nn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

func mustNet(t testing.TB, in nn.Shape, layers ...nn.Layer) *nn.Net {
	t.Helper()
	n, err := nn.New(in, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustLoad(t testing.TB, n *nn.Net, f *safetensors.File) *nn.Function {
	t.Helper()
	fn, err := n.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return fn
}

// TestShapes: the shapes of tensors follow from the layers, odd sides included.
func TestShapes(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	if f.Out() != nn.Vector(64) || g.Out() != f.In() || u.Out() != (nn.Shape{H: 11, W: 9, C: 2}) {
		t.Errorf("the outputs are %v, %v and %v", f.Out(), g.Out(), u.Out())
	}
	want := map[string][]int{
		"f.1.weight": {12, 4, 4, 3}, "f.1.bias": {12}, "f.3.weight": {8, 3, 3, 10}, "f.4.weight": {64, 3 * 3 * 8},
		"g.1.weight": {72, 64}, "g.2.weight": {10, 3, 3, 8}, "g.4.weight": {3, 4, 4, 12}, "g.4.bias": {3},
		"u.norm1.weight": {4}, "u.3.weight": {120, 120}, "u.norm3.bias": {6}, "u.4.weight": {5, 2, 2, 6}, "u.5.weight": {2, 3, 3, 9},
		"u.norm5.running_mean": {5}, "u.norm5.running_var": {5},
	}
	got := map[string][]int{}
	for _, n := range []*nn.Net{f, g, u} {
		for _, s := range append(n.Specs(), n.Buffers()...) {
			got[s.Name] = s.Shape
		}
	}
	for name, shape := range want {
		if !slices.Equal(got[name], shape) {
			t.Errorf("%s has shape %v, want %v", name, got[name], shape)
		}
	}
	if n := len(u.Buffers()); n != 10 {
		t.Errorf("%d buffers, want 10", n)
	}
	if tr := g.Trunk(); tr.Out() != g.Out() || len(tr.Steps()) != len(g.Steps())-1 || !slices.EqualFunc(tr.Specs(), g.Specs(), func(a, b nn.Spec) bool { return a.Name == b.Name }) {
		t.Error("the trunk of G is not G without its sigmoid")
	}
}

func TestNewRefuses(t *testing.T) {
	image := nn.Shape{H: 4, W: 4, C: 2}
	var none nn.Layer
	for _, c := range []struct {
		in     nn.Shape
		layers []nn.Layer
		want   string
	}{
		{nn.Shape{}, []nn.Layer{nn.ReLU}, "0×0×0"},
		{nn.Shape{H: 1 << 20, W: 1 << 20, C: 1 << 40}, []nn.Layer{nn.ReLU}, "at most"},
		{image, nil, "a layer"},
		{image, []nn.Layer{nn.Keep("x")}, "a layer"},
		{image, []nn.Layer{none}, "nil"},
		{image, []nn.Layer{&nn.Linear{Name: "a", Out: nn.Vector(1)}}, "by value"},
		{image, []nn.Layer{nn.Activation("tanh")}, "tanh"},
		{image, []nn.Layer{nn.Linear{Name: "a"}}, "layer 0, a, at 4×4×2: the shape is 0×0×0"},
		{image, []nn.Layer{nn.Conv{Name: "a", Window: nn.Window{Side: 5, Stride: 1}, Out: 1}}, "5×5"},
		{image, []nn.Layer{nn.Conv{Name: "a", Window: nn.Window{Side: 2}, Out: 1}}, "stride"},
		{image, []nn.Layer{nn.Conv{Name: "a", Window: nn.Same}}, "4×4×0"},
		{image, []nn.Layer{nn.MaxPool{}}, "side"},
		{image, []nn.Layer{nn.ConvTranspose{Name: "a", Window: nn.Halving, To: nn.Shape{H: 9, W: 8, C: 1}}}, "from an image of 5×4"},
		{image, []nn.Layer{nn.ConvTranspose{Name: "a", Window: nn.Pairs, To: nn.Shape{H: 1, W: 8, C: 1}}}, "does not fit"},
		{image, []nn.Layer{nn.Dropout{Rate: 1}}, "less than 1"},
		{image, []nn.Layer{nn.BatchNorm{Name: "a"}, nn.BatchNorm{Name: "a"}}, "already"},
		{image, []nn.Layer{nn.Keep("x"), nn.ReLU, nn.Keep("x")}, "taken"},
		{image, []nn.Layer{nn.Concat("x")}, `"x"`},
		{image, []nn.Layer{nn.From("x")}, `"x"`},
		{image, []nn.Layer{nn.Keep("x"), nn.MaxPool{Window: nn.Pairs}, nn.Concat("x")}, "pixels"},
		{image, []nn.Layer{nn.Keep("x"), nn.MaxPool{Window: nn.Pairs}, nn.Add("x")}, "same shape"},
		{image, []nn.Layer{nn.Input{Name: "x"}, nn.ReLU}, "0×0×0"},
	} {
		if _, err := nn.New(c.in, c.layers...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %v: error %v, want one with %q", c.in, c.layers, err, c.want)
		}
	}
	if _, err := nn.MLP("a", 3, []int{0}, 1, nn.ReLU); err == nil {
		t.Error("an MLP with a hidden layer of no numbers was made")
	}
}

// TestLoad: a net's file is read, in eight bits or not, and what is wrong with one is
// said by name.
func TestLoad(t *testing.T) {
	_, _, u := nntest.Unplanned(t)
	mustLoad(t, u, nntest.File(1, u))
	for _, s := range append(u.Specs(), u.Buffers()...) {
		f := nntest.File(1, u)
		f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == s.Name })
		if _, err := u.Load(f); err == nil || !strings.Contains(err.Error(), s.Name) {
			t.Errorf("without %s: %v", s.Name, err)
		}
		f = nntest.File(1, u)
		for i := range f.Tensors {
			if f.Tensors[i].Name == s.Name {
				f.Tensors[i].Shape = append([]int{1}, s.Shape...)
			}
		}
		if _, err := u.Load(f); err == nil || !strings.Contains(err.Error(), s.Name) || !strings.Contains(err.Error(), "shape") {
			t.Errorf("%s of another shape: %v", s.Name, err)
		}
	}
	f := nntest.File(1, u)
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "u.norm1.running_var" })
	if err := f.AddFloat32("u.norm1.running_var", []float32{1, 1, -1, 1}, 4); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Load(f); err == nil || !strings.Contains(err.Error(), "u.norm1.running_var: number 2 is -1") {
		t.Errorf("a negative variance: %v", err)
	}
}

// TestLoadMLP: widths come from the file, within bounds.
func TestLoadMLP(t *testing.T) {
	n, err := nn.MLP("d", 5, []int{7, 4}, 1, nn.SiLU)
	if err != nil {
		t.Fatal(err)
	}
	f := nntest.File(1, n)
	got, err := nn.LoadMLP(f, "d", 5, 0, nn.SiLU)
	if err != nil || len(got.Steps()) != 5 || got.Out() != nn.Vector(1) {
		t.Fatalf("%v, %v", got, err)
	}
	for _, c := range []struct {
		name    string
		in, out int
		want    string
	}{{"e", 5, 1, "tensor e.0.weight is missing"}, {"d", 6, 1, "d.0.weight"}, {"d", 5, 2, "has 1 rows"}} {
		if _, err := nn.LoadMLP(f, c.name, c.in, c.out, nn.SiLU); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v", c, err)
		}
	}
	deep, err := nn.MLP("d", 1, slices.Repeat([]int{1}, 16), 1, nn.SiLU)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nn.LoadMLP(nntest.File(1, deep), "d", 1, 1, nn.SiLU); err == nil || !strings.Contains(err.Error(), "at most 16 layers") {
		t.Errorf("17 layers: %v", err)
	}
}

// TestForward holds the runner to the layers one by one in float64, whatever the
// batch, and whatever shares a buffer.
func TestForward(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	for i, n := range []*nn.Net{f, g, u} {
		file := nntest.File(uint64(i), n)
		fn := mustLoad(t, n, file)
		const rows = 5
		x := make([]float32, rows*n.In().Size())
		rng.New(3, 0).FillNorm(x, 1)
		want := nntest.Forward(t, n, file, rows, x)
		var first []float32
		for _, batch := range []int{rows, 1, 2} {
			r := fn.Runner(batch)
			y := make([]float32, rows*n.Out().Size())
			r.Forward(y, x)
			nntest.Near(t, "output", y, want[n.Output()], 1e-4)
			if first == nil {
				first = y
				for _, name := range []string{"wide", "narrow"} {
					if v, ok := n.Value(name); ok {
						nntest.Near(t, name, r.Kept(name), want[v], 1e-4)
					} else if r.Kept(name) != nil {
						t.Errorf("net %d keeps a %s", i, name)
					}
				}
			} else if !slices.Equal(y, first) {
				t.Errorf("net %d: batches of %d give other bits", i, batch)
			}
		}
	}
}

// TestBits pins the bits of nets of every layer, so that a native run and one in a
// browser are held to the same numbers, with and without SIMD.
func TestBits(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	bits := golden.NewBits()
	for i, n := range []*nn.Net{f, g, u} {
		x, y := make([]float32, 3*n.In().Size()), make([]float32, 3*n.Out().Size())
		rng.New(9, uint64(i)).FillNorm(x, 1)
		mustLoad(t, n, nntest.File(uint64(i), n)).Runner(2).Forward(y, x)
		bits.Add(y)
	}
	golden.Check(t, "nn: what nets of every layer make of three inputs", bits)
}

// TestForwardAllocatesNothing: a runner has its memory from the start.
func TestForwardAllocatesNothing(t *testing.T) {
	f, g, u := nntest.Unplanned(t)
	for i, n := range []*nn.Net{f, g, u} {
		r := mustLoad(t, n, nntest.File(1, n)).Runner(2)
		x, y := make([]float32, 3*n.In().Size()), make([]float32, 3*n.Out().Size())
		r.Forward(y, x)
		if a := testing.AllocsPerRun(3, func() { r.Forward(y, x) }); a != 0 {
			t.Errorf("net %d: %v allocations a call", i, a)
		}
	}
}

// TestPaths: further inputs, branches, and layers that change nothing.
func TestPaths(t *testing.T) {
	n := mustNet(t, nn.Vector(2),
		nn.Input{Name: "side", Shape: nn.Vector(2)},
		nn.Keep("x"), nn.Dropout{Rate: 0.5}, nn.Add("side"), nn.Keep("sum"), nn.ReLU, nn.Keep("positive"),
		nn.From("x"), nn.ReLU, nn.Concat("sum"), nn.Concat("side"))
	r := mustLoad(t, n, &safetensors.File{}).Runner(2)
	x, side := []float32{1, -2, 3, -4, -5, 6}, []float32{10, -20, -30, 1, 2, 3}
	y := make([]float32, 18)
	r.Forward(y, x, side)
	if want := []float32{1, 0, 11, -22, 10, -20, 3, 0, -27, -3, -30, 1, 0, 6, -3, 9, 2, 3}; !slices.Equal(y, want) {
		t.Errorf("%v, want %v", y, want)
	}
	if got := r.Kept("positive"); !slices.Equal(got, []float32{0, 9}) {
		t.Errorf("positive is %v", got)
	}
	if !slices.Equal(x, []float32{1, -2, 3, -4, -5, 6}) || !slices.Equal(side, []float32{10, -20, -30, 1, 2, 3}) {
		t.Error("the inputs have changed")
	}
	// The output is an input, or has been kept on the way.
	for _, layers := range [][]nn.Layer{
		{nn.Dropout{Rate: 0.1}},
		{nn.Keep("x"), nn.ReLU, nn.From("x")},
		{nn.Dropout{Rate: 0.1}, nn.Keep("x"), nn.ReLU, nn.SiLU, nn.From("x")},
	} {
		n := mustNet(t, nn.Vector(2), layers...)
		y := make([]float32, 6)
		mustLoad(t, n, &safetensors.File{}).Runner(1).Forward(y, x)
		if !slices.Equal(y, x) {
			t.Errorf("%v gives %v", layers, y)
		}
	}
}

// TestGradient holds the gradient of nets of linear layers to differences, and sees
// that others have none.
func TestGradient(t *testing.T) {
	for _, act := range []nn.Activation{nn.SiLU, nn.ReLU, nn.LeakyReLU, nn.Sigmoid} {
		n := mustNet(t, nn.Shape{H: 2, W: 2, C: 3},
			nn.Linear{Name: "d.0", Out: nn.Vector(9)}, act, nn.Dropout{Rate: 0.2},
			nn.Linear{Name: "d.1", Out: nn.Vector(5)}, act,
			nn.Linear{Name: "d.2", Out: nn.Vector(2)}, act)
		field, err := mustLoad(t, n, nntest.File(2, n)).Field()
		if err != nil {
			t.Fatal(err)
		}
		const rows = 7
		x := make([]float32, rows*12)
		rng.New(4, 0).FillNorm(x, 1)
		y, grad := make([]float32, rows*2), make([]float32, len(x))
		field.Runner(3).Evaluate(y, grad, x)
		plain := make([]float32, len(y))
		field.Function.Runner(2).Forward(plain, x)
		if !slices.Equal(plain, y) {
			t.Errorf("%s: Evaluate and Forward differ", act)
		}
		const h = 1e-3
		r := field.Runner(1)
		for i := range x {
			at := i / 12
			var up, down [2]float32
			row := slices.Clone(x[at*12 : (at+1)*12])
			row[i%12] += h
			r.Evaluate(up[:], nil, row)
			row[i%12] -= 2 * h
			r.Evaluate(down[:], nil, row)
			want := float64(up[0]+up[1]-down[0]-down[1]) / (2 * h)
			if math.Abs(want-float64(grad[i])) > 2e-3*(1+math.Abs(want)) {
				t.Errorf("%s: gradient %d is %v, differences give %v", act, i, grad[i], want)
			}
		}
	}
	f, _, u := nntest.Unplanned(t)
	for _, n := range []*nn.Net{f, u} {
		if _, err := mustLoad(t, n, nntest.File(1, n)).Field(); err == nil || !strings.Contains(err.Error(), "is neither linear nor") {
			t.Errorf("a gradient through convolutions: %v", err)
		}
	}
	fork := mustNet(t, nn.Vector(2), nn.Keep("x"), nn.ReLU, nn.From("x"), nn.SiLU)
	if err := fork.Differentiable(); err == nil || !strings.Contains(err.Error(), "does not follow") {
		t.Errorf("a gradient through a fork: %v", err)
	}
	early := mustNet(t, nn.Vector(2), nn.ReLU, nn.Keep("x"), nn.SiLU, nn.From("x"))
	if err := early.Differentiable(); err == nil || !strings.Contains(err.Error(), "not that of the last layer") {
		t.Errorf("a gradient of an early value: %v", err)
	}
}

// TestFold: a net has the same outputs with its batch norms and with these folded
// into the layers before them; a batch norm after a sum stays.
func TestFold(t *testing.T) {
	_, _, u := nntest.Unplanned(t)
	f := nntest.File(5, u)
	f.Meta = map[string]string{"kind": "test"}
	if err := f.AddFloat32("other", []float32{1, 2}, 2); err != nil {
		t.Fatal(err)
	}
	folded, file, err := u.Fold(f)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, s := range folded.Buffers() {
		left = append(left, s.Name)
	}
	if !slices.Equal(left, []string{"u.norm4.running_mean", "u.norm4.running_var"}) {
		t.Errorf("the folded net has the buffers %v", left)
	}
	if _, ok := file.Lookup("other"); !ok || file.Meta["kind"] != "test" {
		t.Error("what else the file had is lost")
	}
	for _, gone := range []string{"u.norm1.weight", "u.norm2.running_var", "u.norm5.bias", "u.1.weight.scale"} {
		if _, ok := file.Lookup(gone); ok {
			t.Errorf("the folded file has %s", gone)
		}
	}
	x := make([]float32, 3*u.In().Size())
	rng.New(6, 0).FillNorm(x, 1)
	run := func(n *nn.Net, f *safetensors.File) []float32 {
		y := make([]float32, 3*n.Out().Size())
		mustLoad(t, n, f).Runner(3).Forward(y, x)
		return y
	}
	want := run(u, f)
	for i, v := range run(folded, file) {
		if math.Abs(float64(v-want[i])) > 1e-5 {
			t.Fatalf("number %d is %v folded, and %v with batch norm", i, v, want[i])
		}
	}
	f = nntest.File(5, u)
	f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == "u.norm2.running_mean" })
	if _, _, err := u.Fold(f); err == nil || !strings.Contains(err.Error(), "u.norm2.running_mean") {
		t.Errorf("without a mean: %v", err)
	}
}

// TestAvgPool: means are of what lies inside of the image, for windows that overlap, hang
// over and cover all; and the layer is text like any other.
func TestAvgPool(t *testing.T) {
	for _, w := range []nn.Window{nn.Pairs, nn.Halving, {Side: 3, Stride: 1, Pad: 2}, {Side: 7, Stride: 1}, {Side: 2, Stride: 3, Pad: 1}} {
		n := mustNet(t, nn.Shape{H: 7, W: 7, C: 3}, nn.AvgPool{Window: w})
		x := make([]float32, 2*n.In().Size())
		rng.New(3, 0).FillNorm(x, 1)
		f := new(safetensors.File)
		got := make([]float32, 2*n.Out().Size())
		mustLoad(t, n, f).Runner(2).Forward(got, x)
		nntest.Near(t, n.Out().String(), got, nntest.Forward(t, n, f, 2, x)[n.Output()], 1e-6)
		text, err := n.Text()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := nn.Parse(text); err != nil || back.Out() != n.Out() {
			t.Errorf("%s is read as another net: %v", text, err)
		}
	}
	if _, err := nn.New(nn.Shape{H: 4, W: 4, C: 1}, nn.AvgPool{Window: nn.Window{Side: 5, Stride: 1}}); err == nil {
		t.Error("a window larger than the image is taken")
	}
}
