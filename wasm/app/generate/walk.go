package generate

import (
	"fmt"
	"time"

	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// walkSteps is how many steps a walk between two digits takes.
const walkSteps = 24

// walkFlow is how many steps of the flow take each place of a walk back to where
// digits are: the straight line between two codes leads through where none are.
const walkFlow = 4

// walk is the walk between two digits of the grid.
type walk struct {
	room  *Room
	s     *room.Session
	head  timeline.Playhead
	path  timeline.Trajectory
	reads room.Reads
	stale bool
	work  *compute.Work[compute.Restored] // the walk under way
}

// Head returns the playhead of the walk.
func (w *walk) Head() *timeline.Playhead { return &w.head }

// Path returns the walk, a path of one image.
func (w *walk) Path() *timeline.Trajectory { return &w.path }

// Shown returns 0: there is one image.
func (w *walk) Shown() int { return 0 }

// Dials returns those of the room.
func (w *walk) Dials() dials.Dials { return w.room.dials }

// Album returns the walk, to be exported.
func (w *walk) Album(p *palette.Palette) (export.Album, error) { return w.s.NewAlbum(w, 1, p) }

// Say fills in what a readout says of the walk.
func (w *walk) Say(out *room.Readout) {
	out.Measure(w, w.reads.Of)
	out.Tell(fmt.Sprintf("D = %.2f", out.Distance), w.s.About.Read(out.Reads))
}

// Busy reports whether the walk, or the grid that it leads through, is out of date.
func (w *walk) Busy() bool {
	return w.room.grid.Busy() || w.stale || w.work != nil || w.reads.Missing(w.s, &w.path)
}

// Restarts reports the same: a walk that is computed starts anew.
func (w *walk) Restarts() bool { return w.Busy() }

// Update has the walk computed once the grid is whole.
func (w *walk) Update(dt time.Duration) {
	w.room.grid.Update(dt)
	if w.room.grid.Busy() || w.room.grid.path.Steps() == 0 {
		return
	}
	if w.stale {
		w.stale = false
		if err := w.begin(); err != nil {
			w.s.Fail(err)
		}
	}
	if w.work == nil {
		w.reads.Update(w.s, &w.path, 0)
	}
	if w.work == nil || !w.work.All(room.Ever, w.take) {
		return
	}
	w.s.Fail(w.work.Err())
	w.work = nil
	w.head.SetEnd(w.path.Steps() - 1)
	if !w.s.Arrive(&w.head) {
		w.head.Begin(w.s.ReducedMotion)
	}
	w.s.Touch()
}

// begin has the walk computed from one code to the other.
func (w *walk) begin() error {
	w.work.Stop()
	w.work = nil
	taught, err := w.s.Taught()
	if err != nil {
		return err
	}
	grid := &w.room.grid.path
	last := grid.Steps() - 1
	p := w.s.GenerateFlow.Widened()
	p.Steps = min(p.Steps, walkFlow)
	w.work = compute.Ask(w.s.Compute, &compute.Walk{
		Class: w.s.Class, From: grid.Code(last, w.s.Selected), To: grid.Code(last, w.s.WalkTo), Steps: walkSteps, Flow: p, Taught: taught,
	})
	return nil
}

// take shows a walk that has come.
func (w *walk) take(p *compute.Restored) {
	pixels, d := w.s.Pixels(), w.s.Engine.Latent()
	w.path = timeline.Trajectory{N: 1}
	for i := range p.Distance {
		w.path.Add(p.Ink[i*pixels:(i+1)*pixels], p.Codes[i*d:(i+1)*d], p.Distance[i:i+1])
	}
	w.reads.Set(p.Reads)
}
