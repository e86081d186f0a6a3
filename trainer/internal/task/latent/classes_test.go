package latent

import (
	"slices"
	"testing"

	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// TestManyClasses: a code bank keeps the labels of more classes than there are digits.
func TestManyClasses(t *testing.T) {
	const n, dim, classes = 300, 6, 26
	codes, labels := make([]float32, n*dim), make([]byte, n)
	rng.New(1, 0).FillNorm(codes, 0.1)
	for i := range labels {
		labels[i] = byte(i % classes)
		codes[i*dim] += float32(labels[i])
	}
	f := new(safetensors.File)
	if err := AddBank(t.Context(), f, codes, dim, labels, n, 1, true); err != nil {
		t.Fatal(err)
	}
	got, err := f.Uint8("bank.labels", n)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); !slices.Equal(slices.Compact(got), slices.Compact(slices.Sorted(slices.Values(labels)))) {
		t.Errorf("the labels are %v", got)
	}
}
