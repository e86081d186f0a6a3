package metadata_test

import (
	"fmt"
	"log"

	"mppm/shared/metadata"
)

// A flow is read from the metadata of weights.
func ExampleNumbers() {
	alpha, steps := float32(0), 10
	err := metadata.Numbers(`{"alpha": 0.6, "color": "red"}`, map[string]any{"alpha": &alpha, "steps": &steps})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(alpha, steps)
	fmt.Println(metadata.Numbers(`{"alpha": "much"}`, map[string]any{"alpha": &alpha}))
	// Output:
	// 0.6 10
	// alpha is "much"; it must be a number: invalid syntax
}
