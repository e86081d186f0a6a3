//go:build goexperiment.simd && !purego

package vec

import "simd"

// Exp sets dst[i] = e^src[i]; see Exp1. dst may be src.
func Exp(dst, src []float32) {
	dst = dst[:len(src)]
	l := simd.BroadcastFloat32s(0).Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		exps(simd.LoadFloat32s(src[i:])).Store(dst[i:])
	}
	clearUpper()
	expScalar(dst[n:], src[n:])
}

// ReLU sets dst[i] to src[i], or to zero where that is negative; NaN stays. dst
// may be src.
func ReLU(dst, src []float32) {
	dst = dst[:len(src)]
	zero := simd.BroadcastFloat32s(0)
	l := zero.Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		v := simd.LoadFloat32s(src[i:])
		zero.IfElse(v.Less(zero), v).Store(dst[i:])
	}
	clearUpper()
	reluScalar(dst[n:], src[n:])
}

// ReLUBack sets dst[i] to g[i], or to zero where h[i] ≤ 0: it takes a gradient
// back through ReLU at h. dst may be g.
func ReLUBack(dst, g, h []float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	zero := simd.BroadcastFloat32s(0)
	l := zero.Len()
	n := len(h) / l * l
	for i := 0; i < n; i += l {
		zero.IfElse(simd.LoadFloat32s(h[i:]).LessEqual(zero), simd.LoadFloat32s(g[i:])).Store(dst[i:])
	}
	clearUpper()
	reluBackScalar(dst[n:], g[n:], h[n:])
}

// Add adds src to dst, element by element.
func Add(dst, src []float32) {
	dst = dst[:len(src)]
	l := simd.BroadcastFloat32s(0).Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		simd.LoadFloat32s(dst[i:]).Add(simd.LoadFloat32s(src[i:])).Store(dst[i:])
	}
	clearUpper()
	addScalar(dst[n:], src[n:])
}

func exps(x simd.Float32s) simd.Float32s {
	c := simd.BroadcastFloat32s
	under := x.Less(c(expMin))
	x = c(expMax).IfElse(x.Greater(c(expMax)), x)
	t := x.Mul(c(log2e)).Add(c(rounder))
	n := t.Sub(c(rounder))
	r := x.Sub(n.Mul(c(ln2Hi)))
	r = r.Sub(n.Mul(c(ln2Lo)))
	p := r.Mul(c(p0)).Add(c(p1))
	p = p.Mul(r).Add(c(p2))
	p = p.Mul(r).Add(c(p3))
	p = p.Mul(r).Add(c(p4))
	p = p.Mul(r).Add(c(p5))
	y := p.Mul(r.Mul(r)).Add(r)
	y = y.Add(c(1))
	scale := t.ToBits().ShiftAllLeft(23).Add(simd.BroadcastUint32s(0x3f800000)).BitsToFloat32()
	// Not c(0): the compiler clears a register for it by an instruction of SSE,
	// and after those of AVX-512 that costs a hundred times what the rest does.
	return simd.BroadcastUint32s(0).BitsToFloat32().IfElse(under, y.Mul(scale))
}
