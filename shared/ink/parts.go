package ink

import "slices"

// What a part of the mask must be to be a digit's, in shares of the picture's
// shorter edge, of the digit's longer one, and of its area.
const (
	leastEdge  = 0.04 // its longer edge
	nearBy     = 0.35 // how far other parts of a digit may be from it
	leastShare = 0.02 // and how small
	leastDepth = 0.6  // and how much fainter
	atEdge     = 0.4  // a part of which so much lies at the edge is the edge's
)

// part is what is connected.
type part struct {
	pixels         []int32
	x0, y0, x1, y1 int
	touch          int // pixels at the picture's edge
	depth          float64
	foreign        bool // no ink: a scanner's frame, a shadow from beyond
}

// long is the longer edge of its box.
func (p *part) long() int { return max(p.x1-p.x0, p.y1-p.y0) }

// shallow reports whether it lies along the picture's edge.
func (p *part) shallow() bool { return float64(p.touch) >= atEdge*float64(p.long()) }

// mean is how deep its ink is.
func (p *part) mean() float64 { return p.depth / float64(len(p.pixels)) }

// within reports whether most of it is no further than so much from a box.
func (p *part) within(box *part, by, w int) bool {
	n := 0
	for _, i := range p.pixels {
		x, y := int(i)%w, int(i)/w
		if x >= box.x0-by && x < box.x1+by && y >= box.y0-by && y < box.y1+by {
			n++
		}
	}
	return 2*n >= len(p.pixels)
}

// keep leaves in the mask the part with the most ink, those inside of the picture
// before those at its edge, and what is near to it, and finds their box. It returns
// false if nothing is large enough.
func (f *Found) keep(mask []bool, depth []float64, w, h int) bool {
	parts := split(mask, w, h)
	var digit *part
	best := 0.0
	for _, p := range parts {
		p.foreign = foreign(p, w, h)
		size := 0.0
		for _, i := range p.pixels {
			p.depth += depth[i]
			size += float64(float64(depth[i]*depth[i]) * depth[i]) // much of little is less than little of much
		}
		switch {
		case p.foreign || float64(p.long()) < leastEdge*float64(min(w, h)):
			continue
		case p.shallow():
			size *= 0.05
		case p.touch > 0:
			size *= 0.4
		}
		if size > best {
			digit, best = p, size
		}
	}
	if digit == nil {
		return false
	}
	kept := map[*part]bool{digit: true}
	box := *digit
	for grown := true; grown; {
		grown = false
		for _, p := range parts {
			switch {
			case kept[p], p.foreign, p.shallow() && !digit.shallow(), len(p.pixels) < int(leastShare*float64(len(digit.pixels))), p.mean() < leastDepth*digit.mean():
				continue
			}
			if p.within(&box, int(nearBy*float64(digit.long())), w) {
				kept[p], grown = true, true
				box.x0, box.y0, box.x1, box.y1 = min(box.x0, p.x0), min(box.y0, p.y0), max(box.x1, p.x1), max(box.y1, p.y1)
			}
		}
	}
	for _, p := range parts {
		if kept[p] {
			continue
		}
		for _, i := range p.pixels {
			mask[i] = false
		}
		if p.touch > 0 {
			f.Edges++
		} else {
			f.Marks++
		}
	}
	f.X0, f.Y0, f.X1, f.Y1 = box.x0, box.y0, box.x1, box.y1
	return true
}

// split returns the parts of a mask, connected by edges or corners.
func split(mask []bool, w, h int) []*part {
	var parts []*part
	seen := slices.Clone(mask)
	var stack []int32
	for i := range seen {
		if !seen[i] {
			continue
		}
		p := &part{x0: w, y0: h}
		seen[i] = false
		stack = append(stack[:0], int32(i))
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			p.pixels = append(p.pixels, at)
			x, y := int(at)%w, int(at)/w
			p.x0, p.y0, p.x1, p.y1 = min(p.x0, x), min(p.y0, y), max(p.x1, x+1), max(p.y1, y+1)
			if x == 0 || y == 0 || x == w-1 || y == h-1 {
				p.touch++
			}
			for v := max(y-1, 0); v <= min(y+1, h-1); v++ {
				for u := max(x-1, 0); u <= min(x+1, w-1); u++ {
					if next := v*w + u; seen[next] {
						seen[next] = false
						stack = append(stack, int32(next))
					}
				}
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// foreign reports whether a part is none of a digit: it frames the picture, or
// fills one side of it.
func foreign(p *part, w, h int) bool {
	if min(w, h) < small {
		return false
	}
	if p.touch >= w+h { // half of the edge
		return true
	}
	bw, bh := p.x1-p.x0, p.y1-p.y0
	solid := float64(len(p.pixels)) > 0.7*float64(bw*bh)
	return solid && (bw == w && bh < h && (p.y0 == 0 || p.y1 == h) || bh == h && bw < w && (p.x0 == 0 || p.x1 == w))
}
