//go:build goexperiment.simd

package gemm

import (
	"simd/archsimd"
	"unsafe"
)

// kernels lists the kernels this processor runs, the best first.
//
// The tiles: 12 accumulators of two vectors' width are enough to hide the
// latency of an addition (4 cycles at two a cycle), and with two vectors of B,
// one broadcast and one product they fit the 16 registers of AVX2 (4 × 16) and
// the 32 of AVX-512 (6 × 32). The checks at the top of each kernel stand for the
// ones that the unsafe pointers skip. Each clears the registers' upper halves at
// its end, because Go's scalar code is SSE, which is slow while they hold anything.
func kernels() []kernel {
	var k []kernel
	if archsimd.X86.AVX512() {
		k = append(k, kernel{"avx512", 6, 32, avx512Exact, avx512Fused})
	}
	if archsimd.X86.AVX2() && archsimd.X86.FMA() {
		k = append(k, kernel{"avx2", 4, 16, avx2Exact, avx2Fused})
	}
	return append(k, scalar)
}

func load16(p unsafe.Pointer) archsimd.Float32x16 {
	return archsimd.LoadFloat32x16Array((*[16]float32)(p))
}

func store16(x archsimd.Float32x16, p unsafe.Pointer) { x.StoreArray((*[16]float32)(p)) }

func load8(p unsafe.Pointer) archsimd.Float32x8 {
	return archsimd.LoadFloat32x8Array((*[8]float32)(p))
}

func store8(x archsimd.Float32x8, p unsafe.Pointer) { x.StoreArray((*[8]float32)(p)) }

// avx512Exact rounds every product.
func avx512Exact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[5*ar+(k-1)*ac]
	_ = b[(k-1)*br+31]
	_ = c[5*ldc+31]
	pa, pb, pc := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	row := uintptr(ldc) * 4
	ar4, ac4, br4 := uintptr(ar)*4, uintptr(ac)*4, uintptr(br)*4
	a1, a2, a3, a4, a5 := unsafe.Add(pa, ar4), unsafe.Add(pa, 2*ar4), unsafe.Add(pa, 3*ar4), unsafe.Add(pa, 4*ar4), unsafe.Add(pa, 5*ar4)
	var c0a, c0b archsimd.Float32x16
	var c1a, c1b archsimd.Float32x16
	var c2a, c2b archsimd.Float32x16
	var c3a, c3b archsimd.Float32x16
	var c4a, c4b archsimd.Float32x16
	var c5a, c5b archsimd.Float32x16
	if acc {
		c0a = load16(pc)
		c0b = load16(unsafe.Add(pc, 64))
		c1a = load16(unsafe.Add(pc, row))
		c1b = load16(unsafe.Add(pc, row+64))
		c2a = load16(unsafe.Add(pc, 2*row))
		c2b = load16(unsafe.Add(pc, 2*row+64))
		c3a = load16(unsafe.Add(pc, 3*row))
		c3b = load16(unsafe.Add(pc, 3*row+64))
		c4a = load16(unsafe.Add(pc, 4*row))
		c4b = load16(unsafe.Add(pc, 4*row+64))
		c5a = load16(unsafe.Add(pc, 5*row))
		c5b = load16(unsafe.Add(pc, 5*row+64))
	}
	var oa, ob uintptr // offsets, so that no pointer ever leaves its panel
	for range k {
		ba := load16(unsafe.Add(pb, ob))
		bb := load16(unsafe.Add(pb, ob+64))
		x := archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(pa, oa)))
		c0a = c0a.Add(x.Mul(ba))
		c0b = c0b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(a1, oa)))
		c1a = c1a.Add(x.Mul(ba))
		c1b = c1b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(a2, oa)))
		c2a = c2a.Add(x.Mul(ba))
		c2b = c2b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(a3, oa)))
		c3a = c3a.Add(x.Mul(ba))
		c3b = c3b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(a4, oa)))
		c4a = c4a.Add(x.Mul(ba))
		c4b = c4b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(a5, oa)))
		c5a = c5a.Add(x.Mul(ba))
		c5b = c5b.Add(x.Mul(bb))
		oa, ob = oa+ac4, ob+br4
	}
	store16(c0a, pc)
	store16(c0b, unsafe.Add(pc, 64))
	store16(c1a, unsafe.Add(pc, row))
	store16(c1b, unsafe.Add(pc, row+64))
	store16(c2a, unsafe.Add(pc, 2*row))
	store16(c2b, unsafe.Add(pc, 2*row+64))
	store16(c3a, unsafe.Add(pc, 3*row))
	store16(c3b, unsafe.Add(pc, 3*row+64))
	store16(c4a, unsafe.Add(pc, 4*row))
	store16(c4b, unsafe.Add(pc, 4*row+64))
	store16(c5a, unsafe.Add(pc, 5*row))
	store16(c5b, unsafe.Add(pc, 5*row+64))
	archsimd.ClearAVXUpperBits()
}

// avx512Fused fuses each product with its sum.
func avx512Fused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[5*ar+(k-1)*ac]
	_ = b[(k-1)*br+31]
	_ = c[5*ldc+31]
	fused6x32(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc)
}

// avx2Exact rounds every product.
func avx2Exact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[3*ar+(k-1)*ac]
	_ = b[(k-1)*br+15]
	_ = c[3*ldc+15]
	pa, pb, pc := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	row := uintptr(ldc) * 4
	ar4, ac4, br4 := uintptr(ar)*4, uintptr(ac)*4, uintptr(br)*4
	a1, a2, a3 := unsafe.Add(pa, ar4), unsafe.Add(pa, 2*ar4), unsafe.Add(pa, 3*ar4)
	var c0a, c0b archsimd.Float32x8
	var c1a, c1b archsimd.Float32x8
	var c2a, c2b archsimd.Float32x8
	var c3a, c3b archsimd.Float32x8
	if acc {
		c0a = load8(pc)
		c0b = load8(unsafe.Add(pc, 32))
		c1a = load8(unsafe.Add(pc, row))
		c1b = load8(unsafe.Add(pc, row+32))
		c2a = load8(unsafe.Add(pc, 2*row))
		c2b = load8(unsafe.Add(pc, 2*row+32))
		c3a = load8(unsafe.Add(pc, 3*row))
		c3b = load8(unsafe.Add(pc, 3*row+32))
	}
	var oa, ob uintptr // offsets, so that no pointer ever leaves its panel
	for range k {
		ba := load8(unsafe.Add(pb, ob))
		bb := load8(unsafe.Add(pb, ob+32))
		x := archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(pa, oa)))
		c0a = c0a.Add(x.Mul(ba))
		c0b = c0b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(a1, oa)))
		c1a = c1a.Add(x.Mul(ba))
		c1b = c1b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(a2, oa)))
		c2a = c2a.Add(x.Mul(ba))
		c2b = c2b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(a3, oa)))
		c3a = c3a.Add(x.Mul(ba))
		c3b = c3b.Add(x.Mul(bb))
		oa, ob = oa+ac4, ob+br4
	}
	store8(c0a, pc)
	store8(c0b, unsafe.Add(pc, 32))
	store8(c1a, unsafe.Add(pc, row))
	store8(c1b, unsafe.Add(pc, row+32))
	store8(c2a, unsafe.Add(pc, 2*row))
	store8(c2b, unsafe.Add(pc, 2*row+32))
	store8(c3a, unsafe.Add(pc, 3*row))
	store8(c3b, unsafe.Add(pc, 3*row+32))
	archsimd.ClearAVXUpperBits()
}

// avx2Fused fuses each product with its sum.
func avx2Fused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[3*ar+(k-1)*ac]
	_ = b[(k-1)*br+15]
	_ = c[3*ldc+15]
	fused4x16(k, &a[0], ar, ac, &b[0], br, &c[0], ldc, acc)
}

// The fused tiles, what training spends its time in, are in assembly: a
// broadcast from memory costs no arithmetic port, and the compiler has none.

//go:noescape
func fused6x32(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc bool)

//go:noescape
func fused4x16(k int, a *float32, ar, ac int, b *float32, br int, c *float32, ldc int, acc bool)
