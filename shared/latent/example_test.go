package latent_test

import (
	"fmt"
	"log"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/weights"
)

// A digit is damaged, and flows back.
func Example() {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		log.Fatal(err)
	}
	r := m.Runner(1)
	z, digit := make([]float32, m.Latent()), make([]float32, m.Pixels())
	r.Noise(z, m.Generate, rng.New(1, 0))
	grow, err := r.Flow(z, m.Generate)
	if err != nil {
		log.Fatal(err)
	}
	for range grow {
	}
	r.Decode(digit, z)

	damaged, restored := make([]float32, m.Pixels()), make([]float32, m.Pixels())
	noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.5}
	if err := noise.Apply(damaged, digit, m.Image().W, m.Image().H, rng.New(2, 0)); err != nil {
		log.Fatal(err)
	}
	steps, err := r.Restoration(damaged, m.Restore)
	if err != nil {
		log.Fatal(err)
	}
	for s := range steps {
		if s.Index%5 == 0 {
			fmt.Printf("step %d: D = %.2f\n", s.Index, s.Distance[0])
		}
		copy(restored, s.Image())
	}
	fmt.Printf("PSNR %.1f dB damaged, %.1f dB restored\n", metric.PSNR(damaged, digit), metric.PSNR(restored, digit))
	// Output:
	// step 0: D = 2.46
	// step 5: D = 0.68
	// step 10: D = 0.23
	// step 15: D = 0.09
	// PSNR 9.2 dB damaged, 19.5 dB restored
}

// Digits of one class alone grow where the code bank has those of that class alone.
func ExampleModel_Class() {
	all, err := latent.Load(weights.MNIST)
	if err != nil {
		log.Fatal(err)
	}
	sevens, err := all.Class(7)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sevens.Bank.Len(), "of", all.Bank.Len(), "codes")
	_, err = all.Class(10)
	fmt.Println(err)
	// Output:
	// 476 of 5000 codes
	// latent: the code bank has no code of class 10
}
