package app

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"time"

	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// Sizes of exported figures, in pixels.
const (
	figureWide = 1600 // a picture
	figureUnit = 2    // its pixels in one of the page
	stripSide  = 320  // a step of the strip
	gifWide    = 640
)

// errNoFigure says that there is nothing to export.
var errNoFigure = errors.New("there is no picture yet")

// shapeOf returns the width of a figure over its height, within bounds.
func (a *App) shapeOf() float64 {
	if a.shape == 0 {
		return 1.6
	}
	return min(max(a.shape, 0.5), 3)
}

// exportFigure returns the figure at the step as a PNG.
func (a *App) exportFigure(p *palette.Palette) (Export, error) {
	if a.ways == nil {
		return Export{}, errNoFigure
	}
	step := a.Head().Step()
	img := a.paint(figureWide, int(figureWide/a.shapeOf()), figureUnit, float64(step), p)
	return asPNG(a.exportName("picture"), img)
}

// exportFigureStrip returns the figure at every step, side by side, as a PNG.
func (a *App) exportFigureStrip(p *palette.Palette) (Export, error) {
	if a.ways == nil {
		return Export{}, errNoFigure
	}
	n := a.Head().End() + 1
	all := image.NewRGBA(image.Rect(0, 0, n*stripSide+(n-1)*exportGap, stripSide))
	draw.Draw(all, all.Bounds(), image.NewUniform(p.Line), image.Point{}, draw.Src)
	for k := range n {
		x := k * (stripSide + exportGap)
		draw.Draw(all, image.Rect(x, 0, x+stripSide, stripSide), a.paint(stripSide, stripSide, 0.8, float64(k), p), image.Point{}, draw.Src)
	}
	return asPNG(a.exportName("strip"), all)
}

// exportFigureAnimation returns every step as a GIF.
func (a *App) exportFigureAnimation(p *palette.Palette) (Export, error) {
	if a.ways == nil {
		return Export{}, errNoFigure
	}
	g := &gif.GIF{}
	last := a.Head().End()
	h := int(gifWide / a.shapeOf())
	colors := shades(a.paint(gifWide, h, 1, float64(last), p), p)
	const unit = 10 * time.Millisecond
	for k := range last + 1 {
		delay := timeline.Beat
		if k == 0 || k == last {
			delay = 4 * timeline.Hold
		}
		g.Image = append(g.Image, a.paint(gifWide, h, 1, float64(k), p).reduced(colors))
		g.Delay = append(g.Delay, int(delay/unit))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		return Export{}, fmt.Errorf("the animation cannot be written: %w", err)
	}
	return Export{Name: a.exportName("animation") + ".gif", Type: "image/gif", Data: b.Bytes()}, nil
}

func asPNG(name string, img image.Image) (Export, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return Export{}, fmt.Errorf("the picture cannot be written: %w", err)
	}
	return Export{Name: name + ".png", Type: "image/png", Data: b.Bytes()}, nil
}
