// Package easel is what a visitor draws in Manifold: strokes that are drawn, pulled and
// taken back, and the points on them that nets learn from. It knows no pixels: places are
// in the plane of the figure.
package easel

import (
	"fmt"
	"math"
	"slices"

	"mppm/shared/link"
)

const (
	// near is how far a simplified stroke may be from the one that was drawn: under a
	// pixel of a figure that shows the unit circle.
	near = 0.75 * link.StrokeGrain
	// mostRaw bounds the places of a stroke while it is drawn: then it is simplified.
	mostRaw = 2048
	// mostUndo bounds what can be taken back.
	mostUndo = 200
)

// Drawing is strokes, and what they were before. The zero value is empty. What it returns
// is not to be changed.
type Drawing struct {
	now          link.Strokes
	past, future []link.Strokes
	pen          [][2]float64 // the stroke that is being drawn
	down, full   bool
	pull         *pull
}

// Strokes returns the strokes, the one that is being drawn the last.
func (d *Drawing) Strokes() link.Strokes {
	switch {
	case d.down && len(d.pen) > 0:
		return append(slices.Clip(d.now), d.pen)
	case d.pull != nil:
		return d.pull.moved
	}
	return d.now
}

// Open shows strokes, with nothing to take back.
func (d *Drawing) Open(s link.Strokes) { *d = Drawing{now: s} }

// Set replaces the strokes, which can be taken back.
func (d *Drawing) Set(s link.Strokes) {
	d.down, d.pen, d.pull = false, nil, nil
	if len(s) == 0 && len(d.now) == 0 {
		return
	}
	if d.past = append(d.past, d.now); len(d.past) > mostUndo {
		d.past = d.past[1:]
	}
	d.now, d.future = s, nil
}

// Undo takes the last change back, and reports whether there was one.
func (d *Drawing) Undo() bool { return d.turn(&d.past, &d.future) }

// Redo makes it again.
func (d *Drawing) Redo() bool { return d.turn(&d.future, &d.past) }

// CanUndo and CanRedo report whether these would do something.
func (d *Drawing) CanUndo() bool { return len(d.past) > 0 }
func (d *Drawing) CanRedo() bool { return len(d.future) > 0 }

func (d *Drawing) turn(from, to *[]link.Strokes) bool {
	n := len(*from)
	if n == 0 {
		return false
	}
	d.down, d.pen, d.pull = false, nil, nil
	*to = append(*to, d.now)
	d.now, *from = (*from)[n-1], (*from)[:n-1]
	return true
}

// PenDown begins a stroke at a place.
func (d *Drawing) PenDown(p [2]float64) {
	d.down, d.pen, d.full, d.pull = true, nil, false, nil
	d.PenMove(p)
}

// PenMove draws on to a place.
func (d *Drawing) PenMove(p [2]float64) {
	if !d.down || d.full || p[0]-p[0] != 0 || p[1]-p[1] != 0 {
		return
	}
	for k, v := range p {
		p[k] = min(max(v, -link.Farthest), link.Farthest)
	}
	if n := len(d.pen); n > 0 && d.pen[n-1] == p {
		return
	}
	if d.pen = append(d.pen, p); len(d.pen) >= mostRaw {
		d.pen = Simplify(d.pen)
		d.full = len(d.pen) >= mostRaw
	}
}

// PenUp ends the stroke. It returns an error where the drawing has no room for all of it:
// what there is room for stays.
func (d *Drawing) PenUp() error {
	if !d.down || len(d.pen) == 0 {
		d.PenCancel()
		return nil
	}
	s := Simplify(d.pen)
	room := link.MaxStrokePlaces - d.now.Places()
	full := d.full || len(s) > room
	if s = s[:min(len(s), max(room, 0))]; len(s) > 0 {
		d.Set(append(slices.Clip(d.now), s))
	}
	d.PenCancel()
	if full {
		return fmt.Errorf("the drawing is full: it holds %d places of the pen, and what came after them is left out", link.MaxStrokePlaces)
	}
	return nil
}

// PenCancel gives the stroke up.
func (d *Drawing) PenCancel() { d.down, d.pen, d.pull = false, nil, nil }

// Simplify returns a stroke, on the grain, without the places that lie on the line between
// others, or nearly (Douglas and Peucker 1973). It has at least one place.
func Simplify(stroke [][2]float64) [][2]float64 {
	keep := make([]bool, len(stroke))
	type span struct{ from, to int }
	todo := []span{{0, len(stroke) - 1}}
	keep[0], keep[len(stroke)-1] = true, true
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at, far := -1, near*near
		for i := s.from + 1; i < s.to; i++ {
			if d := toSegment(stroke[i], stroke[s.from], stroke[s.to]); d > far {
				at, far = i, d
			}
		}
		if at >= 0 {
			keep[at] = true
			todo = append(todo, span{s.from, at}, span{at, s.to})
		}
	}
	var out [][2]float64
	for i, p := range stroke {
		if !keep[i] {
			continue
		}
		p = [2]float64{link.OnGrain(p[0], link.StrokeGrain), link.OnGrain(p[1], link.StrokeGrain)}
		if n := len(out); n == 0 || out[n-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// toSegment returns the squared distance of p from the segment from a to b.
func toSegment(p, a, b [2]float64) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	x, y := p[0]-a[0], p[1]-a[1]
	if length := dx*dx + dy*dy; length > 0 {
		t := min(max((x*dx+y*dy)/length, 0), 1)
		x, y = x-t*dx, y-t*dy
	}
	return x*x + y*y
}

// Off returns the distance of a place from the nearest stroke, +Inf without any.
func Off(s link.Strokes, p [2]float64) float64 {
	best := math.Inf(1)
	for _, stroke := range s {
		for i := range stroke {
			best = min(best, toSegment(p, stroke[max(i-1, 0)], stroke[i]))
		}
	}
	return math.Sqrt(best)
}
