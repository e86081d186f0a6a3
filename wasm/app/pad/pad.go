// Package pad is what one draws on.
package pad

import (
	"math"
	"slices"

	"mppm/shared/link"
	"mppm/shared/stroke"
)

// maxPoints bounds a drawing, so that a pen left on the pad does not fill
// memory.
const maxPoints = stroke.MaxPoints

// maxUndo bounds how many strokes can be taken back.
const maxUndo = 100

// nearby is how far, in pixels, the pen must move to leave another point.
const nearby = 0.3

// Point is a place of the pen on the pad, in twenty-eighths of its edges (the pixels of a
// digit), and the diameter of its ink there.
type Point = stroke.Point

// Pad turns the strokes of a pen into an image like those of MNIST: bright
// strokes with soft edges on black. The zero Pad is one for digits.
//
// There are two images. Framed is the drawing where MNIST has its digits, which
// is what the model gets. Image is what one draws on: it stays as it is while
// one draws, and becomes equal to Framed with Settle. On a pad for other images than
// digits they are the same.
type Pad struct {
	side         int // of an image that is no digit; 0: of a digit
	strokes      [][]Point
	past, future [][][]Point // what Undo and Redo go to, the nearest last
	points       int         // of strokes
	down         bool
	away, begun  bool           // the pen is beyond the edge; the stroke has left ink
	view         stroke.Placing // from strokes to image
	image        []float32      // nil: nothing was drawn yet
	before       *Pad           // as it was before the stroke that is being drawn
	revision     uint64         // grows with every change of strokes
	packed       string         // strokes, as they were at packedAt
	packedAt     uint64
}

// New returns an empty pad for images of side × side pixels: digits, which are drawn
// where MNIST has them, or others, which stay where they are drawn.
func New(side int, digits bool) *Pad {
	if digits {
		side = 0
	}
	return &Pad{side: side}
}

// edge returns how many pixels an image has along each edge.
func (p *Pad) edge() int {
	if p.side == 0 {
		return stroke.Side
	}
	return p.side
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

// Open shows a drawing, without a history.
func (p *Pad) Open(strokes [][]Point) {
	*p = Pad{side: p.side, revision: p.revision + 1}
	p.show(strokes)
}

// show draws other strokes, where MNIST would have them.
func (p *Pad) show(strokes [][]Point) {
	p.strokes, p.points, p.down = strokes, 0, false
	p.revision++
	for _, s := range strokes {
		p.points += len(s)
	}
	p.Settle()
}

// Empty reports whether nothing is drawn.
func (p *Pad) Empty() bool { return len(p.strokes) == 0 }

// Drawing reports whether the pen is down.
func (p *Pad) Drawing() bool { return p.down }

// Image returns the pad as it is drawn on, the numbers of an image, in [0, 1]. It
// belongs to the pad.
func (p *Pad) Image() []float32 {
	if p.image == nil {
		p.image = make([]float32, p.edge()*p.edge())
	}
	return p.image
}

// Strokes returns the drawing as points; they belong to the pad.
func (p *Pad) Strokes() [][]Point { return p.strokes }

// Packed returns the drawing as a link has it.
func (p *Pad) Packed() string {
	if p.packedAt != p.revision || p.packed == "" {
		p.packed, p.packedAt = stroke.Encode(p.strokes), p.revision
	}
	return p.packed
}

// Down starts a stroke with a dot at a place on the image. A pen that leaves the
// image draws nothing until it is back.
func (p *Pad) Down(x, y, width float64) {
	was := *p
	was.down, was.before, was.past, was.image = false, nil, slices.Clone(p.past), slices.Clone(p.image)
	p.before = &was
	p.down, p.away, p.begun = true, true, false
	p.Move(x, y, width)
}

// Move draws the stroke on and reports whether that changed the image.
func (p *Pad) Move(x, y, width float64) bool {
	if !p.down || !finite(x, y, width) || p.points >= maxPoints {
		return false
	}
	const edge = stroke.Side // of what a pen is on, whatever the image
	cx, cy := min(max(x, 0), edge), min(max(y, 0), edge)
	outside := cx != x || cy != y
	if p.away && outside {
		return false
	}
	if p.away {
		p.begin()
		p.strokes = append(p.strokes, nil)
	}
	at := p.view.Back(cx, cy, width)
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
	p.revision++
	s := &p.strokes[len(p.strokes)-1]
	*s = append(*s, at)
	p.view.DrawAt(p.Image(), p.edge(), last, at)
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
	if z := p.view.Scale(); z < 0.5 || z > 2 {
		placed := make([][]Point, len(p.strokes))
		for i, s := range p.strokes {
			for _, q := range s {
				q = p.view.Point(q)
				placed[i] = append(placed[i], stroke.Placing{}.Back(q.X, q.Y, q.Width))
			}
		}
		p.strokes, p.view = placed, stroke.Placing{}
	}
}

// Up ends the stroke.
func (p *Pad) Up() { p.down, p.before = false, nil }

// Cancel takes the stroke that is being drawn away, as if it had not begun.
func (p *Pad) Cancel() {
	if p.down && p.before != nil {
		*p = *p.before
	}
}

// Settle has Image show the drawing where Framed has it. What is drawn next is
// drawn on that.
func (p *Pad) Settle() { p.view = p.Framed(p.Image()) }

// Framed writes to dst (as large as Image) the drawing as MNIST's digits were made of
// scans (stroke.Center), or, on a pad for other images, as it is, and returns where the
// strokes came.
func (p *Pad) Framed(dst []float32) (at stroke.Placing) {
	if p.side == 0 {
		return stroke.Center(dst, p.strokes)
	}
	clear(dst)
	for _, s := range p.strokes {
		for i, q := range s {
			at.DrawAt(dst, p.side, s[max(i-1, 0)], q)
		}
	}
	return at
}

// maxWidth bounds the pen: the widest brush under full pressure.
const maxWidth = 1.5 * link.MaxBrush

func finite(x, y, width float64) bool {
	s := x + y + width
	return s-s == 0 && width > 0 && width <= maxWidth
}
