package nn_test

import (
	"fmt"

	"mppm/shared/nn"
)

// A net is its layers. The shapes of all that is in it follow from that of its input,
// and its tensors, its loader and the rest from there.
func Example() {
	image := nn.Shape{H: 13, W: 9, C: 3}
	f, err := nn.New(image,
		nn.Conv{Name: "conv", Window: nn.Halving, Out: 8}, nn.ReLU,
		nn.Linear{Name: "linear", Out: nn.Vector(4)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range f.Specs() {
		fmt.Println(s.Name, s.Shape)
	}
	// Output:
	// conv.weight [8 3 3 3]
	// conv.bias [8]
	// linear.weight [4 280]
	// linear.bias [4]
}
