package latent

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/trainer/internal/probe"
	"mppm/trainer/internal/run"
)

// TestSurvey holds a survey to what it says: codes are those of the nets, the
// distances of points off S follow from the codes, and half of the images that are
// none of theirs are in S.
func TestSurvey(t *testing.T) {
	set := digits(t, 400)
	c := tiny()
	r := start(t, c, set)
	s, err := r.look(3)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.look(3); err != nil || !slices.Equal(again.off, s.off) || !slices.Equal(again.noisy, s.noisy) {
		t.Errorf("the same survey is another: %v", err)
	}
	if other, err := r.look(4); err != nil || slices.Equal(other.clean, s.clean) {
		t.Errorf("another survey is the same: %v", err)
	}
	a, err := r.autoencoder()
	if err != nil {
		t.Fatal(err)
	}
	codes, err := Codes(context.Background(), a, &set.Train)
	if err != nil {
		t.Fatal(err)
	}
	order := rng.New(c.Seed, streamSurvey+3).Perm(set.Train.N)
	fresh := order[:r.fresh()]
	for i, at := range fresh {
		if !slices.Equal(s.row(s.clean, i), s.row(codes, at)) {
			t.Fatalf("clean code %d is not that of image %d", i, at)
		}
	}
	// Distances in the plainest way.
	from := func(z []float32) float64 {
		least := math.Inf(1)
		for _, at := range order[r.fresh():] {
			var sum float64
			for j, v := range s.row(codes, at) {
				e := float64(v) - float64(z[j])
				sum += e * e
			}
			least = min(least, math.Sqrt(sum))
		}
		return least
	}
	in := 0
	for i := range fresh {
		if from(s.row(s.clean, i)) <= float64(s.reach[0])*1.0001 {
			in++
		}
	}
	if in < len(fresh)/2 || in > len(fresh)/2+2 {
		t.Errorf("%d of %d images that are not in the bank are in S", in, len(fresh))
	}
	for i := 0; i < offPoints; i += 97 {
		want := max(0, from(s.row(s.off, i))-float64(s.reach[0]))
		if math.Abs(want-float64(s.far[i])) > 1e-3*(1+want) {
			t.Fatalf("point %d is %v from S, by the survey %v", i, want, s.far[i])
		}
	}
}

// TestDraw: the points of a step have the distances that their places say.
func TestDraw(t *testing.T) {
	c := tiny()
	r := start(t, c, digits(t, 200))
	s, err := r.look(0)
	if err != nil {
		t.Fatal(err)
	}
	p := newProbes(c.Batch, latent.DigitLatent)
	s.draw(p, c.Batch, rng.New(1, 1))
	near := func(z []float32) float64 { // to the nearest clean code of the survey
		least := math.Inf(1)
		d := make([]float32, len(z))
		for i := range len(s.clean) / latent.DigitLatent {
			for j, v := range s.row(s.clean, i) {
				d[j] = z[j] - v
			}
			least = min(least, norm(d))
		}
		return least
	}
	for i := range c.Batch {
		if d := float64(p.distances[i]); near(s.row(p.points, i)) > d*1.0001 {
			t.Errorf("a point on the way home is farther from every clean code than its distance %v", d)
		}
		if k := slices.Index(s.far, p.distances[c.Batch+i]); k < 0 {
			t.Errorf("a point off S has the distance %v, which no such point has", p.distances[c.Batch+i])
		}
	}
	for i := 2 * c.Batch; i < len(p.distances); i++ {
		if p.distances[i] != 0 || near(s.row(p.points, i)) != 0 {
			t.Errorf("a clean code is at a distance of %v", p.distances[i])
		}
	}
}

// TestSupportMakesADistance: five hundred steps of D alone, on real digits, make it a
// distance all over the latent space. Without them the correlation is below 0.
func TestSupportMakesADistance(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	set := digits(t, 2560)
	c := tiny()
	c.Epochs, c.Centers, c.Support.Epochs, c.Rate = 8, 500, 6, 4e-3
	c.Lambda[0], c.Lambda[2] = 1, 1 // in so few steps
	r := start(t, c, set)
	if err := r.Train(context.Background(), run.Options{Every: 100}); err != nil {
		t.Fatal(err)
	}
	report, err := probe.Run(context.Background(), modelOf(t, r), set.Test.Images[:300*latent.DigitPixels], 1, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if !(report.Pooled > 0.85) {
		t.Errorf("D correlates with the distance by %.3f", report.Pooled)
	}
	for _, p := range report.Pairs[:2] {
		if p.Share < 0.9 {
			t.Errorf("D orders %s before %s in %.0f %% of all pairs", p.Near, p.Far, 100*p.Share)
		}
	}
}

func TestSupportIsChecked(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"weight of the distance": func(c *Config) { c.Support.Distance = -1 },
		"weight of its slope":    func(c *Config) { c.Support = Support{1, 1, float32(math.NaN())} },
		"epochs of the distance": func(c *Config) { c.Support.Epochs = -1 },
		"clipped noise":          func(c *Config) { c.Clipped = 1.5 },
		"has no distance":        func(c *Config) { *c = DefaultDAE(); c.Support.Epochs = 1 },
	} {
		c := Default()
		change(&c)
		if err := c.Validate(60_000); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

// TestClipped: the share of images whose noise is cut off is what was asked for,
// and the noise of the others is what it was without.
func TestClipped(t *testing.T) {
	c := tiny()
	r := New(c, nil)
	x := make([]float32, latent.DigitPixels)
	x[400] = 1
	clipped := 0
	const n = 400
	for i := range n {
		before, after := make([]float32, latent.DigitPixels), make([]float32, latent.DigitPixels)
		r.Config.Clipped = 0
		r.damage(before, x, r.noise(i))
		r.Config.Clipped = 0.5
		r.damage(after, x, r.noise(i))
		if slices.Equal(before, after) {
			continue
		}
		clipped++
		for k, v := range before {
			if after[k] != min(max(v, 0), 1) {
				t.Fatalf("pixel %d is %v, not %v cut off", k, after[k], v)
			}
		}
	}
	if clipped < n*2/5 || clipped > n*3/5 {
		t.Errorf("the noise of %d images of %d is cut off, want half", clipped, n)
	}
}
