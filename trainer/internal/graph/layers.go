package graph

import (
	"fmt"
	"runtime"

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
	var p product
	return apply(&op{
		name: fmt.Sprintf("linear(%d,%d,%d)", n, in, out), shape: tensor.Shape{n, out},
		spec: Spec{Kind: KindLinear},
		run: func(y []float32, a [][]float32) {
			p.multiply(y, n, in, out, a[0], gemm.Rows(a[1], in).T(), a[2])
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
	var p product
	return apply(&op{
		name: fmt.Sprintf("product(%d,%d,%d,%t)", n, k, m, transposed), shape: tensor.Shape{n, m},
		spec: Spec{Kind: KindProduct, Transposed: transposed},
		run: func(y []float32, in [][]float32) {
			view := gemm.Rows(in[1], m)
			if transposed {
				view = gemm.Rows(in[1], k).T()
			}
			p.multiply(y, n, k, m, in[0], view, nil)
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

// product is a product of rows with weights.
type product struct{ packed gemm.Packed }

// multiply sets y, n × m, to a·w, plus bias in each row unless it is nil: a is n × k,
// w k × m. Weights are laid out once for all rows. Those that would not fit into a
// cache have no copy: each processor takes some columns of them.
func (p *product) multiply(y []float32, n, k, m int, a []float32, w gemm.View, bias []float32) {
	const large, span = 1 << 20, 256
	if k*m >= large && m >= 2*span {
		tasks((m+span-1)/span, func(t int, ws *nn.Workspace) {
			lo, hi := t*span, min(m, (t+1)*span)
			for i := 0; i < n && bias != nil; i++ {
				copy(y[i*m+lo:i*m+hi], bias[lo:hi])
			}
			part := gemm.View{Data: w.Data[lo*w.Col:], Row: w.Row, Col: w.Col}
			ws.Gemm.Mul(y[lo:], m, n, hi-lo, k, gemm.Rows(a, k), part, bias != nil)
		})
		return
	}
	p.packed.Pack(w, k, m)
	rows(n, func(lo, hi int, ws *nn.Workspace) {
		dst := y[lo*m : hi*m]
		fill(dst, bias)
		ws.Gemm.MulPacked(dst, m, hi-lo, gemm.Rows(a[lo*k:], k), &p.packed, bias != nil)
	})
}

// fill repeats row, which may be nil for nothing, over dst.
func fill(dst, row []float32) {
	if len(row) == 1 {
		for i := range dst {
			dst[i] = row[0]
		}
		return
	}
	if len(dst) == 0 || row == nil {
		return
	}
	const long = 1 << 10 // numbers that are copied at a time: they stay in the cache
	done := copy(dst, row)
	for done < len(dst) {
		done += copy(dst[done:], dst[:min(done, max(long/len(row), 1)*len(row))])
	}
}

// gram returns aᵀ·b, the sum over n rows: a is [n, p], b [n, q]. It is the end
// of what is differentiated.
func gram(a, b node) (node, error) {
	n, p := dims(a)
	nb, q := dims(b)
	if n != nb {
		return nil, mismatch("gram", a, b)
	}
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("gram(%d,%d,%d)", n, p, q), shape: tensor.Shape{p, q},
		spec: Spec{Kind: KindGram},
		run: func(y []float32, in [][]float32) {
			if runtime.GOMAXPROCS(0) == 1 && gemm.Gathers() {
				// Such a kernel reads rows in half the time that it takes for columns.
				packed.Pack(gemm.Rows(in[1], q), n, q)
				tasks(1, func(_ int, ws *nn.Workspace) {
					rows := ws.Columns(n * p)
					transpose(rows, in[0], n, p)
					ws.Gemm.MulPacked(y, q, p, gemm.Rows(rows, n), &packed, false)
				})
				return
			}
			// Cut along the output, so that each element is one sum.
			span := max(1, (p+7)/8)
			if runtime.GOMAXPROCS(0) == 1 { // then b is laid out once
				span = p
			}
			tasks((p+span-1)/span, func(t int, ws *nn.Workspace) {
				lo, hi := t*span, min(p, (t+1)*span)
				ws.Gemm.Mul(y[lo*q:], q, hi-lo, q, n, gemm.View{Data: in[0][lo:], Row: 1, Col: p}, gemm.Rows(in[1], q), false)
			})
		},
	}, a, b)
}

// transpose sets y, p × n, to the transpose of x, n × p.
func transpose(y, x []float32, n, p int) {
	i := 0
	for ; i+8 <= n; i += 8 {
		x0, x1, x2, x3 := x[i*p:][:p], x[(i+1)*p:][:p], x[(i+2)*p:][:p], x[(i+3)*p:][:p]
		x4, x5, x6, x7 := x[(i+4)*p:][:p], x[(i+5)*p:][:p], x[(i+6)*p:][:p], x[(i+7)*p:][:p]
		for j := range p {
			to := y[j*n+i:][:8]
			to[0], to[1], to[2], to[3] = x0[j], x1[j], x2[j], x3[j]
			to[4], to[5], to[6], to[7] = x4[j], x5[j], x6[j], x7[j]
		}
	}
	for ; i < n; i++ {
		for j, v := range x[i*p:][:p] {
			y[j*n+i] = v
		}
	}
}

// columnSums returns the gradient of a bias that was added to every group of
// len(bias) numbers of g's rows, groups of them a row. It is the end of what is
// differentiated.
func columnSums(g node, groups int) (node, error) {
	n, c := dims(g)
	width := c / groups
	sums := newPerChannel(n, groups, width)
	return apply(&op{
		name: fmt.Sprintf("columnSums(%d,%d,%d)", n, c, groups), shape: tensor.Shape{width},
		spec: Spec{Kind: KindColumnSums},
		run: func(y []float32, in [][]float32) {
			sums.sum(y, func(sum []float32, lo, hi int) { vec.AddRows(sum, in[0][lo*width:hi*width]) })
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
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("conv(%v,%d,%d)", g, n, out), shape: tensor.Shape{n, size * out},
		spec: Spec{Kind: KindConv, Geometry: g},
		run: func(y []float32, a [][]float32) {
			packed.Pack(gemm.Rows(a[1], patch).T(), patch, out)
			gather(g, n, y, a[0], &packed, a[2])
		},
		wrt: []bool{ofInput, true, true},
		grad: func(c gorgonia.Nodes, _, d node) (gorgonia.Nodes, error) {
			var input func() (node, error)
			if ofInput {
				input = func() (node, error) { return convInput(g, d, c[1]) }
			}
			return each(
				input,
				func() (node, error) { return convWeight(g, c[0], d) },
				func() (node, error) { return columnSums(d, size) },
			)
		},
	}, x, w, b)
}

// gather sets y, n × OH·OW·w.N, to the patches of n larger images x times w, plus
// bias in each pixel unless it is nil.
func gather(g nn.Geometry, n int, y, x []float32, w *gemm.Packed, bias []float32) {
	in, patch, out := g.H*g.W*g.C, g.Patch(), w.N
	if g.Direct() {
		frames(g, n, func(first, images, lo, hi int, ws *nn.Workspace) {
			dst := y[(first*g.OH+lo)*g.OW*out:][:images*(hi-lo)*g.OW*out]
			fill(dst, bias)
			at := gemm.Places{Image: (hi - lo) * g.OW * out, Y: g.OW * out, X: out}
			p := g.Frames(x[first*in:], images, lo, hi, ws)
			ws.Gemm.MulPatches(dst, at, &p, w, bias != nil)
		})
		return
	}
	bands(n, g.OH, g.OH*g.OW*patch, func(first, images, lo, hi int, ws *nn.Workspace) {
		strips(lo, hi, images*g.OW*patch, func(lo, hi int) {
			each := (hi - lo) * g.OW
			cols := ws.Columns(images * each * patch)
			for i := range images {
				g.Columns(cols[i*each*patch:], x[(first+i)*in:(first+i+1)*in], lo, hi)
			}
			dst := y[(first*g.OH+lo)*g.OW*out:][:images*each*out]
			fill(dst, bias)
			ws.Gemm.MulPacked(dst, out, images*each, gemm.Rows(cols, patch), w, bias != nil)
		})
	})
}

// scatter sets y, n × H·W·C, to the sum of what x, n × OH·OW·k, times w, k × Patch,
// adds to the pixels under each patch, plus bias in each pixel unless it is nil.
func scatter(g nn.Geometry, n int, y, x []float32, w *gemm.Packed, bias []float32) {
	row, patch, k := g.W*g.C, g.Patch(), w.K
	bands(n, g.H, g.OH*g.OW*patch, func(first, images, top, bottom int, ws *nn.Workspace) {
		for i := first; i < first+images; i++ {
			dst := y[(i*g.H+top)*row : (i*g.H+bottom)*row]
			clear(dst) // for what has no bias
			fill(dst, bias)
		}
		lo, hi := g.Under(top, bottom)
		strips(lo, hi, images*g.OW*patch, func(lo, hi int) {
			each := (hi - lo) * g.OW
			cols := ws.Columns(images * each * patch)
			ws.Gemm.MulPacked(cols, patch, images*each, gemm.Rows(x[(first*g.OH+lo)*g.OW*k:], k), w, false)
			for i := range images {
				g.Scatter(y[(first+i)*g.H*row:(first+i+1)*g.H*row], cols[i*each*patch:], lo, hi, top, bottom)
			}
		})
	})
}

// grams sets y, Patch × out, to the sum over all pixels of n smaller images d, of out
// channels, of patches of the larger ones x times what is at the pixel.
func grams(g nn.Geometry, n int, y, x, d []float32, sums *partial) {
	const span = 12 // rows of y, of which some tiles have so many
	in, patch := g.H*g.W*g.C, g.Patch()
	out := len(y) / patch
	spans := (patch + span - 1) / span
	sums.sum(y, spans, func(block []float32, from, to, part, parts int, ws *nn.Workspace) {
		first, end := share(spans, part, parts)
		stretches(g, from, to-from, func(i, images, lo, hi int) {
			p := g.Frames(x[i*in:], images, lo, hi, ws)
			ws.Gemm.MulPatchesT(block, out, first*span, min(patch, end*span), out, &p, d[(i*g.OH+lo)*g.OW*out:], i > from || lo > 0)
		})
	})
}

// correlate leaves in y the sum over all pixels of n smaller images of what f adds to
// a block for some of them: f multiplies pixels patches in cols, of which it has the
// kernel's pixels from number first to end, with what belongs to the smaller images'
// pixels from number at on. It adds to the block if acc, and else sets it.
func correlate(g nn.Geometry, n int, y, x []float32, sums *partial, f func(block, cols []float32, at, pixels, first, end int, acc bool, ws *nn.Workspace)) {
	in := g.H * g.W * g.C
	sums.sum(y, g.Side*g.Side, func(block []float32, from, to, part, parts int, ws *nn.Workspace) {
		first, end := share(g.Side*g.Side, part, parts)
		width := (end - first) * g.C
		images := max(1, unfolded/(g.OH*g.OW*width))
		for i := from; i < to; i += images {
			images := min(images, to-i)
			strips(0, g.OH, images*g.OW*width, func(lo, hi int) {
				each := (hi - lo) * g.OW
				cols := ws.Columns(images * each * width)
				for k := range images {
					g.Taps(cols[k*each*width:], x[(i+k)*in:(i+k+1)*in], lo, hi, first, end)
				}
				f(block, cols, (i*g.OH+lo)*g.OW, images*each, first, end, i > from || lo > 0, ws)
			})
		}
	})
}

// convInput returns the gradient with respect to a convolution's input: d is
// [n, OH·OW·out], w [out, Side²·C]; the result is [n, H·W·C].
func convInput(g nn.Geometry, d, w node) (node, error) {
	n, _ := dims(d)
	out, patch := dims(w)
	var packed gemm.Packed
	back, same := g.Back(out)
	return apply(&op{
		name: fmt.Sprintf("convInput(%v,%d,%d)", g, n, out), shape: tensor.Shape{n, g.H * g.W * g.C},
		spec: Spec{Kind: KindConvInput, Geometry: g},
		run: func(y []float32, a [][]float32) {
			if same {
				scratch(out*patch, func(turned []float32) {
					turnTaps(turned, a[1], g, out)
					packed.Pack(gemm.Rows(turned, g.C), back.Patch(), g.C)
				})
				gather(back, n, y, a[0], &packed, nil)
				return
			}
			packed.Pack(gemm.Rows(a[1], patch), out, patch)
			scatter(g, n, y, a[0], &packed, nil)
		},
	}, d, w)
}

// turnTaps turns weights [out, taps, C] into [taps, out, C], the last of the taps first:
// with them, the gradient of a convolution's input is a convolution of that of its output.
func turnTaps(dst, w []float32, g nn.Geometry, out int) {
	taps := g.Side * g.Side
	for o := range out {
		for t := range taps {
			copy(dst[((taps-1-t)*out+o)*g.C:][:g.C], w[(o*taps+t)*g.C:])
		}
	}
}

// convWeight returns the gradient with respect to a convolution's weight from
// its input x and the gradient d of its output.
func convWeight(g nn.Geometry, x, d node) (node, error) {
	n, _ := dims(d)
	patch := g.Patch()
	out := d.Shape()[1] / (g.OH * g.OW)
	sums := newPartial(n, out*patch)
	return apply(&op{
		name: fmt.Sprintf("convWeight(%v,%d,%d)", g, n, out), shape: tensor.Shape{out, patch},
		spec: Spec{Kind: KindConvWeight, Geometry: g},
		run: func(y []float32, a [][]float32) {
			if g.Direct() {
				scratch(out*patch, func(turned []float32) {
					grams(g, n, turned, a[0], a[1], sums)
					for p := range patch {
						for o, v := range turned[p*out : (p+1)*out] {
							y[o*patch+p] = v
						}
					}
				})
				return
			}
			correlate(g, n, y, a[0], sums, func(block, cols []float32, at, pixels, first, end int, acc bool, ws *nn.Workspace) {
				width := (end - first) * g.C
				ws.Gemm.Mul(block[first*g.C:], patch, out, width, pixels, gemm.Rows(a[1][at*out:], out).T(), gemm.Rows(cols, width), acc)
			})
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
	taps := make([]float32, in*g.Patch())
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("convTranspose(%v,%d,%d)", g, n, in), shape: tensor.Shape{n, out},
		spec: Spec{Kind: KindConvTranspose, Geometry: g},
		run: func(y []float32, a [][]float32) {
			transposeTaps(taps, a[1], g, in)
			packed.Pack(gemm.Rows(taps, g.Patch()), in, g.Patch())
			scatter(g, n, y, a[0], &packed, a[2])
		},
		wrt: []bool{true, true, true},
		grad: func(c gorgonia.Nodes, _, d node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return convTransposeInput(g, d, c[1], in) },
				func() (node, error) { return convTransposeWeight(g, c[0], d, in) },
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
// convolution's input.
func convTransposeInput(g nn.Geometry, d, w node, in int) (node, error) {
	n, _ := dims(d)
	patch := g.Patch()
	taps := make([]float32, in*patch)
	var packed gemm.Packed
	return apply(&op{
		name: fmt.Sprintf("convTransposeInput(%v,%d,%d)", g, n, in), shape: tensor.Shape{n, g.OH * g.OW * in},
		spec: Spec{Kind: KindConvTransposeInput, Geometry: g},
		run: func(y []float32, a [][]float32) {
			transposeTaps(taps, a[1], g, in)
			packed.Pack(gemm.Rows(taps, patch).T(), patch, in)
			gather(g, n, y, a[0], &packed, nil)
		},
	}, d, w)
}

// convTransposeWeight returns the gradient with respect to a transposed
// convolution's weight from its input x and the gradient d of its output.
func convTransposeWeight(g nn.Geometry, x, d node, in int) (node, error) {
	n, _ := dims(d)
	patch, taps := g.Patch(), g.Side*g.Side
	sums := newPartial(n, patch*in)
	turned := make([]float32, patch*in)
	return apply(&op{
		name: fmt.Sprintf("convTransposeWeight(%v,%d,%d)", g, n, in), shape: tensor.Shape{g.C, taps * in},
		spec: Spec{Kind: KindConvTransposeWeight, Geometry: g},
		run: func(y []float32, a [][]float32) {
			if g.Direct() {
				grams(g, n, turned, a[1], a[0], sums)
			} else {
				correlate(g, n, turned, a[1], sums, func(block, cols []float32, at, pixels, first, end int, acc bool, ws *nn.Workspace) {
					width := (end - first) * g.C
					ws.Gemm.Mul(block[first*g.C*in:], in, width, in, pixels, gemm.Rows(cols, width).T(), gemm.Rows(a[0][at*in:], in), acc)
				})
			}
			for c := range g.C {
				for t := range taps {
					copy(y[(c*taps+t)*in:(c*taps+t+1)*in], turned[(t*g.C+c)*in:])
				}
			}
		},
	}, x, d)
}
