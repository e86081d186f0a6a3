//go:build goexperiment.simd && !purego && !(wasm && linkedkernel)

package vec

import "simd"

// Sigmoid sets dst[i] = 1/(1+e^-src[i]). dst may be src.
func Sigmoid(dst, src []float32) {
	dst = dst[:len(src)]
	one := simd.BroadcastFloat32s(1)
	l := one.Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		one.Div(one.Add(exps(simd.LoadFloat32s(src[i:]).Neg()))).Store(dst[i:])
	}
	clearUpper()
	sigmoidScalar(dst[n:], src[n:])
}

// Max returns the largest number of src, which must not be empty. With a NaN in
// src, it is any of them.
func Max(src []float32) float32 {
	l := simd.BroadcastFloat32s(0).Len()
	n := len(src) / l * l
	if n < 2*l {
		return maxScalar(src)
	}
	m := simd.LoadFloat32s(src)
	for i := l; i < n; i += l {
		m = m.Max(simd.LoadFloat32s(src[i:]))
	}
	var lanes [64]float32
	m.Store(lanes[:])
	clearUpper()
	top := maxScalar(lanes[:l])
	for _, v := range src[n:] {
		if v > top {
			top = v
		}
	}
	return top
}

// ExpDiff sets dst[i] = e^((src[i]−top)·scale); see Exp1. dst may be src.
func ExpDiff(dst, src []float32, top, scale float32) {
	dst = dst[:len(src)]
	t, s := simd.BroadcastFloat32s(top), simd.BroadcastFloat32s(scale)
	l := t.Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		exps(simd.LoadFloat32s(src[i:]).Sub(t).Mul(s)).Store(dst[i:])
	}
	clearUpper()
	expDiffScalar(dst[n:], src[n:], top, scale)
}

// SiLU sets dst[i] = src[i]/(1+e^-src[i]). dst may be src.
func SiLU(dst, src []float32) {
	dst = dst[:len(src)]
	one := simd.BroadcastFloat32s(1)
	l := one.Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		v := simd.LoadFloat32s(src[i:])
		v.Mul(one.Div(one.Add(exps(v.Neg())))).Store(dst[i:])
	}
	clearUpper()
	siluScalar(dst[n:], src[n:])
}

// SiLUBack sets dst[i] to g[i]·σ(h[i])·(1 + h[i]·(1−σ(h[i]))): it takes a gradient back
// through SiLU at h. dst may be g.
func SiLUBack(dst, g, h []float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	one := simd.BroadcastFloat32s(1)
	l := one.Len()
	n := len(h) / l * l
	for i := 0; i < n; i += l {
		x := simd.LoadFloat32s(h[i:])
		s := one.Div(one.Add(exps(x.Neg())))
		simd.LoadFloat32s(g[i:]).Mul(s.Mul(one.Add(x.Mul(one.Sub(s))))).Store(dst[i:])
	}
	clearUpper()
	siluBackScalar(dst[n:], g[n:], h[n:])
}

// AtLeast writes those of src that are no less than least to dst, one after the other,
// and which they are, counted from first, to at. It returns how many there are. dst and at
// must be as long as src; what is in them behind what there is, is for nothing.
func AtLeast(dst []float32, at []int32, src []float32, first int, least float32) int {
	n := 0
	const block = 64 // numbers that are passed over together, where none is so large
	for lo := 0; lo < len(src); lo += block {
		part := src[lo:min(lo+block, len(src))]
		if !(Max(part) < least) { // nor of a part with a NaN is anything left out
			n += atLeastScalar(dst[n:][:len(part)], at[n:][:len(part)], part, first+lo, least)
		}
	}
	return n
}

// Sum sets dst to the sum of rows of src, width numbers each of which dst takes the first
// len(dst): row at[k] times weights[k], one after the other from 0 on. at must ascend.
func Sum(dst, weights []float32, at []int32, src []float32, width int) {
	sumScalar(dst, weights, at, src, width)
}
