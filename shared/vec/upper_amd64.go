//go:build goexperiment.simd && !purego

package vec

import "simd/archsimd"

var avx = archsimd.X86.AVX()

// clearUpper ends a stretch of vector code. Go's scalar code is SSE, which is slow
// while the upper halves of the registers hold anything.
func clearUpper() {
	if avx {
		archsimd.ClearAVXUpperBits()
	}
}
