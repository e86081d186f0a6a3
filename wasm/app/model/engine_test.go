package model

import (
	"testing"

	"mppm/shared/latent/latenttest"
	"mppm/shared/rng"
)

// TestEngine: a model's engine gives its bank row by row, and each class alone.
func TestEngine(t *testing.T) {
	m := latenttest.Model(1)
	e := NewEngine(m, 4)
	codes, labels := e.Bank()
	if len(codes) != m.Bank.Len()*m.Latent() || len(labels) != m.Bank.Len() {
		t.Fatalf("the bank has %d numbers and %d labels, want those of %d codes", len(codes), len(labels), m.Bank.Len())
	}
	want := make([]float32, m.Latent())
	m.Bank.Code(want, 3)
	for k, v := range codes[3*m.Latent() : 4*m.Latent()] {
		if v != want[k] {
			t.Fatalf("number %d of code 3 is %v, want %v", k, v, want[k])
		}
	}
	one, err := e.Only(int(labels[3]))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := e.Only(int(labels[3])); again != one {
		t.Error("the engine of a class is made twice")
	}
	_, only := one.Bank()
	for _, l := range only {
		if l != labels[3] {
			t.Fatalf("among the codes of class %d there is one of %d", labels[3], l)
		}
	}
	if _, err := e.Only(77); err == nil {
		t.Error("there is a class 77")
	}
	z := make([]float32, 2*m.Latent())
	one.Noise(z, rng.New(1, 0))
	seq, err := one.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range seq {
	}
}
