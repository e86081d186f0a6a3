// Package latentmap is the room with the map of the codes: the plane with the
// codes of clean images on it, what part of it is seen, D as a heat map, and the
// flow of Restore, of Generate, or of a code that was put there.
package latentmap

import (
	"cmp"
	"fmt"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/atlas"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/room"
)

// Room is what follows from the state of the map.
type Room struct {
	s        *room.Session
	followed map[link.Subject]room.Room // whose path it can show
	atlas    *atlas.Atlas
	survey   *compute.Work[compute.Surveyed] // of the atlas, until it is there
	middle   bool                            // a point is to be put in the middle once it is
	aspect   float64                         // width of the map over its height
	point    point
	held     []float32 // the code that is dragged, where it was taken up; nil: none
	heat     heating
	own      own
}

// own is where on the map what is remembered lies.
type own struct {
	of    link.Memory
	codes []float32 // one after the other
	at    [][2]float32
}

// What the map can do beside what every room does.
var (
	_ room.Worker = (*Room)(nil)
	_ room.Images = (*point)(nil)
)

// New returns the room, which can show the paths of two others.
func New(s *room.Session, restore, generate room.Room) *Room {
	m := &Room{s: s, followed: map[link.Subject]room.Room{link.Restoration: restore, link.Growth: generate}}
	m.point.s, m.point.dials = s, func() dials.Dials { return restore.Subject().Dials() }
	return m
}

// Use begins anew, with the session's model.
func (m *Room) Use() {
	m.survey.Stop()
	m.heat.work.Stop()
	m.point.work.Stop()
	m.point = point{s: m.s, dials: m.point.dials}
	m.atlas, m.survey, m.middle, m.held, m.heat, m.own = nil, nil, false, nil, heating{}, own{}
}

// Open shows what a link says.
func (m *Room) Open(l *link.Link) error {
	m.point.stale, m.point.play, m.point.put, m.held = l.Spot != "", l.Step < 0, nil, nil
	return nil
}

// Subject returns whose path is shown.
func (m *Room) Subject() room.Subject {
	if r := m.followed[m.s.Follow]; r != nil {
		return r.Subject()
	}
	return &m.point
}

// Images returns the same: all that the map shows are images.
func (m *Room) Images() room.Images { return m.Subject().(room.Images) }

// SetFollow chooses whose path the map shows: that of Restore, of Generate, or
// of the code that was put on it, which is put in the middle if there is none.
func (m *Room) SetFollow(s link.Subject) error {
	switch {
	case s != link.Restoration && s != link.Growth && s != link.Spot:
		return fmt.Errorf("the map cannot show the path %q", s)
	case s == link.Spot && m.s.Spot == "":
		return m.PutMiddle()
	case s != m.s.Follow:
		m.s.Follow = s
		m.s.Touch()
	}
	return nil
}

// Atlas returns the map's plane and codes, nil before the map was shown.
func (m *Room) Atlas() *atlas.Atlas { return m.atlas }

// SetAspect tells the shape of the map on the screen: its width over its height.
func (m *Room) SetAspect(aspect float64) {
	if aspect > 0 && aspect != m.aspect {
		m.aspect = aspect
		m.s.Touch()
	}
}

// SetHeat shows D on the map, or not.
func (m *Room) SetHeat(on bool) {
	if on != m.s.Heat {
		m.s.Heat = on
		m.s.Touch()
	}
}

// Place is a place of the map.
type Place struct {
	X float32 `json:"x"`
	Y float32 `json:"y"`
}

// Place returns where the code is that is shown, nil before there is one.
func (m *Room) Place() *Place {
	z := m.Now()
	if m.atlas == nil || z == nil {
		return nil
	}
	x, y := m.atlas.Plane.Shadow(z)
	return &Place{x, y}
}

// Remembered returns the places of the codes that are remembered, none before the map is
// there. They belong to the room.
func (m *Room) Remembered() [][2]float32 {
	if m.atlas == nil {
		return nil
	}
	if m.own.of != m.s.Memory {
		t, err := m.s.Taught()
		if err != nil {
			return nil
		}
		m.own = own{of: m.s.Memory, codes: t.Codes}
		for z := t.Codes; len(z) > 0; z = z[m.s.Engine.Latent():] {
			x, y := m.atlas.Plane.Shadow(z[:m.s.Engine.Latent()])
			m.own.at = append(m.own.at, [2]float32{x, y})
		}
	}
	return m.own.at
}

// loadAtlas has the map made, and takes it once it is.
func (m *Room) loadAtlas() {
	if m.survey == nil {
		m.survey = compute.Ask(m.s.Compute, new(compute.Survey))
	}
	err := error(nil)
	over := m.survey.All(room.Ever, func(s *compute.Surveyed) { m.atlas, err = atlas.Of(m.s.Engine, s.Survey) })
	if !over {
		return
	}
	if err = cmp.Or(err, m.survey.Err()); err != nil {
		m.s.Fail(err)
	}
	m.survey = nil
	m.s.Touch()
	if m.middle && m.atlas != nil {
		m.middle = false
		if err := m.PutMiddle(); err != nil {
			m.s.Fail(err)
		}
	}
}

// Work has the map made, once, and then the colors of D.
func (m *Room) Work(time.Duration) {
	if m.atlas == nil {
		m.loadAtlas()
	}
	if m.s.Heat && m.atlas != nil && m.updateHeat() {
		m.s.Touch()
	}
}

// Working reports whether the map is not whole.
func (m *Room) Working() bool {
	return m.s.Err() == nil && (m.atlas == nil || m.s.Heat && m.coldHeat())
}
