//go:build !purego

package gemm

// kernels lists the kernels of the target: NEON is part of every arm64. A tile
// of 8 × 8 has 16 accumulators, half of the registers.
func kernels() []kernel {
	return []kernel{{name: "neon", mr: 8, nr: 8, exact: neonExact, fused: neonFused}, scalar}
}

// The checks at the top of each kernel stand for the ones that assembly skips.

func neonExact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[7*ar+(k-1)*ac], b[(k-1)*br+7], c[7*ldc+7]
	tile8x8(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc, false)
}

func neonFused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_, _, _ = a[7*ar+(k-1)*ac], b[(k-1)*br+7], c[7*ldc+7]
	tile8x8(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc, true)
}

// tile8x8 is a tile; fused tells whether products are fused with their sums.
//
//go:noescape
func tile8x8(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc, fused bool)
