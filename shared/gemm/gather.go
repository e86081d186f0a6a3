package gemm

import (
	"fmt"

	"mppm/shared/vec"
)

// Start says where the sums of a product begin, and what is added to them in the end.
type Start int

// A sum begins at 0, at what stands in C, or at its column's bias; or it begins at 0, and
// what stands in C, or the bias, is added once it is complete.
const (
	Zero Start = iota
	FromC
	FromBias
	AddC
	AddBias
)

// Gather is a product C = A·B whose rows may lie anywhere: row i of A begins at number
// From[i] of A, and row i of C at number To[i] of C. A row of A is Runs runs of Run
// numbers, Jump numbers from the beginning of one to that of the next. Rows of C must not
// overlap one another, nor A. Of B, rows may be left out between those that runs meet.
type Gather struct {
	A, C            []float32
	From, To        []int32
	Runs, Run, Jump int
	At, Gap         int // run r meets the rows of B from At + r·(Run+Gap) on
	Start           Start
	Bias            []float32 // a number for each column, where Start has it
	ReLU            bool      // whether what is less than 0 becomes 0
}

// Gathers reports whether the kernel in use is made for a Gather. With all others, it is
// better to copy what is to be multiplied to where it lies in order.
func Gathers() bool { return active.gather != nil }

// MulGather computes the product of what g says with b.
func (w *Workspace) MulGather(g Gather, b *Packed) {
	if len(g.From) == 0 || b.N == 0 {
		return
	}
	if g.Run < 1 || g.At < 0 || g.Gap < 0 || g.At+g.Runs*(g.Run+g.Gap)-g.Gap > b.K || len(g.To) != len(g.From) || g.Start == FromBias && len(g.Bias) != b.N || g.Start == AddBias && len(g.Bias) != b.N {
		panic(fmt.Sprintf("gemm: %d rows of %d × %d numbers to %d rows, with %d biases, by a matrix of %d × %d", len(g.From), g.Runs, g.Run, len(g.To), len(g.Bias), b.K, b.N))
	}
	// What a kernel reads and writes is looked at here, once.
	var from, to uint32
	for i, at := range g.From {
		from, to = max(from, uint32(at)), max(to, uint32(g.To[i]))
	}
	_, _ = g.A[int(from)+(g.Runs-1)*g.Jump+g.Run-1], g.C[int(to)+b.N-1]
	if active.gather != nil {
		w.gather = g
		active.gather(w, &w.gather, b)
		return
	}
	gatherPlain(&g, b)
}

// gatherPlain is the definition, one number after the other.
func gatherPlain(g *Gather, b *Packed) {
	for i, from := range g.From {
		c := g.C[g.To[i]:][:b.N]
		for j, v := range c {
			var sum float32
			switch g.Start {
			case FromC:
				sum = v
			case FromBias:
				sum = g.Bias[j]
			}
			column := b.panels[j/active.nr*active.nr*b.K+j%active.nr:]
			for r := range g.Runs {
				for p, x := range g.A[int(from)+r*g.Jump:][:g.Run] {
					sum += float32(x * column[(g.At+r*(g.Run+g.Gap)+p)*active.nr])
				}
			}
			switch g.Start {
			case AddC:
				sum = v + sum
			case AddBias:
				sum = g.Bias[j] + sum
			}
			if g.ReLU && sum < 0 {
				sum = 0
			}
			c[j] = sum
		}
	}
}

// Columns returns the columns [lo, hi) of p, in the same memory. lo must be a multiple of 32,
// which is a whole number of any kernel's panels.
func (p *Packed) Columns(lo, hi int) *Packed {
	return &Packed{K: p.K, N: hi - lo, panels: p.panels[lo*p.K:]}
}

// Layer is what becomes of a product that is a layer of a net: the sums begin at the
// bias, a number for each column, and what is less than 0 becomes 0 if ReLU is set.
type Layer struct {
	Bias []float32
	ReLU bool
}

// LayerPacked computes the layer of A, m × b.K, and writes it to c, m × b.N, rows one
// after the other.
func (w *Workspace) LayerPacked(c []float32, m int, a View, b *Packed, l Layer) {
	if active.gather != nil && a.Col == 1 && m > 0 {
		w.regular(m, a.Row, b.N)
		w.MulGather(Gather{A: a.Data, C: c, From: w.from, To: w.to, Runs: 1, Run: b.K, Start: FromBias, Bias: l.Bias, ReLU: l.ReLU}, b)
		return
	}
	// As many rows at a time as the product takes, while they are in the cache.
	for lo := 0; lo < m; lo += blockM {
		n := min(blockM, m-lo)
		dst := c[lo*b.N : (lo+n)*b.N]
		vec.Repeat(dst, l.Bias)
		w.MulPacked(dst, b.N, n, View{a.Data[lo*a.Row:], a.Row, a.Col}, b, true)
		if l.ReLU {
			vec.ReLU(dst, dst)
		}
	}
}

// LayerPatches computes the layer of patches and writes it to c, a row of b.N numbers for
// each patch, one after the other.
func (w *Workspace) LayerPatches(c []float32, p *Patches, b *Packed, l Layer) {
	vec.Repeat(c, l.Bias)
	w.MulPatches(c, Places{p.Rows * p.Cols * b.N, p.Cols * b.N, b.N}, p, b, true)
	if l.ReLU {
		vec.ReLU(c, c)
	}
}

// regular sets the workspace's tables to m rows, those of A and of C so far apart.
func (w *Workspace) regular(m, a, c int) {
	w.from, w.to = growTable(w.from, m), growTable(w.to, m)
	for i := range m {
		w.from[i], w.to[i] = int32(i*a), int32(i*c)
	}
}

// places sets the workspace's tables to the patches, and to where their products lie.
func (w *Workspace) places(p *Patches, at Places) {
	m := p.Images * p.Rows * p.Cols
	w.from, w.to = growTable(w.from, m), growTable(w.to, m)
	n := 0
	for i := range p.Images {
		for y := range p.Rows {
			a, c := i*p.Image+y*p.Y, i*at.Image+y*at.Y
			from, to := w.from[n:n+p.Cols], w.to[n:n+p.Cols]
			for x := range from {
				from[x], to[x] = int32(a+x*p.X), int32(c+x*at.X)
			}
			n += p.Cols
		}
	}
}

func growTable(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}
