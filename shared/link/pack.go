package link

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// CodeGrain is what the numbers of a packed code are multiples of: codes of
// digits are within ±10 or so, and images do not show a step of this size.
const CodeGrain = 1.0 / 1024

// codeLength is how many letters a packed code of n numbers has.
func codeLength(n int) int { return base64.RawURLEncoding.EncodedLen(2 * n) }

// pictureLength bounds a packed picture of n bytes, in letters: one of noise takes
// half of it.
func pictureLength(n int) int { return 2 * base64.RawURLEncoding.EncodedLen(n) }

// PackCode writes a code in letters that an address may hold, on the grain.
func PackCode(z []float32) string {
	b := make([]byte, 0, 2*len(z))
	for _, v := range z {
		g := math.Round(float64(v) / CodeGrain)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(min(max(g, math.MinInt16), math.MaxInt16))))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// UnpackCode reads a code of the page's model that PackCode wrote. It returns an
// error for anything else.
func (p *Page) UnpackCode(text string) ([]float32, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != 2*p.model.Latent {
		return nil, errors.New("this is not a code")
	}
	z := make([]float32, p.model.Latent)
	for i := range z {
		z[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:]))) * CodeGrain
	}
	return z, nil
}

// PackPicture writes an image of bytes in letters that an address may hold.
func PackPicture(ink []byte) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = w.Write(ink)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil { // writing to memory does not fail
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// UnpackPicture reads an image of the page's model that PackPicture wrote. It
// returns an error for anything else.
func (p *Page) UnpackPicture(text string) ([]byte, error) {
	broken := errors.New("this is not a picture")
	if len(text) > pictureLength(p.model.Pixels) {
		return nil, broken
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, broken
	}
	ink := make([]byte, p.model.Pixels)
	r := flate.NewReader(bytes.NewReader(b))
	if _, err := io.ReadFull(r, ink); err != nil {
		return nil, broken
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, broken
	}
	return ink, nil
}
