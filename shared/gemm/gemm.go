// Package gemm multiplies float32 matrices.
//
// The product is defined by its order of summation: each element of C is
//
//	c ← c + a[i,0]·b[0,j],  then  c ← c + a[i,1]·b[1,j],  …
//
// with k ascending and every product and every sum rounded to float32. A kernel
// may compute as many elements side by side as it has lanes, but never splits
// or reorders one element's sum. So the scalar kernel, AVX2, AVX-512, NEON and
// WebAssembly SIMD give the same bits, and a flow computed in a browser is the
// flow computed natively. A Workspace with Fused set gives that up for speed:
// products are then not rounded where the processor can fuse them.
//
// The layout follows Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008): blocks are cut so that a panel of B, as wide as the
// kernel's tile, stays in the L1 cache and a block of A in the L2 cache. What can
// be read where it is (A, and a B whose rows are contiguous) is not packed; the
// products of these nets are too small to pay for it.
//
// The tiles are in assembly on amd64 and arm64, whatever the build's experiments
// are, and in Go elsewhere: in WebAssembly with GOEXPERIMENT=simd by its vectors, or by
// hand where the program is built with the tag linkedkernel and linked with kernel.js,
// and everywhere with the build tag purego by scalars. Slices have to be as long as the
// sizes of a call say: it is not a kernel's to ask.
package gemm

//go:generate go run ./gen

// View is a matrix in place: element (i, j) is Data[i*Row+j*Col]. Row-major is
// Col = 1; the transpose of a view has Row and Col swapped.
type View struct {
	Data     []float32
	Row, Col int
}

// Rows returns the row-major view of a matrix with cols columns.
func Rows(data []float32, cols int) View { return View{data, cols, 1} }

// T returns the transpose of v; nothing is copied.
func (v View) T() View { return View{v.Data, v.Col, v.Row} }

// Block sizes. kc·nr floats of B (at most 32 KiB) and mc·kc floats of A
// (at most 192 KiB) are hot at a time.
const (
	blockK = 256
	blockM = 192
)

// kernel is one implementation of the inner tile.
type kernel struct {
	name string
	// mr × nr is the tile of C one call computes.
	mr, nr int
	// exact computes C[0:mr, 0:nr] (rows ldc apart) from mr rows of A, whose
	// element (i, p) is a[i*ar+p*ac], and nr columns of B, whose rows are br
	// apart, starting from C itself if acc, else from 0.
	exact tile
	// fused is the same with products that are not rounded, or nil.
	fused tile
	// gather computes a whole product, as MulGather does; or nil.
	gather func(w *Workspace, g *Gather, b *Packed)
	// runs computes a tile as exact and fused do, of an A whose columns lie in runs of
	// k, jump apart; or nil.
	runs runTile
	// narrow is runs for a tile of narrowM rows and half as many columns, or nil.
	narrow  runTile
	narrowM int
}

type tile func(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool)

type runTile func(k, runs int, a []float32, ar, ac, jump int, b []float32, br int, c []float32, ldc int, acc, fused bool)

// active is the kernel in use: the best that the processor runs.
var active = kernels()[0]

// Kernel names the kernel in use, as benchmarks print it.
func Kernel() string { return active.name }

// Vectors reports whether the kernel in use computes with vectors. Without, what
// takes long takes about ten times as long.
func Vectors() bool { return active.name != scalar.name }

// Workspace holds the buffers of a multiplication, grown on first use and kept.
// The zero value is ready. It is not safe for concurrent use.
type Workspace struct {
	// Fused lets the kernel fuse each product with its sum: up to twice as
	// fast, and no longer the same bits everywhere. For training.
	Fused bool

	a, b, tile []float32

	gather   Gather // under way
	from, to []int32
}

// Packed is a right-hand matrix laid out for the kernel in use, so that weights
// that many products share are packed once.
type Packed struct {
	K, N   int
	panels []float32
}

// Pack lays out the k × n matrix b.
func Pack(b View, k, n int) *Packed {
	p := new(Packed)
	p.Pack(b, k, n)
	return p
}

// Pack lays out the k × n matrix b in p, in the memory that p has if it is enough.
func (p *Packed) Pack(b View, k, n int) {
	p.K, p.N, p.panels = k, n, grow(p.panels, k*roundUp(n, active.nr))
	packB(p.panels, b, 0, k, n, 0)
}

// operand is where block finds some rows of B: its first columns where they
// are, rows apart, and those from column packed on in panels, depth apart.
type operand struct {
	direct        []float32
	rows          int
	packed, depth int
	panels        []float32
}

// panel returns nr columns from column j on, and how far apart their rows are.
func (o *operand) panel(j, nr int) ([]float32, int) {
	if j < o.packed {
		return o.direct[j:], o.rows
	}
	return o.panels[(j-o.packed)*o.depth:], nr
}

// Mul computes C = A·B, or C += A·B if acc: A is m × k, B is k × n, and C's
// element (i, j) is c[i*ldc+j]. C must not overlap A or B.
func (w *Workspace) Mul(c []float32, ldc, m, n, k int, a, b View, acc bool) {
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		clearTile(c, ldc, m, n, acc)
		return
	}
	o := operand{rows: b.Row}
	if b.Col == 1 {
		o.packed = n / active.nr * active.nr
	}
	w.b = grow(w.b, min(k, blockK)*roundUp(n-o.packed, active.nr))
	for k0 := 0; k0 < k; k0 += blockK {
		kb := min(blockK, k-k0)
		o.direct, o.panels, o.depth = b.Data[k0*b.Row:], w.b, kb
		packB(w.b, b, k0, kb, n, o.packed)
		w.block(c, ldc, m, n, k0, kb, a, &o, acc || k0 > 0)
	}
}

// MulPacked is Mul with B packed beforehand: C (m × b.N) = A (m × b.K) · B.
func (w *Workspace) MulPacked(c []float32, ldc, m int, a View, b *Packed, acc bool) {
	if m == 0 || b.N == 0 {
		return
	}
	if b.K == 0 {
		clearTile(c, ldc, m, b.N, acc)
		return
	}
	if active.gather != nil && a.Col == 1 {
		w.regular(m, a.Row, ldc)
		w.MulGather(Gather{A: a.Data, C: c, From: w.from, To: w.to, Runs: 1, Run: b.K, Start: start(acc)}, b)
		return
	}
	o := operand{depth: b.K}
	for k0 := 0; k0 < b.K; k0 += blockK {
		o.panels = b.panels[k0*active.nr:]
		w.block(c, ldc, m, b.N, k0, min(blockK, b.K-k0), a, &o, acc || k0 > 0)
	}
}

// block multiplies the columns [k0, k0+kb) of A with kb rows of B. The kernel
// reads A where it is: packed, each element would be written once to be read as
// often as B has panels, which are few here.
func (w *Workspace) block(c []float32, ldc, m, n, k0, kb int, a View, b *operand, acc bool) {
	mr, nr := active.mr, active.nr
	run := active.exact
	if w.Fused && active.fused != nil {
		run = active.fused
	}
	w.tile = grow(w.tile, mr*nr)
	edge := m / mr * mr
	if edge < m {
		w.a = grow(w.a, mr*kb)
		packA(w.a, a, edge, m-edge, k0, kb, mr)
	}
	for m0 := 0; m0 < m; m0 += blockM / mr * mr {
		end := min(m, m0+blockM/mr*mr)
		for j := 0; j < n; j += nr {
			panel, br := b.panel(j, nr)
			cols := min(nr, n-j)
			for i := m0; i < end; i += mr {
				pa, ar, ac := w.a, 1, mr
				if i < edge {
					pa, ar, ac = a.Data[i*a.Row+k0*a.Col:], a.Row, a.Col
				}
				h := min(mr, m-i)
				at := i*ldc + j
				if h == mr && cols == nr {
					run(kb, pa, ar, ac, panel, br, c[at:at+(mr-1)*ldc+nr], ldc, acc)
					continue
				}
				// A tile at the edge goes through a full one.
				if acc {
					for r := range h {
						copy(w.tile[r*nr:r*nr+cols], c[at+r*ldc:at+r*ldc+cols])
					}
				}
				run(kb, pa, ar, ac, panel, br, w.tile, nr, acc)
				for r := range h {
					copy(c[at+r*ldc:at+r*ldc+cols], w.tile[r*nr:r*nr+cols])
				}
			}
		}
	}
}

// packA copies the last m rows, fewer than mr, from row m0 on, and the columns
// [k0, k0+k) of a into a panel of mr rows, each column's elements together; the
// other rows are zero.
func packA(panel []float32, a View, m0, m, k0, k, mr int) {
	clear(panel[:k*mr])
	for r := range m {
		at := (m0+r)*a.Row + k0*a.Col
		for p := range k {
			panel[p*mr+r] = a.Data[at]
			at += a.Col
		}
	}
}

// packB copies rows [k0, k0+k) of the columns [j0, n) of b into panels of nr
// columns, one after the other; missing columns are zero.
func packB(dst []float32, b View, k0, k, n, j0 int) {
	nr := active.nr
	for j := j0; j < n; j += nr {
		panel := dst[(j-j0)*k : (j-j0)*k+k*nr]
		cols := min(nr, n-j)
		if cols < nr {
			clear(panel)
		}
		base := k0*b.Row + j*b.Col
		if b.Col == 1 {
			for p := range k {
				copy(panel[p*nr:p*nr+cols], b.Data[base+p*b.Row:base+p*b.Row+cols])
			}
			continue
		}
		for q := range cols {
			at := base + q*b.Col
			for p := range k {
				panel[p*nr+q] = b.Data[at]
				at += b.Row
			}
		}
	}
}

func clearTile(c []float32, ldc, m, n int, acc bool) {
	if acc {
		return
	}
	for i := range m {
		clear(c[i*ldc : i*ldc+n])
	}
}

// start is where the sums of a product begin that is added to C if acc.
func start(acc bool) Start {
	if acc {
		return FromC
	}
	return Zero
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
