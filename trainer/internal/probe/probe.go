// Package probe measures whether the learned distance D is one: zero on the codes
// of clean images, also of those that were not trained on; growing away from them
// by as much as a point moves; and falling along the flow (Sec. 3, App. A.3).
//
// What D should be is measured as well. S, the support of the clean codes, is all
// that is no farther from a code of the bank than a clean image that was held out
// usually is: m, the median. The distance of a point z from S is
// T(z) = max(0, d(z) − m), with d the distance to the nearest code. For the code
// of a noisy image it is ‖z − F(x)‖, x being the clean image, as in term 1 of
// Eq. 20; for that of a clean one it is 0.
package probe

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat"

	"mppm/shared/kde"
	"mppm/shared/latent"
	"mppm/shared/rng"
)

// Slopes that pass for 1.
const (
	leastSlope = 0.7
	mostSlope  = 1.3
)

// The families that points are taken from by name.
const (
	cleanCodes = "clean"
	movedFar   = "moved by 4"
	starts     = "starts of generation"
)

// noises are Gaussian noise in images; as a file holds it, it is cut off at black
// and white.
var noises = []struct {
	name    string
	sigma   float32
	clipped bool
}{{"noise 0.3", 0.3, false}, {"noise 0.7", 0.7, false}, {"noise 0.3, clipped", 0.3, true}, {"noise 0.7, clipped", 0.7, true}}

// Family is a set of points of the latent space, and what D is at them. A
// correlation is 0 where what it is with does not vary.
type Family struct {
	Name        string  `json:"name"`
	Off         bool    `json:"off"` // whether its points are off S
	Points      int     `json:"points"`
	D           float64 `json:"d"`       // the mean
	True        float64 `json:"true"`    // the mean of the distance that D should be
	Nearest     float64 `json:"nearest"` // the mean distance to the nearest code
	WithTrue    float64 `json:"r_true"`  // correlation of D with the distance that it should be
	WithNearest float64 `json:"r_near"`  // and with that to the nearest code
	Zero        float64 `json:"zero"`    // share of the points with D = 0
	Slope       float64 `json:"slope"`   // the mean of |∇D|
	Unit        float64 `json:"unit"`    // share of the points with |∇D| from 0.7 to 1.3
	d, distance []float64
}

// Pair says how often D orders a point of one family before a point of another
// that is farther away: the share of all pairs.
type Pair struct {
	Near  string  `json:"near"`
	Far   string  `json:"far"`
	Share float64 `json:"share"`
}

// Ray is what D is, in the mean, on rays that leave clean codes in random
// directions.
type Ray struct {
	Length   float64 `json:"length"` // from the code, in spacings of the codes
	D        float64 `json:"d"`
	True     float64 `json:"true"`
	Residual float64 `json:"residual"` // the mean of | |∇D| − 1 |
}

// Fall is how D changes along a flow, in the mean over its points.
type Fall struct {
	Flow   string    `json:"flow"`
	From   string    `json:"from"`   // the family that the points start from
	Alpha  float64   `json:"alpha"`  // of the flow
	Beta   float64   `json:"beta"`   // of the flow
	D      []float64 `json:"d"`      // at the start and after every step
	Falls  float64   `json:"falls"`  // share of the steps, of all points that are off S, that D falls in
	Factor float64   `json:"factor"` // median of D after such a step over D before: 1 − α where β = 0, if |∇D| = 1
}

// Report is the outcome of Run.
type Report struct {
	Images   int      `json:"images"`
	Seed     uint64   `json:"seed"`
	Reach    float64  `json:"m"`       // m
	Spacing  float64  `json:"spacing"` // of the codes
	Families []Family `json:"families"`
	Pooled   float64  `json:"pooled"` // correlation of D with the distance that it should be, over all families
	Pairs    []Pair   `json:"pairs"`
	Rays     []Ray    `json:"rays"`
	Falls    []Fall   `json:"falls"`
}

// Parts is how many parts the work of Run has.
const Parts = 15

// prober computes on all processors.
type prober struct {
	m      *latent.Model
	report *Report
	done   func(part string)
}

// Run measures the D of m on images that it was not trained on (bytes). done is told of each of the Parts. It returns an error if m
// has no D, there are less than two images, or ctx ends first.
func Run(ctx context.Context, m *latent.Model, images []byte, seed uint64, done func(part string)) (*Report, error) {
	pixels, dim := m.Pixels(), m.Latent()
	n := len(images) / pixels
	if !m.HasDistance() {
		return nil, fmt.Errorf("the model has no distance net to measure (it is a denoising autoencoder)")
	}
	if n < 2 {
		return nil, fmt.Errorf("the distance is measured on at least 2 images, not %d", n)
	}
	p := &prober{m, &Report{Images: n, Seed: seed, Spacing: float64(m.Bank.Spacing)}, done}
	x := make([]float32, len(images))
	for i, v := range images {
		x[i] = float32(v) / 255
	}
	clean := p.encode(x)
	near := p.nearest(clean)
	slices.Sort(near)
	p.report.Reach = near[n/2]
	points := map[string][]float32{}
	add := func(name string, off bool, z []float32, truth func(i int, nearest float64) float64) {
		points[name] = z
		p.report.Families = append(p.report.Families, p.family(name, off, z, truth))
		done(name)
	}
	add(cleanCodes, false, clean, func(int, float64) float64 { return 0 })
	for _, f := range noises {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		y := make([]float32, len(x))
		for i := range n {
			rng.New(seed, uint64(i)).FillNorm(y[i*pixels:(i+1)*pixels], f.sigma)
		}
		for i, v := range x {
			y[i] += v
			if f.clipped {
				y[i] = min(max(y[i], 0), 1)
			}
		}
		z := p.encode(y)
		add(f.name, true, z, func(i int, _ float64) float64 {
			return length(z[i*dim:(i+1)*dim], clean[i*dim:])
		})
	}
	src := rng.New(seed, 1<<32)
	outside := func(_ int, nearest float64) float64 { return max(0, nearest-p.report.Reach) }
	ways := directions(n, dim, src)
	for _, by := range []float64{1, 2, 4} {
		add(fmt.Sprintf("moved by %v", by), by > 1, p.moved(clean, ways, by), outside)
	}
	noise := make([]float32, len(clean))
	p.m.Runner(1).Noise(noise, p.m.Generate, src)
	add(starts, true, noise, outside)
	p.pool()
	p.rays(clean, ways)
	return p.report, p.fall(ctx, points)
}

// each calls f for parts of n points on all processors.
func (p *prober) each(n int, f func(r *latent.Runner, lo, hi int)) {
	const span = 100
	var wg sync.WaitGroup
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			r := p.m.Runner(span)
			for lo := range work {
				f(r, lo, min(n, lo+span))
			}
		})
	}
	for lo := 0; lo < n; lo += span {
		work <- lo
	}
	close(work)
	wg.Wait()
}

func (p *prober) encode(x []float32) []float32 {
	pixels, dim := p.m.Pixels(), p.m.Latent()
	n := len(x) / pixels
	z := make([]float32, n*dim)
	p.each(n, func(r *latent.Runner, lo, hi int) {
		r.Encode(z[lo*dim:hi*dim], x[lo*pixels:hi*pixels])
	})
	return z
}

func (p *prober) nearest(z []float32) []float64 {
	dim := p.m.Latent()
	d := make([]float64, len(z)/dim)
	p.each(len(d), func(_ *latent.Runner, lo, hi int) {
		var ws kde.Workspace
		for i := lo; i < hi; i++ {
			d2, _ := p.m.Bank.Nearest(z[i*dim:(i+1)*dim], &ws)
			d[i] = math.Sqrt(float64(d2))
		}
	})
	return d
}

// measure returns D and |∇D| at each point.
func (p *prober) measure(z []float32) (d, slope []float64) {
	dim := p.m.Latent()
	n := len(z) / dim
	d, slope = make([]float64, n), make([]float64, n)
	p.each(n, func(r *latent.Runner, lo, hi int) {
		dist, grad := make([]float32, hi-lo), make([]float32, (hi-lo)*dim)
		part := z[lo*dim : hi*dim]
		r.Distance(dist, nil, part)
		r.Gradient(grad, part)
		zero := make([]float32, dim)
		for i := range dist {
			d[lo+i] = float64(dist[i])
			slope[lo+i] = length(grad[i*dim:(i+1)*dim], zero)
		}
	})
	return d, slope
}

func (p *prober) family(name string, off bool, z []float32, truth func(i int, nearest float64) float64) Family {
	f := Family{Name: name, Off: off, Points: len(z) / p.m.Latent()}
	d, slope := p.measure(z)
	near := p.nearest(z)
	t := make([]float64, len(d))
	for i, v := range near {
		t[i] = truth(i, v)
		if d[i] == 0 {
			f.Zero++
		}
		if slope[i] >= leastSlope && slope[i] <= mostSlope {
			f.Unit++
		}
	}
	f.Zero, f.Unit = f.Zero/float64(len(d)), f.Unit/float64(len(d))
	f.D, f.True, f.Nearest, f.Slope = stat.Mean(d, nil), stat.Mean(t, nil), stat.Mean(near, nil), stat.Mean(slope, nil)
	f.WithTrue, f.WithNearest = correlation(d, t), correlation(d, near)
	f.d, f.distance = d, t
	return f
}

// pool compares the families with one another.
func (p *prober) pool() {
	var d, t []float64
	of := map[string][]float64{}
	for _, f := range p.report.Families {
		d, t = append(d, f.d...), append(t, f.distance...)
		of[f.Name] = f.d
	}
	p.report.Pooled = correlation(d, t)
	for _, order := range [][]string{
		{cleanCodes, noises[0].name, noises[1].name, starts},
		{cleanCodes, noises[2].name, noises[3].name, starts},
	} {
		for i, far := range order[1:] {
			p.report.Pairs = append(p.report.Pairs, Pair{order[i], far, ordered(of[order[i]], of[far])})
		}
	}
}

// ordered is the share of pairs of which the second is larger.
func ordered(near, far []float64) float64 {
	near = slices.Clone(near)
	slices.Sort(near)
	var sum float64
	for _, v := range far {
		below, _ := slices.BinarySearch(near, v)
		sum += float64(below)
	}
	return sum / float64(len(near)*len(far))
}

// rays measures D along rays from clean codes, each in one direction.
func (p *prober) rays(clean, ways []float32) {
	for by := 0.0; by <= 8; by++ {
		z := p.moved(clean, ways, by)
		d, slope := p.measure(z)
		ray := Ray{Length: by, D: stat.Mean(d, nil)}
		for i, v := range p.nearest(z) {
			ray.True += max(0, v-p.report.Reach) / float64(len(d))
			ray.Residual += math.Abs(slope[i]-1) / float64(len(d))
		}
		p.report.Rays = append(p.report.Rays, ray)
	}
	p.done("rays")
}

// fall follows D along flows: down the distance alone, and as the model restores
// and generates.
func (p *prober) fall(ctx context.Context, points map[string][]float32) error {
	const most = 500
	alone := latent.Preset{Alpha: 0.3, Sigma: p.m.Restore.Sigma, Steps: 12}
	for _, f := range []struct {
		name, from string
		flow       latent.Preset
	}{
		{"D alone", noises[1].name, alone}, {"D alone", movedFar, alone}, {"D alone", starts, alone},
		{"restore", noises[1].name, p.m.Restore}, {"generate", starts, p.m.Generate},
	} {
		z := slices.Clone(points[f.from][:min(most*p.m.Latent(), len(points[f.from]))])
		n := len(z) / p.m.Latent()
		r := p.m.Runner(n)
		steps, err := r.Flow(z, f.flow)
		if err != nil {
			return err
		}
		out := Fall{Flow: f.name, From: f.from, Alpha: float64(f.flow.Alpha), Beta: float64(f.flow.Beta)}
		var before, factors []float64
		falls, count := 0, 0
		for s := range steps {
			if err := ctx.Err(); err != nil {
				return err
			}
			now := make([]float64, n)
			for i, v := range s.Distance {
				now[i] = float64(v)
				// Nearer than a tenth of m to S, D is its own noise.
				if before == nil || before[i] < p.report.Reach/10 {
					continue
				}
				count++
				factors = append(factors, now[i]/before[i])
				if now[i] < before[i] {
					falls++
				}
			}
			out.D = append(out.D, stat.Mean(now, nil))
			before = now
		}
		if count > 0 {
			slices.Sort(factors)
			out.Falls, out.Factor = float64(falls)/float64(count), factors[count/2]
		}
		p.report.Falls = append(p.report.Falls, out)
		p.done(f.name + " from " + f.from)
	}
	return nil
}

// moved returns clean codes that were moved by so many spacings, each in its
// direction.
func (p *prober) moved(clean, ways []float32, by float64) []float32 {
	z := slices.Clone(clean)
	step := float32(by) * p.m.Bank.Spacing
	for i, v := range ways {
		z[i] += step * v
	}
	return z
}

// directions returns n random vectors of dim numbers and length 1.
func directions(n, dim int, src *rng.Source) []float32 {
	e := make([]float32, n*dim)
	src.FillNorm(e, 1)
	zero := make([]float32, dim)
	for i := 0; i < len(e); i += dim {
		l := float32(max(length(e[i:i+dim], zero), 1e-12))
		for k := i; k < i+dim; k++ {
			e[k] /= l
		}
	}
	return e
}

// length is ‖a − b‖.
func length(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		e := float64(v) - float64(b[i])
		sum += e * e
	}
	return math.Sqrt(sum)
}

// correlation is Pearson's, 0 where one of the two does not vary.
func correlation(a, b []float64) float64 {
	if r := stat.Correlation(a, b, nil); !math.IsNaN(r) {
		return r
	}
	return 0
}
