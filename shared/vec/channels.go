package vec

import "math"

// The functions of this file go over rows of channels, as the pixels of channels-last
// images are: whatever has a number for each channel is as long as a row. Sums take the
// rows in order.

func leakyReLUScalar(dst, src []float32, leak float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		bits := math.Float32bits(v)
		if leaked := math.Float32bits(leak * v); !(v > 0) {
			bits = leaked
		}
		dst[i] = math.Float32frombits(bits)
	}
}

func leakyReLUBackScalar(dst, g, h []float32, leak float32) {
	dst, g = dst[:len(h)], g[:len(h)]
	for i, v := range h {
		bits := math.Float32bits(g[i])
		if leaked := math.Float32bits(leak * g[i]); !(v > 0) {
			bits = leaked
		}
		dst[i] = math.Float32frombits(bits)
	}
}

func largerScalar(dst, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		if v > dst[i] {
			dst[i] = v
		}
	}
}

func shareLargestScalar(to, of *[4][]float32, g []float32) {
	for i, v := range g {
		best := 0
		for k := 1; k < 4; k++ {
			if of[k][i] > of[best][i] {
				best = k
			}
		}
		for k := range to {
			to[k][i] = 0
		}
		to[best][i] = v
	}
}

// The rest begin with channel first: what comes before is done.

func addRowsScalar(sum, x []float32, first int) {
	for i := 0; i < len(x); i += len(sum) {
		for k := first; k < len(sum); k++ {
			sum[k] += x[i+k]
		}
	}
}

func addSquaresScalar(sum, x, mean []float32, first int) {
	for i := 0; i < len(x); i += len(sum) {
		for k := first; k < len(sum); k++ {
			e := x[i+k] - mean[k]
			sum[k] += float32(e * e)
		}
	}
}

func addProductsScalar(sum, g, x, mean, inv []float32, first int) {
	for i := 0; i < len(x); i += len(sum) {
		for k := first; k < len(sum); k++ {
			sum[k] += float32(g[i+k] * float32((x[i+k]-mean[k])*inv[k]))
		}
	}
}

func normalizeScalar(dst, x, mean, inv, scale, shift []float32, first int) {
	for i := 0; i < len(x); i += len(mean) {
		for k := first; k < len(mean); k++ {
			dst[i+k] = float32(scale[k]*float32((x[i+k]-mean[k])*inv[k])) + shift[k]
		}
	}
}

func normalizeBackScalar(dst, g, x, mean, inv, scale, level, slope []float32, first int) {
	for i := 0; i < len(x); i += len(mean) {
		for k := first; k < len(mean); k++ {
			e := float32((x[i+k] - mean[k]) * inv[k])
			dst[i+k] = scale[k] * (g[i+k] - (level[k] + float32(e*slope[k])))
		}
	}
}

// Adam is a step of Adam (Kingma and Ba 2014): the moments keep Beta1 and Beta2 of what
// they were, and take Rest1 and Rest2 of what is new. Size and Root are the rates after the
// correction of the moments' start: the learning rate over 1 − Beta1ᵗ, and 1/√(1 − Beta2ᵗ).
// Unless Decay is 0, so many times what is trained is added to its gradient first. With
// Flush, what comes nearer to 0 than Least becomes 0.
type Adam struct {
	Beta1, Rest1, Beta2, Rest2, Size, Root, Epsilon, Decay float32
	Flush                                                  bool
}

// Least is the least number above 0 that has all of its bits. With those below, most
// processors take a hundred times as long for a product.
const Least = 0x1p-126

func flushed(v float32) float32 {
	if v < Least && v > -Least {
		return 0
	}
	return v
}

func adamScalar(a *Adam, data, m, v, g []float32) {
	m, v, g = m[:len(data)], v[:len(data)], g[:len(data)]
	for i := range data {
		by := g[i]
		if a.Decay != 0 {
			by += float32(a.Decay * data[i])
		}
		m[i] = float32(a.Beta1*m[i]) + float32(a.Rest1*by)
		v[i] = float32(a.Beta2*v[i]) + float32(a.Rest2*float32(by*by))
		if a.Flush {
			m[i], v[i] = flushed(m[i]), flushed(v[i])
		}
		data[i] -= float32(a.Size*m[i]) / (float32(float32(math.Sqrt(float64(v[i])))*a.Root) + a.Epsilon)
		if a.Flush {
			data[i] = flushed(data[i])
		}
	}
}
