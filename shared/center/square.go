package center

import "mppm/shared/picture"

// Square cuts the largest square out of the middle of a picture and scales it to side × side pixels,
// by averaging what each covers or going straight from pixel to pixel: side × side × 3
// numbers in [0, 1] in dst, row by row, red, green and blue side by side.
func Square(dst []float32, c *picture.Colors, side int) {
	for k, p := range []*picture.Picture{c.Red, c.Green, c.Blue} {
		square(dst[k:], 3, p, side)
	}
}

// SquareGray is Square for a picture in gray: side × side numbers.
func SquareGray(dst []float32, p *picture.Picture, side int) { square(dst, 1, p, side) }

// square writes the square of a channel to dst, its numbers so far apart.
func square(dst []float32, every int, p *picture.Picture, side int) {
	edge := min(p.W, p.H)
	left, top := (p.W-edge)/2, (p.H-edge)/2
	taps := Taps(edge, side)
	narrow := make([]float64, edge*side) // edge rows of side pixels
	for y := range edge {
		row := p.Gray[(top+y)*p.W+left:][:edge]
		for x, tap := range taps {
			sum := 0.0
			for i, w := range tap.Weights {
				sum += float64(w * float64(row[tap.First+i]))
			}
			narrow[y*side+x] = sum
		}
	}
	for y, tap := range taps {
		for x := range side {
			sum := 0.0
			for i, w := range tap.Weights {
				sum += float64(w * narrow[(tap.First+i)*side+x])
			}
			dst[(y*side+x)*every] = float32(sum)
		}
	}
}
