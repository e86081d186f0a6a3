package latentmap

import (
	"errors"
	"fmt"
	"math"
	"time"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
)

// point is the flow of a code that was put on the map.
type point struct {
	s      *room.Session
	dials  func() dials.Dials
	head   timeline.Playhead
	path   timeline.Trajectory
	reads  room.Reads
	stale  bool
	play   bool                            // play the path from its start once computed
	flowed latent.Preset                   // by which the path flowed
	knew   link.Memory                     // what the density was taught then
	put    []float32                       // where it was put last
	work   *compute.Work[compute.Restored] // the flow under way
}

// Head returns the playhead of the point.
func (p *point) Head() *timeline.Playhead { return &p.head }

// Path returns the point's flow.
func (p *point) Path() *timeline.Trajectory { return &p.path }

// Shown returns 0: there is one image.
func (p *point) Shown() int { return 0 }

// Dials returns those of Restore: a point flows as a damaged image does.
func (p *point) Dials() dials.Dials { return p.dials() }

// Album returns the point's flow, to be exported.
func (p *point) Album(c *palette.Palette) (export.Album, error) { return p.s.NewAlbum(p, 1, c) }

// Say fills in what a readout says of the point.
func (p *point) Say(out *room.Readout) {
	out.Measure(p, p.reads.Of)
	out.Tell(fmt.Sprintf("D = %.2f", out.Distance), p.s.About.Read(out.Reads))
}

// Busy reports whether the path is out of date.
func (p *point) Busy() bool {
	return p.stale || p.work != nil || p.cold() || p.reads.Missing(p.s, &p.path)
}

// cold reports whether the path is of another flow than it should be, or the density has
// been taught something else.
func (p *point) cold() bool {
	return p.s.Spot != "" && (p.flowed != p.s.RestoreFlow || p.knew != p.s.Memory)
}

// Update has the point flow where that is out of date. While it is dragged, what is
// under way is still shown.
func (p *point) Update(time.Duration) {
	if (p.stale || p.cold()) && p.work == nil {
		p.stale, p.flowed, p.knew = false, p.s.RestoreFlow, p.s.Memory
		if err := p.begin(); err != nil {
			p.s.Fail(err)
			p.arrive()
		}
	}
	if p.work == nil {
		p.reads.Update(p.s, &p.path, 0)
	}
	if p.work == nil || !p.work.All(room.Ever, p.take) {
		return
	}
	p.s.Fail(p.work.Err())
	p.work = nil
	p.arrive()
}

// begin has the point flow.
func (p *point) begin() error {
	z, err := p.s.Links.UnpackCode(p.s.Spot)
	if err != nil {
		return err
	}
	taught, err := p.s.Taught()
	if err != nil {
		return err
	}
	p.work = compute.Ask(p.s.Compute, &compute.Restore{Code: z, Flow: p.s.RestoreFlow.Widened(), Taught: taught})
	return nil
}

// take shows a flow that has come.
func (p *point) take(r *compute.Restored) {
	pixels, d := p.s.Pixels(), p.s.Engine.Latent()
	p.path = timeline.Trajectory{N: 1}
	for i := range r.Distance {
		p.path.Add(r.Ink[i*pixels:(i+1)*pixels], r.Codes[i*d:(i+1)*d], r.Distance[i:i+1])
	}
	p.reads.Set(r.Reads)
}

// arrive goes to where the timeline is to be.
func (p *point) arrive() {
	p.head.Follow(p.path.Steps() - 1)
	if !p.s.Arrive(&p.head) && p.play && !p.stale {
		p.head.Begin(p.s.ReducedMotion)
	}
	p.play = p.play && p.stale
	p.s.Touch()
}

// Now returns the code that is shown, at the step of the playhead; nil before
// there is one. It belongs to the room.
func (m *Room) Now() []float32 {
	if p := &m.point; m.Subject() == room.Subject(p) && p.put != nil && (p.stale || p.work != nil) && p.head.Step() == 0 {
		return p.put // its flow is on the way
	}
	on := m.Images()
	p, i := on.Path(), on.Shown()
	if p.Steps() == 0 || i >= p.N {
		return nil
	}
	return p.Code(min(on.Head().Step(), p.Steps()-1), i)
}

// Over reports whether the point that shows the code is within reach of a place.
func (m *Room) Over(x, y, reach float64) bool {
	z := m.Now()
	if z == nil || m.atlas == nil {
		return false
	}
	px, py := m.atlas.Plane.Shadow(z)
	return math.Hypot(float64(px)-x, float64(py)-y) <= reach
}

// PutAt puts a point on the map: the code that is within reach, what is remembered
// before those of the bank, or else the nearest one moved in parallel to the plane. It flows from there.
func (m *Room) PutAt(x, y, reach float64) error {
	if m.atlas == nil {
		return errors.New("the map is not there yet")
	}
	for i, p := range m.Remembered() {
		if math.Hypot(float64(p[0])-x, float64(p[1])-y) <= reach {
			m.put(m.own.codes[i*m.s.Engine.Latent():][:m.s.Engine.Latent()], true)
			return nil
		}
	}
	i, d := m.atlas.Nearest(float32(x), float32(y))
	z := append([]float32(nil), m.atlas.Code(i)...)
	if float64(d) > reach {
		at := m.atlas.At[i]
		m.atlas.Plane.Shift(z, z, float32(x)-at[0], float32(y)-at[1])
	}
	m.put(z, true)
	return nil
}

// PutMiddle puts a point in the middle of what is seen.
func (m *Room) PutMiddle() error {
	if m.atlas == nil {
		m.middle = true // as soon as there is one
		return nil
	}
	return m.PutAt(m.atlas.X+m.s.View.X, m.atlas.Y+m.s.View.Y, 0)
}

// PickUp takes up the point that is shown, of whatever path, to be dragged. From
// then on the map shows the path from it.
func (m *Room) PickUp() {
	if z := m.Now(); z != nil && m.atlas != nil {
		m.held = append([]float32(nil), z...)
		m.put(m.held, false)
	}
}

// Drag moves the point that is held to a place. What the map does not show of
// the code stays as it is.
func (m *Room) Drag(x, y float64) {
	if m.held == nil || x-x != 0 || y-y != 0 {
		return
	}
	px, py := m.atlas.Plane.Shadow(m.held)
	z := make([]float32, len(m.held))
	m.atlas.Plane.Shift(z, m.held, float32(x)-px, float32(y)-py)
	m.put(z, false)
}

// Drop lets go of the point, and plays its way back to where digits are.
func (m *Room) Drop() {
	if m.held == nil {
		return
	}
	m.held = nil
	if p := &m.point; p.stale || p.work != nil {
		p.play = true // its flow is on the way
	} else {
		p.head.Begin(m.s.ReducedMotion)
	}
	m.s.Touch()
}

// Nudge moves the point by shares of what is seen, as dragging does.
func (m *Room) Nudge(dx, dy float64) error {
	if m.atlas == nil {
		return errors.New("the map is not there yet")
	}
	if m.Now() == nil {
		return m.PutMiddle()
	}
	m.PickUp()
	px, py := m.atlas.Plane.Shadow(m.held)
	side := min(m.atlas.W, m.atlas.H) / m.s.View.Zoom
	m.Drag(float64(px)+dx*side, float64(py)+dy*side)
	m.held = nil
	return nil
}

// put shows the flow of a code.
func (m *Room) put(z []float32, play bool) {
	m.s.Spot, m.s.Follow = link.PackCode(z), link.Spot
	m.point.stale, m.point.play, m.point.put = true, play, z
	m.point.head.Jump(0)
	m.s.Touch()
}
