package link_test

import (
	"fmt"
	"log"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/weights"
)

// A link is read as it is meant: what cannot be shown is left out, and named.
func Example() {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		log.Fatal(err)
	}
	page := link.New(200, link.Model{Pixels: m.Pixels(), Latent: m.Latent(), Classes: 10, Restore: m.Restore, Generate: m.Generate})
	l, faults := page.Read("mode=generate&class=7&seed=many&utm_source=mail")
	fmt.Println(l.Mode, l.Class)
	fmt.Println(faults)
	fmt.Println(page.Write(l))
	// Output:
	// generate 7
	// seed=many is left out: it takes a whole number from 0 to 4294967295
	// mode=generate&class=7
}
