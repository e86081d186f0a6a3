package manifold

import (
	"image"
	"image/draw"

	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
)

// Sizes of exported figures, in pixels.
const (
	figureWide = 1600 // a picture
	figureUnit = 2    // its pixels in one of the page
	stripSide  = 320  // a step of the strip
	gifWide    = 640
)

// album is the figure, to be exported.
type album struct {
	r       *Room
	palette *palette.Palette
}

// Album returns the figure, to be exported.
func (r *Room) Album(p *palette.Palette) (export.Album, error) {
	if r.paths == nil {
		return nil, export.ErrNothing
	}
	return &album{r: r, palette: p}, nil
}

// shape returns the width of a figure over its height, within bounds.
func (a *album) shape() float64 {
	if a.r.aspect == 0 {
		return 1.6
	}
	return min(max(a.r.aspect, 0.5), 3)
}

// Picture returns the figure at the step.
func (a *album) Picture() image.Image {
	return a.r.paint(figureWide, int(figureWide/a.shape()), figureUnit, float64(a.r.head.Step()), a.palette)
}

// Strip returns the figure at every step, side by side.
func (a *album) Strip() image.Image {
	n := a.r.head.End() + 1
	all := image.NewRGBA(image.Rect(0, 0, n*stripSide+(n-1)*export.Gap, stripSide))
	draw.Draw(all, all.Bounds(), image.NewUniform(a.palette.Line), image.Point{}, draw.Src)
	for k := range n {
		x := k * (stripSide + export.Gap)
		draw.Draw(all, image.Rect(x, 0, x+stripSide, stripSide), a.r.paint(stripSide, stripSide, 0.8, float64(k), a.palette), image.Point{}, draw.Src)
	}
	return all
}

// Frames returns the figure at every step, in the colors of the last.
func (a *album) Frames() []*image.Paletted {
	last, h := a.r.head.End(), int(gifWide/a.shape())
	colors := shades(a.r.paint(gifWide, h, 1, float64(last), a.palette), a.palette, sliceShades)
	list := make([]*image.Paletted, last+1)
	for k := range list {
		list[k] = a.r.paint(gifWide, h, 1, float64(k), a.palette).reduced(colors)
	}
	return list
}
