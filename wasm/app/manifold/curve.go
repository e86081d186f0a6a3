package manifold

import (
	"encoding/json"
	"math"

	"mppm/shared/ambient"
	"mppm/shared/kde"
	"mppm/shared/link"
	"mppm/shared/rng"
)

// curve is one of the data sets: its model, and the line through its points.
type curve struct {
	run      *ambient.Runner
	points   [][3]float64 // the training points
	segments [][2]int     // of the line, between points
	middle   [3]float64   // of the box around all points
	half     [3]float64   // of the box's edges
	radius   float64      // all points lie within it of the middle
	noise    float64      // σ of the noise that the models were tested with
	highest  float64      // D around the curve, at most

	samples [][3]float64 // of the bank of
	bank    *kde.Bank
}

// runnerBatch is how many points a curve's model computes at a time.
const runnerBatch = 64

// diffusionStream is the stream of a seed that diffusion draws from; a random point
// draws from stream 0.
const diffusionStream = 1

// defaultNoise is the noise of random points where a file names none.
const defaultNoise = 0.2

func newCurve(m *ambient.Model) *curve {
	c := &curve{run: m.Runner(runnerBatch), noise: defaultNoise}
	c.points = places(m.Points, m.Dim)
	lo, hi := c.points[0], c.points[0]
	for _, p := range c.points {
		for k, v := range p {
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
	}
	for k := range lo {
		c.middle[k], c.half[k] = (lo[k]+hi[k])/2, (hi[k]-lo[k])/2
	}
	for _, p := range c.points {
		c.radius = max(c.radius, math.Sqrt(square(p, c.middle)))
	}
	c.radius = max(c.radius, 1e-3)
	c.segments = segments(c.points)
	var scores struct {
		Noise float64 `json:"noise"`
	}
	if json.Unmarshal([]byte(m.Meta["scores"]), &scores) == nil && scores.Noise > 0 && scores.Noise < link.Farthest {
		c.noise = scores.Noise
	}
	c.highest = c.top()
	return c
}

// places returns rows of dim numbers as points of space. Coordinates beyond the
// third are not shown.
func places(x []float32, dim int) [][3]float64 {
	out := make([][3]float64, len(x)/dim)
	for i := range out {
		for k := range min(dim, 3) {
			out[i][k] = float64(x[i*dim+k])
		}
	}
	return out
}

// row returns a point of space as the model takes it.
func (c *curve) row(p [3]float64) []float32 {
	x := make([]float32, c.run.Dim)
	for k := range min(len(x), 3) {
		x[k] = float32(p[k])
	}
	return x
}

// gap is the longest distance between neighbors on a curve. The moons are half a
// unit apart.
const gap = 0.3

// segments returns the line through points of a curve, as pairs of them: their
// minimum spanning tree, which follows a curve that is sampled densely, without
// what is longer than gap; closed where its two ends are near each other.
func segments(points [][3]float64) [][2]int {
	n := len(points)
	near, from, in := make([]float64, n), make([]int, n), make([]bool, n)
	degree := make([]int, n)
	var lines [][2]int
	for i := range near {
		near[i] = math.Inf(1)
	}
	for at, k := 0, 0; k < n; k++ {
		in[at] = true
		if k > 0 && near[at] <= gap*gap {
			lines = append(lines, [2]int{from[at], at})
			degree[at]++
			degree[from[at]]++
		}
		next, best := at, math.Inf(1)
		for j := range points {
			if in[j] {
				continue
			}
			if d := square(points[at], points[j]); d < near[j] {
				near[j], from[j] = d, at
			}
			if near[j] < best {
				next, best = j, near[j]
			}
		}
		at = next
	}
	var ends []int
	for i, d := range degree {
		if d == 1 {
			ends = append(ends, i)
		}
	}
	if len(ends) == 2 && square(points[ends[0]], points[ends[1]]) <= gap*gap {
		lines = append(lines, [2]int{ends[0], ends[1]})
	}
	return lines
}

// off returns the distance of a point to the curve.
func (c *curve) off(p [3]float64) float64 {
	best := math.Inf(1)
	for _, l := range c.segments {
		a, b := c.points[l[0]], c.points[l[1]]
		t := 0.0
		if length := square(a, b); length > 0 {
			t = dot(minus(p, a), minus(b, a)) / length
		}
		best = min(best, square(p, mix(a, b, min(max(t, 0), 1))))
	}
	for _, a := range c.points { // those without a neighbor too
		best = min(best, square(p, a))
	}
	return math.Sqrt(best)
}

// add appends a place to a path.
func (c *curve) add(to *Path, x []float32) {
	var p [3]float64
	for k := range min(len(x), 3) {
		p[k] = float64(x[k])
	}
	d := make([]float32, 1)
	c.run.Distance(d, nil, x)
	to.X, to.Off, to.D = append(to.X, p), append(to.Off, c.off(p)), append(to.D, float64(d[0]))
}

// think returns what the flow sees at a point.
func (c *curve) construct(x []float32, p ambient.Preset) (Construction, error) {
	dim := c.run.Dim
	mean, projection, d, grad := make([]float32, dim), make([]float32, dim), make([]float32, 1), make([]float32, dim)
	if err := c.run.Mean(mean, x, p); err != nil {
		return Construction{}, err
	}
	c.run.Project(projection, x)
	c.run.Distance(d, grad, x)
	at := places(x, dim)[0]
	t := Construction{Mean: places(mean, dim)[0], Projection: places(projection, dim)[0]}
	down := places(grad, dim)[0]
	for k := range at {
		fall := float64(d[0]) * down[k]
		t.Foot[k] = at[k] - fall
		t.Next[k] = at[k] + float64(p.Beta)*(t.Mean[k]-at[k]) - float64(p.Alpha)*fall
	}
	return t, nil
}

// diffuse takes a point back through diffusion, and returns the standard deviation
// of the noise that it is told: a point that far from the curve has typically that
// much, since noise along the curve does not lead away from it. The path is without
// the scale that diffusion gives its points, so that it starts at the point.
func (c *curve) diffuse(to *Path, x []float32, seed uint64) (noise float64, err error) {
	x = append([]float32(nil), x...)
	noise = c.off(places(x, c.run.Dim)[0]) / math.Sqrt(float64(max(c.run.Dim-1, 1)))
	steps := c.run.Schedule.Match(noise)
	c.run.Schedule.Enter(x, steps)
	seq, err := c.run.DDPM(x, steps, []*rng.Source{rng.New(seed, diffusionStream)})
	if err != nil {
		return noise, err
	}
	y := make([]float32, len(x))
	for step := range seq {
		scale := 1.0
		if step.Left > 0 {
			scale = math.Sqrt(c.run.Schedule.Kept(step.Left - 1))
		}
		for k, v := range step.X {
			y[k] = float32(float64(v) / scale)
		}
		c.add(to, y)
	}
	return noise, nil
}

// Samples returns the points G(z) that the kernel mean sums over. They belong to
// the room.
func (r *Room) Samples() [][3]float64 {
	c := r.curve()
	if c == nil {
		return nil
	}
	bank, err := c.run.Samples(r.s.Figure.Flow)
	if err != nil {
		return nil // the flow says so
	}
	if bank != c.bank {
		x := make([]float32, c.run.Dim*bank.Len())
		for i := range bank.Len() {
			bank.Code(x[i*c.run.Dim:], i)
		}
		c.bank, c.samples = bank, places(x, c.run.Dim)
	}
	return c.samples
}

// top returns the highest D on a grid around the curve.
func (c *curve) top() float64 {
	const n = 9
	reach := c.radius * 1.4
	var x []float32
	for i := range n * n * n {
		p := c.middle
		for k, g := range [3]int{i % n, i / n % n, i / n / n} {
			p[k] += reach * (2*float64(g)/(n-1) - 1)
		}
		if c.run.Dim == 2 && i >= n*n {
			break
		}
		x = append(x, c.row(p)...)
	}
	d := make([]float32, len(x)/c.run.Dim)
	c.run.Distance(d, nil, x)
	var top float32
	for _, v := range d {
		top = max(top, v)
	}
	return float64(top)
}

func minus(a, b [3]float64) [3]float64 {
	return [3]float64{a[0] - b[0], a[1] - b[1], a[2] - b[2]}
}

func dot(a, b [3]float64) float64 { return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] }

func square(a, b [3]float64) float64 {
	d := minus(a, b)
	return dot(d, d)
}

// mix returns the point at t on the way from a to b.
func mix(a, b [3]float64, t float64) [3]float64 {
	for k, v := range b {
		a[k] += (v - a[k]) * t
	}
	return a
}
