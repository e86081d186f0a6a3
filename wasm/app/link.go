package app

import (
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/stroke"
	"mppm/wasm/app/pad"
)

// Link returns what is on the screen as the fragment of an address, without its
// "#". What is as on the first screen is left out. Open is its inverse.
func (a *App) Link() string {
	l := link.Link{State: a.State, Step: -1}
	if a.Source == Drawing {
		l.Drawing = a.pad.Packed()
	}
	switch h := a.Head(); {
	case a.opened >= 0: // is shown as soon as there is something to show
		l.Step = a.opened
	case a.restarts():
	case h.Step() != h.End() && !h.Playing():
		l.Step = h.Step()
	}
	return a.page.Write(l)
}

// restarts reports whether the timeline will start anew, once what it is about is
// computed: where it rests now says nothing.
func (a *App) restarts() bool {
	switch a.Subject() {
	case Walk:
		return a.staleWalk || a.growingNow()
	case Descent:
		return a.staleWays && a.playWays
	}
	return false
}

// Names reports whether a text has a field of a link.
func (a *App) Names(text string) bool { return a.page.Names(text) }

// Open shows what a link says: what is behind the "#" of an address, and behind
// its "?" where that says something too; an empty one is the first screen. What
// cannot be shown is left out, and returned.
func (a *App) Open(texts ...string) link.Faults {
	l, faults := a.page.Read(texts...)
	var strokes [][]pad.Point
	var brought [latent.Pixels]byte
	var err error
	switch l.Source {
	case Drawing:
		strokes, err = stroke.Decode(l.Drawing)
	case Picture:
		brought, err = link.UnpackPicture(l.State.Picture)
	}
	if err != nil {
		a.fail(err) // it was read before
	}
	plays := l.Step < 0
	a.State, a.brought = l.State, brought
	a.staleSpot, a.playSpot, a.staleWalk, a.held = a.Spot != "", plays, true, nil
	a.staleWays, a.playWays, a.grabbed = true, plays, false
	a.pad.Open(strokes)
	a.settle, a.opened = 0, l.Step
	a.regrow()
	a.recompute(plays)
	a.playFlow = plays
	return faults
}
