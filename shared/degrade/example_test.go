package degrade_test

import (
	"fmt"
	"log"

	"mppm/shared/degrade"
	"mppm/shared/rng"
)

// Damage is a kind and a severity, as text or as a value, and the same for the same seed.
func Example() {
	d, err := degrade.Parse("missing=0.25")
	if err != nil {
		log.Fatal(err)
	}
	const w, h = 8, 8
	white, damaged := make([]float32, w*h), make([]float32, w*h)
	for i := range white {
		white[i] = 1
	}
	if err := d.Apply(damaged, white, w, h, rng.New(1, 0)); err != nil {
		log.Fatal(err)
	}
	black := 0
	for _, v := range damaged {
		if v == 0 {
			black++
		}
	}
	fmt.Println(d, "leaves", black, "of", len(damaged), "pixels black")
	_, err = degrade.Parse("rain=1")
	fmt.Println(err)
	// Output:
	// missing=0.25 leaves 16 of 64 pixels black
	// degrade: there is no degradation "rain"; there are gaussian, elastic, downsample, missing, scribble, sharpen, gaussian-unclipped
}
