//go:build js && wasm

// Package view draws the app with Ebitengine into the places that the page's
// layout leaves open. It draws only when something changed.
package view

import (
	"bytes"
	"image/color"
	"math"
	"time"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/vector"

	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/wasm/app"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// Rect is a place on the canvas, in its pixels.
type Rect struct{ X, Y, W, H float64 }

// Places are the rectangles to draw into, by name: original, degraded, restored,
// dae, ldm, large, grid, map, manifold, film, plot, and those of faces. A name that is missing is not shown.
type Places map[string]Rect

// settleFrames is in how many frames nothing is drawn where the page was laid out anew: the
// first finds the places, the second has done what follows, and one draws after them. All
// in one would keep the page from answering for too long.
const settleFrames = 2

// quietFrames is how many frames nothing must move before the page rests:
// Ebitengine shows a picture some frames after it is drawn.
const quietFrames = 10

// View is the drawing; it is Ebitengine's game.
type View struct {
	app     *app.App
	before  func() bool // runs before every update, to make the page's calls; whether there were any
	after   func()      // runs after every update in which something changed, or was called
	rest    func(on bool)
	quiet   int // frames since something moved
	places  Places
	ratio   float64 // pixels of the canvas in one of the page
	palette palette.Palette
	ramp    [256][4]byte

	dirty    bool
	begun    bool   // something was drawn
	settling int    // frames in which nothing is drawn
	drawn    uint64 // revision of the app that is on the canvas
	last     time.Time
	tiles    []*tile
	used     int
	shape    nn.Shape // of an image
	pixels   []byte   // of one, as RGBA
	ink      []byte   // of one
	width, h int
	lines    []manifold.Stroke // kept for their memory
	sheet    sheet
	chart    chart
	sliced   sliced
	colors   colors
	look     int   // counts the palettes
	codes    layer // of the map
	behind   layer // the lines of all digits in the plot
	list     []box // kept for its memory
	more     bool  // of a layer is still to be drawn
	held     bool  // where to draw is not known yet
	extra    bool  // the next frame is one too many
	skips    bool  // this one is
	work     Work
}

// tile is one image on the graphics card.
type tile struct {
	image *ebiten.Image
	ink   []byte // what is there
	fresh bool   // nothing is there, or in other colors
}

// names are the places there can be, in the order in which they are drawn: it is
// fixed, so that a digit that did not change keeps its tile.
var names = []string{"original", "degraded", "restored", "dae", "ldm", "large", "grid", "map", "manifold", "face-original", "face-damaged", "face-restored", "face-dae", "face-ldm", "face-where", "face-large", "face-grid", "film", "plot"}

// New returns the view of an app. before runs before every update, and says whether it
// called the app, after when it did or something on the screen changed. rest is called with true when no frame is
// needed until Wake, and with false then.
func New(a *app.App, before func() bool, after func(), rest func(on bool)) *View {
	v := &View{app: a, before: before, after: after, rest: rest, ratio: 1, dirty: true, last: time.Now()}
	v.fit()
	return v
}

// fit makes room for images of the shape that the app's model has.
func (v *View) fit() {
	shape := v.app.Engine.Image()
	if shape == v.shape {
		return
	}
	for _, t := range v.tiles {
		t.image.Deallocate()
	}
	v.tiles = nil
	v.shape, v.pixels, v.ink = shape, make([]byte, 4*shape.H*shape.W), make([]byte, shape.Size())
}

// SetPlaces says where to draw, and how many pixels of the canvas one of a page
// with ordinary type has.
func (v *View) SetPlaces(p Places, ratio float64) {
	v.places, v.ratio = p, ratio
	if v.begun {
		v.settling = settleFrames
	}
	v.Invalidate()
}

// Hold has nothing drawn, or drawn again, as the page is laid out anew.
func (v *View) Hold(on bool) {
	v.held = on
	v.Wake()
}

// SetPalette changes the colors.
func (v *View) SetPalette(p palette.Palette) {
	v.palette, v.ramp = p, p.Ramp()
	v.look++
	v.chart.heatDrawn, v.sliced.drawn = nil, nil
	for _, t := range v.tiles {
		t.fresh = true
	}
	v.Invalidate()
}

// Invalidate has everything drawn anew with the next frame.
func (v *View) Invalidate() {
	v.dirty = true
	v.Wake()
}

// Wake has frames computed again after a rest.
func (v *View) Wake() {
	if v.quiet >= quietFrames {
		v.last = time.Now() // the rest does not count
	}
	v.quiet = 0
	v.rest(false)
}

// Resized says that the canvas is about to have another size. Ebitengine then calls Update
// and Draw once more at once, in the same task of the browser as the frame that is under
// way: there is nothing to do.
func (v *View) Resized() { v.extra = true }

// Drawn reports whether anything was drawn.
func (v *View) Drawn() bool { return v.begun }

// Update is called once a frame.
func (v *View) Update() error {
	if v.skips = v.extra; v.skips {
		v.extra, v.quiet = false, 0
		return nil
	}
	now := time.Now()
	v.work.begin(now)
	// A tab that was hidden goes on where it was, not where it would be.
	dt := min(now.Sub(v.last), 100*time.Millisecond)
	v.last = now
	called := v.before()
	if v.held { // that the page is laid out anew is enough for a frame
		v.quiet = 0
		return nil
	}
	if v.settling == settleFrames { // and so is to measure it, and say the rest
		v.quiet = 0
		v.after()
		return nil
	}
	v.app.Update(dt)
	r := v.app.Revision()
	if r != v.drawn {
		v.drawn, v.dirty = r, true
		called = true
	}
	if called {
		v.after()
	}
	if v.app.Active() || v.dirty {
		v.quiet = 0
	} else if v.quiet++; v.quiet == quietFrames {
		v.rest(true)
	}
	return nil
}

// Layout takes the canvas as it is.
func (v *View) Layout(w, h int) (int, int) {
	if w != v.width || h != v.h {
		v.width, v.h, v.dirty = w, h, true
	}
	return w, h
}

// Draw draws everything, if anything changed.
func (v *View) Draw(screen *ebiten.Image) {
	if v.held || v.skips {
		return
	}
	if v.settling > 0 {
		v.settling--
		return
	}
	if !v.dirty {
		return
	}
	defer v.work.end()
	v.dirty, v.begun, v.more = false, true, false
	defer func() { v.dirty = v.dirty || v.more }()
	v.used, v.colors.used = 0, 0
	v.fit()
	screen.Clear()
	pos := v.app.Head().Pos()
	for _, name := range names {
		r, ok := v.places[name]
		if !ok {
			continue
		}
		switch name {
		case "original":
			v.image(screen, r, v.app.Restore.Original())
		case "degraded":
			v.image(screen, r, v.app.Restore.Degraded())
		case "restored", "large":
			p, i := v.app.Path()
			p.At(v.ink, i, pos)
			v.picture(screen, r)
		case "dae":
			v.app.Restore.Autoencoded().At(v.ink, 0, pos)
			v.picture(screen, r)
		case "ldm":
			v.app.Restore.Diffused().At(v.ink, 0, pos)
			v.picture(screen, r)
		case "grid":
			v.grid(screen, r, pos)
		case "map":
			v.plane(screen, r, pos)
		case "manifold":
			v.figure(screen, r, pos)
		case "face-original", "face-damaged", "face-restored", "face-dae", "face-ldm", "face-where", "face-large", "face-grid":
			v.face(screen, name, r, pos)
		case "film":
			v.film(screen, r, pos)
		case "plot":
			v.plot(screen, r, pos)
		}
	}
}

func (v *View) image(dst *ebiten.Image, r Rect, x []float32) {
	for i, p := range x {
		v.ink[i] = timeline.Ink(p)
	}
	v.picture(dst, r)
}

// picture draws v.ink over the whole of a place.
func (v *View) picture(dst *ebiten.Image, r Rect) {
	fill(dst, r, v.palette.Ground)
	v.digit(dst, r, 1)
}

// digit draws v.ink over a rectangle, with sharp pixels at any size. Its edges
// fade into what is there: fill it with the ground first, many at a time, since
// changing between the two costs.
func (v *View) digit(dst *ebiten.Image, r Rect, alpha float64) {
	if v.used == len(v.tiles) {
		v.tiles = append(v.tiles, &tile{image: ebiten.NewImage(v.shape.W, v.shape.H), ink: make([]byte, len(v.ink)), fresh: true})
	}
	t := v.tiles[v.used]
	v.used++
	if t.fresh || !bytes.Equal(t.ink, v.ink) {
		t.fresh = false
		copy(t.ink, v.ink)
		for i, b := range v.ink {
			c := &v.ramp[b]
			copy(v.pixels[4*i:], c[:])
		}
		t.image.WritePixels(v.pixels)
	}
	o := ebiten.DrawImageOptions{Filter: ebiten.FilterPixelated}
	o.GeoM.Scale(r.W/float64(v.shape.W), r.H/float64(v.shape.H))
	o.GeoM.Translate(r.X, r.Y)
	o.ColorScale.ScaleAlpha(float32(alpha))
	dst.DrawImage(t.image, &o)
}

// grid draws the generated digits, each with a bar of its distance.
func (v *View) grid(dst *ebiten.Image, r Rect, pos float64) {
	p, n := v.app.Generate.Grid(), v.app.Grid
	if p.N != n*n {
		return
	}
	walk := v.app.Subject() == link.Walk
	if walk {
		pos = float64(p.Steps() - 1) // the walk has a timeline of its own
	}
	gap := math.Round(timeline.Gap * v.ratio)
	bar := math.Round(2 * v.ratio)
	pitch := (r.W + gap) / float64(n)
	cell := func(i int) Rect {
		x, y := math.Round(r.X+float64(i%n)*pitch), math.Round(r.Y+float64(i/n)*pitch)
		return Rect{x, y, math.Round(r.X+float64(i%n+1)*pitch) - x - gap, math.Round(r.Y+float64(i/n+1)*pitch) - y - gap}
	}
	v.list = v.list[:0]
	for i := range p.N {
		v.list = append(v.list, box{cell(i), v.palette.Ground})
	}
	v.boxes(dst, v.list)
	v.sheet.draw(v, dst, p, n, pos, cell)
	if top := p.Highest(); top > 0 {
		v.list = v.list[:0]
		for i := range p.N {
			t, c := p.DistanceAt(i, pos)/top, cell(i)
			v.list = append(v.list, box{Rect{c.X, c.Y + c.H - bar, max(c.W*t, bar), bar}, v.palette.Scale(t)})
		}
		v.boxes(dst, v.list)
	}
	if walk {
		v.frame(dst, cell(v.app.WalkTo), v.palette.Scale(0.75))
	}
	v.frame(dst, cell(v.app.Selected), v.palette.Accent)
}

// frame draws a line around a rectangle.
func (v *View) frame(dst *ebiten.Image, r Rect, c color.RGBA) {
	line := float32(math.Round(2 * v.ratio))
	vector.StrokeRect(dst, float32(r.X)-line/2, float32(r.Y)-line/2, float32(r.W)+line, float32(r.H)+line, line, c, false)
}

// film draws one tile for each step, or every few, and a frame where the one
// lies that is shown.
func (v *View) film(dst *ebiten.Image, r Rect, pos float64) {
	p, i := v.app.Path()
	f := timeline.NewFilm(r.W, v.app.Head().End(), timeline.LeastTile*v.ratio)
	side, y, bar := f.Strip(r.H, v.ratio)
	y += r.Y
	// each calls draw for every tile, the further along the more faintly.
	each := func(draw func(r Rect, step int, alpha float64)) {
		for t := range f.Tiles {
			step := f.Step(t)
			if step >= p.Steps() || i >= p.N {
				break
			}
			alpha := timeline.Ahead
			if float64(step) <= pos+0.5 {
				alpha = 1
			}
			draw(Rect{math.Round(r.X + f.X(float64(step)) - side/2), y, side, side}, step, alpha)
		}
	}
	v.list = v.list[:0]
	each(func(r Rect, _ int, alpha float64) {
		v.list = append(v.list, box{r, palette.Fade(v.palette.Ground, alpha)})
	})
	v.boxes(dst, v.list)
	each(func(r Rect, step int, alpha float64) {
		v.still(dst, r, p, i, float64(step), alpha)
	})
	if top := p.Highest(); top > 0 {
		v.list = v.list[:0]
		each(func(r Rect, step int, alpha float64) {
			d := p.Distance(step, i) / top
			v.list = append(v.list, box{Rect{r.X, r.Y + side + bar/2, max(side*d, bar), bar}, palette.Fade(v.palette.Scale(d), alpha)})
		})
		v.boxes(dst, v.list)
	}
	if p.Steps() > 0 {
		line := float32(2 * v.ratio)
		x := r.X + f.X(pos) - side/2
		if i < p.N {
			// Between two tiles the frame has a digit of its own.
			here := Rect{math.Round(x), y, side, side}
			fill(dst, here, v.palette.Ground)
			v.still(dst, here, p, i, pos, 1)
		}
		vector.StrokeRect(dst, float32(x)-line/2, float32(y)-line/2, float32(side)+line, float32(side)+line, line, v.palette.Accent, true)
	}
}

// plot draws D over the steps, on the film's axis: what is past in the warm
// accent, with a trail that fades, over an area in the cool scale. Where there is
// an original, SSIM goes along in the scale's color, 1 at the top.
func (v *View) plot(dst *ebiten.Image, r Rect, pos float64) {
	if v.app.Mode == link.Manifold {
		v.plotPaths(dst, r, pos)
		return
	}
	p, shown := v.app.Path()
	last := p.Steps() - 1
	top := p.Highest()
	f := timeline.NewFilm(r.W, v.app.Head().End(), timeline.LeastTile*v.ratio)
	if v.places["film"].W != r.W {
		f = timeline.NewFilm(r.W, v.app.Head().End(), 1) // not below the film: an axis of its own
	}
	if last < 0 || !(top > 0) || shown >= p.N {
		return
	}
	margin := 7 * v.ratio
	at := func(i int, pos float64) (x, y float32, d float64) {
		d = p.DistanceAt(i, pos) / top
		return float32(r.X + f.X(pos)), float32(r.Y + r.H - 1 - (r.H-margin-1)*d), d
	}
	// All paths of the grid, faintly, once it is grown.
	if of := (plotted{&p.Frame(0, 0)[0], p.Steps(), v.look, f}); p.N > 1 && (v.behind.of == any(of) || !v.app.Room().Subject().Busy()) {
		v.keep(dst, &v.behind, r, of, p.N, true, func(dst *ebiten.Image, from, to int) {
			moved := func(i int, pos float64) (x, y float32, d float64) {
				x, y, d = at(i, pos)
				return x - float32(r.X), y - float32(r.Y), d
			}
			v.others(dst, moved, from, to, -1, float64(last), palette.Fade(v.palette.Scale(0.5), 0.3))
		})
	}
	// The area, in columns.
	step := max(math.Round(v.ratio), 1)
	x0, x1 := r.X+f.X(0), r.X+f.X(float64(last))
	v.list = v.list[:0]
	for x := x0; x < x1; x += step {
		at0 := (x - x0) / (x1 - x0) * float64(last)
		_, y, d := at(shown, at0)
		strength := 0.16
		if at0 <= pos {
			strength = 0.5
		}
		v.list = append(v.list, box{Rect{x, float64(y), min(step, x1-x), r.Y + r.H - float64(y)}, palette.Fade(v.palette.Scale(d), strength)})
	}
	v.list = append(v.list, box{Rect{r.X, r.Y + r.H - max(math.Round(v.ratio), 1), r.W, max(math.Round(v.ratio), 1)}, v.palette.Line})
	v.boxes(dst, v.list)
	now := min(pos, float64(last))
	if scores := v.app.Restore.Scores(); len(scores) == p.Steps() {
		ssim := func(_ int, pos float64) (x, y float32, _ float64) {
			k, blend := timeline.Between(pos, last)
			s := scores[k].SSIM
			if blend > 0 {
				s += (scores[k+1].SSIM - s) * blend
			}
			return float32(r.X + f.X(pos)), float32(r.Y + r.H - 1 - (r.H-margin-1)*max(s, 0)), 0
		}
		c := v.palette.Scale(0.8)
		v.line(dst, ssim, 0, 0, float64(last), 1.5, palette.Fade(c, 0.45))
		v.line(dst, ssim, 0, 0, now, 2, c)
		x, y, _ := ssim(0, now)
		v.circle(dst, float64(x), float64(y), 3.5*v.ratio, c)
	}
	v.line(dst, at, shown, now, float64(last), 1.5, palette.Fade(v.palette.Muted, 0.8))
	for from := 0.0; from < now; from++ {
		age := min((now-from)/float64(max(last, 1)), 1)
		v.line(dst, at, shown, from, min(from+1, now), 2.5, palette.Fade(v.palette.Accent, 1-0.65*age))
	}
	x, y, _ := at(shown, now)
	v.circle(dst, float64(x), float64(y), 7*v.ratio, palette.Fade(v.palette.Accent, 0.25))
	v.circle(dst, float64(x), float64(y), 4*v.ratio, v.palette.Accent)
}

// plotted is what the lines of all digits in the plot depend on.
type plotted struct {
	path  *byte // its first frame: another path has another
	steps int
	look  int
	film  timeline.Film
}

// axes returns where on the canvas D of image i is at a place of the timeline,
// and its share of the highest D.
type axes func(i int, pos float64) (x, y float32, d float64)

// line strokes what image i goes through, from one place of the timeline to another.
func (v *View) line(dst *ebiten.Image, at axes, i int, from, to, width float64, c color.RGBA) {
	if to <= from || v.chart.marks == nil {
		return
	}
	lines := v.lines[:0]
	x0, y0, _ := at(i, from)
	for k := math.Floor(from) + 1; k < to+1; k++ {
		x1, y1, _ := at(i, min(k, to))
		if x0 == x1 && y0 == y1 {
			continue
		}
		lines = append(lines, manifold.Stroke{X0: float64(x0), Y0: float64(y0), X1: float64(x1), Y1: float64(y1), Width: width * v.ratio, Color: c})
		if c.A == 255 && width > 2 { // what is seen through would be seen twice here
			lines = append(lines, dot(float64(x1), float64(y1), width*v.ratio/2, c))
		}
		x0, y0 = x1, y1
	}
	v.lines = lines
	v.strokes(dst, Rect{}, lines)
}

// dot is a disc.
func dot(x, y, radius float64, c color.RGBA) manifold.Stroke {
	return manifold.Stroke{X0: x, Y0: y, X1: x, Y1: y, Width: 2 * radius, Color: c}
}

// others draws the lines of images first to before end, but for one, up to a place of the
// timeline.
func (v *View) others(dst *ebiten.Image, at axes, first, end, but int, to float64, c color.RGBA) {
	lines := v.lines[:0]
	for i := first; i < end; i++ {
		if i == but {
			continue
		}
		x0, y0, _ := at(i, 0)
		for k := 1.0; k < to+1; k++ {
			x1, y1, _ := at(i, min(k, to))
			if x0 != x1 || y0 != y1 {
				lines = append(lines, manifold.Stroke{X0: float64(x0), Y0: float64(y0), X1: float64(x1), Y1: float64(y1), Width: v.ratio, Color: c})
			}
			x0, y0 = x1, y1
		}
	}
	v.lines = lines
	v.strokes(dst, Rect{}, lines)
}

func fill(dst *ebiten.Image, r Rect, c color.RGBA) {
	vector.FillRect(dst, float32(r.X), float32(r.Y), float32(r.W), float32(r.H), c, false)
}
