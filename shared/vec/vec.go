// Package vec applies elementary functions to slices of float32, with the same
// bits on every platform: no product is fused with a sum, and the exponential
// is the package's own, because math.Exp is assembly on some platforms and Go
// on others.
//
// All slices of a call have to be at least as long as the last, src or h, where nothing else
// is said: so many of their numbers are read and written.
//
// The functions of this file are the definition. Under GOEXPERIMENT=simd their
// twins in simd.go do the same operations in the same order, lane by lane.
package vec

import "math"

// The exponential of x is 2^n·e^r with n = round(x·log₂e) and |r| ≤ ½ ln 2.
// ln 2 is split so that n·ln2Hi is exact for every n in range (Cody and Waite),
// and e^r is 1 + r + r²·p(r) with p fitted by minimax (Cephes, expf): 2 ulp.
const (
	log2e = 1.44269504088896341
	ln2Hi = 0.693359375
	ln2Lo = -2.12194440e-4
	p0    = 1.9875691500e-4
	p1    = 1.3981999507e-3
	p2    = 8.3334519073e-3
	p3    = 4.1665795894e-2
	p4    = 1.6666665459e-1
	p5    = 5.0000001201e-1

	// Adding 1.5·2²³ rounds a small float32 to an integer and leaves that
	// integer in the low bits.
	rounder = 12582912

	expMin = -87.3 // below: 0, the smallest normal number is near
	expMax = 88    // above: exp(88), 1.65e38
)

// Exp1 returns e^x to 2 ulp; 0 below -87.3, e^88 above 88, NaN for NaN.
func Exp1(x float32) float32 {
	if x < expMin {
		return 0
	}
	if x > expMax {
		x = expMax
	}
	t := float32(x*log2e) + rounder
	n := t - rounder
	r := x - float32(n*ln2Hi)
	r -= float32(n * ln2Lo)
	p := float32(p0*r) + p1
	p = float32(p*r) + p2
	p = float32(p*r) + p3
	p = float32(p*r) + p4
	p = float32(p*r) + p5
	y := float32(p*float32(r*r)) + r
	y++
	return y * math.Float32frombits(math.Float32bits(t)<<23+0x3f800000)
}

// Sigmoid1 returns 1/(1+e^-x).
func Sigmoid1(x float32) float32 { return 1 / (1 + Exp1(-x)) }

func expScalar(dst, src []float32) {
	for i, x := range src {
		dst[i] = Exp1(x)
	}
}

func maxScalar(src []float32) float32 {
	m := src[0]
	for _, v := range src[1:] {
		if v > m {
			m = v
		}
	}
	return m
}

func expDiffScalar(dst, src []float32, top, scale float32) {
	for i, x := range src {
		dst[i] = Exp1((x - top) * scale)
	}
}

func sigmoidScalar(dst, src []float32) {
	for i, x := range src {
		dst[i] = Sigmoid1(x)
	}
}

func siluScalar(dst, src []float32) {
	dst = dst[:len(src)]
	for i, x := range src {
		dst[i] = x * Sigmoid1(x)
	}
}

func siluBackScalar(dst, g, h []float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	for i, x := range h {
		s := Sigmoid1(x)
		dst[i] = g[i] * float32(s*(1+float32(x*(1-s))))
	}
}

func atLeastScalar(dst []float32, at []int32, src []float32, first int, least float32) int {
	dst, at = dst[:len(src)], at[:len(src)]
	n := 0
	// Each is written, and the next in its place if it does not matter: faster than to
	// branch.
	for j, v := range src {
		dst[n], at[n] = v, int32(first+j)
		if v >= least {
			n++
		}
	}
	return n
}

func sumScalar(dst, weights []float32, at []int32, src []float32, width int) {
	clear(dst)
	for k, w := range weights {
		for d, v := range src[int(at[k])*width:][:len(dst)] {
			dst[d] += float32(w * v)
		}
	}
}

// The signs of activations cannot be foreseen, so a branch on them is slow. The
// compiler makes a conditional move of it where integers are chosen, not floats.

func reluScalar(dst, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		bits := math.Float32bits(v)
		if v < 0 {
			bits = 0
		}
		dst[i] = math.Float32frombits(bits)
	}
}

func reluBackScalar(dst, g, h []float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	for i, v := range h {
		bits := math.Float32bits(g[i])
		if v <= 0 {
			bits = 0
		}
		dst[i] = math.Float32frombits(bits)
	}
}

func addScalar(dst, src []float32) {
	for i, v := range src {
		dst[i] += v
	}
}

// Repeat repeats row over dst.
func Repeat(dst, row []float32) {
	if len(row) == 1 {
		for i := range dst {
			dst[i] = row[0]
		}
		return
	}
	if len(dst) == 0 || len(row) == 0 {
		return
	}
	const long = 1 << 10 // numbers that are copied at a time: they stay in the cache
	done := copy(dst, row)
	for done < len(dst) {
		done += copy(dst[done:], dst[:min(done, max(long/len(row), 1)*len(row))])
	}
}
