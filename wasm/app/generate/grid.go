package generate

import (
	"fmt"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
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
	reads  room.Reads // of the digit that is shown large
	parts  []*part    // the generation under way, nil once done
	draft  timeline.Trajectory
	steps  int // how many it takes at most
	stale  bool
	asked  asked // what the generation was asked for that was begun last
	keep   bool  // show the old grid until the stale one is whole again
	hidden bool  // the generation under way is such a one
}

// asked is what of other rooms a grid depends on.
type asked struct {
	class  int
	memory link.Memory // of a class alone: none
}

// wanted returns what the grid is to depend on.
func (g *grid) wanted() asked {
	a := asked{class: g.s.Class}
	if a.class == link.Any {
		a.memory = g.s.Memory
	}
	return a
}

// part is a share of the grid's digits that grows by itself.
type part struct {
	work *compute.Work[compute.Grown]
	come []*compute.Grown // steps that the other parts have not come to
	last *compute.Grown   // the one before
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
	out.Measure(g, g.reads.Of)
	out.Tell(fmt.Sprintf("mean D = %.2f", out.Distance), fmt.Sprintf("cell %d %s", g.s.Selected+1, g.s.About.Read(out.Reads)))
}

// Busy reports whether the grid, or what is read in it, is not whole.
func (g *grid) Busy() bool {
	return g.stale || g.parts != nil || g.asked != g.wanted() || g.reads.Missing(g.s, &g.path)
}

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

// Update takes the grid on by a step, where the page computes it itself, or shows all
// steps that have come.
func (g *grid) Update(time.Duration) {
	if !g.stale && g.asked != g.wanted() { // the density was taught something
		g.regrowQuietly()
	}
	if g.stale && (g.parts == nil || !g.keep) {
		g.stale = false
		g.s.Fail(g.start())
		g.s.Touch()
	}
	if g.parts != nil {
		g.grow()
	}
	g.reads.Update(g.s, &g.path, g.s.Selected)
}

// halt ends the generation under way.
func (g *grid) halt() {
	for _, p := range g.parts {
		p.work.Stop()
	}
	g.parts = nil
}

// start draws the noise that the grid grows from, and has it grow.
func (g *grid) start() error {
	g.halt()
	g.asked = g.wanted()
	e, err := g.room.engine()
	if err != nil {
		return err
	}
	taught, err := g.s.Taught()
	if err != nil {
		return err
	}
	n := g.s.Grid * g.s.Grid
	z := make([]float32, n*e.Latent())
	if err := g.s.Links.Starts(z, &g.s.State, e.Noise); err != nil {
		return err
	}
	g.draft, g.steps = timeline.Trajectory{N: n}, g.s.GenerateFlow.Steps
	parts := min(g.s.Compute.Parts(), n)
	for i := range parts {
		lo, hi := compute.Divide(n, parts, i)
		j := &compute.Grow{Class: g.s.Class, Codes: z[lo*e.Latent() : hi*e.Latent()], Flow: g.s.GenerateFlow.Widened(), Taught: taught}
		g.parts = append(g.parts, &part{work: compute.AskPart(g.s.Compute, j, i)})
	}
	if g.hidden = g.keep && g.path.N == n; g.hidden {
		return nil
	}
	g.path, g.room.walk.stale = g.draft, true
	g.reads.Set(nil)
	g.head.SetEnd(g.steps)
	if g.s.Subject() != link.Growth || !g.s.Arrive(&g.head) {
		g.head.Begin(g.s.ReducedMotion)
	}
	return nil
}

// grow adds the steps that all parts have come to.
func (g *grid) grow() {
	for _, p := range g.parts {
		p.work.All(room.Once, func(s *compute.Grown) { p.come = append(p.come, s) })
	}
	for {
		over, whole := true, false
		for _, p := range g.parts {
			if err := p.work.Err(); err != nil {
				g.halt()
				g.s.Fail(err)
				g.s.Touch()
				return
			}
			if len(p.come) == 0 && !p.work.Over() {
				return // it will come
			}
			over = over && len(p.come) == 0
		}
		if !over {
			whole = g.add() == g.steps
			g.s.Touch()
		}
		if over || whole {
			g.finish()
			return
		}
	}
}

// add adds a step, of every part its next, or where a part has arrived its last, and
// returns which it is.
func (g *grid) add() (index int) {
	var all compute.Grown
	for _, p := range g.parts {
		if len(p.come) > 0 {
			p.last, p.come = p.come[0], p.come[1:]
		}
		index = max(index, p.last.Index)
		all.Ink, all.Codes, all.Distance = append(all.Ink, p.last.Ink...), append(all.Codes, p.last.Codes...), append(all.Distance, p.last.Distance...)
	}
	g.draft.Add(all.Ink, all.Codes, all.Distance)
	if !g.hidden {
		g.path = g.draft
	}
	return index
}

// finish shows the whole grid. A flow that arrives early shortens the timeline.
func (g *grid) finish() {
	g.halt()
	g.room.walk.stale = true
	if !g.hidden {
		g.head.SetEnd(g.path.Steps() - 1)
	} else {
		g.path = g.draft
		g.reads.Set(nil)
		g.head.Follow(g.path.Steps() - 1)
	}
	g.s.Touch()
}
