package weights_test

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/golden"
	"mppm/shared/rng"
	"mppm/weights"
)

func curve(t *testing.T, b []byte) *ambient.Model {
	t.Helper()
	m, err := ambient.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCurves: what each method makes of noisy copies of the training points is
// nearer to the points than they were, and MPPM's is nearest of all. The bits of
// every step are pinned: the same test runs in a browser.
func TestCurves(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes []byte
		dim   int
		sigma float32
	}{
		{"circle", weights.Circle, 3, 0.2},
		{"spiral", weights.Spiral, 2, 0.15},
		{"moons", weights.Moons, 2, 0.1},
		{"trefoil", weights.Trefoil, 3, 0.1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := curve(t, c.bytes)
			if m.Dim != c.dim {
				t.Fatalf("points have %d coordinates, want %d", m.Dim, c.dim)
			}
			const n = 120
			r := m.Runner(32)
			bits := golden.NewBits()
			x := slices.Clone(m.Points[:n*m.Dim])
			e := make([]float32, len(x))
			rng.New(1, 0).FillNorm(e, c.sigma)
			for i, v := range e {
				x[i] += v
			}
			dae := make([]float32, len(x))
			r.DAE(dae, x)
			bits.Add(dae)
			diffused := slices.Clone(x)
			var sources []*rng.Source
			for i := range n {
				sources = append(sources, rng.New(2, uint64(i)))
			}
			from := m.Schedule.Match(float64(c.sigma))
			m.Schedule.Enter(diffused, from)
			back, err := r.DDPM(diffused, from, sources)
			if err != nil {
				t.Fatal(err)
			}
			for s := range back {
				bits.Add(s.X)
			}
			flowed := slices.Clone(x)
			steps, err := r.Flow(flowed, m.Flow)
			if err != nil {
				t.Fatal(err)
			}
			for s := range steps {
				bits.Add(s.X)
				bits.Add(s.Distance)
			}
			noisy, byDAE, byDDPM, byMPPM := off(m, x), off(m, dae), off(m, diffused), off(m, flowed)
			t.Logf("mean distance to the points: noisy %.4f, DAE %.4f, DDPM %.4f, MPPM %.4f", noisy, byDAE, byDDPM, byMPPM)
			if byMPPM > noisy/4 || byMPPM > byDAE || byMPPM > byDDPM {
				t.Errorf("mean distance to the points: MPPM %.4f; noisy points have %.4f, DAE %.4f, DDPM %.4f", byMPPM, noisy, byDAE, byDDPM)
			}
			golden.Check(t, "weights: noisy points of the "+c.name+" by DAE, DDPM and MPPM, every step", bits)
		})
	}
}

// off returns the mean distance of points to the nearest training point.
func off(m *ambient.Model, x []float32) float64 {
	var sum float64
	for i := 0; i < len(x); i += m.Dim {
		best := math.Inf(1)
		for j := 0; j < len(m.Points); j += m.Dim {
			var d2 float64
			for k := range m.Dim {
				e := float64(x[i+k]) - float64(m.Points[j+k])
				d2 += e * e
			}
			best = min(best, d2)
		}
		sum += math.Sqrt(best)
	}
	return sum / float64(len(x)/m.Dim)
}

// TestContractsWhereAccurate is App. A.3 for the learned distance: where D and
// its gradient are accurate, a step of Eq. 13 shortens the true distance to the
// half circle by the factor 1 − α, and that is so in most places.
func TestContractsWhereAccurate(t *testing.T) {
	m := curve(t, weights.Circle)
	r := m.Runner(32)
	src := rng.New(3, 0)
	const alpha = 0.15
	p := m.Flow
	p.Alpha, p.Beta, p.Steps = alpha, 0, 1
	accurate, all := 0, 0
	for range 1000 {
		// Around the middle of the arc, where there is data.
		j := src.IntN(len(m.Points) / 3)
		x := slices.Clone(m.Points[3*j : 3*j+3])
		e := make([]float32, 3)
		src.FillNorm(e, 0.2)
		for k, v := range e {
			x[k] += v
		}
		before, gradient := toCircle(x)
		if before < 0.1 || x[1] < 0 {
			continue
		}
		all++
		d, grad := make([]float32, 1), make([]float32, 3)
		r.Distance(d, grad, x)
		var along float64
		for k, v := range gradient {
			along += v * float64(grad[k])
		}
		wrong := math.Abs(float64(d[0])/before - 1)
		if wrong > 0.15 || along < 0.97 {
			continue
		}
		accurate++
		steps, err := r.Flow(x, p)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		after, _ := toCircle(x)
		// A distance that is wrong by a share moves the point by so much more or
		// less; a gradient at an angle to the true one leaves 1 − cos of the way.
		if slack := alpha*(wrong+1-along) + 0.01; math.Abs(after/before-(1-alpha)) > slack {
			t.Errorf("from %v: the distance went from %.4f to %.4f, by the factor %.4f, want %.4f ± %.4f", x, before, after, after/before, 1-alpha, slack)
		}
	}
	if share := float64(accurate) / float64(all); share < 0.5 || all < 400 {
		t.Errorf("the distance is accurate at %.2f of %d points", share, all)
	}
}

// toCircle returns the distance of a point with y ≥ 0 to the half circle, and its
// gradient.
func toCircle(x []float32) (float64, [3]float64) {
	r := math.Hypot(float64(x[0]), float64(x[1]))
	d := math.Hypot(r-1, float64(x[2]))
	s := (r - 1) / (d * r)
	return d, [3]float64{s * float64(x[0]), s * float64(x[1]), float64(x[2]) / d}
}
