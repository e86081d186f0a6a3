package embedding

import (
	"math"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/run"
)

// Views says how differently one picture is seen, each by chance; half of the views are
// mirrored. Zero leaves pictures as they are, but for that.
type Views struct {
	Crop  float64 `json:"crop"`  // at most this share of the side is cut off
	Color float64 `json:"color"` // brightness and contrast of each channel change by at most this share
	Noise float64 `json:"noise"` // deviation of Gaussian noise, at most
	Blur  float64 `json:"blur"`  // share of the views that are blurred, over three pixels
	Erase float64 `json:"erase"` // side of a rectangle of one color, as a share of the picture's, at most; half of the views have one
}

// MaxCrop bounds Views.Crop: something has to be left.
const MaxCrop = 0.9

// Validate returns an error that says which setting is out of range.
func (v Views) Validate() error {
	for _, s := range []struct {
		what  string
		value float64
	}{
		{"what is cut off, by 0.9,", v.Crop / MaxCrop}, {"the change of colors", v.Color}, {"the noise of views", v.Noise},
		{"the share of blurred views", v.Blur}, {"the side of what is erased", v.Erase},
	} {
		if err := run.Share(s.what, s.value); err != nil {
			return err
		}
	}
	return nil
}

// apply writes to dst a view of src, a picture of that shape in [0, 1]. How much is drawn
// from r does not depend on the picture.
func (v Views) apply(dst, src []float32, image nn.Shape, r *rng.Source) {
	w, h, c := image.W, image.H, image.C
	share := 1 - v.Crop*r.Float64()
	left, top := r.Float64()*(1-share)*float64(w-1), r.Float64()*(1-share)*float64(h-1)
	mirrored := r.Float64() < 0.5
	gain, shift := make([]float32, c), make([]float32, c)
	contrast, bright := either(r, v.Color), either(r, v.Color)
	for k := range c {
		gain[k] = float32(1 + contrast + either(r, v.Color)/2)
		shift[k] = float32((bright + either(r, v.Color)/2) / 2)
	}
	for y := range h {
		sy := top + share*float64(y)
		for x := range w {
			sx := left + share*float64(x)
			if mirrored {
				sx = float64(w-1) - sx
			}
			x0, y0 := int(sx), int(sy)
			x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
			fx, fy := float32(sx-float64(x0)), float32(sy-float64(y0))
			for k := range c {
				at := func(x, y int) float32 { return src[(y*w+x)*c+k] }
				value := (1-fy)*((1-fx)*at(x0, y0)+fx*at(x1, y0)) + fy*((1-fx)*at(x0, y1)+fx*at(x1, y1))
				dst[(y*w+x)*c+k] = (value-0.5)*gain[k] + 0.5 + shift[k]
			}
		}
	}
	if r.Float64() < v.Blur {
		blur(dst, image)
	}
	if deviation := v.Noise * r.Float64(); v.Noise > 0 {
		for i := range dst[:image.Size()] {
			dst[i] += float32(deviation * r.Norm())
		}
	}
	v.erase(dst, image, r)
	for i, x := range dst[:image.Size()] {
		dst[i] = min(max(x, 0), 1)
	}
}

// either returns a number from −most to most.
func either(r *rng.Source, most float64) float64 { return most * (2*r.Float64() - 1) }

// erase fills a rectangle with one color, in half of the cases.
func (v Views) erase(dst []float32, image nn.Shape, r *rng.Source) {
	w := int(math.Round(v.Erase * r.Float64() * float64(image.W)))
	h := int(math.Round(v.Erase * r.Float64() * float64(image.H)))
	left, top := int(r.Float64()*float64(image.W-w+1)), int(r.Float64()*float64(image.H-h+1))
	var color [3]float32
	for k := range color {
		color[k] = float32(r.Float64())
	}
	if r.Float64() < 0.5 {
		return
	}
	for y := top; y < top+h; y++ {
		for x := left; x < left+w; x++ {
			copy(dst[(y*image.W+x)*image.C:][:image.C], color[:])
		}
	}
}

// blur weighs each pixel with its neighbors, ¼, ½, ¼ along rows and columns.
func blur(img []float32, image nn.Shape) {
	line := func(first, step, n int) {
		before := img[first]
		for i := range n {
			at := first + i*step
			here := img[at]
			after := img[first+min(i+1, n-1)*step]
			img[at] = before/4 + here/2 + after/4
			before = here
		}
	}
	for k := range image.C {
		for y := range image.H {
			line(y*image.W*image.C+k, image.C, image.W)
		}
		for x := range image.W {
			line(x*image.C+k, image.W*image.C, image.H)
		}
	}
}
