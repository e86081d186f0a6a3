package roomtest

import (
	"fmt"
	"testing"
	"time"

	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/model"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// Preset is the flow of Engine.
var Preset = latent.Preset{Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 4}

// About says what Engine's images are.
var About = model.About{Digits: true, Classes: 10}

// Page is a page with one room in it.
type Page[R room.Room] struct {
	*room.Session
	Room R
	t    testing.TB
}

// NewSession returns the session of a page with two digits.
func NewSession(e *Engine, flow latent.Preset) *room.Session {
	r := new(Reader)
	return room.NewSession(link.New(2, link.Model{Pixels: Pixels, Latent: Latent, Classes: r.Classes(), Restore: flow, Generate: flow}), e, r, About)
}

// New returns a page that shows a room.
func New[R room.Room](t testing.TB, s *room.Session, r R) *Page[R] {
	return &Page[R]{s, r, t}
}

// Head returns the playhead.
func (p *Page[R]) Head() *timeline.Playhead { return p.Room.Subject().Head() }

// Seek goes to a step.
func (p *Page[R]) Seek(step int) { p.Head().Seek(step) }

// Path returns what flows, in a room of images.
func (p *Page[R]) Path() *timeline.Trajectory { return p.Room.Subject().(room.Images).Path() }

// Set sets a parameter of the flow.
func (p *Page[R]) Set(name link.Parameter, v float64) error {
	return p.Room.Subject().Dials().Set(name, v)
}

// Update lets time pass.
func (p *Page[R]) Update(dt time.Duration) { p.Session.Update(p.Room, dt) }

// Busy reports whether something is computed or moves, Active whether anything goes
// on.
func (p *Page[R]) Busy() bool   { return room.Busy(p.Room) }
func (p *Page[R]) Active() bool { return room.Active(p.Room) }

// Readout returns what the room shows.
func (p *Page[R]) Readout() room.Readout { return p.Session.Readout(p.Room) }

// Settle lets time pass until nothing moves.
func (p *Page[R]) Settle() {
	p.t.Helper()
	p.until(func() bool { return !p.Busy() })
}

// Finish lets time pass until nothing goes on.
func (p *Page[R]) Finish() {
	p.t.Helper()
	p.until(func() bool { return !p.Active() })
}

func (p *Page[R]) until(done func() bool) {
	p.t.Helper()
	for range 2000 {
		if p.Update(20 * time.Millisecond); done() {
			return
		}
	}
	p.t.Fatal("the page never comes to rest")
}

// Reopen opens the state of a page in a fresh one, and fails where that shows
// something else.
func Reopen[R room.Room](t testing.TB, was, fresh *Page[R]) {
	t.Helper()
	was.Settle()
	fresh.State = was.State
	Must(t, fresh.Room.Open(&link.Link{State: was.State, Step: -1}))
	fresh.Settle()
	if fmt.Sprint(fresh.Path()) != fmt.Sprint(was.Path()) {
		t.Errorf("the state %+v gives another path", was.State)
	}
}

// Must fails the test on the first error.
func Must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Digits returns the files of two digits: a blank image called 3 and a full one
// called 8.
func Digits(t testing.TB) (images, labels []byte) {
	t.Helper()
	pixels := make([]byte, 2*Pixels)
	for i := Pixels; i < len(pixels); i++ {
		pixels[i] = 255
	}
	x, err := idx.New(pixels, 2, Side, Side)
	Must(t, err)
	y, err := idx.New([]byte{3, 8}, 2)
	Must(t, err)
	return x.Encode(), y.Encode()
}
