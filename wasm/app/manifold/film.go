package manifold

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"

	"mppm/shared/ambient"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/export/encode"
	"mppm/wasm/app/palette"
)

const (
	// mostFrames bounds the frames of a film: a GIF of them has some hundred kilobytes.
	mostFrames = 24
	// firstFrames are all kept: at first the most is learnt.
	firstFrames = 8
)

// film is what was learnt: at first, and then at even intervals of the training.
type film struct {
	frames [][]byte // weights
	every  int      // report that is kept
	n      int
}

// add keeps a report's weights, if it is their turn.
func (f *film) add(weights []byte) {
	f.every = max(f.every, 1)
	if f.n++; f.n > firstFrames && (f.n-firstFrames)%f.every != 0 {
		return
	}
	if f.frames = append(f.frames, weights); len(f.frames) < mostFrames {
		return
	}
	kept := f.frames[:firstFrames]
	for i := firstFrames + 1; i < mostFrames; i += 2 {
		kept = append(kept, f.frames[i])
	}
	f.frames = kept
	f.every *= 2
}

// end has the film end with the last weights.
func (f *film) end(weights []byte) {
	if n := len(f.frames); n > 0 && len(weights) > 0 && &f.frames[n-1][0] != &weights[0] {
		f.frames = append(f.frames, weights)
	}
}

// reel is a film that is drawn.
type reel struct {
	r       *Room
	sheet   *Sheet
	curves  []*curve.Curve
	palette *palette.Palette
}

// ExportTraining returns the film of the training of the sheet that is shown as a GIF:
// what was drawn, its points, the line that is learnt, and D around it.
func (r *Room) ExportTraining(p *palette.Palette) (encode.File, error) {
	if !r.Filmed() {
		return encode.File{}, errors.New("there is no film yet: train first")
	}
	f := &reel{r: r, sheet: r.sheet, palette: p}
	for _, b := range r.sheet.film.frames {
		m, err := ambient.Load(b)
		if err != nil {
			return encode.File{}, fmt.Errorf("the film cannot be shown: %w", err)
		}
		f.curves = append(f.curves, curve.New(m))
	}
	return encode.Animation(f, "mppm-training")
}

// Sizes of the film, in pixels, and how many colors of the slice it has: as many as keep
// its file small.
const (
	filmWide   = 440
	filmHigh   = 330
	filmSlices = 16
	filmColors = 56
)

// Frames returns a picture of each of the film's weights, in the colors of the last. What
// is as in the picture before is transparent, and takes hardly any room in a file.
func (f *reel) Frames() []*image.Paletted {
	list := make([]*image.Paletted, len(f.curves))
	colors := shades(f.paint(f.curves[len(list)-1]), f.palette, filmSlices)
	colors = append(colors[:min(len(colors), filmColors-1)], color.RGBA{})
	same := uint8(len(colors) - 1)
	var was []uint8
	for i, c := range f.curves {
		list[i] = f.paint(c).reduced(colors)
		now := slices.Clone(list[i].Pix)
		for k, v := range was {
			if v == now[k] {
				list[i].Pix[k] = same
			}
		}
		was = now
	}
	return list
}

// paint draws what a curve of the film has learnt.
func (f *reel) paint(c *curve.Curve) raster {
	s := f.sheet.seenWith(&c.Shape)
	d := pencil{Eye: f.r.eye(s, filmWide, filmHigh), unit: 1, p: f.palette}
	of := f.r.wanted()
	of.aspect = float64(filmWide) / filmHigh
	m := newSlice(of)
	m.D = make([]float32, m.W*m.H)
	c.Distance(m.D, m.places(d.Eye, c.Dim))
	flat := f.r.s.Figure.Flat()
	if !flat {
		d.box(s)
	}
	d.own(f.sheet, f.r.Task().Points, s, func(near float64) bool { return !flat && near < 0 })
	behind := d.strokes
	d.strokes = nil
	d.own(f.sheet, f.r.Task().Points, s, func(near float64) bool { return flat || near >= 0 })
	r := blank(filmWide, filmHigh, f.palette)
	for _, k := range behind {
		r.stroke(k)
	}
	r.slice(m, f.r.Highest(), f.palette)
	for _, k := range d.strokes {
		r.stroke(k)
	}
	return r
}
