package app

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
)

// rivals are baselines whose diffusion takes the second number of a code from 1
// to 0 along a line, which the fake's images show.
type rivals struct {
	fake
	steps  int
	asked  degrade.Degradation
	broken error
}

func (r *rivals) Start(d degrade.Degradation) (int, error) {
	r.asked = d
	return r.steps, r.broken
}

func (r *rivals) Codes(z, x []float32, left int) { copy(z, x) }

func (r *rivals) Restore(z []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error) {
	return func(yield func(ddpm.Step) bool) {
		for i := range steps + 1 {
			z[1] = 1 - float32(i)/float32(steps)
			if !yield(ddpm.Step{Index: i, Left: steps - i, X: z}) {
				return
			}
		}
	}, nil
}

// finish lets time pass until nothing goes on, comparisons included.
func finish(t *testing.T, a *App) {
	t.Helper()
	for range 1000 {
		a.Update(20 * time.Millisecond)
		if !a.Active() {
			return
		}
	}
	t.Fatal("something never comes to an end")
}

func TestComparison(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	if r := a.Readout(); r.DAE != nil || r.LDM != nil || a.Autoencoded().Steps() != 0 {
		t.Errorf("before the baselines are there: %+v, %+v", r.DAE, r.LDM)
	}
	b := &rivals{steps: 40}
	a.SetBaselines(b)
	if a.Busy() {
		t.Error("what is shown waits for a comparison")
	}
	if !a.Active() {
		t.Error("the page would rest before the comparison is done")
	}
	finish(t, a)
	if want := (degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}); b.asked != want {
		t.Errorf("diffusion was told %+v, want %+v", b.asked, want)
	}
	if a.Diffused().Steps() != 5 {
		t.Fatalf("diffusion is shown at %d steps, the flow has 5", a.Diffused().Steps())
	}
	// Its picture at a step of the timeline is from as far along.
	for step, want := range []float64{1, 0.75, 0.5, 0.25, 0} {
		a.Seek(step)
		settle(t, a)
		r := a.Readout()
		if r.DAE == nil || r.LDM == nil {
			t.Fatal("there is no comparison")
		}
		// The original is black, the picture gray: the error is gray squared.
		if got := r.LDM.MSE; fmt.Sprintf("%.3f", got) != fmt.Sprintf("%.3f", want*want) {
			t.Errorf("step %d: diffusion's error is %v, want %v", step, got, want*want)
		}
		if r.DAE.MSE != 1 || r.LDM.Done != 40 || r.LDM.Total != 40 {
			t.Errorf("step %d: %+v and %+v", step, r.DAE, r.LDM)
		}
	}
	// Where nobody says what the damage is, diffusion is told the usual.
	must(t, a.SetKind(None))
	finish(t, a)
	if b.asked != ldm.Blind {
		t.Errorf("without damage diffusion was told %+v, want %+v", b.asked, ldm.Blind)
	}
	a.ClearPad()
	finish(t, a)
	if r := a.Readout(); r.DAE != nil {
		t.Error("an empty pad is compared")
	}
}

func TestComparisonStartsOver(t *testing.T) {
	a := newApp(t, &fake{})
	b := &rivals{steps: 1 << 20}
	a.SetBaselines(b)
	for range 30 {
		a.Update(20 * time.Millisecond)
	}
	r := a.Readout()
	if r.LDM == nil || r.LDM.Done == 0 || r.LDM.Done == r.LDM.Total {
		t.Fatalf("after some frames a long diffusion is at %+v; want it under way", r.LDM)
	}
	b.steps = 3
	a.SetSeed(9)
	a.Update(time.Millisecond)
	if r := a.Readout(); r.LDM != nil {
		t.Errorf("after other damage, what diffusion made of the old is still shown: %+v", r.LDM)
	}
	finish(t, a)
	if r := a.Readout(); r.LDM == nil || r.LDM.Done != 3 {
		t.Errorf("the new diffusion is at %+v, want 3 of 3", r.LDM)
	}
	b.broken = fmt.Errorf("never heard of it")
	a.SetSeed(10)
	finish(t, a)
	if a.Err() == nil {
		t.Error("the baselines' error is not shown")
	}
}

func TestShownAt(t *testing.T) {
	for _, c := range []struct{ step, last, total, want int }{
		{0, 15, 600, 0}, {15, 15, 600, 600}, {7, 15, 600, 280}, {0, 0, 9, 9}, {3, 4, 0, 0},
	} {
		if got := shownAt(c.step, c.last, c.total); got != c.want {
			t.Errorf("step %d of %d: %d of %d, want %d", c.step, c.last, got, c.total, c.want)
		}
	}
}

// TestBaselinesFit holds the package that the page uses to what the app needs.
func TestBaselinesFit(t *testing.T) {
	var _ Baselines = (*ldm.Runner)(nil)
	var _ Engine = NewEngine(&latent.Model{Autoencoder: &latent.Autoencoder{}}, 1)
}
