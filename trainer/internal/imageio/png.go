package imageio

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
)

var pngMagic = []byte("\x89PNG\r\n\x1a\n")

// maxArea bounds the pixels of a PNG, which a few bytes can claim to be any
// number: 4096×4096 of 64-bit color take 128 MB while they are decoded.
const maxArea = 4096 * 4096

func (r *reader) png(name string, b []byte) error {
	config, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s is a broken PNG: %w", name, err)
	}
	w, h := config.Width, config.Height
	if w <= 0 || h <= 0 || w > maxArea/h {
		return fmt.Errorf("%s is %d×%d pixels, more than %d million: make it smaller", name, w, h, maxArea/1_000_000)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s is a broken PNG: %w", name, err)
	}
	r.out.N++
	r.out.Names = append(r.out.Names, name)
	if gray, ok := img.(*image.Gray); ok && w == Side && h == Side {
		for y := range Side {
			r.out.Pixels = append(r.out.Pixels, gray.Pix[y*gray.Stride:y*gray.Stride+Side]...)
		}
		return nil
	}
	r.out.Pixels = append(r.out.Pixels, fit(w, h, func(dst []float64, y int) { luma(dst, img, y) })...)
	if w != Side || h != Side {
		r.noteSize(name, 1, w, h)
	}
	return nil
}

// luma writes row y of an image as gray in [0, 1], over a black ground.
func luma(dst []float64, img image.Image, y int) {
	bounds := img.Bounds()
	y += bounds.Min.Y
	switch img := img.(type) {
	case *image.Gray:
		for x := range dst {
			dst[x] = float64(img.GrayAt(bounds.Min.X+x, y).Y) / 0xff
		}
	case image.RGBA64Image: // everything that image/png decodes to
		for x := range dst {
			c := img.RGBA64At(bounds.Min.X+x, y) // premultiplied: already over black
			dst[x] = gray(uint32(c.R), uint32(c.G), uint32(c.B))
		}
	default:
		for x := range dst {
			r, g, b, _ := img.At(bounds.Min.X+x, y).RGBA()
			dst[x] = gray(r, g, b)
		}
	}
}

// gray is the luma of Rec. 601 of 16-bit channels, in [0, 1]. The weights are
// thousandths, so that equal channels give exactly their own value.
func gray(r, g, b uint32) float64 {
	return float64(299*r+587*g+114*b) / (1000 * 0xffff)
}

// fit scales an image of w×h pixels, given row by row, to the largest size that
// Side×Side holds with the same aspect, and centers it on 0. It averages areas
// where it shrinks and interpolates linearly where it grows.
func fit(w, h int, row func(dst []float64, y int)) []byte {
	tw, th := Side, Side
	if w > h {
		th = max(1, int(math.Round(float64(Side*h)/float64(w))))
	} else {
		tw = max(1, int(math.Round(float64(Side*w)/float64(h))))
	}
	xs, ys := taps(w, tw), taps(h, th)
	// Row by row through the source: only one of its rows is held at a time.
	sum := make([]float64, tw*th)
	src, narrow := make([]float64, w), make([]float64, tw)
	next := 0 // the first row of the result that later source rows may still add to
	for y := range h {
		row(src, y)
		for i, tap := range xs {
			narrow[i] = 0
			for k, weight := range tap.weights {
				narrow[i] += weight * src[tap.first+k]
			}
		}
		for next < th && ys[next].first+len(ys[next].weights) <= y {
			next++
		}
		for i := next; i < th && ys[i].first <= y; i++ {
			if k := y - ys[i].first; k < len(ys[i].weights) {
				for x, v := range narrow {
					sum[i*tw+x] += ys[i].weights[k] * v
				}
			}
		}
	}
	out := make([]byte, Pixels)
	left, top := (Side-tw)/2, (Side-th)/2
	for y := range th {
		for x := range tw {
			out[(top+y)*Side+left+x] = byte(min(max(math.Round(255*sum[y*tw+x]), 0), 255))
		}
	}
	return out
}

// tap is what one pixel of a scaled line takes of the source line: weights,
// which sum to 1, for the pixels from first on.
type tap struct {
	first   int
	weights []float64
}

// taps scales a line of n pixels to m.
func taps(n, m int) []tap {
	out := make([]tap, m)
	for i := range out {
		if m >= n { // grow: between the two centers around this one
			at := (float64(i)+0.5)*float64(n)/float64(m) - 0.5
			at = min(max(at, 0), float64(n-1))
			first := min(int(at), max(n-2, 0))
			t := at - float64(first)
			out[i] = tap{first, []float64{1 - t, t}[:min(n, 2)]}
			continue
		}
		// Shrink: the part of each source pixel that lies in [lo, hi), in units of
		// 1/m of a source pixel, which are exact.
		lo, hi := i*n, (i+1)*n
		first := lo / m
		last := (hi - 1) / m
		weights := make([]float64, last-first+1)
		for k := range weights {
			begin, end := (first+k)*m, (first+k+1)*m
			weights[k] = float64(min(end, hi)-max(begin, lo)) / float64(n)
		}
		out[i] = tap{first, weights}
	}
	return out
}
