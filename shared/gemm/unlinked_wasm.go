//go:build goexperiment.simd && !purego && !linkedkernel

package gemm

// kernels lists the kernels of the target, the best first.
func kernels() []kernel { return []kernel{simd128, scalar} }
