package optim

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/memory"
)

// TestSteps: graphs are built for few images alone, and what is between and beyond
// is on a line.
func TestSteps(t *testing.T) {
	largest := 0
	build := func(n int) (*gorgonia.ExprGraph, error) {
		largest = max(largest, n)
		g := gorgonia.NewGraph()
		w, x := Matrix(g, "w", 7, 3, make([]float32, 21)), Matrix(g, "x", n, 7, make([]float32, 7*n))
		y, err := graph.Product(x, w, false)
		if err != nil {
			return nil, err
		}
		loss, err := graph.SquaredError(y, nil)
		if err != nil {
			return nil, err
		}
		return g, graph.Keep("loss", loss, make([]float32, 1))
	}
	for _, n := range []int{1, 63, 64, 65, 1000, 60_000} {
		results := int64(number * n * 3)
		want := int64(number*21) + (1+ahead)*int64(number*7*n) + results + results/4
		if got, err := Steps(n, build); err != nil || got != want {
			t.Errorf("%d images: %d bytes (%v), want %d", n, got, err, want)
		}
	}
	if largest > 128 {
		t.Errorf("a graph of %d images was built", largest)
	}
	boom := errors.New("boom")
	if _, err := Steps(5, func(int) (*gorgonia.ExprGraph, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("a graph that cannot be built: %v", err)
	}
}

func TestFits(t *testing.T) {
	if err := Fits([]nn.Spec{{Name: "w", Shape: []int{100, 50}}, {Name: "b", Shape: []int{100}}}); err != nil {
		t.Error(err)
	}
	if memory.Limit() == 0 {
		t.Skip("the system does not say how much memory there is")
	}
	if err := Fits([]nn.Spec{{Name: "w", Shape: []int{math.MaxInt32, 1 << 20}}}); err == nil || !strings.Contains(err.Error(), "a net of such layers needs about") {
		t.Errorf("a net of 36 million GB: %v", err)
	}
}
