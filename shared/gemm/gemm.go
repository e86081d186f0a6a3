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
// multiplication" (2008): A and B are packed into panels as wide as the kernel's
// tile, blocked so that a panel of B stays in the L1 cache and a block of A in
// the L2 cache.
package gemm

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
	// exact computes C[0:mr, 0:nr] (rows ldc apart) from a packed panel of A
	// (k × mr) and of B (k × nr), starting from C itself if acc, else from 0.
	exact func(k int, a, b, c []float32, ldc int, acc bool)
	// fused is the same with products that are not rounded, or nil.
	fused func(k int, a, b, c []float32, ldc int, acc bool)
}

// active is the kernel in use: the best that the processor runs.
var active = kernels()[0]

// Kernel names the kernel in use, as benchmarks and `trainer info` print it.
func Kernel() string { return active.name }

// Workspace holds the buffers of a multiplication, grown on first use and kept.
// The zero value is ready. It is not safe for concurrent use.
type Workspace struct {
	// Fused lets the kernel fuse each product with its sum: up to twice as
	// fast, and no longer the same bits everywhere. For training.
	Fused bool

	a, b, tile []float32
}

// Packed is a right-hand matrix laid out for the kernel in use, so that weights
// that never change are packed once.
type Packed struct {
	K, N   int
	panels []float32
}

// Pack lays out the k × n matrix b.
func Pack(b View, k, n int) *Packed {
	p := &Packed{K: k, N: n, panels: make([]float32, k*roundUp(n, active.nr))}
	packB(p.panels, b, 0, k, n, k)
	return p
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
	w.b = grow(w.b, min(k, blockK)*roundUp(n, active.nr))
	for k0 := 0; k0 < k; k0 += blockK {
		kb := min(blockK, k-k0)
		packB(w.b, b, k0, kb, n, kb)
		w.block(c, ldc, m, n, k0, kb, kb, a, w.b, acc || k0 > 0)
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
	for k0 := 0; k0 < b.K; k0 += blockK {
		kb := min(blockK, b.K-k0)
		w.block(c, ldc, m, b.N, k0, kb, b.K, a, b.panels[k0*active.nr:], acc || k0 > 0)
	}
}

// block multiplies the columns [k0, k0+kb) of A with kb rows of packed B, whose
// panels are depth rows long.
func (w *Workspace) block(c []float32, ldc, m, n, k0, kb, depth int, a View, b []float32, acc bool) {
	mr, nr := active.mr, active.nr
	run := active.exact
	if w.Fused && active.fused != nil {
		run = active.fused
	}
	mb := blockM / mr * mr
	w.a = grow(w.a, roundUp(min(m, mb), mr)*kb)
	w.tile = grow(w.tile, mr*nr)
	for m0 := 0; m0 < m; m0 += mb {
		rows := min(mb, m-m0)
		packA(w.a, a, m0, rows, k0, kb, mr)
		for j := 0; j < n; j += nr {
			panel := b[j*depth : j*depth+kb*nr]
			cols := min(nr, n-j)
			for i := 0; i < rows; i += mr {
				pa := w.a[i*kb : i*kb+kb*mr]
				h := min(mr, rows-i)
				at := (m0+i)*ldc + j
				if h == mr && cols == nr {
					run(kb, pa, panel, c[at:at+(mr-1)*ldc+nr], ldc, acc)
					continue
				}
				// A tile at the edge goes through a full one.
				if acc {
					for r := range h {
						copy(w.tile[r*nr:r*nr+cols], c[at+r*ldc:at+r*ldc+cols])
					}
				}
				run(kb, pa, panel, w.tile, nr, acc)
				for r := range h {
					copy(c[at+r*ldc:at+r*ldc+cols], w.tile[r*nr:r*nr+cols])
				}
			}
		}
	}
}

// packA copies rows [m0, m0+m) and columns [k0, k0+k) of a into panels of mr
// rows, each column's mr elements together; missing rows are zero.
func packA(dst []float32, a View, m0, m, k0, k, mr int) {
	for i := 0; i < m; i += mr {
		panel := dst[i*k : i*k+k*mr]
		h := min(mr, m-i)
		base := (m0+i)*a.Row + k0*a.Col
		if h < mr {
			clear(panel)
		}
		if a.Row == 1 && h == mr {
			for p := range k {
				copy(panel[p*mr:p*mr+mr], a.Data[base+p*a.Col:base+p*a.Col+mr])
			}
			continue
		}
		for r := range h {
			at := base + r*a.Row
			if a.Col == 1 {
				src := a.Data[at : at+k]
				for p, v := range src {
					panel[p*mr+r] = v
				}
				continue
			}
			for p := range k {
				panel[p*mr+r] = a.Data[at]
				at += a.Col
			}
		}
	}
}

// packB copies rows [k0, k0+k) of the n columns of b into panels of nr columns;
// panels start depth·nr apart, missing columns are zero.
func packB(dst []float32, b View, k0, k, n, depth int) {
	nr := active.nr
	for j := 0; j < n; j += nr {
		panel := dst[j*depth : j*depth+k*nr]
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

func roundUp(n, to int) int { return (n + to - 1) / to * to }

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
