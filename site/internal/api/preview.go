package api

import (
	"image"
	"image/color"

	"mppm/shared/link"
	"mppm/shared/nn"
)

// The preview's size, which is what services that show links ask for.
const (
	previewWidth  = 1200
	previewHeight = 630
)

// The preview's palette: the dark theme of the page. Ink has shades, the scale of
// D has a few colors, as the page's style sheet names them.
const (
	shades = 240 // from ground to ink
	paper  = shades
	accent = shades + 1
	cool   = shades + 2 // the first of the scale of D, from near to far
)

var (
	ground   = [3]byte{0x07, 0x09, 0x0c}
	fullInk  = [3]byte{0xff, 0xf3, 0xdd}
	coolness = [][3]byte{{0x41, 0x40, 0x81}, {0x38, 0x63, 0x9d}, {0x34, 0x8f, 0xa7}, {0x4f, 0xc0, 0xad}, {0xa9, 0xe1, 0xbd}}
)

func palette() color.Palette {
	rgb := func(c [3]byte) color.Color { return color.RGBA{c[0], c[1], c[2], 255} }
	var p color.Palette
	for i := range shades {
		var c [3]byte
		for k := range c {
			c[k] = byte((int(ground[k])*(shades-1-i) + int(fullInk[k])*i) / (shades - 1))
		}
		p = append(p, rgb(c))
	}
	p = append(p, rgb([3]byte{0x0d, 0x11, 0x16}), rgb([3]byte{0xff, 0xb0, 0x4a}))
	for _, c := range coolness {
		p = append(p, rgb(c))
	}
	return p
}

// canvas is a preview that is being drawn.
type canvas struct{ *image.Paletted }

func newCanvas() canvas {
	c := canvas{image.NewPaletted(image.Rect(0, 0, previewWidth, previewHeight), palette())}
	c.fill(c.Rect, paper)
	return c
}

func (c canvas) fill(r image.Rectangle, index uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		line := c.Pix[y*c.Stride+r.Min.X:][:r.Dx()]
		for k := range line {
			line[k] = index
		}
	}
}

// draw draws an image of a shape with its upper left corner at (x0, y0), each
// pixel as a square of scale pixels.
func (c canvas) draw(x []float32, shape nn.Shape, x0, y0, scale int) {
	for y := range shape.H * scale {
		line := c.Pix[(y0+y)*c.Stride+x0:][:shape.W*scale]
		for k := range line {
			line[k] = byte(int(ink(x[y/scale*shape.W+k/scale])) * (shades - 1) / 255)
		}
	}
}

// arrow draws a triangle that points to the right, around (x, y).
func (c canvas) arrow(x, y, size int) {
	for k := range 2 * size {
		half := size - k/2
		c.fill(image.Rect(x-size+k, y-half, x-size+k+1, y+half), accent)
	}
}

// preview is GET /api/preview.png: the picture that services show beside a link
// to the page.
func (a *API) preview(r *request) (*response, error) {
	if _, err := accepted(r.Header["Accept"], pngType); err != nil {
		return nil, err
	}
	l, _ := a.page.Read(r.URL.RawQuery)
	if l.Subject() == link.Descent {
		c := l.Figure.Curve
		if c == link.Own { // the page learns it, and nobody has a picture of it
			c = link.Spiral
		}
		b, err := curvePictures.ReadFile("curve-" + string(c) + ".png")
		// Not for ever: the weights that the address names do not determine it.
		return &response{contentType: pngType, body: b, cache: anHour}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := newCanvas()
	draw := a.drawRestored
	if grows(&l) {
		draw = a.drawGrown
	}
	if err := draw(c, &l); err != nil {
		return nil, err
	}
	out, err := a.png.paletted(c.Paletted)
	if err != nil {
		return nil, err
	}
	out.cache = caching(r, a.fingerprint)
	return out, nil
}

// scaleTo returns how large a pixel is where an image takes a square of an edge.
func (a *API) scaleTo(edge int) int { return max(edge/max(a.image.W, a.image.H), 1) }

// The grid of a preview: the first digits of the page's, and as many more as
// fill the picture.
const (
	gridColumns = 6
	gridRows    = 3
	gridEdge    = 196
)

func (a *API) drawGrown(c canvas, l *link.Link) error {
	x, _, err := a.grow(l, gridColumns*gridRows)
	if err != nil {
		return err
	}
	scale := a.scaleTo(gridEdge)
	w, h := a.image.W*scale, a.image.H*scale
	left, top := (previewWidth-gridColumns*w)/2, (previewHeight-gridRows*h)/2
	for i := range gridColumns * gridRows {
		c.draw(a.nth(x, i), a.image, left+i%gridColumns*w, top+i/gridColumns*h, scale)
	}
	return nil
}

// The film of a preview: so many of the flow's steps at most.
const filmFrames = 16

// drawRestored draws the original, the damaged and the restored image, and below
// them the film of the flow with D at each of its frames.
func (a *API) drawRestored(c canvas, l *link.Link) error {
	original, err := a.original(l)
	if err != nil {
		return err
	}
	x, err := a.damaged(l, original)
	if err != nil {
		return err
	}
	steps, frames, err := a.flow(l, x, l.RestoreFlow.Widened())
	if err != nil {
		return err
	}
	const (
		edge  = 308
		space = 62
		left  = (previewWidth - 3*edge - 2*space) / 2
		top   = 52
	)
	for i, img := range [][]float32{original, x, a.nth(frames, len(steps)-1)} {
		c.draw(img, a.image, left+i*(edge+space), top, a.scaleTo(edge))
		if i > 0 {
			c.arrow(left+i*(edge+space)-space/2, top+edge/2, 11)
		}
	}
	const (
		small = 56
		gap   = 8
		film  = top + edge + 48
		bars  = film + small + gap
		tall  = previewHeight - 40 - bars
	)
	n := min(len(steps), filmFrames)
	var highest float32
	for _, s := range steps {
		highest = max(highest, s.distance)
	}
	at := (previewWidth - n*(small+gap) + gap) / 2
	for i := range n {
		k := 0 // the first and the last of the flow's steps, and others evenly between
		if n > 1 {
			k = i * (len(steps) - 1) / (n - 1)
		}
		x0 := at + i*(small+gap)
		c.draw(a.nth(frames, k), a.image, x0, film, a.scaleTo(small))
		if highest > 0 {
			share := steps[k].distance / highest
			height := max(int(float32(share*tall)), 2)
			color := min(int(float32(share*float32(len(coolness)))), len(coolness)-1)
			c.fill(image.Rect(x0, bars, x0+small, bars+height), uint8(cool+color))
		}
	}
	return nil
}
