package project_test

import (
	"math"
	"slices"
	"testing"

	"mppm/shared/project"
	"mppm/shared/rng"
)

// cloud are n codes in dim dimensions, wider in each than in the one before.
func cloud(n, dim int) []float32 {
	src, codes := rng.New(3, 0), make([]float32, n*dim)
	src.FillNorm(codes, 1)
	for i := range codes {
		codes[i] *= float32(1 + i%dim)
	}
	return codes
}

// TestWidest: the plane is that of the two coordinates that vary most.
func TestWidest(t *testing.T) {
	const dim = 4
	p, err := project.Widest(cloud(500, dim), dim)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Axes(), []float32{0, 0, 0, 1, 0, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("the axes are %v, want %v", got, want)
	}
	if p, err = project.Widest(make([]float32, 3*dim), dim); err != nil || p.Axes()[0] != 1 || p.Axes()[dim+1] != 1 {
		t.Errorf("of codes that do not vary: %v, %v; want the first two coordinates", p, err)
	}
}

// TestShift: a code that is moved has its shadow moved by as much, and nothing
// else of it changes; distances on the plane are no longer than in the space.
func TestShift(t *testing.T) {
	const dim = 8
	codes := cloud(300, dim)
	p, err := project.Widest(codes, dim)
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

func TestRefusals(t *testing.T) {
	nan := cloud(10, 4)
	nan[7] = float32(math.NaN())
	for name, try := range map[string]func() error{
		"part of a code": func() error { _, err := project.Widest(make([]float32, 7), 4); return err },
		"nothing":        func() error { _, err := project.Widest(nil, 4); return err },
		"one dimension":  func() error { _, err := project.Widest(make([]float32, 4), 1); return err },
		"a NaN":          func() error { _, err := project.Widest(nan, 4); return err },
		"slanted axes":   func() error { _, err := project.New(make([]float32, 2), []float32{1, 0, 0.1, 1}); return err },
		"no axes":        func() error { _, err := project.New(make([]float32, 2), nil); return err },
		"a mean of NaN":  func() error { _, err := project.New(nan[4:8], make([]float32, 8)); return err },
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := project.New(make([]float32, 2), []float32{0, 1, -1, 0}); err != nil {
		t.Error(err)
	}
}
