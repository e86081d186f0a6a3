package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
	"mppm/shared/vec"
)

// The operations of this file, as Spec names them.
const (
	KindBinaryCrossEntropy     Kind = "binaryCrossEntropy"     // x, t of one shape [n, d]: −Σ(t·log σ(x) + (1 − t)·log σ(−x))/n, a scalar
	KindBinaryCrossEntropyBack Kind = "binaryCrossEntropyBack" // x, t, a scalar g: the gradient of x
)

// BinaryCrossEntropy returns −Σ(t·log σ(x) + (1 − t)·log(1 − σ(x)))/n over n
// rows: the logits x and the targets t, from 0 to 1, are [n, d]. The targets are
// given: no gradient is taken with respect to them.
func BinaryCrossEntropy(x, t node) (node, error) {
	n, d := dims(x)
	if !t.Shape().Eq(x.Shape()) {
		return nil, mismatch("binary cross entropy", x, t)
	}
	sums := newPartial(n, 1)
	return apply(&op{
		name: fmt.Sprintf("binaryCrossEntropy(%d,%d)", n, d), shape: tensor.ScalarShape(),
		spec: Spec{Kind: KindBinaryCrossEntropy},
		run: func(y []float32, in [][]float32) {
			sums.sum(y, 1, func(b []float32, lo, hi, _, _ int, _ *nn.Workspace) {
				var sum float64
				for i := lo * d; i < hi*d; i++ {
					// log(1 + eˣ) − t·x, with the exponential of what is not positive.
					x := float64(in[0][i])
					sum += max(x, 0) - float64(in[1][i])*x + math.Log1p(math.Exp(-math.Abs(x)))
				}
				b[0] = float32(sum)
			})
			y[0] /= float32(n)
		},
		wrt: []bool{true, false},
		grad: func(c gorgonia.Nodes, _, g node) (gorgonia.Nodes, error) {
			return each(func() (node, error) { return binaryCrossEntropyBack(c[0], c[1], g) }, nil)
		},
	}, x, t)
}

// binaryCrossEntropyBack returns g·(σ(x) − t)/n, g a scalar.
func binaryCrossEntropyBack(x, t, g node) (node, error) {
	n, d := dims(x)
	return apply(&op{
		name: fmt.Sprintf("binaryCrossEntropyBack(%d,%d)", n, d), shape: tensor.Shape{n, d},
		spec: Spec{Kind: KindBinaryCrossEntropyBack},
		run: func(y []float32, in [][]float32) {
			s := in[2][0] / float32(n)
			pieces(len(y), func(lo, hi int, _ *nn.Workspace) {
				vec.Sigmoid(y[lo:hi], in[0][lo:hi])
				for i := lo; i < hi; i++ {
					y[i] = s * (y[i] - in[1][i])
				}
			})
		},
	}, x, t, g)
}
