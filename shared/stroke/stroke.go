// Package stroke turns the strokes of a pen into an image like those of MNIST,
// and packs them into letters that an address may hold.
//
// Products are rounded by explicit conversions, so that a drawing gives the same
// image on every platform.
package stroke

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
)

// The frame of MNIST's images, in pixels.
const (
	Side   = 28                 // edges of an image
	Frame  = 20                 // edges of the square that the box around the ink is scaled to
	margin = (Side - Frame) / 2 // what is left beside it
)

// Grain is what places and widths are packed as multiples of, in pixels.
const Grain = 1.0 / 16

// MaxPoints bounds a drawing.
const MaxPoints = 20_000

// MaxWidth bounds the diameter of the ink, in pixels.
const MaxWidth = 7.5

const (
	version  = 1            // the first byte of a packed drawing
	farthest = 1000 / Grain // bound of its places, in grains
	maxZoom  = 4            // keeps a dot a dot
	soft     = 1.3          // width of a stroke's edge, in pixels, from full ink to none
)

// Point is a place of the pen, in pixels of the 28 × 28 image, and the diameter
// of its ink there.
type Point struct{ X, Y, Width float64 }

// Encode packs a drawing: for each stroke the number of its points, and each
// point's distance from the one before in grains. An ordinary digit takes a few
// hundred letters.
func Encode(strokes [][]Point) string {
	b := []byte{version}
	var at [3]int64
	for _, s := range strokes {
		b = binary.AppendUvarint(b, uint64(len(s)))
		for _, p := range s {
			for i, v := range [3]float64{p.X, p.Y, p.Width} {
				g := int64(math.Round(v / Grain))
				b = binary.AppendVarint(b, g-at[i])
				at[i] = g
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode reads what Encode wrote. It returns an error for anything else.
func Decode(text string) ([][]Point, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != version {
		return nil, errors.New("this is not a drawing")
	}
	b = b[1:]
	broken := errors.New("the drawing is broken off, or changed")
	var strokes [][]Point
	var at [3]int64
	total := uint64(0)
	for len(b) > 0 {
		n, used := binary.Uvarint(b)
		// A point takes three bytes or more.
		if used <= 0 || n == 0 || n > uint64(len(b)) || total+n > MaxPoints {
			return nil, broken
		}
		b, total = b[used:], total+n
		s := make([]Point, 0, n)
		for range n {
			for i := range at {
				d, used := binary.Varint(b)
				if used <= 0 || d < -2*farthest || d > 2*farthest {
					return nil, broken
				}
				b = b[used:]
				at[i] += d
			}
			p := Point{float64(at[0]) * Grain, float64(at[1]) * Grain, float64(at[2]) * Grain}
			if !(p.Width > 0 && p.Width <= MaxWidth) || max(math.Abs(p.X), math.Abs(p.Y)) > farthest*Grain {
				return nil, broken
			}
			s = append(s, p)
		}
		strokes = append(strokes, s)
	}
	return strokes, nil
}

// Placing moves strokes: places are scaled by Zoom, then shifted; widths stay.
// The zero Placing leaves them where they are.
type Placing struct{ Zoom, DX, DY float64 }

// Scale returns by how much places are scaled.
func (v Placing) Scale() float64 {
	if v.Zoom == 0 {
		return 1
	}
	return v.Zoom
}

// Point returns where p comes.
func (v Placing) Point(p Point) Point {
	return Point{float64(p.X*v.Scale()) + v.DX, float64(p.Y*v.Scale()) + v.DY, p.Width}
}

// Back returns the point that comes to (x, y), its place and its width (> 0) on
// the grain, so that a packed drawing holds it exactly.
func (v Placing) Back(x, y, width float64) Point {
	g := func(v float64) float64 { return math.Round(v/Grain) * Grain }
	return Point{g((x - v.DX) / v.Scale()), g((y - v.DY) / v.Scale()), max(g(width), Grain)}
}

// Draw inks the segment from a to b, where v places it, on dst (Side × Side):
// each pixel by the distance of its center from the segment. Ink over ink does
// not add.
func (v Placing) Draw(dst []float32, a, b Point) { v.DrawAt(dst, Side, a, b) }

// DrawAt is Draw on an image of side × side pixels: the drawing is scaled to it, and the
// pen with it; the edge of the ink is as soft as ever, in pixels.
func (v Placing) DrawAt(dst []float32, side int, a, b Point) {
	a, b = v.Point(a), v.Point(b)
	if side != Side {
		a, b = a.times(float64(side)/Side), b.times(float64(side)/Side)
	}
	reach := max(a.Width, b.Width)/2 + soft
	x0, x1 := span(side, min(a.X, b.X)-reach, max(a.X, b.X)+reach)
	y0, y1 := span(side, min(a.Y, b.Y)-reach, max(a.Y, b.Y)+reach)
	dx, dy := b.X-a.X, b.Y-a.Y
	length := float64(dx*dx) + float64(dy*dy)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			px, py := float64(x)+0.5-a.X, float64(y)+0.5-a.Y
			t := 0.0
			if length > 0 {
				t = min(max((float64(px*dx)+float64(py*dy))/length, 0), 1)
			}
			radius := (a.Width + float64((b.Width-a.Width)*t)) / 2
			ox, oy := px-float64(t*dx), py-float64(t*dy)
			ink := (radius-math.Sqrt(float64(ox*ox)+float64(oy*oy)))/soft + 0.5
			at := &dst[y*side+x]
			*at = max(*at, float32(min(max(ink, 0), 1)))
		}
	}
}

// DrawAll inks all strokes.
func (v Placing) DrawAll(dst []float32, strokes [][]Point) {
	for _, s := range strokes {
		for i, p := range s {
			v.Draw(dst, s[max(i-1, 0)], p)
		}
	}
}

// box returns the box around the ink.
func (v Placing) box(strokes [][]Point) (x, y, w, h float64) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range strokes {
		for _, p := range s {
			p = v.Point(p)
			r := (p.Width + soft) / 2
			x0, y0, x1, y1 = min(x0, p.X-r), min(y0, p.Y-r), max(x1, p.X+r), max(y1, p.Y+r)
		}
	}
	return x0, y0, x1 - x0, y1 - y0
}

// span returns the pixels from lo to hi that are on an image of such edges.
func span(side int, lo, hi float64) (from, to int) {
	return int(max(math.Floor(lo), 0)), int(min(math.Ceil(hi), float64(side)))
}

func (p Point) times(scale float64) Point {
	return Point{float64(p.X * scale), float64(p.Y * scale), float64(p.Width * scale)}
}

// Center writes to dst (Side × Side, in [0, 1]) the drawing as MNIST's digits
// were made of scans: the box around the ink is scaled, keeping its aspect, to
// fit Frame, and moved by whole pixels so that the center of mass of the ink is
// in the middle. The pen's width is not scaled: it is that of the image's ink.
// It returns where the strokes came; without any, dst is black.
func Center(dst []float32, strokes [][]Point) Placing {
	clear(dst)
	if len(strokes) == 0 {
		return Placing{}
	}
	// The longer edge of the box grows with the zoom, if not in proportion: pens
	// of various widths rule out a formula, halving does not care.
	var at Placing
	lo, hi := 0.0, float64(maxZoom)
	for hi-lo > 1e-4 {
		at.Zoom = (lo + hi) / 2
		if _, _, w, h := at.box(strokes); max(w, h) <= Frame {
			lo = at.Zoom
		} else {
			hi = at.Zoom
		}
	}
	at.Zoom = lo
	x, y, w, h := at.box(strokes)
	at.DX, at.DY = Side/2-w/2-x, Side/2-h/2-y
	at.DrawAll(dst, strokes)
	var mass, mx, my float64
	for i, v := range dst {
		mass += float64(v)
		mx += float64(float64(v) * (float64(i%Side) + 0.5))
		my += float64(float64(v) * (float64(i/Side) + 0.5))
	}
	if mass == 0 {
		return at
	}
	// No further than the ink stays whole.
	sx := min(max(math.Round(Side/2-mx/mass), -margin), margin)
	sy := min(max(math.Round(Side/2-my/mass), -margin), margin)
	if sx != 0 || sy != 0 {
		at.DX, at.DY = at.DX+sx, at.DY+sy
		clear(dst)
		at.DrawAll(dst, strokes)
	}
	return at
}
