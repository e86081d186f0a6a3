package project_test

import (
	"fmt"
	"log"

	"mppm/shared/project"
)

// Codes of three coordinates cast their shadows on the plane in which they vary most.
func Example() {
	plane, err := project.Widest([]float32{
		-9, 0.1, 4,
		9, 0.2, -4,
		3, 0.1, 5,
		-3, 0.2, -5,
	}, 3)
	if err != nil {
		log.Fatal(err)
	}
	z := []float32{1, 7, 2}
	x, y := plane.Shadow(z)
	plane.Shift(z, z, 1, 0) // along the plane; what it does not show stays
	fmt.Println(x, y, z)
	// Output:
	// 1 2 [2 7 2]
}
