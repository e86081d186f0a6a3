package fault_test

import (
	"errors"
	"fmt"

	"mppm/shared/classifier"
	"mppm/shared/fault"
	"mppm/shared/latent"
	"mppm/weights"
)

// Weights are told apart by what is wrong with them.
func Example() {
	_, err := latent.Load(weights.Classifier)
	fmt.Println(errors.Is(err, fault.ErrKind), err)
	_, err = classifier.Load(weights.Classifier[:1000])
	fmt.Println(errors.Is(err, fault.ErrKind), errors.Is(err, fault.ErrDamaged))
	// Output:
	// true latent: metadata: kind is "classifier-28x28"; this program reads "lmppm" and "lmppm-28x28"
	// false true
}
