package nn

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/gemm"
	"mppm/shared/rng"
	"mppm/shared/vec"
)

func random(n int, seed uint64) []float32 {
	s := make([]float32, n)
	rng.New(seed, 1).FillNorm(s, 1)
	return s
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > 4e-5*(1+math.Abs(w)) { // sums of 288 rounded terms
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], w)
		}
	}
}

var geometries = []Geometry{
	Halving.On(Shape{28, 28, 1}), Halving.On(Shape{14, 14, 32}), Halving.On(Shape{7, 5, 3}), {H: 6, W: 6, OH: 6, OW: 6, C: 2, Side: 3, Stride: 1, Pad: 1}, {H: 5, W: 9, OH: 2, OW: 4, C: 4, Side: 2, Stride: 2},
	// Too large to be unfolded at once.
	Same.On(Shape{19, 90, 24}), Halving.On(Shape{31, 120, 40}),
}

// direct visits every (image, output pixel, kernel tap, input pixel) inside.
func direct(g Geometry, n int, visit func(out, tap, in int)) {
	for i := range n {
		for oy := range g.OH {
			for ox := range g.OW {
				for ky := range g.Side {
					for kx := range g.Side {
						y, x := oy*g.Stride-g.Pad+ky, ox*g.Stride-g.Pad+kx
						if y >= 0 && y < g.H && x >= 0 && x < g.W {
							visit((i*g.OH+oy)*g.OW+ox, ky*g.Side+kx, (i*g.H+y)*g.W+x)
						}
					}
				}
			}
		}
	}
}

func TestConvAgainstDefinition(t *testing.T) {
	for _, g := range geometries {
		for _, n := range []int{1, 3, 130} {
			if n > 3 && g.H > 14 {
				n = 7
			}
			const out = 5
			x, w, b := random(n*g.H*g.W*g.C, 1), random(out*g.Patch(), 2), random(out, 3)
			c, err := newConv(g, out, w, b)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, n*g.OH*g.OW*out)
			c.forward(got, x, n, new(Workspace))
			want := make([]float64, len(got))
			for i := range want {
				want[i] = float64(b[i%out])
			}
			direct(g, n, func(o, tap, in int) {
				for k := range out {
					for ch := range g.C {
						want[o*out+k] += float64(x[in*g.C+ch]) * float64(w[(k*g.Side*g.Side+tap)*g.C+ch])
					}
				}
			})
			near(t, "conv", got, want)
		}
	}
}

func TestConvTransposeAgainstDefinition(t *testing.T) {
	for _, g := range geometries {
		for _, n := range []int{1, 3, 9} {
			const in = 5
			x, w, b := random(n*g.OH*g.OW*in, 1), random(in*g.Patch(), 2), random(g.C, 3)
			c, err := newConvTranspose(g, in, w, b)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, n*g.H*g.W*g.C)
			c.forward(got, x, n, new(Workspace))
			want := make([]float64, len(got))
			for i := range want {
				want[i] = float64(b[i%g.C])
			}
			direct(g, n, func(o, tap, p int) {
				for ch := range g.C {
					for k := range in {
						want[p*g.C+ch] += float64(x[o*in+k]) * float64(w[(ch*g.Side*g.Side+tap)*in+k])
					}
				}
			})
			near(t, "transposed conv", got, want)
		}
	}
}

// TestInside: a convolution that leaves out what is outside of its images is, bit for
// bit, the one that multiplies it as 0, with a bias of −0 too.
func TestInside(t *testing.T) {
	for _, g := range geometries {
		const n, out = 3, 9
		if g.H > 20 {
			continue
		}
		x, w, b := random(n*g.H*g.W*g.C, 1), random(out*g.Patch(), 2), random(out, 3)
		clear(x[:g.W*g.C*2])
		b[4] = float32(math.Copysign(0, -1))
		c, err := newConv(g, out, w, b)
		if err != nil {
			t.Fatal(err)
		}
		for _, act := range []Activation{Identity, ReLU, SiLU} {
			var y [2][]float32
			for k := range y {
				c.parts = nil
				if k > 0 {
					c.parts = g.inside()
				}
				y[k] = random(n*g.OH*g.OW*out, 4) // what lies there before is for nothing
				c.activate(y[k], x, n, act, new(Workspace))
			}
			for i, v := range y[0] {
				if math.Float32bits(y[1][i]) != math.Float32bits(v) {
					t.Fatalf("%+v, %s: number %d is %v, with what is outside %v", g, act, i, y[1][i], v)
				}
			}
		}
	}
}

// TestTaps: a transposed convolution whose taps are added up as their products come is,
// bit for bit, the one that makes patches and adds them up, with ReLU and without.
func TestTaps(t *testing.T) {
	for _, g := range append(slices.Clone(geometries), Geometry{H: 9, W: 11, OH: 3, OW: 3, C: 9, Side: 2, Stride: 4, Pad: 0}) {
		const n, in = 3, 13
		if g.H > 20 {
			continue
		}
		x, w, b := random(n*g.OH*g.OW*in, 1), random(in*g.Patch(), 2), random(g.C, 3)
		for _, act := range []Activation{Identity, ReLU, SiLU} {
			var y [2][]float32
			for k := range y {
				c := &convTranspose{Geometry: g, in: in, bias: b}
				if k == 0 {
					c.byPatches(w)
				} else {
					c.byTaps(w)
				}
				y[k] = random(n*g.H*g.W*g.C, 4) // what lies there before is for nothing
				c.activate(y[k], x, n, act, new(Workspace))
			}
			for i, v := range y[0] {
				if math.Float32bits(y[1][i]) != math.Float32bits(v) {
					t.Fatalf("%+v, %s: number %d is %v by taps, %v by patches", g, act, i, y[1][i], v)
				}
			}
		}
	}
}

// TestPatches: patches can be had, and added up, in parts: some rows, some pixels of
// the kernel, some rows of the larger image.
func TestPatches(t *testing.T) {
	for _, g := range append(geometries, Geometry{H: 7, W: 3, OH: 3, OW: 2, C: 1, Side: 3, Stride: 3, Pad: 2}) {
		img, patch := random(g.H*g.W*g.C, 1), g.Patch()
		want := make([]float32, g.OH*g.OW*patch)
		direct(g, 1, func(o, tap, in int) { copy(want[o*patch+tap*g.C:], img[in*g.C:(in+1)*g.C]) })
		got := random(len(want), 2)
		for _, rows := range [][2]int{{0, 1}, {1, g.OH}} {
			for _, taps := range [][2]int{{0, 1}, {1, g.Side*g.Side - 1}, {g.Side*g.Side - 1, g.Side * g.Side}} {
				width := (taps[1] - taps[0]) * g.C
				cols := random((rows[1]-rows[0])*g.OW*width, 3)
				g.Taps(cols, img, rows[0], rows[1], taps[0], taps[1])
				for i := range (rows[1] - rows[0]) * g.OW {
					copy(got[(rows[0]*g.OW+i)*patch+taps[0]*g.C:], cols[i*width:(i+1)*width])
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: the parts of the patches are not the patches", g)
		}
		g.Columns(got, img, 0, g.OH)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: the patches are not those of the definition", g)
		}
		cols := random(len(want), 4)
		whole, parts := random(len(img), 5), random(len(img), 5)
		g.Scatter(whole, cols, 0, g.OH, 0, g.H)
		for _, rows := range [][2]int{{0, 1}, {1, g.H / 2}, {g.H / 2, g.H}} {
			from, to := g.Under(rows[0], rows[1])
			if from < to {
				g.Scatter(parts, cols[from*g.OW*patch:], from, to, rows[0], rows[1])
			}
		}
		if !slices.Equal(parts, whole) {
			t.Errorf("%+v: the sums of the parts are not those of the whole", g)
		}
	}
}

func TestLinear(t *testing.T) {
	const n, in, out = 3, 7, 4
	x, w, b := random(n*in, 1), random(in*out, 2), random(out, 3)
	l, err := newLinear(in, out, w, b)
	if err != nil {
		t.Fatal(err)
	}
	ws := new(Workspace)
	got := make([]float32, n*out)
	l.forward(got, x, n, ws)
	want := make([]float64, n*out)
	for i := range n {
		for o := range out {
			want[i*out+o] = float64(b[o])
			for k := range in {
				want[i*out+o] += float64(w[o*in+k]) * float64(x[i*in+k])
			}
		}
	}
	near(t, "linear", got, want)
	gy := random(n*out, 4)
	gx := make([]float32, n*in)
	l.back(gx, gy, n, ws)
	want = make([]float64, n*in)
	for i := range n {
		for k := range in {
			for o := range out {
				want[i*in+k] += float64(w[o*in+k]) * float64(gy[i*out+o])
			}
		}
	}
	near(t, "linear back", gx, want)
}

// TestActivations holds each activation and its derivative to float64, the
// derivative by a central difference.
func TestActivations(t *testing.T) {
	f := map[Activation]func(float64) float64{
		Identity:  func(x float64) float64 { return x },
		ReLU:      func(x float64) float64 { return math.Max(x, 0) },
		LeakyReLU: func(x float64) float64 { return math.Max(x, 0.2*x) },
		Sigmoid:   func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		SiLU:      func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	}
	ws := new(Workspace)
	for a, f := range f {
		if !a.Valid() {
			t.Errorf("%q is not valid", a)
		}
		h := random(333, 5)
		got := append([]float32(nil), h...)
		a.Apply(got, got, ws)
		g := random(333, 6)
		want, dwant := make([]float64, len(h)), make([]float64, len(h))
		for i, v := range h {
			x := float64(v)
			want[i] = f(x)
			dwant[i] = float64(g[i]) * (f(x+1e-5) - f(x-1e-5)) / 2e-5
		}
		a.Derive(g, g, h, ws)
		near(t, string(a), got, want)
		near(t, string(a)+"'", g, dwant)
	}
	if Activation("tanh").Valid() {
		t.Error("tanh is not an activation of this package, and is called valid")
	}
}

func TestWrongLengths(t *testing.T) {
	g := Halving.On(Shape{4, 4, 1})
	if _, err := newLinear(2, 3, make([]float32, 5), make([]float32, 3)); err == nil {
		t.Error("newLinear took 5 weights for 6")
	}
	if _, err := newConv(g, 3, make([]float32, 26), make([]float32, 3)); err == nil {
		t.Error("newConv took 26 weights for 27")
	}
	if _, err := newConvTranspose(g, 3, make([]float32, 27), make([]float32, 3)); err == nil {
		t.Error("newConvTranspose took 3 biases for 1")
	}
}

// TestInPlace: a convolution of images where they lie is, bit for bit, the product of
// copied patches with the weights.
func TestInPlace(t *testing.T) {
	for _, g := range []Geometry{
		Same.On(Shape{5, 13, 3}), Same.On(Shape{19, 90, 24}), Halving.On(Shape{31, 120, 40}), Pairs.On(Shape{8, 27, 6}),
		Same.On(Shape{40, 14, 2}), {H: 20, W: 60, OH: 4, OW: 15, C: 3, Side: 8, Stride: 4, Pad: 2},
	} {
		for _, out := range []int{1, 3, 16, 37} {
			const n = 3
			x, w, b := random(n*g.H*g.W*g.C, 1), random(out*g.Patch(), 2), random(out, 3)
			c, err := newConv(g, out, w, b)
			if err != nil {
				t.Fatal(err)
			}
			if !g.Direct() || g.OW < 12 {
				t.Fatalf("%+v is not taken where it lies", g)
			}
			var ws Workspace
			got := make([]float32, n*g.OH*g.OW*out)
			c.forward(got, x, n, &ws)
			var want []float32
			for i := range n {
				cols, y := make([]float32, g.OH*g.OW*g.Patch()), make([]float32, g.OH*g.OW*out)
				g.Columns(cols, x[i*g.H*g.W*g.C:(i+1)*g.H*g.W*g.C], 0, g.OH)
				vec.Repeat(y, b)
				ws.Gemm.MulPacked(y, out, g.OH*g.OW, gemm.Rows(cols, g.Patch()), c.weight, true)
				want = append(want, y...)
			}
			for i, v := range want {
				if math.Float32bits(got[i]) != math.Float32bits(v) {
					t.Fatalf("%+v to %d: number %d is %v, of copied patches %v", g, out, i, got[i], v)
				}
			}
		}
	}
}
