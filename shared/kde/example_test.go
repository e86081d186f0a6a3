package kde_test

import (
	"fmt"
	"log"

	"mppm/shared/kde"
)

// The kernel mean of a point is near the codes around it, the nearer the narrower the kernel.
func Example() {
	bank, err := kde.New([]float32{
		0, 1, 10, // the first coordinate of three codes
		0, 0, 10, // the second
	}, 2)
	if err != nil {
		log.Fatal(err)
	}
	var ws kde.Workspace
	z, mean := []float32{0.2, 0}, make([]float32, 2)
	for _, sigma := range []float32{0.1, 1, 100} {
		bank.Mean(mean, z, sigma, &ws)
		fmt.Printf("σ = %-3v: %.2f\n", sigma, mean)
	}
	_, at := bank.Nearest(z, &ws)
	fmt.Println("the nearest code is", at)
	// Output:
	// σ = 0.1: [0.00 0.00]
	// σ = 1  : [0.43 0.00]
	// σ = 100: [3.65 3.31]
	// the nearest code is 0
}
