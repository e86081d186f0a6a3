package ambient_test

import (
	"errors"
	"slices"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/ambient/ambienttest"
	"mppm/shared/fault"
)

// TestPartial: of slices of wrong lengths the whole points are computed that all have room
// for, and nothing panics.
func TestPartial(t *testing.T) {
	m, err := ambient.New(ambienttest.File(1))
	if err != nil {
		t.Fatal(err)
	}
	r := m.Runner(2)
	const n, dim = 5, ambienttest.Dim
	x := make([]float32, n*dim)
	for i := range x {
		x[i] = float32(i%7)/7 - 0.4
	}
	for _, c := range []struct {
		name string
		out  int
		do   func(y, x []float32)
	}{
		{"Encode", ambienttest.Latent, func(y, x []float32) { r.Encode(y, x) }},
		{"Project", dim, func(y, x []float32) { r.Project(y, x) }},
		{"DAE", dim, func(y, x []float32) { r.DAE(y, x) }},
		{"Distance", 1, func(y, x []float32) { r.Distance(y, nil, x) }},
		{"Distance's gradient", dim, func(y, x []float32) { r.Distance(make([]float32, n), y, x) }},
		{"Mean", dim, func(y, x []float32) {
			if err := r.Mean(y, x, m.Flow); err != nil {
				t.Error(err)
			}
		}},
	} {
		want := make([]float32, n*c.out)
		c.do(want, x)
		for _, sizes := range [][2]int{{n * c.out, n*dim - 1}, {n * c.out, 2}, {0, n * dim}, {n*c.out - 1, n * dim}, {3 * c.out, 4*dim + 1}} {
			got := make([]float32, sizes[0])
			for i := range got {
				got[i] = -7
			}
			c.do(got, x[:sizes[1]])
			whole := min(sizes[0]/c.out, sizes[1]/dim) * c.out
			if !slices.Equal(got[:whole], want[:whole]) {
				t.Errorf("%s of %v numbers: what is whole is not as it is alone", c.name, sizes)
			}
			if slices.ContainsFunc(got[whole:], func(v float32) bool { return v != -7 }) {
				t.Errorf("%s of %v numbers: it writes behind what is whole", c.name, sizes)
			}
		}
	}
	if _, err := r.Flow(x[1:], m.Flow); !errors.Is(err, fault.ErrSize) {
		t.Errorf("a flow of part of a point: %v", err)
	}
}
