// Package curve is what the page knows of a curve: the line through the points that its
// models learned from, how far a place is from it, and the ways that MPPM (Sec. 4.1), an
// autoencoder and diffusion take a point home to it. It draws nothing.
package curve

import (
	"math"

	"mppm/shared/ambient"
	"mppm/shared/metadata"
	"mppm/shared/rng"
)

// Line is points of space, with straight pieces of line between some.
type Line struct {
	Points   [][3]float64
	Segments [][2]int // from which point to which
}

// Shape is a curve without its models.
type Shape struct {
	Dim     int        // coordinates of a point
	Line               // through the points that the models learned from
	Learnt  Line       // what they have learnt: G along the codes, or G(F(x)) of the points
	Trained [3]bool    // whether MPPM, the autoencoder and diffusion have learnt anything
	Center  [3]float64 // with Scale leads from the points' own coordinates to these: see Inner
	Scale   float64    // > 0
	Middle  [3]float64 // of the box around all points
	Half    [3]float64 // of the box's edges
	Radius  float64    // all points lie within it of the middle
	Noise   float64    // σ of the noise that the models were tested with
	Highest float64    // D around the curve, at most
}

// Curve is one of the data sets: its shape, and what computes with its models. It is
// not safe for concurrent use.
type Curve struct {
	Shape
	run *ambient.Runner
}

// runnerBatch is how many points a curve's model computes at a time.
const runnerBatch = 64

// diffusionStream is the stream of a seed that diffusion draws from; a random point
// draws from stream 0.
const diffusionStream = 1

// defaultNoise is the noise of random points where a file names none.
const defaultNoise = 0.2

// mostNoise bounds it: points lie within a few units.
const mostNoise = 8

// New returns the curve of a model.
func New(m *ambient.Model) *Curve {
	c := &Curve{Shape{Dim: m.Dim, Scale: float64(m.Scale), Noise: defaultNoise}, m.Runner(runnerBatch)}
	copy(c.Center[:], m.Center)
	c.Points = places(m.Points, m.Dim)
	lo, hi := c.Points[0], c.Points[0]
	for _, p := range c.Points {
		for k, v := range p {
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
	}
	for k := range lo {
		c.Middle[k], c.Half[k] = (lo[k]+hi[k])/2, (hi[k]-lo[k])/2
	}
	for _, p := range c.Points {
		c.Radius = max(c.Radius, math.Sqrt(Square(p, c.Middle)))
	}
	c.Radius = max(c.Radius, 1e-3)
	c.Segments = segments(c.Points)
	c.learn()
	c.Trained = trained(m.Meta["best"])
	noise := 0.0
	if metadata.Numbers(m.Meta["scores"], map[string]any{"noise": &noise}) == nil && noise > 0 && noise < mostNoise {
		c.Noise = noise
	}
	c.Highest = c.top()
	return c
}

// Inner returns a place of the points' own coordinates in those of the model, and Outer
// is its inverse.
func (c *Shape) Inner(x [3]float64) [3]float64 {
	for k := range x {
		x[k] = (x[k] - c.Center[k]) / c.Scale
	}
	return x
}

// Outer returns a place of the model's coordinates in the points' own.
func (c *Shape) Outer(x [3]float64) [3]float64 {
	for k := range x {
		x[k] = x[k]*c.Scale + c.Center[k]
	}
	return x
}

// pieces is how many pieces of line show G along codes of one number.
const pieces = 300

// learn finds the line that the decoder draws.
func (c *Curve) learn() {
	if c.run.Latent != 1 { // codes have no order of their own: the points have
		x := make([]float32, len(c.run.Points))
		c.run.Project(x, c.run.Points)
		c.Learnt = Line{places(x, c.Dim), c.Segments}
		return
	}
	lo, hi := c.run.Codes[0], c.run.Codes[0]
	for _, z := range c.run.Codes {
		lo, hi = min(lo, z), max(hi, z)
	}
	z, x := make([]float32, pieces+1), make([]float32, (pieces+1)*c.Dim)
	for i := range z {
		z[i] = lo + (hi-lo)*float32(i)/pieces
	}
	c.run.Decode(x, z)
	c.Learnt.Points = places(x, c.Dim)
	for i := range pieces {
		c.Learnt.Segments = append(c.Learnt.Segments, [2]int{i, i + 1})
	}
}

// finest is the longest piece of a line that is followed, in radii of the curve.
const finest = 0.02

// mostFollowed bounds the pieces of it.
const mostFollowed = 2000

// Follow has Learnt be G(F(x)) along a line, which is in the points' own coordinates: that
// is whole where the points have gaps. Codes of one number have an order of their own, and
// Learnt stays as it is.
func (c *Curve) Follow(l Line) {
	if c.run.Latent == 1 {
		return
	}
	var length float64
	for _, s := range l.Segments {
		length += math.Sqrt(Square(c.Inner(l.Points[s[0]]), c.Inner(l.Points[s[1]])))
	}
	longest := max(finest*c.Radius, length/mostFollowed)
	var x []float32
	c.Learnt = Line{}
	for _, s := range l.Segments {
		a, b := c.Inner(l.Points[s[0]]), c.Inner(l.Points[s[1]])
		n := max(int(math.Ceil(math.Sqrt(Square(a, b))/longest)), 1)
		for i := range n + 1 {
			if i > 0 {
				at := len(x) / c.Dim
				c.Learnt.Segments = append(c.Learnt.Segments, [2]int{at - 1, at})
			}
			x = append(x, c.Row(Mix(a, b, float64(i)/float64(n)))...)
		}
	}
	c.run.Project(x, x)
	c.Learnt.Points = places(x, c.Dim)
}

// trained reads which methods have a best epoch; where a file does not say, all do.
func trained(best string) [3]bool {
	yes, k := [3]bool{true, true, true}, 0
	_ = metadata.Items(best, func(item string) error {
		epoch := 1
		if metadata.Numbers(item, map[string]any{"epoch": &epoch}) == nil && k < len(yes) {
			yes[k] = epoch > 0
		}
		k++
		return nil
	})
	return yes
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

// Row returns a point of space as the model takes it.
func (c *Shape) Row(p [3]float64) []float32 {
	x := make([]float32, c.Dim)
	for k := range min(len(x), 3) {
		x[k] = float32(p[k])
	}
	return x
}

// Gap is the longest distance between neighbors on a curve. The moons are half a
// unit apart.
const Gap = 0.3

// segments returns the line through points of a curve, as pairs of them: their
// minimum spanning tree, which follows a curve that is sampled densely, without
// what is longer than Gap; closed where its two ends are near each other.
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
		if k > 0 && near[at] <= Gap*Gap {
			lines = append(lines, [2]int{from[at], at})
			degree[at]++
			degree[from[at]]++
		}
		next, best := at, math.Inf(1)
		for j := range points {
			if in[j] {
				continue
			}
			if d := Square(points[at], points[j]); d < near[j] {
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
	if len(ends) == 2 && Square(points[ends[0]], points[ends[1]]) <= Gap*Gap {
		lines = append(lines, [2]int{ends[0], ends[1]})
	}
	return lines
}

// Off returns the distance of a point to the line, its points without a neighbor too.
func (l *Line) Off(p [3]float64) float64 {
	best := math.Inf(1)
	for _, s := range l.Segments {
		a, b := l.Points[s[0]], l.Points[s[1]]
		t := 0.0
		if length := Square(a, b); length > 0 {
			t = Dot(Minus(p, a), Minus(b, a)) / length
		}
		best = min(best, Square(p, Mix(a, b, min(max(t, 0), 1))))
	}
	for _, a := range l.Points {
		best = min(best, Square(p, a))
	}
	return math.Sqrt(best)
}

// add appends a place to a path, and how far it is from a line.
func (c *Curve) add(to *Path, x []float32, along *Line) {
	var p [3]float64
	for k := range min(len(x), 3) {
		p[k] = float64(x[k])
	}
	d := make([]float32, 1)
	c.run.Distance(d, nil, x)
	to.X, to.Off, to.D = append(to.X, p), append(to.Off, along.Off(p)), append(to.D, float64(d[0]))
}

// construct returns what the flow sees at a point.
func (c *Curve) construct(x []float32, p ambient.Preset) (Construction, error) {
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
func (c *Curve) diffuse(to *Path, x []float32, seed uint64, along *Line) (noise float64, err error) {
	x = append([]float32(nil), x...)
	noise = along.Off(places(x, c.run.Dim)[0]) / math.Sqrt(float64(max(c.run.Dim-1, 1)))
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
		c.add(to, y, along)
	}
	return noise, nil
}

// Distance writes to d what the learned distance of points x is, rows of Dim numbers.
func (c *Curve) Distance(d, x []float32) { c.run.Distance(d, nil, x) }

// Samples returns the points G(z) that the kernel mean of a flow sums over. It returns an
// error if the flow is not valid.
func (c *Curve) Samples(p ambient.Preset) ([][3]float64, error) {
	bank, err := c.run.Samples(p)
	if err != nil {
		return nil, err
	}
	x := make([]float32, c.Dim*bank.Len())
	for i := range bank.Len() {
		bank.Code(x[i*c.Dim:], i)
	}
	return places(x, c.Dim), nil
}

// top returns the highest D on a grid around the curve.
func (c *Curve) top() float64 {
	const n = 9
	reach := c.Radius * 1.4
	var x []float32
	for i := range n * n * n {
		p := c.Middle
		for k, g := range [3]int{i % n, i / n % n, i / n / n} {
			p[k] += reach * (2*float64(g)/(n-1) - 1)
		}
		if c.run.Dim == 2 && i >= n*n {
			break
		}
		x = append(x, c.Row(p)...)
	}
	d := make([]float32, len(x)/c.run.Dim)
	c.run.Distance(d, nil, x)
	var top float32
	for _, v := range d {
		top = max(top, v)
	}
	return float64(top)
}
