package ddpm_test

import (
	"fmt"
	"log"
	"math"

	"mppm/shared/ddpm"
	"mppm/shared/rng"
)

// origin is the noise in points of a distribution that is the point 0 alone.
type origin struct{ s *ddpm.Schedule }

func (origin) Dim() int { return 2 }

func (o origin) Predict(noise, x []float32, time float64) {
	t := int(math.Round(time * float64(o.s.Len())))
	for i, v := range x {
		noise[i] = v / float32(math.Sqrt(1-o.s.Kept(t)))
	}
}

// Sampling goes back from noise to where the predictor says that the data is.
func ExampleSchedule_Run() {
	s, err := ddpm.Linear(ddpm.First, ddpm.Last, 1000)
	if err != nil {
		log.Fatal(err)
	}
	x := []float32{1.5, -0.8}
	steps, err := s.Run(origin{s}, s.Len(), x, []*rng.Source{rng.New(1, 0)})
	if err != nil {
		log.Fatal(err)
	}
	for step := range steps {
		if step.Left%250 == 0 {
			fmt.Printf("%d steps left: %.1f from the data\n", step.Left, math.Hypot(float64(step.X[0]), float64(step.X[1])))
		}
	}
	// Output:
	// 1000 steps left: 1.7 from the data
	// 750 steps left: 0.9 from the data
	// 500 steps left: 1.2 from the data
	// 250 steps left: 0.1 from the data
	// 0 steps left: 0.0 from the data
}
