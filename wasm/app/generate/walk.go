package generate

import (
	"fmt"
	"time"

	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/model"
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
	reads []model.Reading // of each step
	stale bool
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
	out.Measure(w, w.reads)
	out.Tell(fmt.Sprintf("D = %.2f", out.Distance), out.Reads.String())
}

// Busy reports whether the walk, or the grid that it leads through, is out of date.
func (w *walk) Busy() bool { return w.room.grid.Busy() || w.stale }

// Restarts reports the same: a walk that is computed starts anew.
func (w *walk) Restarts() bool { return w.Busy() }

// Update computes the walk once the grid is whole.
func (w *walk) Update(dt time.Duration) {
	w.room.grid.Update(dt)
	if !w.stale || w.room.grid.Busy() || w.room.grid.path.Steps() == 0 {
		return
	}
	w.stale = false
	w.s.Fail(w.compute())
	w.head.SetEnd(w.path.Steps() - 1)
	if !w.s.Arrive(&w.head) {
		w.head.Begin(w.s.ReducedMotion)
	}
	w.s.Touch()
}

// compute goes in a straight line from one code to the other, and has the flow
// take every place but the ends to where digits are.
func (w *walk) compute() error {
	e, err := w.room.engine()
	if err != nil {
		return err
	}
	grid := &w.room.grid.path
	last := grid.Steps() - 1
	from, to := grid.Code(last, w.s.Selected), grid.Code(last, w.s.WalkTo)
	const n = walkSteps + 1
	d := len(from)
	z := make([]float32, n*d)
	for i := range n {
		t := float32(i) / walkSteps
		for k := range d {
			z[i*d+k] = from[k] + float32(t*(to[k]-from[k]))
		}
	}
	p := w.s.GenerateFlow.Widened()
	p.Steps = min(p.Steps, walkFlow)
	seq, err := e.Flow(z[d:walkSteps*d], p)
	if err != nil {
		return err
	}
	for range seq {
	}
	pixels := w.s.Pixels()
	x, distance := make([]float32, n*pixels), make([]float32, n)
	e.Decode(x, z)
	e.Distance(distance, nil, z)
	w.path = timeline.Trajectory{N: 1}
	for i := range n {
		w.path.Add(x[i*pixels:(i+1)*pixels], z[i*d:(i+1)*d], distance[i:i+1])
	}
	w.reads = w.s.ReadSteps(&w.path, 0, 0)
	return nil
}
