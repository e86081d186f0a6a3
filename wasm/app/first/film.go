package first

import (
	"bytes"
	"image/color"
	"math"

	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// layout returns how the film is laid out.
func (s *Show) layout() timeline.Film {
	return timeline.NewFilm(float64(s.page.Width), s.room.Head().End(), timeline.LeastTile*s.page.Unit)
}

// Tiles returns how many tiles the film has.
func (s *Show) Tiles() int { return s.layout().Tiles }

// Film returns the strip of film as it is now, of Width × Height pixels and the margin
// around them, as Original does: package view draws the same.
func (s *Show) Film() []byte {
	p, path, pos := &s.page.Palette, s.room.Path(), s.room.Head().Pos()
	h, unit := float64(s.page.Height), s.page.Unit
	f, margin := s.layout(), s.page.Margin
	side, y, bar := f.Strip(h, unit)
	c := newCanvas(s.page.Width, s.page.Height, margin, p.Raised)
	frame := s.ink
	digit := func(x float64, pos, alpha float64) {
		path.At(frame, 0, pos)
		c.digit(frame, s.Width(), x, y, side, alpha, &s.ramp)
	}
	top := path.Highest()
	for t := range f.Tiles {
		step := f.Step(t)
		alpha := timeline.Ahead
		if float64(step) <= pos+0.5 {
			alpha = 1
		}
		x := math.Round(f.X(float64(step)) - side/2)
		digit(x, float64(step), alpha)
		if top > 0 {
			d := path.Distance(step, 0) / top
			c.fill(x, math.Round(y+side+bar/2), math.Round(max(side*d, bar)), bar, palette.Fade(p.Scale(d), alpha))
		}
	}
	x, line := f.X(pos)-side/2, 2*unit
	digit(math.Round(x), pos, 1)
	for _, edge := range [][4]float64{
		{x - line, y - line, side + 2*line, line}, {x - line, y + side, side + 2*line, line},
		{x - line, y, line, side}, {x + side, y, line, side},
	} {
		c.fill(edge[0], edge[1], edge[2], edge[3], p.Accent)
	}
	return c.pixels
}

// canvas is an opaque picture, as red, green, blue and alpha, with a margin around what
// has coordinates from 0 on.
type canvas struct {
	width, height, margin int // with the margin
	pixels                []byte
}

func newCanvas(width, height, margin int, c color.RGBA) *canvas {
	width, height = max(width, 0)+2*margin, max(height, 0)+2*margin
	return &canvas{width, height, margin, bytes.Repeat([]byte{c.R, c.G, c.B, 255}, width*height)}
}

// fill lays a color, premultiplied, over a rectangle, whose edges may lie between pixels.
func (c *canvas) fill(x, y, w, h float64, over color.RGBA) {
	x, y = x+float64(c.margin), y+float64(c.margin)
	for row := max(int(y), 0); row < min(int(math.Ceil(y+h)), c.height); row++ {
		down := min(float64(row+1), y+h) - max(float64(row), y)
		for col := max(int(x), 0); col < min(int(math.Ceil(x+w)), c.width); col++ {
			c.blend(col, row, over, down*(min(float64(col+1), x+w)-max(float64(col), x)))
		}
	}
}

// digit lays an image of so many pixels a row over a square. Its pixels are sharp: what of
// the square lies in two of them has a share of each.
func (c *canvas) digit(ink []byte, width int, x, y, side, alpha float64, ramp *[256][4]byte) {
	for row := range int(side) {
		for col := range int(side) {
			px, py := int(x)+c.margin+col, int(y)+c.margin+row
			if px < 0 || py < 0 || px >= c.width || py >= c.height {
				continue
			}
			v := ramp[byte(mean(ink, width, float64(col)/side, float64(row)/side, 1/side)+0.5)]
			c.blend(px, py, color.RGBA{v[0], v[1], v[2], 255}, alpha)
		}
	}
}

// mean returns the mean of an image's square whose corner and edge are given in shares of
// the image's.
func mean(ink []byte, width int, x, y, edge float64) float64 {
	height := len(ink) / width
	left, right := x*float64(width), (x+edge)*float64(width)
	top, bottom := y*float64(height), (y+edge)*float64(height)
	sum := 0.0
	for row := int(top); row < height && float64(row) < bottom; row++ {
		down := min(float64(row+1), bottom) - max(float64(row), top)
		for col := int(left); col < width && float64(col) < right; col++ {
			sum += down * (min(float64(col+1), right) - max(float64(col), left)) * float64(ink[row*width+col])
		}
	}
	return min(sum/((right-left)*(bottom-top)), 255)
}

func (c *canvas) blend(x, y int, over color.RGBA, share float64) {
	at := c.pixels[4*(y*c.width+x):][:4]
	rest := 1 - share*float64(over.A)/255
	for k, v := range [3]byte{over.R, over.G, over.B} {
		at[k] = byte(float64(v)*share + float64(at[k])*rest + 0.5)
	}
	at[3] = 255
}
