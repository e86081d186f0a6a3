package unet_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/nn/nntest"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
)

// TestTable9: the sizes of the paper, at its side of 120.
func TestTable9(t *testing.T) {
	image := nn.Shape{H: 120, W: 120, C: 3}
	n, err := unet.New(image, unet.Table9())
	if err != nil {
		t.Fatal(err)
	}
	if n.F.Out() != nn.Vector(1024) || n.G.Out() != image || n.G.In() != nn.Vector(1024) {
		t.Errorf("F makes %v, G makes %v of %v", n.F.Out(), n.G.Out(), n.G.In())
	}
	for i, want := range []nn.Shape{{H: 120, W: 120, C: 32}, {H: 60, W: 60, C: 64}, {H: 30, W: 30, C: 128}, {H: 15, W: 15, C: 256}} {
		f, _ := n.F.Value(n.Skips()[i])
		p, _ := n.P.Value(n.Skips()[i])
		if n.F.Shape(f) != want || n.P.Shape(p) != want || n.G.Shape(n.G.Inputs()[i+1]) != want {
			t.Errorf("%s is %v, its projection %v, and G takes %v; want %v", n.Skips()[i], n.F.Shape(f), n.P.Shape(p), n.G.Shape(n.G.Inputs()[i+1]), want)
		}
	}
	shapes := map[string][]int{}
	for _, net := range []*nn.Net{n.F, n.P, n.G} {
		for _, s := range net.Specs() {
			shapes[s.Name] = s.Shape
		}
	}
	for name, want := range map[string][]int{
		"encoder.0.conv1.weight": {32, 3, 3, 3}, "encoder.3.norm2.weight": {256}, "encoder.linear.weight": {1024, 12544},
		"decoder.linear.weight": {12544, 1024}, "decoder.3.deconv.weight": {256, 2, 2, 256}, "decoder.3.conv1.weight": {256, 3, 3, 512},
		"decoder.3.conv2.weight": {128, 3, 3, 256}, "decoder.0.conv2.weight": {32, 3, 3, 32}, "decoder.out.weight": {3, 3, 3, 32},
		"projection.linear.weight": {12544, 1024}, "projection.0.weight": {32, 2, 2, 64},
	} {
		if !slices.Equal(shapes[name], want) {
			t.Errorf("%s has shape %v, want %v", name, shapes[name], want)
		}
	}
}

func small(t *testing.T) (*latent.Nets, *safetensors.File) {
	t.Helper()
	n, err := unet.New(nn.Shape{H: 13, W: 11, C: 3}, unet.Config{Channels: []int{4, 6, 5}, Latent: 7})
	if err != nil {
		t.Fatal(err)
	}
	return n, nntest.File(1, n.F, n.P, n.G)
}

func load(t *testing.T, n *nn.Net, f *safetensors.File) *nn.Runner {
	t.Helper()
	fn, err := n.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return fn.Runner(4)
}

// TestProjectedSkips: x' = G(S_i + Ŝ_i(z'), z') of an image with odd sides, for a
// code z' that has moved, is what the definitions of the layers give; with batch norm
// and with all of it folded.
func TestProjectedSkips(t *testing.T) {
	n, file := small(t)
	const rows = 2
	x := make([]float32, rows*n.F.In().Size())
	rng.New(2, 0).FillNorm(x, 1)
	moved := make([]float32, rows*7)
	rng.New(3, 0).FillNorm(moved, 0.3)

	wantF := nntest.Forward(t, n.F, file, rows, x)
	z := make([]float32, rows*7)
	f := load(t, n.F, file)
	f.Forward(z, x)
	nntest.Near(t, "z", z, wantF[n.F.Output()], 1e-4)
	for i := range moved {
		moved[i] += z[i]
	}
	p := load(t, n.P, file)
	p.Forward(make([]float32, rows*n.P.Out().Size()), moved)
	wantP := nntest.Forward(t, n.P, file, rows, moved)
	inputs := [][]float32{moved}
	for _, name := range n.Skips() {
		sum := slices.Clone(f.Kept(name))
		for i, v := range p.Kept(name) {
			sum[i] += v
		}
		inputs = append(inputs, sum)
		a, _ := n.F.Value(name)
		b, _ := n.P.Value(name)
		want := slices.Clone(wantF[a])
		for i, v := range wantP[b] {
			want[i] += v
		}
		nntest.Near(t, name, sum, want, 1e-4)
	}
	y := make([]float32, len(x))
	load(t, n.G, file).Forward(y, moved, inputs[1:]...)
	nntest.Near(t, "x'", y, nntest.Forward(t, n.G, file, rows, inputs...)[n.G.Output()], 1e-4)

	g, folded, err := n.G.Fold(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Buffers()) != 0 {
		t.Errorf("folded, G has the buffers %v", g.Buffers())
	}
	again := make([]float32, len(x))
	load(t, g, folded).Forward(again, moved, inputs[1:]...)
	for i, v := range again {
		if math.Abs(float64(v-y[i])) > 1e-5 {
			t.Fatalf("number %d is %v folded, and %v with batch norm", i, v, y[i])
		}
	}
}

// TestDistance: dropout is nothing to the net as it is used.
func TestDistance(t *testing.T) {
	n, err := unet.Distance(7, []int{6, 5, 4})
	if err != nil {
		t.Fatal(err)
	}
	file := nntest.File(1, n)
	fn, err := n.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := fn.Field()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := nn.LoadMLP(file, "distance", 7, 1, nn.ReLU)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 3*7)
	rng.New(1, 1).FillNorm(x, 1)
	got, want, grad := make([]float32, 3), make([]float32, 3), make([]float32, len(x))
	d.Runner(2).Evaluate(got, grad, x)
	plain.Runner(3).Forward(want, x)
	if !slices.Equal(got, want) {
		t.Errorf("with dropout %v, without %v", got, want)
	}
	if !slices.ContainsFunc(grad, func(g float32) bool { return g != 0 }) {
		t.Error("there is no gradient")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		image nn.Shape
		c     unet.Config
		want  string
	}{
		{nn.Shape{H: 15, W: 16, C: 3}, unet.Table9(), "the encoder: nn: layer"},
		{nn.Shape{}, unet.Table9(), "0×0×0"},
		{nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Latent: 3}, "no blocks"},
		{nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Channels: []int{0}, Latent: 3}, "16×16×0"},
		{nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Channels: []int{4}}, "1×1×0"},
	} {
		if _, err := unet.New(c.image, c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %+v: error %v, want one with %q", c.image, c.c, err, c.want)
		}
	}
}

// BenchmarkReconstruct times F, and F and G with skips, of an image as the shipped nets
// have it.
func BenchmarkReconstruct(b *testing.B) {
	n, err := unet.New(nn.Shape{H: 96, W: 96, C: 3}, unet.Config{Channels: []int{16, 32, 64, 128, 128}, Latent: 192})
	if err != nil {
		b.Fatal(err)
	}
	file := nntest.File(1, n.F, n.G)
	runner := func(net *nn.Net) *nn.Runner {
		fn, err := net.Load(file)
		if err != nil {
			b.Fatal(err)
		}
		return fn.Runner(1)
	}
	f, g := runner(n.F), runner(n.G)
	x, z := make([]float32, n.F.In().Size()), make([]float32, n.F.Out().Size())
	rng.New(2, 0).FillNorm(x, 1)
	b.Run("F", func(b *testing.B) {
		for b.Loop() {
			f.Forward(z, x)
		}
	})
	b.Run("FG", func(b *testing.B) {
		for b.Loop() {
			f.Forward(z, x)
			var skips [][]float32
			for _, name := range n.Skips() {
				skips = append(skips, f.Kept(name))
			}
			g.Forward(x, z, skips...)
		}
	})
}
