package api

import (
	"image"
	"net/http"
	"strconv"
	"strings"
)

// What goes in and out.
const (
	jsonType = "application/json"
	pngType  = "image/png"
)

// accepted returns the one of offers that the request's Accept headers weigh
// most, the first of equals.
func accepted(headers []string, offers ...string) (string, error) {
	if len(headers) == 0 {
		return offers[0], nil
	}
	best, bestWeight := "", 0.0
	for _, offer := range offers {
		if w := weight(headers, offer); w > bestWeight {
			best, bestWeight = offer, w
		}
	}
	if best == "" {
		return "", problemf(http.StatusNotAcceptable, "Accept is %s; this comes as %s", clip(strings.Join(headers, ",")), strings.Join(offers, " or "))
	}
	return best, nil
}

// weight returns the weight that Accept headers give to a type: that of the most
// specific range that it is in.
func weight(headers []string, mediaType string) float64 {
	found, specific := 0.0, 0
	for _, h := range headers {
		for item := range strings.SplitSeq(h, ",") {
			name, params, _ := strings.Cut(item, ";")
			level := 0
			switch name = strings.ToLower(strings.TrimSpace(name)); {
			case name == mediaType:
				level = 3
			case strings.HasSuffix(name, "/*") && strings.HasPrefix(mediaType, name[:len(name)-1]):
				level = 2
			case name == "*/*":
				level = 1
			}
			if level <= specific {
				continue
			}
			specific, found = level, 1
			for p := range strings.SplitSeq(params, ";") {
				if q, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
					v, err := strconv.ParseFloat(q, 64)
					if err != nil || !(v >= 0 && v <= 1) {
						v = 0
					}
					found = v
				}
			}
		}
	}
	return found
}

// contentType returns what a body is said to be, without parameters.
func contentType(r *request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// ink returns the byte that shows a pixel: 0 for 0 and below, 255 for 1 and
// above.
func ink(v float32) byte {
	if !(v > 0) {
		return 0
	}
	return byte(float32(min(v, 1)*255) + 0.5)
}

// nth returns image i of some.
func (a *API) nth(images []float32, i int) []float32 {
	size := a.image.Size()
	return images[i*size:][:size]
}

// sheet lays images out in columns, each pixel as a square of scale pixels.
func (a *API) sheet(images []float32, columns, scale int) *image.Gray {
	n := len(images) / a.image.Size()
	rows := (n + columns - 1) / columns
	w, h := a.image.W*scale, a.image.H*scale
	img := image.NewGray(image.Rect(0, 0, columns*w, rows*h))
	for i := range n {
		x0, y0, pixels := i%columns*w, i/columns*h, a.nth(images, i)
		for y := range a.image.H {
			line := img.Pix[(y0+y*scale)*img.Stride+x0:][:w]
			for x := range line {
				line[x] = ink(pixels[y*a.image.W+x/scale])
			}
			for k := 1; k < scale; k++ {
				copy(img.Pix[(y0+y*scale+k)*img.Stride+x0:][:w], line)
			}
		}
	}
	return img
}
