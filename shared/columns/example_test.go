package columns_test

import (
	"fmt"
	"log"
	"strings"

	"mppm/shared/columns"
)

func Example() {
	text := "x;y\n0,5;1\n0,25;2\n"
	p, err := columns.Read(strings.NewReader(text), columns.Either)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Len(), "points of", p.Dim, "coordinates:", p.Points)
	// Output: 2 points of 2 coordinates: [0.5 1 0.25 2]
}
