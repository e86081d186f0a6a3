// Package pointcloud makes the point clouds that MPPM is trained on in ambient
// space: the half circle of Sec. 5, other curves, and files of one's own.
package pointcloud

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"mppm/shared/rng"
)

// Cloud is a set of points of Dim coordinates, row by row.
type Cloud struct {
	Name string
	Dim  int
	// Points are Len × Dim finite numbers of at most MaxSize. They have 64 bits:
	// points of a map lie millions of meters from its origin and centimeters from
	// each other, and in 32 bits would be one.
	Points []float64
	// Nearest returns the distance from a point to the manifold that the cloud
	// was drawn from; nil where nobody knows it.
	Nearest func(x []float64) float64
	Notes   []string // what a person should know of how a file was read, a sentence each
}

// Len returns the number of points.
func (c *Cloud) Len() int { return len(c.Points) / c.Dim }

// Point returns point i.
func (c *Cloud) Point(i int) []float64 { return c.Points[i*c.Dim : (i+1)*c.Dim] }

// MD5 returns the checksum of the points, little-endian, in hexadecimal: in 32
// bits if those hold every number, as those of a curve, and in 64 if not.
func (c *Cloud) MD5() string {
	single := true
	for _, v := range c.Points {
		single = single && float64(float32(v)) == v
	}
	h := md5.New()
	var b [8]byte
	for _, v := range c.Points {
		if single {
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(float32(v)))
			h.Write(b[:4])
			continue
		}
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The half circle of Sec. 5 and Fig. 4. The paper does not say where the angles'
// normal distribution is centered, nor how wide it is.
const (
	ArcFrom   = 0.0         // θ where the half circle begins
	ArcTo     = math.Pi     // and where it ends
	ArcCenter = math.Pi / 2 // θ₀
	ArcSpread = math.Pi / 5 // σ_θ: the ends are 2.5 σ off
)

// HalfCircle draws n points of the half circle in the xy plane of R³, whose
// angles are from the normal distribution around ArcCenter of deviation
// ArcSpread, truncated to the arc.
func HalfCircle(n int, src *rng.Source) *Cloud {
	c := &Cloud{Name: "half circle", Dim: 3, Nearest: ArcDistance[float64]}
	for range n {
		for _, v := range AppendArc(nil, TruncatedNormal(ArcCenter, ArcSpread, ArcFrom, ArcTo, src)) {
			c.Points = append(c.Points, float64(v))
		}
	}
	return c
}

// AppendArc appends the point of the unit circle in the xy plane at the angle θ.
func AppendArc(x []float32, theta float64) []float32 {
	return append(x, float32(math.Cos(theta)), float32(math.Sin(theta)), 0)
}

// ArcDistance returns the distance from a point of R³ to the half circle, its
// ends included.
func ArcDistance[T float32 | float64](p []T) float64 {
	x, y, z := float64(p[0]), float64(p[1]), float64(p[2])
	if y < 0 { // beyond an end
		return math.Hypot(math.Hypot(math.Abs(x)-1, y), z)
	}
	return math.Hypot(math.Hypot(x, y)-1, z)
}

// TruncatedNormal draws from the normal distribution of a mean and a deviation,
// truncated to [lo, hi], by rejection. The interval must hold a fair share of it.
func TruncatedNormal(mean, deviation, lo, hi float64, src *rng.Source) float64 {
	for {
		if v := mean + deviation*src.Norm(); v >= lo && v <= hi {
			return v
		}
	}
}

// Curve is a manifold that points can be drawn from.
type Curve struct {
	Name, File, Title string
	Latent            int     // codes' coordinates that the nets need for it
	Noise             float64 // the most noise at which its parts are still told apart
	Distance          []int   // hidden widths of a distance net that has room for it; nil: those of Table 7 do
	Draw              func(n int, src *rng.Source) *Cloud
}

// Curves are the manifolds of the project, the half circle first.
func Curves() []Curve {
	return []Curve{
		{"circle", "circle.safetensors", "half circle in R³", 1, 0.4, nil, HalfCircle},
		{"spiral", "spiral.safetensors", "spiral in R²", 1, 0.4, []int{64, 32}, Spiral},
		{"moons", "moons.safetensors", "two moons in R²", 1, 0.25, []int{64, 32}, TwoMoons},
		{"trefoil", "trefoil.safetensors", "trefoil knot in R³", 2, 0.3, []int{64, 32}, Trefoil},
	}
}

// Find returns the curve of that name.
func Find(name string) (Curve, error) {
	var names []string
	for _, c := range Curves() {
		if c.Name == name {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return Curve{}, fmt.Errorf("there is no curve %q, only %v", name, names)
}

// trace is a curve given by a parameter in [0, 1], one piece or several.
type trace struct {
	dim    int
	pieces []func(t float64) []float64
}

// draw draws n points at uniform parameters, the pieces by turns.
func (tr trace) draw(name string, n int, src *rng.Source) *Cloud {
	c := &Cloud{Name: name, Dim: tr.dim, Nearest: tr.nearest()}
	for i := range n {
		for _, v := range tr.pieces[i%len(tr.pieces)](src.Float64()) {
			c.Points = append(c.Points, float64(float32(v))) // in 32 bits, as nets take them
		}
	}
	return c
}

// nearest measures to a polygon of many vertices on each piece.
func (tr trace) nearest() func([]float64) float64 {
	const vertices = 2000
	var all [][][]float64
	for _, f := range tr.pieces {
		var piece [][]float64
		for i := range vertices + 1 {
			piece = append(piece, f(float64(i)/vertices))
		}
		all = append(all, piece)
	}
	return func(x []float64) float64 {
		best := math.Inf(1)
		for _, piece := range all {
			for i := range vertices {
				best = min(best, segment(x, piece[i], piece[i+1]))
			}
		}
		return math.Sqrt(best)
	}
}

// segment returns the squared distance from x to the segment from a to b.
func segment(x, a, b []float64) float64 {
	var along, length float64
	for k, v := range a {
		d := b[k] - v
		along += (x[k] - v) * d
		length += d * d
	}
	t := min(max(along/length, 0), 1)
	var d2 float64
	for k, v := range a {
		e := x[k] - (v + t*(b[k]-v))
		d2 += e * e
	}
	return d2
}

// Spiral draws from an Archimedean spiral of one and a quarter turns in the plane.
func Spiral(n int, src *rng.Source) *Cloud {
	return trace{2, []func(float64) []float64{func(t float64) []float64 {
		// Even along the arc, nearly: its length grows with the square of the angle.
		angle := math.Pi * math.Sqrt(0.25+8.75*t)
		r := angle / (3 * math.Pi)
		return []float64{1.4 * r * math.Cos(angle), 1.4 * r * math.Sin(angle)}
	}}}.draw("spiral", n, src)
}

// TwoMoons draws from two half circles in the plane that reach into one another.
func TwoMoons(n int, src *rng.Source) *Cloud {
	return trace{2, []func(float64) []float64{
		func(t float64) []float64 {
			s, c := math.Sincos(math.Pi * t)
			return []float64{c - 0.5, s - 0.25}
		},
		func(t float64) []float64 {
			s, c := math.Sincos(math.Pi * t)
			return []float64{0.5 - c, 0.25 - s}
		},
	}}.draw("two moons", n, src)
}

// Trefoil draws from the trefoil knot, a closed curve in R³.
func Trefoil(n int, src *rng.Source) *Cloud {
	return trace{3, []func(float64) []float64{func(t float64) []float64 {
		a := 2 * math.Pi * t
		return []float64{
			(math.Sin(a) + 2*math.Sin(2*a)) / 2,
			(math.Cos(a) - 2*math.Cos(2*a)) / 2,
			-math.Sin(3*a) / 2,
		}
	}}}.draw("trefoil", n, src)
}
