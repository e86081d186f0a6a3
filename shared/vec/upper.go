//go:build goexperiment.simd && !amd64 && !purego

package vec

// clearUpper does what is needed on amd64 alone.
func clearUpper() {}
