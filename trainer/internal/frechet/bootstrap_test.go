package frechet

import (
	"context"
	"errors"
	"math"
	"testing"
)

// TestBootstrap: what is the set itself is at a distance of 0 in every draw, what was
// moved is as far as it was moved, and draws are the same for the same seed.
func TestBootstrap(t *testing.T) {
	const n, dim = 60, 3
	e := embeddings(n, dim, 1)
	b, err := NewBootstrap(e, dim, 40, 7)
	if err != nil {
		t.Fatal(err)
	}
	same, err := b.Distances(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	moved := make([]float32, len(e))
	for i, v := range e {
		moved[i] = v + 2
	}
	far, err := b.Distances(t.Context(), moved)
	if err != nil {
		t.Fatal(err)
	}
	for i := range same {
		if same[i] > 1e-4 || math.Abs(far[i]-12) > 1e-3 {
			t.Fatalf("draw %d: the set itself is %v away, moved by 2 in three directions it is %v", i, same[i], far[i])
		}
	}
	again, err := NewBootstrap(e, dim, 40, 7)
	if err != nil {
		t.Fatal(err)
	}
	other := embeddings(n, dim, 2)
	first, err := b.Distances(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Distances(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	spread := map[float64]bool{}
	for i := range first {
		spread[first[i]] = true
		if first[i] != second[i] {
			t.Fatalf("draw %d gives %v and %v", i, first[i], second[i])
		}
	}
	if len(spread) < 30 {
		t.Errorf("40 draws give %d different distances", len(spread))
	}
	if _, err := b.Distances(t.Context(), e[dim:]); err == nil {
		t.Error("embeddings of an image less are compared")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Distances(ctx, e); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestInterval: it is about the figure, however far the draws are from it.
func TestInterval(t *testing.T) {
	var draws []float64
	for i := range 200 {
		draws = append(draws, 50+float64((i*7)%200)/100)
	}
	low, high := Interval(10, draws)
	if math.Abs(low-(10-0.945)) > 0.011 || math.Abs(high-(10+0.945)) > 0.011 {
		t.Errorf("the interval is %v to %v", low, high)
	}
	if low, high := Interval(3, nil); low != 3 || high != 3 {
		t.Errorf("without draws it is %v to %v", low, high)
	}
}
