package idx_test

import (
	"fmt"
	"log"

	"mppm/shared/idx"
)

// Two images of 2 × 3 pixels are written as MNIST's are, and read again.
func Example() {
	pixels := []byte{0, 255, 0, 255, 0, 255, 9, 9, 9, 0, 0, 0}
	f, err := idx.New(pixels, 2, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	b := f.Encode()
	fmt.Println(len(b), "bytes")
	again, err := idx.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	n, h, w, err := again.Images()
	fmt.Println(n, "images of", h, "×", w, err)
	_, err = idx.Parse(b[:len(b)-1])
	fmt.Println(err)
	// Output:
	// 28 bytes
	// 2 images of 2 × 3 <nil>
	// idx: truncated: dimensions [2 2 3] need 12 bytes of data, the file has 11
}
