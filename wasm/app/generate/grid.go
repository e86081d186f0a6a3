package generate

import (
	"fmt"
	"iter"
	"time"

	"mppm/shared/flow"
	"mppm/shared/link"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/model"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// grid is the digits that grow.
type grid struct {
	room   *Room
	s      *room.Session
	head   timeline.Playhead
	path   timeline.Trajectory
	reads  []model.Reading          // of the steps of the digit that is shown large
	next   func() (flow.Step, bool) // the rest of the generation, nil once done
	stop   func()
	draft  timeline.Trajectory // the generation under way
	steps  int                 // how many it takes at most
	stale  bool
	keep   bool // show the old grid until the stale one is whole again
	hidden bool // the generation under way is such a one
}

// Head returns the playhead of the grid.
func (g *grid) Head() *timeline.Playhead { return &g.head }

// Path returns the grid's flow.
func (g *grid) Path() *timeline.Trajectory { return &g.path }

// Shown returns which digit is shown large.
func (g *grid) Shown() int { return g.s.Selected }

// Dials returns those of the room.
func (g *grid) Dials() dials.Dials { return g.room.dials }

// Album returns the grid, to be exported.
func (g *grid) Album(p *palette.Palette) (export.Album, error) {
	return g.s.NewAlbum(g, g.s.Grid, p)
}

// Say fills in what a readout says of the grid.
func (g *grid) Say(out *room.Readout) {
	out.Measure(g, g.reads)
	out.Tell(fmt.Sprintf("mean D = %.2f", out.Distance), fmt.Sprintf("cell %d %s", g.s.Selected+1, out.Reads))
}

// Busy reports whether the grid, or what is read in it, is not whole.
func (g *grid) Busy() bool { return g.stale || g.next != nil || g.unread() }

// regrow grows the grid anew.
func (g *grid) regrow() {
	g.stale, g.keep = true, false
	g.s.Touch()
}

// regrowQuietly grows the grid anew, and shows the one that is there meanwhile.
func (g *grid) regrowQuietly() {
	g.keep = !g.stale || g.keep
	g.stale = true
	g.s.Touch()
}

// Update takes the grid on by a step.
func (g *grid) Update(time.Duration) {
	if g.stale && (g.next == nil || !g.keep) {
		g.stale = false
		g.s.Fail(g.start())
		g.s.Touch()
	}
	if g.next != nil {
		g.grow()
		g.s.Touch()
	}
	if g.unread() {
		g.reads = append(g.reads, g.s.ReadSteps(&g.path, g.s.Selected, len(g.reads))...)
		g.s.Touch()
	}
}

// unread reports whether there are steps of the digit that is shown large that
// the classifier has not seen.
func (g *grid) unread() bool { return len(g.reads) < g.path.Steps() }

// start draws the noise that the grid grows from.
func (g *grid) start() error {
	if g.stop != nil {
		g.stop()
		g.next, g.stop = nil, nil
	}
	e, err := g.room.engine()
	if err != nil {
		return err
	}
	n := g.s.Grid * g.s.Grid
	z := make([]float32, n*e.Latent())
	if err := g.s.Links.Starts(z, &g.s.State, e.Noise); err != nil {
		return err
	}
	seq, err := e.Flow(z, g.s.GenerateFlow.Widened())
	if err != nil {
		return err
	}
	g.draft, g.steps = timeline.Trajectory{N: n}, g.s.GenerateFlow.Steps
	g.next, g.stop = iter.Pull(seq)
	if g.hidden = g.keep && g.path.N == n; g.hidden {
		return nil
	}
	g.path, g.reads, g.room.walk.stale = g.draft, nil, true
	g.head.SetEnd(g.steps)
	if g.s.Subject() != link.Growth || !g.s.Arrive(&g.head) {
		g.head.Begin(g.s.ReducedMotion)
	}
	return nil
}

// grow computes one more step of the grid. A flow that arrives early shortens the
// timeline.
func (g *grid) grow() {
	s, ok := g.next()
	if ok {
		x := make([]float32, g.draft.N*g.s.Pixels())
		g.s.Engine.Decode(x, s.X)
		g.draft.Add(x, s.X, s.Distance)
	}
	whole := !ok || s.Index == g.steps
	if whole {
		g.stop()
		g.next, g.stop = nil, nil
	}
	switch {
	case !g.hidden:
		g.path = g.draft
		if whole {
			g.head.SetEnd(g.path.Steps() - 1)
			g.room.walk.stale = true
		}
	case whole:
		g.path, g.reads, g.room.walk.stale = g.draft, nil, true
		g.head.Follow(g.path.Steps() - 1)
	}
}
