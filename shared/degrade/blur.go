package degrade

import "math"

// gaussian returns the n taps, n odd, of a Gaussian of that σ, normalized.
func gaussian(sigma float64, n int) []float64 {
	k := make([]float64, n)
	sum := 0.0
	for i := range k {
		x := float64(i-n/2) / sigma
		k[i] = exp(-.5 * float64(x*x))
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// kernelSize is torchvision's for the ElasticTransform: the odd number at or
// above 8σ+1, rounded down first.
func kernelSize(sigma float64) int {
	n := int(float64(8*sigma) + 1)
	return n | 1
}

// blur returns p, w×h, convolved with the taps along both axes. The border is
// reflected without repeating it, as often as a wide kernel needs on a small
// image (PyTorch refuses those).
func blur(p []float64, w, h int, taps []float64) []float64 {
	half := len(taps) / 2
	rows := make([]float64, len(p))
	for y := range h {
		for x := range w {
			sum := 0.0
			for k, t := range taps {
				sum += float64(t * p[y*w+reflect(x+k-half, w)])
			}
			rows[y*w+x] = sum
		}
	}
	out := make([]float64, len(p))
	for y := range h {
		for k, t := range taps {
			row := rows[reflect(y+k-half, h)*w:]
			for x := range w {
				out[y*w+x] += float64(t * row[x])
			}
		}
	}
	return out
}

// reflect brings i into 0 … n-1: -1 is 1, n is n-2.
func reflect(i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i %= period
	if i < 0 {
		i += period
	}
	return min(i, period-i)
}

// exp is e^x for -700 < x ≤ 0, right to about 1e-15 of its value. math.Exp is
// assembly on some platforms and may differ in the last bit. x = k·ln 2 + r with
// |r| ≤ 0.35, where 14 terms of the series reach 2^-53.
func exp(x float64) float64 {
	k := math.Floor(float64(x/math.Ln2) + .5)
	r := x - float64(k*math.Ln2)
	sum := 1.0
	for n := 14; n >= 1; n-- {
		sum = float64(float64(sum*r)/float64(n)) + 1
	}
	return math.Ldexp(sum, int(k))
}
