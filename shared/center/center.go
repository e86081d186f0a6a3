// Package center turns any picture of a digit into an image like those of MNIST,
// as they were made of scans: light ink on black, the box around the ink scaled
// to fit 20 × 20 pixels with its aspect kept, and the ink's center of mass in
// the middle of 28 × 28.
//
// All arithmetic is float64 of operations that are exact to the last bit
// everywhere: a picture gives the same image on every platform.
package center

import (
	"math"

	"mppm/shared/fault"
	"mppm/shared/ink"
)

// The frame of MNIST's images, in pixels.
const (
	Side  = 28 // edges of an image
	Frame = 20 // edges of the square that the box around the ink is scaled to
)

// Image writes to dst (Side × Side, in [0, 1]) the digit of a gray picture of
// w × h pixels, whatever its size, contrast, light and polarity, as package ink
// finds it. It returns ink.ErrBlank if nothing stands out, ink.ErrNoise if too much
// does, another error if the numbers are no picture.
func Image(dst, src []float32, w, h int) error {
	_, err := Find(dst, src, w, h, ink.Options{})
	return err
}

// Find is Image with options, and returns what was found.
func Find(dst, src []float32, w, h int, o ink.Options) (*ink.Found, error) {
	if len(dst) != Side*Side {
		return nil, fault.New(fault.ErrSize, "center: the result has room for %d pixels, not %d", len(dst), Side*Side)
	}
	f, err := ink.Find(src, w, h, o)
	if err != nil {
		return nil, err
	}
	bw, bh := f.X1-f.X0, f.Y1-f.Y0
	tw, th := Frame, Frame
	if bw > bh {
		th = max(1, int(math.Round(float64(Frame*bh)/float64(bw))))
	} else {
		tw = max(1, int(math.Round(float64(Frame*bw)/float64(bh))))
	}
	small := scale(f.Ink, w, f.X0, f.Y0, bw, bh, tw, th)
	place(dst, small, tw, th)
	return f, nil
}

// scale returns the part of ink at (x0, y0), of bw × bh pixels, as tw × th.
// Strokes that became thin are as bright as thick ones.
func scale(ink []float64, w, x0, y0, bw, bh, tw, th int) []float64 {
	small := resample(ink, w, x0, y0, bw, bh, tw, th)
	top := 0.0
	for _, v := range small {
		top = max(top, v)
	}
	for i := range small {
		small[i] /= top
	}
	return small
}

// resample returns the part of src at (x0, y0), of bw × bh pixels, as tw × th.
func resample(src []float64, w, x0, y0, bw, bh, tw, th int) []float64 {
	xs, ys := Taps(bw, tw), Taps(bh, th)
	narrow := make([]float64, bh*tw)
	for y := range bh {
		row := src[(y0+y)*w+x0:][:bw]
		for x, tap := range xs {
			sum := 0.0
			for k, weight := range tap.Weights {
				sum += float64(weight * row[tap.First+k])
			}
			narrow[y*tw+x] = sum
		}
	}
	small := make([]float64, tw*th)
	for y, tap := range ys {
		for x := range tw {
			sum := 0.0
			for k, weight := range tap.Weights {
				sum += float64(weight * narrow[(tap.First+k)*tw+x])
			}
			small[y*tw+x] = sum
		}
	}
	return small
}

// place writes small to dst with its center of mass in the middle, or as near to
// it as keeps the ink whole.
func place(dst []float32, small []float64, tw, th int) {
	var mass, mx, my float64
	for i, v := range small {
		mass += v
		mx += float64(v * (float64(i%tw) + 0.5))
		my += float64(v * (float64(i/tw) + 0.5))
	}
	left := min(max(int(math.Round(Side/2-mx/mass)), 0), Side-tw)
	top := min(max(int(math.Round(Side/2-my/mass)), 0), Side-th)
	clear(dst)
	for i, v := range small {
		dst[(top+i/tw)*Side+left+i%tw] = float32(v)
	}
}

// Tap is what one pixel of a scaled line takes of the source line: weights,
// which sum to 1, for the pixels from First on.
type Tap struct {
	First   int
	Weights []float64
}

// Taps scales a line of n ≥ 1 pixels to m ≥ 1: by averaging what each pixel
// covers where it shrinks, by going straight from pixel to pixel where it grows.
func Taps(n, m int) []Tap {
	out := make([]Tap, m)
	for i := range out {
		if m >= n { // grow: between the two centers around this one
			at := float64((float64(i)+0.5)*float64(n))/float64(m) - 0.5
			at = min(max(at, 0), float64(n-1))
			first := min(int(at), max(n-2, 0))
			t := at - float64(first)
			out[i] = Tap{first, []float64{1 - t, t}[:min(n, 2)]}
			continue
		}
		// Shrink: the part of each source pixel that lies in [lo, hi), in units of
		// 1/m of a source pixel, which are exact.
		lo, hi := i*n, (i+1)*n
		first := lo / m
		weights := make([]float64, (hi-1)/m-first+1)
		for k := range weights {
			begin, end := (first+k)*m, (first+k+1)*m
			weights[k] = float64(min(end, hi)-max(begin, lo)) / float64(n)
		}
		out[i] = Tap{first, weights}
	}
	return out
}
