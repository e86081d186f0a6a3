//go:build js && wasm

package view

import (
	"image/color"

	"github.com/hajimehoshi/ebiten/v2"
)

// box is a rectangle in a color.
type box struct {
	Rect
	color color.RGBA
}

// boxes fills many rectangles at once: to fill one takes as long as to add a hundred.
func (v *View) boxes(dst *ebiten.Image, list []box) {
	if v.chart.marks == nil {
		for _, b := range list {
			fill(dst, b.Rect, b.color)
		}
		return
	}
	v.begin()
	h := &v.chart
	x, y := float32((disc+0.5)*h.cell), float32(h.cell/2) // white
	for _, b := range list {
		n := uint32(len(h.vertices))
		for k := range 4 {
			h.vertices = append(h.vertices, ebiten.Vertex{
				DstX: float32(b.X + float64(k%2)*b.W), DstY: float32(b.Y + float64(k/2)*b.H), SrcX: x, SrcY: y,
				ColorR: float32(b.color.R) / 255, ColorG: float32(b.color.G) / 255, ColorB: float32(b.color.B) / 255, ColorA: float32(b.color.A) / 255,
			})
		}
		h.indices = append(h.indices, n, n+1, n+2, n+1, n+3, n+2)
	}
	v.flush(dst)
}

// begin begins a batch of marks and bands, which flush draws.
func (v *View) begin() {
	v.chart.vertices, v.chart.indices = v.chart.vertices[:0], v.chart.indices[:0]
}

func (v *View) flush(dst *ebiten.Image) {
	o := ebiten.DrawTrianglesOptions{Filter: ebiten.FilterLinear, ColorScaleMode: ebiten.ColorScaleModePremultipliedAlpha}
	dst.DrawTriangles32(v.chart.vertices, v.chart.indices, v.chart.marks, &o)
}

// layer is a part of the picture that is drawn anew only where it changes.
type layer struct {
	image *ebiten.Image
	of    any // what is there
	drawn int // parts of it
	whole bool
}

// parts is how many parts a layer has at least, each drawn in a frame of its own: all of
// it in one would keep the page from answering for too long.
const parts = 4

// keep draws a layer of n things over a rectangle. Where it is not of what it should be,
// it is drawn first, by a function that takes the rectangle to begin at (0, 0), and the
// things from the first number to before the second: in parts, but for a layer that was
// whole before and is not to be drawn in parts again, as what one drags may not flicker.
func (v *View) keep(dst *ebiten.Image, l *layer, r Rect, of any, n int, again bool, draw func(dst *ebiten.Image, from, to int)) {
	w, h := int(r.W), int(r.H)
	if w < 1 || h < 1 {
		return
	}
	if l.image == nil || l.image.Bounds().Dx() != w || l.image.Bounds().Dy() != h {
		if l.image != nil {
			l.image.Deallocate()
		}
		l.image, l.of, l.whole = ebiten.NewImage(w, h), nil, false
	}
	if l.of != of {
		l.of, l.drawn = of, 0
		l.whole = l.whole && !again
		l.image.Clear()
	}
	if l.drawn < n {
		to := n
		if !l.whole {
			to = min(l.drawn+(n+parts-1)/parts, n)
		}
		draw(l.image, l.drawn, to)
		l.drawn = to
	}
	l.whole = l.whole || l.drawn == n
	v.more = v.more || l.drawn < n
	var o ebiten.DrawImageOptions
	o.GeoM.Translate(r.X, r.Y)
	dst.DrawImage(l.image, &o)
}

// circle fills a circle.
func (v *View) circle(dst *ebiten.Image, x, y, radius float64, c color.RGBA) {
	v.dots(dst, [][2]float64{{x, y}}, radius, c)
}

// dots fills circles of the same size.
func (v *View) dots(dst *ebiten.Image, at [][2]float64, radius float64, c color.RGBA) {
	v.lines = v.lines[:0]
	for _, p := range at {
		v.lines = append(v.lines, dot(p[0], p[1], radius, c))
	}
	v.strokes(dst, Rect{}, v.lines)
}
