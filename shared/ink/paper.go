package ink

import "math"

// small pictures, along their shorter edge in pixels, have no light that falls
// off and no lines: there, too few pixels are paper to tell.
const small = 24

// darkest is the least that paper is taken to reflect, so that no ink is
// divided by nothing.
const darkest = 0.1

// paper is the shade of the paper at each pixel.
type paper struct {
	even  float64   // everywhere, where shade is nil
	shade []float64 // of each pixel
	mean  float64
	grain float64 // the deviation of its pixels
}

func (p *paper) at(i int) float64 {
	if p.shade == nil {
		return p.even
	}
	return p.shade[i]
}

// depth returns how far each pixel differs from paper, to the dark or to the
// light, 0 where it does not. The light that falls on paper and dark ink is the
// same, so what counts is the share of it that is swallowed.
func (p *paper) depth(v []float64, dark bool) []float64 {
	d := make([]float64, len(v))
	for i, x := range v {
		at := p.at(i)
		if dark {
			d[i] = max(float64(at-x)/max(at, darkest), 0)
		} else {
			d[i] = max(float64(x-at), 0)
		}
	}
	return d
}

// Paper is even where no more than a few of its pixels differ by so much, and what
// its grain makes likely, from the shade of the picture's edge.
const (
	evenWithin = 0.04
	evenGrain  = 2.5
	evenShare  = 0.9
)

// findPaper finds the paper: what most of the pixels around each pixel show. In a
// window with two shades, those pixels that are no further from the mean than one
// standard deviation are those of the shade that there is more of. even is the shade
// of the edge.
func findPaper(v []float64, even float64, w, h int) *paper {
	p := &paper{even: even}
	p.mean, p.grain = p.even, grain(v, w, h)
	if min(w, h) < small {
		return p
	}
	wide, narrow := min(w, h)/4, min(w, h)/8 // half of the windows' edges
	s := newSums(v, nil, w, h)
	kept, others := make([]bool, len(v)), make([]bool, len(v))
	for y := range h {
		for x := range w {
			kept[y*w+x] = s.common(v[y*w+x], x, y, wide)
			others[y*w+x] = !kept[y*w+x]
		}
	}
	if p.isEven(v, kept) {
		return p
	}
	// What is of another shade along the edge is paper in another light, as far as
	// it is what most pixels show in a smaller window. Neither is averaged with the
	// other.
	beyond := make([]bool, len(v))
	for _, p := range split(others, w, h) {
		foreign := p.shallow()
		for _, i := range p.pixels {
			x, y := int(i)%w, int(i)/w
			beyond[i] = foreign
			others[i] = foreign && s.common(v[i], x, y, narrow)
		}
	}
	here, there := newSums(v, kept, w, h), newSums(v, others, w, h)
	shade := make([]float64, len(v))
	for y := range h {
		for x := range w {
			at := y*w + x
			s := here
			if beyond[at] { // what is drawn on either is of the one around it
				in, _, _ := here.around(x, y, narrow)
				if out, _, _ := there.around(x, y, narrow); out > in {
					s = there
				}
			}
			// Where ink is wide, the paper is farther away.
			r := narrow
			n, sum, _ := s.around(x, y, r)
			for n < 0.25*float64(r*r) && r < max(w, h) {
				r *= 2
				n, sum, _ = s.around(x, y, r)
			}
			shade[at] = p.even
			if n > 0 {
				shade[at] = sum / n
			}
		}
	}
	p.shade = shade
	sum := 0.0
	for _, b := range shade {
		sum += b
	}
	p.mean = sum / float64(len(shade))
	return p
}

// isEven reports whether the pixels that are paper show one shade.
func (p *paper) isEven(v []float64, kept []bool) bool {
	same, all := 0, 0
	for i, in := range kept {
		if !in {
			continue
		}
		if all++; math.Abs(v[i]-p.even) <= evenWithin+float64(evenGrain*p.grain) {
			same++
		}
	}
	return float64(same) >= evenShare*float64(all)
}

// grain returns the deviation of the pixels from what is around them: how far each
// is from the mean of its two neighbors in the row, of which the light knows
// nothing (after J. Immerkær, Fast noise variance estimation, CVIU 64, 1996), as
// the median, of which strokes know little.
func grain(v []float64, w, h int) float64 {
	if w < 3 {
		return 0
	}
	off := make([]float64, 0, len(v))
	for y := range h {
		for x := 1; x < w-1; x++ {
			at := y*w + x
			off = append(off, math.Abs(v[at]-(v[at-1]+v[at+1])/2))
		}
	}
	// Of a normal distribution of deviation σ, these have √1.5 σ, and 0.6745 of that
	// as the median of their size. They are counted in thousandths, rounded up.
	return max(quantile(off, 0, 0.5)-0.001, 0) / (0.6745 * 1.2247)
}

// levels is how finely Edge tells grays apart.
const levels = 256

// Edge returns the median gray, of 256, of the outermost pixels of a picture of w ×
// h numbers in [0, 1].
func Edge(v []float32, w, h int) float64 {
	var count [levels]int
	n := 0
	add := func(x, y int) {
		count[int(float64(float64(min(max(v[y*w+x], 0), 1))*(levels-1))+0.5)]++
		n++
	}
	for x := range w {
		add(x, 0)
		add(x, h-1)
	}
	for y := range h {
		add(0, y)
		add(w-1, y)
	}
	seen := 0
	for level, c := range count {
		if seen += c; 2*seen >= n {
			return float64(level) / (levels - 1)
		}
	}
	return 1
}

// sums are integral images: sums over every rectangle from the first pixel on, of
// the numbers, their squares, and how many there are.
type sums struct {
	w, h            int
	n, one, squares []float64
}

// newSums adds up v, where in says so; everywhere if it is nil.
func newSums(v []float64, in []bool, w, h int) *sums {
	s := &sums{w: w, h: h, one: make([]float64, (w+1)*(h+1))}
	if in == nil {
		s.squares = make([]float64, len(s.one))
	} else {
		s.n = make([]float64, len(s.one))
	}
	for y := range h {
		var n, one, squares float64
		for x := range w {
			to := (y+1)*(w+1) + x + 1
			if in == nil || in[y*w+x] {
				n++
				one += v[y*w+x]
				squares += float64(v[y*w+x] * v[y*w+x])
			}
			s.one[to] = s.one[to-w-1] + one
			if in == nil {
				s.squares[to] = s.squares[to-w-1] + squares
			} else {
				s.n[to] = s.n[to-w-1] + n
			}
		}
	}
	return s
}

// common reports whether a number at a place is what most of those around it are.
func (s *sums) common(v float64, x, y, r int) bool {
	n, sum, squares := s.around(x, y, r)
	mean := sum / n
	dev := math.Sqrt(max(squares/n-float64(mean*mean), 0))
	return math.Abs(v-mean) <= dev+1e-4
}

// around returns how many numbers there are, their sum and that of their squares,
// up to r pixels to each side of a pixel, within the picture.
func (s *sums) around(x, y, r int) (n, one, squares float64) {
	x0, y0, x1, y1 := max(x-r, 0), max(y-r, 0), min(x+r+1, s.w), min(y+r+1, s.h)
	over := func(t []float64) float64 {
		w := s.w + 1
		return t[y1*w+x1] - t[y0*w+x1] - t[y1*w+x0] + t[y0*w+x0]
	}
	n, one = float64((x1-x0)*(y1-y0)), over(s.one)
	if s.n != nil {
		n = over(s.n)
	} else {
		squares = over(s.squares)
	}
	return n, one, squares
}
