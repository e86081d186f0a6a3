//go:build goexperiment.simd && !purego && linkedkernel

package vec

import "unsafe"

// These are of kernel.wasm, which whoever loads the program has to link with it; see
// package gemm. They take whole vectors of 4 numbers.

//go:wasmimport mppm expdiff
//go:noescape
func expDiffs(dst, src unsafe.Pointer, n int32, top, scale float32)

//go:wasmimport mppm sigmoid
//go:noescape
func sigmoids(dst, src unsafe.Pointer, n int32)

//go:wasmimport mppm silu
//go:noescape
func silus(dst, src unsafe.Pointer, n int32)

//go:wasmimport mppm siluback
//go:noescape
func siluBacks(dst, g, h unsafe.Pointer, n int32)

//go:wasmimport mppm top
//go:noescape
func top(src unsafe.Pointer, n int32) float32

//go:wasmimport mppm atleast
//go:noescape
func atLeast(dst, at, src unsafe.Pointer, n, first int32, least float32, moves unsafe.Pointer) int32

//go:wasmimport mppm sum
//go:noescape
func sum(dst, weights, at unsafe.Pointer, n int32, src unsafe.Pointer, stride, vectors int32)

// moves has, for each set of lanes of a vector, which bytes these lanes are, one behind
// the other; behind them, none.
var moves = func() (m [16][16]uint8) {
	for set := range m {
		n := 0
		for lane := range 4 {
			if set>>lane&1 != 0 {
				for b := range 4 {
					m[set][n] = uint8(4*lane + b)
					n++
				}
			}
		}
		for ; n < 16; n++ {
			m[set][n] = 0xff
		}
	}
	return m
}()

// whole is the numbers of whole vectors.
func whole(x []float32) int { return len(x) &^ 3 }

func at(x []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// Sigmoid sets dst[i] = 1/(1+e^-src[i]). dst may be src.
func Sigmoid(dst, src []float32) {
	dst = dst[:len(src)]
	n := whole(src)
	sigmoids(at(dst), at(src), int32(n))
	sigmoidScalar(dst[n:], src[n:])
}

// Max returns the largest number of src, which must not be empty. With a NaN in
// src, it is any of them.
func Max(src []float32) float32 {
	n := whole(src)
	if n == 0 {
		return maxScalar(src)
	}
	m := top(at(src), int32(n))
	for _, v := range src[n:] {
		if v > m {
			m = v
		}
	}
	return m
}

// ExpDiff sets dst[i] = e^((src[i]−top)·scale); see Exp1. dst may be src.
func ExpDiff(dst, src []float32, top, scale float32) {
	dst = dst[:len(src)]
	n := whole(src)
	expDiffs(at(dst), at(src), int32(n), top, scale)
	expDiffScalar(dst[n:], src[n:], top, scale)
}

// SiLU sets dst[i] = src[i]/(1+e^-src[i]). dst may be src.
func SiLU(dst, src []float32) {
	dst = dst[:len(src)]
	n := whole(src)
	silus(at(dst), at(src), int32(n))
	siluScalar(dst[n:], src[n:])
}

// SiLUBack sets dst[i] to g[i]·σ(h[i])·(1 + h[i]·(1−σ(h[i]))): it takes a gradient back
// through SiLU at h. dst may be g.
func SiLUBack(dst, g, h []float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	n := whole(h)
	siluBacks(at(dst), at(g), at(h), int32(n))
	siluBackScalar(dst[n:], g[n:], h[n:])
}

// AtLeast writes those of src that are no less than least to dst, one after the other,
// and what they are number of, counted from first, to which. It returns how many there are. Both
// must be as long as src; what is in them behind what there is, is for nothing.
func AtLeast(dst []float32, which []int32, src []float32, first int, least float32) int {
	dst, which = dst[:len(src)], which[:len(src)]
	n := whole(src)
	found := int(atLeast(at(dst), unsafe.Pointer(unsafe.SliceData(which)), at(src), int32(n), int32(first), least, unsafe.Pointer(&moves)))
	return found + atLeastScalar(dst[found:][:len(src)-n], which[found:][:len(src)-n], src[n:], first+n, least)
}

// Sum sets dst to the sum of rows of src, width numbers each of which dst takes the first
// len(dst): row which[k] times weights[k], one after the other from 0 on. which must ascend.
func Sum(dst, weights []float32, which []int32, src []float32, width int) {
	n := whole(dst)
	if len(weights) > 0 && n > 0 {
		_ = src[int(which[len(weights)-1])*width:][:len(dst)]
		sum(at(dst), at(weights), unsafe.Pointer(unsafe.SliceData(which)), int32(len(weights)), at(src), int32(4*width), int32(n/4))
	} else {
		clear(dst)
	}
	if n < len(dst) {
		sumScalar(dst[n:], weights, which, src[n:], width)
	}
}
