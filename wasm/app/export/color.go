package export

import (
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"

	"mppm/shared/nn"
	"mppm/wasm/app/timeline"
)

// Wide is how large color images become, in pixels of the file in one of theirs.
const Wide = 4

// Color is the album of a path of one image in color, or in gray, at least one step long.
type Color struct {
	Path  *timeline.Trajectory
	Shape nn.Shape // of an image, of 1 or 3 channels
	Step  int      // that is shown
}

// Picture returns the image at the step.
func (a *Color) Picture() image.Image { return a.step(min(a.Step, a.Path.Steps()-1)) }

func (a *Color) step(k int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, a.Shape.W*Wide, a.Shape.H*Wide))
	a.stamp(img, 0, Wide, a.Path.Frame(k, 0))
	return img
}

// Strip returns every step, side by side, as small as they are.
func (a *Color) Strip() image.Image {
	n := a.Path.Steps()
	img := image.NewRGBA(image.Rect(0, 0, n*a.Shape.W+(n-1)*Gap, a.Shape.H))
	for k := range n {
		a.stamp(img, k*(a.Shape.W+Gap), 1, a.Path.Frame(k, 0))
	}
	return img
}

// Frames returns every step in the 256 colors that a GIF has, dithered.
func (a *Color) Frames() []*image.Paletted {
	list := make([]*image.Paletted, a.Path.Steps())
	for k := range list {
		img := a.step(k)
		list[k] = image.NewPaletted(img.Bounds(), palette.Plan9)
		draw.FloydSteinberg.Draw(list[k], img.Bounds(), img, image.Point{})
	}
	return list
}

// stamp draws an image, so many columns from the left.
func (a *Color) stamp(img *image.RGBA, left, scale int, px []byte) {
	s := a.Shape
	for y := range s.H * scale {
		for x := range s.W * scale {
			p := px[(y/scale*s.W+x/scale)*s.C:][:s.C]
			img.SetRGBA(left+x, y, color.RGBA{p[0], p[s.C/2], p[s.C-1], 255})
		}
	}
}
