// Package generate is the room in which digits grow from noise: a grid of them, and
// walks between two of it.
package generate

import (
	"errors"
	"fmt"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/model"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// Room is what follows from the state of Generate.
type Room struct {
	s     *room.Session
	dials *dials.Flow[latent.Preset]
	grid  grid
	walk  walk
}

// What the timelines of Generate can be about.
var (
	_ room.Images    = (*grid)(nil)
	_ room.Images    = (*walk)(nil)
	_ room.Restarter = (*walk)(nil)
)

// New returns the room with a model's own flow for generating.
func New(s *room.Session, flow latent.Preset) *Room {
	r := &Room{s: s}
	r.Use(flow)
	return r
}

// Use begins anew, with the session's model, and its own flow for generating.
func (r *Room) Use(flow latent.Preset) {
	r.grid.halt()
	r.grid.reads.Set(nil)
	r.walk.work.Stop()
	r.grid = grid{room: r, s: r.s, stale: true}
	r.walk = walk{room: r, s: r.s}
	r.dials = dials.Latent(&r.s.GenerateFlow, flow, r.grid.regrowQuietly)
}

// Open shows what a link says.
func (r *Room) Open(*link.Link) error {
	r.walk.stale = true
	r.grid.regrow()
	return nil
}

// Subject returns the grid, or the walk between two of its digits.
func (r *Room) Subject() room.Subject {
	if r.s.Walk {
		return &r.walk
	}
	return &r.grid
}

// Grid returns the grid, which stays while a walk between its digits is shown.
func (r *Room) Grid() *timeline.Trajectory { return &r.grid.path }

// SetSeed grows a new grid.
func (r *Room) SetSeed(seed uint64) {
	r.s.GenerateSeed = seed
	r.grid.regrow()
}

// SetSide sets how many digits the grid has along each edge.
func (r *Room) SetSide(n int) error {
	if n < link.MinGrid || n > link.MaxGrid {
		return fmt.Errorf("a grid of %d × %d is out of range: %d to %d", n, n, link.MinGrid, link.MaxGrid)
	}
	r.s.Grid = n
	r.s.Selected, r.s.WalkTo = min(r.s.Selected, n*n-1), min(r.s.WalkTo, n*n-1)
	r.grid.regrow()
	return nil
}

// SetClass grows digits of one class alone, or of link.Any.
func (r *Room) SetClass(class int) error {
	if class < link.Any || class >= r.s.About.Classes {
		return fmt.Errorf("there is no class %d; give 0 to %d, or %d for all", class, r.s.About.Classes-1, link.Any)
	}
	if class != link.Any {
		if slices.Contains(r.s.Memory.Forgotten(), class) {
			return fmt.Errorf("%d is forgotten: have it known again, and it can grow", class)
		}
		if _, err := r.s.Engine.Only(class); err != nil {
			return err
		}
	}
	r.s.Class = class
	r.grid.regrow()
	return nil
}

// Select shows one digit of the grid large, counted from 0. A walk starts there.
func (r *Room) Select(i int) error {
	if err := r.checkCell(i); err != nil {
		return err
	}
	if i != r.s.Selected {
		r.s.Selected = i
		r.grid.reads.Set(nil)
		r.walk.stale = true
		r.s.Touch()
	}
	return nil
}

// SetWalk starts or ends the walk from the digit that is shown large to another.
func (r *Room) SetWalk(on bool) {
	if on != r.s.Walk {
		r.s.Walk = on
		r.walk.stale = true
		r.s.Touch()
	}
}

// SetWalkTo sets which digit of the grid a walk leads to, counted from 0.
func (r *Room) SetWalkTo(i int) error {
	if err := r.checkCell(i); err != nil {
		return err
	}
	if i != r.s.WalkTo {
		r.s.WalkTo = i
		r.walk.stale = true
		r.s.Touch()
	}
	return nil
}

func (r *Room) checkCell(i int) error {
	if i < 0 || i >= r.s.Grid*r.s.Grid {
		return fmt.Errorf("the grid has no cell %d; it has %d", i+1, r.s.Grid*r.s.Grid)
	}
	return nil
}

// Choose is what picking a digit of the grid does: it is shown large, or while
// one walks, walked to.
func (r *Room) Choose(i int) error {
	if r.s.Walk {
		return r.SetWalkTo(i)
	}
	return r.Select(i)
}

// Chosen returns the digit that Choose picked.
func (r *Room) Chosen() int {
	if r.s.Walk {
		return r.s.WalkTo
	}
	return r.s.Selected
}

// MoreLikeThis grows a grid around the digit that is shown large, which becomes
// its first.
func (r *Room) MoreLikeThis() error {
	g := &r.grid
	if g.path.Steps() == 0 || g.stale || g.parts != nil {
		return errors.New("the grid is still growing; wait until it is whole")
	}
	r.s.Like = link.PackCode(g.path.Code(g.path.Steps()-1, r.s.Selected))
	r.s.Selected, r.s.WalkTo = 0, min(1, r.s.Grid*r.s.Grid-1)
	g.regrow()
	return nil
}

// AllDigits grows a grid from noise again.
func (r *Room) AllDigits() {
	if r.s.Like != "" {
		r.s.Like = ""
		r.grid.regrow()
	}
}

// engine returns that of the class that grows.
func (r *Room) engine() (model.Engine, error) {
	if r.s.Class == link.Any {
		return r.s.Engine, nil
	}
	return r.s.Engine.Only(r.s.Class)
}
