//go:build !goexperiment.simd || !(amd64 || arm64 || wasm)

package gemm

// kernels lists the kernels this processor runs, the best first.
func kernels() []kernel { return []kernel{scalar} }
