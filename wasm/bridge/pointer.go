//go:build js && wasm

package bridge

import (
	"syscall/js"

	"mppm/shared/stroke"
	"mppm/wasm/app/timeline"
)

// pointers wires what is done on the pictures themselves: drawing on the pad,
// scrubbing along the film, choosing in the grid.
func (b *Bridge) pointers() {
	b.pen(id("pad"))
	film := id("film")
	scrub := func(e js.Value) {
		x, _, w := within(film, e, 1)
		b.then(func() {
			f := timeline.NewFilm(b.stage.places["film"].W, b.app.Head().End(), timeline.LeastTile*b.stage.unit)
			if w > 0 {
				b.app.Seek(f.At(x * f.Width))
			}
		})
	}
	slider := &hand{}
	listen(film, "pointerdown", func(e js.Value) {
		if ok, _ := slider.down(e); ok {
			scrub(e)
		}
	})
	listen(film, "pointermove", func(e js.Value) {
		if slider.is(e) && e.Get("buttons").Int()&1 != 0 {
			scrub(e)
		}
	})
	for _, up := range []string{"pointerup", "pointercancel"} {
		listen(window, up, func(e js.Value) { slider.up(e) })
	}
	grid := id("grid")
	listen(grid, "click", func(e js.Value) {
		x, y, _ := within(grid, e, 1)
		b.do(func() error {
			n := b.app.Grid
			cell := func(t float64) int { return min(max(int(t*float64(n)), 0), n-1) }
			return b.app.Generate.Choose(cell(y)*n + cell(x))
		})
	})
	listen(grid, "keydown", func(e js.Value) {
		dx, dy, ok := arrow(e)
		if !ok {
			return
		}
		e.Call("preventDefault")
		e.Call("stopPropagation")
		b.do(func() error {
			n, at := b.app.Grid, b.app.Generate.Chosen()
			x, y := min(max(at%n+dx, 0), n-1), min(max(at/n+dy, 0), n-1)
			return b.app.Generate.Choose(y*n + x)
		})
	})
	b.mapPointers(id("map"))
}

// arrow returns which way an arrow key points, and whether the key is one.
func arrow(e js.Value) (dx, dy int, ok bool) {
	if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() || e.Get("altKey").Bool() {
		return 0, 0, false
	}
	switch e.Get("key").String() {
	case "ArrowLeft":
		return -1, 0, true
	case "ArrowRight":
		return 1, 0, true
	case "ArrowUp":
		return 0, -1, true
	case "ArrowDown":
		return 0, 1, true
	}
	return 0, 0, false
}

// hand is the one pointer of several that counts. A pen wins over fingers, be they
// there before it: they are the hand that holds it.
type hand struct {
	id       int
	pen, any bool // whether it is a pen, and whether there is one
}

// down reports whether a pointer that comes down counts, and whether another one
// that did is over with that.
func (h *hand) down(e js.Value) (ok, over bool) {
	pen := isPen(e)
	if e.Get("button").Int() != 0 || h.any && (h.pen || !pen) {
		return false, false
	}
	over = h.any
	h.id, h.pen, h.any = e.Get("pointerId").Int(), pen, true
	return true, over
}

// is reports whether it is the pointer that counts.
func (h *hand) is(e js.Value) bool { return h.any && e.Get("pointerId").Int() == h.id }

// up reports whether it was the pointer that counts, which is gone now.
func (h *hand) up(e js.Value) bool {
	if !h.is(e) {
		return false
	}
	h.any = false
	return true
}

func isPen(e js.Value) bool { return e.Get("pointerType").String() == "pen" }

// pen draws with mouse, pen or finger, one at a time. The pad's touch-action
// keeps the page from scrolling meanwhile.
func (b *Bridge) pen(pad js.Value) {
	h := &hand{}
	point := func(e js.Value) (x, y, pressure float64) {
		x, y, _ = within(pad, e, stroke.Side)
		pressure = 1
		if p := e.Get("pressure").Float(); isPen(e) && p > 0 {
			pressure = 0.5 + p
		}
		return x, y, pressure
	}
	listen(pad, "pointerdown", func(e js.Value) {
		ok, over := h.down(e)
		if !ok {
			return
		}
		e.Call("preventDefault")
		if over {
			b.then(b.app.Restore.PenCancel)
		}
		capture(pad, h.id)
		x, y, p := point(e)
		b.then(func() { b.app.Restore.PenDown(x, y, p) })
	})
	listen(pad, "pointermove", func(e js.Value) {
		if !h.is(e) {
			return
		}
		for _, e := range coalesced(e) {
			x, y, p := point(e)
			b.then(func() { b.app.Restore.PenMove(x, y, p) })
		}
	})
	up := func(e js.Value) {
		if h.up(e) {
			b.then(b.app.Restore.PenUp)
		}
	}
	listen(pad, "pointerup", up)
	listen(pad, "pointercancel", up)
}

// coalesced returns all events of a move: between two frames a pen goes through many
// places.
func coalesced(e js.Value) []js.Value {
	events := []js.Value{e}
	if e.Get("getCoalescedEvents").Truthy() {
		if list := e.Call("getCoalescedEvents"); list.Length() > 0 {
			events = events[:0]
			for i := range list.Length() {
				events = append(events, list.Index(i))
			}
		}
	}
	return events
}

// capture has an element receive what a pointer does until it is up, beyond its
// edges too. A pointer that is up already cannot be captured, which is no matter.
func capture(el js.Value, pointer int) {
	_ = attempt(func() { el.Call("setPointerCapture", pointer) })
}

// within returns where on an element an event is, its width being size, and
// that width on the page.
func within(el, e js.Value, size float64) (x, y, width float64) {
	r := el.Call("getBoundingClientRect")
	w, h := r.Get("width").Float(), r.Get("height").Float()
	if w == 0 || h == 0 {
		return 0, 0, 0
	}
	return (e.Get("clientX").Float() - r.Get("left").Float()) / w * size, (e.Get("clientY").Float() - r.Get("top").Float()) / h * size, w
}
