// Package spoil damages images in training. None of it is of package degrade, with which
// models are judged: what is drawn here, and how, is its own.
package spoil

import (
	"fmt"
	"math"

	"mppm/shared/nn"
	"mppm/shared/rng"
)

// Kind is what images in training are damaged with.
type Kind string

// The kinds.
const (
	// White is Gaussian noise, the same at every pixel: all that the paper's models see.
	White Kind = "white"
	// Fields is White and, in half of the images, Gaussian noise that is correlated from
	// pixel to pixel, strong in some places and absent in others.
	Fields Kind = "fields"
	// Broad is Fields and what people do to pictures: rectangles, strokes, sharpening, low
	// resolution. A picture is damaged in one way or in two.
	Broad Kind = "broad"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{White, Fields, Broad} }

// Spoiler damages images of one shape. It is not safe for concurrent use.
type Spoiler struct {
	kind  Kind
	image nn.Shape
	sigma float64 // White noise has σ ~ U(0, sigma)
	field []float32
	where []float32
	grid  []float32
	blur  [2][]float32
}

// New returns what damages images of that shape, the noise being Gaussian with σ ~ U(0,
// sigma). It returns an error if there is no such kind.
func New(kind Kind, image nn.Shape, sigma float64) (*Spoiler, error) {
	switch kind {
	case White, Fields, Broad:
	default:
		return nil, fmt.Errorf("there is no damage of the kind %q; give one of %v", kind, Kinds())
	}
	n := image.H * image.W
	return &Spoiler{
		kind: kind, image: image, sigma: sigma, field: make([]float32, n), where: make([]float32, n),
		blur: [2][]float32{make([]float32, image.Size()), make([]float32, image.Size())},
	}, nil
}

// Apply writes to y the image x, damaged, in [0, 1]. How is drawn from src alone. y must
// not be x.
func (s *Spoiler) Apply(y, x []float32, src *rng.Source) {
	copy(y, x)
	if s.kind != Broad {
		s.noise(y, src)
		clamp(y)
		return
	}
	// One image of twenty stays as it is, so that it is known not to need anything.
	ways := 1
	switch u := src.Float64(); {
	case u < 0.05:
		return
	case u < 0.4:
		ways = 2
	}
	var order []int
	for len(order) < ways {
		order = append(order, pick(src))
	}
	for _, way := range order {
		switch way {
		case 0:
			s.noise(y, src)
		case 1:
			s.rectangles(y, src)
		case 2:
			s.strokes(y, src)
		case 3:
			s.sharpen(y, src)
		case 4:
			s.shrink(y, src)
		}
		clamp(y)
	}
}

// pick draws a way to damage: noise more often than the others.
func pick(src *rng.Source) int {
	u := src.Float64()
	for way, share := range []float64{0.32, 0.2, 0.2, 0.16} {
		if u < share {
			return way
		}
		u -= share
	}
	return 4
}

func clamp(y []float32) {
	for i, v := range y {
		y[i] = min(max(v, 0), 1)
	}
}

// noise adds White's, or, where there are fields, in half of the images those.
func (s *Spoiler) noise(y []float32, src *rng.Source) {
	if s.kind == White || src.Float64() < 0.5 {
		sigma := float32(s.sigma * src.Float64())
		for i := range y {
			y[i] += sigma * float32(src.Norm())
		}
		return
	}
	// An excursion set of a smooth field says where; the noise there is another field's,
	// of any coarseness, for each channel or for all.
	s.smooth(s.where, 3+src.IntN(6), src)
	least := float32(src.Norm() * 0.8)
	amplitude := float32(s.sigma * (0.7 + 2.8*src.Float64()))
	coarse := int(3 * math.Pow(64.0/3, src.Float64()))
	each := src.Uint64()&1 == 0
	for c := range s.image.C {
		if c == 0 || each {
			s.smooth(s.field, coarse, src)
		}
		for p, v := range s.field {
			if s.where[p] > least {
				y[p*s.image.C+c] += amplitude * v
			}
		}
	}
}

// smooth fills f with a Gaussian field of variance about 1: bilinear between points of a
// grid of so many along each edge.
func (s *Spoiler) smooth(f []float32, n int, src *rng.Source) {
	n = max(2, min(n, min(s.image.H, s.image.W)))
	if len(s.grid) < n*n {
		s.grid = make([]float32, n*n)
	}
	src.FillNorm(s.grid[:n*n], 1.5) // between grid points, interpolation takes from the variance
	at := func(i, size int) (int, float32) {
		v := (float32(i) + 0.5) * float32(n-1) / float32(size)
		k := min(int(v), n-2)
		return k, v - float32(k)
	}
	for r := range s.image.H {
		i, u := at(r, s.image.H)
		for c := range s.image.W {
			j, v := at(c, s.image.W)
			g := s.grid[i*n+j:]
			f[r*s.image.W+c] = (1-u)*((1-v)*g[0]+v*g[1]) + u*((1-v)*g[n]+v*g[n+1])
		}
	}
}

// color draws black, or any color.
func (s *Spoiler) color(black float64, src *rng.Source) []float32 {
	c := make([]float32, s.image.C)
	if src.Float64() < black {
		return c
	}
	for i := range c {
		c[i] = src.Float32()
	}
	return c
}

// rectangles covers up to a quarter of the image, black mostly.
func (s *Spoiler) rectangles(y []float32, src *rng.Source) {
	h, w := s.image.H, s.image.W
	color := s.color(0.75, src)
	share := 0.02 + 0.2*src.Float64()
	side := math.Sqrt(float64(h * w))
	for left := share * float64(h*w); left > 0; {
		a, b := 1+int(side*(0.04+0.26*src.Float64())), 1+int(side*(0.04+0.26*src.Float64()))
		top, start := src.IntN(h), src.IntN(w)
		for r := top; r < min(h, top+a); r++ {
			for c := start; c < min(w, start+b); c++ {
				copy(y[(r*w+c)*s.image.C:], color)
			}
		}
		left -= float64(a * b)
	}
}

// strokes draws up to two dozen lines that turn as they go, each of one color.
func (s *Spoiler) strokes(y []float32, src *rng.Source) {
	h, w := float64(s.image.H), float64(s.image.W)
	side := min(h, w)
	for range 1 + src.IntN(24) {
		color := s.color(0.1, src)
		radius := side * (0.012 + 0.03*src.Float64())
		u, v := w*src.Float64(), h*src.Float64()
		angle, turn := 2*math.Pi*src.Float64(), 0.0
		for length := side * (0.2 + 0.6*src.Float64()); length > 0; length -= radius / 2 {
			s.dot(y, u, v, radius, color)
			turn = 0.9*turn + 0.25*src.Norm()*radius/side*10
			angle += turn
			u, v = u+math.Cos(angle)*radius/2, v+math.Sin(angle)*radius/2
		}
	}
}

// dot covers a disk, with an edge of a pixel.
func (s *Spoiler) dot(y []float32, u, v, radius float64, color []float32) {
	for r := max(0, int(v-radius-1)); r <= min(s.image.H-1, int(v+radius+1)); r++ {
		for c := max(0, int(u-radius-1)); c <= min(s.image.W-1, int(u+radius+1)); c++ {
			cover := float32(min(max(radius+0.5-math.Hypot(float64(c)+0.5-u, float64(r)+0.5-v), 0), 1))
			if cover == 0 {
				continue
			}
			px := y[(r*s.image.W+c)*s.image.C:]
			for k, want := range color {
				px[k] += cover * (want - px[k])
			}
		}
	}
}

// sharpen adds what a blur takes away, many times over.
func (s *Spoiler) sharpen(y []float32, src *rng.Source) {
	amount := float32(2 + 20*src.Float64())
	soft := s.softened(y, 0.6+0.9*src.Float64())
	for i, v := range y {
		y[i] = v + amount*(v-soft[i])
	}
}

// softened returns a Gaussian blur of y, of so many pixels of 96.
func (s *Spoiler) softened(y []float32, sigma float64) []float32 {
	sigma *= max(1, float64(min(s.image.H, s.image.W))/96)
	taps := make([]float32, 1+int(3*sigma))
	total := float32(0)
	for i := range taps {
		taps[i] = float32(math.Exp(-float64(i*i) / (2 * sigma * sigma)))
		total += taps[i]
		if i > 0 {
			total += taps[i]
		}
	}
	h, w, ch := s.image.H, s.image.W, s.image.C
	along := func(dst, src []float32, lines, n, line, step int) {
		for l := range lines {
			for i := range n {
				for c := range ch {
					sum := taps[0] * src[l*line+i*step+c]
					for k, t := range taps[1:] {
						sum += t * (src[l*line+max(0, i-k-1)*step+c] + src[l*line+min(n-1, i+k+1)*step+c])
					}
					dst[l*line+i*step+c] = sum / total
				}
			}
		}
	}
	along(s.blur[0], y, h, w, w*ch, ch)
	along(s.blur[1], s.blur[0], w, h, ch, w*ch)
	return s.blur[1]
}

// shrink takes the image to a smaller size, by the mean of the pixels under each, and back.
func (s *Spoiler) shrink(y []float32, src *rng.Source) {
	h, w, ch := s.image.H, s.image.W, s.image.C
	share := 0.2 + 0.58*src.Float64()
	sh, sw := max(2, int(float64(h)*share)), max(2, int(float64(w)*share))
	small := s.blur[0][:sh*sw*ch]
	for r := range sh {
		for c := range sw {
			top, bottom := r*h/sh, (r+1)*h/sh
			left, right := c*w/sw, (c+1)*w/sw
			for k := range ch {
				var sum float32
				for i := top; i < bottom; i++ {
					for j := left; j < right; j++ {
						sum += y[(i*w+j)*ch+k]
					}
				}
				small[(r*sw+c)*ch+k] = sum / float32((bottom-top)*(right-left))
			}
		}
	}
	at := func(i, n, of int) (int, int, float32) {
		v := min(max((float32(i)+0.5)*float32(n)/float32(of)-0.5, 0), float32(n-1))
		k := int(v)
		return k, min(k+1, n-1), v - float32(k)
	}
	for r := range h {
		i, i2, u := at(r, sh, h)
		for c := range w {
			j, j2, v := at(c, sw, w)
			for k := range ch {
				top := (1-v)*small[(i*sw+j)*ch+k] + v*small[(i*sw+j2)*ch+k]
				bottom := (1-v)*small[(i2*sw+j)*ch+k] + v*small[(i2*sw+j2)*ch+k]
				y[(r*w+c)*ch+k] = (1-u)*top + u*bottom
			}
		}
	}
}
