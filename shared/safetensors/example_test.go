package safetensors_test

import (
	"errors"
	"fmt"
	"log"

	"mppm/shared/fault"
	"mppm/shared/safetensors"
)

// A tensor is written in eight bits, and read as what it is worth.
func Example() {
	f := &safetensors.File{Meta: map[string]string{"kind": "example"}}
	if err := f.AddInt8("weight", []float32{1, 0.5, -0.25, 100, 50, 0}, 2, 3); err != nil {
		log.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		log.Fatal(err)
	}
	again, err := safetensors.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range again.Tensors {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	values, err := again.Float32("weight", 2, 3)
	fmt.Printf("%.3f %v\n", values, err)
	_, err = again.Float32("weight", 3, 2)
	fmt.Println(errors.Is(err, fault.ErrTensor), err)
	// Output:
	// weight.scale F32 [2]
	// weight I8 [2 3]
	// [1.000 0.504 -0.252 100.000 50.394 0.000] <nil>
	// true safetensors: tensor "weight" has shape [2 3], want [3 2]
}
