//go:build js && wasm

package bridge

import (
	"strconv"
	"syscall/js"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/link"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/timeline"
)

// offers wires the dialog in which a picture is looked at before it is taken.
func (b *Bridge) offers() {
	take := func() {
		b.do(func() error {
			if o := b.app.Restore.Offered(); o == nil || o.Empty {
				return nil
			}
			b.app.Restore.TakeOffer()
			return b.app.SetMode(link.Restore)
		})
	}
	click("offer-take", take)
	click("offer-drop", func() { b.then(b.app.Restore.DropOffer) })
	listen(id("offer"), "cancel", func(js.Value) { b.then(b.app.Restore.DropOffer) })
	look := func(change func(*restore.Look)) { b.then(func() { b.app.Restore.LookAgain(change) }) }
	click("offer-left", func() { look(func(l *restore.Look) { l.Quarters-- }) })
	click("offer-right", func() { look(func(l *restore.Look) { l.Quarters++ }) })
	click("offer-reset", func() { look(func(l *restore.Look) { *l = restore.Look{Center: center.Auto, Ink: ink.Auto} }) })
	for name, set := range map[string]func(l *restore.Look, value string){
		"offer-ink":    func(l *restore.Look, v string) { l.Ink = ink.Kind(v) },
		"offer-center": func(l *restore.Look, v string) { l.Center = center.How(v) },
	} {
		el := id(name)
		listen(el, "change", func(js.Value) {
			v := el.Get("value").String()
			look(func(l *restore.Look) { set(l, v) })
		})
	}
	b.number("offer-threshold", "input", func(v float64) error {
		b.app.Restore.LookAgain(func(l *restore.Look) { l.Threshold = min(max(v, ink.MinThreshold), ink.MaxThreshold) })
		return nil
	})
}

// publishOffer shows the picture that the user may take, what was found in it, and
// how it was looked at.
func (b *Bridge) publishOffer() {
	o := b.app.Restore.Offered()
	if o == b.offered {
		return
	}
	b.offered = o
	dialog := id("offer")
	if o == nil {
		dialog.Call("close")
		return
	}
	shape := b.app.Engine.Image()
	b.showInk("offer-picture", o.Ink, shape.W, shape.H)
	b.showFound(o)
	b.text("offer-words", o.Words)
	b.value("offer-ink", string(o.Look.Ink))
	b.value("offer-center", string(o.Look.Center))
	share, says := o.Look.Threshold, ""
	if o.Found != nil {
		share = o.Found.Threshold
	}
	if says = strconv.FormatFloat(share, 'f', 2, 64); o.Look.Threshold == 0 {
		says = "chosen"
		if o.Found != nil {
			says += ", " + strconv.FormatFloat(share, 'f', 2, 64)
		}
	}
	b.value("offer-threshold", strconv.FormatFloat(share, 'f', 2, 64))
	b.text("offer-threshold-value", says)
	b.enable("offer-take", !o.Empty)
	if !dialog.Get("open").Bool() {
		dialog.Call("showModal")
	}
}

// showFound shows the picture as it came, with the ink that was found in the
// accent's color and a box around it.
func (b *Bridge) showFound(o *restore.Offer) {
	p := o.Shown
	rgba := make([]byte, 4*p.W*p.H)
	mark := b.palette.Accent
	for i, v := range p.Gray {
		g := timeline.Ink(v)
		copy(rgba[4*i:], []byte{g, g, g, 255})
	}
	if f := o.Found; f != nil {
		thick := max(max(p.W, p.H)/200, 1)
		for i, in := range f.Mask {
			x, y := i%p.W, i/p.W
			near := x >= f.X0-2*thick && x < f.X1+2*thick && y >= f.Y0-2*thick && y < f.Y1+2*thick
			inner := x >= f.X0-thick && x < f.X1+thick && y >= f.Y0-thick && y < f.Y1+thick
			if in || near && !inner {
				copy(rgba[4*i:], []byte{mark.R, mark.G, mark.B, 255})
			}
		}
	}
	show("offer-found", rgba, p.W, p.H)
}

// showInk puts a digit on a canvas of its size, in the colors of the page.
func (b *Bridge) showInk(name string, ink []byte, w, h int) {
	ramp := b.palette.Ramp()
	rgba := make([]byte, 4*len(ink))
	for i, v := range ink {
		copy(rgba[4*i:], ramp[v][:])
	}
	show(name, rgba, w, h)
}

// show puts pixels on a canvas of their size.
func show(name string, rgba []byte, w, h int) {
	canvas := id(name)
	canvas.Set("width", w)
	canvas.Set("height", h)
	c := canvas.Call("getContext", "2d")
	if !c.Truthy() {
		return // the words are there
	}
	picture := c.Call("createImageData", w, h)
	js.CopyBytesToJS(picture.Get("data"), rgba)
	c.Call("putImageData", picture, 0, 0)
}
