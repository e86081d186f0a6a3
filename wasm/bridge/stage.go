//go:build js && wasm

package bridge

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/wasm/view"
)

// maxPixels bounds the canvas: very large ones are slow in some browsers.
const maxPixels = 5e6

// stage is the element that the canvas lies under. The page lays out; where an
// element has data-place, Go draws.
type stage struct {
	el, canvas    js.Value
	width, height int     // of the canvas, in its pixels
	ratio         float64 // pixels of the canvas in one of the page
	unit          float64 // pixels of the canvas in one of a page with ordinary type: on large screens everything is larger
	places        view.Places
	resizing      func() // is called before the canvas' size changes
}

// take moves Ebitengine's canvas from the end of the page, where Ebitengine puts
// it as if the page were its own, under the stage, and undoes what it did to the
// page's styles and to the canvas' keyboard focus.
func (s *stage) take() error {
	s.el = id("stage")
	s.canvas = one("body > canvas")
	if !s.el.Truthy() || !s.canvas.Truthy() {
		return errors.New("the page has no stage, or no canvas was made for it")
	}
	s.el.Call("prepend", s.canvas)
	s.canvas.Call("removeAttribute", "tabindex")
	s.canvas.Call("setAttribute", "aria-hidden", "true")
	document.Get("body").Call("removeAttribute", "style")
	document.Get("documentElement").Call("removeAttribute", "style")
	if metas := all(`meta[name="viewport"]`); len(metas) > 1 {
		metas[len(metas)-1].Call("remove")
	}
	return nil
}

// watch calls measure when the window has changed, soon when the layout may have, and
// redraw when the canvas has lost what was on it.
func (s *stage) watch(measure, soon, redraw func()) {
	observer := window.Get("ResizeObserver").New(js.FuncOf(func(js.Value, []js.Value) any {
		soon()
		return nil
	}))
	observer.Call("observe", s.el)
	for _, p := range all("[data-place]") {
		observer.Call("observe", p)
	}
	// Ebitengine sets the canvas' size, which empties it, on every such event.
	// Capturing listeners are called before its own.
	window.Call("addEventListener", "resize", js.FuncOf(func(js.Value, []js.Value) any {
		redraw()
		return nil
	}), true)
	// Zooming and moving to another screen change the ratio of pixels.
	listen(window, "resize", func(js.Value) { measure() })
}

// measure finds the places and sizes the canvas. It reports whether anything
// changed.
func (s *stage) measure() bool {
	w, h := s.el.Get("clientWidth").Float(), s.el.Get("clientHeight").Float()
	if w == 0 || h == 0 {
		return false
	}
	ratio := window.Get("devicePixelRatio").Float()
	if !(ratio > 0) {
		ratio = 1
	}
	ratio = min(ratio, math.Sqrt(maxPixels/(w*h)))
	box := s.el.Call("getBoundingClientRect")
	left := box.Get("left").Float() + s.el.Get("clientLeft").Float()
	top := box.Get("top").Float() + s.el.Get("clientTop").Float()
	places := view.Places{}
	for _, el := range all("[data-place]") {
		b := el.Call("getBoundingClientRect")
		if b.Get("width").Float() == 0 {
			continue // not shown
		}
		x0 := math.Round((b.Get("left").Float() - left) * ratio)
		y0 := math.Round((b.Get("top").Float() - top) * ratio)
		x1 := math.Round((b.Get("right").Float() - left) * ratio)
		y1 := math.Round((b.Get("bottom").Float() - top) * ratio)
		places[el.Get("dataset").Get("place").String()] = view.Rect{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
	}
	width, height := int(math.Round(w*ratio)), int(math.Round(h*ratio))
	if width == s.width && height == s.height && ratio == s.ratio && same(places, s.places) {
		return false
	}
	resized := width != s.width || height != s.height
	s.width, s.height, s.ratio, s.places = width, height, ratio, places
	s.unit = ratio * rem() / ordinary
	style := s.canvas.Get("style")
	style.Set("width", strconv.FormatFloat(float64(width)/ratio, 'f', 3, 64)+"px")
	style.Set("height", strconv.FormatFloat(float64(height)/ratio, 'f', 3, 64)+"px")
	if resized {
		// Ebitengine asks the body for its size, and takes it for the canvas'. It is
		// told the canvas' size in pixels, so that it can be part of a page, follow
		// any device pixel ratio, and stay within bounds.
		body := document.Get("body")
		for name, v := range map[string]int{"clientWidth": width, "clientHeight": height} {
			property := window.Get("Object").New()
			property.Set("value", v)
			property.Set("configurable", true)
			window.Get("Object").Call("defineProperty", body, name, property)
		}
		s.resizing()
		window.Call("dispatchEvent", window.Get("Event").New("resize"))
	}
	return true
}

// ordinary is the size of the page's type on ordinary screens, in pixels.
const ordinary = 16

// rem returns the size of the page's type, in pixels.
func rem() float64 {
	size := window.Call("getComputedStyle", document.Get("documentElement")).Get("fontSize").String()
	v, err := strconv.ParseFloat(strings.TrimSuffix(size, "px"), 64)
	if err != nil || !(v > 0) {
		return ordinary
	}
	return v
}

func same(a, b view.Places) bool {
	if len(a) != len(b) {
		return false
	}
	for name, r := range a {
		if b[name] != r {
			return false
		}
	}
	return true
}
