package restore

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/ldm"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/room/roomtest"
)

// baselines are some whose diffusion takes the second number of a code from 1 to 0
// along a line, which the engine's images show.
type baselines struct {
	roomtest.Engine
	steps  int
	asked  degrade.Degradation
	broken error
}

func (b *baselines) Start(d degrade.Degradation) (int, error) {
	b.asked = d
	return b.steps, b.broken
}

func (b *baselines) Codes(z, x []float32, left int) { copy(z, x) }

func (b *baselines) Restore(z []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error) {
	return func(yield func(ddpm.Step) bool) {
		for i := range steps + 1 {
			z[1] = 1 - float32(i)/float32(steps)
			if !yield(ddpm.Step{Index: i, Left: steps - i, X: z}) {
				return
			}
		}
	}, nil
}

func TestComparison(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	if r := a.Room.Result(); r.DAE != nil || r.LDM != nil || a.Room.Autoencoded().Steps() != 0 {
		t.Errorf("before the baselines are there: %+v, %+v", r.DAE, r.LDM)
	}
	b := &baselines{steps: 40}
	a.Models.Baselines = b
	a.Room.Comparable()
	if a.Busy() {
		t.Error("what is shown waits for a comparison")
	}
	if !a.Active() {
		t.Error("the page would rest before the comparison is done")
	}
	a.Finish()
	if want := (degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}); b.asked != want {
		t.Errorf("diffusion was told %+v, want %+v", b.asked, want)
	}
	if a.Room.Diffused().Steps() != 5 {
		t.Fatalf("diffusion is shown at %d steps, the flow has 5", a.Room.Diffused().Steps())
	}
	// Its picture at a step of the timeline is from as far along.
	for step, want := range []float64{1, 0.75, 0.5, 0.25, 0} {
		a.Seek(step)
		a.Settle()
		r := a.Room.Result()
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
	roomtest.Must(t, a.Room.SetKind(link.None))
	a.Finish()
	if b.asked != ldm.Blind {
		t.Errorf("without damage diffusion was told %+v, want %+v", b.asked, ldm.Blind)
	}
	a.Room.ClearPad()
	a.Finish()
	if r := a.Room.Result(); r.DAE != nil {
		t.Error("an empty pad is compared")
	}
}

func TestComparisonStartsOver(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	b := &baselines{steps: 1 << 20}
	a.Models.Baselines = b
	a.Room.Comparable()
	for range 30 {
		a.Update(20 * time.Millisecond)
	}
	r := a.Room.Result()
	if r.LDM == nil || r.LDM.Done == 0 || r.LDM.Done == r.LDM.Total {
		t.Fatalf("after some frames a long diffusion is at %+v; want it under way", r.LDM)
	}
	b.steps = 3
	a.Room.SetSeed(9)
	a.Update(time.Millisecond)
	if r := a.Room.Result(); r.LDM != nil {
		t.Errorf("after other damage, what diffusion made of the old is still shown: %+v", r.LDM)
	}
	a.Finish()
	if r := a.Room.Result(); r.LDM == nil || r.LDM.Done != 3 {
		t.Errorf("the new diffusion is at %+v, want 3 of 3", r.LDM)
	}
	b.broken = fmt.Errorf("never heard of it")
	a.Room.SetSeed(10)
	a.Finish()
	if a.Err() == nil {
		t.Error("the baselines' error is not shown")
	}
}
