package latentmap

import (
	"math"

	"mppm/shared/link"
)

// grain is what places and zooms of lenses are multiples of, so that a link is
// short.
const grain = 1.0 / 256

// Chart is the map on a rectangle of the screen.
type Chart struct {
	x, y, scale float64 // the middle, and pixels in a unit
	w, h        float64
}

// Chart returns the map as it is seen on a rectangle of w × h pixels.
func (m *Room) Chart(w, h float64) Chart {
	t := m.atlas
	if t == nil || !(w > 0 && h > 0) {
		return Chart{scale: 1, w: w, h: h}
	}
	return Chart{x: t.X + m.s.View.X, y: t.Y + m.s.View.Y, scale: m.s.View.Zoom * min(w/t.W, h/t.H), w: w, h: h}
}

// Screen returns where a place of the plane is on the rectangle, in pixels from
// its upper left corner.
func (c Chart) Screen(x, y float64) (px, py float64) {
	return c.w/2 + (x-c.x)*c.scale, c.h/2 + (y-c.y)*c.scale
}

// Place is the inverse of Screen.
func (c Chart) Place(px, py float64) (x, y float64) {
	return c.x + (px-c.w/2)/c.scale, c.y + (py-c.h/2)/c.scale
}

// Scale returns how many pixels a unit of the codes has.
func (c Chart) Scale() float64 { return c.scale }

// Zoom enlarges the map by a factor, the place (x, y) staying where it is.
func (m *Room) Zoom(factor, x, y float64) {
	if m.atlas == nil || !(factor > 0) || math.IsInf(factor, 0) || x-x != 0 || y-y != 0 {
		return
	}
	v := m.s.View
	zoom := min(max(v.Zoom*factor, 1), link.MaxZoom)
	share := v.Zoom / zoom
	x, y = x-m.atlas.X, y-m.atlas.Y
	m.look(link.Lens{X: x + (v.X-x)*share, Y: y + (v.Y-y)*share, Zoom: zoom})
}

// ZoomMiddle enlarges the map around its middle.
func (m *Room) ZoomMiddle(factor float64) {
	if m.atlas != nil {
		m.Zoom(factor, m.atlas.X+m.s.View.X, m.atlas.Y+m.s.View.Y)
	}
}

// Pan moves the middle of the map by (dx, dy), in the units of the codes.
func (m *Room) Pan(dx, dy float64) {
	if m.atlas != nil && dx-dx == 0 && dy-dy == 0 {
		m.look(link.Lens{X: m.s.View.X + dx, Y: m.s.View.Y + dy, Zoom: m.s.View.Zoom})
	}
}

// PanView moves the middle of the map by shares of what is seen.
func (m *Room) PanView(dx, dy float64) {
	if t := m.atlas; t != nil {
		m.Pan(dx*t.W/m.s.View.Zoom, dy*t.H/m.s.View.Zoom)
	}
}

// Whole shows all of the map.
func (m *Room) Whole() {
	if m.atlas != nil {
		m.look(link.Lens{Zoom: 1})
	}
}

// look shows a part of the map whose middle is within the codes.
func (m *Room) look(v link.Lens) {
	on := func(v, bound float64) float64 {
		return math.Round(min(max(v, -bound), bound)/grain) * grain
	}
	v.Zoom = math.Round(v.Zoom/grain) * grain
	free := 1 - 1/v.Zoom // as a whole it stays in the middle
	v.X, v.Y = on(v.X, m.atlas.W/2*free), on(v.Y, m.atlas.H/2*free)
	if v != m.s.View {
		m.s.View = v
		m.s.Touch()
	}
}
