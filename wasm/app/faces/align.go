package faces

import (
	"errors"
	"fmt"
	"math"
)

// Point is a place, in pixels of what it is on.
type Point struct{ X, Y float64 }

// Photo is a picture that the user brought: w × h pixels as RGBA, 4 bytes each, which
// are not premultiplied.
type Photo struct {
	W, H int
	RGBA []byte
}

// MaxPhotoSide is how large a photo is needed at most, in pixels.
const MaxPhotoSide = 1024

// check returns an error if p is no picture.
func (p *Photo) check() error {
	if p.W < 1 || p.H < 1 || p.W > MaxPhotoSide || p.H > MaxPhotoSide || len(p.RGBA) != 4*p.W*p.H {
		return fmt.Errorf("a picture of %d × %d pixels cannot be used; give 1 × 1 to %d × %d", p.W, p.H, MaxPhotoSide, MaxPhotoSide)
	}
	return nil
}

// Where the eyes are in the faces that the models learned from, as shares of the side:
// level, at 0.4 of the height, and as far apart as they are on average there.
const (
	eyeLevel = 0.4
	eyeLeft  = 0.335
	eyeRight = 1 - eyeLeft
)

// similarity takes places of a w × h image to places of a photo: turned, and larger or
// smaller alike in all directions.
type similarity struct{ a, b, x, y float64 }

func (s similarity) at(x, y float64) Point {
	return Point{s.a*x - s.b*y + s.x, s.b*x + s.a*y + s.y}
}

// scale is how many pixels of the photo lie side by side in one of the image.
func (s similarity) scale() float64 { return math.Hypot(s.a, s.b) }

// middle takes the largest square in the middle of a photo.
func middle(p *Photo, w, h int) similarity {
	k := min(float64(p.W)/float64(w), float64(p.H)/float64(h))
	return similarity{a: k, x: (float64(p.W) - k*float64(w)) / 2, y: (float64(p.H) - k*float64(h)) / 2}
}

// eyes takes the eyes of a photo to where those of the images are. The eye further left
// on the photo is taken for the left one. It returns an error if they are one.
func eyes(p *Photo, one, other Point, w, h int) (similarity, error) {
	if one.X > other.X {
		one, other = other, one
	}
	dx, dy := other.X-one.X, other.Y-one.Y
	d := math.Hypot(dx, dy)
	if !(d >= 4) || d > 2*MaxPhotoSide {
		return similarity{}, errors.New("the two marks lie on each other: put one on each eye")
	}
	wide := (eyeRight - eyeLeft) * float64(w)
	s := similarity{a: dx / wide, b: dy / wide}
	from := s.at(eyeLeft*float64(w), eyeLevel*float64(h))
	s.x, s.y = one.X-from.X, one.Y-from.Y
	return s, nil
}

// crop writes to dst, an image of w × h pixels of c channels in [0, 1], what of a photo
// a similarity takes there: every pixel is the mean of so many places within it that
// none of the photo's is left out. Beyond its edges the photo goes on as it is there. What can be seen
// through is white behind. One channel is the luminance of Rec. 709.
func crop(dst []float32, p *Photo, s similarity, w, h, c int) {
	n := min(max(int(math.Ceil(s.scale())), 2), 16)
	for y := range h {
		for x := range w {
			var sum [3]float64
			for j := range n {
				for i := range n {
					at := s.at(float64(x)+(float64(i)+.5)/float64(n), float64(y)+(float64(j)+.5)/float64(n))
					rgb := p.sample(at)
					for k := range sum {
						sum[k] += rgb[k]
					}
				}
			}
			for k := range sum {
				sum[k] /= float64(255 * n * n)
			}
			if c == 1 {
				dst[y*w+x] = float32(.2126*sum[0] + .7152*sum[1] + .0722*sum[2])
				continue
			}
			for k := range min(c, 3) {
				dst[(y*w+x)*c+k] = float32(sum[k])
			}
		}
	}
}

// sample returns the color at a place, between the middles of four pixels.
func (p *Photo) sample(at Point) (rgb [3]float64) {
	x, y := min(max(at.X-.5, 0), float64(p.W-1)), min(max(at.Y-.5, 0), float64(p.H-1))
	x0, y0 := int(x), int(y)
	fx, fy := x-float64(x0), y-float64(y0)
	for _, q := range [4]struct {
		x, y  int
		share float64
	}{{x0, y0, (1 - fx) * (1 - fy)}, {x0 + 1, y0, fx * (1 - fy)}, {x0, y0 + 1, (1 - fx) * fy}, {x0 + 1, y0 + 1, fx * fy}} {
		if q.share == 0 {
			continue
		}
		px := p.RGBA[4*(q.y*p.W+q.x):][:4]
		a := float64(px[3]) / 255
		for k := range rgb {
			rgb[k] += q.share * (a*float64(px[k]) + (1-a)*255)
		}
	}
	return rgb
}
