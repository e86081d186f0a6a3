//go:build js && wasm

package view

import (
	"bytes"
	"math"

	"github.com/hajimehoshi/ebiten/v2"

	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/wasm/app/timeline"
)

// colors are images in color on the graphics card.
type colors struct {
	shape  nn.Shape // of an image
	tiles  []*tile
	used   int
	bytes  []byte // of one
	pixels []byte // of one, as RGBA
}

// face draws what has a place in Faces.
func (v *View) face(dst *ebiten.Image, name string, r Rect, pos float64) {
	room := v.app.Faces
	if room == nil {
		return
	}
	v.colors.fit(room.Image())
	fill(dst, r, v.palette.Ground)
	switch name {
	case "face-original":
		v.floats(dst, r, room.Original())
	case "face-damaged":
		v.floats(dst, r, room.Damaged())
	case "face-dae":
		v.color(dst, r, room.DAE(), 1)
	case "face-ldm":
		v.color(dst, r, room.LDM(), 1)
	case "face-where":
		v.where(dst, r, room.Where())
	case "face-grid":
		v.faces(dst, r)
	default:
		if p, i := v.app.Path(); p.Steps() > 0 {
			v.still(dst, r, p, i, pos, 1)
		}
	}
}

// fit makes room for images of a shape.
func (c *colors) fit(s nn.Shape) {
	if s == c.shape {
		return
	}
	for _, t := range c.tiles {
		t.image.Deallocate()
	}
	*c = colors{shape: s, bytes: make([]byte, s.Size()), pixels: make([]byte, 4*s.H*s.W)}
}

func (v *View) floats(dst *ebiten.Image, r Rect, x []float32) {
	if len(x) != v.colors.shape.Size() {
		return
	}
	for i, p := range x {
		v.colors.bytes[i] = timeline.Ink(p)
	}
	v.color(dst, r, v.colors.bytes, 1)
}

// where draws the distance at each pixel, in the colors that distances have.
func (v *View) where(dst *ebiten.Image, r Rect, d []float32) {
	const far = 0.4 // of black from white; what is farther looks the same
	s := v.colors.shape
	if len(d) != s.H*s.W {
		return
	}
	for i, distance := range d {
		px := v.colors.bytes[i*s.C : (i+1)*s.C]
		px[0] = timeline.Ink(distance / far)
		if s.C == 3 {
			c := v.palette.Scale(float64(distance) / far)
			copy(px, []byte{c.R, c.G, c.B})
		}
	}
	v.color(dst, r, v.colors.bytes, 1)
}

// still draws image i of a path as it is at a place of the timeline.
func (v *View) still(dst *ebiten.Image, r Rect, p *timeline.Trajectory, i int, pos, alpha float64) {
	if v.app.Mode != link.Faces {
		p.At(v.ink, i, pos)
		v.digit(dst, r, alpha)
		return
	}
	v.colors.fit(v.app.Faces.Image())
	p.At(v.colors.bytes, i, pos)
	v.color(dst, r, v.colors.bytes, alpha)
}

// color draws an image, of as many bytes as its shape has numbers, over a rectangle: with
// sharp pixels where it is enlarged, with soft ones where it is made small.
func (v *View) color(dst *ebiten.Image, r Rect, px []byte, alpha float64) {
	c := &v.colors
	s := c.shape
	if len(px) != s.Size() {
		return
	}
	if c.used == len(c.tiles) {
		c.tiles = append(c.tiles, &tile{image: ebiten.NewImage(s.W, s.H), ink: make([]byte, s.Size()), fresh: true})
	}
	t := c.tiles[c.used]
	c.used++
	if t.fresh || !bytes.Equal(t.ink, px) {
		t.fresh = false
		copy(t.ink, px)
		for i := range s.W * s.H {
			p := px[i*s.C : (i+1)*s.C]
			copy(c.pixels[4*i:], []byte{p[0], p[s.C/2], p[s.C-1], 255})
		}
		t.image.WritePixels(c.pixels)
	}
	o := ebiten.DrawImageOptions{Filter: ebiten.FilterPixelated}
	if r.W < float64(s.W) {
		o.Filter = ebiten.FilterLinear
	}
	o.GeoM.Scale(r.W/float64(s.W), r.H/float64(s.H))
	o.GeoM.Translate(r.X, r.Y)
	o.ColorScale.ScaleAlpha(float32(alpha))
	dst.DrawImage(t.image, &o)
}

// faces draws the grown faces, and frames those that are chosen.
func (v *View) faces(dst *ebiten.Image, r Rect) {
	const side = 3 // link.GrownFaces of them
	gap := math.Round(timeline.Gap * v.ratio)
	pitch := (r.W + gap) / side
	cell := func(i int) Rect {
		x, y := math.Round(r.X+float64(i%side)*pitch), math.Round(r.Y+float64(i/side)*pitch)
		return Rect{x, y, math.Round(pitch - gap), math.Round(pitch - gap)}
	}
	for i, px := range v.app.Faces.Grown() {
		v.color(dst, cell(i), px, 1)
	}
	s := &v.app.State.Faces
	if s.Task == link.Pass {
		v.frame(dst, cell(s.To), v.palette.Scale(0.75))
	}
	v.frame(dst, cell(s.Selected), v.palette.Accent)
}
