package manifold

import (
	"image/color"
	"math"

	"mppm/shared/link"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// Stroke is a straight line with a width, or where it has no length a disc with a
// diameter, in pixels. Its color is premultiplied.
type Stroke struct {
	X0, Y0, X1, Y1 float64
	Width          float64
	Color          color.RGBA
}

// Disc reports whether the stroke is a disc.
func (s Stroke) Disc() bool { return s.X0 == s.X1 && s.Y0 == s.Y1 }

// Sketch is Manifold's figure: what lies behind the slice, and what before it,
// each from the back to the front.
type Sketch struct{ Behind, Front []Stroke }

// SliceStrength is how much of the slice is seen over what is behind it.
const SliceStrength = 0.5

// pencil draws a figure.
type pencil struct {
	Eye
	unit    float64 // pixels in one of a page with ordinary type
	p       *palette.Palette
	strokes []Stroke
}

// Sketch returns the figure on a rectangle of w × h pixels, unit of which are
// one pixel of a page with ordinary type, at a place of the timeline.
func (r *Room) Sketch(w, h, unit, pos float64, p *palette.Palette) Sketch {
	s := r.seen()
	if s == nil || !(w > 0 && h > 0) {
		return Sketch{}
	}
	d := pencil{Eye: r.Eye(w, h), unit: unit, p: p}
	if !r.s.Figure.Flat() {
		d.box(s)
	}
	what := d.curve
	if own := r.Sheet(); own != nil {
		what = func(s *curve.Shape, wanted func(near float64) bool) { d.own(own, r.Task().Points, s, wanted) }
	}
	behind := 0
	if r.Slice() != nil && !r.s.Figure.Flat() {
		what(s, func(near float64) bool { return near < 0 })
		behind = len(d.strokes)
		what(s, func(near float64) bool { return near >= 0 })
	} else {
		what(s, func(float64) bool { return true })
	}
	if r.s.Figure.Construction {
		for _, x := range r.Samples() {
			d.dot(x, 2, d.depth(x, palette.Fade(p.Scale(0.8), 0.85)))
		}
	}
	d.paths(r, s, pos)
	return Sketch{Behind: d.strokes[:behind], Front: d.strokes[behind:]}
}

// line adds a line of a width in pixels of the page.
func (d *pencil) line(x, y [3]float64, width float64, c color.RGBA) {
	x0, y0, _ := d.Screen(x)
	x1, y1, _ := d.Screen(y)
	d.strokes = append(d.strokes, Stroke{x0, y0, x1, y1, width * d.unit, c})
}

// dot adds a disc.
func (d *pencil) dot(x [3]float64, size float64, c color.RGBA) {
	px, py, _ := d.Screen(x)
	d.strokes = append(d.strokes, Stroke{px, py, px, py, size * d.unit, c})
}

// dashes adds a broken line.
func (d *pencil) dashes(x, y [3]float64, width, dash float64, c color.RGBA) {
	length := math.Sqrt(curve.Square(x, y)) * d.scale / d.unit
	n := int(min(max(math.Round(length/dash), 1), 400))
	for i := range n {
		t := float64(i) / float64(n)
		d.line(curve.Mix(x, y, t), curve.Mix(x, y, t+0.55/float64(n)), width, c)
	}
}

// depth fades a color with the distance from the viewer.
func (d *pencil) depth(x [3]float64, c color.RGBA) color.RGBA {
	_, _, near := d.Screen(x)
	return palette.Fade(c, min(max(0.74+0.26*near, 0.45), 1))
}

// box draws the edges of a box around the curve: they show how it is turned.
func (d *pencil) box(s *curve.Shape) {
	half := s.Half
	for k := range half {
		half[k] = max(half[k], 0.3*s.Radius)
	}
	corner := func(i int) [3]float64 {
		x := s.Middle
		for k := range x {
			x[k] += half[k] * float64(2*(i>>k&1)-1)
		}
		return x
	}
	for i := range 8 {
		for k := range 3 {
			if j := i | 1<<k; j != i {
				a, b := corner(i), corner(j)
				d.line(a, b, 1, d.depth(curve.Mix(a, b, 0.5), palette.Fade(d.p.Muted, 0.4)))
			}
		}
	}
}

// curve draws the part of the curve that is as near as wanted, and the points
// that the models learned from.
func (d *pencil) curve(s *curve.Shape, wanted func(near float64) bool) {
	for _, l := range s.Segments {
		a, b := s.Points[l[0]], s.Points[l[1]]
		m := curve.Mix(a, b, 0.5)
		if _, _, near := d.Screen(m); wanted(near) {
			d.line(a, b, 1.8+0.7*near, d.depth(m, d.p.Ink))
		}
	}
	for _, x := range s.Points {
		if _, _, near := d.Screen(x); wanted(near) {
			d.dot(x, 3.6+1.4*near, d.depth(x, palette.Fade(d.p.Ink, 0.8)))
		}
	}
}

// own draws a curve of one's own, likewise: the strokes, or the line through the points of
// a file, those points x, and the line that has been learnt.
func (d *pencil) own(o *Sheet, x []float64, s *curve.Shape, wanted func(near float64) bool) {
	each := func(l curve.Line, width float64, c color.RGBA) {
		for _, k := range l.Segments {
			a, b := l.Points[k[0]], l.Points[k[1]]
			m := curve.Mix(a, b, 0.5)
			if _, _, near := d.Screen(m); wanted(near) {
				d.line(a, b, width, d.depth(m, c))
			}
		}
	}
	drawn := s.Line
	if !o.FromFile() {
		drawn = o.along()
		for _, stroke := range o.drawing.Strokes() {
			if len(stroke) == 1 && wanted(0) {
				d.dot(s.Inner([3]float64{stroke[0][0], stroke[0][1]}), 5, d.p.Ink)
			}
		}
	}
	each(drawn, 2, d.p.Ink)
	for dim := o.dimension(); len(x) >= dim; x = x[dim:] {
		var p [3]float64
		copy(p[:], x[:dim])
		p = s.Inner(p)
		if _, _, near := d.Screen(p); wanted(near) {
			d.dot(p, 3.2+near, d.depth(p, palette.Fade(d.p.Ink, 0.75)))
		}
	}
	each(s.Learnt, 5.4, palette.Fade(d.p.Ground, 0.6))
	each(s.Learnt, 2.6, d.p.Accent)
}

// paths draws the paths that are shown, the point that was dropped, and Fig. 3.
func (d *pencil) paths(r *Room, s *curve.Shape, pos float64) {
	p := d.p
	if r.paths == nil {
		return
	}
	start := r.paths[link.MPPM].X[0]
	if !r.s.Figure.Flat() { // how deep the point lies: its foot on the middle plane of the box
		foot := start
		foot[2] = s.Middle[2]
		d.dashes(start, foot, 1, 6, palette.Fade(p.Muted, 0.8))
		d.dot(foot, 4, palette.Fade(p.Muted, 0.8))
	}
	for _, m := range []link.Method{link.DDPM, link.DAE, link.MPPM} { // the last on top
		if !r.Shows(m) {
			continue
		}
		d.path(r.paths[m], p.Method(m), pos, m)
	}
	if r.s.Figure.Construction {
		d.construction(r, pos)
	}
	// The point that was dropped, to be taken.
	d.dot(start, 13, p.Ground)
	d.dot(start, 11, p.Ink)
	d.dot(start, 6.5, p.Ground)
	for _, m := range []link.Method{link.DDPM, link.DAE, link.MPPM} {
		if r.Shows(m) && pos > 0 {
			x, _ := r.paths[m].At(pos)
			d.dot(x, 22, palette.Fade(p.Method(m), 0.26))
			d.dot(x, 13, p.Ground)
			d.dot(x, 11, p.Method(m))
		}
	}
}

// path draws one: what is to come faintly, what is past with a trail.
func (d *pencil) path(w *curve.Path, c color.RGBA, pos float64, m link.Method) {
	now, last := w.Fine(pos), float64(w.Steps())
	width := map[link.Method]float64{link.MPPM: 3, link.DAE: 2.4, link.DDPM: 1.6}[m]
	at := func(t float64) [3]float64 {
		k, blend := timeline.Between(t, w.Steps())
		if blend == 0 {
			return w.X[k]
		}
		return curve.Mix(w.X[k], w.X[k+1], blend)
	}
	each := func(from, to float64, draw func(a, b [3]float64, age float64)) {
		for t := from; t < to; {
			next := min(math.Floor(t)+1, to)
			draw(at(t), at(next), (now-t)/max(last, 1))
			t = next
		}
	}
	// A line of the ground under it parts it from what is behind.
	each(0, now, func(a, b [3]float64, _ float64) { d.line(a, b, width+2.6, palette.Fade(d.p.Ground, 0.7)) })
	each(now, last, func(a, b [3]float64, _ float64) {
		if m == link.DAE {
			d.dashes(a, b, width*0.7, 8, palette.Fade(c, 0.6))
			return
		}
		d.line(a, b, width*0.6, palette.Fade(c, 0.45))
	})
	each(0, now, func(a, b [3]float64, age float64) {
		if m == link.DAE {
			d.dashes(a, b, width, 8, c)
			return
		}
		d.line(a, b, width, palette.Fade(c, 1-0.4*min(max(age, 0), 1)))
	})
	if m == link.MPPM {
		for k, x := range w.X {
			if float64(k) <= now {
				d.dot(x, 4.8, c)
			} else {
				d.dot(x, 3.4, palette.Fade(c, 0.6))
			}
		}
	}
}

// construction draws Fig. 3 at the point of MPPM: the kernel mean, the projection,
// where the distance points, and the step that follows.
func (d *pencil) construction(r *Room, pos float64) {
	w := r.paths[link.MPPM]
	k := min(max(int(math.Round(pos)), 0), w.Steps())
	t, ok := r.Construction(k)
	if !ok {
		return
	}
	x, p := w.X[k], d.p
	d.dashes(x, t.Mean, 1.8, 7, p.Scale(0.8))
	d.dashes(x, t.Foot, 1.8, 7, p.Ink)
	d.dashes(x, t.Projection, 1.4, 4, palette.Fade(p.Muted, 0.9))
	d.line(x, t.Next, 6.5, p.Ground)
	d.line(x, t.Next, 4, p.Accent)
	d.arrow(x, t.Next, p.Accent)
	for _, m := range []struct {
		x [3]float64
		c color.RGBA
	}{{t.Projection, p.Muted}, {t.Foot, p.Ink}, {t.Mean, p.Scale(0.8)}} {
		d.dot(m.x, 12, p.Ground)
		d.dot(m.x, 9.5, m.c)
	}
}

// arrow draws the head of an arrow that ends at y.
func (d *pencil) arrow(x, y [3]float64, c color.RGBA) {
	x0, y0, _ := d.Screen(x)
	x1, y1, _ := d.Screen(y)
	length := math.Hypot(x1-x0, y1-y0)
	head := 9 * d.unit
	if length < head {
		return
	}
	ux, uy := (x1-x0)/length, (y1-y0)/length
	for _, side := range []float64{-0.55, 0.55} {
		d.strokes = append(d.strokes, Stroke{x1, y1, x1 - head*(ux-side*uy), y1 - head*(uy+side*ux), 3 * d.unit, c})
	}
}

// Tag is where a sign of Fig. 3 stands, in pixels of the figure.
type Tag struct{ X, Y float64 }

// Tags returns where the signs for the point x, the kernel mean, the foot of the
// distance and the projection stand at a step: each beside its place, away from x
// if there is room, and none on another.
func (r *Room) Tags(e Eye, step int) map[string]Tag {
	t, ok := r.Construction(step)
	w := r.Path(link.MPPM)
	if !ok || w == nil || !r.s.Figure.Construction {
		return nil
	}
	x := w.X[min(max(step, 0), w.Steps())]
	px, py, _ := e.Screen(x)
	mx, my, _ := e.Screen(t.Next)
	l := labels{w: e.w, h: e.h}
	tags := map[string]Tag{"x": l.put(px, py, px-mx, py-my)}
	for _, m := range []struct {
		name string
		x    [3]float64
	}{{"mean", t.Mean}, {"star", t.Projection}, {"foot", t.Foot}} {
		ax, ay, _ := e.Screen(m.x)
		tags[m.name] = l.put(ax, ay, ax-px, ay-py)
	}
	return tags
}

// labels places signs on a figure of w × h pixels.
type labels struct {
	w, h  float64
	taken []Tag
}

// put returns where the sign of a place stands: toward (dx, dy), or turned from
// there as little as keeps it off the others and within the figure, or farther out.
func (l *labels) put(x, y, dx, dy float64) Tag {
	const off, apart, edge = 19, 24, 12
	toward := math.Atan2(dy, dx)
	if dx == 0 && dy == 0 {
		toward = -math.Pi / 2
	}
	best, widest := Tag{}, math.Inf(-1)
	for _, out := range []float64{off, 1.8 * off, 2.6 * off} {
		for _, turn := range []float64{0, 45, -45, 90, -90, 135, -135, 180} {
			sin, cos := math.Sincos(toward + turn*math.Pi/180)
			g := Tag{x + out*cos, y + out*sin}
			room := min(g.X, l.w-g.X, g.Y, l.h-g.Y) - edge + apart
			for _, o := range l.taken {
				room = min(room, math.Hypot(o.X-g.X, o.Y-g.Y))
			}
			if room > widest {
				best, widest = g, room
			}
			if widest >= apart {
				l.taken = append(l.taken, best)
				return best
			}
		}
	}
	l.taken = append(l.taken, best)
	return best
}
