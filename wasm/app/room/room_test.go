package room_test

import (
	"testing"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/room/roomtest"
	"mppm/wasm/app/timeline"
)

// steps is a room whose timeline has four steps once it is computed.
type steps struct {
	s     *room.Session
	head  timeline.Playhead
	whole bool
}

func (r *steps) Open(*link.Link) error                        { return nil }
func (r *steps) Subject() room.Subject                        { return r }
func (r *steps) Head() *timeline.Playhead                     { return &r.head }
func (r *steps) Busy() bool                                   { return !r.whole }
func (r *steps) Dials() dials.Dials                           { return nil }
func (r *steps) Say(out *room.Readout)                        { out.Tell("all is well", "") }
func (r *steps) Album(*palette.Palette) (export.Album, error) { return nil, export.ErrNothing }
func (r *steps) Update(time.Duration) {
	if r.whole {
		return
	}
	r.whole = true
	r.head.SetEnd(4)
	if !r.s.Arrive(&r.head) {
		r.head.Restart()
	}
}

// working is one in which something goes on for three frames.
type working struct {
	steps
	left int
}

func (r *working) Work(time.Duration) { r.left-- }
func (r *working) Working() bool      { return r.left > 0 }

// TestWantedStep: the step that a link asked for is shown once, and by the first
// timeline that is computed.
func TestWantedStep(t *testing.T) {
	s := roomtest.NewSession(&roomtest.Engine{}, roomtest.Preset)
	r := &steps{s: s}
	s.Want(3)
	if s.Wanted() != 3 || !room.Busy(r) {
		t.Error("before anything is computed, nothing is wanted")
	}
	s.Update(r, time.Millisecond)
	if s.Wanted() != -1 || r.head.Step() != 3 || room.Busy(r) {
		t.Errorf("step %d is shown, %d wanted; want 3 at rest", r.head.Step(), s.Wanted())
	}
	r.whole = false
	s.Update(r, time.Millisecond)
	if r.head.Step() != 0 || !room.Busy(r) {
		t.Errorf("computed again, step %d is shown; want it to play from 0", r.head.Step())
	}
}

// TestWork: a room is active while something goes on beside its timeline, but not
// busy.
func TestWork(t *testing.T) {
	s := roomtest.NewSession(&roomtest.Engine{}, roomtest.Preset)
	r := &working{steps{s: s}, 3}
	s.Want(4)
	for frame := range 3 {
		s.Update(r, time.Millisecond)
		if active := frame < 2; room.Active(r) != active || room.Busy(r) {
			t.Errorf("after frame %d: active %v, busy %v", frame, room.Active(r), room.Busy(r))
		}
	}
	if got := s.Readout(r).Status; got != "step 4 of 4 · all is well" {
		t.Errorf("the status is %q", got)
	}
	s.Fail(export.ErrNothing)
	if got := s.Readout(r); got.Status != export.ErrNothing.Error() || got.Error != got.Status {
		t.Errorf("after an error the status is %q", got.Status)
	}
}
