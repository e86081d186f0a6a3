package center

import (
	"fmt"
	"math"
	"strings"

	"mppm/shared/fault"
	"mppm/shared/ink"
	"mppm/shared/picture"
)

// How says whether a picture is centered.
type How string

// Whether a picture is centered.
const (
	Auto   How = "auto"   // unless it is as MNIST has them
	Always How = "always" // whatever it is
	Never  How = "never"  // it is taken as it is, and fitted to the image, on black, where it has another size
)

// Ways returns them all, the one that is chosen by default first.
func Ways() []How { return []How{Auto, Always, Never} }

// Options say how a picture becomes a digit. The zero Options are those that are
// chosen by default.
type Options struct {
	Center How // "" is Auto
	ink.Options
}

// Done is what was done to a picture.
type Done struct {
	Turned    bool // set upright, as its Exif says
	Flattened bool // what was transparent became paper
	Grayed    bool // color became gray
	Evened    bool // the light was uneven
	Lines     bool // ruled lines were taken out
	Cleaned   bool // specks, edges and other marks were
	Inverted  bool // dark ink on light became light on dark
	Centered  bool // its ink was scaled and centered
	Fitted    bool // all of it was scaled, with its aspect kept
}

// Words name what was done, in that order; there are none where nothing was.
func (d Done) Words() []string {
	var out []string
	for _, w := range []struct {
		done bool
		word string
	}{
		{d.Turned, "turned upright"}, {d.Flattened, "transparency taken as paper"}, {d.Grayed, "color made gray"},
		{d.Evened, "light evened"}, {d.Lines, "ruled lines removed"}, {d.Cleaned, "specks and edges removed"},
		{d.Inverted, "inverted"}, {d.Centered, "centered"}, {d.Fitted, "scaled to fit"},
	} {
		if w.done {
			out = append(out, w.word)
		}
	}
	return out
}

// String is the words with commas between; "nothing" where there are none.
func (d Done) String() string {
	if w := d.Words(); len(w) > 0 {
		return strings.Join(w, ", ")
	}
	return "nothing"
}

// Where MNIST has its digits, and how far one may be off that was damaged: those
// of Table 6 leave the middle by less than four pixels.
const (
	black     = 0.1 // the lightest ground
	middling  = 1.1 // how far ink's center of mass may be from the middle of the image
	astray    = 4   // and that of one that was damaged
	shortest  = 12  // longer edge of the box around a damaged digit
	quiet     = 0.6 // the share of the pixels that are ground where there is no noise
	clearInk  = 0.25
	weakest   = 0.55 // the strongest ink of a damaged digit
	groundInk = 0.02
)

// Digit writes to dst (Side × Side, in [0, 1]) the digit of a picture. One of Side
// × Side pixels that is as MNIST's, light on black and in the middle, stays as it
// is to the bit, noise and all; so does its negative once it is inverted. In all
// others the ink is found, whatever its place and size, and centered. It returns
// what was done, and what was found where something was looked for.
//
// The errors are ink's: ErrBlank where nothing stands out. Where noise hides the
// ink, the whole picture is fitted.
func Digit(dst []float32, p *picture.Picture, o Options) (Done, *ink.Found, error) {
	done := Done{Turned: p.Turned, Flattened: p.Transparent, Grayed: p.Color}
	if len(dst) != Side*Side {
		return done, nil, fault.New(fault.ErrSize, "center: the result has room for %d pixels, not %d", len(dst), Side*Side)
	}
	own := p.FullW == Side && p.FullH == Side
	switch o.Center {
	case "", Auto:
		if !own {
			break
		}
		if copy(dst, p.Gray); o.Threshold != 0 {
			break
		}
		dark, level, ok := ground(dst)
		if o.Ink == ink.Dark || o.Ink == ink.Light {
			dark = o.Ink == ink.Dark
		}
		if !ok {
			return done, nil, ink.ErrBlank
		}
		if dark {
			invert(dst)
			level = 1 - level
		}
		if level <= black && framed(dst, level, dark) {
			done.Inverted = dark
			return done, nil, nil
		}
	case Always:
	case Never:
		if done.Fitted = !own; own {
			copy(dst, p.Gray)
		} else {
			fit(dst, p, 0)
		}
		if o.Ink == ink.Dark {
			invert(dst)
			done.Inverted = true
		}
		return done, nil, nil
	default:
		return done, nil, fmt.Errorf("there is no way %q to center; there are %q", o.Center, Ways())
	}
	f, err := Find(dst, p.Gray, p.W, p.H, o.Options)
	if err == ink.ErrNoise {
		if done.Fitted = !own; own {
			copy(dst, p.Gray)
		} else {
			fit(dst, p, float32(ink.Edge(p.Gray, p.W, p.H)))
		}
		dark, _, _ := ground(dst)
		if done.Inverted = dark && o.Ink != ink.Light || o.Ink == ink.Dark; done.Inverted {
			invert(dst)
		}
		return done, nil, nil
	}
	if err != nil {
		return done, nil, err
	}
	done.Evened, done.Lines, done.Cleaned = f.Uneven, f.Lines > 0, f.Edges+f.Marks > 0
	done.Inverted, done.Centered = f.Dark, true
	return done, f, nil
}

// ground returns the shade that most of an image's edge shows, whether the ink on
// it is darker, which weighs how far each pixel differs by its square: a few
// strokes weigh more than much noise; and whether there is any ink.
func ground(x []float32) (dark bool, level float64, ok bool) {
	level = ink.Edge(x, Side, Side)
	var lighter, darker, most float64
	for _, v := range x {
		d := float64(v) - level
		if most = max(most, math.Abs(d)); d > 0 {
			lighter += float64(d * d)
		} else {
			darker += float64(d * d)
		}
	}
	return darker > lighter, level, most >= ink.Contrast
}

// framed reports whether an image on a ground of a shade near to black is one of
// MNIST's, as far as one can tell. One that came light on dark may be damaged: noise, scribbles and
// low resolution stay as they are. One that was inverted must be in its place, or
// too noisy to tell.
func framed(x []float32, level float64, inverted bool) bool {
	var mass, mx, my, top float64
	x0, y0, x1, y1, still := Side, Side, 0, 0, 0
	for i, v := range x {
		c, r := i%Side, i/Side
		top = max(top, float64(v))
		mass += float64(v)
		mx += float64(float64(v) * (float64(c) + 0.5))
		my += float64(float64(v) * (float64(r) + 0.5))
		if math.Abs(float64(v)-level) <= groundInk {
			still++
		}
		if v >= clearInk {
			x0, y0, x1, y1 = min(x0, c), min(y0, r), max(x1, c+1), max(y1, r+1)
		}
	}
	if top < weakest {
		return false
	}
	off := max(math.Abs(mx/mass-Side/2), math.Abs(my/mass-Side/2))
	long := max(x1-x0, y1-y0)
	if inverted && float64(still) >= quiet*Side*Side {
		return level <= groundInk && off <= middling && long >= Frame-1 && long <= Frame+1
	}
	return off <= astray && long >= shortest
}

func invert(x []float32) {
	for i, v := range x {
		x[i] = 1 - v
	}
}

// fit scales a whole picture to the largest size that the image holds with the
// same aspect, in the middle of a ground.
func fit(dst []float32, p *picture.Picture, ground float32) {
	tw, th := Side, Side
	if p.W > p.H {
		th = max(1, int(math.Round(float64(Side*p.H)/float64(p.W))))
	} else {
		tw = max(1, int(math.Round(float64(Side*p.W)/float64(p.H))))
	}
	for i := range dst {
		dst[i] = ground
	}
	v := make([]float64, len(p.Gray))
	for i, g := range p.Gray {
		v[i] = float64(g)
	}
	left, top := (Side-tw)/2, (Side-th)/2
	for i, s := range resample(v, p.W, 0, 0, p.W, p.H, tw, th) {
		dst[(top+i/tw)*Side+left+i%tw] = float32(min(max(s, 0), 1))
	}
}
