// Package first shows the first restoration while the page's program, which draws with the
// graphics card, is still on its way: an engine, which is there sooner, has it computed by
// the same room, plays it by the same timeline, and paints the same pictures. It paints
// what moves, and no plot.
package first

import (
	"fmt"
	"time"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/model"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// Page is what the page knows before its program is there.
type Page struct {
	Images, Labels  []byte   // IDX files: the test digits and their classes
	Faces           []string // the models of faces, by name
	Fragment, Query string   // of the address
	Still           bool     // the visitor wants less motion
	Palette         palette.Palette
	Width, Height   int     // of the film, in pixels of the screen
	Margin          int     // around it, for what reaches beyond
	Unit            float64 // such pixels in one of a page with ordinary type
}

// Show is the first restoration.
type Show struct {
	page Page
	ramp [256][4]byte
	s    *room.Session
	room *restore.Room
	ink  []byte // of an image
}

// New computes the restoration that the address asks for. It returns nil where that asks
// for another mode, which only the program shows.
func New(m *latent.Model, e model.Engine, p Page) (*Show, error) {
	about := model.Describe(m)
	d, err := restore.ParseDigits(p.Images, p.Labels, m.Image(), about.Classes)
	if err != nil {
		return nil, err
	}
	links := room.NewLinks(e, m.Restore, m.Generate, about, d.Len(), p.Faces)
	texts := []string{p.Fragment}
	if links.Names(p.Query) {
		texts = append(texts, p.Query)
	}
	l, _ := links.Read(texts...) // what it cannot show, the program says
	if l.Mode != link.Restore {
		return nil, nil
	}
	s := &Show{page: p, ramp: p.Palette.Ramp(), s: room.NewSession(links, e, nil, about), ink: make([]byte, m.Pixels())}
	s.room = restore.New(s.s, m.Restore, d)
	s.s.State, s.s.ReducedMotion = l.State, p.Still
	s.s.Want(l.Step)
	if err := s.room.Open(&l); err != nil {
		return nil, err
	}
	s.s.Update(s.room, 0)
	if err := s.s.Err(); err != nil {
		return nil, err
	}
	if s.room.Path().Steps() == 0 {
		return nil, fmt.Errorf("there is nothing to show")
	}
	return s, nil
}

// Advance lets time pass, and reports whether more of it changes anything.
func (s *Show) Advance(dt time.Duration) bool {
	s.s.Update(s.room, dt)
	return s.room.Head().Moving()
}

// Width returns how many pixels a row of the digits has.
func (s *Show) Width() int { return s.s.Engine.Image().W }

// Original returns the original in the page's colors, as red, green, blue and alpha.
func (s *Show) Original() []byte { return s.numbers(s.room.Original()) }

// Damaged returns the damaged digit likewise.
func (s *Show) Damaged() []byte { return s.numbers(s.room.Degraded()) }

// Restored returns the digit as restored so far.
func (s *Show) Restored() []byte {
	s.room.Path().At(s.ink, 0, s.room.Head().Pos())
	return s.colors()
}

// Readout says where the restoration is.
func (s *Show) Readout() room.Readout { return s.s.Readout(s.room) }

func (s *Show) numbers(x []float32) []byte {
	for i, v := range x {
		s.ink[i] = timeline.Ink(v)
	}
	return s.colors()
}

// colors returns s.ink in the page's colors.
func (s *Show) colors() []byte {
	out := make([]byte, 0, 4*len(s.ink))
	for _, b := range s.ink {
		out = append(out, s.ramp[b][:]...)
	}
	return out
}
