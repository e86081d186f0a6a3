package vec_test

import (
	"fmt"

	"mppm/shared/vec"
)

// A swish, and its exponential: the same bits on every platform.
func Example() {
	x := []float32{-2, 0, 2}
	y := make([]float32, len(x))
	vec.SiLU(y, x)
	fmt.Printf("%.6f\n", y)
	vec.Exp(y, x)
	fmt.Printf("%.6f, the largest %.6f\n", y, vec.Max(y))
	// Output:
	// [-0.238406 0.000000 1.761594]
	// [0.135335 1.000000 7.389056], the largest 7.389056
}
