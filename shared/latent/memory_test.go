package latent_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/golden"
	"mppm/shared/kde"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/rng"
)

// own returns n codes that no bank has.
func own(n int) []float32 {
	z := make([]float32, n*latent.DigitLatent)
	rng.New(9, 0).FillNorm(z, 2)
	return z
}

// TestTaughtNothing: a model that was taught nothing is the model itself, and so has its
// bits.
func TestTaughtNothing(t *testing.T) {
	m := latenttest.Model(1)
	if c, err := m.Taught(latent.Memory{Weight: 100}); err != nil || c != m {
		t.Errorf("another model, or %v", err)
	}
}

// TestTaught: what is remembered stands at the end of the bank, what is forgotten is not
// there, and everything else is as it was, in the model of before too.
func TestTaught(t *testing.T) {
	m := latenttest.Model(1)
	n, before := m.Bank.Len(), m.Bank.Codes()
	c, err := m.Taught(latent.Memory{Codes: own(2), Weight: 30, Forget: []int{7, 0}})
	if err != nil {
		t.Fatal(err)
	}
	if want := n - 20 + 2; c.Bank.Len() != want || len(c.Bank.Labels) != want || c.Bank.Spacing != m.Bank.Spacing {
		t.Fatalf("%d codes with %d labels, want %d", c.Bank.Len(), len(c.Bank.Labels), want)
	}
	i, got, want := 0, make([]float32, m.Latent()), make([]float32, m.Latent())
	for j, label := range m.Bank.Labels {
		if label == 7 || label == 0 {
			continue
		}
		m.Bank.Code(want, j)
		c.Bank.Code(got, i)
		if !slices.Equal(got, want) || c.Bank.Labels[i] != label || c.Bank.Weight(i) != 1 {
			t.Fatalf("code %d is not code %d of before", i, j)
		}
		i++
	}
	for k := range 2 {
		c.Bank.Code(got, i+k)
		if !slices.Equal(got, own(2)[k*m.Latent():(k+1)*m.Latent()]) || c.Bank.Weight(i+k) != 30 || c.Bank.Labels[i+k] != latent.Remembered {
			t.Fatalf("code %d is not what was remembered", i+k)
		}
	}
	if m.Bank.Len() != n || !slices.Equal(m.Bank.Codes(), before) {
		t.Error("the model of before is another")
	}
	if _, err := c.Class(latent.Remembered); err == nil {
		t.Error("what is remembered is a class")
	}
	if _, err := c.Class(7); err == nil {
		t.Error("a class that was forgotten is there")
	}
}

// TestTaughtAlone: once everything else is forgotten, the density leads to what is
// remembered from anywhere; with the distance it does not quite, for that was learned
// before.
func TestTaughtAlone(t *testing.T) {
	m := latenttest.Model(1)
	r, err := m.Runner(2).Taught(latent.Memory{Codes: own(1), Weight: 1, Forget: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}})
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, 3*m.Latent())
	rng.New(3, 0).FillNorm(z, 4)
	p := m.Restore
	p.Alpha, p.Tau, p.Steps = 0, 0, 60
	steps, err := r.Flow(z, p)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	for i, v := range z {
		if want := own(1)[i%m.Latent()]; math.Abs(float64(v-want)) > 1e-4 {
			t.Fatalf("number %d is %v, want %v", i, v, want)
		}
	}
}

// TestTaughtBits: a taught model has the same bits on every platform, with every kernel.
func TestTaughtBits(t *testing.T) {
	m, err := latenttest.Model(1).Taught(latent.Memory{Codes: own(3), Weight: 120, Forget: []int{2, 7}})
	if err != nil {
		t.Fatal(err)
	}
	bits, err := latenttest.Bits(m)
	if err != nil {
		t.Fatal(err)
	}
	z, mean := own(3), make([]float32, 3*m.Latent())
	for i := range z {
		z[i] *= 0.8
	}
	m.Runner(1).Mean(mean, z, 1)
	golden.Check(t, "latent: the flows of a model that was taught, and means beside what it remembers", fmt.Sprintf("%s %s", bits, golden.NewBits(mean...)))
}

// TestTaughtRunner: runners that share workspaces give what they give alone, in turns.
func TestTaughtRunner(t *testing.T) {
	m := latenttest.Model(1)
	teach := latent.Memory{Codes: own(3), Weight: 50}
	flow := func(r *latent.Runner) []float32 {
		z := own(2)
		steps, err := r.Flow(z, m.Restore)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		return z
	}
	c, err := m.Taught(teach)
	if err != nil {
		t.Fatal(err)
	}
	plain, taught := flow(m.Runner(2)), flow(c.Runner(2))
	if slices.Equal(plain, taught) {
		t.Fatal("what is remembered changes nothing")
	}
	r := m.Runner(2)
	shares, err := r.Taught(teach)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if !slices.Equal(flow(shares), taught) || !slices.Equal(flow(r), plain) {
			t.Fatal("in turns they give something else")
		}
	}
}

func TestTaughtRefuses(t *testing.T) {
	m := latenttest.Model(1)
	odd := own(1)
	odd[5] = float32(math.NaN())
	for _, c := range []struct {
		teach latent.Memory
		want  string
	}{
		{latent.Memory{Codes: own(1)[:17], Weight: 1}, "not a whole number of codes"},
		{latent.Memory{Codes: odd, Weight: 1}, "finite"},
		{latent.Memory{Codes: own(1)}, "weight is 0"},
		{latent.Memory{Codes: own(1), Weight: kde.MaxWeight + 1}, "weight"},
		{latent.Memory{Forget: []int{10}}, "no code of class 10"},
		{latent.Memory{Forget: []int{-1}}, "no code of class -1"},
		{latent.Memory{Codes: own(1), Weight: 1, Forget: []int{latent.Remembered}}, "no code of class 255"},
		{latent.Memory{Forget: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, "every class would be forgotten"},
	} {
		if _, err := m.Taught(c.teach); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d numbers, weight %v, without %v: %v, want an error with %q", len(c.teach.Codes), c.teach.Weight, c.teach.Forget, err, c.want)
		}
	}
	m.Bank.Labels = nil
	if _, err := m.Taught(latent.Memory{Forget: []int{1}}); err == nil || !strings.Contains(err.Error(), "no labels") {
		t.Errorf("without labels: %v", err)
	}
	if c, err := m.Taught(latent.Memory{Codes: own(1), Weight: 1}); err != nil || c.Bank.Labels != nil {
		t.Errorf("without labels a code is remembered all the same: %v", err)
	}
}
