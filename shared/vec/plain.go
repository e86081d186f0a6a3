//go:build !goexperiment.simd || purego

package vec

// Exp sets dst[i] = e^src[i]; see Exp1. dst may be src.
func Exp(dst, src []float32) { expScalar(dst[:len(src)], src) }

// Sigmoid sets dst[i] = 1/(1+e^-src[i]). dst may be src.
func Sigmoid(dst, src []float32) { sigmoidScalar(dst[:len(src)], src) }

// Max returns the largest number of src, which must not be empty. With a NaN in
// src, it is any of them.
func Max(src []float32) float32 { return maxScalar(src) }

// ExpDiff sets dst[i] = e^((src[i]−top)·scale); see Exp1. dst may be src.
func ExpDiff(dst, src []float32, top, scale float32) {
	expDiffScalar(dst[:len(src)], src, top, scale)
}

// ReLU sets dst[i] to src[i], or to zero where that is negative; NaN stays. dst
// may be src.
func ReLU(dst, src []float32) { reluScalar(dst[:len(src)], src) }

// ReLUBack sets dst[i] to g[i], or to zero where h[i] ≤ 0: it takes a gradient
// back through ReLU at h. dst may be g.
func ReLUBack(dst, g, h []float32) { reluBackScalar(dst[:len(h)], g[:len(h)], h) }

// Add adds src to dst, element by element.
func Add(dst, src []float32) { addScalar(dst[:len(src)], src) }

// SiLU sets dst[i] = src[i]/(1+e^-src[i]). dst may be src.
func SiLU(dst, src []float32) { siluScalar(dst[:len(src)], src) }

// SiLUBack sets dst[i] to g[i]·σ(h[i])·(1 + h[i]·(1−σ(h[i]))): it takes a gradient back
// through SiLU at h. dst may be g.
func SiLUBack(dst, g, h []float32) { siluBackScalar(dst[:len(h)], g[:len(h)], h) }

// AtLeast writes those of src that are no less than least to dst, one after the other,
// and which they are, counted from first, to at. It returns how many there are. dst and at
// must be as long as src; what is in them behind what there is, is for nothing.
func AtLeast(dst []float32, at []int32, src []float32, first int, least float32) int {
	return atLeastScalar(dst, at, src, first, least)
}

// Sum sets dst to the sum of rows of src, width numbers each of which dst takes the first
// len(dst): row at[k] times weights[k], one after the other from 0 on. at must ascend.
func Sum(dst, weights []float32, at []int32, src []float32, width int) {
	sumScalar(dst, weights, at, src, width)
}
