package axes

import (
	"slices"
	"testing"
)

// TestTurned puts the axes of an array in other orders.
func TestTurned(t *testing.T) {
	a := []float32{0, 1, 2, 3, 4, 5}
	if got := Turned(a, []int{2, 3}, 1, 0); !slices.Equal(got, []float32{0, 3, 1, 4, 2, 5}) {
		t.Errorf("transposed: %v", got)
	}
	if got := Turned(a, []int{1, 2, 3}, 2, 0, 1); !slices.Equal(got, []float32{0, 3, 1, 4, 2, 5}) {
		t.Errorf("the last axis first: %v", got)
	}
}
