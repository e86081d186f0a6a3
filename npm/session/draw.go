package session

import (
	"math"

	"mppm/shared/stroke"
)

// Draw returns the image of strokes of a pen, each of three numbers a point: its place,
// in pixels of the image, and the diameter of the ink there. With center the drawing is
// scaled and placed as MNIST's digits are, which is what the model knows. The error is of
// code Unsupported where images are not of the digits' shape.
func (s *Session) Draw(strokes [][]float32, center bool) ([]float32, error) {
	if shape := s.Image(); shape.H != stroke.Side || shape.W != stroke.Side || shape.C != 1 {
		return nil, failf(Unsupported, "strokes are drawn as digits, of %d×%[1]d, and the model's images are of %v", stroke.Side, shape)
	}
	total := 0
	drawing := make([][]stroke.Point, len(strokes))
	for i, line := range strokes {
		if len(line) == 0 || len(line)%3 != 0 {
			return nil, failf(Shape, "stroke %d has %d numbers, and a point has three: x, y and the width of the ink", i, len(line))
		}
		if total += len(line) / 3; total > stroke.MaxPoints {
			return nil, failf(Shape, "a drawing has at most %d points", stroke.MaxPoints)
		}
		for k := 0; k < len(line); k += 3 {
			p := stroke.Point{X: float64(line[k]), Y: float64(line[k+1]), Width: float64(line[k+2])}
			if !(math.Abs(p.X) <= off && math.Abs(p.Y) <= off && p.Width > 0 && p.Width <= stroke.MaxWidth) {
				return nil, failf(Range, "point %d of stroke %d is at (%v, %v) and %v wide; places are numbers of at most %d, and widths more than 0 and at most %v", k/3, i, p.X, p.Y, p.Width, off, stroke.MaxWidth)
			}
			drawing[i] = append(drawing[i], p)
		}
	}
	x := make([]float32, stroke.Side*stroke.Side)
	if center {
		stroke.Center(x, drawing)
	} else {
		stroke.Placing{}.DrawAll(x, drawing)
	}
	return x, nil
}

// off is how far from the image's corner a pen may be, in pixels.
const off = 1000
