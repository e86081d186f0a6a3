//go:build goexperiment.simd && !purego

package vec

import "simd"

// inCache is how many numbers are gone through for some channels before the next: they
// stay in the first cache.
const inCache = 1 << 11

// LeakyReLU sets dst[i] to src[i], or to leak·src[i] where that is not above 0. dst may be
// src.
func LeakyReLU(dst, src []float32, leak float32) {
	dst = dst[:len(src)]
	zero, slope := simd.BroadcastFloat32s(0), simd.BroadcastFloat32s(leak)
	l := zero.Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		v := simd.LoadFloat32s(src[i:])
		v.IfElse(v.Greater(zero), v.Mul(slope)).Store(dst[i:])
	}
	clearUpper()
	leakyReLUScalar(dst[n:], src[n:], leak)
}

// LeakyReLUBack sets dst[i] to g[i], or to leak·g[i] where h[i] is not above 0: it takes a
// gradient back through LeakyReLU at h. dst may be g.
func LeakyReLUBack(dst, g, h []float32, leak float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	zero, slope := simd.BroadcastFloat32s(0), simd.BroadcastFloat32s(leak)
	l := zero.Len()
	n := len(h) / l * l
	for i := 0; i < n; i += l {
		v := simd.LoadFloat32s(g[i:])
		v.IfElse(simd.LoadFloat32s(h[i:]).Greater(zero), v.Mul(slope)).Store(dst[i:])
	}
	clearUpper()
	leakyReLUBackScalar(dst[n:], g[n:], h[n:], leak)
}

// Larger sets dst[i] to src[i] where that is larger.
func Larger(dst, src []float32) {
	dst = dst[:len(src)]
	l := simd.BroadcastFloat32s(0).Len()
	n := len(src) / l * l
	for i := 0; i < n; i += l {
		v, d := simd.LoadFloat32s(src[i:]), simd.LoadFloat32s(dst[i:])
		v.IfElse(v.Greater(d), d).Store(dst[i:])
	}
	clearUpper()
	largerScalar(dst[n:], src[n:])
}

// ShareLargest sets to[k][i] to g[i] for the k whose of[k][i] is the largest, the first of
// those, and to 0 for the others: it takes a gradient back through the largest of four.
func ShareLargest(to, of *[4][]float32, g []float32) {
	zero := simd.BroadcastFloat32s(0)
	l := zero.Len()
	n := len(g) / l * l
	for i := 0; i < n; i += l {
		best := simd.LoadFloat32s(of[0][i:])
		v := simd.LoadFloat32s(of[1][i:])
		second := v.Greater(best)
		best = v.IfElse(second, best)
		v = simd.LoadFloat32s(of[2][i:])
		third := v.Greater(best)
		best = v.IfElse(third, best)
		fourth := simd.LoadFloat32s(of[3][i:]).Greater(best)
		left := simd.LoadFloat32s(g[i:])
		left.IfElse(fourth, zero).Store(to[3][i:])
		left = zero.IfElse(fourth, left)
		left.IfElse(third, zero).Store(to[2][i:])
		left = zero.IfElse(third, left)
		left.IfElse(second, zero).Store(to[1][i:])
		zero.IfElse(second, left).Store(to[0][i:])
	}
	clearUpper()
	var rest, from [4][]float32
	for k := range to {
		rest[k], from[k] = to[k][n:], of[k][n:]
	}
	shareLargestScalar(&rest, &from, g[n:])
}

// AddRows adds each row of x to sum.
func AddRows(sum, x []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	c := len(sum)
	n := c / l * l
	step := max(1, inCache/c) * c
	for lo := 0; lo < len(x); lo += step {
		hi := min(len(x), lo+step)
		for k := 0; k < n; k += l {
			s := simd.LoadFloat32s(sum[k:])
			for i := lo + k; i < hi; i += c {
				s = s.Add(simd.LoadFloat32s(x[i:]))
			}
			s.Store(sum[k:])
		}
	}
	clearUpper()
	if n < c {
		addRowsScalar(sum, x, n)
	}
}

// AddSquares adds to sum the square of what each row of x is away from mean.
func AddSquares(sum, x, mean []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	c := len(sum)
	n := c / l * l
	step := max(1, inCache/c) * c
	for lo := 0; lo < len(x); lo += step {
		hi := min(len(x), lo+step)
		for k := 0; k < n; k += l {
			s, m := simd.LoadFloat32s(sum[k:]), simd.LoadFloat32s(mean[k:])
			for i := lo + k; i < hi; i += c {
				e := simd.LoadFloat32s(x[i:]).Sub(m)
				s = s.Add(e.Mul(e))
			}
			s.Store(sum[k:])
		}
	}
	clearUpper()
	if n < c {
		addSquaresScalar(sum, x, mean, n)
	}
}

// AddProducts adds to sum each row of g times that of (x − mean)·inv.
func AddProducts(sum, g, x, mean, inv []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	c := len(sum)
	n := c / l * l
	step := max(1, inCache/c) * c
	for lo := 0; lo < len(x); lo += step {
		hi := min(len(x), lo+step)
		for k := 0; k < n; k += l {
			s, m, v := simd.LoadFloat32s(sum[k:]), simd.LoadFloat32s(mean[k:]), simd.LoadFloat32s(inv[k:])
			for i := lo + k; i < hi; i += c {
				s = s.Add(simd.LoadFloat32s(g[i:]).Mul(simd.LoadFloat32s(x[i:]).Sub(m).Mul(v)))
			}
			s.Store(sum[k:])
		}
	}
	clearUpper()
	if n < c {
		addProductsScalar(sum, g, x, mean, inv, n)
	}
}

// Normalize sets each row of dst to scale·((x − mean)·inv) + shift. dst may be x.
func Normalize(dst, x, mean, inv, scale, shift []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	c := len(mean)
	n := c / l * l
	step := max(1, inCache/c) * c
	for lo := 0; lo < len(x); lo += step {
		hi := min(len(x), lo+step)
		for k := 0; k < n; k += l {
			m, v, a, b := simd.LoadFloat32s(mean[k:]), simd.LoadFloat32s(inv[k:]), simd.LoadFloat32s(scale[k:]), simd.LoadFloat32s(shift[k:])
			for i := lo + k; i < hi; i += c {
				a.Mul(simd.LoadFloat32s(x[i:]).Sub(m).Mul(v)).Add(b).Store(dst[i:])
			}
		}
	}
	clearUpper()
	if n < c {
		normalizeScalar(dst, x, mean, inv, scale, shift, n)
	}
}

// NormalizeBack sets each row of dst to scale·(g − (level + (x − mean)·inv·slope)): it takes
// a gradient back through batch norm. dst may be g or x.
func NormalizeBack(dst, g, x, mean, inv, scale, level, slope []float32) {
	l := simd.BroadcastFloat32s(0).Len()
	c := len(mean)
	n := c / l * l
	step := max(1, inCache/c) * c
	for lo := 0; lo < len(x); lo += step {
		hi := min(len(x), lo+step)
		for k := 0; k < n; k += l {
			m, v, a, b, d := simd.LoadFloat32s(mean[k:]), simd.LoadFloat32s(inv[k:]), simd.LoadFloat32s(scale[k:]), simd.LoadFloat32s(level[k:]), simd.LoadFloat32s(slope[k:])
			for i := lo + k; i < hi; i += c {
				e := simd.LoadFloat32s(x[i:]).Sub(m).Mul(v)
				a.Mul(simd.LoadFloat32s(g[i:]).Sub(b.Add(e.Mul(d)))).Store(dst[i:])
			}
		}
	}
	clearUpper()
	if n < c {
		normalizeBackScalar(dst, g, x, mean, inv, scale, level, slope, n)
	}
}

// StepAdam moves data by its gradient g, and the moments m and v.
func StepAdam(a *Adam, data, m, v, g []float32) {
	c := simd.BroadcastFloat32s
	b1, r1, b2, r2 := c(a.Beta1), c(a.Rest1), c(a.Beta2), c(a.Rest2)
	size, root, epsilon, decay := c(a.Size), c(a.Root), c(a.Epsilon), c(a.Decay)
	zero, least, most := c(0), c(Least), c(-Least)
	l := b1.Len()
	n := len(data) / l * l
	for i := 0; i < n; i += l {
		by, at := simd.LoadFloat32s(g[i:]), simd.LoadFloat32s(data[i:])
		if a.Decay != 0 {
			by = by.Add(decay.Mul(at))
		}
		first := b1.Mul(simd.LoadFloat32s(m[i:])).Add(r1.Mul(by))
		second := b2.Mul(simd.LoadFloat32s(v[i:])).Add(r2.Mul(by.Mul(by)))
		if a.Flush {
			first = zero.IfElse(first.Greater(most), first).IfElse(first.Less(least), first)
			second = zero.IfElse(second.Less(least), second)
		}
		first.Store(m[i:])
		second.Store(v[i:])
		at = at.Sub(size.Mul(first).Div(second.Sqrt().Mul(root).Add(epsilon)))
		if a.Flush {
			at = zero.IfElse(at.Greater(most), at).IfElse(at.Less(least), at)
		}
		at.Store(data[i:])
	}
	clearUpper()
	adamScalar(a, data[n:], m[n:], v[n:], g[n:])
}
