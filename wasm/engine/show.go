//go:build js && wasm

package main

import (
	"syscall/js"
	"time"

	"mppm/shared/latent"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/first"
	"mppm/wasm/app/model"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
)

const (
	batch = 16                    // images that are computed at a time
	frame = 30 * time.Millisecond // from picture to picture of the first restoration
)

// show is the first restoration, as it is shown.
type show struct {
	*first.Show
	page  js.Value
	last  time.Time // when it was shown; zero: not yet
	moves bool
}

// begin computes the first restoration for a page. It returns nil where its address asks
// for something else.
func begin(s *compute.Server, page js.Value) (*show, error) {
	m, err := latent.Load(bytesOf(page.Get("weights")))
	if err != nil {
		return nil, err
	}
	e := model.NewEngine(m, batch)
	s.Adopt(e)
	colors := page.Get("colors")
	p, err := palette.Read(func(name string) string { return colors.Get(name).String() })
	if err != nil {
		return nil, err
	}
	film := page.Get("film")
	given := first.Page{
		Images: bytesOf(page.Get("images")), Labels: bytesOf(page.Get("labels")),
		Fragment: page.Get("fragment").String(), Query: page.Get("query").String(),
		Still: page.Get("still").Bool(), Palette: p,
		Width: film.Get("width").Int(), Height: film.Get("height").Int(), Margin: film.Get("margin").Int(), Unit: film.Get("unit").Float(),
	}
	for i := range page.Get("faces").Length() {
		given.Faces = append(given.Faces, page.Get("faces").Index(i).String())
	}
	f, err := first.New(m, e, given)
	if f == nil {
		return nil, err
	}
	return &show{Show: f, page: page, moves: true}, nil
}

// play shows the restoration as it is now, if it is time to, and has itself woken for the
// next picture. It reports whether there will be one.
func (s *show) play(wake func()) bool {
	if s.page.Get("over").Truthy() {
		return false
	}
	now := time.Now()
	picture := js.Global().Get("Object").New()
	put := func(place string, pixels []byte) { picture.Set(place, array("Uint8ClampedArray", pixels)) }
	switch {
	case s.last.IsZero():
		put("original", s.Original())
		put("degraded", s.Damaged())
	case now.Sub(s.last) < frame:
		return true // woken by something else
	default:
		s.moves = s.Advance(now.Sub(s.last))
	}
	s.last = now
	picture.Set("width", s.Width())
	put("restored", s.Restored())
	put("film", s.Film())
	r := s.Readout()
	picture.Set("status", room.Unbroken(r.Status))
	picture.Set("step", r.Step)
	picture.Set("steps", r.Steps)
	picture.Set("tiles", s.Tiles())
	engine.Call("show", s.page, picture)
	if s.moves {
		time.AfterFunc(frame, wake)
	}
	return s.moves
}
