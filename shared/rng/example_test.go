package rng_test

import (
	"fmt"

	"mppm/shared/rng"
)

// A seed and a stream give the same numbers everywhere, and a stream can be gone on with.
func Example() {
	s := rng.New(1, 0)
	fmt.Printf("%.6f %d %v\n", s.Norm(), s.IntN(100), s.Perm(5))
	state, next := s.State(), s.Uint64()
	other := rng.New(0, 0)
	fmt.Println(other.Restore(state), other.Uint64() == next)
	// Output:
	// -1.745249 0 [1 2 4 3 0]
	// <nil> true
}
