package imageio

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/picture"
)

func (r *reader) png(name string, b []byte) error {
	p, err := picture.DecodePNG(bytes.NewReader(b), picture.MaxArea)
	var size *picture.SizeError
	switch {
	case errors.As(err, &size):
		return fmt.Errorf("%s: %w: make it smaller", name, err)
	case err != nil:
		return fmt.Errorf("%s is a broken PNG: %w", name, err)
	}
	x := make([]float32, Pixels)
	done, _, err := center.Digit(x, p, r.options)
	if errors.Is(err, ink.ErrBlank) {
		return fmt.Errorf("%s: %w: leave it out, or take it as it is with --center %s", name, err, center.Never)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if r.options.Center == center.Never && done.Fitted {
		r.noteSize(name, 1, p.FullW, p.FullH)
		done.Fitted = false
	}
	if done != (center.Done{}) {
		d := r.done[done.String()]
		if d.n == 0 {
			d.first = name
		}
		d.n++
		r.done[done.String()] = d
	}
	at := len(r.out.Pixels)
	r.out.Pixels = append(r.out.Pixels, make([]byte, Pixels)...)
	Quantize(r.out.Pixels[at:], x)
	r.out.N++
	r.out.Names = append(r.out.Names, name)
	return nil
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
	xs, ys := center.Taps(w, tw), center.Taps(h, th)
	// Row by row through the source: only one of its rows is held at a time.
	sum := make([]float64, tw*th)
	src, narrow := make([]float64, w), make([]float64, tw)
	next := 0 // the first row of the result that later source rows may still add to
	for y := range h {
		row(src, y)
		for i, tap := range xs {
			narrow[i] = 0
			for k, weight := range tap.Weights {
				narrow[i] += weight * src[tap.First+k]
			}
		}
		for next < th && ys[next].First+len(ys[next].Weights) <= y {
			next++
		}
		for i := next; i < th && ys[i].First <= y; i++ {
			if k := y - ys[i].First; k < len(ys[i].Weights) {
				for x, v := range narrow {
					sum[i*tw+x] += ys[i].Weights[k] * v
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
