package infer

import (
	"bytes"
	"slices"
	"testing"

	"mppm/shared/latent/latenttest"
)

// TestCodes: the two halves of Restore give what it gives, time and again.
func TestCodes(t *testing.T) {
	m := latenttest.Model(1)
	images := digits(most + 7)
	want, err := Restore(t.Context(), m, m.Restore, noisy, images, Options{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	codes, err := Codes(t.Context(), m, noisy, images, Options{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := RestoreCodes(t.Context(), m, m.Restore, codes, images, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Pixels, want.Pixels) || !slices.Equal(got.Output, want.Output) {
			t.Error("not what Restore gives")
		}
	}
	clean, err := Codes(t.Context(), m, nil, images, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want, err = Restore(t.Context(), m, m.Restore, nil, images, Options{}); err != nil {
		t.Fatal(err)
	}
	if got, err := RestoreCodes(t.Context(), m, m.Restore, clean, images, Options{}); err != nil || !bytes.Equal(got.Pixels, want.Pixels) {
		t.Errorf("clean images: not what Restore gives (%v)", err)
	}
}
