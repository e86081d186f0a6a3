package export

import (
	"image"
	"image/color"

	"mppm/shared/nn"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// How large images become, in pixels of the file in one of theirs.
const (
	Large = 16 // one
	Small = 4  // many
)

// Images is the album of a path of images, at least one step long. In its shades
// from ground to ink nothing of them is lost.
type Images struct {
	Path    *timeline.Trajectory
	Shape   nn.Shape // of an image
	Shown   int      // the image that the strip is of, below Path.N
	Step    int      // that is shown
	Columns int      // of the sheet, where there are several images
	Palette *palette.Palette
}

// Picture returns the image at the step, or the sheet of all.
func (a *Images) Picture() image.Image { return a.sheet(min(a.Step, a.Path.Steps()-1)) }

// Strip returns one image at every step.
func (a *Images) Strip() image.Image {
	img := a.blank(a.Path.Steps(), 1, Small)
	for k := range a.Path.Steps() {
		a.stamp(img, k, 0, Small, a.Path.Frame(k, a.Shown))
	}
	return img
}

// Frames returns the image, or the sheet of all, at every step.
func (a *Images) Frames() []*image.Paletted {
	list := make([]*image.Paletted, a.Path.Steps())
	for k := range list {
		list[k] = a.sheet(k)
	}
	return list
}

// sheet draws a step: one image large, or all of them.
func (a *Images) sheet(step int) *image.Paletted {
	t, n := a.Path, a.Columns
	if t.N == 1 {
		img := a.blank(1, 1, Large)
		a.stamp(img, 0, 0, Large, t.Frame(step, 0))
		return img
	}
	img := a.blank(n, (t.N+n-1)/n, Small)
	for i := range t.N {
		a.stamp(img, i%n, i/n, Small, t.Frame(step, i))
	}
	return img
}

// blank returns an empty sheet for so many images.
func (a *Images) blank(columns, rows, scale int) *image.Paletted {
	shades := make(color.Palette, 256)
	for i, c := range a.Palette.Ramp() {
		shades[i] = color.RGBA{c[0], c[1], c[2], c[3]}
	}
	edge := func(n, pixels int) int { return n*pixels*scale + (n-1)*Gap }
	return image.NewPaletted(image.Rect(0, 0, edge(columns, a.Shape.W), edge(rows, a.Shape.H)), shades)
}

// stamp draws an image into a cell of a sheet.
func (a *Images) stamp(img *image.Paletted, column, row, scale int, ink []byte) {
	w, h := a.Shape.W*scale, a.Shape.H*scale
	x0, y0 := column*(w+Gap), row*(h+Gap)
	for y := range h {
		line := img.Pix[(y0+y)*img.Stride+x0:]
		for x := range w {
			line[x] = ink[y/scale*a.Shape.W+x/scale]
		}
	}
}
