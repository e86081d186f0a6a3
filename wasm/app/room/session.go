// Package room is what the rooms of the page have in common. A room is a mode: it
// holds what follows from the state of that mode, and does what its controls ask
// for. The rooms draw nothing, know no browser, and are tested natively.
//
// Everything here runs on one goroutine: the page's callbacks queue their calls
// and the frame loop makes them.
package room

import (
	"slices"
	"time"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/timeline"
)

// Session is what all rooms share: the State, of which each reads and writes its
// own fields, the models, and what they tell the page.
type Session struct {
	link.State
	Links         *link.Page // what links are about
	Engine        model.Engine
	Readable      bool            // the classifier is there, where there is one; until then nothing is read
	About         model.About     // what Engine's images are
	Models        *compute.Models // of the page's own program
	Compute       compute.Asker   // who does what takes long; at first that program itself
	ReducedMotion bool            // nothing eases, and nothing plays by itself

	wanted   int // the step that a link asked for, -1 once it is shown
	err      error
	revision uint64
}

// NewLinks returns what links to a page are about: a model, with its own flows, so many
// images to begin with, and models of faces by their names.
func NewLinks(e model.Engine, restoring, generating latent.Preset, about model.About, samples int, faces []string) *link.Page {
	_, labels := e.Bank()
	return link.New(samples, link.Model{
		Pixels: e.Image().Size(), Latent: e.Latent(), Classes: about.Classes, NoMap: len(labels) == 0,
		Restore: restoring, Generate: generating, Faces: faces, Print: about.Print,
		Only: func(class int) error {
			_, err := e.Only(class)
			return err
		},
	})
}

// NewSession returns the session at a page's first screen. r is nil where the classifier
// comes later, or there is none.
func NewSession(p *link.Page, e model.Engine, r model.Reader, about model.About) *Session {
	m := &compute.Models{Engine: e, Reader: r}
	return &Session{State: p.First(), Links: p, Engine: e, Readable: r != nil, About: about, Models: m, Compute: compute.NewHere(m), wanted: -1}
}

// Use has all rooms share other models, and shows the first screen of their page, but
// for what has nothing to do with them: the mode, Manifold and Faces. r may be nil where a
// classifier is read from its file.
func (s *Session) Use(p *link.Page, e model.Engine, r model.Reader, readable bool, about model.About) {
	was := s.State
	s.State, s.Links, s.Engine, s.Readable, s.About = p.First(), p, e, readable, about
	s.Models.Engine, s.Models.Reader = e, r
	s.State.Figure, s.State.Faces = was.Figure, was.Faces
	if slices.Contains(p.Modes(), was.Mode) {
		s.State.Mode = was.Mode
	}
	s.wanted, s.err = -1, nil
	s.Touch()
}

// Touch says that something on the screen may have changed.
func (s *Session) Touch() { s.revision++ }

// Revision grows with every Touch.
func (s *Session) Revision() uint64 { return s.revision }

// Fail says what became of the last computation: an error, or nil.
func (s *Session) Fail(err error) { s.err = err }

// Err returns what went wrong with the last computation, nil if nothing did.
func (s *Session) Err() error { return s.err }

// Want has the first timeline that is computed from now on go to a step; -1 lets
// it be.
func (s *Session) Want(step int) { s.wanted = step }

// Wanted returns the step that is still to be shown, -1 if none.
func (s *Session) Wanted() int { return s.wanted }

// Arrive goes to the step that is wanted, and reports whether one is.
func (s *Session) Arrive(h *timeline.Playhead) bool {
	if s.wanted < 0 {
		return false
	}
	h.Jump(s.wanted)
	s.wanted = -1
	return true
}

// Taught returns what the density of the digits is taught. Links are checked when they
// are read: an error is a fault of the program.
func (s *Session) Taught() (latent.Memory, error) { return s.Links.Taught(s.Memory) }

// Pixels returns how many numbers an image has.
func (s *Session) Pixels() int { return s.Engine.Image().Size() }

// Ink returns image i of a path at every step from the given one on, as it is shown.
func Ink(p *timeline.Trajectory, i, from int) (ink []byte) {
	for k := from; k < p.Steps(); k++ {
		ink = append(ink, p.Frame(k, i)...)
	}
	return ink
}

// Within returns a function that says no once so much time has passed.
func Within(d time.Duration) func() bool {
	start := time.Now()
	return func() bool { return time.Since(start) < d }
}

// Ever says that there is time for all of it, Once that there is for one piece.
func Ever() bool { return true }
func Once() bool { return false }
