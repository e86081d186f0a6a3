// Package halfcircle scores MPPM, its ablations and its baselines on the half
// circle of Sec. 5, and draws Figures 4 to 7.
package halfcircle

import (
	"math"

	"mppm/trainer/internal/pointcloud"
)

// bins are the pieces of the arc, of 5° each, that the covered share counts.
const bins = 36

// Errors is how far restored points are from the half circle. The paper has "the
// deviation from the unit circle in 2D", and calls it MSE; its maximum is larger
// than the root of that would allow, so it is no mean square. All readings of it
// are here.
type Errors struct {
	Mean   float64 `json:"mean"`        // of |√(x²+y²) − 1|
	RMS    float64 `json:"rms"`         // root of the mean of its square
	Square float64 `json:"mean_square"` // the mean of its square
	Max    float64 `json:"max"`         // its maximum
	// To the half circle in R³, its ends and z included.
	Distance    float64 `json:"distance"` // mean
	DistanceMax float64 `json:"distance_max"`
	// Covered is the share of the arc's 36 pieces of 5° that hold a restored point,
	// among those that hold a clean one.
	Covered float64 `json:"covered"`
	// Spread is the standard deviation of the restored points' angles over that of
	// the clean ones': below 1, the method contracts along the arc.
	Spread float64 `json:"spread"`
	// Along is the mean of |θ − θ_clean|, in radians.
	Along float64 `json:"along"`
}

// Measure returns the errors of points y (n × 3) that were restored from noisy
// copies of clean ones.
func Measure(y, clean []float32) Errors {
	var e Errors
	n := float64(len(y) / 3)
	var hit, there [bins]bool
	var sum, square, cleanSum, cleanSquare float64
	for i := 0; i < len(y); i += 3 {
		p := y[i : i+3]
		r := math.Abs(math.Hypot(float64(p[0]), float64(p[1])) - 1)
		e.Mean += r / n
		e.Square += float64(r*r) / n
		e.Max = max(e.Max, r)
		d := pointcloud.ArcDistance(p)
		e.Distance += d / n
		e.DistanceMax = max(e.DistanceMax, d)
		a, b := angle(p), angle(clean[i:i+3])
		e.Along += math.Abs(a-b) / n
		if k := piece(a); k >= 0 {
			hit[k] = true
		}
		if k := piece(b); k >= 0 {
			there[k] = true
		}
		sum, square = sum+a/n, square+float64(a*a)/n
		cleanSum, cleanSquare = cleanSum+b/n, cleanSquare+float64(b*b)/n
	}
	e.RMS = math.Sqrt(e.Square)
	e.Spread = math.Sqrt(max(0, square-float64(sum*sum)) / (cleanSquare - float64(cleanSum*cleanSum)))
	both, all := 0.0, 0.0
	for k, b := range there {
		if b {
			all++
			if hit[k] {
				both++
			}
		}
	}
	e.Covered = both / all
	return e
}

// angle is θ in the plane of the arc, from −π/2 to 3π/2, so that no point near the
// arc is where it jumps.
func angle(p []float32) float64 {
	a := math.Atan2(float64(p[1]), float64(p[0]))
	if a < -math.Pi/2 {
		a += 2 * math.Pi
	}
	return a
}

// piece returns which piece of the arc an angle is in, or −1 beyond the ends. The
// ends themselves belong to the arc, and so does what rounding puts beyond.
func piece(a float64) int {
	const slack = 1e-6
	if a < pointcloud.ArcFrom-slack || a > pointcloud.ArcTo+slack {
		return -1
	}
	return min(max(int((a-pointcloud.ArcFrom)/(pointcloud.ArcTo-pointcloud.ArcFrom)*bins), 0), bins-1)
}
