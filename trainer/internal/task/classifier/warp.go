package classifier

import (
	"fmt"
	"math"

	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
)

// Warp says how far training digits are bent, each by chance, so that the
// classifier learns what a digit is and not which ones there were. Zero leaves
// them alone.
type Warp struct {
	Shift float64 `json:"shift"` // pixels, to either side
	Angle float64 `json:"angle"` // degrees, to either side, of rotation and of slant
	Scale float64 `json:"scale"` // share of the size, of width and height apart
	Bend  float64 `json:"bend"`  // pixels, standard deviation of a smooth displacement
}

// The most that a Warp can be.
const (
	MaxShift = dataset.Side / 2
	MaxAngle = 45
	MaxScale = 0.5
	MaxBend  = 10
)

// Validate returns an error that says which setting is out of range.
func (w Warp) Validate() error {
	for _, v := range []struct {
		name     string
		value    float64
		most     float64
		quantity string
	}{{"shift", w.Shift, MaxShift, "pixels"}, {"angle", w.Angle, MaxAngle, "degrees"}, {"scale", w.Scale, MaxScale, "of the size"}, {"bend", w.Bend, MaxBend, "pixels"}} {
		if !(v.value >= 0 && v.value <= v.most) {
			return fmt.Errorf("the %s of training digits is %v; it must be from 0 to %v %s", v.name, v.value, v.most, v.quantity)
		}
	}
	return nil
}

// knots is the side of the coarse grid whose points are displaced; between them
// the displacement is interpolated.
const knots = 5

// apply writes to dst the image src, bent as r says. What comes from outside the
// image is black.
func (w Warp) apply(dst, src []float32, r *rng.Source) {
	either := func(most float64) float64 { return most * (2*r.Float64() - 1) }
	dx, dy := either(w.Shift), either(w.Shift)
	turn, slant := either(w.Angle)*math.Pi/180, either(w.Angle)*math.Pi/180
	sx, sy := 1+either(w.Scale), 1+either(w.Scale)
	sin, cos := math.Sincos(turn)
	// From a place of dst to the place of src that it shows: R·slant·scale.
	k := math.Tan(slant)
	a, b := cos/sx, (k*cos-sin)/sy
	c, d := sin/sx, (k*sin+cos)/sy
	var bend [2][knots * knots]float64
	for i := range bend {
		for j := range bend[i] {
			bend[i][j] = w.Bend * r.Norm()
		}
	}
	const side, middle = dataset.Side, float64(dataset.Side-1) / 2
	for y := range side {
		for x := range side {
			u, v := float64(x)-middle-dx, float64(y)-middle-dy
			gx, gy := float64(x)*(knots-1)/(side-1), float64(y)*(knots-1)/(side-1)
			px := a*u + b*v + middle + bilinear(bend[0][:], knots, gx, gy)
			py := c*u + d*v + middle + bilinear(bend[1][:], knots, gx, gy)
			dst[y*side+x] = float32(bilinear(src, side, px, py))
		}
	}
}

// bilinear reads a square image of the given side at a place, in pixels from the
// middle of its first one. Outside, the image is 0.
func bilinear[F float32 | float64](img []F, side int, x, y float64) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	i, j := int(x0), int(y0)
	if i < -1 || j < -1 || i >= side || j >= side {
		return 0
	}
	at := func(i, j int) float64 {
		if i < 0 || j < 0 || i >= side || j >= side {
			return 0
		}
		return float64(img[j*side+i])
	}
	return (1-fy)*((1-fx)*at(i, j)+fx*at(i+1, j)) + fy*((1-fx)*at(i, j+1)+fx*at(i+1, j+1))
}
