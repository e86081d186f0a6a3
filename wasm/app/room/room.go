package room

import (
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// Room is a mode of the page.
type Room interface {
	// Open takes over what a link says: the Session's state says it already.
	Open(l *link.Link) error
	// Subject returns what the timeline is about.
	Subject() Subject
}

// Subject is what a timeline is about: one flow, or what stands for one.
type Subject interface {
	// Head returns the playhead.
	Head() *timeline.Playhead
	// Update computes what is out of date, one step of what takes several.
	Update(dt time.Duration)
	// Busy reports whether Update has something to do.
	Busy() bool
	// Dials returns the sliders of the flow.
	Dials() dials.Dials
	// Say fills in what a Readout says of the step that it names.
	Say(r *Readout)
	// Album returns what there is to export, or export.ErrNothing.
	Album(p *palette.Palette) (export.Album, error)
}

// Images is a Subject that flows images: it has a film.
type Images interface {
	Subject
	// Path returns the flow.
	Path() *timeline.Trajectory
	// Shown returns which image of it is shown large.
	Shown() int
}

// Restarter is a Subject that may start anew by itself.
type Restarter interface {
	// Restarts reports whether the timeline will start anew once it is computed:
	// where it rests now says nothing.
	Restarts() bool
}

// Worker is a room in which something goes on beside the timeline.
type Worker interface {
	// Work takes it on for a part of a frame.
	Work(dt time.Duration)
	// Working reports whether Work has something to do.
	Working() bool
}

// Saver is a room with something that is in a link and not in the state.
type Saver interface {
	// Save adds it to a link.
	Save(l *link.Link)
}

// Update lets dt pass in a room.
func (s *Session) Update(r Room, dt time.Duration) {
	r.Subject().Update(dt)
	if r.Subject().Head().Advance(dt, s.ReducedMotion) {
		s.Touch()
	}
	if w, ok := r.(Worker); ok {
		w.Work(dt)
	}
}

// Busy reports whether what a room shows is still being computed, or moves.
func Busy(r Room) bool { return r.Subject().Head().Moving() || r.Subject().Busy() }

// Active reports whether the next Update has something to do.
func Active(r Room) bool {
	w, ok := r.(Worker)
	return Busy(r) || ok && w.Working()
}

// NewAlbum returns what there is to export of a subject that flows images, with so
// many images in a row where there are several.
func (s *Session) NewAlbum(i Images, columns int, p *palette.Palette) (export.Album, error) {
	t := i.Path()
	if t.Steps() == 0 || i.Shown() >= t.N {
		return nil, export.ErrNothing
	}
	return &export.Images{Path: t, Shape: s.Engine.Image(), Shown: i.Shown(), Step: i.Head().Step(), Columns: columns, Palette: p}, nil
}
