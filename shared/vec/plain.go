//go:build !goexperiment.simd

package vec

// Exp sets dst[i] = e^src[i]; see Exp1. dst may be src.
func Exp(dst, src []float32) { expScalar(dst[:len(src)], src) }

// Sigmoid sets dst[i] = 1/(1+e^-src[i]). dst may be src.
func Sigmoid(dst, src []float32) { sigmoidScalar(dst[:len(src)], src) }
