// Package picture reads pictures that people bring: PNGs as phones, scanners and
// drawing programs make them, or pixels that a browser has decoded. What comes
// out is gray, upright, on paper where it was transparent, and no larger than is
// of use to find a digit in it.
//
// The standard library decodes a PNG whole: twelve megapixels of color take 48
// to 96 MB, more than the edge has left. Here rows are added up as they are
// read, so that memory depends on neither size nor kind of the picture.
package picture

import (
	"fmt"

	"mppm/shared/fault"
)

// Bounds of a picture, in pixels.
const (
	MaxEdge = 1 << 14     // along an edge
	MaxArea = 4096 * 4096 // in all
)

// Work is the most pixels along an edge that a picture keeps: larger ones are
// shrunk by a whole factor, as the mean of squares. A digit that fills a tenth
// of such a picture has more than twice the pixels of MNIST's.
const Work = 720

// Picture is gray: luma as Rec. 601 weighs it.
type Picture struct {
	W, H int       // pixels along the edges, once it is upright
	Gray []float32 // W·H numbers from 0, black, to 1, white, row-major

	FullW, FullH int  // the size as it came, upright
	Color        bool // some of it was not gray
	Transparent  bool // some of it was: paper shows there
	Turned       bool // its Exif says how it is to be turned, and it was
}

// SizeError says that a picture has more pixels than are read.
type SizeError struct{ W, H, Area int }

// Error says how many pixels there are and how many may be.
func (e *SizeError) Error() string {
	if e.W > MaxEdge || e.H > MaxEdge {
		return fmt.Sprintf("the picture is %d × %d pixels; edges of at most %d are read", e.W, e.H, MaxEdge)
	}
	return fmt.Sprintf("the picture is %d × %d pixels; at most %.3g million in all are read", e.W, e.H, float64(e.Area)/1e6)
}

// checkSize returns an error where a picture of w × h pixels has more than area.
func checkSize(w, h, area int) error {
	if w > MaxEdge || h > MaxEdge || w*h > area {
		return &SizeError{w, h, area}
	}
	return nil
}

// FromNRGBA makes a picture of pixels of red, green, blue and alpha, a byte each,
// not premultiplied, as a browser's canvas has them. It returns an error if they
// are no w × h pixels, a SizeError if they are too many.
func FromNRGBA(pix []byte, w, h int) (*Picture, error) {
	if w < 1 || h < 1 {
		return nil, fmt.Errorf("the picture is %d × %d pixels: there are none", w, h)
	}
	if err := checkSize(w, h, MaxArea); err != nil {
		return nil, err
	}
	if len(pix) != 4*w*h {
		return nil, fault.New(fault.ErrSize, "the picture has %d bytes for %d × %d pixels", len(pix), w, h)
	}
	s := newSums(w, h)
	for y := range h {
		for x := range w {
			p := pix[4*(y*w+x):][:4]
			s.add(x, y, uint32(p[0])*0x101, uint32(p[1])*0x101, uint32(p[2])*0x101, uint32(p[3])*0x101)
		}
	}
	return s.picture(upright), nil
}

// full is an opaque, or white, channel.
const full = 0xffff

// sums are pixels as they come, in any order, added up in squares.
type sums struct {
	w, h, by    int      // the size, and the edge of a square
	cw, ch      int      // squares along the edges
	luma, cover []uint64 // of each square: Σ 1000·luma·alpha, Σ alpha
	rgb         []uint64 // Σ red·alpha, Σ green·alpha, Σ blue·alpha; nil unless they are asked for
	dark, light uint64   // Σ alpha of what is nearer to black, and to white
	shade       [2]uint64
	color       bool
}

func newSums(w, h int) *sums {
	by := (max(w, h) + Work - 1) / Work
	cw, ch := (w+by-1)/by, (h+by-1)/by
	return &sums{w: w, h: h, by: by, cw: cw, ch: ch, luma: make([]uint64, cw*ch), cover: make([]uint64, cw*ch)}
}

// add puts a pixel of 16-bit channels, not premultiplied, where it belongs.
func (s *sums) add(x, y int, r, g, b, a uint32) {
	at := y/s.by*s.cw + x/s.by
	// Thousandths, so that equal channels give exactly their own value.
	v := uint64(299*r + 587*g + 114*b)
	s.luma[at] += v * uint64(a)
	s.cover[at] += uint64(a)
	if s.rgb != nil {
		s.rgb[3*at] += uint64(r) * uint64(a)
		s.rgb[3*at+1] += uint64(g) * uint64(a)
		s.rgb[3*at+2] += uint64(b) * uint64(a)
	}
	if 2*v < 1000*full {
		s.dark += uint64(a)
		s.shade[0] += v / 1000 * uint64(a)
	} else {
		s.light += uint64(a)
		s.shade[1] += v / 1000 * uint64(a)
	}
	if a > 0 && (r != g || g != b) {
		s.color = true
	}
}

// paper returns the gray that transparent parts show. Where what is opaque is of
// one shade, it is ink, and paper is what it stands out from; where it is of two,
// it brings its own paper: the shade of which there is more.
func (s *sums) paper() float64 {
	all := s.dark + s.light
	less, more := s.light, 0
	if s.light > s.dark {
		less, more = s.dark, 1
	}
	if less*50 >= all && all > 0 {
		return float64(s.shade[more]) / (full * float64(all-less))
	}
	return float64(1 - more)
}

// count is how many pixels a square has.
func (s *sums) count(i int) float64 {
	x, y := i%s.cw, i/s.cw
	return float64(min(s.by, s.w-x*s.by) * min(s.by, s.h-y*s.by))
}

// picture is what the sums show, turned.
func (s *sums) picture(how orientation) *Picture {
	p := &Picture{W: s.cw, H: s.ch, FullW: s.w, FullH: s.h, Color: s.color, Turned: how != upright}
	paper := s.paper()
	gray := make([]float32, s.cw*s.ch)
	for i := range gray {
		n := s.count(i)
		v := float64(s.luma[i]) / (1000 * full * full * n)
		if clear := n - float64(s.cover[i])/full; clear > 0 {
			p.Transparent = true
			v += float64(paper * (clear / n))
		}
		gray[i] = float32(v)
	}
	p.Gray = gray
	return how.turn(p)
}

// Quarter returns the picture turned clockwise by so many quarters, which may be
// negative. Without any it is the picture itself.
func (p *Picture) Quarter(n int) *Picture {
	q := *p
	return [...]orientation{upright, right, around, left}[(n%4+4)%4].turn(&q)
}
