// Package centertest draws pictures of digits as people bring them: in any hand
// and pen, in uneven light, on ruled paper, with specks, shadows and dark edges.
// Tests read them.
package centertest

import (
	"image"
	"math"

	"mppm/shared/rng"
)

// Digit is ink: how much of it, from 0 to 1, there is at a place in the unit
// square.
type Digit func(u, v float64) float64

// Enlarged is an image of side × side numbers in [0, 1], as squares of one shade.
func Enlarged(x []float32, side int) Digit {
	return func(u, v float64) float64 {
		if u < 0 || v < 0 || u >= 1 || v >= 1 {
			return 0
		}
		return float64(x[int(v*float64(side))*side+int(u*float64(side))])
	}
}

type at struct{ x, y float64 }

// arc returns points on an ellipse from one angle to another, in quarters,
// clockwise from the right.
func arc(cx, cy, rx, ry, from, to float64) []at {
	var out []at
	const n = 12
	for i := range n + 1 {
		t := (from + (to-from)*float64(i)/n) * math.Pi / 2
		out = append(out, at{cx + rx*math.Cos(t), cy + ry*math.Sin(t)})
	}
	return out
}

// hand is how the ten digits are written, as lines in the unit square.
func hand(digit int) [][]at {
	join := func(parts ...[]at) [][]at {
		var all []at
		for _, p := range parts {
			all = append(all, p...)
		}
		return [][]at{all}
	}
	switch digit {
	case 0:
		return join(arc(0.5, 0.5, 0.24, 0.36, 3, 7))
	case 1:
		return [][]at{{{0.54, 0.12}, {0.47, 0.88}}}
	case 2:
		return join(arc(0.47, 0.33, 0.22, 0.2, 2.2, 4.6), []at{{0.24, 0.84}, {0.78, 0.82}})
	case 3:
		return join(arc(0.46, 0.31, 0.22, 0.18, 2.3, 5), arc(0.46, 0.68, 0.25, 0.2, 3.1, 5.7))
	case 4:
		return [][]at{{{0.3, 0.13}, {0.25, 0.55}, {0.76, 0.55}}, {{0.68, 0.14}, {0.63, 0.88}}}
	case 5:
		return join([]at{{0.72, 0.14}, {0.36, 0.15}, {0.32, 0.46}}, arc(0.45, 0.65, 0.26, 0.21, 3, 5.6))
	case 6:
		return join([]at{{0.62, 0.12}, {0.4, 0.36}}, arc(0.5, 0.67, 0.2, 0.2, 2.3, 6.3))
	case 7:
		return [][]at{{{0.22, 0.16}, {0.77, 0.15}, {0.42, 0.88}}}
	case 8:
		return [][]at{arc(0.5, 0.31, 0.18, 0.18, 1, 5), arc(0.5, 0.69, 0.22, 0.2, 3, 7)}
	}
	return join(arc(0.48, 0.33, 0.2, 0.2, 0, 4), []at{{0.68, 0.33}, {0.6, 0.88}})
}

// Written is a digit written with a pen that is width wide, of the square's edge,
// leaning and sized as a hand would, by the random numbers.
func Written(digit int, width float64, r *rng.Source) Digit {
	lines := hand(digit)
	vary := func(by float64) float64 { return float64(by * (2*float64(r.Float32()) - 1)) }
	slant, wide, high := 0.08+vary(0.12), 1+vary(0.12), 1+vary(0.06)
	for _, l := range lines {
		for i, p := range l {
			y := 0.5 + (p.y-0.5)*high
			l[i] = at{0.5 + (p.x-0.5)*wide + slant*(0.5-y) + vary(0.006), y + vary(0.006)}
		}
	}
	return func(u, v float64) float64 {
		if u < -0.2 || v < -0.2 || u > 1.2 || v > 1.2 {
			return 0
		}
		near := math.Inf(1)
		for _, l := range lines {
			for i := 1; i < len(l); i++ {
				dx, dy := l[i].x-l[i-1].x, l[i].y-l[i-1].y
				t := 0.0
				if n := dx*dx + dy*dy; n > 0 {
					t = min(max(((u-l[i-1].x)*dx+(v-l[i-1].y)*dy)/n, 0), 1)
				}
				near = min(near, math.Hypot(u-l[i-1].x-t*dx, v-l[i-1].y-t*dy))
			}
		}
		const soft = 0.004 // the rim of ink
		return min(max((width/2-near)/soft+0.5, 0), 1)
	}
}

// Scene is a picture of a digit.
type Scene struct {
	Name string

	W, H       int     // pixels
	Size, X, Y float64 // the digit's square: its edge and corner, in shares of the shorter edge, and of what is left
	Turn       float64 // clockwise, in degrees

	Paper, Pen float64 // what they reflect
	Light      Light   // nil: even
	Every      float64 // the distance of ruled lines, in shares of the shorter edge; 0: none
	Squared    bool    // along both directions
	Thick      float64 // of the lines, in pixels
	Shade      float64 // what they reflect
	Tilt       float64 // of the lines, in degrees
	Specks     int     // with an edge of 1 to 4 pixels
	Frame      [4]int  // black to the left, above, to the right, below, in pixels
	Grain      float64 // the deviation of every pixel
	Blur       int     // the radius of a box
}

// Light is how much of it falls on a place of the unit square.
type Light func(u, v float64) float64

// Slope is light that falls off from one corner to the one across.
func Slope(from, to float64) Light {
	return func(u, v float64) float64 { return from + (to-from)*(u+v)/2 }
}

// Side is light that falls off from one side to the other.
func Side(from, to float64) Light {
	return func(u, _ float64) float64 { return from + (to-from)*u }
}

// Vignette is light that falls off from the middle to the corners, by the square
// of the distance, to no less than least.
func Vignette(by, least float64) Light {
	return func(u, v float64) float64 {
		return max(1-by*((u-0.5)*(u-0.5)+(v-0.5)*(v-0.5))*4, least)
	}
}

// Shadow is a hard shadow beyond a slanted line.
func Shadow(at, lean, dark, soft float64) Light {
	return func(u, v float64) float64 {
		t := min(max((u+lean*v-at)/soft+0.5, 0), 1)
		return 1 - (1-dark)*t
	}
}

// Draw makes the picture. The same random numbers make the same.
func (s Scene) Draw(d Digit, r *rng.Source) *image.Gray {
	short := float64(min(s.W, s.H))
	edge := s.Size * short
	x0, y0 := s.X*(float64(s.W)-edge), s.Y*(float64(s.H)-edge)
	sin, cos := math.Sincos(s.Turn * math.Pi / 180)
	tilt := math.Tan(s.Tilt * math.Pi / 180)
	v := make([]float64, s.W*s.H)
	for i := range v {
		x, y := float64(i%s.W)+0.5, float64(i/s.W)+0.5
		a, b := (x-x0)/edge-0.5, (y-y0)/edge-0.5
		ink := d(0.5+a*cos+b*sin, 0.5-a*sin+b*cos)
		shade := s.Paper
		if s.Every > 0 {
			every := s.Every * short
			on := func(t float64) float64 {
				off := math.Abs(math.Mod(t+1000*every, every) - every/2)
				return min(max((s.Thick-2*off)/2+0.5, 0), 1)
			}
			line := on(y - tilt*x)
			if s.Squared {
				line = max(line, on(x+tilt*y))
			}
			shade += (s.Shade - shade) * line
		}
		shade += (s.Pen - shade) * ink
		if s.Light != nil {
			shade *= s.Light(x/float64(s.W), y/float64(s.H))
		}
		v[i] = shade
	}
	for range s.Specks {
		n := 1 + int(4*r.Float32())
		x, y := int(r.Float32()*float32(s.W-n)), int(r.Float32()*float32(s.H-n))
		for k := range n * n {
			v[(y+k/n)*s.W+x+k%n] = s.Pen
		}
	}
	for i := range v {
		x, y := i%s.W, i/s.W
		if x < s.Frame[0] || y < s.Frame[1] || x >= s.W-s.Frame[2] || y >= s.H-s.Frame[3] {
			v[i] = 0.03
		}
	}
	v = blurred(v, s.W, s.H, s.Blur)
	noise := make([]float32, len(v))
	if s.Grain > 0 {
		r.FillNorm(noise, float32(s.Grain))
	}
	img := image.NewGray(image.Rect(0, 0, s.W, s.H))
	for i := range v {
		img.Pix[i] = byte(min(max(v[i]+float64(noise[i]), 0), 1)*255 + 0.5)
	}
	return img
}

func blurred(v []float64, w, h, r int) []float64 {
	if r == 0 {
		return v
	}
	out := make([]float64, len(v))
	for i := range v {
		x, y, n := i%w, i/w, 0.0
		for b := max(y-r, 0); b <= min(y+r, h-1); b++ {
			for a := max(x-r, 0); a <= min(x+r, w-1); a++ {
				out[i] += v[b*w+a]
				n++
			}
		}
		out[i] /= n
	}
	return out
}

// Scenes are the kinds of pictures that digits are looked for in.
func Scenes() []Scene {
	plain := Scene{W: 400, H: 400, Size: 0.7, X: 0.5, Y: 0.5, Paper: 0.95, Pen: 0.1}
	of := func(name string, change func(*Scene)) Scene {
		s := plain
		s.Name = name
		change(&s)
		return s
	}
	return []Scene{
		of("plain", func(s *Scene) {}),
		of("filling the picture", func(s *Scene) { s.Size = 1.2 }),
		of("small, in a corner", func(s *Scene) { s.Size, s.X, s.Y = 0.3, 0.1, 0.85 }),
		of("wide", func(s *Scene) { s.W, s.H = 800, 300 }),
		of("large", func(s *Scene) { s.W, s.H = 1000, 750 }),
		of("100 pixels", func(s *Scene) { s.W, s.H = 100, 100 }),
		of("pencil on gray", func(s *Scene) { s.Paper, s.Pen = 0.7, 0.5 }),
		of("chalk", func(s *Scene) { s.Paper, s.Pen, s.Grain = 0.2, 0.8, 0.02 }),
		of("white on black", func(s *Scene) { s.Paper, s.Pen = 0, 1 }),
		of("turned a little", func(s *Scene) { s.Turn = 8 }),
		of("mild slope", func(s *Scene) { s.Light = Slope(0.62, 1) }),
		of("steep slope", func(s *Scene) { s.Light = Slope(0.25, 1) }),
		of("lamp at one side", func(s *Scene) { s.Light, s.Grain = Side(1, 0.3), 0.015 }),
		of("vignette", func(s *Scene) { s.Light, s.Grain = Vignette(1, 0.16), 0.01 }),
		of("mild vignette", func(s *Scene) { s.Light, s.Grain = Vignette(0.45, 0.1), 0.02 }),
		of("shadow", func(s *Scene) { s.Light = Shadow(0.75, 0.3, 0.5, 0.02) }),
		of("shadow over the digit", func(s *Scene) { s.Light = Shadow(0.6, 0.1, 0.45, 0.15) }),
		of("ruled", func(s *Scene) { s.Every, s.Thick, s.Shade = 0.1, 1.5, 0.65 }),
		of("ruled, dark and thick", func(s *Scene) { s.Every, s.Thick, s.Shade = 0.13, 3, 0.35 }),
		of("ruled, tilted", func(s *Scene) { s.Every, s.Thick, s.Shade, s.Tilt = 0.1, 2, 0.55, 4 }),
		of("ruled, photographed", func(s *Scene) {
			s.W, s.H, s.Every, s.Thick, s.Shade, s.Tilt, s.Light, s.Grain, s.Blur = 900, 700, 0.08, 3, 0.6, -2, Side(1, 0.5), 0.02, 1
		}),
		of("squared", func(s *Scene) { s.Every, s.Thick, s.Shade, s.Squared = 0.06, 1.5, 0.7, true }),
		of("squared, dark, tilted", func(s *Scene) { s.Every, s.Thick, s.Shade, s.Squared, s.Tilt = 0.1, 2, 0.45, true, 2 }),
		of("specks", func(s *Scene) { s.Specks = 60 }),
		of("many specks and grain", func(s *Scene) { s.Specks, s.Grain = 250, 0.03 }),
		of("frame", func(s *Scene) { s.Frame = [4]int{12, 12, 12, 12} }),
		of("thick frame", func(s *Scene) { s.Frame, s.Size = [4]int{45, 40, 45, 40}, 0.6 }),
		of("two dark edges", func(s *Scene) { s.Frame = [4]int{25, 0, 0, 14} }),
		of("one dark edge, specks, slope", func(s *Scene) { s.Frame, s.Specks, s.Light = [4]int{0, 18, 0, 0}, 40, Slope(0.6, 1) }),
		of("blurred and grainy", func(s *Scene) { s.Blur, s.Grain = 3, 0.04 }),
		of("as small as its image, steep slope", func(s *Scene) { s.W, s.H, s.Size, s.Light = 28, 28, 0.8, Slope(0.3, 1) }),
		of("56 pixels, vignette", func(s *Scene) { s.W, s.H, s.Light = 56, 56, Vignette(0.6, 0.2) }),
		of("almost dark in a corner", func(s *Scene) { s.Light = Slope(0.1, 1) }),
		of("small, on a slope", func(s *Scene) {
			s.W, s.H, s.Size, s.X, s.Y, s.Light, s.Grain = 800, 600, 0.2, 0.2, 0.8, Slope(0.4, 1), 0.015
		}),
		of("pencil on ruled paper", func(s *Scene) { s.Pen, s.Every, s.Thick, s.Shade = 0.6, 0.1, 1.5, 0.75 }),
		of("chalk, vignette", func(s *Scene) { s.Paper, s.Pen, s.Light, s.Grain = 0.25, 0.8, Vignette(0.7, 0.2), 0.015 }),
		of("chalk, squared", func(s *Scene) { s.Paper, s.Pen, s.Every, s.Thick, s.Shade, s.Squared = 0.15, 0.9, 0.1, 2, 0.5, true }),
		of("finely squared, tilted, slope", func(s *Scene) {
			s.Every, s.Thick, s.Shade, s.Squared, s.Tilt, s.Light = 0.04, 1, 0.6, true, 3, Slope(0.5, 1)
		}),
		of("a sheet on a table", func(s *Scene) {
			s.W, s.H, s.Size = 600, 450, 0.45
			s.Light = func(u, v float64) float64 {
				sin, cos := math.Sincos(0.15)
				a, b := (u-0.5)*4/3, v-0.5
				if math.Abs(a*cos-b*sin) > 0.42 || math.Abs(a*sin+b*cos) > 0.38 {
					return 0.25
				}
				return 1
			}
		}),
		of("all of it", func(s *Scene) {
			s.Every, s.Thick, s.Shade, s.Specks, s.Light, s.Grain = 0.1, 1.5, 0.6, 40, Slope(0.5, 1), 0.015
		}),
	}
}
