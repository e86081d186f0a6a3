package train

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// TestDivergedStep: the step that the error of a run names is that of the run, the
// first of which is 1, also when a run is resumed, and in refinement.
func TestDivergedStep(t *testing.T) {
	set := digits(t, 64)
	c := tiny()
	c.Refine = 1
	r, err := New(c, set, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fails := func(value float32, want string) {
		t.Helper()
		for _, p := range r.params {
			if p.Name == "decoder.linear.weight" {
				for i := range p.Data {
					p.Data[i] = value * float32(1-i%2*2)
				}
			}
		}
		if err := r.Train(t.Context(), 1, quiet(t)); !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	goOn := func(steps int) {
		t.Helper()
		if r.step >= steps {
			return
		}
		if err := r.Train(&countdown{Context: t.Context(), left: steps - r.step}, 1, quiet(t)); !errors.Is(err, ErrInterrupted) || r.step != steps {
			t.Fatalf("after %d steps: %v", r.step, err)
		}
	}
	reopen := func() {
		t.Helper()
		if r, err = Open(r.Dir, set); err != nil {
			t.Fatal(err)
		}
	}
	nan := float32(math.NaN())
	goOn(3)
	fails(nan, "at step 4: ")
	reopen()
	goOn(4) // then the decoder alone: a net with a number that is none is refused before
	fails(math.MaxFloat32, "the cross entropy is NaN at step 5: ")
	if r, err = New(c, set, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	fails(nan, "at step 1: ")
}
