//go:build js && wasm

package view

import (
	"bytes"
	"image"

	"github.com/hajimehoshi/ebiten/v2"

	"mppm/wasm/app/timeline"
)

// sheet is the digits of the grid on the graphics card, side by side in one picture: to
// send a hundred takes many times as long.
type sheet struct {
	image  *ebiten.Image
	cells  []*ebiten.Image // of the picture, a digit each
	ink    []byte          // what is there, one digit after the other
	pixels []byte          // of the picture
	look   int             // its colors
}

// draw draws the n × n digits of a flow as they are at a place of the timeline, with sharp
// pixels, each over its cell.
func (s *sheet) draw(v *View, dst *ebiten.Image, p *timeline.Trajectory, n int, pos float64, cell func(i int) Rect) {
	w, h := v.shape.W, v.shape.H
	size := len(v.ink)
	fresh := s.look != v.look
	if len(s.cells) != p.N {
		if s.image != nil {
			s.image.Deallocate()
		}
		s.image, s.ink, s.pixels = ebiten.NewImage(n*w, n*h), make([]byte, p.N*size), make([]byte, 4*n*w*n*h)
		s.cells, fresh = nil, true
		for i := range p.N {
			x, y := i%n*w, i/n*h
			s.cells = append(s.cells, s.image.SubImage(image.Rect(x, y, x+w, y+h)).(*ebiten.Image))
		}
	}
	s.look = v.look
	changed := false
	for i := range p.N {
		p.At(v.ink, i, pos)
		there := s.ink[i*size : (i+1)*size]
		if !fresh && bytes.Equal(there, v.ink) {
			continue
		}
		changed = true
		copy(there, v.ink)
		for row := range h {
			to := s.pixels[4*((i/n*h+row)*n*w+i%n*w):]
			for k, b := range there[row*w : (row+1)*w] {
				copy(to[4*k:], v.ramp[b][:])
			}
		}
	}
	if changed {
		s.image.WritePixels(s.pixels)
	}
	for i, c := range s.cells {
		r := cell(i)
		o := ebiten.DrawImageOptions{Filter: ebiten.FilterPixelated}
		o.GeoM.Scale(r.W/float64(w), r.H/float64(h))
		o.GeoM.Translate(r.X, r.Y)
		dst.DrawImage(c, &o)
	}
}
