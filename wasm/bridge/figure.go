//go:build js && wasm

package bridge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/room"
)

// figureControls wires the settings of Manifold.
func (b *Bridge) figureControls() controls {
	bend := id("bend")
	listen(bend, "change", func(js.Value) {
		c := bend.Get("value").String()
		b.do(func() error {
			var n int
			if _, err := fmt.Sscanf(c, ownValue, &n); err == nil {
				return b.app.Manifold.ShowSheet(n)
			}
			return b.app.Manifold.SetCurve(link.Curve(c))
		})
	})
	b.ownControls()
	click("random-point", func() { b.do(b.app.Manifold.RandomPoint) })
	b.seed("point-seed", b.app.Manifold.SetPointSeed)
	for _, m := range link.Methods() {
		b.check("way-"+string(m), func(on bool) error { return b.app.Manifold.SetShown(m, on) })
	}
	b.check("slice", func(on bool) error { b.app.Manifold.SetSlice(on); return nil })
	b.check("construction", func(on bool) error { b.app.Manifold.SetConstruction(on); return nil })
	click("closer", func() { b.then(func() { b.app.Manifold.Zoom(zoomStep) }) })
	click("farther", func() { b.then(func() { b.app.Manifold.Zoom(1 / zoomStep) }) })
	click("first-view", func() { b.then(b.app.Manifold.FirstView) })
	for _, d := range link.FigureDials() {
		if d.Parameter == link.SigmaD || d.Parameter == link.SigmaKer {
			b.number(string(d.Parameter), "input", func(v float64) error { return b.app.Dials().Set(d.Parameter, v) })
		}
	}
	el := id("manifold")
	b.figurePointers(el)
	listen(el, "keydown", func(e js.Value) {
		if b.figureKeys(e) {
			e.Call("preventDefault")
			e.Call("stopPropagation")
		}
	})
	m := b.app.Manifold
	return controls{publish: b.publishFigure, next: m.RandomPoint, zoom: m.Zoom, whole: m.FirstView}
}

// turn is by how many degrees a key turns the curve.
const turn = 6

// figureKeys does what keys do on the figure, and reports whether it was one of
// those.
func (b *Bridge) figureKeys(e js.Value) bool {
	if dx, dy, ok := arrow(e); ok {
		x, y := float64(dx), float64(dy)
		if e.Get("shiftKey").Bool() {
			b.then(func() { b.app.Manifold.NudgePoint(nudge*x, nudge*y) })
		} else {
			b.then(func() {
				b.app.Manifold.Turn(turn*x, turn*y)
				b.app.Manifold.PanShare(nudge*x, nudge*y)
			})
		}
		return true
	}
	if e.Get("key").String() == "Enter" {
		b.do(b.app.Manifold.DropMiddle)
		return true
	}
	return false
}

// degrees is by how much a pointer that moves by a pixel of the page turns the
// curve.
const degrees = 0.45

// figurePointers wires turning and enlarging the figure by mouse and fingers,
// dropping a point with a click, and dragging it.
func (b *Bridge) figurePointers(el js.Value) {
	g := &gesture{el: el, at: map[int][2]float64{}}
	listen(el, "pointerdown", func(e js.Value) {
		if !g.admits(e, func() { b.then(b.app.Manifold.Release) }) { // a pen takes over from fingers
			return
		}
		pointer := e.Get("pointerId").Int()
		capture(el, pointer)
		g.at[pointer] = spot(el, e)
		if len(g.at) > 1 {
			g.several = true
			if g.drags {
				g.drags = false
				b.then(b.app.Manifold.Release)
			}
			if g.draws {
				g.draws = false
				b.then(b.app.Manifold.CancelPen)
			}
			return
		}
		g.moved, g.several = 0, false
		p, r := g.at[pointer], reach(e)
		b.then(func() {
			if g.draws = g.only(pointer) && b.app.Manifold.Press(b.eye(el), p[0], p[1], r); g.draws {
				return
			}
			if g.drags = g.only(pointer) && b.app.Manifold.OverPoint(b.eye(el), p[0], p[1], r); g.drags {
				b.app.Manifold.Grab()
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
		way := [][2]float64{now}
		if g.draws {
			way = way[:0]
			for _, e := range coalesced(e) {
				way = append(way, spot(el, e))
			}
		}
		b.then(func() {
			if g.draws {
				eye := b.eye(el)
				for _, p := range way {
					b.app.Manifold.Move(eye, p[0], p[1])
				}
				return
			}
			if g.drags {
				b.app.Manifold.DragPoint(b.eye(el), now[0], now[1])
				return
			}
			if !g.several && g.moved <= slack {
				return
			}
			dx, dy := after.x-before.x, after.y-before.y
			b.app.Manifold.Turn(degrees*dx, degrees*dy)
			b.app.Manifold.Pan(b.eye(el), dx, dy)
			if before.size > 0 && after.size > 0 {
				b.app.Manifold.Zoom(after.size / before.size)
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
		b.do(func() error {
			if g.draws {
				g.draws = false
				if !click {
					b.app.Manifold.CancelPen()
					return nil
				}
				return b.app.Manifold.Lift()
			}
			if g.drags {
				g.drags = false
				b.app.Manifold.Release()
				return nil
			}
			if click && !g.several && g.moved <= slack {
				return b.app.Manifold.DropPoint(b.eye(el), p[0], p[1])
			}
			return nil
		})
	}
	listen(el, "pointerup", func(e js.Value) { up(e, true) })
	listen(el, "pointercancel", func(e js.Value) { up(e, false) })
	onWheel(el, func(_ js.Value, factor float64) {
		b.then(func() { b.app.Manifold.Zoom(factor) })
	})
}

// eye returns how the curve is seen in an element, in pixels of the page.
func (b *Bridge) eye(el js.Value) manifold.Eye {
	r := el.Call("getBoundingClientRect")
	return b.app.Manifold.Eye(r.Get("width").Float(), r.Get("height").Float())
}

// tags puts the signs of Fig. 3 where they belong.
func (b *Bridge) tags(r room.Readout) {
	tags := map[string]manifold.Tag{}
	if b.app.Figure.Construction {
		tags = b.app.Manifold.Tags(b.eye(id("manifold")), r.Step)
	}
	for _, name := range []string{"x", "mean", "foot", "star"} {
		t, ok := tags[name]
		b.prop("tag-"+name, "hidden", !ok)
		if ok {
			b.prop("tag-"+name, "style.translate", fmt.Sprintf("%.0fpx %.0fpx", t.X, t.Y))
		}
	}
}

// publishFigure says what Manifold shows.
func (b *Bridge) publishFigure(r room.Readout) {
	f := b.app.Figure
	info := f.Info()
	own := b.app.Manifold.Sheet()
	b.publishOwn(own)
	if own != nil {
		info.Label = own.Name
	}
	b.value("point-seed", strconv.FormatUint(f.Seed, 10))
	checked("slice", f.Slice)
	checked("construction", f.Construction)
	b.enable("closer", f.Camera.Zoom < link.MaxCloseness)
	b.enable("farther", f.Camera.Zoom > link.MinCloseness)
	b.enable("first-view", !b.app.Manifold.AtFirstView())
	b.text("bend-name", info.Label)
	d := b.app.Manifold.Result()
	note := "drag to turn it"
	if info.Flat {
		note = "drag to move it"
	}
	switch b.app.Manifold.Tool() {
	case manifold.Draw:
		note = "draw on it"
	case manifold.Pull:
		note = "drag a stroke to pull it"
	}
	b.text("bend-note", note)
	b.prop("drop-deep", "hidden", info.Flat)
	b.prop("drop-flat", "hidden", !info.Flat)
	for _, m := range link.Methods() {
		name := string(m)
		checked("way-"+name, f.Shows(m))
		b.attr("row-"+name, "data-off", strconv.FormatBool(!b.app.Manifold.Shows(m)))
		off, steps := "–", "–"
		if w := b.app.Manifold.Path(m); w != nil && b.app.Manifold.Knows(m) {
			off, steps = fmt.Sprintf("%.3f", d.Off[m]), strconv.Itoa(w.Steps())
		}
		b.text("off-"+name, off)
		b.text("steps-"+name, steps)
	}
	start := "–"
	if d.Ready {
		start = fmt.Sprintf("%.3f", d.Start)
	}
	b.text("off-start", start)
	b.text("noise-told", fmt.Sprintf("%.2f", d.Noise))
	b.text("sigma-random", fmt.Sprintf("%.3g", b.app.Manifold.Noise()))
	b.text("around-top", fmt.Sprintf("%.1f", b.app.Manifold.Highest()))
	b.prop("around", "hidden", !f.Slice || !b.app.Manifold.Ready())
	b.prop("fig3", "hidden", !f.Construction)
	at := make([]string, 0, 3)
	for k, v := range f.At {
		if k < 2 || !info.Flat {
			at = append(at, fmt.Sprintf("%.2f", v+0))
		}
	}
	b.text("at-note", strings.Join(at, ", "))
	says := info.Label
	if d.Ready {
		says = fmt.Sprintf("%s; the point was dropped at %s, %.2f from the curve", info.Label, strings.Join(at, ", "), d.Start)
		if !info.Flat {
			says += fmt.Sprintf("; turned by %.0f degrees, seen from %.0f degrees above", f.Camera.Azimuth, f.Camera.Elevation)
		}
	}
	b.attr("manifold", "aria-label", says)
	b.tags(r)
}
