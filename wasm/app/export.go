package app

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"time"

	"mppm/shared/latent"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// Export is a file that the page gives to the user.
type Export struct {
	Name string
	Type string // MIME
	Data []byte
}

// Exporting: how large digits become, in pixels of the file in one of the
// image.
const (
	exportLarge = 16 // one digit
	exportSmall = 4  // many
	exportGap   = 6  // pixels of the file between digits
)

// ExportPicture returns what is shown now as a PNG: the digit, the grid, or the
// figure of Manifold.
func (a *App) ExportPicture(p *palette.Palette) (Export, error) {
	if a.Mode == Manifold {
		return a.exportFigure(p)
	}
	return a.png("picture", p, func(t *timeline.Trajectory, step int) *image.Paletted {
		return a.sheet(t, step, p)
	})
}

// ExportStrip returns every step of the digit that is shown, side by side, as a
// PNG.
func (a *App) ExportStrip(p *palette.Palette) (Export, error) {
	if a.Mode == Manifold {
		return a.exportFigureStrip(p)
	}
	return a.png("strip", p, func(t *timeline.Trajectory, _ int) *image.Paletted {
		img := blank(t.Steps(), 1, exportSmall, p)
		for k := range t.Steps() {
			stamp(img, k, 0, exportSmall, t.Frame(k, a.Shown()))
		}
		return img
	})
}

func (a *App) png(what string, p *palette.Palette, draw func(t *timeline.Trajectory, step int) *image.Paletted) (Export, error) {
	t, step, err := a.exportable()
	if err != nil {
		return Export{}, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, draw(t, step)); err != nil {
		return Export{}, fmt.Errorf("the %s cannot be written: %w", what, err)
	}
	return Export{Name: a.exportName(what) + ".png", Type: "image/png", Data: b.Bytes()}, nil
}

// ExportAnimation returns every step of what is shown as a GIF, which has just as
// many colors as digits have shades: of digits nothing is lost.
func (a *App) ExportAnimation(p *palette.Palette) (Export, error) {
	if a.Mode == Manifold {
		return a.exportFigureAnimation(p)
	}
	t, _, err := a.exportable()
	if err != nil {
		return Export{}, err
	}
	g := &gif.GIF{}
	const unit = 10 * time.Millisecond
	for k := range t.Steps() {
		delay := timeline.Beat
		if k == 0 || k == t.Steps()-1 {
			delay = 4 * timeline.Hold
		}
		g.Image = append(g.Image, a.sheet(t, k, p))
		g.Delay = append(g.Delay, int(delay/unit))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		return Export{}, fmt.Errorf("the animation cannot be written: %w", err)
	}
	return Export{Name: a.exportName("animation") + ".gif", Type: "image/gif", Data: b.Bytes()}, nil
}

// exportable returns the path that is shown, and the step.
func (a *App) exportable() (*timeline.Trajectory, int, error) {
	t := a.Path()
	if t.Steps() == 0 || a.Shown() >= t.N {
		return nil, 0, errors.New("there is no picture yet")
	}
	return t, min(a.Head().Step(), t.Steps()-1), nil
}

func (a *App) exportName(what string) string {
	name := fmt.Sprintf("mppm-%s-%s", a.Subject(), what)
	if what == "picture" {
		name += fmt.Sprintf("-step-%d", a.Head().Step())
	}
	return name
}

// sheet draws a step of a path: one digit large, or all of them.
func (a *App) sheet(t *timeline.Trajectory, step int, p *palette.Palette) *image.Paletted {
	if t.N == 1 {
		img := blank(1, 1, exportLarge, p)
		stamp(img, 0, 0, exportLarge, t.Frame(step, 0))
		return img
	}
	n := a.Grid
	img := blank(n, (t.N+n-1)/n, exportSmall, p)
	for i := range t.N {
		stamp(img, i%n, i/n, exportSmall, t.Frame(step, i))
	}
	return img
}

// blank returns an empty sheet for so many digits, in the shades from ground to
// ink.
func blank(columns, rows, scale int, p *palette.Palette) *image.Paletted {
	shades := make(color.Palette, 256)
	for i, c := range p.Ramp() {
		shades[i] = color.RGBA{c[0], c[1], c[2], c[3]}
	}
	edge := func(n int) int { return n*latent.Side*scale + (n-1)*exportGap }
	return image.NewPaletted(image.Rect(0, 0, edge(columns), edge(rows)), shades)
}

// stamp draws a digit into a cell of a sheet.
func stamp(img *image.Paletted, column, row, scale int, ink []byte) {
	side := latent.Side * scale
	x0, y0 := column*(side+exportGap), row*(side+exportGap)
	for y := range side {
		line := img.Pix[(y0+y)*img.Stride+x0:]
		for x := range side {
			line[x] = ink[y/scale*latent.Side+x/scale]
		}
	}
}
