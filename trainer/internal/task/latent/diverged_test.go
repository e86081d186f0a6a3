package latent

import (
	"errors"
	"math"
	"strings"
	"testing"

	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

// TestDivergedStep: the step that the error of a run names is that of the run, the
// first of which is 1, also when a run is resumed, and in refinement.
func TestDivergedStep(t *testing.T) {
	set := digits(t, 64)
	c := tiny()
	c.Refine = 1
	r := start(t, c, set)
	fails := func(value float32, want string) {
		t.Helper()
		for _, p := range r.params {
			if p.Name == "decoder.linear.weight" {
				for i := range p.Data {
					p.Data[i] = value * float32(1-i%2*2)
				}
			}
		}
		if err := r.Train(t.Context(), run.Options{}); !errors.Is(err, run.ErrDiverged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	goOn := func(steps int) {
		t.Helper()
		if r.Step >= steps {
			return
		}
		if err := r.Train(&runtest.Countdown{Context: t.Context(), Left: steps - r.Step}, run.Options{}); !errors.Is(err, run.ErrInterrupted) || r.Step != steps {
			t.Fatalf("after %d steps: %v", r.Step, err)
		}
	}
	reopen := func() {
		t.Helper()
		r = r.reopen(t, set)
	}
	nan := float32(math.NaN())
	goOn(3)
	fails(nan, "at step 4: ")
	reopen()
	goOn(4) // then the decoder alone: a net with a number that is none is refused before
	fails(math.MaxFloat32, "the cross entropy is NaN at step 5: ")
	r = start(t, c, set)
	fails(nan, "at step 1: ")
}
