//go:build purego || !(amd64 || arm64 || (wasm && goexperiment.simd))

package gemm

// kernels lists the kernels this processor runs, the best first.
func kernels() []kernel { return []kernel{scalar} }
