package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/gemm"
	"mppm/shared/nn"
	"mppm/shared/rng"
)

// bench builds a graph over random inputs, and differentiates it.
type bench struct {
	t      *testing.T
	g      *gorgonia.ExprGraph
	inputs []node
	data   [][]float32
	r      *rng.Source
}

func newBench(t *testing.T) *bench {
	return &bench{t: t, g: gorgonia.NewGraph(), r: rng.New(11, 0)}
}

func (b *bench) input(shape ...int) node {
	s := tensor.Shape(shape)
	data := make([]float32, s.TotalSize())
	b.r.FillNorm(data, 0.7)
	v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	n := gorgonia.NewTensor(b.g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprintf("in%d", len(b.inputs))), gorgonia.WithValue(v))
	b.inputs = append(b.inputs, n)
	b.data = append(b.data, data)
	return n
}

// shares is a constant whose rows are positive and sum to 1.
func (b *bench) shares(rows, cols int) node {
	data := make([]float32, rows*cols)
	for i := 0; i < len(data); i += cols {
		left := float32(1)
		for k := range cols - 1 {
			data[i+k] = left * b.r.Float32()
			left -= data[i+k]
		}
		data[i+cols-1] = left
	}
	v := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
	return gorgonia.NewMatrix(b.g, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName("shares"), gorgonia.WithValue(v))
}

func (b *bench) must(n node, err error) node {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// check compares the gradient of loss with respect to every input, along random
// directions, with central differences.
func (b *bench) check(loss node) {
	b.t.Helper()
	grads, err := gorgonia.Grad(loss, b.inputs...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.over()
	kept := make([][]float32, len(grads))
	for i, g := range grads {
		if !g.Shape().Eq(b.inputs[i].Shape()) {
			b.t.Fatalf("gradient %d has shape %v, its input %v", i, g.Shape(), b.inputs[i].Shape())
		}
		kept[i] = make([]float32, len(b.data[i]))
		if err := Keep(fmt.Sprint("g", i), g, kept[i]); err != nil {
			b.t.Fatal(err)
		}
	}
	value := make([]float32, 1)
	if err := Keep("loss", loss, value); err != nil {
		b.t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(b.g)
	defer vm.Close()
	run := func() float64 {
		if err := vm.RunAll(); err != nil {
			b.t.Fatal(err)
		}
		vm.Reset()
		return float64(value[0])
	}
	before := make([][]float32, len(b.data))
	for i := range b.data {
		before[i] = append([]float32(nil), b.data[i]...)
	}
	run()
	got := make([][]float32, len(kept))
	for i := range kept {
		got[i] = append([]float32(nil), kept[i]...)
	}
	run()
	for i := range kept {
		for k := range kept[i] {
			if got[i][k] != kept[i][k] {
				b.t.Fatalf("gradient %d changes from run to run", i)
			}
			if b.data[i][k] != before[i][k] {
				b.t.Fatalf("a run overwrote input %d", i)
			}
		}
	}
	for i, data := range b.data {
		for range 3 {
			dir := make([]float32, len(data))
			b.r.FillNorm(dir, 1)
			const h = 4e-3
			var want float64
			step := h / math.Sqrt(float64(len(data)))
			for k := range data {
				want += float64(got[i][k]) * float64(dir[k])
				data[k] += float32(step) * dir[k]
			}
			up := run()
			for k := range data {
				data[k] = before[i][k] - float32(step)*dir[k]
			}
			down := run()
			copy(data, before[i])
			diff := (up - down) / (2 * step)
			// Two float32 losses are subtracted; allow for their rounding.
			if tol := 0.02*math.Abs(want) + 4e-7*math.Abs(up)*4/step; math.Abs(diff-want) > tol {
				b.t.Errorf("input %d: slope %g, differences give %g ± %g", i, want, diff, tol)
			}
		}
	}
}

// over holds every operation that may write over an input to what it makes elsewhere.
func (b *bench) over() {
	b.t.Helper()
	for _, n := range b.g.AllNodes() {
		spec, ok := SpecOf(n.Op())
		if !ok {
			continue
		}
		var in [][]float32
		for it := b.g.From(n.ID()); it.Next(); {
			in = append(in, make([]float32, max(1, it.Node().(node).Shape().TotalSize())))
			b.r.FillNorm(in[len(in)-1], 1)
		}
		want := make([]float32, max(1, n.Shape().TotalSize()))
		spec.Run(want, in)
		for _, k := range spec.Over {
			if k >= len(in) {
				continue
			}
			args := slices.Clone(in)
			args[k] = slices.Clone(in[k])
			spec.Run(args[k], args)
			for i, v := range args[k] {
				if math.Float32bits(v) != math.Float32bits(want[i]) {
					b.t.Fatalf("%v over input %d: number %d is %v, want %v", n.Op(), k, i, v, want[i])
				}
			}
		}
	}
}

// loss makes a scalar of any matrix, with a gradient that differs by element.
func (b *bench) loss(n node) node {
	target := b.input(n.Shape()...)
	return b.must(SquaredError(n, target))
}

func TestGradients(t *testing.T) {
	small := nn.Halving.On(nn.Shape{H: 7, W: 6, C: 3})
	for name, build := range map[string]func(b *bench) node{
		"linear":  func(b *bench) node { return b.loss(b.must(Linear(b.input(19, 7), b.input(5, 7), b.input(5)))) },
		"product": func(b *bench) node { return b.loss(b.must(Product(b.input(18, 4), b.input(4, 6), false))) },
		"product with transpose": func(b *bench) node {
			return b.loss(b.must(Product(b.input(18, 4), b.input(6, 4), true)))
		},
		"conv": func(b *bench) node {
			return b.loss(b.must(Conv(small, b.input(18, 7*6*3), b.input(5, 27), b.input(5))))
		},
		"conv of one channel": func(b *bench) node {
			return b.loss(b.must(Conv(nn.Halving.On(nn.Shape{H: 6, W: 6, C: 1}), b.input(3, 36), b.input(4, 9), b.input(4))))
		},
		"transposed conv": func(b *bench) node {
			return b.loss(b.must(ConvTranspose(small, b.input(18, 4*3*5), b.input(3, 45), b.input(3))))
		},
		"transposed conv to one channel": func(b *bench) node {
			return b.loss(b.must(ConvTranspose(nn.Halving.On(nn.Shape{H: 6, W: 6, C: 1}), b.input(3, 9*4), b.input(1, 36), b.input(1))))
		},
		"relu":    func(b *bench) node { return b.loss(b.must(Activate(nn.ReLU, b.input(5, 6)))) },
		"silu":    func(b *bench) node { return b.loss(b.must(Activate(nn.SiLU, b.input(5, 6)))) },
		"sigmoid": func(b *bench) node { return b.loss(b.must(Activate(nn.Sigmoid, b.input(5, 6)))) },
		"back through silu": func(b *bench) node {
			return b.loss(b.must(BackActivate(nn.SiLU, b.input(5, 6), b.input(5, 6))))
		},
		"back through sigmoid": func(b *bench) node {
			return b.loss(b.must(BackActivate(nn.Sigmoid, b.input(5, 6), b.input(5, 6))))
		},
		"shift": func(b *bench) node { return b.loss(b.must(Shift(b.input(9, 5), b.input(9, 1), b.input(9, 5)))) },
		"distance error": func(b *bench) node {
			return b.must(DistanceError(b.input(20, 1), b.input(20, 5), b.input(20, 5)))
		},
		"negative part": func(b *bench) node { return b.must(NegativePart(b.input(33, 1))) },
		"square":        func(b *bench) node { return b.must(SquaredError(b.input(33, 2), nil)) },
		"leaky relu":    func(b *bench) node { return b.loss(b.must(Activate(nn.LeakyReLU, b.input(5, 6)))) },
		"dropout": func(b *bench) node {
			x := b.input(9, 7)
			counter := b.input(1, 1)
			b.inputs, b.data = b.inputs[:1], b.data[:1]
			return b.loss(b.must(Dropout(0.3, 5, x, counter)))
		},
		"batch norm": func(b *bench) node {
			y, _, _, err := BatchNorm(b.input(6, 4*3), b.input(3), b.input(3))
			return b.loss(b.must(y, err))
		},
		"cross entropy": func(b *bench) node {
			return b.must(CrossEntropy(b.input(9, 4), b.shares(9, 4)))
		},
		"cross entropy of sure logits": func(b *bench) node {
			x := b.input(9, 4)
			for i := range b.data[0] {
				b.data[0][i] *= 40
			}
			return b.must(CrossEntropy(x, b.shares(9, 4)))
		},
		"binary cross entropy": func(b *bench) node {
			return b.must(BinaryCrossEntropy(b.input(9, 4), b.shares(9, 4)))
		},
		"weighted sum": func(b *bench) node {
			x := b.input(4, 4)
			return b.must(WeightedSum([]float32{0.3, 2}, b.must(SquaredError(x, nil)), b.must(SquaredError(x, b.input(4, 4)))))
		},
		"a distance net and its gradient": func(b *bench) node {
			// D = w₂·silu(w₁·z + b₁) + b₂ and ∇D as a forward graph; the loss
			// differentiates through both, as λ₅ of Eq. 20 does.
			z, w1, b1, w2, b2 := b.input(9, 5), b.input(7, 5), b.input(7), b.input(1, 7), b.input(1)
			h := b.must(Linear(z, w1, b1))
			d := b.must(Linear(b.must(Activate(nn.SiLU, h)), w2, b2))
			ones := tensor.New(tensor.WithShape(9, 1), tensor.WithBacking([]float32{1, 1, 1, 1, 1, 1, 1, 1, 1}))
			one := gorgonia.NewMatrix(b.g, tensor.Float32, gorgonia.WithShape(9, 1), gorgonia.WithName("ones"), gorgonia.WithValue(ones))
			g := b.must(Product(b.must(BackActivate(nn.SiLU, h, b.must(Product(one, w2, false)))), w1, false))
			return b.loss(b.must(Shift(z, d, g)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.check(build(b))
		})
	}
}

// TestConvOfData: a convolution of data has the values and the gradients of any
// other, but for the images' own, which is not computed.
func TestConvOfData(t *testing.T) {
	const n, out = 3, 5
	g := nn.Halving.On(nn.Shape{H: 7, W: 6, C: 2})
	grads := func(of func(nn.Geometry, node, node, node) (node, error)) [][]float32 {
		b := newBench(t)
		x, w, bias := b.input(n, g.H*g.W*g.C), b.input(out, g.Patch()), b.input(out)
		y := b.must(of(g, x, w, bias))
		loss := b.must(SquaredError(y, nil))
		kept := [][]float32{make([]float32, n*g.OH*g.OW*out), make([]float32, out*g.Patch()), make([]float32, out)}
		wrt, err := gorgonia.Grad(loss, w, bias)
		if err != nil {
			t.Fatal(err)
		}
		for i, node := range append([]node{y}, wrt...) {
			if err := Keep(fmt.Sprint("kept", i), node, kept[i]); err != nil {
				t.Fatal(err)
			}
		}
		vm := gorgonia.NewTapeMachine(b.g)
		defer vm.Close()
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		for _, node := range b.g.AllNodes() {
			if o, ok := node.Op().(*op); ok && o.spec.Kind == KindConvInput {
				kept = append(kept, nil)
			}
		}
		return kept
	}
	want, got := grads(Conv), grads(ConvOfData)
	if len(want) != 4 || len(got) != 3 {
		t.Fatalf("%d gradients of images by Conv, and %d by ConvOfData", len(want)-3, len(got)-3)
	}
	for i := range got {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("number %d of output, gradient of the weight and of the bias is not Conv's", i)
		}
	}
}

// TestLargeProduct: weights that are shared out by columns give the bits of those that
// are laid out for all rows.
func TestLargeProduct(t *testing.T) {
	const n, k, m = 5, 1500, 777
	b := newBench(t)
	b.input(n, k)
	b.input(m, k)
	b.input(m)
	view := gemm.Rows(b.data[1], k).T()
	for _, bias := range [][]float32{nil, b.data[2]} {
		got, want := make([]float32, n*m), make([]float32, n*m)
		new(product).multiply(got, n, k, m, b.data[0], view, bias)
		fill(want, bias)
		ws := gemm.Workspace{Fused: true}
		ws.MulPacked(want, m, n, gemm.Rows(b.data[0], k), gemm.Pack(view, k, m), bias != nil)
		if !slices.Equal(got, want) {
			t.Error("the bits differ")
		}
	}
}

func TestCrossEntropy(t *testing.T) {
	for _, c := range []struct {
		x, t []float32
		want float64
	}{
		{[]float32{0, 0, 0, 0}, []float32{1, 0, 0, 1}, math.Ln2},
		{[]float32{500, -500, 500, -500}, []float32{1, 0, 0, 1}, 500}, // nothing overflows
		{[]float32{1, 3, -2, 5}, []float32{0.25, 0.75, 0, 1}, (math.Log(math.Exp(1)+math.Exp(3)) - 2.5 + math.Log1p(math.Exp(-7))) / 2},
	} {
		b := newBench(t)
		x, y := b.input(2, 2), b.input(2, 2)
		copy(b.data[0], c.x)
		copy(b.data[1], c.t)
		got := make([]float32, 1)
		if err := Keep("loss", b.must(CrossEntropy(x, y)), got); err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(b.g)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(got[0])-c.want) > 1e-6*c.want {
			t.Errorf("the cross entropy of %v and %v is %v, want %v", c.x, c.t, got[0], c.want)
		}
	}
}

func TestBinaryCrossEntropy(t *testing.T) {
	for _, c := range []struct {
		x, t []float32
		want float64
	}{
		{[]float32{0, 0}, []float32{1, 0.3}, 2 * math.Ln2},
		{[]float32{500, -500}, []float32{0, 1}, 1000}, // nothing overflows
		{[]float32{2, -1}, []float32{0.25, 1}, math.Log1p(math.Exp(2)) - 0.5 + math.Log1p(math.Exp(1))},
	} {
		b := newBench(t)
		x, y := b.input(1, 2), b.input(1, 2)
		copy(b.data[0], c.x)
		copy(b.data[1], c.t)
		got := make([]float32, 1)
		if err := Keep("loss", b.must(BinaryCrossEntropy(x, y)), got); err != nil {
			t.Fatal(err)
		}
		vm := gorgonia.NewTapeMachine(b.g)
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(got[0])-c.want) > 1e-6*c.want {
			t.Errorf("the cross entropy of σ(%v) and %v is %v, want %v", c.x, c.t, got[0], c.want)
		}
	}
}

func TestMismatch(t *testing.T) {
	b := newBench(t)
	m := func(r, c int) node { return b.input(r, c) }
	g := nn.Halving.On(nn.Shape{H: 6, W: 6, C: 1})
	for name, err := range map[string]error{
		"linear":  second(Linear(m(2, 3), m(4, 5), b.input(4))),
		"product": second(Product(m(2, 3), m(4, 5), false)),
		"conv":    second(Conv(g, m(2, 35), m(4, 9), b.input(4))),
		"convT":   second(ConvTranspose(g, m(2, 36), m(2, 36), b.input(1))),
		"shift":   second(Shift(m(2, 3), m(2, 2), m(2, 3))),
		"squared": second(SquaredError(m(2, 3), m(3, 2))),
		"dist":    second(DistanceError(m(2, 1), m(2, 3), m(2, 4))),
		"entropy": second(CrossEntropy(m(2, 3), m(3, 2))),
		"binary":  second(BinaryCrossEntropy(m(2, 3), m(3, 2))),
		"sum":     second(WeightedSum([]float32{1}, m(1, 1), m(1, 1))),
		"keep":    Keep("x", m(2, 3), make([]float32, 5)),
	} {
		if err == nil {
			t.Errorf("%s takes shapes that do not fit", name)
		}
	}
}

func second(_ node, err error) error { return err }
