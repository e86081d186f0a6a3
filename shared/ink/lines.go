package ink

import (
	"math"
	"slices"
)

// What a ruled line is, beside a stroke.
const (
	steepest = 0.25 // how far it rises for each pixel to the side
	spans    = 0.8  // the least share of the picture that it crosses
	covers   = 0.65 // the least share of that on which it can be seen beside strokes
	among    = 0.3  // and where there are others like it
	whole    = 0.85 // then, on which it or a stroke is seen
	maxLines = 100  // along one direction: more are a pattern
	maxRuns  = 60_000
)

// run is a piece of a column of the mask: n pixels from y on.
type run struct{ x, y, n int }

func (r run) middle() float64 { return float64(r.y) + float64(r.n-1)/2 }

// removeLines takes out of a mask the lines that the paper is ruled with, along
// either direction, and returns how many there were. A line is found as Hough did
// it, among the pieces of columns that are no longer than a line is thick; where a
// stroke crosses it, the piece is longer, and stays.
func removeLines(mask []bool, w, h int) int {
	turned := transpose(mask, w, h)
	across := findLines(mask, w, h)
	down := findLines(turned, h, w)
	if len(across)+len(down) == 0 {
		return 0
	}
	for _, l := range across {
		erase(mask, w, l)
	}
	turned = transpose(mask, w, h)
	// What crossed them is gone: their pieces are as short there as elsewhere.
	short := pieces(turned, h, w, thickest(w, h))
	for _, l := range down {
		erase(turned, h, l.again(short, h))
	}
	copy(mask, transpose(turned, h, w))
	return len(across) + len(down)
}

func transpose(mask []bool, w, h int) []bool {
	out := make([]bool, len(mask))
	for y := range h {
		for x := range w {
			out[x*h+y] = mask[y*w+x]
		}
	}
	return out
}

// line is a ruled line: its pieces, and the course it takes.
type line struct {
	slope, mid float64 // its row is mid + slope·(column − middle of the picture)
	thick      int     // of its pieces
	runs       []run
}

// near reports whether a piece lies on the line.
func (l *line) near(r run, w int) bool {
	return math.Abs(r.middle()-(l.mid+float64(l.slope*(float64(r.x)-float64(w)/2)))) <= 1.5+float64(l.thick)/2
}

// visible returns in how many columns the line is within the picture.
func (l *line) visible(w, h int) float64 {
	n := 0
	for x := range w {
		if row := l.mid + float64(l.slope*(float64(x)-float64(w)/2)); row >= 0 && row < float64(h) {
			n++
		}
	}
	return float64(n)
}

// seen returns on which share of the columns from first to last there is something
// where the line is.
func (l *line) seen(mask []bool, w, h, first, last int) float64 {
	n := 0
	for x := first; x <= last; x++ {
		row := int(l.mid + float64(l.slope*(float64(x)-float64(w)/2)) + 0.5)
		for y := max(row-2, 0); y <= min(row+2, h-1); y++ {
			if mask[y*w+x] {
				n++
				break
			}
		}
	}
	return float64(n) / float64(last-first+1)
}

// again finds the line's pieces among those of a mask that has changed.
func (l line) again(short []run, w int) line {
	l.runs = nil
	for _, r := range short {
		if r.n <= l.thick && l.near(r, w) {
			l.runs = append(l.runs, r)
		}
	}
	return l
}

// thickest is how thick a line may be, in pixels.
func thickest(w, h int) int { return max(min(w, h)/60, 4) }

func erase(mask []bool, w int, l line) {
	for _, r := range l.runs {
		for y := r.y; y < r.y+r.n; y++ {
			mask[y*w+r.x] = false
		}
	}
}

// pieces returns the pieces of the mask's columns of at most so many pixels.
func pieces(mask []bool, w, h, most int) []run {
	var out []run
	for x := range w {
		for y := 0; y < h; y++ {
			if !mask[y*w+x] {
				continue
			}
			r := run{x: x, y: y}
			for y < h && mask[y*w+x] {
				r.n++
				y++
			}
			if r.n <= most {
				out = append(out, r)
			}
		}
	}
	return out
}

// findLines returns the lines that cross a picture from side to side.
func findLines(mask []bool, w, h int) []line {
	runs := pieces(mask, w, h, thickest(w, h))
	if len(runs) < int(spans*covers*float64(w)) || len(runs) > maxRuns {
		return nil
	}
	// A count for each slope, which moves a line's end by two pixels, and each
	// row, which the line has in the middle.
	step := 4 / float64(w)
	slopes := int(steepest/step)*2 + 1
	rise := int(steepest*float64(w)/2) + 2
	rows := h + 2*rise
	votes := make([]int32, slopes*rows)
	vote := func(r run, v int32) {
		for k := range slopes {
			slope := float64(k-slopes/2) * step
			row := r.middle() - float64(slope*(float64(r.x)-float64(w)/2))
			votes[k*rows+int(row+0.5+float64(rise))] += v
		}
	}
	for _, r := range runs {
		vote(r, 1)
	}
	var lines []line
	for len(lines) <= maxLines {
		best, at := int32(0), 0
		for k := range slopes {
			of := votes[k*rows : (k+1)*rows]
			for i := 1; i < rows-1; i++ {
				if n := of[i-1] + of[i] + of[i+1]; n > best {
					best, at = n, k*rows+i
				}
			}
		}
		least := float64(covers)
		if len(lines) >= 2 {
			least = among
		}
		if float64(best) < spans*least*float64(w) {
			break
		}
		l := line{slope: float64(at/rows-slopes/2) * step, mid: float64(at%rows - rise), thick: 1}
		var rest []run
		seen := make([]bool, w)
		first, last, n := w, -1, 0
		for _, r := range runs {
			if !l.near(r, w) {
				rest = append(rest, r)
				continue
			}
			vote(r, -1)
			l.runs = append(l.runs, r)
			if !seen[r.x] {
				seen[r.x] = true
				n++
				first, last = min(first, r.x), max(last, r.x)
			}
		}
		runs = rest
		span := last - first + 1
		if float64(span) < spans*l.visible(w, h) || 2*span < w && len(lines) < 2 || float64(n) < least*float64(span) || l.seen(mask, w, h, first, last) < whole {
			continue
		}
		thick := make([]int, len(l.runs))
		for i, r := range l.runs {
			thick[i] = r.n
		}
		slices.Sort(thick)
		l.thick = thick[len(thick)/2] + 2
		l.runs = slices.DeleteFunc(l.runs, func(r run) bool { return r.n > l.thick })
		lines = append(lines, l)
	}
	if len(lines) > maxLines {
		return nil
	}
	// One alone may be a stroke, unless it goes from edge to edge.
	if len(lines) == 1 {
		first, last := w, 0
		for _, r := range lines[0].runs {
			first, last = min(first, r.x), max(last, r.x)
		}
		if first > w/100 || last < w-1-w/100 {
			return nil
		}
	}
	return lines
}
