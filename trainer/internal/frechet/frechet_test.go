package frechet

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"mppm/shared/rng"
)

func golden(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// TestAgainstSciPy holds Distance to the formula with scipy.linalg.sqrtm.
func TestAgainstSciPy(t *testing.T) {
	var cases []struct {
		Name                     string
		Dim                      int
		Mean1, Mean2, Cov1, Cov2 []float64
		Distance                 float64
	}
	golden(t, "testdata/golden.json", &cases)
	if len(cases) < 8 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		a := &Gaussian{N: 9, Mean: c.Mean1, Cov: mat.NewSymDense(c.Dim, c.Cov1)}
		b := &Gaussian{N: 9, Mean: c.Mean2, Cov: mat.NewSymDense(c.Dim, c.Cov2)}
		scale := mat.Trace(a.Cov) + mat.Trace(b.Cov)
		for _, pair := range [][2]*Gaussian{{a, b}, {b, a}} {
			got, err := Distance(pair[0], pair[1])
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-c.Distance) > 1e-10*scale {
				t.Errorf("%s: %v, scipy has %v", c.Name, got, c.Distance)
			}
		}
	}
}

func TestFitAgainstNumPy(t *testing.T) {
	var c struct {
		Dim      int
		X, Y     []float32
		Distance float64
	}
	golden(t, "testdata/embeddings.json", &c)
	a, err := Fit(c.X, c.Dim)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Fit(c.Y, c.Dim)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Distance(a, b)
	if err != nil {
		t.Fatal(err)
	}
	// JSON has three digits of what numpy had in float32.
	if math.Abs(got-c.Distance) > 1e-6*c.Distance {
		t.Errorf("%v, numpy and scipy have %v", got, c.Distance)
	}
}

// TestFitByBlocks: more embeddings than go into one block.
func TestFitByBlocks(t *testing.T) {
	const n, dim = 2500, 3
	e := embeddings(n, dim, 1)
	g, err := Fit(e, dim)
	if err != nil {
		t.Fatal(err)
	}
	for i := range dim {
		for j := range dim {
			var sum float64
			for k := range n {
				sum += (float64(e[k*dim+i]) - g.Mean[i]) * (float64(e[k*dim+j]) - g.Mean[j])
			}
			if want := sum / (n - 1); math.Abs(g.Cov.At(i, j)-want) > 1e-12 {
				t.Errorf("covariance (%d, %d) is %v, want %v", i, j, g.Cov.At(i, j), want)
			}
		}
	}
}

func embeddings(n, dim int, seed uint64) []float32 {
	e := make([]float32, n*dim)
	rng.New(seed, 0).FillNorm(e, 1)
	return e
}

// TestSingular: fewer members than numbers, which sqrtm of the product does not
// survive. Of commuting covariances the distance is Σ(√λ − √μ)².
func TestSingular(t *testing.T) {
	diagonal := func(v ...float64) *Gaussian {
		s := mat.NewSymDense(len(v), nil)
		for i, x := range v {
			s.SetSym(i, i, x)
		}
		return &Gaussian{N: 2, Mean: make([]float64, len(v)), Cov: s}
	}
	got, err := Distance(diagonal(4, 0, 9, 0), diagonal(1, 16, 0, 0))
	if err != nil || math.Abs(got-(1+16+9)) > 1e-12 {
		t.Errorf("%v, %v; want 26", got, err)
	}
	few, err := Fit(embeddings(5, 64, 3), 64)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := Distance(few, few); err != nil || d > 1e-5 {
		t.Errorf("a set is %v away from itself, %v", d, err)
	}
	if d, err := Distance(few, diagonal(make([]float64, 64)...)); err != nil || !(d > mat.Trace(few.Cov)) {
		t.Errorf("a set is %v away from a point, %v; its own spread is %v", d, err, mat.Trace(few.Cov))
	}
}

func TestClasses(t *testing.T) {
	const dim = 4
	// Classes 0, 1 and 2 have 40, 30 and 1 members here; 40, 1 and 30 there.
	set := func(seed uint64, counts ...int) *Reference {
		var classes []uint8
		for c, n := range counts {
			for range n {
				classes = append(classes, uint8(c))
			}
		}
		r, err := NewReference(embeddings(len(classes), dim, seed), classes, 10, dim)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a, b := set(1, 40, 30, 1), set(2, 40, 1, 30)
	d, err := Between(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Distance(a.Classes[0], b.Classes[0])
	if err != nil {
		t.Fatal(err)
	}
	if d.Compared != 1 || d.ClassMean != want || a.Classes[2] != nil || b.Classes[1] != nil {
		t.Errorf("%+v; want the distance %v of one class", d, want)
	}
	first, err := Fit(embeddings(71, dim, 1)[:40*dim], dim)
	if err != nil {
		t.Fatal(err)
	}
	if a.Classes[0].Mean[2] != first.Mean[2] || a.Classes[0].N != 40 {
		t.Error("class 0 is not of its own members")
	}
	if d, err = Between(a, set(2, 0, 0, 40)); err != nil || d.Compared != 0 || d.ClassMean != 0 || d.Overall <= 0 {
		t.Errorf("no class in common: %+v, %v", d, err)
	}
	both := set(3, 40, 50)
	if d, err = Between(a, both); err != nil || d.Compared != 2 {
		t.Errorf("two classes in common: %+v, %v", d, err)
	}
}

func TestErrors(t *testing.T) {
	nan := embeddings(4, 3, 1)
	nan[7] = float32(math.NaN())
	for name, f := range map[string]func() error{
		"one embedding":   func() error { _, err := Fit(make([]float32, 3), 3); return err },
		"part of one":     func() error { _, err := Fit(make([]float32, 7), 3); return err },
		"no numbers":      func() error { _, err := Fit(nil, 0); return err },
		"NaN":             func() error { _, err := Fit(nan, 3); return err },
		"missing classes": func() error { _, err := NewReference(make([]float32, 9), make([]uint8, 2), 10, 3); return err },
		"no such class":   func() error { _, err := NewReference(make([]float32, 9), []uint8{0, 10, 1}, 10, 3); return err },
		"two dimensions": func() error {
			a, _ := Fit(embeddings(9, 3, 1), 3)
			b, _ := Fit(embeddings(9, 2, 1), 2)
			_, err := Distance(a, b)
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestFewMembers: covariances of far fewer embeddings than dimensions, with
// columns that are always 0 as after ReLU, have a distance too.
func TestFewMembers(t *testing.T) {
	const n, dim = 30, 128
	r := rng.New(8, 0)
	draw := func(share float64) []float32 {
		e := make([]float32, n*dim)
		for i := range e {
			if float64(i%dim) < share*dim {
				e[i] = max(0, float32(r.Norm()))
			}
		}
		return e
	}
	for _, share := range []float64{1, 0.5, 0.1, 0.02} {
		a, err := Fit(draw(share), dim)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Fit(draw(1), dim)
		if err != nil {
			t.Fatal(err)
		}
		there, err := Distance(a, b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Distance(b, a)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(there-back) > 1e-6*(1+there) || there <= 0 {
			t.Errorf("share %v: distance %v one way, %v the other", share, there, back)
		}
	}
}
