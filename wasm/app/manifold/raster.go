package manifold

import (
	"image"
	"image/color"
	"math"

	"mppm/wasm/app/compute"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// raster draws Manifold's figure into an image, without a graphics card: as a file
// it must come out anywhere.
type raster struct{ *image.RGBA }

// paint returns the figure, w × h pixels, at a place of the timeline.
func (a *Room) paint(w, h int, unit, pos float64, p *palette.Palette) raster {
	r := blank(w, h, p)
	s := a.Sketch(float64(w), float64(h), unit, pos, p)
	for _, k := range s.Behind {
		r.stroke(k)
	}
	r.slice(a.sliceFor(float64(w)/float64(h)), a.Highest(), p)
	for _, k := range s.Front {
		r.stroke(k)
	}
	return r
}

// blank returns an image of the ground alone.
func blank(w, h int, p *palette.Palette) raster {
	r := raster{image.NewRGBA(image.Rect(0, 0, w, h))}
	for i := 0; i < len(r.Pix); i += 4 {
		copy(r.Pix[i:], []byte{p.Ground.R, p.Ground.G, p.Ground.B, 255})
	}
	return r
}

// sliceFor returns the slice of a figure of that shape, computed at once where
// the screen shows another; nil where none is shown.
func (a *Room) sliceFor(shape float64) *Slice {
	s := a.curve()
	if !a.s.Figure.Slice || s == nil {
		return nil
	}
	w := a.wanted()
	w.aspect = shape
	if m := a.slice.whole; m != nil && m.of == w {
		return m
	}
	m := newSlice(w)
	compute.Ask(compute.NewHere(a.s.Models), a.cut(m)).All(room.Ever, func(row *compute.Distances) { m.D = append(m.D, row.D...) })
	if len(m.D) < m.W*m.H {
		return nil
	}
	return m
}

// slice lays D over all of the image.
func (r raster) slice(m *Slice, top float64, p *palette.Palette) {
	if m == nil || !(top > 0) {
		return
	}
	b := r.Bounds()
	for y := range b.Dy() {
		v := float64(y) / float64(max(b.Dy()-1, 1)) * float64(m.H-1)
		j, ty := timeline.Between(v, m.H-1)
		for x := range b.Dx() {
			u := float64(x) / float64(max(b.Dx()-1, 1)) * float64(m.W-1)
			i, tx := timeline.Between(u, m.W-1)
			i1, j1 := min(i+1, m.W-1), min(j+1, m.H-1)
			at := func(i, j int) float64 { return float64(m.D[j*m.W+i]) }
			d := (at(i, j)*(1-tx)+at(i1, j)*tx)*(1-ty) + (at(i, j1)*(1-tx)+at(i1, j1)*tx)*ty
			r.over(x, y, palette.Fade(p.Scale(d/top), SliceStrength), 1)
		}
	}
}

// stroke draws a line with round ends, or a disc.
func (r raster) stroke(s Stroke) {
	radius := s.Width / 2
	strength := 1.0
	if radius < 0.5 { // a line thinner than a pixel is as wide, and fainter
		radius, strength = 0.5, s.Width
	}
	b := r.Bounds()
	reach := radius + 1
	x0, x1 := int(min(s.X0, s.X1)-reach), int(max(s.X0, s.X1)+reach)
	y0, y1 := int(min(s.Y0, s.Y1)-reach), int(max(s.Y0, s.Y1)+reach)
	dx, dy := s.X1-s.X0, s.Y1-s.Y0
	length := dx*dx + dy*dy
	for y := max(y0, 0); y <= min(y1, b.Dy()-1); y++ {
		for x := max(x0, 0); x <= min(x1, b.Dx()-1); x++ {
			px, py := float64(x)+0.5-s.X0, float64(y)+0.5-s.Y0
			if length > 0 {
				t := min(max((px*dx+py*dy)/length, 0), 1)
				px, py = px-t*dx, py-t*dy
			}
			if cover := min(radius+0.5-math.Hypot(px, py), 1); cover > 0 {
				r.over(x, y, s.Color, cover*strength)
			}
		}
	}
}

// over lays a share of a premultiplied color over a pixel.
func (r raster) over(x, y int, c color.RGBA, share float64) {
	at := r.Pix[r.PixOffset(x, y):]
	left := 1 - float64(c.A)/255*share
	for k, v := range [3]byte{c.R, c.G, c.B} {
		at[k] = byte(min(float64(v)*share+float64(at[k])*left, 255) + 0.5)
	}
}

// sliceShades is how many colors of the slice a picture of a few colors has.
const sliceShades = 64

// shades returns at most 256 colors for pictures of the figure: so many of the
// slice, those of what is drawn over it, and what else the picture has most of.
func shades(r raster, p *palette.Palette, slices int) color.Palette {
	var out color.Palette
	seen := map[color.RGBA]bool{}
	add := func(c color.RGBA) {
		if c.A = 255; !seen[c] && len(out) < 256 {
			seen[c] = true
			out = append(out, c)
		}
	}
	add(p.Ground)
	const steps = 10
	for i := range slices {
		add(palette.Blend(p.Ground, p.Scale(float64(i)/float64(slices-1)), SliceStrength))
	}
	middle := palette.Blend(p.Ground, p.Scale(0.25), SliceStrength)
	for _, c := range []color.RGBA{p.Ink, p.Muted, p.Accent, p.DAE, p.DDPM, p.Scale(0.8)} {
		for i := range steps {
			add(palette.Blend(middle, c, float64(i+1)/steps))
		}
		add(palette.Blend(p.Ground, c, 0.5))
	}
	count := map[color.RGBA]int{}
	for i := 0; i < len(r.Pix); i += 4 {
		count[color.RGBA{r.Pix[i] &^ 3, r.Pix[i+1] &^ 3, r.Pix[i+2] &^ 3, 255}]++
	}
	for len(out) < 256 && len(count) > 0 {
		var most color.RGBA
		for c, n := range count {
			if m := count[most]; n > m || n == m && before(c, most) {
				most = c
			}
		}
		delete(count, most)
		add(most)
	}
	return out
}

// before orders colors.
func before(a, b color.RGBA) bool {
	key := func(c color.RGBA) int { return int(c.R)<<16 | int(c.G)<<8 | int(c.B) }
	return key(a) < key(b)
}

// reduced returns the image in the colors that are nearest.
func (r raster) reduced(p color.Palette) *image.Paletted {
	out := image.NewPaletted(r.Bounds(), p)
	known := map[color.RGBA]byte{}
	for i := range out.Pix {
		c := color.RGBA{r.Pix[4*i], r.Pix[4*i+1], r.Pix[4*i+2], 255}
		n, ok := known[c]
		if !ok {
			n = byte(p.Index(c))
			known[c] = n
		}
		out.Pix[i] = n
	}
	return out
}
