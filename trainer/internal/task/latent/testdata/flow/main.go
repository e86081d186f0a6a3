// Command flow prints the bits of the flows of a weights file.
package main

import (
	"fmt"
	"os"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
)

func main() {
	b, err := os.ReadFile(os.Args[1])
	if err == nil {
		var m *latent.Model
		if m, err = latent.Load(b); err == nil {
			var bits string
			if bits, err = latenttest.Bits(m); err == nil {
				fmt.Println(bits)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
