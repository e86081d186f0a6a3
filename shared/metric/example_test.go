package metric_test

import (
	"fmt"
	"log"

	"mppm/shared/metric"
)

// A checkerboard is compared with one that is a little grayer.
func Example() {
	const side = 16
	a, b := make([]float32, side*side), make([]float32, side*side)
	for i := range a {
		a[i] = float32((i%side/4 + i/side/4) % 2)
		b[i] = 0.1 + 0.8*a[i]
	}
	ssim, err := metric.SSIM(a, b, side, side)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("MSE %.4f, PSNR %.2f dB, SSIM %.4f\n", metric.MSE(a, b), metric.PSNR(a, b), ssim)
	// Output:
	// MSE 0.0100, PSNR 20.00 dB, SSIM 0.9739
}
