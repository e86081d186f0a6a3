//go:build js && wasm

package bridge

import (
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app"
)

// dialogs wires the two dialogs: a picture that is offered, and the list of keys.
func (b *Bridge) dialogs() {
	b.offers()
	click("help", b.showKeys)
	click("sheet-help", b.showKeys)
	click("keys-close", func() { id("keys").Call("close") })
	on := id("keys-on")
	b.keysOff = remembered(keysOff) == "1"
	on.Set("checked", !b.keysOff)
	listen(on, "change", func(js.Value) {
		b.keysOff = !on.Get("checked").Bool()
		remember(keysOff, map[bool]string{true: "1", false: "0"}[b.keysOff])
	})
	for _, name := range []string{"offer", "keys"} {
		el := id(name)
		listen(el, "close", func(js.Value) { // no key may go to what is not seen any more
			if at := document.Get("activeElement"); at.Truthy() && el.Call("contains", at).Bool() {
				at.Call("blur")
			}
		})
		listen(el, "click", func(e js.Value) { // beside it, on the backdrop
			if e.Get("target").Equal(el) {
				el.Call("close")
				b.then(b.app.Restore.DropOffer)
			}
		})
	}
}

func (b *Bridge) showKeys() {
	if dialog := id("keys"); !dialog.Get("open").Bool() {
		dialog.Call("showModal")
	}
}

// keysOff is under which name the browser keeps that letters do nothing.
const keysOff = "mppm keys off"

// remembered returns what the browser keeps under a name, nothing where it keeps
// nothing.
func remembered(name string) (value string) {
	_ = attempt(func() {
		if v := window.Get("localStorage").Call("getItem", name); v.Truthy() {
			value = v.String()
		}
	})
	return value
}

// remember has the browser keep a value, if it keeps any: with the data of sites
// blocked it holds until the page is closed.
func remember(name, value string) {
	_ = attempt(func() { window.Get("localStorage").Call("setItem", name, value) })
}

// keys wires the keyboard.
func (b *Bridge) keys() {
	listen(window, "keydown", func(e js.Value) {
		if e.Get("defaultPrevented").Bool() || e.Get("altKey").Bool() || one("dialog[open]").Truthy() {
			return
		}
		key := app.Key(e.Get("key").String(), e.Get("code").String(), e.Get("shiftKey").Bool())
		var call func() error
		if e.Get("ctrlKey").Bool() || e.Get("metaKey").Bool() {
			call = b.undoKey(e, key)
		} else {
			call = b.key(e, key)
		}
		if call != nil {
			e.Call("preventDefault")
			b.do(call)
		}
	})
	listen(id("map"), "keydown", func(e js.Value) {
		if b.mapKeys(e) {
			e.Call("preventDefault")
			e.Call("stopPropagation")
		}
	})
}

// typed reports whether an element takes what is typed.
func typed(el js.Value) bool {
	t := el.Get("type")
	return t.Type() == js.TypeString && (t.String() == "number" || t.String() == "text")
}

// undoKey returns what Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y; ⌘ on a Mac) do, except
// in fields, which take back what is typed in them.
func (b *Bridge) undoKey(e js.Value, key string) func() error {
	if typed(e.Get("target")) {
		return nil
	}
	undo, redo := b.app.Restore.Undo, b.app.Restore.Redo
	switch b.app.Mode {
	case link.Faces:
		undo, redo = b.app.Faces.Undo, b.app.Faces.Redo
	case link.Manifold:
		undo, redo = b.app.Manifold.UndoStroke, b.app.Manifold.RedoStroke
	}
	var call func()
	switch shift := e.Get("shiftKey").Bool(); key {
	case "z":
		if call = undo; shift {
			call = redo
		}
	case "y":
		call = redo
	}
	if call == nil {
		return nil
	}
	return func() error {
		switch b.app.Mode {
		case link.Restore, link.Faces, link.Manifold:
			call()
		case link.Generate, link.Map: // where strokes are not to be seen
			if key == "z" && !e.Get("shiftKey").Bool() {
				b.app.Restore.TakeBack()
			}
		}
		return nil
	}
}

// key returns what a key does; nil where it is the focused control's own.
func (b *Bridge) key(e js.Value, key string) func() error {
	target := e.Get("target")
	if typed(target) || target.Get("tagName").Type() == js.TypeString && target.Get("tagName").String() == "SELECT" {
		return nil
	}
	plain := func(f func()) func() error { return func() error { f(); return nil } }
	free := !target.Call("matches", "button, input, summary, a, [role=tab]").Bool()
	switch key {
	case " ":
		if free {
			return plain(b.app.TogglePlay)
		}
		return nil
	case "ArrowLeft", "ArrowRight", "Home", "End":
		if target.Call("matches", "input[type=range]").Bool() || e.Get("shiftKey").Bool() {
			return nil
		}
		return plain(map[string]func(){
			"ArrowLeft": func() { b.app.StepBy(-1) }, "ArrowRight": func() { b.app.StepBy(1) },
			"Home": func() { b.app.Seek(0) }, "End": func() { b.app.Seek(b.app.Head().End()) },
		}[key])
	case "?":
		b.showKeys()
		return plain(func() {})
	}
	if b.keysOff {
		return nil
	}
	switch key {
	case "1", "2", "3", "4", "5":
		return b.tab(int(key[0] - '1'))
	case "n":
		return func() error { return b.rooms[b.app.Mode].next() }
	case "d":
		if b.app.Mode == link.Faces {
			return plain(b.newFaceDamage)
		}
		return b.within(link.Restore, plain(b.newDamage))
	case "f":
		return b.within(link.Restore, b.remember)
	case "c":
		if b.app.Mode == link.Faces {
			return plain(b.app.Faces.Unpaint)
		}
		if b.app.Mode == link.Manifold {
			return plain(b.app.Manifold.ClearStrokes)
		}
		return b.within(link.Restore, plain(b.app.Restore.ClearPad))
	case "m":
		return b.within(link.Generate, b.app.Generate.MoreLikeThis)
	case "t":
		return b.within(link.Manifold, b.trainKey)
	case "w":
		return b.within(link.Generate, plain(func() { b.app.Generate.SetWalk(!b.app.Walk) }))
	case "a":
		return b.force(link.Alpha)
	case "b":
		return b.force(link.Beta)
	case "r":
		return plain(func() { b.app.Dials().Reset() })
	case "l":
		return plain(b.copyLink)
	case "+", "=":
		return plain(func() { b.zoom(zoomStep) })
	case "-":
		return plain(func() { b.zoom(1 / zoomStep) })
	case "0":
		return plain(func() {
			if whole := b.rooms[b.app.Mode].whole; whole != nil {
				whole()
			}
		})
	}
	return nil
}

// tab shows the i-th tab; where there are fewer it does nothing.
func (b *Bridge) tab(i int) func() error {
	modes := b.app.Links.Modes()
	if i >= len(modes) {
		return nil
	}
	return func() error { return b.app.SetMode(modes[i]) }
}

// zoom enlarges what the room shows, if that can be.
func (b *Bridge) zoom(factor float64) {
	if zoom := b.rooms[b.app.Mode].zoom; zoom != nil {
		zoom(factor)
	}
}

// within limits a key to a mode.
func (b *Bridge) within(m link.Mode, call func() error) func() error {
	return func() error {
		if b.app.Mode != m {
			return nil
		}
		return call()
	}
}

// force switches a force off, or on again.
func (b *Bridge) force(name link.Parameter) func() error {
	return func() error {
		v, _ := b.app.Dials().Value(name)
		return b.app.Dials().SetForce(name, v == 0)
	}
}
