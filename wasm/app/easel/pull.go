package easel

import (
	"math"

	"mppm/shared/link"
	"mppm/wasm/app/curve"
)

// pull is strokes that are held at a place.
type pull struct {
	at           [2]float64
	first, moved link.Strokes
}

const (
	pullReach = 0.5  // how far from where they are held strokes are pulled along
	pullFine  = 0.04 // the longest straight piece, while they are
	mostFine  = 1500 // bounds the places then
)

// Grab takes hold of the strokes at a place, and reports whether any is within reach.
func (d *Drawing) Grab(p [2]float64, reach float64) bool {
	if d.down || p[0]-p[0] != 0 || p[1]-p[1] != 0 || !(Off(d.now, p) <= reach) {
		return false
	}
	fine := refine(d.now, max(pullFine, length(d.now)/mostFine))
	d.pull = &pull{p, fine, fine}
	return true
}

// Drag pulls what is held to a place: all of it there, and less and less farther away.
func (d *Drawing) Drag(p [2]float64) {
	if d.pull == nil || p[0]-p[0] != 0 || p[1]-p[1] != 0 {
		return
	}
	dx, dy := p[0]-d.pull.at[0], p[1]-d.pull.at[1]
	moved := make(link.Strokes, len(d.pull.first))
	for i, stroke := range d.pull.first {
		moved[i] = make([][2]float64, len(stroke))
		for j, q := range stroke {
			x, y := q[0]-d.pull.at[0], q[1]-d.pull.at[1]
			w := max(1-(x*x+y*y)/(pullReach*pullReach), 0)
			w *= w
			for k, v := range [2]float64{q[0] + w*dx, q[1] + w*dy} {
				moved[i][j][k] = min(max(v, -link.Farthest), link.Farthest)
			}
		}
	}
	d.pull.moved = moved
}

// Release lets go, which can be taken back.
func (d *Drawing) Release() {
	if d.pull == nil {
		return
	}
	var s link.Strokes
	for _, stroke := range d.pull.moved {
		s = append(s, Simplify(stroke))
	}
	if s.Places() > link.MaxStrokePlaces {
		s = d.now // hundreds of strokes, each bent: as they were
	}
	d.Set(s)
}

// length returns how long all strokes are.
func length(s link.Strokes) (sum float64) {
	for _, stroke := range s {
		for i, p := range stroke[1:] {
			sum += math.Hypot(p[0]-stroke[i][0], p[1]-stroke[i][1])
		}
	}
	return sum
}

// refine returns strokes whose straight pieces are no longer than that.
func refine(s link.Strokes, longest float64) link.Strokes {
	out := make(link.Strokes, len(s))
	for i, stroke := range s {
		out[i] = append(out[i], stroke[0])
		for j, q := range stroke[1:] {
			p := stroke[j]
			n := max(int(math.Ceil(math.Hypot(q[0]-p[0], q[1]-p[1])/longest)), 1)
			for k := 1; k <= n; k++ {
				t := float64(k) / float64(n)
				out[i] = append(out[i], [2]float64{p[0] + (q[0]-p[0])*t, p[1] + (q[1]-p[1])*t})
			}
		}
	}
	return out
}

// Trace returns the line of a curve as strokes in the plane of its first two axes, to be
// pulled into another.
func Trace(c *curve.Shape) link.Strokes {
	next := make([][]int, len(c.Points))
	for i, l := range c.Segments {
		for _, p := range l {
			next[p] = append(next[p], i)
		}
	}
	used := make([]bool, len(c.Segments))
	var out link.Strokes
	follow := func(at int) {
		var stroke [][2]float64
		for {
			p := c.Points[at]
			stroke = append(stroke, [2]float64{p[0], p[1]})
			on := -1
			for _, i := range next[at] {
				if !used[i] {
					on = i
				}
			}
			if on < 0 {
				break
			}
			used[on] = true
			at = c.Segments[on][0] + c.Segments[on][1] - at
		}
		if len(stroke) > 1 {
			out = append(out, Simplify(stroke))
		}
	}
	for _, ends := range []bool{true, false} { // then what is closed
		for at, list := range next {
			if len(list) == 1 || !ends {
				follow(at)
			}
		}
	}
	return out
}
