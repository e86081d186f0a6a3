package app

import (
	"math"
	"slices"

	"mppm/shared/model"
	"mppm/shared/stroke"
)

// maxPoints bounds a drawing, so that a pen left on the pad does not fill
// memory.
const maxPoints = stroke.MaxPoints

// maxUndo bounds how many strokes can be taken back.
const maxUndo = 100

// nearby is how far, in pixels, the pen must move to leave another point.
const nearby = 0.3

// grain is what places and widths are multiples of, in pixels, so that a link
// holds a drawing exactly.
const grain = stroke.Grain

// Point is a place of the pen on the pad, in pixels of the 28 × 28 image, and
// the diameter of its ink there.
type Point = stroke.Point

// Pad turns the strokes of a pen into an image like those of MNIST: bright
// strokes with soft edges on black.
//
// There are two images. Framed is the drawing where MNIST has its digits, which
// is what the model gets. Image is what one draws on: it stays as it is while
// one draws, and becomes equal to Framed with Settle.
type Pad struct {
	strokes      [][]Point
	past, future [][][]Point // what Undo and Redo go to, the nearest last
	points       int         // of strokes
	down         bool
	away, begun  bool    // the pen is beyond the edge; the stroke has left ink
	view         placing // from strokes to image
	image        [model.Pixels]float32
}

// Clear empties the pad. Undo brings back what was there.
func (p *Pad) Clear() {
	p.down = false
	if p.Empty() {
		return
	}
	p.past, p.future = append(p.past[:0:0], p.strokes), nil
	p.show(nil)
}

// Undo takes back the last stroke, or the clearing, and reports whether there
// was one.
func (p *Pad) Undo() bool { return p.travel(&p.past, &p.future) }

// Redo brings back what Undo took, and reports whether there was anything.
func (p *Pad) Redo() bool { return p.travel(&p.future, &p.past) }

// CanUndo reports whether there is something to take back.
func (p *Pad) CanUndo() bool { return len(p.past) > 0 }

// CanRedo reports whether there is something to bring back.
func (p *Pad) CanRedo() bool { return len(p.future) > 0 }

func (p *Pad) travel(from, to *[][][]Point) bool {
	n := len(*from)
	if n == 0 || p.down {
		return false
	}
	*to = append(*to, p.strokes)
	strokes := (*from)[n-1]
	*from = (*from)[:n-1]
	p.show(strokes)
	return true
}

// show draws other strokes, where MNIST would have them.
func (p *Pad) show(strokes [][]Point) {
	p.strokes, p.points, p.down = strokes, 0, false
	for _, s := range strokes {
		p.points += len(s)
	}
	p.Settle()
}

// Empty reports whether nothing is drawn.
func (p *Pad) Empty() bool { return len(p.strokes) == 0 }

// Drawing reports whether the pen is down.
func (p *Pad) Drawing() bool { return p.down }

// Image returns the pad as it is drawn on, model.Pixels numbers in [0, 1]. It
// belongs to the pad.
func (p *Pad) Image() []float32 { return p.image[:] }

// Strokes returns the drawing as points; they belong to the pad.
func (p *Pad) Strokes() [][]Point { return p.strokes }

// Down starts a stroke with a dot at a place on the image. A pen that leaves the
// image draws nothing until it is back.
func (p *Pad) Down(x, y, width float64) {
	p.down, p.away, p.begun = true, true, false
	p.Move(x, y, width)
}

// Move draws the stroke on and reports whether that changed the image.
func (p *Pad) Move(x, y, width float64) bool {
	if !p.down || !finite(x, y, width) || p.points >= maxPoints {
		return false
	}
	const edge = model.Side
	cx, cy := min(max(x, 0), edge), min(max(y, 0), edge)
	outside := cx != x || cy != y
	if p.away && outside {
		return false
	}
	if p.away {
		p.begin()
		p.strokes = append(p.strokes, nil)
	}
	at := p.view.back(cx, cy, width)
	last := at
	if !p.away {
		s := p.strokes[len(p.strokes)-1]
		last = s[len(s)-1]
		if !outside && math.Hypot(at.X-last.X, at.Y-last.Y) < nearby {
			return false
		}
	}
	p.away = outside
	p.points++
	s := &p.strokes[len(p.strokes)-1]
	*s = append(*s, at)
	p.view.draw(p.image[:], last, at)
	return true
}

// begin remembers the drawing as it is before the stroke, once a stroke.
func (p *Pad) begin() {
	if p.begun {
		return
	}
	p.begun = true
	p.past, p.future = append(p.past, slices.Clip(p.strokes)), nil
	if len(p.past) > maxUndo {
		p.past = slices.Delete(p.past, 0, len(p.past)-maxUndo)
	}
	p.strokes = slices.Clip(p.strokes)
	// Strokes that are shown much larger or smaller than they are stored would
	// lose their detail to the grain, or run away with every stroke at the edge.
	if z := p.view.scale(); z < 0.5 || z > 2 {
		placed := make([][]Point, len(p.strokes))
		for i, s := range p.strokes {
			for _, q := range s {
				q = p.view.point(q)
				placed[i] = append(placed[i], placing{}.back(q.X, q.Y, q.Width))
			}
		}
		p.strokes, p.view = placed, placing{}
	}
}

// Up ends the stroke.
func (p *Pad) Up() { p.down = false }

// Settle has Image show the drawing where Framed has it. What is drawn next is
// drawn on that.
func (p *Pad) Settle() { p.view = p.Framed(p.image[:]) }

// MNIST's frame: the edge in pixels of the square that the box around the ink
// is scaled to, and what is left beside it.
const (
	frameSide = 20
	margin    = (model.Side - frameSide) / 2
)

// maxZoom keeps a dot a dot.
const maxZoom = 4

// Framed writes to dst (model.Pixels) the drawing as MNIST's digits were made of
// scans: the box around the ink is scaled, keeping its aspect, to fit 20 × 20
// pixels, and moved by whole pixels so that the center of mass of the ink is in
// the middle. The pen's width is not scaled: it is that of the image's ink. It
// returns where the strokes came.
func (p *Pad) Framed(dst []float32) placing {
	clear(dst)
	if p.Empty() {
		return placing{}
	}
	// The longer edge of the box grows with the zoom, if not in proportion: pens
	// of various widths rule out a formula, halving does not care.
	var at placing
	lo, hi := 0.0, float64(maxZoom)
	for hi-lo > 1e-4 {
		at.zoom = (lo + hi) / 2
		if b := at.box(p.strokes); max(b.w, b.h) <= frameSide {
			lo = at.zoom
		} else {
			hi = at.zoom
		}
	}
	at.zoom = lo
	b := at.box(p.strokes)
	at.dx = model.Side/2 - b.w/2 - b.x
	at.dy = model.Side/2 - b.h/2 - b.y
	at.drawAll(dst, p.strokes)
	var mass, mx, my float64
	for i, v := range dst {
		mass += float64(v)
		mx += float64(v) * (float64(i%model.Side) + 0.5)
		my += float64(v) * (float64(i/model.Side) + 0.5)
	}
	if mass == 0 {
		return at
	}
	// No further than the ink stays whole.
	sx := min(max(math.Round(model.Side/2-mx/mass), -margin), margin)
	sy := min(max(math.Round(model.Side/2-my/mass), -margin), margin)
	if sx != 0 || sy != 0 {
		at.dx, at.dy = at.dx+sx, at.dy+sy
		clear(dst)
		at.drawAll(dst, p.strokes)
	}
	return at
}

// placing moves strokes: places are scaled, then shifted; widths stay. The zero
// placing leaves them where they are.
type placing struct{ zoom, dx, dy float64 }

func (v placing) scale() float64 {
	if v.zoom == 0 {
		return 1
	}
	return v.zoom
}

func (v placing) point(a Point) Point {
	return Point{X: a.X*v.scale() + v.dx, Y: a.Y*v.scale() + v.dy, Width: a.Width}
}

// back returns the point that is placed at (x, y), on the grain.
func (v placing) back(x, y, width float64) Point {
	g := func(v float64) float64 { return math.Round(v/grain) * grain }
	return Point{X: g((x - v.dx) / v.scale()), Y: g((y - v.dy) / v.scale()), Width: max(g(width), grain)}
}

// box returns the box around the ink.
func (v placing) box(strokes [][]Point) (b struct{ x, y, w, h float64 }) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range strokes {
		for _, a := range s {
			a = v.point(a)
			r := (a.Width + soft) / 2
			x0, y0, x1, y1 = min(x0, a.X-r), min(y0, a.Y-r), max(x1, a.X+r), max(y1, a.Y+r)
		}
	}
	b.x, b.y, b.w, b.h = x0, y0, x1-x0, y1-y0
	return b
}

func (v placing) drawAll(dst []float32, strokes [][]Point) {
	for _, s := range strokes {
		for i, a := range s {
			v.draw(dst, s[max(i-1, 0)], a)
		}
	}
}

// soft is the width of a stroke's edge, in pixels, from full ink to none.
const soft = 1.3

// draw inks the segment from a to b, where v places it: each pixel by the
// distance of its center from the segment. Ink over ink does not add.
func (v placing) draw(dst []float32, a, b Point) {
	a, b = v.point(a), v.point(b)
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
			at := &dst[y*model.Side+x]
			*at = max(*at, float32(min(max(ink, 0), 1)))
		}
	}
}

// maxWidth bounds the pen: the widest brush under full pressure.
const maxWidth = 1.5 * MaxBrush

func finite(x, y, width float64) bool {
	s := x + y + width
	return s-s == 0 && width > 0 && width <= maxWidth
}

// span returns the pixels from lo to hi that are on the pad.
func span(lo, hi float64) (from, to int) {
	return int(max(math.Floor(lo), 0)), int(min(math.Ceil(hi), model.Side))
}
