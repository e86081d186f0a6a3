package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// What puts batches together and takes them apart, as Spec names it.
const (
	KindRows  Kind = "rows"  // x [rows, d]: Sizes[1] of its rows from number Sizes[0] on
	KindPad   Kind = "pad"   // x [n, d]: Sizes[1] rows of 0 in which it begins at row Sizes[0]
	KindStack Kind = "stack" // a [p, d], b [q, d]: the rows of a, then those of b
	KindMix   Kind = "mix"   // a, b [n, pixels·Sizes[0]], m [n, pixels]: m·a + (1−m)·b, m being that of the pixel
	KindWeigh Kind = "weigh" // x [n, pixels·Sizes[0]], m [n, pixels]: m·x, or (1−m)·x if Transposed
)

// Rows returns count rows of x from number first on.
func Rows(x node, first, count int) (node, error) {
	n, d := dims(x)
	if first < 0 || count < 1 || first+count > n {
		return nil, mismatch(fmt.Sprintf("rows %d to %d", first, first+count), x)
	}
	return apply(&op{
		name: fmt.Sprintf("rows(%d,%d,%d,%d)", n, d, first, count), shape: tensor.Shape{count, d},
		spec: Spec{Kind: KindRows, Sizes: []int{first, count}},
		run:  func(y []float32, in [][]float32) { duplicate(y, in[0][first*d:(first+count)*d]) },
		wrt:  []bool{true},
		grad: func(_ gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) { return pad(g, first, n) })
		},
	}, x)
}

// pad returns total rows of 0 in which x begins at row first.
func pad(x node, first, total int) (node, error) {
	n, d := dims(x)
	return apply(&op{
		name: fmt.Sprintf("pad(%d,%d,%d,%d)", n, d, first, total), shape: tensor.Shape{total, d},
		spec: Spec{Kind: KindPad, Sizes: []int{first, total}},
		run: func(y []float32, in [][]float32) {
			clear(y[:first*d])
			duplicate(y[first*d:(first+n)*d], in[0])
			clear(y[(first+n)*d:])
		},
		wrt: []bool{true},
		grad: func(_ gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) { return Rows(g, first, n) })
		},
	}, x)
}

// Stack returns the rows of a, then those of b: [p, d] and [q, d].
func Stack(a, b node) (node, error) {
	p, d := dims(a)
	q, db := dims(b)
	if d != db {
		return nil, mismatch("stack", a, b)
	}
	return apply(&op{
		name: fmt.Sprintf("stack(%d,%d,%d)", p, q, d), shape: tensor.Shape{p + q, d},
		spec: Spec{Kind: KindStack},
		run: func(y []float32, in [][]float32) {
			duplicate(y[:p*d], in[0])
			duplicate(y[p*d:], in[1])
		},
		wrt: []bool{true, true},
		grad: func(_ gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return Rows(g, 0, p) },
				func() (node, error) { return Rows(g, p, q) },
			)
		},
	}, a, b)
}

// duplicate copies on every processor.
func duplicate(y, x []float32) {
	Pieces(len(x), func(lo, hi int) { copy(y[lo:hi], x[lo:hi]) })
}

// Mix returns m·a + (1−m)·b of two batches of channels-last images, a and b
// [n, pixels·c]: m is [n, pixels], and all channels of a pixel have its weight. m is data
// that nothing learns.
func Mix(a, b, m node) (node, error) {
	n, w := dims(a)
	rows, pixels := dims(m)
	if !a.Shape().Eq(b.Shape()) || rows != n || w%pixels != 0 {
		return nil, mismatch("mixture", a, b, m)
	}
	c := w / pixels
	return apply(&op{
		name: fmt.Sprintf("mix(%d,%d,%d)", n, pixels, c), shape: tensor.Shape{n, w},
		spec: Spec{Kind: KindMix, Sizes: []int{c}},
		over: []int{0, 1},
		run: func(y []float32, in [][]float32) {
			weighted(n*pixels, c, in[2], func(lo, hi int, m float32) {
				a, b, y := in[0][lo:hi], in[1][lo:hi], y[lo:hi]
				for i, v := range a {
					y[i] = float32(m*v) + float32((1-m)*b[i])
				}
			})
		},
		wrt: []bool{true, true, false},
		grad: func(in gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(
				func() (node, error) { return weigh(g, in[2], false) },
				func() (node, error) { return weigh(g, in[2], true) },
				nil,
			)
		},
	}, a, b, m)
}

// weigh returns m·x, or (1−m)·x for the rest. It is the end of what is differentiated.
func weigh(x, m node, rest bool) (node, error) {
	n, w := dims(x)
	_, pixels := dims(m)
	c := w / pixels
	return apply(&op{
		name: fmt.Sprintf("weigh(%d,%d,%d,%t)", n, pixels, c, rest), shape: tensor.Shape{n, w},
		spec: Spec{Kind: KindWeigh, Sizes: []int{c}, Transposed: rest},
		over: []int{0},
		run: func(y []float32, in [][]float32) {
			weighted(n*pixels, c, in[1], func(lo, hi int, m float32) {
				if rest {
					m = 1 - m
				}
				y := y[lo:hi]
				for i, v := range in[0][lo:hi] {
					y[i] = m * v
				}
			})
		},
	}, x, m)
}

// weighted calls f for the numbers of each of n pixels of c channels, with its weight.
func weighted(n, c int, m []float32, f func(lo, hi int, m float32)) {
	pixels(n, c, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			f(p*c, (p+1)*c, m[p])
		}
	})
}
