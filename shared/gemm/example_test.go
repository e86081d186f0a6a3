package gemm_test

import (
	"fmt"

	"mppm/shared/gemm"
)

// Matrices are slices with strides: a transpose is another view of the same numbers.
func Example() {
	a := []float32{
		1, 2,
		3, 4,
		5, 6,
	}
	var ws gemm.Workspace
	c := make([]float32, 2*2)
	ws.Mul(c, 2, 2, 2, 3, gemm.Rows(a, 2).T(), gemm.Rows(a, 2), false) // aᵀ·a
	fmt.Println(c)
	// Output:
	// [35 44 44 56]
}
