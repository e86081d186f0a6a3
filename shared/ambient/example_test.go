package ambient_test

import (
	"fmt"
	"log"

	"mppm/shared/ambient"
	"mppm/weights"
)

// A point of space flows to the half circle that the model knows.
func Example() {
	m, err := ambient.Load(weights.Circle)
	if err != nil {
		log.Fatal(err)
	}
	x := make([]float32, m.Dim)
	m.Normalize(x, []float64{0.2, 0.9, 0.5})
	steps, err := m.Runner(1).Flow(x, m.Flow)
	if err != nil {
		log.Fatal(err)
	}
	for s := range steps {
		if s.Index%10 == 0 {
			fmt.Printf("step %d: D = %.3f\n", s.Index, s.Distance[0])
		}
	}
	at := make([]float64, m.Dim)
	m.Denormalize(at, x)
	fmt.Printf("it arrives at %.2f\n", at)
	// Output:
	// step 0: D = 0.531
	// step 10: D = 0.016
	// it arrives at [0.21 0.97 -0.00]
}
