//go:build js && wasm

package bridge

import (
	"fmt"
	"math"
	"slices"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app/latentmap"
	"mppm/wasm/app/room"
)

// mapControls wires the settings of the map, and fills its key.
func (b *Bridge) mapControls() controls {
	follow := id("follow")
	listen(follow, "change", func(js.Value) {
		s := link.Subject(follow.Get("value").String())
		b.do(func() error { return b.app.Map.SetFollow(s) })
	})
	click("put", func() { b.do(b.app.Map.PutMiddle) })
	click("zoom-in", func() { b.then(func() { b.app.Map.ZoomMiddle(zoomStep) }) })
	click("zoom-out", func() { b.then(func() { b.app.Map.ZoomMiddle(1 / zoomStep) }) })
	click("whole", func() { b.then(b.app.Map.Whole) })
	b.check("heat", func(on bool) error { b.app.Map.SetHeat(on); return nil })
	m := b.app.Map
	return controls{publish: b.publishMap, next: m.PutMiddle, zoom: m.ZoomMiddle, whole: m.Whole}
}

// classKey is the name of a class in the key of the map, its color is in the style sheet.
func classKey(class int) string { return fmt.Sprintf("class-%d", class) }

// zoomStep is by how much a button or a key zooms.
const zoomStep = 1.5

// nudge is how far a key moves the point or the map, as a share of what is seen.
const nudge = 0.03

// mapKeys does what keys do on the map, and reports whether it was one of those.
func (b *Bridge) mapKeys(e js.Value) bool {
	if dx, dy, ok := arrow(e); ok {
		x, y := nudge*float64(dx), nudge*float64(dy)
		if e.Get("shiftKey").Bool() {
			b.then(func() { b.app.Map.PanView(2*x, 2*y) })
		} else {
			b.do(func() error { return b.app.Map.Nudge(x, y) })
		}
		return true
	}
	if e.Get("key").String() == "Enter" {
		b.do(b.app.Map.PutMiddle)
		return true
	}
	return false
}

// reach is how far from a point of the map one may press to take it, in pixels of
// the page; a finger covers more than a mouse.
func reach(e js.Value) float64 {
	if e.Get("pointerType").String() == "touch" {
		return 26
	}
	return 14
}

// slack is how far a pointer may move for a click to be one, in pixels.
const slack = 5

// gesture is what pointers do on the map.
type gesture struct {
	el      js.Value
	at      map[int][2]float64 // where they are, in pixels from the upper left corner
	drags   bool               // the point
	moved   float64            // since the first came down
	several bool               // there was more than one
	pen     bool               // it is a pen's
}

// admits reports whether a pointer that comes down takes part: a mouse, two fingers
// at most, or a pen, which does so alone: fingers beside it are the hand that holds
// it, and what they began is over, which drop is called for.
func (g *gesture) admits(e js.Value, drop func()) bool {
	pen := isPen(e)
	if e.Get("button").Int() != 0 || len(g.at) > 0 && g.pen {
		return false
	}
	if pen {
		clear(g.at)
		if g.drags {
			g.drags = false
			drop()
		}
	}
	g.pen = pen
	return len(g.at) < 2
}

// mapPointers wires dragging the point, moving and enlarging the map by mouse and
// fingers, and putting a point with a click.
func (b *Bridge) mapPointers(el js.Value) {
	g := &gesture{el: el, at: map[int][2]float64{}}
	listen(el, "pointerdown", func(e js.Value) {
		if !g.admits(e, func() { b.then(b.app.Map.Drop) }) {
			return
		}
		pointer := e.Get("pointerId").Int()
		capture(el, pointer)
		g.at[pointer] = spot(el, e)
		if len(g.at) > 1 {
			g.several = true
			if g.drags {
				g.drags = false
				b.then(b.app.Map.Drop)
			}
			return
		}
		g.moved, g.several = 0, false
		p, r := g.at[pointer], reach(e)
		b.then(func() {
			c := b.chart(el)
			x, y := c.Place(p[0], p[1])
			if g.drags = g.only(pointer) && b.app.Map.Over(x, y, r/c.Scale()); g.drags {
				b.app.Map.PickUp()
			}
		})
	})
	listen(el, "pointermove", func(e js.Value) {
		pointer := e.Get("pointerId").Int()
		was, ok := g.at[pointer]
		if !ok {
			return
		}
		now := spot(el, e)
		before := g.hull()
		g.at[pointer] = now
		after := g.hull()
		g.moved += math.Hypot(now[0]-was[0], now[1]-was[1])
		b.then(func() {
			c := b.chart(el)
			if g.drags {
				b.app.Map.Drag(c.Place(now[0], now[1]))
				return
			}
			if !g.several && g.moved <= slack {
				return
			}
			b.app.Map.Pan((before.x-after.x)/c.Scale(), (before.y-after.y)/c.Scale())
			if before.size > 0 && after.size > 0 {
				x, y := b.chart(el).Place(after.x, after.y)
				b.app.Map.Zoom(after.size/before.size, x, y)
			}
		})
	})
	up := func(e js.Value, click bool) {
		pointer := e.Get("pointerId").Int()
		p, ok := g.at[pointer]
		if !ok {
			return
		}
		delete(g.at, pointer)
		r := reach(e)
		b.do(func() error {
			if g.drags {
				g.drags = false
				b.app.Map.Drop()
				return nil
			}
			if click && !g.several && g.moved <= slack {
				c := b.chart(el)
				x, y := c.Place(p[0], p[1])
				return b.app.Map.PutAt(x, y, r/2/c.Scale())
			}
			return nil
		})
	}
	listen(el, "pointerup", func(e js.Value) { up(e, true) })
	listen(el, "pointercancel", func(e js.Value) { up(e, false) })
	onWheel(el, func(e js.Value, factor float64) {
		p := spot(el, e)
		b.then(func() {
			x, y := b.chart(el).Place(p[0], p[1])
			b.app.Map.Zoom(factor, x, y)
		})
	})
}

// only reports whether a pointer is down, and no other.
func (g *gesture) only(pointer int) bool {
	_, down := g.at[pointer]
	return down && len(g.at) == 1
}

// onWheel calls zoom with by how much a wheel enlarges an element, in place of
// scrolling the page.
func onWheel(el js.Value, zoom func(e js.Value, factor float64)) {
	// A listener that prevents the page from scrolling must say that it may.
	wheel := js.FuncOf(func(_ js.Value, args []js.Value) any {
		e := args[0]
		e.Call("preventDefault")
		d := e.Get("deltaY").Float()
		if e.Get("deltaMode").Int() != 0 {
			d *= 16 // in lines
		}
		zoom(e, math.Exp(-min(max(d, -300), 300)*0.0022))
		return nil
	})
	el.Call("addEventListener", "wheel", wheel, map[string]any{"passive": false})
}

// hull is the middle between pointers, and how far they are from each other; 0 if
// there is one.
type hull struct{ x, y, size float64 }

func (g *gesture) hull() (h hull) {
	var all [][2]float64
	for _, p := range g.at {
		all = append(all, p)
		h.x += p[0] / float64(len(g.at))
		h.y += p[1] / float64(len(g.at))
	}
	if len(all) == 2 {
		h.size = math.Hypot(all[0][0]-all[1][0], all[0][1]-all[1][1])
	}
	return h
}

// spot returns where on an element an event is, in pixels of the page.
func spot(el, e js.Value) [2]float64 {
	x, y, w := within(el, e, 1)
	h := el.Call("getBoundingClientRect").Get("height").Float()
	return [2]float64{x * w, y * h}
}

// chart returns the map as it is seen in an element, in pixels of the page.
func (b *Bridge) chart(el js.Value) latentmap.Chart {
	r := el.Call("getBoundingClientRect")
	return b.app.Map.Chart(r.Get("width").Float(), r.Get("height").Float())
}

// publishMap says what the map shows.
func (b *Bridge) publishMap(r room.Readout) {
	s := &b.app.State
	b.value("follow", string(s.Follow))
	checked("heat", s.Heat)
	b.enable("zoom-in", s.View.Zoom < link.MaxZoom)
	b.enable("zoom-out", s.View.Zoom > 1)
	b.enable("whole", s.View.Zoom > 1)
	note := ""
	if t := b.app.Map.Atlas(); t != nil {
		known, gone := len(t.Labels), s.Memory.Forgotten()
		for _, l := range t.Labels {
			if slices.Contains(gone, int(l)) {
				known--
			}
		}
		note = fmt.Sprintf("%d of them", known)
	}
	own := b.app.Links.Remembered(s.Memory)
	if own > 0 {
		note += fmt.Sprintf(", %d remembered", own)
	}
	b.prop("own-key", "hidden", own == 0)
	for class := range b.app.About.Classes {
		of, gone := fmt.Sprintf("class-%d", class%colors), ""
		if slices.Contains(s.Memory.Forgotten(), class) {
			of, gone = of+" gone", ", forgotten"
		}
		b.prop(classKey(class), "className", of)
		b.text(classKey(class)+"-gone", gone)
	}
	if s.View.Zoom > 1 {
		note += fmt.Sprintf(", %.1f times as large", s.View.Zoom)
	}
	b.text("map-note", note)
	point := fmt.Sprintf("D = %.2f", r.Shown)
	if r.Reads.Confidence > 0 {
		point += ", " + b.app.About.Read(r.Reads)
	}
	b.reading("point-note", r.Reads, "")
	where := "Map of the codes"
	if at := b.app.Map.Place(); at != nil {
		where = fmt.Sprintf("Map of the codes; the point is at %.1f, %.1f, %s", at.X, at.Y, point)
	}
	b.attr("map", "aria-label", where)
	b.text("scale-top", fmt.Sprintf("%.1f", b.app.Map.Highest()))
}

// markSide is the edge of the map's marks, in pixels of the page.
const markSide = 24

// Bounds of the map's labels: one larger texture holds, and one line of the map.
const (
	maxLabels      = 26
	maxLabelLetter = 14
)

// marks has the browser draw what marks codes, in the page's type: a disc, a star, and the names
// of the classes.
func (b *Bridge) marks() {
	cell := int(math.Round(markSide * b.stage.unit))
	if cell < 1 || cell == b.cell && b.marked == b.app.Links {
		return
	}
	var labels []string
	if n := b.app.About.Classes; n <= maxLabels {
		for i := range n {
			name := []rune(b.app.About.Class(i))
			if len(name) > maxLabelLetter {
				name = append(name[:maxLabelLetter-1], '…')
			}
			labels = append(labels, string(name))
		}
	}
	canvas := document.Call("createElement", "canvas")
	c := canvas.Call("getContext", "2d", map[string]any{"willReadFrequently": true})
	if !c.Truthy() {
		return
	}
	b.cell, b.marked = cell, b.app.Links
	size := float64(cell)
	sans := window.Call("getComputedStyle", document.Get("body")).Get("fontFamily").String()
	font := fmt.Sprintf("700 %.1fpx %s", size*0.98, sans)
	c.Set("font", font)
	wide := cell
	for _, label := range labels {
		if len([]rune(label)) > 1 {
			wide = max(wide, int(math.Ceil(c.Call("measureText", label).Get("width").Float())))
		}
	}
	height := cell * (len(labels) + 2)
	canvas.Set("width", wide) // which empties it
	canvas.Set("height", height)
	c.Set("font", font)
	c.Set("textAlign", "center")
	c.Set("textBaseline", "middle")
	c.Set("fillStyle", "#fff")
	for i, label := range labels {
		c.Call("fillText", label, float64(wide)/2, size*(float64(i)+2.54))
	}
	c.Call("beginPath")
	c.Call("arc", size/2, size/2, size*0.46, 0, 2*math.Pi)
	c.Call("fill")
	c.Call("beginPath")
	for i := range 10 { // a star
		angle, r := math.Pi*(float64(i)/5-0.5), size*0.5
		if i%2 == 1 {
			r *= 0.45
		}
		c.Call("lineTo", size/2+r*math.Cos(angle), size*1.52+r*math.Sin(angle))
	}
	c.Call("fill")
	data := c.Call("getImageData", 0, 0, wide, height).Get("data")
	rgba := make([]byte, data.Get("length").Int())
	js.CopyBytesToGo(rgba, data)
	for i := 0; i < len(rgba); i += 4 { // premultiplied white
		a := rgba[i+3]
		rgba[i], rgba[i+1], rgba[i+2] = a, a, a
	}
	b.view.SetMarks(rgba, cell, wide, len(labels))
}
