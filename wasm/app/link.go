package app

import (
	"mppm/shared/link"
	"mppm/wasm/app/room"
)

// Link returns what is on the screen as the fragment of an address, without its
// "#". What is as on the first screen is left out. Open is its inverse.
func (a *App) Link() string { return a.Links.Write(a.saved()) }

// saved returns what a link to what is on the screen says.
func (a *App) saved() link.Link {
	l := link.Link{State: a.State, Step: -1}
	for _, r := range a.rooms {
		if r, ok := r.(room.Saver); ok {
			r.Save(&l)
		}
	}
	subject := a.Room().Subject()
	restarts, ok := subject.(room.Restarter)
	switch h := subject.Head(); {
	case a.Wanted() >= 0: // is shown as soon as there is something to show
		l.Step = a.Wanted()
	case ok && restarts.Restarts():
	case h.Step() != h.End() && !h.Playing():
		l.Step = h.Step()
	}
	return l
}

// Names reports whether a text has a field of a link.
func (a *App) Names(text string) bool { return a.Links.Names(text) }

// Open shows what a link says: what is behind the "#" of an address, and behind
// its "?" where that says something too; an empty one is the first screen. What
// cannot be shown is left out, and returned. A link that does not name the model that
// was opened is about the page's own.
func (a *App) Open(texts ...string) link.Faults {
	if a.Links.OfModel(texts...) == "" {
		a.backToImages()
	}
	l, faults := a.Links.Read(texts...)
	a.State = l.State
	a.Want(l.Step)
	for _, r := range a.rooms {
		if err := r.Open(&l); err != nil {
			a.Fail(err) // it was read before
		}
	}
	return faults
}
