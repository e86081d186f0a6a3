//go:build goexperiment.simd && !purego

package gemm

import (
	"simd/archsimd"
	"unsafe"
)

// simd128 is the tile in Go. 4 × 8 measured best: V8 has 16 vector registers to map it
// to, and Go's compiler needs some for itself. Fused products are emulated here and
// slow.
var simd128 = kernel{name: "simd128", mr: 4, nr: 8, exact: simd128Exact}

func load4(p unsafe.Pointer) archsimd.Float32x4 {
	return archsimd.LoadFloat32x4Array((*[4]float32)(p))
}

func store4(x archsimd.Float32x4, p unsafe.Pointer) { x.StoreArray((*[4]float32)(p)) }

// simd128Exact rounds every product.
func simd128Exact(k int, a []float32, ar, ac int, b []float32, br int, c []float32, ldc int, acc bool) {
	_ = a[3*ar+(k-1)*ac]
	_ = b[(k-1)*br+7]
	_ = c[3*ldc+7]
	pa, pb, pc := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0]), unsafe.Pointer(&c[0])
	row := uintptr(ldc) * 4
	ar4, ac4, br4 := uintptr(ar)*4, uintptr(ac)*4, uintptr(br)*4
	a1, a2, a3 := unsafe.Add(pa, ar4), unsafe.Add(pa, 2*ar4), unsafe.Add(pa, 3*ar4)
	var c0a, c0b archsimd.Float32x4
	var c1a, c1b archsimd.Float32x4
	var c2a, c2b archsimd.Float32x4
	var c3a, c3b archsimd.Float32x4
	if acc {
		c0a = load4(pc)
		c0b = load4(unsafe.Add(pc, 16))
		c1a = load4(unsafe.Add(pc, row))
		c1b = load4(unsafe.Add(pc, row+16))
		c2a = load4(unsafe.Add(pc, 2*row))
		c2b = load4(unsafe.Add(pc, 2*row+16))
		c3a = load4(unsafe.Add(pc, 3*row))
		c3b = load4(unsafe.Add(pc, 3*row+16))
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
}
