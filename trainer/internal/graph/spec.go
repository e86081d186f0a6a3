package graph

import (
	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
)

// Kind names what an operation of this package computes.
type Kind string

// The operations. Inputs and results are matrices with a row for each of n
// things, unless it says otherwise; a gradient that flows in is g, one that has
// been through one differentiation is up.
const (
	KindLinear              Kind = "linear"              // x [n, in], w [out, in], b [out]: x·wᵀ + b
	KindProduct             Kind = "product"             // a [n, k], w [k, m], or [m, k] if Transposed: a·w, or a·wᵀ
	KindGram                Kind = "gram"                // a [n, p], b [n, q]: aᵀ·b
	KindColumnSums          Kind = "columnSums"          // g [n, groups·width]: the sums over rows and groups [width]
	KindConv                Kind = "conv"                // x [n, H·W·C], w [out, Side²·C], b [out]: [n, OH·OW·out]
	KindConvInput           Kind = "convInput"           // g [n, OH·OW·out], w: the gradient of x
	KindConvWeight          Kind = "convWeight"          // x, g: the gradient of w
	KindConvTranspose       Kind = "convTranspose"       // x [n, OH·OW·in], w [C, Side²·in], b [C]: [n, H·W·C]
	KindConvTransposeInput  Kind = "convTransposeInput"  // g [n, H·W·C], w: the gradient of x
	KindConvTransposeWeight Kind = "convTransposeWeight" // x, g: the gradient of w

	KindActivate     Kind = "activate"     // x of any shape: f(x)
	KindBackActivate Kind = "backActivate" // h, g of one shape: g·f'(h); h may be f(h) of ReLU and LeakyReLU
	KindCurve        Kind = "curve"        // h, g, up of one shape: up·g·f”(h)

	KindShift         Kind = "shift"         // z [n, d], D [n, 1], v [n, d]: z − D·v/‖v‖
	KindShiftDistance Kind = "shiftDistance" // v, up: the gradient of D
	KindShiftGradient Kind = "shiftGradient" // D, v, up: the gradient of v

	KindSquaredError          Kind = "squaredError"          // a, b or nothing for 0: Σ(a − b)²/n, a scalar
	KindDifference            Kind = "difference"            // a, a scalar g, b or nothing for 0: Factors[0]·g·(a − b)
	KindDistanceError         Kind = "distanceError"         // D [n, 1], a, b [n, d]: Σ(D − ‖a − b‖)²/n, a scalar
	KindDistanceErrorDistance Kind = "distanceErrorDistance" // D, a, b, a scalar g: the gradient of D
	KindDistanceErrorToward   Kind = "distanceErrorToward"   // D, a, b, a scalar g: the gradient of a (Factors[0] = 1) or b (-1)
	KindNegativePart          Kind = "negativePart"          // D [n, 1]: Σ(D − |D|)²/n, a scalar
	KindNegativePartBack      Kind = "negativePartBack"      // D, a scalar g: the gradient of D
	KindCrossEntropy          Kind = "crossEntropy"          // x, t [n, classes]: −Σ t·log softmax(x)/n, a scalar
	KindCrossEntropyBack      Kind = "crossEntropyBack"      // x, t, a scalar g: the gradient of x
	KindWeightedSum           Kind = "weightedSum"           // scalars: Σ Factors[k]·x_k
	KindKeep                  Kind = "keep"                  // x of any shape, which is to be copied to Kept
)

// Spec describes an operation to a machine that does not run it by its method
// Do: what it computes, and every parameter that its inputs' shapes do not give.
type Spec struct {
	Kind       Kind
	Geometry   nn.Geometry // of the convolutions
	Activation nn.Activation
	Transposed bool      // the second factor of a product
	Factors    []float32 // what is multiplied with, or ε
	Sizes      []int     // of groups of channels
	Seed       uint32    // of what is random
	Kept       []float32 // where a result is wanted

	// Run computes the operation on the CPU, on every processor. It may not be called
	// while it runs.
	Run func(out []float32, in [][]float32)
	// Over lists the inputs whose memory Run's result may lie in, because it works
	// number by number.
	Over []int
}

// SpecOf returns the description of an operation, and false if the operation is
// none of this package's.
func SpecOf(o gorgonia.Op) (Spec, bool) {
	p, ok := o.(*op)
	if !ok {
		return Spec{}, false
	}
	s := p.spec
	s.Run, s.Over = p.run, p.over
	return s, true
}
