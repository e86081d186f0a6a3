//go:build goexperiment.simd && !purego && linkedkernel

package gemm

import (
	"math"
	"unsafe"
)

// tiles and row are of kernel.wasm, which whoever loads the program has to link with it:
// 4·n rows of a product, and one. What stands in tables is in numbers of 4 bytes, and all
// distances are in bytes.
//
//go:wasmimport mppm tiles
//go:noescape
func tiles(n, k, runs, jump int32, a, from unsafe.Pointer, ac int32, b unsafe.Pointer, br, gap, panels, span int32, c, to, bias unsafe.Pointer, start int32, floor float32)

//go:wasmimport mppm row
//go:noescape
func row(k, runs, jump int32, a, b unsafe.Pointer, gap, panels, span int32, c, bias unsafe.Pointer, start int32, floor float32)

// The tile of tiles.
const handM, handN = 4, 8

var none = float32(math.Inf(-1)) // a floor that nothing is below

// handTile is a tile as exact has it.
func handTile(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[(handM-1)*ar+(k-1)*ac]
	_ = b[(k-1)*br+handN-1]
	_ = c[(handM-1)*ldc+handN-1]
	var from, to [handM]int32
	for r := range handM {
		from[r], to[r] = int32(r*ar), int32(r*ldc)
	}
	start := Zero
	if acc {
		start = FromC
	}
	tiles(1, int32(k), 1, 0, unsafe.Pointer(&a[0]), unsafe.Pointer(&from[0]), int32(4*ac), unsafe.Pointer(&b[0]), int32(4*br), 0, 1, 0, unsafe.Pointer(&c[0]), unsafe.Pointer(&to[0]), nil, int32(start), none)
}

// handGather computes whole panels of B where C lies. What columns are left go through
// panels of their own, and all of them if there are few, so that one row has enough sums
// to go on with.
func handGather(w *Workspace, g *Gather, b *Packed) {
	cols := b.N / handN * handN
	if cols < b.N && cols < 3*handN {
		cols = 0
	}
	if cols > 0 {
		handPanels(g, g.C, g.To, g.Bias, cols/handN, b.K, b.panels)
	}
	if cols == b.N {
		return
	}
	rest, width := b.N-cols, roundUp(b.N-cols, handN)
	m := len(g.From)
	w.tile = grow(w.tile, (m+1)*width) // the bias, and the rows
	tables := len(w.to)
	for i := range m {
		w.to = append(w.to, int32(i*width)) // behind g.To, if that is there
	}
	into := w.to[tables:]
	w.to = w.to[:tables]
	bias, tile := w.tile[:width], w.tile[width:]
	if g.Start == FromC || g.Start == AddC {
		for i, to := range g.To {
			copy(tile[i*width:], g.C[int(to)+cols:][:rest])
		}
	}
	if len(g.Bias) > 0 {
		clear(bias[copy(bias, g.Bias[cols:]):])
	}
	handPanels(g, tile, into, bias, width/handN, b.K, b.panels[cols*b.K:])
	for i, to := range g.To {
		c := g.C[int(to)+cols:][:rest]
		if rest == 1 {
			c[0] = tile[i*width]
			continue
		}
		copy(c, tile[i*width:])
	}
}

// handPanels computes so many panels of a product.
func handPanels(g *Gather, c []float32, to []int32, bias []float32, panels, depth int, b []float32) {
	floor := none
	if g.ReLU {
		floor = 0
	}
	var first unsafe.Pointer
	if len(bias) > 0 {
		first = unsafe.Pointer(&bias[0])
	}
	_ = b[panels*depth*handN-1]
	n := len(g.From) / handM
	k, runs, jump := int32(g.Run), int32(g.Runs), int32(4*(g.Jump-g.Run))
	at, gap, span := g.At*handN, int32(4*g.Gap*handN), int32(4*handN*depth)
	if n > 0 {
		tiles(int32(n), k, runs, jump, unsafe.Pointer(&g.A[0]), unsafe.Pointer(&g.From[0]), 4, unsafe.Pointer(&b[at]), 4*handN, gap, int32(panels), span, unsafe.Pointer(&c[0]), unsafe.Pointer(&to[0]), first, int32(g.Start), floor)
	}
	for i := n * handM; i < len(g.From); i++ {
		row(k, runs, jump, unsafe.Pointer(&g.A[g.From[i]]), unsafe.Pointer(&b[at]), gap, int32(panels), span, unsafe.Pointer(&c[to[i]]), first, int32(g.Start), floor)
	}
}

// kernels lists the kernels of the target, the best first.
func kernels() []kernel {
	return []kernel{{name: "simd128 by hand", mr: handM, nr: handN, exact: handTile, gather: handGather}, simd128, scalar}
}
