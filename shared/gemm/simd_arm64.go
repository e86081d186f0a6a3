//go:build goexperiment.simd

package gemm

import (
	"simd/archsimd"
	"unsafe"
)

// kernels lists the kernels of the target: NEON is part of every arm64.
func kernels() []kernel {
	return []kernel{{"neon", 8, 8, neonExact, neonFused}, scalar}
}

func load4(p unsafe.Pointer) archsimd.Float32x4 {
	return archsimd.LoadFloat32x4Array((*[4]float32)(p))
}

func store4(x archsimd.Float32x4, p unsafe.Pointer) { x.StoreArray((*[4]float32)(p)) }

// neonExact rounds every product.
func neonExact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[7*ar+(k-1)*ac]
	_ = b[(k-1)*br+7]
	_ = c[7*ldc+7]
	pa, pb, pc := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	row := uintptr(ldc) * 4
	ar4, ac4, br4 := uintptr(ar)*4, uintptr(ac)*4, uintptr(br)*4
	a1, a2, a3, a4, a5, a6, a7 := unsafe.Add(pa, ar4), unsafe.Add(pa, 2*ar4), unsafe.Add(pa, 3*ar4), unsafe.Add(pa, 4*ar4), unsafe.Add(pa, 5*ar4), unsafe.Add(pa, 6*ar4), unsafe.Add(pa, 7*ar4)
	var c0a, c0b archsimd.Float32x4
	var c1a, c1b archsimd.Float32x4
	var c2a, c2b archsimd.Float32x4
	var c3a, c3b archsimd.Float32x4
	var c4a, c4b archsimd.Float32x4
	var c5a, c5b archsimd.Float32x4
	var c6a, c6b archsimd.Float32x4
	var c7a, c7b archsimd.Float32x4
	if acc {
		c0a = load4(pc)
		c0b = load4(unsafe.Add(pc, 16))
		c1a = load4(unsafe.Add(pc, row))
		c1b = load4(unsafe.Add(pc, row+16))
		c2a = load4(unsafe.Add(pc, 2*row))
		c2b = load4(unsafe.Add(pc, 2*row+16))
		c3a = load4(unsafe.Add(pc, 3*row))
		c3b = load4(unsafe.Add(pc, 3*row+16))
		c4a = load4(unsafe.Add(pc, 4*row))
		c4b = load4(unsafe.Add(pc, 4*row+16))
		c5a = load4(unsafe.Add(pc, 5*row))
		c5b = load4(unsafe.Add(pc, 5*row+16))
		c6a = load4(unsafe.Add(pc, 6*row))
		c6b = load4(unsafe.Add(pc, 6*row+16))
		c7a = load4(unsafe.Add(pc, 7*row))
		c7b = load4(unsafe.Add(pc, 7*row+16))
	}
	var oa, ob uintptr // offsets, so that no pointer ever leaves its panel
	for range k {
		ba := load4(unsafe.Add(pb, ob))
		bb := load4(unsafe.Add(pb, ob+16))
		x := archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(pa, oa)))
		c0a = c0a.Add(x.Mul(ba))
		c0b = c0b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a1, oa)))
		c1a = c1a.Add(x.Mul(ba))
		c1b = c1b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a2, oa)))
		c2a = c2a.Add(x.Mul(ba))
		c2b = c2b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a3, oa)))
		c3a = c3a.Add(x.Mul(ba))
		c3b = c3b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a4, oa)))
		c4a = c4a.Add(x.Mul(ba))
		c4b = c4b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a5, oa)))
		c5a = c5a.Add(x.Mul(ba))
		c5b = c5b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a6, oa)))
		c6a = c6a.Add(x.Mul(ba))
		c6b = c6b.Add(x.Mul(bb))
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a7, oa)))
		c7a = c7a.Add(x.Mul(ba))
		c7b = c7b.Add(x.Mul(bb))
		oa, ob = oa+ac4, ob+br4
	}
	store4(c0a, pc)
	store4(c0b, unsafe.Add(pc, 16))
	store4(c1a, unsafe.Add(pc, row))
	store4(c1b, unsafe.Add(pc, row+16))
	store4(c2a, unsafe.Add(pc, 2*row))
	store4(c2b, unsafe.Add(pc, 2*row+16))
	store4(c3a, unsafe.Add(pc, 3*row))
	store4(c3b, unsafe.Add(pc, 3*row+16))
	store4(c4a, unsafe.Add(pc, 4*row))
	store4(c4b, unsafe.Add(pc, 4*row+16))
	store4(c5a, unsafe.Add(pc, 5*row))
	store4(c5b, unsafe.Add(pc, 5*row+16))
	store4(c6a, unsafe.Add(pc, 6*row))
	store4(c6b, unsafe.Add(pc, 6*row+16))
	store4(c7a, unsafe.Add(pc, 7*row))
	store4(c7b, unsafe.Add(pc, 7*row+16))
}

// neonFused fuses each product with its sum.
func neonFused(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[7*ar+(k-1)*ac]
	_ = b[(k-1)*br+7]
	_ = c[7*ldc+7]
	pa, pb, pc := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	row := uintptr(ldc) * 4
	ar4, ac4, br4 := uintptr(ar)*4, uintptr(ac)*4, uintptr(br)*4
	a1, a2, a3, a4, a5, a6, a7 := unsafe.Add(pa, ar4), unsafe.Add(pa, 2*ar4), unsafe.Add(pa, 3*ar4), unsafe.Add(pa, 4*ar4), unsafe.Add(pa, 5*ar4), unsafe.Add(pa, 6*ar4), unsafe.Add(pa, 7*ar4)
	var c0a, c0b archsimd.Float32x4
	var c1a, c1b archsimd.Float32x4
	var c2a, c2b archsimd.Float32x4
	var c3a, c3b archsimd.Float32x4
	var c4a, c4b archsimd.Float32x4
	var c5a, c5b archsimd.Float32x4
	var c6a, c6b archsimd.Float32x4
	var c7a, c7b archsimd.Float32x4
	if acc {
		c0a = load4(pc)
		c0b = load4(unsafe.Add(pc, 16))
		c1a = load4(unsafe.Add(pc, row))
		c1b = load4(unsafe.Add(pc, row+16))
		c2a = load4(unsafe.Add(pc, 2*row))
		c2b = load4(unsafe.Add(pc, 2*row+16))
		c3a = load4(unsafe.Add(pc, 3*row))
		c3b = load4(unsafe.Add(pc, 3*row+16))
		c4a = load4(unsafe.Add(pc, 4*row))
		c4b = load4(unsafe.Add(pc, 4*row+16))
		c5a = load4(unsafe.Add(pc, 5*row))
		c5b = load4(unsafe.Add(pc, 5*row+16))
		c6a = load4(unsafe.Add(pc, 6*row))
		c6b = load4(unsafe.Add(pc, 6*row+16))
		c7a = load4(unsafe.Add(pc, 7*row))
		c7b = load4(unsafe.Add(pc, 7*row+16))
	}
	var oa, ob uintptr // offsets, so that no pointer ever leaves its panel
	for range k {
		ba := load4(unsafe.Add(pb, ob))
		bb := load4(unsafe.Add(pb, ob+16))
		x := archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(pa, oa)))
		c0a = x.MulAdd(ba, c0a)
		c0b = x.MulAdd(bb, c0b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a1, oa)))
		c1a = x.MulAdd(ba, c1a)
		c1b = x.MulAdd(bb, c1b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a2, oa)))
		c2a = x.MulAdd(ba, c2a)
		c2b = x.MulAdd(bb, c2b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a3, oa)))
		c3a = x.MulAdd(ba, c3a)
		c3b = x.MulAdd(bb, c3b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a4, oa)))
		c4a = x.MulAdd(ba, c4a)
		c4b = x.MulAdd(bb, c4b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a5, oa)))
		c5a = x.MulAdd(ba, c5a)
		c5b = x.MulAdd(bb, c5b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a6, oa)))
		c6a = x.MulAdd(ba, c6a)
		c6b = x.MulAdd(bb, c6b)
		x = archsimd.BroadcastFloat32x4(*(*float32)(unsafe.Add(a7, oa)))
		c7a = x.MulAdd(ba, c7a)
		c7b = x.MulAdd(bb, c7b)
		oa, ob = oa+ac4, ob+br4
	}
	store4(c0a, pc)
	store4(c0b, unsafe.Add(pc, 16))
	store4(c1a, unsafe.Add(pc, row))
	store4(c1b, unsafe.Add(pc, row+16))
	store4(c2a, unsafe.Add(pc, 2*row))
	store4(c2b, unsafe.Add(pc, 2*row+16))
	store4(c3a, unsafe.Add(pc, 3*row))
	store4(c3b, unsafe.Add(pc, 3*row+16))
	store4(c4a, unsafe.Add(pc, 4*row))
	store4(c4b, unsafe.Add(pc, 4*row+16))
	store4(c5a, unsafe.Add(pc, 5*row))
	store4(c5b, unsafe.Add(pc, 5*row+16))
	store4(c6a, unsafe.Add(pc, 6*row))
	store4(c6b, unsafe.Add(pc, 6*row+16))
	store4(c7a, unsafe.Add(pc, 7*row))
	store4(c7b, unsafe.Add(pc, 7*row+16))
}
