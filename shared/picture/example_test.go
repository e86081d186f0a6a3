package picture_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"

	"mppm/shared/picture"
)

// A transparent drawing is read as gray on paper.
func ExampleDecodePNG() {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 1))
	img.Set(0, 0, color.NRGBA{R: 255, A: 255}) // red; the others are transparent
	img.Set(1, 0, color.NRGBA{A: 255})         // but for a black one
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		log.Fatal(err)
	}
	b := file.Bytes()
	p, err := picture.DecodePNG(bytes.NewReader(b), picture.MaxArea)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d × %d: %.2f, in color %v, transparent %v\n", p.W, p.H, p.Gray, p.Color, p.Transparent)
	_, err = picture.DecodePNG(bytes.NewReader(b[:40]), picture.MaxArea)
	fmt.Println(err)
	// Output:
	// 3 × 1: [0.30 0.00 1.00], in color true, transparent true
	// it ends too early
}
