package e2e

import (
	"bytes"
	pixels "image"
	"image/png"
	"testing"

	"mppm/shared/center/centertest"
	"mppm/shared/rng"
)

// photograph is a PNG of as many pixels as are read, and of bytes as a phone would
// make of a page in uneven light: grain does not compress.
func photograph(t testing.TB) []byte {
	t.Helper()
	const w, h, by = 4096, 3072, 8
	r := rng.New(6, 0)
	s := centertest.Scene{W: w / by, H: h / by, Size: 0.7, X: 0.4, Y: 0.5, Paper: 0.85, Pen: 0.15, Light: centertest.Slope(0.5, 1)}
	small := s.Draw(centertest.Written(3, 0.08, r), r)
	img := pixels.NewNRGBA(pixels.Rect(0, 0, w, h))
	for i := range w * h {
		v, grain := small.Pix[i/w/by*(w/by)+i%w/by], r.Uint64()
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = v+byte(grain&7), v+byte(grain>>3&7), v+byte(grain>>6&7), 255
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if n := b.Len() >> 20; n < 10 || n >= 24 {
		t.Fatalf("the photograph has %d MB; it should nearly be too large", n)
	}
	return b.Bytes()
}
