//go:build webgpu

package webgpu

import (
	"fmt"
	"math/bits"

	"mppm/trainer/internal/graph"
)

// product is a matrix product: m × n sums of k products each. left and right are
// WGSL that returns element (r, k) of the one factor and (k, j) of the other;
// alongA and alongB say that an element's neighbor in memory is the next k.
type product struct {
	m, n, k           int
	consts, functions string
	left, right       string
	alongA, alongB    bool

	// A transposed convolution is one product for each class of pixels, of its own
	// depth and height; at is where element (r, j) of class z goes.
	classes           int
	depth, height, at string
}

// Work is cut until there are this many workgroups: enough for the largest cards
// of today, and little more than enough for small ones.
const enough = 256

// unrolled is how many products of a slice are written out one after the other.
const unrolled = 4

// tile is the shape of a workgroup's part of a product.
type tile struct {
	bm, bn, bk int // sums of a workgroup, and how deep its slices are
	tm, tn     int // sums of an invocation
}

func (t tile) threads() int { return t.bm / t.tm * (t.bn / t.tn) }

// tileOf chooses for a product of m ≥ n: a column as wide as the result up to 64,
// and rows for 256 invocations.
func tileOf(m, n int) tile {
	pow := func(n int) int { return 1 << bits.Len(uint(n-1)) }
	t := tile{bk: 16, bn: min(64, pow(n)), tm: 4, tn: 4}
	switch {
	case t.bn < 4:
		t.bk, t.tm, t.tn = 8, 1, t.bn
	case t.bn < 8:
		t.bk, t.tm, t.tn = 8, 2, 2
	case t.bn < 16:
		t.tm, t.tn = 2, 2
	case t.bn < 32:
		t.tn = 2
	}
	t.bm = min(256*t.tm*t.tn/t.bn, 256)
	if m < t.bm {
		t.bm = max(pow(m), t.tm)
	}
	return t
}

// product adds the stages of a matrix product of in[0] and in[1], plus a bias
// unless it is nil.
func (l *lowering) product(c call, p product, in []*value, bias *value) {
	order, calls := "m, n", [2]string{"left", "right"}
	heights := [2]string{"rows", "N"}
	along := [2]bool{p.alongA, p.alongB}
	m, n := p.m, p.n
	if m < n && p.classes == 0 { // tiles are tall
		m, n = n, m
		order, calls = "n, m", [2]string{"right", "left"}
		heights = [2]string{"N", "rows"}
		along = [2]bool{p.alongB, p.alongA}
	}
	t := tileOf(m, n)
	up := func(a, b int) int { return (a + b - 1) / b }
	tilesN := up(n, t.bn)
	tiles := up(m, t.bm) * tilesN

	// A product with few sums is cut along k; a second stage adds the parts.
	parts, share, stride := max(1, p.classes), 0, "K"
	if p.classes == 0 {
		parts = max(1, min(up(enough, tiles), p.k/(8*t.bk)))
		share = up(up(p.k, parts), t.bk) * t.bk
		parts = up(p.k, share)
		stride = "SHARE"
	}
	partial := p.classes == 0 && parts > 1
	depth, height, at := "K", "M", "r * N + j"
	if p.classes > 0 {
		depth, height, at = p.depth, p.height, p.at
	}
	seq := func(n int) []int {
		s := make([]int, n)
		for i := range s {
			s[i] = i
		}
		return s
	}
	loads := func(n int) []int {
		s := seq(up(n, t.threads()))
		for i := range s {
			s[i] *= t.threads()
		}
		return s
	}
	groups, row := grid(tiles, parts)
	s := l.push(&stage{
		name: string(c.Kind), kernel: "gemm", groups: groups, in: in,
		args: map[string]any{
			"M": p.m, "N": p.n, "K": p.k, "BM": t.bm, "BN": t.bn, "BK": t.bk, "TX": t.bn / t.tn, "TY": t.bm / t.tm,
			"Threads": t.threads(), "Tiles": tiles, "TilesN": tilesN, "Grid": row, "Share": share, "Stride": stride,
			"Consts": p.consts, "Functions": p.functions, "Left": p.left, "Right": p.right, "Depth": depth, "Height": height,
			"SizeA": t.bk * (t.bm + 1), "SizeB": t.bk * (t.bn + 1), "TileA": t.bk * t.bm, "TileB": t.bk * t.bn,
			"PartA": t.bk*t.bm%t.threads() != 0, "PartB": t.bk*t.bn%t.threads() != 0,
			"LoadA": loads(t.bk * t.bm), "LoadB": loads(t.bk * t.bn), "AlongA": along[0], "AlongB": along[1],
			"CallA": calls[0], "CallB": calls[1], "HeightA": heights[0], "HeightB": heights[1], "Order": order,
			"Rows": seq(t.tm), "Cols": seq(t.tn), "Depths": seq(unrolled), "Partial": partial,
			"Place": fmt.Sprintf("emit(%s, v);", at),
		},
	})
	if partial {
		part := &value{Value: &graph.Value{Shape: []int{parts, p.m, p.n}, Uses: 1}, stage: len(l.stages) - 1}
		s.outs = []*value{part}
		s = l.sums(c, []*value{part}, parts, p.m*p.n, "", "return x0[r * W + c];", nil)
	}
	if bias != nil {
		l.biased(s, c.out, bias)
	} else {
		l.result(s, c.out)
	}
}

// sum adds the stages of a call that adds up: for each of w columns, the sum of
// term(r, c) over rows rows, times scale unless it is empty.
func (l *lowering) sum(c call, rows, w int, consts, term, scale string) {
	const deep = 16 // terms of an invocation
	cx := columns(w)
	ry := 256 / cx
	in := known(c.in)
	chunks := max(1, min(enough, rows/(ry*deep)))
	if chunks > 1 {
		part := &value{Value: &graph.Value{Shape: []int{chunks, w}, Uses: 1}}
		l.sums(c, in, rows, w, consts, term, part)
		in, rows, consts, term = []*value{part}, chunks, "", "return x0[r * W + c];"
	}
	s := l.sums(c, in, rows, w, consts, term, nil)
	if scale == "" {
		l.result(s, c.out)
		return
	}
	s.local = map[*value]string{}
	s.size = c.out.Size()
	c.out.stage = len(l.stages) - 1
	s.then(c.out, "v0 * ("+scale+")")
}

// columns is how many columns a workgroup adds up side by side.
func columns(w int) int { return min(32, 1<<bits.Len(uint(w-1))) }

// sums adds one stage of sums. With part, the rows are cut into as many chunks as
// part has rows.
func (l *lowering) sums(c call, in []*value, rows, w int, consts, term string, part *value) *stage {
	cx := columns(w)
	ry := 256 / cx
	tiles := (w + cx - 1) / cx
	chunks := 1
	if part != nil {
		chunks = part.Shape[0]
	}
	var halves []int
	for h := ry / 2; h > 0; h /= 2 {
		halves = append(halves, h)
	}
	groups, row := grid(tiles*chunks, 1)
	s := l.push(&stage{
		name: string(c.Kind), kernel: "sum", groups: groups, in: in,
		args: map[string]any{
			"R": rows, "W": w, "CX": cx, "RY": ry, "Chunk": (rows + chunks - 1) / chunks, "Tiles": tiles, "Count": tiles * chunks, "Grid": row,
			"Consts": consts, "Term": term, "Halves": halves, "Partial": part != nil,
		},
	})
	if part != nil {
		part.stage = len(l.stages) - 1
		s.outs = []*value{part}
	}
	return s
}
