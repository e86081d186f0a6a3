package app

import (
	"mppm/shared/latent"

	"mppm/wasm/app/timeline"
)

// walkSteps is how many steps a walk between two digits takes.
const walkSteps = 24

// walkFlow is how many steps of the flow take each place of a walk back to where
// digits are: the straight line between two codes leads through where none are.
const walkFlow = 4

// walking is what follows from the walk between two digits of the grid.
type walking struct {
	walk      timeline.Trajectory
	walkReads []Reading
	staleWalk bool
}

// SetWalk starts or ends the walk from the digit that is shown large to another.
func (a *App) SetWalk(on bool) {
	if on != a.State.Walk {
		a.State.Walk = on
		a.staleWalk = true
		a.touch()
	}
}

// SetWalkTo sets which digit of the grid a walk leads to, counted from 0.
func (a *App) SetWalkTo(i int) error {
	if err := a.checkCell(i); err != nil {
		return err
	}
	if i != a.WalkTo {
		a.WalkTo = i
		a.staleWalk = true
		a.touch()
	}
	return nil
}

// updateWalk computes the walk once the grid is whole.
func (a *App) updateWalk() {
	if !a.staleWalk || a.growingNow() || a.generated.Steps() == 0 {
		return
	}
	a.staleWalk = false
	a.fail(a.computeWalk())
	h := a.heads[Walk]
	h.SetEnd(a.walk.Steps() - 1)
	switch {
	case a.open(h):
	case a.reducedMotion:
		h.Jump(h.End())
	default:
		h.Restart()
	}
	a.touch()
}

// computeWalk goes in a straight line from one code to the other, and has the
// flow take every place but the ends to where digits are.
func (a *App) computeWalk() error {
	e, err := a.grower()
	if err != nil {
		return err
	}
	last := a.generated.Steps() - 1
	from, to := a.generated.Code(last, a.Selected), a.generated.Code(last, a.WalkTo)
	const n = walkSteps + 1
	z := make([]float32, n*latent.Latent)
	for i := range n {
		t := float32(i) / walkSteps
		for k := range latent.Latent {
			z[i*latent.Latent+k] = from[k] + float32(t*(to[k]-from[k]))
		}
	}
	p := a.GenerateFlow.Widened()
	p.Steps = min(p.Steps, walkFlow)
	between := z[latent.Latent : walkSteps*latent.Latent]
	seq, err := e.Flow(between, p)
	if err != nil {
		return err
	}
	for range seq {
	}
	x, d := make([]float32, n*latent.Pixels), make([]float32, n)
	e.Decode(x, z)
	e.Distance(d, nil, z)
	a.walk = timeline.Trajectory{N: 1}
	for i := range n {
		a.walk.Add(x[i*latent.Pixels:(i+1)*latent.Pixels], z[i*latent.Latent:(i+1)*latent.Latent], d[i:i+1])
	}
	a.walkReads = a.readSteps(&a.walk, 0, 0)
	return nil
}

// Choose is what picking a digit of the grid does: it is shown large, or while
// one walks, walked to.
func (a *App) Choose(i int) error {
	if a.State.Walk {
		return a.SetWalkTo(i)
	}
	return a.Select(i)
}

// Chosen returns the digit that Choose picked.
func (a *App) Chosen() int {
	if a.State.Walk {
		return a.WalkTo
	}
	return a.Selected
}
