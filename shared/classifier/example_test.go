package classifier_test

import (
	"fmt"
	"log"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

// A grown digit is read.
func Example() {
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		log.Fatal(err)
	}
	all, err := latent.Load(weights.MNIST)
	if err != nil {
		log.Fatal(err)
	}
	threes, err := all.Class(3)
	if err != nil {
		log.Fatal(err)
	}
	r := threes.Runner(1)
	z, digit := make([]float32, all.Latent()), make([]float32, all.Pixels())
	r.Noise(z, threes.Generate, rng.New(1, 0))
	steps, err := r.Flow(z, threes.Generate)
	if err != nil {
		log.Fatal(err)
	}
	for range steps {
	}
	r.Decode(digit, z)

	probs := make([]float32, c.Classes())
	c.Runner(1).Classify(probs, nil, digit)
	class, p := classifier.Best(probs)
	fmt.Printf("a %d, with a probability of %.2f\n", class, p)
	// Output:
	// a 3, with a probability of 1.00
}
