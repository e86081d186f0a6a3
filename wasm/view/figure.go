//go:build js && wasm

package view

import (
	"image"
	"image/color"
	"math"

	"github.com/hajimehoshi/ebiten/v2"

	"mppm/shared/link"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// sliced is the slice of D on the graphics card.
type sliced struct {
	image *ebiten.Image
	drawn *manifold.Slice // what is there
}

// figure draws the curve, the paths to it, and the slice of D between what is
// behind it and before it.
func (v *View) figure(screen *ebiten.Image, r Rect, pos float64) {
	fill(screen, r, v.palette.Ground)
	if v.chart.marks == nil {
		return
	}
	dst := screen.SubImage(image.Rect(int(r.X), int(r.Y), int(r.X+r.W), int(r.Y+r.H))).(*ebiten.Image)
	d := v.app.Manifold.Sketch(r.W, r.H, v.ratio, pos, &v.palette)
	v.strokes(dst, r, d.Behind)
	v.slice(dst, r)
	v.strokes(dst, r, d.Front)
}

// slice draws D over the whole of the figure.
func (v *View) slice(dst *ebiten.Image, r Rect) {
	m := v.app.Manifold.Slice()
	top := float32(v.app.Manifold.Highest())
	if m == nil || !(top > 0) {
		return
	}
	f := &v.sliced
	if f.drawn != m {
		f.drawn = m
		if f.image == nil || f.image.Bounds().Dx() != m.W || f.image.Bounds().Dy() != m.H {
			if f.image != nil {
				f.image.Deallocate()
			}
			f.image = ebiten.NewImage(m.W, m.H)
		}
		pixels := make([]byte, 4*m.W*m.H)
		for i, d := range m.D {
			s := palette.Fade(v.palette.Scale(float64(d/top)), manifold.SliceStrength)
			copy(pixels[4*i:], []byte{s.R, s.G, s.B, s.A})
		}
		f.image.WritePixels(pixels)
	}
	o := ebiten.DrawImageOptions{Filter: ebiten.FilterLinear}
	sx, sy := r.W/float64(m.W-1), r.H/float64(m.H-1)
	o.GeoM.Scale(sx, sy)
	o.GeoM.Translate(r.X-sx/2, r.Y-sy/2)
	dst.DrawImage(f.image, &o)
}

// strokes draws lines and discs, many at a time: the marks' disc is what all of
// them are cut from.
func (v *View) strokes(dst *ebiten.Image, r Rect, strokes []manifold.Stroke) {
	if v.chart.marks == nil || len(strokes) == 0 {
		return
	}
	v.begin()
	h := &v.chart
	for _, s := range strokes {
		if s.Disc() {
			v.mark(float32(r.X+s.X0), float32(r.Y+s.Y0), float32(s.Width), disc, s.Color, 1)
			for k := range 4 { // the color may be faded
				h.vertices[len(h.vertices)-1-k].ColorA = float32(s.Color.A) / 255
			}
			continue
		}
		v.band(r, s)
	}
	v.flush(dst)
}

// feather is how wide the edge of a line is, in pixels of the canvas.
const feather = 1

// band adds a line to the vertices, with edges that fade over a pixel.
func (v *View) band(r Rect, s manifold.Stroke) {
	h := &v.chart
	dx, dy := s.X1-s.X0, s.Y1-s.Y0
	length := math.Hypot(dx, dy)
	nx, ny := -dy/length, dx/length
	// A line thinner than a pixel is as wide, and fainter.
	width := max(s.Width, feather)
	core, whole := (width-feather)/2, (width+feather)/2
	c := s.Color
	if s.Width < feather {
		c = palette.Fade(c, s.Width/feather)
	}
	mid := float32((disc + 0.5) * h.cell)
	n := uint32(len(h.vertices))
	for _, side := range []struct {
		at float64
		c  color.RGBA
	}{{-whole, color.RGBA{}}, {-core, c}, {core, c}, {whole, color.RGBA{}}} {
		for _, p := range [][2]float64{{s.X0, s.Y0}, {s.X1, s.Y1}} {
			h.vertices = append(h.vertices, ebiten.Vertex{
				DstX: float32(r.X + p[0] + nx*side.at), DstY: float32(r.Y + p[1] + ny*side.at),
				SrcX: mid, SrcY: float32(h.cell / 2),
				ColorR: float32(side.c.R) / 255, ColorG: float32(side.c.G) / 255, ColorB: float32(side.c.B) / 255, ColorA: float32(side.c.A) / 255,
			})
		}
	}
	for k := range uint32(3) {
		i := n + 2*k
		h.indices = append(h.indices, i, i+1, i+2, i+1, i+3, i+2)
	}
}

// plotPaths draws over the steps how far each method is from the curve, above what
// D says of MPPM.
func (v *View) plotPaths(dst *ebiten.Image, r Rect, pos float64) {
	first := v.app.Manifold.Path(link.MPPM)
	if first == nil {
		return
	}
	last := v.app.Head().End()
	f := timeline.NewFilm(r.W, last, 1)
	top := 1e-6
	for _, m := range link.Methods() {
		if w := v.app.Manifold.Path(m); v.app.Manifold.Shows(m) || m == link.MPPM {
			for _, off := range w.Off {
				top = max(top, off)
			}
		}
	}
	margin := 7 * v.ratio
	height := func(d float64) float64 { return r.Y + r.H - 1 - (r.H-margin-1)*min(d/top, 1) }
	line := max(math.Round(v.ratio), 1)
	// D as an area of the scale's colors.
	x0, x1 := r.X+f.X(0), r.X+f.X(float64(last))
	v.list = v.list[:0]
	for x := x0; x < x1; x += line {
		t := (x - x0) / (x1 - x0) * float64(last)
		k, blend := timeline.Between(t, first.Steps())
		d := first.D[k]
		if blend > 0 {
			d += (first.D[k+1] - d) * blend
		}
		strength := 0.16
		if t <= pos {
			strength = 0.45
		}
		y := height(d)
		v.list = append(v.list, box{Rect{x, y, min(line, x1-x), r.Y + r.H - y}, palette.Fade(v.palette.Scale(d/max(v.app.Manifold.Highest(), 1e-6)), strength)})
	}
	v.list = append(v.list, box{Rect{r.X, r.Y + r.H - line, r.W, line}, v.palette.Line})
	v.boxes(dst, v.list)
	for _, m := range []link.Method{link.DDPM, link.DAE, link.MPPM} {
		if !v.app.Manifold.Shows(m) {
			continue
		}
		w, c := v.app.Manifold.Path(m), v.palette.Method(m)
		at := func(_ int, pos float64) (x, y float32, _ float64) {
			_, off := w.At(pos)
			return float32(r.X + f.X(pos)), float32(height(off)), 0
		}
		v.line(dst, at, 0, 0, float64(last), 1.5, palette.Fade(c, 0.5))
		v.line(dst, at, 0, 0, min(pos, float64(last)), 2.2, c)
		x, y, _ := at(0, min(pos, float64(last)))
		v.circle(dst, float64(x), float64(y), 4*v.ratio, c)
	}
}
