package unet_test

import (
	"fmt"
	"log"

	"mppm/shared/nn"
	"mppm/shared/unet"
)

// The nets for images of one size: what goes past the code are the skips.
func ExampleNew() {
	nets, err := unet.New(nn.Shape{H: 64, W: 64, C: 3}, unet.Config{Channels: []int{16, 32, 64}, Latent: 100})
	if err != nil {
		log.Fatal(err)
	}
	for i, name := range nets.Skips() {
		fmt.Println(name, nets.G.Shape(nets.G.Inputs()[i+1]))
	}
	fmt.Println("codes of", nets.F.Out(), "and images of", nets.G.Out())
	// Output:
	// skip.0 64×64×16
	// skip.1 32×32×32
	// skip.2 16×16×64
	// codes of 100 and images of 64×64×3
}
