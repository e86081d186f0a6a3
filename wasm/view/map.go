//go:build js && wasm

package view

import (
	"image"
	"image/color"
	"math"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/vector"

	"mppm/shared/link"
	"mppm/wasm/app/atlas"
	"mppm/wasm/app/latentmap"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// chart is what the map is drawn with.
type chart struct {
	marks     *ebiten.Image // see SetMarks
	cell      float64       // height of a mark, in pixels
	wide      float64       // width of a label, in pixels
	labels    int           // how many there are
	short     bool          // they are as wide as high
	vertices  []ebiten.Vertex
	indices   []uint32
	heat      *ebiten.Image
	heatDrawn *latentmap.HeatMap // what is there
	pixels    []byte
}

// disc is the first mark, star the one after that; then there are the labels of classes.
const (
	disc = iota
	star
	label
)

// SetMarks gives the marks of codes, white on nothing, as premultiplied RGBA: at the left
// of an image, which is wide ≥ cell pixels wide, a disc, cell pixels high, and below it a
// star; then, each as high and as wide as the image, the labels of classes.
func (v *View) SetMarks(rgba []byte, cell, wide, labels int) {
	c := &v.chart
	if c.marks != nil {
		c.marks.Deallocate()
	}
	c.marks = ebiten.NewImage(wide, cell*(label+labels))
	c.marks.WritePixels(rgba)
	c.cell, c.wide, c.labels, c.short = float64(cell), float64(wide), labels, wide == cell
	v.Invalidate()
}

// numerals is from which zoom on codes are drawn as digits, not as discs.
const numerals = 2.5

// plane draws the map: D, the codes, the path, and the digit at the point that
// is shown.
func (v *View) plane(screen *ebiten.Image, r Rect, pos float64) {
	fill(screen, r, v.palette.Ground)
	t := v.app.Map.Atlas()
	if t == nil || v.chart.marks == nil {
		return
	}
	dst := screen.SubImage(image.Rect(int(r.X), int(r.Y), int(r.X+r.W), int(r.Y+r.H))).(*ebiten.Image)
	c := v.app.Map.Chart(r.W, r.H)
	at := func(x, y float32) (float32, float32) {
		px, py := c.Screen(float64(x), float64(y))
		return float32(r.X + px), float32(r.Y + py)
	}
	v.distances(dst, c, r)
	of := charted{t, v.app.View, v.app.Memory, v.look, v.chart.marks, r.W, r.H}
	v.keep(dst, &v.codes, r, of, len(t.At), false, func(dst *ebiten.Image, from, to int) {
		v.mapCodes(dst, t, from, to, func(x, y float32) (float32, float32) {
			px, py := c.Screen(float64(x), float64(y))
			return float32(px), float32(py)
		})
	})
	v.paths(dst, t, at, pos, r)
}

// charted is what the codes on the map depend on.
type charted struct {
	atlas  *atlas.Atlas
	view   link.Lens
	memory link.Memory
	look   int
	marks  *ebiten.Image
	w, h   float64
}

// distances draws D as a heat map.
func (v *View) distances(dst *ebiten.Image, c latentmap.Chart, r Rect) {
	m := v.app.Map.HeatMap()
	top := float32(v.app.Map.Highest())
	if m == nil || !(top > 0) {
		return
	}
	h := &v.chart
	if h.heatDrawn != m {
		h.heatDrawn = m
		if h.heat == nil || h.heat.Bounds().Dx() != m.W || h.heat.Bounds().Dy() != m.H {
			if h.heat != nil {
				h.heat.Deallocate()
			}
			h.heat = ebiten.NewImage(m.W, m.H)
			h.pixels = make([]byte, 4*m.W*m.H)
		}
		for i, d := range m.D {
			s := palette.Fade(v.palette.Scale(float64(d/top)), heatStrength)
			copy(h.pixels[4*i:], []byte{s.R, s.G, s.B, s.A})
		}
		h.heat.WritePixels(h.pixels)
	}
	x0, y0 := c.Screen(m.X0, m.Y0)
	x1, y1 := c.Screen(m.X1, m.Y1)
	sx, sy := (x1-x0)/float64(m.W-1), (y1-y0)/float64(m.H-1)
	o := ebiten.DrawImageOptions{Filter: ebiten.FilterLinear}
	o.GeoM.Scale(sx, sy)
	o.GeoM.Translate(r.X+x0-sx/2, r.Y+y0-sy/2)
	dst.DrawImage(h.heat, &o)
}

// heatStrength is how much of the heat map is seen over the ground.
const heatStrength = 0.62

// faint is how much is seen of a code whose class is forgotten.
const faint = 0.12

// mapCodes draws codes, each in its class' color, and, with the last of them, the digit of
// each class in the middle of its codes, and those that are remembered, as stars.
func (v *View) mapCodes(dst *ebiten.Image, t *atlas.Atlas, from, to int, at func(x, y float32) (float32, float32)) {
	v.begin()
	zoom := v.app.View.Zoom
	size := float32((2.6 + 1.4*math.Sqrt(zoom)) * v.ratio)
	mark := -1
	if zoom >= numerals {
		size, mark = float32(min(8+2*math.Sqrt(zoom), 16)*v.ratio), 0
	}
	var gone [256]bool
	for _, class := range v.app.Memory.Forgotten() {
		gone[class] = true
	}
	b := dst.Bounds()
	for i := from; i < to; i++ {
		x, y := at(t.At[i][0], t.At[i][1])
		if int(x+size) < b.Min.X || int(x-size) > b.Max.X || int(y+size) < b.Min.Y || int(y-size) > b.Max.Y {
			continue
		}
		class, which := int(t.Labels[i]), disc
		if mark == 0 && v.chart.short && class < v.chart.labels {
			which = label + class
		}
		alpha := float32(0.85)
		if gone[class] {
			alpha = faint
		}
		v.mark(x, y, size, which, v.palette.Class(class), alpha)
	}
	// Over them each class' label, on a ground of its own.
	if zoom < 8 && to == len(t.At) {
		large := float32(21 * v.ratio)
		if !v.chart.short {
			large = float32(16 * v.ratio)
		}
		for class, p := range t.Centers {
			if class >= v.chart.labels || p == [2]float32{} || gone[class] {
				continue
			}
			x, y := at(p[0], p[1])
			if v.chart.short {
				v.mark(x, y, large*1.5, disc, v.palette.Ground, 0.8)
			} else { // the ground of a word is its own shape, all around it
				for k := range 8 {
					s, c := math.Sincos(float64(k) * math.Pi / 4)
					v.mark(x+float32(1.5*v.ratio*c), y+float32(1.5*v.ratio*s), large, label+class, v.palette.Ground, 1)
				}
			}
			v.mark(x, y, large, label+class, v.palette.Class(class), 1)
		}
	}
	for _, p := range v.app.Map.Remembered() {
		if to < len(t.At) {
			break
		}
		x, y := at(p[0], p[1])
		side := float32(19 * v.ratio)
		v.mark(x, y, side*1.3, disc, v.palette.Ground, 0.9)
		v.mark(x, y, side, star, v.palette.Own, 1)
	}
	v.flush(dst)
}

// mark adds a mark to the vertices, size pixels high, its middle at (x, y): disc, star, or
// label + the class.
func (v *View) mark(x, y, size float32, which int, c color.RGBA, alpha float32) {
	h := &v.chart
	n := uint32(len(h.vertices))
	cell, wide := float32(h.cell), float32(h.cell)
	if which >= label {
		wide = float32(h.wide)
	}
	r, g, b := float32(c.R)/255*alpha, float32(c.G)/255*alpha, float32(c.B)/255*alpha
	for k := range 4 {
		dx, dy := float32(k%2), float32(k/2)
		h.vertices = append(h.vertices, ebiten.Vertex{
			DstX: x + (dx-0.5)*size*wide/cell, DstY: y + (dy-0.5)*size,
			SrcX: dx * wide, SrcY: (float32(which) + dy) * cell,
			ColorR: r, ColorG: g, ColorB: b, ColorA: alpha,
		})
	}
	h.indices = append(h.indices, n, n+1, n+2, n+1, n+3, n+2)
}

// lensTile is the edge of the digit beside the point, in pixels of the page.
const lensTile = 64

// paths draws the path that is shown, over those of the other digits of the grid,
// with a trail, and the digit at its point.
func (v *View) paths(dst *ebiten.Image, t *atlas.Atlas, at func(x, y float32) (float32, float32), pos float64, r Rect) {
	p, shown := v.app.Path()
	last := p.Steps() - 1
	if last < 0 || shown >= p.N {
		return
	}
	place := func(i int, pos float64) (x, y float32, _ float64) {
		k, blend := timeline.Between(pos, last)
		x, y = t.Plane.Shadow(p.Code(k, i))
		if blend > 0 {
			x1, y1 := t.Plane.Shadow(p.Code(k+1, i))
			x, y = x+(x1-x)*float32(blend), y+(y1-y)*float32(blend)
		}
		x, y = at(x, y)
		return x, y, 0
	}
	now := min(pos, float64(last))
	if p.N > 1 {
		v.others(dst, place, 0, p.N, shown, now, palette.Fade(v.palette.Ink, 0.35))
		var others [][2]float64
		for i := range p.N {
			if i != shown {
				x, y, _ := place(i, now)
				others = append(others, [2]float64{float64(x), float64(y)})
			}
		}
		v.dots(dst, others, 2*v.ratio, v.palette.Ink)
	}
	// A line of the ground under the path parts it from the codes.
	v.line(dst, place, shown, 0, float64(last), 6, palette.Fade(v.palette.Ground, 0.75))
	v.line(dst, place, shown, now, float64(last), 1.5, palette.Fade(v.palette.Ink, 0.75))
	for from := 0.0; from < now; from++ {
		age := min((now-from)/float64(max(last, 1)), 1)
		v.line(dst, place, shown, from, min(from+1, now), 3, palette.Fade(v.palette.Accent, 1-0.5*age))
	}
	for k := range last + 1 {
		x, y, _ := place(shown, float64(k))
		c := v.palette.Ink
		if float64(k) <= now {
			c = v.palette.Accent
		}
		v.circle(dst, float64(x), float64(y), 2.2*v.ratio, c)
	}
	x, y, _ := place(shown, 0)
	vector.StrokeCircle(dst, x, y, float32(5*v.ratio), float32(1.5*v.ratio), v.palette.Accent, true)
	x, y, _ = place(shown, now)
	v.circle(dst, float64(x), float64(y), 13*v.ratio, palette.Fade(v.palette.Accent, 0.28))
	v.circle(dst, float64(x), float64(y), 7*v.ratio, v.palette.Accent)
	vector.StrokeCircle(dst, x, y, float32(7*v.ratio), float32(1.5*v.ratio), v.palette.Ground, true)
	// The digit stands above the point, or below it where there is no room.
	side, gap := math.Round(lensTile*v.ratio), 18*v.ratio
	tile := Rect{math.Round(min(max(float64(x)-side/2, r.X+gap/3), r.X+r.W-side-gap/3)), math.Round(float64(y) - side - gap), side, side}
	if tile.Y < r.Y+gap/3 {
		tile.Y = math.Round(float64(y) + gap)
	}
	if tile.Y+side > r.Y+r.H || tile.Y < r.Y {
		return // the point itself is beyond the edge
	}
	p.At(v.ink, shown, pos)
	fill(dst, tile, v.palette.Ground)
	v.digit(dst, tile, 1)
	v.frame(dst, tile, v.palette.Accent)
}
