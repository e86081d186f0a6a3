package probe

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/trainer/internal/dataset"
	"mppm/weights"
)

func load(t *testing.T, b []byte) *latent.Model {
	t.Helper()
	m, err := latent.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// images returns the first n test digits.
func images(t *testing.T, n int) []byte {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return set.Test.Images[:n*latent.DigitPixels]
}

// TestShipped: the D that ships is a distance.
func TestShipped(t *testing.T) {
	r, err := Run(t.Context(), load(t, weights.MNIST), images(t, 500), 1, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Pooled > 0.95) {
		t.Errorf("D correlates with the distance by %.3f", r.Pooled)
	}
	for _, p := range r.Pairs {
		if !(p.Share > 0.9) {
			t.Errorf("D orders %s before %s in %.1f %% of all pairs", p.Near, p.Far, 100*p.Share)
		}
	}
	for _, f := range r.Families {
		if f.Off && !(f.Zero < 0.01 && f.Unit > 0.7) {
			t.Errorf("%s: D is 0 for %.1f %%, |∇D| from 0.7 to 1.3 for %.1f %%", f.Name, 100*f.Zero, 100*f.Unit)
		}
	}
	for _, f := range r.Falls {
		if first, last := f.D[0], f.D[len(f.D)-1]; !(f.Falls > 0.9 && last < first/5) {
			t.Errorf("%s from %s: D goes from %.2f to %.2f, and falls in %.0f %% of the steps", f.Flow, f.From, first, last, 100*f.Falls)
		}
	}
}

// TestRun holds a report on the shipped model to what follows from the meaning of
// its figures, whatever the D.
func TestRun(t *testing.T) {
	const n = 150
	m := load(t, weights.MNIST)
	var parts []string
	r, err := Run(t.Context(), m, images(t, n), 1, func(part string) { parts = append(parts, part) })
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != Parts {
		t.Errorf("%d parts were told of, not %d: %q", len(parts), Parts, parts)
	}
	of := map[string]Family{}
	for _, f := range r.Families {
		of[f.Name] = f
		if f.Points != n || len(f.d) != n || f.Zero < 0 || f.Zero > 1 || f.Unit < 0 || f.Unit > 1 || math.Abs(f.WithTrue) > 1 || !(f.Slope > 0) {
			t.Errorf("%s: %+v", f.Name, f)
		}
		for i, d := range f.distance {
			if d < 0 {
				t.Fatalf("%s: point %d is at a distance of %v", f.Name, i, d)
			}
		}
	}
	clean := of[cleanCodes]
	if clean.True != 0 || clean.WithTrue != 0 {
		t.Errorf("clean codes: %+v", clean)
	}
	below := 0
	for _, d := range clean.distance {
		if d == 0 {
			below++
		}
	}
	if below != n {
		t.Errorf("%d of %d clean codes are in S", below, n)
	}
	// What is farther by construction is farther by the distance it should have.
	for _, order := range [][2]string{{"moved by 1", "moved by 2"}, {"moved by 2", movedFar}, {"noise 0.3", "noise 0.7"}, {"noise 0.3, clipped", "noise 0.7, clipped"}, {movedFar, starts}} {
		if near, far := of[order[0]], of[order[1]]; !(near.True < far.True) {
			t.Errorf("%s: %.2f; %s: %.2f", order[0], near.True, order[1], far.True)
		}
	}
	for i, ray := range r.Rays {
		if ray.Length != float64(i) || i > 0 && !(ray.True > r.Rays[i-1].True) || !(ray.Residual >= 0) {
			t.Errorf("ray %d: %+v", i, ray)
		}
	}
	if got, want := r.Rays[0].D, clean.D; math.Abs(got-want) > 1e-9 {
		t.Errorf("at the start of rays D is %v, at clean codes %v", got, want)
	}
	for _, f := range r.Falls {
		if got, want := f.D[0], of[f.From].D; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s begins at %v, %s is at %v", f.Flow, got, f.From, want)
		}
	}
	again, err := Run(t.Context(), m, images(t, n), 1, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if r.JSON(&a) != nil || again.JSON(&b) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same seed gives another report")
	}
	b.Reset()
	if err := r.Markdown(&b); err != nil || strings.Contains(b.String(), "NaN") || strings.Count(b.String(), "\n| ") < 30 {
		t.Errorf("the report: %v\n%s", err, b.String())
	}
	dir := t.TempDir()
	if err := r.Scatter(filepath.Join(dir, "scatter.png")); err != nil {
		t.Error(err)
	}
	if err := Plane(filepath.Join(dir, "plane.png"), m); err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	some := images(t, 2)
	if _, err := Run(t.Context(), load(t, weights.DAE), some, 1, func(string) {}); err == nil || !strings.Contains(err.Error(), "no distance net") {
		t.Errorf("without D: %v", err)
	}
	m := load(t, weights.MNIST)
	if _, err := Run(t.Context(), m, some[:latent.DigitPixels], 1, func(string) {}); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("a single image: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, m, some, 1, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestOrdered(t *testing.T) {
	for want, pair := range map[float64][2][]float64{
		1:    {{1, 2}, {3, 4}},
		0:    {{3, 4}, {1, 2}},
		0.75: {{1, 3}, {2, 4}},
		0.5:  {{1, 1}, {1, 2}}, // of equals the second is not larger
	} {
		if got := ordered(pair[0], pair[1]); got != want {
			t.Errorf("%v before %v in %v of all pairs, want %v", pair[0], pair[1], got, want)
		}
	}
}
