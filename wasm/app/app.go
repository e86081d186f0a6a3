// Package app is the page's state and what it does, as plain Go: what the user
// chose, what the model made of it, and where on the timeline one looks. It
// draws nothing, knows no browser, and is tested natively.
//
// What a mode does is its room's, a package of its own below this one. App holds
// them together, and knows of each no more than package room says: one reads the
// room to change a mode, and App to change what all modes have.
//
// Everything here runs on one goroutine: the page's callbacks queue their calls
// and the frame loop makes them.
package app

import (
	"fmt"
	"slices"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/export/encode"
	"mppm/wasm/app/faces"
	"mppm/wasm/app/generate"
	"mppm/wasm/app/latentmap"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// App is the rooms, and which of them is shown.
type App struct {
	*room.Session
	rooms map[link.Mode]room.Room

	// The rooms, for the controls that are theirs alone.
	Restore  *restore.Room
	Generate *generate.Room
	Map      *latentmap.Room
	Manifold *manifold.Room
	Faces    *faces.Room

	faces  []string // the models of faces
	shown  Model    // what Restore, Generate and Map are of
	kept   *kept    // what to go back to, nil where the page shows its own model
	rivals bool     // the page's own models to compare with have come

	pictures pictures // the model that was opened for Faces
}

// Faces are the models of faces that the page can have.
type Faces struct {
	Models []string           // by name, the first shown first
	Fetch  func(model string) // has one fetched, which is given to the room then
}

// New returns the app at its first screen: one of the model's samples under severe
// noise, about to be restored. Where it has no classifier yet, Readable is to be called once
// that comes. Without models of faces there is no mode of that name.
func New(m Model, f Faces) (*App, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	s := room.NewSession(m.page(f.Models), m.Engine, m.Reader, m.About)
	a := &App{Session: s, faces: f.Models, shown: m}
	a.Restore = restore.New(s, m.Restore, m.Samples)
	a.Generate = generate.New(s, m.Generate)
	a.Map = latentmap.New(s, a.Restore, a.Generate)
	a.Manifold = manifold.New(s)
	a.rooms = map[link.Mode]room.Room{link.Restore: a.Restore, link.Generate: a.Generate, link.Map: a.Map, link.Manifold: a.Manifold}
	a.Faces = faces.New(s, func(name string) {
		if name != a.pictures.as { // which is there
			f.Fetch(name)
		}
	})
	a.rooms[link.Faces] = a.Faces
	return a, nil
}

// Readable says that the classifier is there, with whoever computes.
func (a *App) Readable() {
	a.Session.Readable = true
	a.Restore.Reread()
}

// Room returns the room that is shown.
func (a *App) Room() room.Room { return a.rooms[a.Mode] }

// SetMode shows a tab. Entering Generate for the first time grows its grid; a
// tab that was left while playing plays on when it is shown again.
func (a *App) SetMode(m link.Mode) error {
	if a.rooms[m] == nil || !slices.Contains(a.Links.Modes(), m) {
		return fmt.Errorf("there is no mode %q; choose one of %q", m, a.Links.Modes())
	}
	if a.Mode != m {
		a.Mode = m
		a.Touch()
	}
	return nil
}

// Head returns the playhead of what is shown.
func (a *App) Head() *timeline.Playhead { return a.Room().Subject().Head() }

// Path returns the flow that is shown, and which image of it the film and the plot
// of D are about; of no steps where no images flow.
func (a *App) Path() (p *timeline.Trajectory, shown int) {
	if i, ok := a.Room().Subject().(room.Images); ok {
		return i.Path(), i.Shown()
	}
	return &timeline.Trajectory{}, 0
}

// Dials returns the sliders of the flow that is shown.
func (a *App) Dials() dials.Dials { return a.Room().Subject().Dials() }

// TogglePlay plays or pauses; at the end it starts over.
func (a *App) TogglePlay() {
	h := a.Head()
	if h.Playing() {
		h.Pause()
	} else {
		h.Play()
	}
	a.Touch()
}

// Seek pauses and goes to a step; outside the flow it goes to the nearest end.
func (a *App) Seek(step int) {
	a.Head().Seek(step)
	a.Touch()
}

// StepBy pauses and goes n steps on, or back.
func (a *App) StepBy(n int) { a.Seek(a.Head().Step() + n) }

// Update computes what is out of date, one step of the grid at most and a slice
// of what takes long, and moves the playhead on by dt.
func (a *App) Update(dt time.Duration) { a.Session.Update(a.Room(), dt) }

// Busy reports whether what is shown is still being computed, or moves.
func (a *App) Busy() bool { return room.Busy(a.Room()) }

// Active reports whether the next Update has something to do: a comparison may
// go on, or the colors of the map, when all else is at rest.
func (a *App) Active() bool { return room.Active(a.Room()) }

// Readout returns what is on the screen, in numbers.
func (a *App) Readout() room.Readout { return a.Session.Readout(a.Room()) }

// ExportPicture returns what is shown now as a PNG: the digit, the grid, or the
// figure of Manifold.
func (a *App) ExportPicture(p *palette.Palette) (encode.File, error) {
	return a.export(encode.Picture, fmt.Sprintf("picture-step-%d", a.Head().Step()), p)
}

// ExportStrip returns every step of what is shown, side by side, as a PNG.
func (a *App) ExportStrip(p *palette.Palette) (encode.File, error) {
	return a.export(encode.Strip, "strip", p)
}

// ExportAnimation returns every step of what is shown as a GIF, which has just as
// many colors as digits have shades: of digits nothing is lost.
func (a *App) ExportAnimation(p *palette.Palette) (encode.File, error) {
	return a.export(encode.Animation, "animation", p)
}

func (a *App) export(write func(export.Album, string) (encode.File, error), what string, p *palette.Palette) (encode.File, error) {
	album, err := a.Room().Subject().Album(p)
	if err != nil {
		return encode.File{}, err
	}
	return write(album, fmt.Sprintf("mppm-%s-%s", a.Subject(), what))
}
