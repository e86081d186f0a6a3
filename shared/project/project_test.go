package project_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/project"
	"mppm/shared/rng"
	"mppm/weights"
)

// clouds are n codes around each of some centers in dim dimensions: the centers
// lie in the first two, where they are close; the rest is wide and says nothing.
func clouds(n, dim int) (codes []float32, labels []uint8) {
	src := rng.New(3, 0)
	for i := range 6 * n {
		c := i % 6
		z := make([]float32, dim)
		src.FillNorm(z, 5)
		z[0] = float32(c%3) + float32(0.2*src.Norm())
		z[1] = float32(c/3) + float32(0.2*src.Norm())
		codes, labels = append(codes, z...), append(labels, uint8(c))
	}
	return codes, labels
}

// TestSeparate: what tells classes apart is found among what does not. The bits
// are pinned: the same test runs in a browser.
func TestSeparate(t *testing.T) {
	const dim = 8
	codes, labels := clouds(200, dim)
	p, err := project.Separate(codes, dim, labels)
	if err != nil {
		t.Fatal(err)
	}
	axes := p.Axes()
	for k := range 2 {
		if in := math.Hypot(float64(axes[k*dim]), float64(axes[k*dim+1])); in < 0.99 {
			t.Errorf("axis %d is %v: %.2f of it lies where the classes differ, want nearly all", k, axes[k*dim:(k+1)*dim], in)
		}
	}
	if _, err := project.New(p.Mean(), axes); err != nil {
		t.Errorf("the plane found is refused: %v", err)
	}
	h := fnv.New64a()
	for _, v := range append(axes, p.Mean()...) {
		fmt.Fprintf(h, "%08x", math.Float32bits(v))
	}
	golden.Check(t, "project: the plane that tells three clouds apart", fmt.Sprintf("%016x", h.Sum64()))
}

// TestShift: a code that is moved has its shadow moved by as much, and nothing
// else of it changes; distances on the plane are no longer than in the space.
func TestShift(t *testing.T) {
	const dim = 8
	codes, labels := clouds(50, dim)
	p, err := project.Separate(codes, dim, labels)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, dim)
	x, y := p.Shadow(p.Mean())
	if x != 0 || y != 0 {
		t.Errorf("the mean's shadow is (%v, %v)", x, y)
	}
	for i := 0; i < len(codes); i += dim {
		was := codes[i : i+dim]
		x0, y0 := p.Shadow(was)
		p.Shift(z, was, 1.5, -2)
		x1, y1 := p.Shadow(z)
		if math.Abs(float64(x1-x0-1.5)) > 1e-4 || math.Abs(float64(y1-y0+2)) > 1e-4 {
			t.Fatalf("shifted by (1.5, -2), the shadow went from (%v, %v) to (%v, %v)", x0, y0, x1, y1)
		}
		var square float64
		for k := range z {
			square += float64(z[k]-was[k]) * float64(z[k]-was[k])
		}
		if math.Abs(math.Sqrt(square)-2.5) > 1e-4 {
			t.Fatalf("shifted by 2.5 on the plane, the code moved by %v", math.Sqrt(square))
		}
		if d := math.Hypot(float64(x0), float64(y0)); d*d > 1e-4+distance2(was, p.Mean()) {
			t.Fatalf("code %d is %v from the mean on the plane, and closer in the space", i/dim, d)
		}
	}
}

func distance2(a, b []float32) (s float64) {
	for i, v := range a {
		s += float64(v-b[i]) * float64(v-b[i])
	}
	return s
}

// TestShippedBank: on the plane, most of the shipped codes are among their own
// kind, far more than by chance.
func TestShippedBank(t *testing.T) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	n := m.Bank.Len()
	codes := make([]float32, n*latent.Latent)
	for i := range n {
		m.Bank.Code(codes[i*latent.Latent:], i)
	}
	p, err := project.Separate(codes, latent.Latent, m.Bank.Labels)
	if err != nil {
		t.Fatal(err)
	}
	at := make([][2]float32, n)
	for i := range at {
		at[i][0], at[i][1] = p.Shadow(codes[i*latent.Latent:])
	}
	const k = 15
	right, asked := 0, 0
	type neighbor struct {
		d2    float32
		label uint8
	}
	for i := 0; i < n; i += 10 {
		var near []neighbor
		for j, q := range at {
			if dx, dy := q[0]-at[i][0], q[1]-at[i][1]; j != i {
				near = append(near, neighbor{dx*dx + dy*dy, m.Bank.Labels[j]})
			}
		}
		slices.SortFunc(near, func(a, b neighbor) int {
			if a.d2 < b.d2 {
				return -1
			}
			return 1
		})
		var votes [10]int
		best := uint8(0)
		for _, q := range near[:k] {
			if votes[q.label]++; votes[q.label] > votes[best] {
				best = q.label
			}
		}
		if asked++; best == m.Bank.Labels[i] {
			right++
		}
	}
	if share := float64(right) / float64(asked); share < 0.6 {
		t.Errorf("%.0f %% of the codes have neighbors of their own kind on the plane, want 60", 100*share)
	}
}

func TestRefusals(t *testing.T) {
	codes, labels := clouds(10, 4)
	bad := slices.Clone(codes)
	bad[7] = float32(math.NaN())
	for name, try := range map[string]func() error{
		"too few numbers": func() error { _, err := project.Separate(codes[1:], 4, labels); return err },
		"nothing":         func() error { _, err := project.Separate(nil, 4, nil); return err },
		"a NaN":           func() error { _, err := project.Separate(bad, 4, labels); return err },
		"one class":       func() error { _, err := project.Separate(codes, 4, make([]uint8, len(labels))); return err },
		"equal codes":     func() error { _, err := project.Separate(make([]float32, len(codes)), 4, labels); return err },
		"slanted axes":    func() error { _, err := project.New(make([]float32, 2), []float32{1, 0, 0.1, 1}); return err },
		"no axes":         func() error { _, err := project.New(make([]float32, 2), nil); return err },
		"a mean of NaN":   func() error { _, err := project.New(bad[4:8], make([]float32, 8)); return err },
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := project.New(make([]float32, 2), []float32{0, 1, -1, 0}); err != nil {
		t.Error(err)
	}
}
