//go:build goexperiment.simd && !purego && linkedkernel

package gemm

import "unsafe"

// tiles is kernel.wasm: n tiles of 6 × 8, one below the other. All distances are in
// bytes.
//
//go:wasmimport mppm tiles
//go:noescape
func tiles(n, k int32, a unsafe.Pointer, ar, ac int32, b unsafe.Pointer, br int32, c unsafe.Pointer, ldc, acc int32)

// linkedColumn has the tiles computed in WebAssembly by hand, which whoever loads the
// program has to link with it.
func linkedColumn(n, k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[(6*n-1)*ar+(k-1)*ac]
	_ = b[(k-1)*br+7]
	_ = c[(6*n-1)*ldc+7]
	add := int32(0)
	if acc {
		add = 1
	}
	tiles(int32(n), int32(k), unsafe.Pointer(&a[0]), int32(4*ar), int32(4*ac), unsafe.Pointer(&b[0]), int32(4*br), unsafe.Pointer(&c[0]), int32(4*ldc), add)
}

func linkedExact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	linkedColumn(1, k, a, ar, ac, b, br, c, ldc, acc)
}

// kernels lists the kernels of the target, the best first.
func kernels() []kernel {
	return []kernel{{name: "simd128 by hand", mr: 6, nr: 8, exact: linkedExact, column: linkedColumn}, simd128, scalar}
}
