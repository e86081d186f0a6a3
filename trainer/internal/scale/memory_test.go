package scale

import (
	"errors"
	"runtime"
	"testing"

	"mppm/trainer/internal/optim"
)

// TestLargeCells: cells that are far beyond any memory are left out before they
// take any.
func TestLargeCells(t *testing.T) {
	before := optim.Held()
	for _, c := range []Cell{{LMPPM, 28, MaxBatch}, {DAE, 1024, 1024}, {UNet, 1024, 1}, {UNet, 64, MaxBatch}} {
		if _, err := Measure(t.Context(), c, Options{Memory: 300 << 20}); !errors.Is(err, ErrMemory) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if grown := optim.Held() - before; grown > 100<<20 {
		t.Errorf("%d bytes were taken", grown)
	}
	// What is known of a cell beforehand is less than what it takes.
	for _, c := range []Cell{{LMPPM, 28, 3}, {DAE, 28, 64}, {DAE, 61, 2}, {UNet, 33, 2}} {
		s, err := newStep(c)
		if err != nil {
			t.Fatal(err)
		}
		need, err := needs(s.graph())
		runtime.KeepAlive(s)
		if least := atLeast(c); err != nil || least <= 0 || least >= need {
			t.Errorf("%v: at least %d bytes, and %d are needed (%v)", c, least, need, err)
		}
	}
}
