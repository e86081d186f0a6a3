package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
	"mppm/shared/vec"
)

// What the U-Net of Table 9 has beyond the nets of Table 8, as Spec names it.
const (
	KindConcatenate      Kind = "concatenate"      // a [n, pixels·Sizes[0]], b [n, pixels·Sizes[1]]: their channels side by side
	KindChannels         Kind = "channels"         // x [n, pixels·Sizes[0]]: Sizes[2] of its channels from number Sizes[1] on
	KindMaxPool          Kind = "maxPool"          // x [n, H·W·C]: the largest under each kernel [n, OH·OW·C]
	KindMaxPoolInput     Kind = "maxPoolInput"     // x, g [n, OH·OW·C]: the gradient of x
	KindDropout          Kind = "dropout"          // x of any shape, a counter [1, 1]: x with some numbers 0, by Seed
	KindChannelMeans     Kind = "channelMeans"     // x [n, pixels·channels]: [channels]
	KindChannelVariances Kind = "channelVariances" // x, its means: [channels]
	KindBatchNorm        Kind = "batchNorm"        // x, its means and variances, γ, β [channels]: γ·(x − mean)/√(variance + ε) + β
	KindBatchNormScale   Kind = "batchNormScale"   // x, means, variances, g: the gradient of γ
	KindBatchNormInput   Kind = "batchNormInput"   // x, means, variances, γ, g, the gradients of β and γ: the gradient of x
)

// Concatenate returns the channels of two batches of channels-last images side by
// side: a is [n, image·ca], b [n, image·cb], of images of so many pixels.
func Concatenate(image int, a, b node) (node, error) {
	n, wa := dims(a)
	nb, wb := dims(b)
	if n != nb || image < 1 || wa%image != 0 || wb%image != 0 {
		return nil, mismatch("concatenation", a, b)
	}
	ca, cb := wa/image, wb/image
	return apply(&op{
		name: fmt.Sprintf("concatenate(%d,%d,%d,%d)", n, image, ca, cb), shape: tensor.Shape{n, wa + wb},
		spec: Spec{Kind: KindConcatenate, Sizes: []int{ca, cb}},
		run: func(y []float32, in [][]float32) {
			pixels(n*image, ca+cb, func(lo, hi int) {
				for p := lo; p < hi; p++ {
					copy(y[p*(ca+cb):], in[0][p*ca:(p+1)*ca])
					copy(y[p*(ca+cb)+ca:], in[1][p*cb:(p+1)*cb])
				}
			})
		},
		wrt: []bool{true, true},
		grad: func(_ gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return channels(g, ca+cb, 0, ca) },
				func() (node, error) { return channels(g, ca+cb, ca, cb) },
			)
		},
	}, a, b)
}

// channels returns count of the all channels of images, from number first on. It
// is the end of what is differentiated.
func channels(x node, all, first, count int) (node, error) {
	n, w := dims(x)
	return apply(&op{
		name: fmt.Sprintf("channels(%d,%d,%d,%d,%d)", n, w, all, first, count), shape: tensor.Shape{n, w / all * count},
		spec: Spec{Kind: KindChannels, Sizes: []int{all, first, count}},
		run: func(y []float32, in [][]float32) {
			pixels(n*w/all, all, func(lo, hi int) {
				for p := lo; p < hi; p++ {
					copy(y[p*count:(p+1)*count], in[0][p*all+first:])
				}
			})
		},
	}, x)
}

// window calls f for every number of the smaller images of a Geometry, and gives
// the number of the larger image that is the largest under the kernel there: the
// first of those, if several are. Calls for one image come one after the other.
func window(g nn.Geometry, x []float32, n int, f func(small, largest int)) {
	tasks(n, func(image int, _ *nn.Workspace) {
		at, img := image*g.OH*g.OW*g.C, image*g.H*g.W*g.C
		for oy := range g.OH {
			top, bottom := max(0, oy*g.Stride-g.Pad), min(g.H, oy*g.Stride-g.Pad+g.Side)
			for ox := range g.OW {
				left, right := max(0, ox*g.Stride-g.Pad), min(g.W, ox*g.Stride-g.Pad+g.Side)
				for c := range g.C {
					best := -1
					for y := top; y < bottom; y++ {
						for p := img + (y*g.W+left)*g.C + c; p < img+(y*g.W+right)*g.C; p += g.C {
							if best < 0 || x[p] > x[best] {
								best = p
							}
						}
					}
					f(at, best)
					at++
				}
			}
		}
	})
}

// pairs reports whether the kernels are of 2 × 2 pixels, side by side.
func pairs(g nn.Geometry) bool { return g.Side == 2 && g.Stride == 2 && g.Pad == 0 }

// quads calls f for every pixel of n smaller images of such a Geometry, with the number
// that it begins at and those of the four pixels under the kernel, in order.
func quads(g nn.Geometry, n int, f func(small int, large [4]int)) {
	pixels(n*g.OH, g.OW*g.C, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			at := (row/g.OH*g.H + row%g.OH*2) * g.W * g.C
			for x := range g.OW {
				p := at + 2*x*g.C
				f((row*g.OW+x)*g.C, [4]int{p, p + g.C, p + g.W*g.C, p + (g.W+1)*g.C})
			}
		}
	})
}

// MaxPool returns the largest number of each channel under a kernel of the
// Geometry: x is [n, H·W·C], the result [n, OH·OW·C]. What lies outside the image
// does not count.
func MaxPool(g nn.Geometry, x node) (node, error) {
	n, w := dims(x)
	if w != g.H*g.W*g.C || g.Pad >= g.Side {
		return nil, mismatch("max pooling", x)
	}
	out := g.OH * g.OW * g.C
	return apply(&op{
		name: fmt.Sprintf("maxPool(%v,%d)", g, n), shape: tensor.Shape{n, out},
		spec: Spec{Kind: KindMaxPool, Geometry: g},
		run: func(y []float32, in [][]float32) {
			if !pairs(g) {
				window(g, in[0], n, func(small, largest int) { y[small] = in[0][largest] })
				return
			}
			quads(g, n, func(small int, large [4]int) {
				dst := y[small : small+g.C]
				copy(dst, in[0][large[0]:])
				for _, p := range large[1:] {
					vec.Larger(dst, in[0][p:p+g.C])
				}
			})
		},
		wrt: []bool{true},
		grad: func(c gorgonia.Nodes, _, d node) (gorgonia.Nodes, error) {
			return each(func() (node, error) {
				return apply(&op{
					name: fmt.Sprintf("maxPoolInput(%v,%d)", g, n), shape: tensor.Shape{n, w},
					spec: Spec{Kind: KindMaxPoolInput, Geometry: g},
					run: func(y []float32, in [][]float32) {
						Pieces(len(y), func(lo, hi int) { clear(y[lo:hi]) })
						if !pairs(g) {
							window(g, in[0], n, func(small, largest int) { y[largest] += in[1][small] })
							return
						}
						quads(g, n, func(small int, large [4]int) {
							var to, of [4][]float32
							for k, p := range large {
								to[k], of[k] = y[p:p+g.C], in[0][p:p+g.C]
							}
							vec.ShareLargest(&to, &of, in[1][small:small+g.C])
						})
					},
				}, c[0], d)
			})
		},
	}, x)
}

// Dropout returns x with a share rate of its numbers set to 0, and the others
// divided by 1 − rate (Srivastava et al. 2014). Which ones depends on the seed,
// on a counter, which is [1, 1] and below 2²⁴, and on where they are: give each
// step another counter.
func Dropout(rate float32, seed uint32, x, counter node) (node, error) {
	if !(rate >= 0 && rate < 1) {
		return nil, fmt.Errorf("graph: dropout of a share of %v; give 0 or more, less than 1", rate)
	}
	if !counter.Shape().Eq(tensor.Shape{1, 1}) {
		return nil, mismatch("dropout", x, counter)
	}
	least, scale := DropoutLeast(rate), 1/(1-rate)
	return apply(&op{
		name: fmt.Sprintf("dropout(%v,%d,%v)", rate, seed, x.Shape()), shape: x.Shape().Clone(),
		spec: Spec{Kind: KindDropout, Factors: []float32{rate}, Seed: seed},
		over: []int{0},
		run: func(y []float32, in [][]float32) {
			key := scramble(uint32(in[1][0]) ^ scramble(seed))
			pieces(len(y), func(lo, hi int, _ *nn.Workspace) {
				for i := lo; i < hi; i++ {
					kept := in[0][i] * scale
					if scramble(uint32(i)^key) < least {
						kept = 0
					}
					y[i] = kept
				}
			})
		},
		wrt: []bool{true, false},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) { return Dropout(rate, seed, g, c[1]) }, nil)
		},
	}, x, counter)
}

// DropoutLeast is the least of the 2³² random numbers with which Dropout keeps a
// number.
func DropoutLeast(rate float32) uint32 { return uint32(float64(rate) * (1 << 32)) }

// scramble is the output function of PCG (O'Neill 2014) after one step of its
// generator: a permutation of the 32-bit numbers without visible pattern.
func scramble(x uint32) uint32 {
	x = x*747796405 + 2891336453
	x = (x>>(x>>28+4) ^ x) * 277803737
	return x>>22 ^ x
}

// BatchNorm returns γ·(x − mean)/√(variance + ε) + β for each channel over a
// batch of channels-last images (Ioffe and Szegedy 2015): x is [n, pixels·c], γ
// and β are [c]. mean and variance, [c] each, are those of this batch; the
// gradient with respect to x goes through them too.
func BatchNorm(x, gamma, beta node) (y, mean, variance node, err error) {
	n, w := dims(x)
	c := gamma.Shape()[0]
	if w%c != 0 || !beta.Shape().Eq(gamma.Shape()) {
		return nil, nil, nil, mismatch("batch norm", x, gamma, beta)
	}
	if mean, err = channelMeans(x, c); err != nil {
		return nil, nil, nil, err
	}
	if variance, err = channelVariances(x, mean); err != nil {
		return nil, nil, nil, err
	}
	y, err = apply(&op{
		name: fmt.Sprintf("batchNorm(%d,%d,%d)", n, w, c), shape: tensor.Shape{n, w},
		spec: Spec{Kind: KindBatchNorm, Factors: []float32{nn.NormEpsilon}},
		over: []int{0},
		run: func(y []float32, in [][]float32) {
			inv := inverses(in[2])
			pixels(n*w/c, c, func(lo, hi int) {
				vec.Normalize(y[lo*c:hi*c], in[0][lo*c:hi*c], in[1], inv, in[3], in[4])
			})
		},
		wrt: []bool{true, false, false, true, true},
		grad: func(in gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			db, err := columnSums(g, w/c)
			if err != nil {
				return nil, err
			}
			dg, err := batchNormScale(in[0], in[1], in[2], g)
			if err != nil {
				return nil, err
			}
			dx, err := batchNormInput(in[0], in[1], in[2], in[3], g, db, dg)
			return gorgonia.Nodes{dx, nil, nil, dg, db}, err
		},
	}, x, mean, variance, gamma, beta)
	return y, mean, variance, err
}

// inverses returns 1/√(variance + ε).
func inverses(variance []float32) []float32 {
	inv := make([]float32, len(variance))
	for k, v := range variance {
		inv[k] = float32(1 / math.Sqrt(float64(v)+nn.NormEpsilon))
	}
	return inv
}

func channelMeans(x node, c int) (node, error) {
	n, w := dims(x)
	sums := newPerChannel(n, w/c, c)
	return apply(&op{
		name: fmt.Sprintf("channelMeans(%d,%d,%d)", n, w, c), shape: tensor.Shape{c},
		spec: Spec{Kind: KindChannelMeans},
		run: func(y []float32, in [][]float32) {
			sums.sum(y, func(sum []float32, lo, hi int) { vec.AddRows(sum, in[0][lo*c:hi*c]) })
			times(y, float32(c)/float32(n*w))
		},
	}, x)
}

func channelVariances(x, mean node) (node, error) {
	n, w := dims(x)
	c := mean.Shape()[0]
	sums := newPerChannel(n, w/c, c)
	return apply(&op{
		name: fmt.Sprintf("channelVariances(%d,%d,%d)", n, w, c), shape: tensor.Shape{c},
		spec: Spec{Kind: KindChannelVariances},
		run: func(y []float32, in [][]float32) {
			sums.sum(y, func(sum []float32, lo, hi int) { vec.AddSquares(sum, in[0][lo*c:hi*c], in[1]) })
			times(y, float32(c)/float32(n*w))
		},
	}, x, mean)
}

func times(y []float32, by float32) {
	for k := range y {
		y[k] *= by
	}
}

// batchNormScale returns the gradient with respect to γ: Σ g·(x − mean)/√(variance + ε).
func batchNormScale(x, mean, variance, g node) (node, error) {
	n, w := dims(x)
	c := mean.Shape()[0]
	sums := newPerChannel(n, w/c, c)
	return apply(&op{
		name: fmt.Sprintf("batchNormScale(%d,%d,%d)", n, w, c), shape: tensor.Shape{c},
		spec: Spec{Kind: KindBatchNormScale, Factors: []float32{nn.NormEpsilon}},
		run: func(y []float32, in [][]float32) {
			inv := inverses(in[2])
			sums.sum(y, func(sum []float32, lo, hi int) {
				vec.AddProducts(sum, in[3][lo*c:hi*c], in[0][lo*c:hi*c], in[1], inv)
			})
		},
	}, x, mean, variance, g)
}

// batchNormInput returns the gradient with respect to x, through the means and
// variances too.
func batchNormInput(x, mean, variance, gamma, g, db, dg node) (node, error) {
	n, w := dims(x)
	c := mean.Shape()[0]
	share := float32(c) / float32(n*w)
	return apply(&op{
		name: fmt.Sprintf("batchNormInput(%d,%d,%d)", n, w, c), shape: tensor.Shape{n, w},
		spec: Spec{Kind: KindBatchNormInput, Factors: []float32{nn.NormEpsilon}},
		over: []int{0, 4},
		run: func(y []float32, in [][]float32) {
			inv := inverses(in[2])
			scale, level, slope := make([]float32, c), make([]float32, c), make([]float32, c)
			for k, v := range inv {
				scale[k], level[k], slope[k] = in[3][k]*v, share*in[5][k], share*in[6][k]
			}
			pixels(n*w/c, c, func(lo, hi int) {
				lo, hi = lo*c, hi*c
				vec.NormalizeBack(y[lo:hi], in[4][lo:hi], in[0][lo:hi], in[1], inv, scale, level, slope)
			})
		},
	}, x, mean, variance, gamma, g, db, dg)
}
