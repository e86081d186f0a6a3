package flow_test

import (
	"fmt"
	"log"
	"math"

	"mppm/shared/flow"
)

// circle is a manifold that needs no net: the unit circle in the plane.
type circle struct{}

func (circle) Dim() int { return 2 }

func (circle) Distance(d, grad, x []float32) {
	for i := range d {
		r := math.Hypot(float64(x[2*i]), float64(x[2*i+1]))
		d[i] = float32(math.Abs(r - 1))
		side := float32(1) // the distance grows outwards, and inwards inside of it
		if r < 1 {
			side = -1
		}
		grad[2*i], grad[2*i+1] = side*x[2*i]/float32(r), side*x[2*i+1]/float32(r)
	}
}

func (circle) Mean(mean, x []float32) { copy(mean, x) } // for no density

// A point moves down a distance, a share of it at every step.
func ExampleRun() {
	x := []float32{3, 0}
	steps, err := flow.Run(circle{}, flow.Params{Alpha: 0.5, Steps: 4}, x)
	if err != nil {
		log.Fatal(err)
	}
	for s := range steps {
		fmt.Printf("step %d at (%.3f, %.3f), %.3f away\n", s.Index, s.X[0], s.X[1], s.Distance[0])
	}
	// Output:
	// step 0 at (3.000, 0.000), 2.000 away
	// step 1 at (2.000, 0.000), 1.000 away
	// step 2 at (1.500, 0.000), 0.500 away
	// step 3 at (1.250, 0.000), 0.250 away
	// step 4 at (1.125, 0.000), 0.125 away
}
