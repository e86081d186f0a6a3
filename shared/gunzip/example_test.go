package gunzip_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"

	"mppm/shared/gunzip"
)

// Zeros that a tape or a block-wise copy left behind a file do no harm.
func Example() {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := io.WriteString(w, "digits"); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	file.Write(make([]byte, 100))

	r, err := gunzip.NewReader(&file)
	if err != nil {
		log.Fatal(err)
	}
	b, err := io.ReadAll(r)
	fmt.Printf("%s, %v\n", b, err)
	// Output:
	// digits, <nil>
}
