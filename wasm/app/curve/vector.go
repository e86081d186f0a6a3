package curve

// Minus returns a − b.
func Minus(a, b [3]float64) [3]float64 {
	return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]}
}

// Dot returns the inner product of a and b.
func Dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

// Square returns the squared distance of a and b.
func Square(a, b [3]float64) float64 {
	d := Minus(a, b)
	return Dot(d, d)
}

// Mix returns the point at t on the way from a to b.
func Mix(a, b [3]float64, t float64) [3]float64 {
	for k, v := range b {
		a[k] += (v - a[k]) * t
	}
	return a
}
