package ldm_test

import (
	"fmt"
	"log"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/weights"
)

// Latent diffusion is told how damaged an image is, and starts from there.
func Example() {
	m, err := ldm.Load(weights.LDM)
	if err != nil {
		log.Fatal(err)
	}
	digit := make([]float32, m.Pixels())
	for y := 5; y < 23; y++ { // a 1
		digit[y*latent.DigitSide+13], digit[y*latent.DigitSide+14] = 1, 1
	}
	damaged := make([]float32, m.Pixels())
	noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.5}
	if err := noise.Apply(damaged, digit, latent.DigitSide, latent.DigitSide, rng.New(1, 0)); err != nil {
		log.Fatal(err)
	}
	start, err := m.Start(noise)
	if err != nil {
		log.Fatal(err)
	}
	r, z := m.Runner(1), make([]float32, m.Latent())
	r.Encode(z, damaged)
	steps, err := r.Restore(z, start, []*rng.Source{rng.New(2, 0)})
	if err != nil {
		log.Fatal(err)
	}
	taken := 0
	for s := range steps {
		taken = s.Index
	}
	m.Codes(z, z, 0)
	r.Decode(digit, z)
	fmt.Println("restored in", taken, "of", m.Schedule.Len(), "steps")
	// Output:
	// restored in 137 of 2000 steps
}
