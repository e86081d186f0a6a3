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
