package latentmap

import (
	"time"

	"mppm/wasm/app/compute"
	"mppm/wasm/app/room"
)

// heatSlice is how much of a frame the colors of D may take, beyond one row of
// them.
var heatSlice = 4 * time.Millisecond

// heatSide is how many places D is computed at along the longer edge.
const heatSide = 48

// HeatMap is D on a rectangle of the map, the mean over the codes that have their shadow near: at (X0, Y0)
// lies the middle of the first of W × H cells, at (X1, Y1) that of the last.
type HeatMap struct {
	W, H           int
	D              []float32 // row by row
	X0, Y0, X1, Y1 float64
}

type heating struct {
	whole, draft *HeatMap // what is shown; what is being computed
	work         *compute.Work[compute.Distances]
}

// HeatMap returns D on the part of the map that is seen; nil before there is one.
// While it is computed anew it is the one of before.
func (m *Room) HeatMap() *HeatMap {
	if !m.s.Heat {
		return nil
	}
	return m.heat.whole
}

// Highest returns the D at the end of the map's scale.
func (m *Room) Highest() float64 {
	if m.atlas == nil {
		return 0
	}
	return float64(m.atlas.Highest)
}

// wanted returns the heat map that there should be, without its values.
func (m *Room) wanted() *HeatMap {
	if m.atlas == nil || m.aspect == 0 {
		return nil
	}
	h := &HeatMap{W: heatSide, H: heatSide}
	if m.aspect > 1 {
		h.H = max(int(heatSide/m.aspect), 2)
	} else {
		h.W = max(int(heatSide*m.aspect), 2)
	}
	c := m.Chart(m.aspect, 1)
	h.X0, h.Y0 = c.Place(0, 0)
	h.X1, h.Y1 = c.Place(m.aspect, 1)
	return h
}

// like reports whether two maps have their cells at the same places.
func (m *HeatMap) like(o *HeatMap) bool {
	return o != nil && m.W == o.W && m.H == o.H && m.X0 == o.X0 && m.Y0 == o.Y0 && m.X1 == o.X1 && m.Y1 == o.Y1
}

// coldHeat reports whether D is out of date.
func (m *Room) coldHeat() bool {
	w := m.wanted()
	return w != nil && !w.like(m.heat.whole)
}

// updateHeat has the colors made anew where they are out of date, and reports whether
// they have come.
func (m *Room) updateHeat() bool {
	w := m.wanted()
	if w == nil || w.like(m.heat.whole) {
		return false
	}
	h := &m.heat
	if !w.like(h.draft) {
		h.work.Stop()
		h.draft = w
		h.work = compute.Ask(m.s.Compute, &compute.Heat{X0: w.X0, Y0: w.Y0, X1: w.X1, Y1: w.Y1, W: w.W, H: w.H})
	}
	d := h.draft
	over := h.work.All(room.Within(heatSlice), func(row *compute.Distances) { d.D = append(d.D, row.D...) })
	if len(d.D) < d.W*d.H {
		if over { // and never will
			m.s.Fail(h.work.Err())
		}
		return false
	}
	h.whole, h.draft, h.work = d, nil, nil
	return true
}
