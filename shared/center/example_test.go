package center_test

import (
	"fmt"
	"log"

	"mppm/shared/center"
)

// A stroke in the corner of a photograph becomes an image like MNIST's.
func ExampleImage() {
	const w, h = 90, 60
	photo := make([]float32, w*h)
	for i := range photo {
		photo[i] = 0.9
		if x, y := i%w, i/w; x >= 60 && x < 66 && y >= 10 && y < 50 {
			photo[i] = 0.1
		}
	}
	digit := make([]float32, center.Side*center.Side)
	if err := center.Image(digit, photo, w, h); err != nil {
		log.Fatal(err)
	}
	for y := 0; y < center.Side; y += 3 {
		for x := 0; x < center.Side; x++ {
			fmt.Print(string(".+#"[min(int(digit[y*center.Side+x]*3), 2)]))
		}
		fmt.Println()
	}
	// Output:
	// ............................
	// ............................
	// .............###............
	// .............###............
	// .............###............
	// .............###............
	// .............###............
	// .............###............
	// ............................
	// ............................
}
