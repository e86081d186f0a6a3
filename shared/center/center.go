// Package center turns any picture of a digit into an image like those of MNIST,
// as they were made of scans: light ink on black, the box around the ink scaled
// to fit 20 × 20 pixels with its aspect kept, and the ink's center of mass in
// the middle of 28 × 28.
//
// All arithmetic is float64 of operations that are exact to the last bit
// everywhere: a picture gives the same image on every platform.
package center

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// The frame of MNIST's images, in pixels.
const (
	Side  = 28 // edges of an image
	Frame = 20 // edges of the square that the box around the ink is scaled to
)

// MaxSide bounds the edges of the pictures that are read, in pixels.
const MaxSide = 1 << 14

// ErrBlank says that there is nothing in a picture that could be ink.
var ErrBlank = errors.New("the picture is blank: nothing in it stands out from its ground")

// What counts as ink.
const (
	contrast = 0.08 // the least that some of it must differ from the ground, of black to white
	faint    = 0.25 // what is weaker, of the strongest ink, does not widen the box
)

// Gray returns a picture as gray, w × h numbers in [0, 1], row-major: Rec. 601
// luma. Transparent parts show the ground that the rest stands out from: white
// under dark ink, black under light.
func Gray(img image.Image) (gray []float32, w, h int) {
	b := img.Bounds()
	w, h = b.Dx(), b.Dy()
	gray = make([]float32, w*h)
	var cover []float32 // opacity, once any is less than 1
	var luma, opaque float64
	put := func(i int, r, g, b, a uint32) {
		// Thousandths, so that equal channels give exactly their own value.
		v := float64(299*r+587*g+114*b) / (1000 * 0xffff)
		gray[i] = float32(v)
		if a != 0xffff && cover == nil {
			cover = make([]float32, w*h)
			for k := range i {
				cover[k] = 1
			}
		}
		if cover != nil {
			cover[i] = float32(a) / 0xffff
		}
		luma += v
		opaque += float64(a) / 0xffff
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			switch img := img.(type) {
			case *image.Gray:
				v := uint32(img.GrayAt(b.Min.X+x, b.Min.Y+y).Y) * 0x101
				put(i, v, v, v, 0xffff)
			case image.RGBA64Image: // premultiplied: as over black
				c := img.RGBA64At(b.Min.X+x, b.Min.Y+y)
				put(i, uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
			default:
				r, g, b, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				put(i, r, g, b, a)
			}
		}
	}
	if cover != nil && luma < opaque/2 {
		for i, a := range cover {
			gray[i] += 1 - a
		}
	}
	return gray, w, h
}

// Image writes to dst (Side × Side, in [0, 1]) the digit of a gray picture of
// w × h pixels, whatever its size, contrast and polarity. The ground is what
// most of the picture's edge shows. It returns ErrBlank if nothing stands out,
// another error if the numbers are no picture.
func Image(dst, src []float32, w, h int) error {
	if len(dst) != Side*Side {
		return fmt.Errorf("center: the result has room for %d pixels, not %d", len(dst), Side*Side)
	}
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide || len(src) != w*h {
		return fmt.Errorf("center: %d numbers are no picture of %d × %d pixels, with edges of at most %d", len(src), w, h, MaxSide)
	}
	for i, v := range src {
		if v-v != 0 {
			return fmt.Errorf("center: the pixel at column %d, row %d is %v", i%w, i/w, v)
		}
	}
	ink, err := inked(src, w, h)
	if err != nil {
		return err
	}
	x0, y0, x1, y1 := box(ink, w, h)
	bw, bh := x1-x0, y1-y0
	tw, th := Frame, Frame
	if bw > bh {
		th = max(1, int(math.Round(float64(Frame*bh)/float64(bw))))
	} else {
		tw = max(1, int(math.Round(float64(Frame*bw)/float64(bh))))
	}
	small := scale(ink, w, x0, y0, bw, bh, tw, th)
	place(dst, small, tw, th)
	return nil
}

// inked returns how much ink each pixel has, from 0, the ground, to 1.
func inked(src []float32, w, h int) ([]float64, error) {
	ground := edge(src, w, h)
	// The ink is on the side of the ground on which more lies, in squares: a few
	// strokes weigh more than much noise.
	var lighter, darker float64
	for _, v := range src {
		d := float64(v) - ground
		if d > 0 {
			lighter += float64(d * d)
		} else {
			darker += float64(d * d)
		}
	}
	sign := 1.0
	if darker > lighter {
		sign = -1
	}
	ink := make([]float64, len(src))
	top := 0.0
	for i, v := range src {
		ink[i] = max(float64(sign*(float64(v)-ground)), 0)
		top = max(top, ink[i])
	}
	if !(top >= contrast) {
		return nil, ErrBlank
	}
	for i := range ink {
		ink[i] = ink[i] / top
	}
	return ink, nil
}

// levels is how finely edge tells grays apart.
const levels = 256

// edge returns the median gray of the picture's outermost pixels.
func edge(src []float32, w, h int) float64 {
	var count [levels]int
	n := 0
	add := func(x, y int) {
		v := min(max(src[y*w+x], 0), 1)
		count[int(float32(v*(levels-1))+0.5)]++
		n++
	}
	for x := range w {
		add(x, 0)
		add(x, h-1)
	}
	for y := range h {
		add(0, y)
		add(w-1, y)
	}
	seen := 0
	for level, c := range count {
		if seen += c; 2*seen >= n {
			return float64(level) / (levels - 1)
		}
	}
	return 1
}

// box returns the box around what is clearly ink.
func box(ink []float64, w, h int) (x0, y0, x1, y1 int) {
	x0, y0 = w, h
	for y := range h {
		for x := range w {
			if ink[y*w+x] >= faint {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	return x0, y0, x1, y1
}

// scale returns the part of ink at (x0, y0), of bw × bh pixels, as tw × th.
// Strokes that became thin are as bright as thick ones.
func scale(ink []float64, w, x0, y0, bw, bh, tw, th int) []float64 {
	xs, ys := Taps(bw, tw), Taps(bh, th)
	narrow := make([]float64, bh*tw)
	for y := range bh {
		row := ink[(y0+y)*w+x0:][:bw]
		for x, tap := range xs {
			sum := 0.0
			for k, weight := range tap.Weights {
				sum += float64(weight * row[tap.First+k])
			}
			narrow[y*tw+x] = sum
		}
	}
	small := make([]float64, tw*th)
	top := 0.0
	for y, tap := range ys {
		for x := range tw {
			sum := 0.0
			for k, weight := range tap.Weights {
				sum += float64(weight * narrow[(tap.First+k)*tw+x])
			}
			small[y*tw+x] = sum
			top = max(top, sum)
		}
	}
	for i := range small {
		small[i] /= top
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
