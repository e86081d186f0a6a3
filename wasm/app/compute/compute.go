// Package compute is what the page has computed: restorations, grids that grow, maps,
// paths of points, faces. Each is a job, and its answer comes in pieces. A job is
// defined once, and who does it makes no difference to a bit of the answer: Here does
// it between frames, in the page's own program; a Crew has programs of its own do it,
// the engines, beside the page, and asks Here where there are none.
//
//	rooms ── Ask ──► Crew ── messages ──► engine: Server ── Models
//	                  └────► Here ── Models
//
// Messages are bytes, and Server is a function of them: all of this is tested without
// a browser.
package compute

import (
	"iter"
)

// Asker has jobs done. Ask asks it.
type Asker interface {
	// Parts returns how many can be at work at the same time, at least 1: what can be
	// divided is divided into so many parts.
	Parts() int
	// Bring gives a file to whoever may need it, as Models.Bring does.
	Bring(name string, f File)
	// ask begins a job. Those of different parts are done at the same time.
	ask(j job, part int) stream
}

// Job is what can be asked for, with an answer in pieces of type P.
type Job[P any] interface {
	job
	empty() *P
}

// job is a Job, whatever its pieces are.
type job interface {
	coded
	// run computes the answer, piece by piece, until yield returns false. It keeps
	// nothing that it has yielded.
	run(m *Models, yield func(coded) bool) error
	// blank returns an empty piece.
	blank() coded
}

// coded is what is sent: it names its fields to a wire.
type coded interface {
	code(w *wire)
}

// answers makes a job one whose pieces are of type P.
type answers[P any] struct{}

func (answers[P]) empty() *P { return new(P) }

func (answers[P]) blank() coded { return any(new(P)).(coded) }

// stream is how a job goes.
type stream interface {
	next() (coded, bool)
	came() bool // the next piece is there, and is not computed by next
	over() bool
	err() error
	stop()
}

// Work is a job under way.
type Work[P any] struct{ s stream }

// Ask begins a job.
func Ask[P any](a Asker, j Job[P]) *Work[P] { return AskPart(a, j, 0) }

// AskPart begins one part of what is divided, counted from 0.
func AskPart[P any](a Asker, j Job[P], part int) *Work[P] { return &Work[P]{a.ask(j, part)} }

// Next returns the next piece of the answer, if it is there. In the page's own program
// it computes it. It belongs to the caller. Once it returned none, Over says whether
// there will be one.
func (w *Work[P]) Next() (*P, bool) {
	if w == nil {
		return nil, false
	}
	p, ok := w.s.next()
	if !ok {
		return nil, false
	}
	return any(p).(*P), true
}

// Over reports whether no piece will come any more: all were given, or there was an
// error.
func (w *Work[P]) Over() bool { return w == nil || w.s.over() }

// Err returns why the work ended early, nil if it did not.
func (w *Work[P]) Err() error {
	if w == nil {
		return nil
	}
	return w.s.err()
}

// Stop ends work that nobody needs any more. It may be called again.
func (w *Work[P]) Stop() {
	if w != nil {
		w.s.stop()
	}
}

// All takes all pieces that have come, and reports whether the work is over. In the
// page's own program it computes until more says no, after one piece at the earliest.
func (w *Work[P]) All(more func() bool, take func(*P)) (over bool) {
	for !w.Over() {
		came := w.s.came()
		p, ok := w.Next()
		if !ok {
			break
		}
		if take(p); !came && !more() {
			break
		}
	}
	return w.Over()
}

// Here does jobs in the program that asks.
type Here struct{ models *Models }

// NewHere returns who computes with models in place.
func NewHere(m *Models) *Here { return &Here{m} }

// Parts returns 1.
func (h *Here) Parts() int { return 1 }

// Bring gives a file to the models.
func (h *Here) Bring(name string, f File) { h.models.Bring(name, f) }

func (h *Here) ask(j job, _ int) stream { return start(h.models, j) }

// local is a job that is done in place, a piece whenever one is asked for.
type local struct {
	pull  func() (coded, bool)
	quit  func()
	ended bool
	why   error
}

func start(m *Models, j job) *local {
	l := new(local)
	l.pull, l.quit = iter.Pull(func(yield func(coded) bool) {
		l.why = j.run(m, yield)
	})
	return l
}

func (l *local) next() (coded, bool) {
	if l.ended {
		return nil, false
	}
	p, ok := l.pull()
	if !ok {
		l.ended = true
	}
	return p, ok
}

func (l *local) came() bool { return false }

func (l *local) over() bool { return l.ended }

func (l *local) err() error { return l.why }

func (l *local) stop() {
	l.quit()
	l.ended = true
}
