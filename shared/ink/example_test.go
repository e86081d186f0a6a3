package ink_test

import (
	"errors"
	"fmt"
	"log"

	"mppm/shared/ink"
)

// A dark stroke is found on light paper; an empty page is told as such.
func ExampleFind() {
	const w, h = 60, 60
	page := make([]float32, w*h)
	for i := range page {
		page[i] = 0.9
	}
	_, err := ink.Find(page, w, h, ink.Options{})
	fmt.Println(errors.Is(err, ink.ErrBlank))
	for y := 15; y < 45; y++ {
		for x := 28; x < 33; x++ {
			page[y*w+x] = 0.1
		}
	}
	found, err := ink.Find(page, w, h, ink.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Dark, found.X0, found.Y0, found.X1, found.Y1)
	// Output:
	// true
	// true 28 15 33 45
}
