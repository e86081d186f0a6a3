package app

import (
	"errors"
	"fmt"
	"iter"

	"mppm/shared/classifier"
	"mppm/shared/flow"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/timeline"
)

// growing is what follows from the state of Generate.
type growing struct {
	generated  timeline.Trajectory
	grownReads []Reading                // of the steps of the digit that is shown large
	next       func() (flow.Step, bool) // the rest of the generation, nil once done
	stop       func()
	draft      timeline.Trajectory // the generation under way
	draftSteps int                 // how many steps it takes at most
	staleGrid  bool
	keepGrid   bool // show the old grid until the stale one is whole again
	hidden     bool // the generation under way is such a one
}

// SetGenerateSeed grows a new grid.
func (a *App) SetGenerateSeed(seed uint64) {
	a.GenerateSeed = seed
	a.regrow()
}

// SetGrid sets how many digits the grid has along each edge.
func (a *App) SetGrid(n int) error {
	if n < MinGrid || n > MaxGrid {
		return fmt.Errorf("a grid of %d × %d is out of range: %d to %d", n, n, MinGrid, MaxGrid)
	}
	a.Grid = n
	a.Selected, a.WalkTo = min(a.Selected, n*n-1), min(a.WalkTo, n*n-1)
	a.regrow()
	return nil
}

// SetClass grows digits of one class alone, or of Any.
func (a *App) SetClass(class int) error {
	if class < Any || class >= classifier.Classes {
		return fmt.Errorf("there is no class %d; give 0 to %d, or %d for all", class, classifier.Classes-1, Any)
	}
	if class != Any {
		if _, err := a.engine.Only(class); err != nil {
			return err
		}
	}
	a.Class = class
	a.regrow()
	return nil
}

// Select shows one digit of the grid large, counted from 0. A walk starts there.
func (a *App) Select(i int) error {
	if err := a.checkCell(i); err != nil {
		return err
	}
	if i != a.Selected {
		a.Selected = i
		a.grownReads = a.grownReads[:0]
		a.staleWalk = true
		a.touch()
	}
	return nil
}

func (a *App) checkCell(i int) error {
	if i < 0 || i >= a.Grid*a.Grid {
		return fmt.Errorf("the grid has no cell %d; it has %d", i+1, a.Grid*a.Grid)
	}
	return nil
}

// MoreLikeThis grows a grid around the digit that is shown large, which becomes
// its first.
func (a *App) MoreLikeThis() error {
	if a.generated.Steps() == 0 || a.staleGrid || a.next != nil {
		return errors.New("the grid is still growing; wait until it is whole")
	}
	a.Like = link.PackCode(a.generated.Code(a.generated.Steps()-1, a.Selected))
	a.Selected, a.WalkTo = 0, min(1, a.Grid*a.Grid-1)
	a.regrow()
	return nil
}

// AllDigits grows a grid from noise again.
func (a *App) AllDigits() {
	if a.Like != "" {
		a.Like = ""
		a.regrow()
	}
}

func (a *App) regrow() {
	a.staleGrid, a.keepGrid = true, false
	a.touch()
}

// growingNow reports whether the grid, or what is read in it, is not whole.
func (a *App) growingNow() bool { return a.staleGrid || a.next != nil || a.unread() }

// updateGrowth takes the grid on by a step.
func (a *App) updateGrowth() {
	if a.staleGrid && (a.next == nil || !a.keepGrid) {
		a.staleGrid = false
		a.fail(a.startGrid())
		a.touch()
	}
	if a.next != nil {
		a.growGrid()
		a.touch()
	}
	if a.unread() {
		a.readGrown()
		a.touch()
	}
}

// unread reports whether there are steps of the digit that is shown large that
// the classifier has not seen.
func (a *App) unread() bool { return len(a.grownReads) < a.generated.Steps() }

// readGrown reads them.
func (a *App) readGrown() {
	a.grownReads = append(a.grownReads, a.readSteps(&a.generated, a.Selected, len(a.grownReads))...)
}

// readSteps reads image i of a path at every step from the given one on.
func (a *App) readSteps(p *timeline.Trajectory, i, from int) []Reading {
	x := make([]float32, (p.Steps()-from)*latent.Pixels)
	for k := from; k < p.Steps(); k++ {
		p.Image(x[(k-from)*latent.Pixels:], k, i)
	}
	return a.read(x)
}

// grower returns the engine of the class that grows.
func (a *App) grower() (Engine, error) {
	if a.Class == Any {
		return a.engine, nil
	}
	return a.engine.Only(a.Class)
}

// startGrid draws the noise that the grid grows from.
func (a *App) startGrid() error {
	if a.stop != nil {
		a.stop()
		a.next, a.stop = nil, nil
	}
	e, err := a.grower()
	if err != nil {
		return err
	}
	n := a.Grid * a.Grid
	z := make([]float32, n*latent.Latent)
	if err := a.starts(z, e); err != nil {
		return err
	}
	seq, err := e.Flow(z, a.GenerateFlow.Widened())
	if err != nil {
		return err
	}
	a.draft, a.draftSteps = timeline.Trajectory{N: n}, a.GenerateFlow.Steps
	a.next, a.stop = iter.Pull(seq)
	if a.hidden = a.keepGrid && a.generated.N == n; a.hidden {
		return nil
	}
	a.generated, a.grownReads, a.staleWalk = a.draft, nil, true
	h := a.heads[Growth]
	h.SetEnd(a.draftSteps)
	switch {
	case a.Subject() == Growth && a.open(h):
	case a.reducedMotion:
		h.Jump(h.End())
	default:
		h.Restart()
	}
	return nil
}

// likeness is how far around a digit its likes start, as a share of the spread
// of the noise that all digits grow from.
const likeness = 0.4

// starts writes to z the codes that the grid grows from: noise, or the code that
// it shall be like with some noise, the first without.
func (a *App) starts(z []float32, e Engine) error {
	e.Noise(z, rng.New(a.GenerateSeed, 0))
	if a.Like == "" {
		return nil
	}
	like, err := link.UnpackCode(a.Like)
	if err != nil {
		return err
	}
	// The difference of two draws has no mean, and √2 times their spread.
	other := make([]float32, len(z))
	e.Noise(other, rng.New(a.GenerateSeed, 1))
	const share = likeness / 1.4142135
	for i, v := range other {
		z[i] = like[i%latent.Latent] + float32((z[i]-v)*share)
	}
	copy(z, like)
	return nil
}

// growGrid computes one more step of the grid. A flow that arrives early
// shortens the timeline.
func (a *App) growGrid() {
	s, ok := a.next()
	if ok {
		x := make([]float32, a.draft.N*latent.Pixels)
		a.engine.Decode(x, s.X)
		a.draft.Add(x, s.X, s.Distance)
	}
	whole := !ok || s.Index == a.draftSteps
	if whole {
		a.stop()
		a.next, a.stop = nil, nil
	}
	switch {
	case !a.hidden:
		a.generated = a.draft
		if whole {
			a.heads[Growth].SetEnd(a.generated.Steps() - 1)
			a.staleWalk = true
		}
	case whole:
		a.generated, a.grownReads, a.staleWalk = a.draft, nil, true
		a.heads[Growth].Follow(a.generated.Steps() - 1)
	}
}

// Grown returns the grid, which stays while a walk between its digits is shown.
func (a *App) Grown() *timeline.Trajectory { return &a.generated }
