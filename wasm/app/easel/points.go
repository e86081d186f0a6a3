package easel

import (
	"math"

	"mppm/shared/link"
	"mppm/shared/rng"
)

// stream is the stream of a seed that the noise of points is drawn from: training draws
// from others.
const stream = 7 << 40

// Points returns n points on strokes, at even distances along them, a dot having one of
// its own; each moved by Gaussian noise of deviation blur, drawn from a seed. They are
// rows of two numbers, which 32 bits hold. Without strokes there is none.
func Points(s link.Strokes, n int, blur float64, seed uint64) []float64 {
	var out []float64
	src := rng.New(seed, stream)
	add := func(x, y float64) {
		for _, v := range [2]float64{x, y} {
			if blur > 0 {
				v += float64(blur * src.Norm())
			}
			out = append(out, float64(float32(v)))
		}
	}
	whole := length(s)
	for _, stroke := range s {
		if len(stroke) == 1 && n > 0 {
			add(stroke[0][0], stroke[0][1])
			n--
		}
	}
	if whole == 0 || n < 1 {
		return out
	}
	done, begun := 0, 0.0 // points, and the length before the piece
	for _, stroke := range s {
		for i, q := range stroke[1:] {
			p := stroke[i]
			piece := math.Hypot(q[0]-p[0], q[1]-p[1])
			for done < n {
				t := (float64(whole*(float64(done)+0.5)/float64(n)) - begun) / piece
				if !(t <= 1) {
					break
				}
				add(p[0]+float64((q[0]-p[0])*max(t, 0)), p[1]+float64((q[1]-p[1])*max(t, 0)))
				done++
			}
			begun += piece
		}
	}
	return out
}
