package stroke_test

import (
	"fmt"
	"log"

	"mppm/shared/stroke"
)

// A drawing becomes an image like MNIST's, and a few letters of an address.
func Example() {
	drawing := [][]stroke.Point{{{X: 4, Y: 4, Width: 2}, {X: 12, Y: 4, Width: 2}, {X: 6, Y: 20, Width: 2}}} // a 7
	text := stroke.Encode(drawing)
	again, err := stroke.Decode(text)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(text), "letters,", len(again[0]), "points")
	digit := make([]float32, stroke.Side*stroke.Side)
	stroke.Center(digit, again)
	for y := 3; y < stroke.Side; y += 3 {
		for x := 0; x < stroke.Side; x++ {
			fmt.Print(string(".+#"[min(int(digit[y*stroke.Side+x]*3), 2)]))
		}
		fmt.Println()
	}
	// Output:
	// 22 letters, 3 points
	// ............................
	// .........++++++++++.........
	// ................+#+.........
	// ...............+#+..........
	// ..............##+...........
	// .............##.............
	// ............##..............
	// ...........##...............
	// ............................
}
