package faces

import (
	"encoding/base64"
	"errors"
	"math"

	"mppm/shared/rng"
)

// Tool is what one paints with.
type Tool byte

// The tools.
const (
	Scribble Tool = iota // a line of a color
	Patch                // black squares
	Noise                // Gaussian noise
	Eraser               // brings the original back
	tools
)

// ParseTool returns the tool of a name: scribble, patch, noise or eraser.
func ParseTool(name string) (Tool, error) {
	for i, n := range []string{"scribble", "patch", "noise", "eraser"} {
		if n == name {
			return Tool(i), nil
		}
	}
	return 0, errors.New("there is no brush of that name; there are scribble, patch, noise and eraser")
}

// The diameter of the brush, in hundredths of the picture's side.
const (
	MinBrush = 2
	MaxBrush = 30
)

// noiseSpread is the standard deviation of what the noise brush adds.
const noiseSpread = 0.35

// Stroke is what was painted in one go. Places are in 255ths of the picture's side, so
// that a link has just what was painted.
type Stroke struct {
	Tool  Tool
	Brush byte // diameter, in hundredths of the side
	Color [3]byte
	At    [][2]byte // at least one
}

// paint draws strokes over dst, an image of w × h pixels of c channels. original is the
// image without any damage, which the eraser brings back.
func paint(dst, original []float32, w, h, c int, strokes []Stroke) {
	cover := make([]float32, w*h)
	for i, s := range strokes {
		clear(cover)
		s.cover(cover, w, h)
		noise := rng.New(uint64(i)+1, 0) // of its own, so that Undo changes no other stroke
		fresh := make([]float32, c)
		for at, share := range cover {
			if s.Tool == Noise { // drawn for every pixel: as the stroke grows, none changes
				noise.FillNorm(fresh, noiseSpread)
			}
			if share == 0 {
				continue
			}
			px := dst[at*c : (at+1)*c]
			for k, v := range px {
				var to float32
				switch s.Tool {
				case Scribble:
					to = s.channel(k, c)
				case Noise:
					to = min(max(v+fresh[k], 0), 1)
				case Eraser:
					to = original[at*c+k]
				}
				px[k] = v + float32(share*(to-v))
			}
		}
	}
}

// channel returns the color of a stroke in one of c channels.
func (s *Stroke) channel(k, c int) float32 {
	if c == 1 {
		return (.2126*float32(s.Color[0]) + .7152*float32(s.Color[1]) + .0722*float32(s.Color[2])) / 255
	}
	if k > 2 {
		return 1
	}
	return float32(s.Color[k]) / 255
}

// cover raises cover to how much of each pixel a stroke covers.
func (s *Stroke) cover(cover []float32, w, h int) {
	r := float64(s.Brush) / 200 * float64(min(w, h))
	place := func(p [2]byte) Point {
		return Point{float64(p[0]) / 255 * float64(w), float64(p[1]) / 255 * float64(h)}
	}
	was := place(s.At[0])
	for _, p := range s.At {
		to := place(p)
		n := max(int(math.Ceil(math.Hypot(to.X-was.X, to.Y-was.Y))), 1)
		for i := 1; i <= n; i++ {
			t := float64(i) / float64(n)
			s.stamp(cover, w, h, Point{was.X + t*(to.X-was.X), was.Y + t*(to.Y-was.Y)}, r)
		}
		was = to
	}
}

// stamp covers what the brush does at one place: a disc whose edge fades over a pixel,
// or, for patches, whole pixels of a square.
func (s *Stroke) stamp(cover []float32, w, h int, at Point, r float64) {
	for y := max(int(at.Y-r-1), 0); y <= min(int(at.Y+r+1), h-1); y++ {
		for x := max(int(at.X-r-1), 0); x <= min(int(at.X+r+1), w-1); x++ {
			dx, dy := math.Abs(float64(x)+.5-at.X), math.Abs(float64(y)+.5-at.Y)
			share := min(max(r+.5-math.Hypot(dx, dy), 0), 1)
			if s.Tool == Patch {
				share = 0
				if max(dx, dy) <= max(r, .5) {
					share = 1
				}
			}
			cover[y*w+x] = max(cover[y*w+x], float32(share))
		}
	}
}

// maxPacked bounds what strokes take in a link, in bytes before they are made letters.
const maxPacked = 48000

// header is what a stroke takes in a link beside its places, in bytes.
const header = 7

// packed returns what strokes take in a link, in bytes before they are made letters.
func packed(strokes []Stroke) (n int) {
	for _, s := range strokes {
		n += header + 2*len(s.At)
	}
	return n
}

// canvas is the strokes, and what Undo took.
type canvas struct {
	strokes, undone []Stroke
	cleared         []Stroke // what Clear took, while nothing else was painted
	painting        bool
}

// down begins a stroke; where there are too many it does nothing.
func (c *canvas) down(s Stroke) {
	if packed(c.strokes)+header+2 > maxPacked {
		return
	}
	c.strokes, c.undone, c.cleared, c.painting = append(c.strokes, s), nil, nil, true
}

// move goes on to a place, and reports whether that changes anything.
func (c *canvas) move(at [2]byte) bool {
	if !c.painting {
		return false
	}
	s := &c.strokes[len(c.strokes)-1]
	if s.At[len(s.At)-1] == at {
		return false
	}
	if packed(c.strokes)+2 > maxPacked {
		return false
	}
	s.At = append(s.At, at)
	return true
}

func (c *canvas) canUndo() bool { return !c.painting && (len(c.strokes) > 0 || len(c.cleared) > 0) }
func (c *canvas) canRedo() bool { return !c.painting && len(c.undone) > 0 }

// undo takes back the last stroke, or the clearing of all.
func (c *canvas) undo() {
	switch n := len(c.strokes); {
	case !c.canUndo():
	case n == 0:
		c.strokes, c.cleared = c.cleared, nil
	default:
		c.undone, c.strokes = append(c.undone, c.strokes[n-1]), c.strokes[:n-1]
	}
}

func (c *canvas) redo() {
	if n := len(c.undone); c.canRedo() {
		c.strokes, c.undone = append(c.strokes, c.undone[n-1]), c.undone[:n-1]
	}
}

// clear takes away all strokes; undo brings them back.
func (c *canvas) clear() {
	if len(c.strokes) > 0 {
		*c = canvas{cleared: c.strokes}
	}
}

// pack writes strokes in letters that an address may hold: of each a tool, a brush, a
// color and two bytes of how many places there are, then those.
func pack(strokes []Stroke) string {
	var b []byte
	for _, s := range strokes {
		b = append(b, byte(s.Tool), s.Brush, s.Color[0], s.Color[1], s.Color[2], byte(len(s.At)), byte(len(s.At)>>8))
		for _, p := range s.At {
			b = append(b, p[0], p[1])
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// unpack reads what pack wrote. It returns an error for anything else.
func unpack(text string) ([]Stroke, error) {
	broken := errors.New("what is painted in this link cannot be read, and is left out")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, broken
	}
	var list []Stroke
	if len(b) > maxPacked {
		return nil, broken
	}
	for len(b) > 0 {
		if len(b) < header {
			return nil, broken
		}
		s := Stroke{Tool: Tool(b[0]), Brush: b[1], Color: [3]byte(b[2:5])}
		n := int(b[5]) | int(b[6])<<8
		b = b[header:]
		if s.Tool >= tools || s.Brush < MinBrush || s.Brush > MaxBrush || n < 1 || len(b) < 2*n {
			return nil, broken
		}
		for i := range n {
			s.At = append(s.At, [2]byte(b[2*i:]))
		}
		b = b[2*n:]
		list = append(list, s)
	}
	return list, nil
}
