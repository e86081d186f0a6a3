//go:build !goexperiment.simd || purego

package vec

// LeakyReLU sets dst[i] to src[i], or to leak·src[i] where that is not above 0. dst may be
// src.
func LeakyReLU(dst, src []float32, leak float32) { leakyReLUScalar(dst, src, leak) }

// LeakyReLUBack sets dst[i] to g[i], or to leak·g[i] where h[i] is not above 0: it takes a
// gradient back through LeakyReLU at h. dst may be g.
func LeakyReLUBack(dst, g, h []float32, leak float32) { leakyReLUBackScalar(dst, g, h, leak) }

// Larger sets dst[i] to src[i] where that is larger.
func Larger(dst, src []float32) { largerScalar(dst, src) }

// ShareLargest sets to[k][i] to g[i] for the k whose of[k][i] is the largest, the first of
// those, and to 0 for the others: it takes a gradient back through the largest of four.
func ShareLargest(to, of *[4][]float32, g []float32) { shareLargestScalar(to, of, g) }

// AddRows adds each row of x to sum.
func AddRows(sum, x []float32) { addRowsScalar(sum, x, 0) }

// AddSquares adds to sum the square of what each row of x is away from mean.
func AddSquares(sum, x, mean []float32) { addSquaresScalar(sum, x, mean, 0) }

// AddProducts adds to sum each row of g times that of (x − mean)·inv.
func AddProducts(sum, g, x, mean, inv []float32) { addProductsScalar(sum, g, x, mean, inv, 0) }

// Normalize sets each row of dst to scale·((x − mean)·inv) + shift. dst may be x.
func Normalize(dst, x, mean, inv, scale, shift []float32) {
	normalizeScalar(dst, x, mean, inv, scale, shift, 0)
}

// NormalizeBack sets each row of dst to scale·(g − (level + (x − mean)·inv·slope)): it takes
// a gradient back through batch norm. dst may be g or x.
func NormalizeBack(dst, g, x, mean, inv, scale, level, slope []float32) {
	normalizeBackScalar(dst, g, x, mean, inv, scale, level, slope, 0)
}

// StepAdam moves data by its gradient g, and the moments m and v.
func StepAdam(a *Adam, data, m, v, g []float32) { adamScalar(a, data, m, v, g) }
