// Package ink finds a digit on paper: what differs from the paper around it,
// whether darker or lighter, in even light or not, without the lines the paper is
// ruled with, the specks on it, and the dark edge a scanner leaves.
//
// The paper's shade is found as local thresholds are, from the mean and the
// deviation of a window around each pixel (J. Sauvola and M. Pietikäinen,
// Adaptive document image binarization, Pattern Recognition 33, 2000), taken from
// sums over rectangles, so that the window may be large (F. Shafait, D. Keysers
// and T. M. Breuel, Efficient implementation of local adaptive thresholding
// techniques using integral images, DRR XV, 2008).
//
// All arithmetic is float64 of operations that are exact to the last bit
// everywhere, and no products are fused: a picture gives the same ink on every
// platform.
package ink

import (
	"errors"
	"fmt"
	"math"

	"mppm/shared/fault"
)

// Kind is what ink is, beside paper.
type Kind string

// The kinds of ink.
const (
	Auto  Kind = "auto"  // whichever the picture shows more of
	Dark  Kind = "dark"  // darker than the paper
	Light Kind = "light" // lighter
)

// Kinds returns them all, the one that is chosen by default first.
func Kinds() []Kind { return []Kind{Auto, Dark, Light} }

// Options say what to look for.
type Options struct {
	Ink       Kind    // "" is Auto
	Threshold float64 // from which share of the strongest ink on a pixel is ink, in (0, 1); 0: chosen
}

// The range of thresholds that may be asked for.
const (
	MinThreshold = 0.05
	MaxThreshold = 0.95
)

// ErrBlank says that there is nothing in a picture that could be ink.
var ErrBlank = errors.New("the page is empty: nothing in it stands out from the paper")

// ErrNoise says that paper and ink cannot be told apart for noise.
var ErrNoise = errors.New("paper and ink cannot be told apart for noise")

// Found is the digit of a picture.
type Found struct {
	Ink            []float64 // W·H: from 0, paper, to 1; 0 outside of the digit
	Mask           []bool    // W·H: what is clearly its ink
	X0, Y0, X1, Y1 int       // the box around that
	Dark           bool      // the ink is darker than the paper
	Threshold      float64   // from which share of the strongest ink on a pixel was ink

	Uneven bool // the paper's shade changes over the picture
	Lines  int  // ruled lines that were taken out
	Edges  int  // parts at the picture's edge that were
	Marks  int  // specks and other parts that were
}

// Contrast is the least that the strongest ink must differ from the paper, of black
// to white.
const Contrast = 0.08

// What counts as ink, of black to white.
const (
	contrast    = 0.08 // the least that the strongest of it must differ from the paper
	faintest    = 0.06 // and all of it
	faint       = 0.25 // what is weaker, of the strongest ink, is none
	clear       = 4    // and what is weaker, of the paper's grain
	faintUneven = 0.4  // and where the light changes: at the edge of a shadow, its paper differs too
	crisp       = 0.65 // the least share of its rim at which ink ends at once
	grainy      = 0.12 // paper whose grain is so strong hides ink
)

// Find looks for a digit in a gray picture of w × h pixels, nominally from 0,
// black, to 1, white. It returns ErrBlank if nothing stands out, ErrNoise if too
// much does, another error if the numbers are no picture or the options none.
func Find(gray []float32, w, h int, o Options) (*Found, error) {
	if w < 1 || h < 1 || len(gray)/w != h || len(gray) != w*h {
		return nil, fault.New(fault.ErrSize, "ink: %d numbers are no picture of %d × %d pixels", len(gray), w, h)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	v := make([]float64, len(gray))
	for i, g := range gray {
		if g-g != 0 {
			return nil, fault.New(fault.ErrNotFinite, "ink: the pixel at column %d, row %d is %v", i%w, i/w, g)
		}
		v[i] = float64(min(max(g, 0), 1))
	}
	p := findPaper(v, Edge(gray, w, h), w, h)
	if p.grain > grainy && min(w, h) >= small {
		return nil, ErrNoise
	}
	var best *Found
	most := 0.0
	for _, dark := range []bool{true, false} {
		if o.Ink == Dark && !dark || o.Ink == Light && dark {
			continue
		}
		if f, rim := p.find(v, w, h, dark, o.Threshold); rim > most {
			best, most = f, rim
		}
	}
	if best == nil {
		return nil, ErrBlank
	}
	best.Uneven = p.shade != nil
	return best, nil
}

func (o Options) check() error {
	switch o.Ink {
	case "", Auto, Dark, Light:
	default:
		return fmt.Errorf("there is no ink %q; there are %q", o.Ink, Kinds())
	}
	if o.Threshold != 0 && !(o.Threshold >= MinThreshold && o.Threshold <= MaxThreshold) {
		return fmt.Errorf("the threshold %v is out of range: %v to %v, or 0 to have it chosen", o.Threshold, MinThreshold, MaxThreshold)
	}
	return nil
}

// find returns the ink that is darker than the paper, or lighter, and how much of
// a rim it has.
func (p *paper) find(v []float64, w, h int, dark bool, threshold float64) (*Found, float64) {
	depth := p.depth(v, dark)
	grain := p.grain
	if dark {
		grain /= max(p.mean, darkest)
	}
	strong := quantile(depth, max(faintest, float64(clear*grain)), 0.95)
	if strong < Contrast {
		return nil, 0
	}
	share := threshold
	if share == 0 {
		share = faint
		if p.shade != nil {
			share = faintUneven
		}
		share = max(share, max(faintest, float64(clear*grain))/strong)
	}
	at := float64(share * strong)
	mask := make([]bool, len(v))
	for i, d := range depth {
		mask[i] = d >= at
		if dark && threshold == 0 { // where there is less light, grain is more of it
			mask[i] = mask[i] && d >= float64(clear*p.grain)/max(p.at(i), darkest)
		}
	}
	f := &Found{Dark: dark, Threshold: share}
	if min(w, h) >= small {
		f.Lines = removeLines(mask, w, h)
	}
	if !f.keep(mask, depth, w, h) {
		return nil, 0
	}
	f.Mask = mask
	f.soften(depth, w, h)
	return f, p.rim(v, mask, w, h)
}

// rim returns how much the picture changes from within the mask to beyond it, all
// along; 0 where it is no ink's. Ink ends at once, on all sides; light does not, and
// the edge of a shadow does on one.
func (p *paper) rim(v []float64, mask []bool, w, h int) float64 {
	by := max(min(w, h)/100, 1)
	sum := 0.0
	ends, all := 0, 0
	step := func(a, b int) {
		if mask[a] == mask[b] {
			return
		}
		if mask[b] {
			a, b = b, a
		}
		d := math.Abs(v[a] - v[b])
		sum += d
		all++
		if d >= math.Abs(v[a]-p.at(a))/2 {
			ends++
		}
	}
	for y := range h {
		for x := range w {
			if at := y*w + x; x+by < w {
				step(at, at+by)
			}
			if at := y*w + x; y+by < h {
				step(at, at+by*w)
			}
		}
	}
	if p.shade != nil && float64(ends) < crisp*float64(all) {
		return 0
	}
	return sum
}

// soften keeps the ink as strong as it is, on the mask and at its rim.
func (f *Found) soften(depth []float64, w, h int) {
	in := make([]float64, 0, len(depth)/16)
	for i, d := range depth {
		if f.Mask[i] {
			in = append(in, d)
		}
	}
	top := quantile(in, 0, 0.9)
	f.Ink = make([]float64, len(depth))
	for y := range h {
		for x := range w {
			if !f.Mask[y*w+x] {
				continue
			}
			for v := max(y-1, 0); v <= min(y+1, h-1); v++ {
				for u := max(x-1, 0); u <= min(x+1, w-1); u++ {
					f.Ink[v*w+u] = min(depth[v*w+u]/top, 1)
				}
			}
		}
	}
}

// quantile returns the value below which a share of those lies that are at least
// from, to a thousandth; 0 where there are none.
func quantile(v []float64, from, share float64) float64 {
	var count [1001]int
	n := 0
	for _, x := range v {
		if x >= from {
			count[int(math.Ceil(min(x, 1)*1000))]++
			n++
		}
	}
	seen := 0
	for k, c := range count {
		if seen += c; n > 0 && float64(seen) >= float64(share*float64(n)) {
			return float64(k) / 1000
		}
	}
	return 0
}
