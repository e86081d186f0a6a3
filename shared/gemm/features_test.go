//go:build goexperiment.simd && amd64 && !purego

package gemm

import (
	"simd/archsimd"
	"testing"
)

// TestFeatures holds what the processor is asked in assembly to what the
// standard library says, where that can be imported.
func TestFeatures(t *testing.T) {
	avx2, avx512 := features()
	if want := archsimd.X86.AVX2() && archsimd.X86.FMA(); avx2 != want {
		t.Errorf("AVX2 with FMA: %t, want %t", avx2, want)
	}
	// The standard library wants more of AVX-512 than the kernels use.
	if archsimd.X86.AVX512() && !avx512 {
		t.Error("AVX-512 is not seen")
	}
}
