package app

import (
	"math"

	"mppm/shared/model"
)

// maxPoints bounds a drawing, so that a pen left on the pad does not fill
// memory.
const maxPoints = 20_000

// nearby is how far, in pixels, the pen must move to leave another point.
const nearby = 0.2

// Point is a place of the pen on the pad, in pixels of the 28 × 28 image, and
// the diameter of its ink there.
type Point struct{ X, Y, Width float64 }

// Pad turns the strokes of a pen into an image like those of MNIST: bright
// strokes with soft edges on black.
type Pad struct {
	strokes [][]Point
	points  int
	down    bool
	image   [model.Pixels]float32
}

// Clear empties the pad.
func (p *Pad) Clear() { *p = Pad{} }

// Empty reports whether nothing is drawn.
func (p *Pad) Empty() bool { return len(p.strokes) == 0 }

// Image returns the drawing, model.Pixels numbers in [0, 1]. It belongs to the
// pad.
func (p *Pad) Image() []float32 { return p.image[:] }

// Strokes returns the drawing as points; they belong to the pad.
func (p *Pad) Strokes() [][]Point { return p.strokes }

// Down starts a stroke with a dot.
func (p *Pad) Down(x, y, width float64) {
	at := Point{x, y, width}
	if !finite(at) || p.points >= maxPoints {
		return
	}
	p.down = true
	p.points++
	p.strokes = append(p.strokes, []Point{at})
	p.draw(at, at)
}

// Move draws the stroke on and reports whether that changed the image.
func (p *Pad) Move(x, y, width float64) bool {
	at := Point{x, y, width}
	if !p.down || !finite(at) || p.points >= maxPoints {
		return false
	}
	s := &p.strokes[len(p.strokes)-1]
	last := (*s)[len(*s)-1]
	if math.Hypot(x-last.X, y-last.Y) < nearby {
		return false
	}
	p.points++
	*s = append(*s, at)
	p.draw(last, at)
	return true
}

// Up ends the stroke.
func (p *Pad) Up() { p.down = false }

func finite(p Point) bool {
	s := p.X + p.Y + p.Width
	return s-s == 0 && p.Width > 0 && math.Abs(p.X) < 1e4 && math.Abs(p.Y) < 1e4
}

// soft is the width of a stroke's edge, in pixels, from full ink to none.
const soft = 1.3

// draw inks the segment from a to b: each pixel by the distance of its center
// from the segment. Ink over ink does not add.
func (p *Pad) draw(a, b Point) {
	reach := max(a.Width, b.Width)/2 + soft
	x0, x1 := span(min(a.X, b.X)-reach, max(a.X, b.X)+reach)
	y0, y1 := span(min(a.Y, b.Y)-reach, max(a.Y, b.Y)+reach)
	dx, dy := b.X-a.X, b.Y-a.Y
	length := dx*dx + dy*dy
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			px, py := float64(x)+0.5-a.X, float64(y)+0.5-a.Y
			t := 0.0
			if length > 0 {
				t = min(max((px*dx+py*dy)/length, 0), 1)
			}
			radius := (a.Width + (b.Width-a.Width)*t) / 2
			ink := (radius-math.Hypot(px-t*dx, py-t*dy))/soft + 0.5
			at := &p.image[y*model.Side+x]
			*at = max(*at, float32(min(max(ink, 0), 1)))
		}
	}
}

// span returns the pixels from lo to hi that are on the pad.
func span(lo, hi float64) (from, to int) {
	return int(max(math.Floor(lo), 0)), int(min(math.Ceil(hi), model.Side))
}
