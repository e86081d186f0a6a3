package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/gemm"
	"mppm/shared/nn"
	"mppm/shared/vec"
)

type node = *gorgonia.Node

func dims(n node) (r, c int) { return n.Shape()[0], n.Shape()[1] }

// mismatch is the error of shapes that do not fit.
func mismatch(what string, in ...node) error {
	var s []tensor.Shape
	for _, n := range in {
		s = append(s, n.Shape())
	}
	return fmt.Errorf("graph: %s: shapes %v do not fit", what, s)
}

// Linear returns x·wᵀ + b: x is [n, in], w [out, in], b [out].
func Linear(x, w, b node) (node, error) {
	n, in := dims(x)
	out, win := dims(w)
	if win != in || b.Shape()[0] != out {
		return nil, mismatch("linear", x, w, b)
	}
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("linear(%d,%d,%d)", n, in, out), shape: tensor.Shape{n, out},
		spec: Spec{Kind: KindLinear},
		run: func(y []float32, a [][]float32) {
			packed.Pack(gemm.Rows(a[1], in).T(), in, out)
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				dst := y[lo*out : hi*out]
				for i := 0; i < len(dst); i += out {
					copy(dst[i:], a[2][:out])
				}
				ws.Gemm.MulPacked(dst, out, hi-lo, gemm.Rows(a[0][lo*in:], in), &packed, true)
			})
		},
		wrt: []bool{true, true, true},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return Product(g, c[1], false) },
				func() (node, error) { return gram(g, c[0]) },
				func() (node, error) { return columnSums(g, 1) },
			)
		},
	}, x, w, b)
}

// Product returns a·w, or a·wᵀ: a is [n, k], w is [k, m], or [m, k].
func Product(a, w node, transposed bool) (node, error) {
	n, k := dims(a)
	wk, m := dims(w)
	if transposed {
		wk, m = m, wk
	}
	if wk != k {
		return nil, mismatch("product", a, w)
	}
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("product(%d,%d,%d,%t)", n, k, m, transposed), shape: tensor.Shape{n, m},
		spec: Spec{Kind: KindProduct, Transposed: transposed},
		run: func(y []float32, in [][]float32) {
			view := gemm.Rows(in[1], m)
			if transposed {
				view = gemm.Rows(in[1], k).T()
			}
			packed.Pack(view, k, m)
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				ws.Gemm.MulPacked(y[lo*m:], m, hi-lo, gemm.Rows(in[0][lo*k:], k), &packed, false)
			})
		},
		wrt: []bool{true, true},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return Product(g, c[1], !transposed) },
				func() (node, error) {
					if transposed {
						return gram(g, c[0])
					}
					return gram(c[0], g)
				},
			)
		},
	}, a, w)
}

// gram returns aᵀ·b, the sum over n rows: a is [n, p], b [n, q]. It is the end
// of what is differentiated.
func gram(a, b node) (node, error) {
	n, p := dims(a)
	nb, q := dims(b)
	if n != nb {
		return nil, mismatch("gram", a, b)
	}
	return apply(&op{
		name: fmt.Sprintf("gram(%d,%d,%d)", n, p, q), shape: tensor.Shape{p, q},
		spec: Spec{Kind: KindGram},
		run: func(y []float32, in [][]float32) {
			// Cut along the output, so that each element is one sum.
			span := max(1, (p+7)/8)
			tasks((p+span-1)/span, func(t int, ws *nn.Workspace) {
				lo, hi := t*span, min(p, (t+1)*span)
				ws.Gemm.Mul(y[lo*q:], q, hi-lo, q, n, gemm.View{Data: in[0][lo:], Row: 1, Col: p}, gemm.Rows(in[1], q), false)
			})
		},
	}, a, b)
}

// columnSums returns the gradient of a bias that was added to every group of
// len(bias) numbers of g's rows, groups of them a row. It is the end of what is
// differentiated.
func columnSums(g node, groups int) (node, error) {
	n, c := dims(g)
	width := c / groups
	sums := newPartial(n, width)
	return apply(&op{
		name: fmt.Sprintf("columnSums(%d,%d,%d)", n, c, groups), shape: tensor.Shape{width},
		spec: Spec{Kind: KindColumnSums},
		run: func(y []float32, in [][]float32) {
			rows(n, func(s, lo, hi int, _ *nn.Workspace) {
				b := sums.block(s)
				clear(b)
				if width == 1 {
					var sum float32
					for _, v := range in[0][lo*c : hi*c] {
						sum += v
					}
					b[0] = sum
					return
				}
				for i := lo * c; i < hi*c; i += width {
					vec.Add(b, in[0][i:i+width])
				}
			})
			sums.sum(y)
		},
	}, g)
}

// Conv returns the convolution of images: x is [n, H·W·C], w [out, Side²·C],
// b [out]; the result is [n, OH·OW·out].
func Conv(g nn.Geometry, x, w, b node) (node, error) { return conv(g, x, w, b, true) }

// ConvOfData is Conv of images that are data: nothing asks for the gradient with
// respect to x, the costliest of the three in a net's first layer, and there is none.
func ConvOfData(g nn.Geometry, x, w, b node) (node, error) { return conv(g, x, w, b, false) }

func conv(g nn.Geometry, x, w, b node, ofInput bool) (node, error) {
	n, in := dims(x)
	out, patch := dims(w)
	size := g.OH * g.OW
	if in != g.H*g.W*g.C || patch != g.Patch() || b.Shape()[0] != out {
		return nil, mismatch("convolution", x, w, b)
	}
	cols := make([]float32, n*size*patch)
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("conv(%v,%d,%d)", g, n, out), shape: tensor.Shape{n, size * out},
		spec: Spec{Kind: KindConv, Geometry: g},
		run: func(y []float32, a [][]float32) {
			packed.Pack(gemm.Rows(a[1], patch).T(), patch, out)
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				c := cols[lo*size*patch : hi*size*patch]
				g.Columns(c, a[0][lo*in:], hi-lo)
				dst := y[lo*size*out : hi*size*out]
				for i := 0; i < len(dst); i += out {
					copy(dst[i:], a[2][:out])
				}
				ws.Gemm.MulPacked(dst, out, (hi-lo)*size, gemm.Rows(c, patch), &packed, true)
			})
		},
		wrt: []bool{ofInput, true, true},
		grad: func(c gorgonia.Nodes, _, d node) (gorgonia.Nodes, error) {
			var input func() (node, error)
			if ofInput {
				input = func() (node, error) { return convInput(g, d, c[1]) }
			}
			return each(
				input,
				func() (node, error) { return convWeight(g, c[0], d, cols) },
				func() (node, error) { return columnSums(d, size) },
			)
		},
	}, x, w, b)
}

// convInput returns the gradient with respect to a convolution's input: d is
// [n, OH·OW·out], w [out, Side²·C]; the result is [n, H·W·C].
func convInput(g nn.Geometry, d, w node) (node, error) {
	n, _ := dims(d)
	out, patch := dims(w)
	size, in := g.OH*g.OW, g.H*g.W*g.C
	return apply(&op{
		name: fmt.Sprintf("convInput(%v,%d,%d)", g, n, out), shape: tensor.Shape{n, in},
		spec: Spec{Kind: KindConvInput, Geometry: g},
		run: func(y []float32, a [][]float32) {
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				cols := ws.Columns((hi - lo) * size * patch)
				ws.Gemm.Mul(cols, patch, (hi-lo)*size, patch, out, gemm.Rows(a[0][lo*size*out:], out), gemm.Rows(a[1], patch), false)
				dst := y[lo*in : hi*in]
				clear(dst)
				g.Scatter(dst, cols, hi-lo)
			})
		},
	}, d, w)
}

// convWeight returns the gradient with respect to a convolution's weight from
// its input x and the gradient d of its output. cols holds the patches of x,
// which the forward operation left there.
func convWeight(g nn.Geometry, x, d node, cols []float32) (node, error) {
	n, _ := dims(d)
	size, patch := g.OH*g.OW, g.Patch()
	out := d.Shape()[1] / size
	sums := newPartial(n, out*patch)
	return apply(&op{
		name: fmt.Sprintf("convWeight(%v,%d,%d)", g, n, out), shape: tensor.Shape{out, patch},
		spec: Spec{Kind: KindConvWeight, Geometry: g},
		run: func(y []float32, a [][]float32) {
			rows(n, func(s, lo, hi int, ws *nn.Workspace) {
				ws.Gemm.Mul(sums.block(s), patch, out, patch, (hi-lo)*size,
					gemm.Rows(a[1][lo*size*out:], out).T(), gemm.Rows(cols[lo*size*patch:], patch), false)
			})
			sums.sum(y)
		},
	}, x, d)
}

// ConvTranspose returns the transposed convolution of images: x is
// [n, OH·OW·in], w [C, Side²·in], b [C]; the result is [n, H·W·C].
func ConvTranspose(g nn.Geometry, x, w, b node) (node, error) {
	n, width := dims(x)
	size, out := g.OH*g.OW, g.H*g.W*g.C
	in := width / size
	channels, k := dims(w)
	if width != size*in || channels != g.C || k != g.Side*g.Side*in || b.Shape()[0] != channels {
		return nil, mismatch("transposed convolution", x, w, b)
	}
	patch := g.Patch()
	taps := make([]float32, in*patch)
	return apply(&op{
		name: fmt.Sprintf("convTranspose(%v,%d,%d)", g, n, in), shape: tensor.Shape{n, out},
		spec: Spec{Kind: KindConvTranspose, Geometry: g},
		run: func(y []float32, a [][]float32) {
			transposeTaps(taps, a[1], g, in)
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				cols := ws.Columns((hi - lo) * size * patch)
				ws.Gemm.Mul(cols, patch, (hi-lo)*size, patch, in, gemm.Rows(a[0][lo*width:], in), gemm.Rows(taps, patch), false)
				dst := y[lo*out : hi*out]
				if g.C == 1 {
					for i := range dst {
						dst[i] = a[2][0]
					}
				} else {
					for i := 0; i < len(dst); i += g.C {
						copy(dst[i:], a[2][:g.C])
					}
				}
				g.Scatter(dst, cols, hi-lo)
			})
		},
		wrt: []bool{true, true, true},
		grad: func(c gorgonia.Nodes, _, d node) (gorgonia.Nodes, error) {
			// The patches of d serve both gradients; the first to run makes them.
			dx, cols, err := convTransposeInput(g, d, c[1], in)
			if err != nil {
				return nil, err
			}
			return each(
				func() (node, error) { return dx, nil },
				func() (node, error) { return convTransposeWeight(g, c[0], d, dx, cols, in) },
				func() (node, error) { return columnSums(d, g.H*g.W) },
			)
		},
	}, x, w, b)
}

// transposeTaps turns weights [C, taps, in] into [in, taps·C], the order of a
// patch.
func transposeTaps(dst, w []float32, g nn.Geometry, in int) {
	taps := g.Side * g.Side
	for c := range g.C {
		for t := range taps {
			for i, v := range w[(c*taps+t)*in : (c*taps+t+1)*in] {
				dst[i*taps*g.C+t*g.C+c] = v
			}
		}
	}
}

// convTransposeInput returns the gradient with respect to a transposed
// convolution's input, and the patches of d that it leaves behind.
func convTransposeInput(g nn.Geometry, d, w node, in int) (node, []float32, error) {
	n, out := dims(d)
	size, patch := g.OH*g.OW, g.Patch()
	cols := make([]float32, n*size*patch)
	taps := make([]float32, in*patch)
	var packed gemm.Packed
	x, err := apply(&op{
		name: fmt.Sprintf("convTransposeInput(%v,%d,%d)", g, n, in), shape: tensor.Shape{n, size * in},
		spec: Spec{Kind: KindConvTransposeInput, Geometry: g},
		run: func(y []float32, a [][]float32) {
			transposeTaps(taps, a[1], g, in)
			packed.Pack(gemm.Rows(taps, patch).T(), patch, in)
			rows(n, func(_, lo, hi int, ws *nn.Workspace) {
				c := cols[lo*size*patch : hi*size*patch]
				g.Columns(c, a[0][lo*out:], hi-lo)
				ws.Gemm.MulPacked(y[lo*size*in:], in, (hi-lo)*size, gemm.Rows(c, patch), &packed, false)
			})
		},
	}, d, w)
	return x, cols, err
}

// convTransposeWeight returns the gradient with respect to a transposed
// convolution's weight from its input x and the gradient d of its output. after
// is the node that fills cols with the patches of d; naming it an input puts it
// first.
func convTransposeWeight(g nn.Geometry, x, d, after node, cols []float32, in int) (node, error) {
	n, _ := dims(d)
	size, patch := g.OH*g.OW, g.Patch()
	taps := g.Side * g.Side
	sums := newPartial(n, patch*in)
	turned := make([]float32, patch*in)
	return apply(&op{
		name: fmt.Sprintf("convTransposeWeight(%v,%d,%d)", g, n, in), shape: tensor.Shape{g.C, taps * in},
		spec: Spec{Kind: KindConvTransposeWeight, Geometry: g},
		run: func(y []float32, a [][]float32) {
			rows(n, func(s, lo, hi int, ws *nn.Workspace) {
				ws.Gemm.Mul(sums.block(s), in, patch, in, (hi-lo)*size,
					gemm.Rows(cols[lo*size*patch:], patch).T(), gemm.Rows(a[0][lo*size*in:], in), false)
			})
			sums.sum(turned)
			for c := range g.C {
				for t := range taps {
					copy(y[(c*taps+t)*in:(c*taps+t+1)*in], turned[(t*g.C+c)*in:])
				}
			}
		},
	}, x, d, after)
}
