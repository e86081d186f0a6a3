package app

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/project"
	"mppm/wasm/app/timeline"
)

// lensGrain is what places and zooms of lenses are multiples of, so that a link
// is short.
const lensGrain = 1.0 / 256

// mapping is what follows from the state of the map.
type mapping struct {
	atlas     *Atlas
	aspect    float64 // width of the map over its height
	spot      timeline.Trajectory
	spotReads []Reading
	staleSpot bool
	playSpot  bool
	held      []float32 // the code that is dragged, where it was taken up; nil: none
	heat      heating
}

// Atlas is the plane with the codes of clean images on it. It is immutable.
type Atlas struct {
	Plane   *project.Plane
	Codes   []float32    // n × latent.Latent
	Labels  []uint8      // their classes
	At      [][2]float32 // their places
	Centers [classifier.Classes][2]float32
	x, y    float64 // the middle of all places
	w, h    float64 // all places lie within half of these of it
	highest float32 // D somewhere on the plane, at most
}

// margin of the map around the codes, as a share of what they take.
const mapMargin = 0.06

func newAtlas(e Engine) (*Atlas, error) {
	t := &Atlas{}
	t.Codes, t.Labels = e.Bank()
	if len(t.Labels) == 0 {
		return nil, errors.New("the weights name no classes: there is no map of them")
	}
	if t.Plane = e.Plane(); t.Plane == nil { // weights of before name none
		var err error
		if t.Plane, err = project.Separate(t.Codes, latent.Latent, t.Labels); err != nil {
			return nil, err
		}
	}
	t.At = make([][2]float32, len(t.Labels))
	lo, hi := [2]float32{math.MaxFloat32, math.MaxFloat32}, [2]float32{-math.MaxFloat32, -math.MaxFloat32}
	var count [classifier.Classes]float32
	for i := range t.At {
		p := &t.At[i]
		p[0], p[1] = t.Plane.Shadow(t.Codes[i*latent.Latent : (i+1)*latent.Latent])
		for k := range p {
			lo[k], hi[k] = min(lo[k], p[k]), max(hi[k], p[k])
		}
		if l := t.Labels[i]; int(l) < len(count) {
			count[l]++
			t.Centers[l][0] += p[0]
			t.Centers[l][1] += p[1]
		}
	}
	for l, n := range count {
		if n > 0 {
			t.Centers[l][0] /= n
			t.Centers[l][1] /= n
		}
	}
	t.x, t.y = float64(lo[0]+hi[0])/2, float64(lo[1]+hi[1])/2
	t.w, t.h = float64(hi[0]-lo[0])*(1+mapMargin), float64(hi[1]-lo[1])*(1+mapMargin)
	if !(t.w > 0 && t.h > 0) {
		return nil, errors.New("all codes lie on one line: there is no map of them")
	}
	// D at the edges of the map bounds the scale of its colors.
	const n = 12
	d, x := make([]float32, n*n), make([]float64, n)
	for i := range x {
		x[i] = t.x + t.w*(float64(i)/(n-1)-0.5)
	}
	for i := range n {
		t.distances(e, d[i*n:(i+1)*n], x, t.y+t.h*(float64(i)/(n-1)-0.5))
	}
	t.highest = slices.Max(d)
	return t, nil
}

// around is of how many codes the map averages D at a place.
const around = 8

// distances writes to d how far from clean codes D judges places of the plane to
// be, all at the height y: the mean of D at codes that have their shadow there,
// namely those of the nearest dots, moved there in parallel to the plane. (The plane
// itself, or any other slice of the space, misses nearly all codes.)
func (t *Atlas) distances(e Engine, d []float32, x []float64, y float64) {
	n := min(around, len(t.At))
	z := make([]float32, len(x)*n*latent.Latent)
	near, d2 := make([]int, n), make([]float32, n)
	for i, x := range x {
		px, py := float32(x), float32(y)
		t.closest(near, d2, px, py)
		for k, code := range near {
			at := t.At[code]
			t.Plane.Shift(z[(i*n+k)*latent.Latent:(i*n+k+1)*latent.Latent], t.Codes[code*latent.Latent:(code+1)*latent.Latent], px-at[0], py-at[1])
		}
	}
	each := make([]float32, len(x)*n)
	e.Distance(each, nil, z)
	for i := range d {
		d[i] = 0
		for _, v := range each[i*n : (i+1)*n] {
			d[i] += v / float32(n)
		}
	}
}

// closest fills near with the codes whose places are nearest, the nearest first, and
// d2, as long, with the squares of how far they are.
func (t *Atlas) closest(near []int, d2 []float32, x, y float32) {
	for i := range d2 {
		d2[i] = math.MaxFloat32
	}
	for k, p := range t.At {
		dx, dy := p[0]-x, p[1]-y
		q := float32(dx*dx) + float32(dy*dy)
		i := len(d2)
		for ; i > 0 && d2[i-1] > q; i-- {
			if i < len(d2) {
				near[i], d2[i] = near[i-1], d2[i-1]
			}
		}
		if i < len(d2) {
			near[i], d2[i] = k, q
		}
	}
}

// nearest returns the code whose place is nearest, and how far it is.
func (t *Atlas) nearest(x, y float32) (i int, d float32) {
	var near [1]int
	var d2 [1]float32
	t.closest(near[:], d2[:], x, y)
	return near[0], float32(math.Sqrt(float64(d2[0])))
}

// Atlas returns the map's plane and codes, nil before the map was shown.
func (a *App) Atlas() *Atlas { return a.atlas }

// Chart is the map on a rectangle of the screen.
type Chart struct {
	x, y, scale float64 // the middle, and pixels in a unit
	w, h        float64
}

// Chart returns the map as it is seen on a rectangle of w × h pixels.
func (a *App) Chart(w, h float64) Chart {
	t := a.atlas
	if t == nil || !(w > 0 && h > 0) {
		return Chart{scale: 1, w: w, h: h}
	}
	return Chart{x: t.x + a.View.X, y: t.y + a.View.Y, scale: a.View.Zoom * min(w/t.w, h/t.h), w: w, h: h}
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

// SetAspect tells the shape of the map on the screen: its width over its height.
func (a *App) SetAspect(aspect float64) {
	if aspect > 0 && aspect != a.aspect {
		a.aspect = aspect
		a.touch()
	}
}

// ZoomMap enlarges the map by a factor, the place (x, y) staying where it is.
func (a *App) ZoomMap(factor, x, y float64) {
	if a.atlas == nil || !(factor > 0) || math.IsInf(factor, 0) || x-x != 0 || y-y != 0 {
		return
	}
	v := a.View
	zoom := min(max(v.Zoom*factor, 1), MaxZoom)
	share := v.Zoom / zoom
	x, y = x-a.atlas.x, y-a.atlas.y
	a.look(Lens{X: x + (v.X-x)*share, Y: y + (v.Y-y)*share, Zoom: zoom})
}

// ZoomMiddle enlarges the map around its middle.
func (a *App) ZoomMiddle(factor float64) {
	if a.atlas != nil {
		a.ZoomMap(factor, a.atlas.x+a.View.X, a.atlas.y+a.View.Y)
	}
}

// PanMap moves the middle of the map by (dx, dy), in the units of the codes.
func (a *App) PanMap(dx, dy float64) {
	if a.atlas != nil && dx-dx == 0 && dy-dy == 0 {
		a.look(Lens{X: a.View.X + dx, Y: a.View.Y + dy, Zoom: a.View.Zoom})
	}
}

// PanView moves the middle of the map by shares of what is seen.
func (a *App) PanView(dx, dy float64) {
	if t := a.atlas; t != nil {
		a.PanMap(dx*t.w/a.View.Zoom, dy*t.h/a.View.Zoom)
	}
}

// WholeMap shows all of the map.
func (a *App) WholeMap() {
	if a.atlas != nil {
		a.look(a.first.View)
	}
}

// look shows a part of the map whose middle is within the codes.
func (a *App) look(v Lens) {
	on := func(v, bound float64) float64 {
		return math.Round(min(max(v, -bound), bound)/lensGrain) * lensGrain
	}
	v.Zoom = math.Round(v.Zoom/lensGrain) * lensGrain
	free := 1 - 1/v.Zoom // as a whole it stays in the middle
	v.X, v.Y = on(v.X, a.atlas.w/2*free), on(v.Y, a.atlas.h/2*free)
	if v != a.View {
		a.View = v
		a.touch()
	}
}

// SetHeat shows D on the map, or not.
func (a *App) SetHeat(on bool) {
	if on != a.Heat {
		a.Heat = on
		a.touch()
	}
}

// SetFollow chooses whose path the map shows: that of Restore, of Generate, or
// of the code that was put on it, which is put in the middle if there is none.
func (a *App) SetFollow(s Subject) error {
	switch {
	case s != Restoration && s != Growth && s != Spot:
		return fmt.Errorf("the map cannot show the path %q", s)
	case s == Spot && a.Spot == "":
		return a.PutMiddle()
	case s != a.Follow:
		a.Follow = s
		a.touch()
	}
	return nil
}

// Now returns the code that is shown, at the step of the playhead; nil before
// there is one. It belongs to the app.
func (a *App) Now() []float32 {
	p, i := a.Path(), a.Shown()
	if p.Steps() == 0 || i >= p.N {
		return nil
	}
	return p.Code(min(a.Head().Step(), p.Steps()-1), i)
}

// Over reports whether the point that shows the code is within reach of a place.
func (a *App) Over(x, y, reach float64) bool {
	z := a.Now()
	if z == nil || a.atlas == nil {
		return false
	}
	px, py := a.atlas.Plane.Shadow(z)
	return math.Hypot(float64(px)-x, float64(py)-y) <= reach
}

// PutAt puts a point on the map: the code of the bank that is within reach, or
// else the nearest one moved in parallel to the plane. It flows from there.
func (a *App) PutAt(x, y, reach float64) error {
	if a.atlas == nil {
		return errors.New("the map is not there yet")
	}
	i, d := a.atlas.nearest(float32(x), float32(y))
	z := append([]float32(nil), a.atlas.Codes[i*latent.Latent:][:latent.Latent]...)
	if float64(d) > reach {
		at := a.atlas.At[i]
		a.atlas.Plane.Shift(z, z, float32(x)-at[0], float32(y)-at[1])
	}
	a.put(z, true)
	return nil
}

// PutMiddle puts a point in the middle of what is seen.
func (a *App) PutMiddle() error {
	if a.atlas == nil {
		if err := a.loadAtlas(); err != nil {
			return err
		}
	}
	return a.PutAt(a.atlas.x+a.View.X, a.atlas.y+a.View.Y, 0)
}

// PickUp takes up the point that is shown, of whatever path, to be dragged. From
// then on the map shows the path from it.
func (a *App) PickUp() {
	if z := a.Now(); z != nil && a.atlas != nil {
		a.held = append([]float32(nil), z...)
		a.put(a.held, false)
	}
}

// Drag moves the point that is held to a place. What the map does not show of
// the code stays as it is.
func (a *App) Drag(x, y float64) {
	if a.held == nil || x-x != 0 || y-y != 0 {
		return
	}
	px, py := a.atlas.Plane.Shadow(a.held)
	z := make([]float32, latent.Latent)
	a.atlas.Plane.Shift(z, a.held, float32(x)-px, float32(y)-py)
	a.put(z, false)
}

// Drop lets go of the point, and plays its way back to where digits are.
func (a *App) Drop() {
	if a.held == nil {
		return
	}
	a.held = nil
	if !a.reducedMotion {
		a.heads[Spot].Restart()
	}
	a.touch()
}

// Nudge moves the point by shares of what is seen, as dragging does.
func (a *App) Nudge(dx, dy float64) error {
	if a.atlas == nil {
		return errors.New("the map is not there yet")
	}
	if a.Now() == nil {
		return a.PutMiddle()
	}
	a.PickUp()
	px, py := a.atlas.Plane.Shadow(a.held)
	side := min(a.atlas.w, a.atlas.h) / a.View.Zoom
	a.Drag(float64(px)+dx*side, float64(py)+dy*side)
	a.held = nil
	return nil
}

// put shows the flow of a code.
func (a *App) put(z []float32, play bool) {
	a.Spot, a.Follow = link.PackCode(z), Spot
	a.staleSpot, a.playSpot = true, play
	a.heads[Spot].Jump(0)
	a.touch()
}

// updateSpot flows the point on the map where that is out of date.
func (a *App) updateSpot() {
	if !a.staleSpot {
		return
	}
	a.staleSpot = false
	a.fail(a.computeSpot())
	h := a.heads[Spot]
	h.Follow(a.spot.Steps() - 1)
	if !a.open(h) && a.playSpot && !a.reducedMotion {
		h.Restart()
	}
	a.playSpot = false
	a.touch()
}

func (a *App) computeSpot() error {
	z, err := link.UnpackCode(a.Spot)
	if err != nil {
		return err
	}
	seq, err := a.engine.Flow(z, a.RestoreFlow.Widened())
	if err != nil {
		return err
	}
	a.spot = timeline.Trajectory{N: 1}
	x := make([]float32, latent.Pixels)
	for s := range seq {
		a.engine.Decode(x, s.X)
		a.spot.Add(x, s.X, s.Distance)
	}
	a.spotReads = a.readSteps(&a.spot, 0, 0)
	return nil
}

func (a *App) loadAtlas() (err error) {
	a.atlas, err = newAtlas(a.engine)
	return err
}

// updateMap makes the map, once, and then the colors of D, a slice at a time.
func (a *App) updateMap() {
	if a.atlas == nil {
		if err := a.loadAtlas(); err != nil {
			a.fail(err)
			return
		}
		a.touch()
	}
	if a.Heat && a.updateHeat() {
		a.touch()
	}
}

// mappingNow reports whether the map is not whole.
func (a *App) mappingNow() bool {
	return a.err == nil && (a.atlas == nil || a.Heat && a.coldHeat())
}

// heatSlice is how much of a frame the colors of D may take, beyond one row of
// them.
var heatSlice = 4 * time.Millisecond

// heatSide is how many places D is computed at along the longer edge.
const heatSide = 48

// HeatMap is D on a rectangle of the map, as Atlas.distances has it: at (X0, Y0)
// lies the middle of the first of W × H cells, at (X1, Y1) that of the last.
type HeatMap struct {
	W, H           int
	D              []float32 // row by row
	X0, Y0, X1, Y1 float64
}

type heating struct {
	whole, draft *HeatMap // what is shown; what is being computed
	rows         int      // of draft that are there
}

// HeatMap returns D on the part of the map that is seen; nil before there is one.
// While it is computed anew it is the one of before.
func (a *App) HeatMap() *HeatMap {
	if !a.Heat {
		return nil
	}
	return a.heat.whole
}

// HighestOnMap returns the D at the end of the map's scale.
func (a *App) HighestOnMap() float64 {
	if a.atlas == nil {
		return 0
	}
	return float64(a.atlas.highest)
}

// wanted returns the heat map that there should be, without its values.
func (a *App) wanted() *HeatMap {
	t := a.atlas
	if t == nil || a.aspect == 0 {
		return nil
	}
	m := &HeatMap{W: heatSide, H: heatSide}
	if a.aspect > 1 {
		m.H = max(int(heatSide/a.aspect), 2)
	} else {
		m.W = max(int(heatSide*a.aspect), 2)
	}
	c := a.Chart(a.aspect, 1)
	m.X0, m.Y0 = c.Place(0, 0)
	m.X1, m.Y1 = c.Place(a.aspect, 1)
	return m
}

// like reports whether two maps have their cells at the same places.
func (m *HeatMap) like(o *HeatMap) bool {
	return o != nil && m.W == o.W && m.H == o.H && m.X0 == o.X0 && m.Y0 == o.Y0 && m.X1 == o.X1 && m.Y1 == o.Y1
}

// coldHeat reports whether D is out of date.
func (a *App) coldHeat() bool {
	w := a.wanted()
	return w != nil && !w.like(a.heat.whole)
}

// updateHeat computes some rows, and reports whether a new map is whole.
func (a *App) updateHeat() bool {
	w := a.wanted()
	if w == nil || w.like(a.heat.whole) {
		return false
	}
	h := &a.heat
	if !w.like(h.draft) {
		w.D = make([]float32, w.W*w.H)
		h.draft, h.rows = w, 0
	}
	m := h.draft
	x := make([]float64, m.W)
	for i := range x {
		x[i] = m.X0 + (m.X1-m.X0)*float64(i)/float64(m.W-1)
	}
	for start, first := time.Now(), h.rows; h.rows < m.H && (h.rows == first || time.Since(start) < heatSlice); h.rows++ {
		y := m.Y0 + (m.Y1-m.Y0)*float64(h.rows)/float64(m.H-1)
		a.atlas.distances(a.engine, m.D[h.rows*m.W:(h.rows+1)*m.W], x, y)
	}
	if h.rows < m.H {
		return false
	}
	h.whole, h.draft = m, nil
	return true
}
