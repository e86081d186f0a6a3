// Package metric scores one image against another: mean squared error, peak
// signal-to-noise ratio and structural similarity (Sec. 5).
//
// Images are []float32, row-major, of data range 1: black is 0, white 1. Values
// outside of it are taken as they are. All sums are float64 in one fixed order,
// and use only operations that are exact to the last bit everywhere, so that a
// score is the same number on every platform.
package metric

import "math"

// MSE returns the mean of the squared differences of a and b. It is NaN where
// they differ in length, are empty, or hold a NaN.
func MSE(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	sum := 0.0
	for i, x := range a {
		d := float64(x) - float64(b[i])
		sum += float64(d * d)
	}
	return sum / float64(len(a)) // 0/0 is NaN
}

// PSNR returns the peak signal-to-noise ratio of a and b in decibels,
// -10·log10 MSE: +Inf where they are equal, NaN where MSE is.
func PSNR(a, b []float32) float64 {
	mse := MSE(a, b)
	switch {
	case mse == 0:
		return math.Inf(1)
	case math.IsInf(mse, 1):
		return math.Inf(-1)
	case math.IsNaN(mse):
		return mse
	}
	return -10 * log10(mse)
}

// log10 is the decimal logarithm of a finite x > 0, right to a few ulp.
// math.Log10 is not used because it differs between platforms in the last bit.
// x = m·2^e with m in [√½, √2), and log m = 2·artanh t with t = (m-1)/(m+1),
// |t| ≤ 0.172, of whose series 13 terms reach 2^-53.
func log10(x float64) float64 {
	m, e := math.Frexp(x) // exact; m in [½, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	t := (m - 1) / (m + 1)
	t2 := float64(t * t)
	sum := 0.0
	for k := 25; k >= 1; k -= 2 {
		sum = float64(sum*t2) + 1/float64(k)
	}
	return float64(float64(float64(2*t)*sum)*math.Log10E) + float64(float64(e)*(math.Ln2/math.Ln10))
}
