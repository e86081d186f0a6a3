//go:build js && wasm

package bridge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app/model"
	"mppm/wasm/app/timeline"
)

// memoryControls wires what the density of digits is taught, which all modes of digits
// have.
func (b *Bridge) memoryControls() {
	room := b.app.Restore
	click("remember", func() { b.do(b.remember) })
	list := id("remembered")
	for i := range link.MaxRemembered {
		item, button, picture := element("li"), element("button"), element("canvas")
		item.Set("id", thumb(i))
		item.Set("hidden", true)
		button.Set("type", "button")
		button.Call("setAttribute", "aria-label", fmt.Sprintf("Forget digit %d of those that are remembered", i+1))
		button.Set("title", "Forget it")
		picture.Set("id", thumb(i)+"-picture")
		button.Call("append", picture)
		item.Call("append", button)
		list.Call("append", item)
		listen(button, "click", func(js.Value) { b.do(func() error { return room.Forget(i) }) })
	}
	b.span("bank-weight", link.MinWeight, link.MaxWeight, 1)
	b.number("bank-weight", "input", func(v float64) error { return room.SetWeight(int(v)) })
	click("forget-all", func() { b.do(room.ForgetAll) })
	click("take-back", func() { b.then(room.TakeBack) })
}

// withoutButtons fills the list of the classes that can be forgotten.
func (b *Bridge) withoutButtons() {
	classes := id("without")
	classes.Set("textContent", "")
	for class := range b.app.About.Classes {
		button := element("button")
		button.Set("id", without(class))
		button.Set("type", "button")
		button.Set("textContent", b.app.About.Class(class))
		b.renew(without(class))
		classes.Call("append", button)
		listen(button, "click", func(js.Value) {
			b.do(func() error {
				return b.app.Restore.ForgetClass(class, !slices.Contains(b.app.Memory.Forgotten(), class))
			})
		})
	}
	classes.Call("setAttribute", "data-names", strconv.FormatBool(!b.app.About.Digits))
	id("without-field").Set("hidden", b.app.About.Classes == 0)
}

// remember has the digit remembered that is shown in Restore.
func (b *Bridge) remember() error {
	if err := b.app.Restore.Remember(); err != nil {
		return err
	}
	b.say("Remembered: from now on the flow is drawn to it. Damage it, and see.")
	return nil
}

// thumb and without are the names of the elements of what is remembered, counted
// from 0, and of classes.
func thumb(i int) string       { return fmt.Sprintf("remembered-%d", i) }
func without(class int) string { return fmt.Sprintf("without-%d", class) }

func element(tag string) js.Value { return document.Call("createElement", tag) }

// publishMemory says what the density is taught.
func (b *Bridge) publishMemory() {
	m := b.app.Memory
	n, gone := b.app.Links.Remembered(m), m.Forgotten()
	b.prop("bank-weight-field", "hidden", n == 0)
	b.value("bank-weight", strconv.Itoa(m.Weight))
	b.text("bank-weight-value", fmt.Sprintf("%d codes", m.Weight))
	b.enable("forget-all", n > 0)
	b.enable("take-back", b.app.Restore.CanTakeBack())
	for class := range b.app.About.Classes {
		b.attr(without(class), "aria-pressed", strconv.FormatBool(slices.Contains(gone, class)))
	}
	b.text("memory-note", memoryNote(n, gone, b.app.About))
	if key := m.Codes + " " + m.Forget; b.texts["memory"] != key {
		b.texts["memory"] = key
		id("memory").Set("open", id("memory").Get("open").Bool() || n+len(gone) > 0) // it is worth a look
	}
	if key := fmt.Sprint(m.Codes, b.app.About.Print, b.palette.Ground, b.palette.Ink); b.texts["remembered"] != key {
		b.texts["remembered"] = key
		b.showRemembered(n)
	}
}

// memoryNote says in short what is remembered and forgotten.
func memoryNote(n int, gone []int, about model.About) string {
	var list []string
	if n > 0 {
		list = append(list, fmt.Sprintf("%d more", n))
	}
	if len(gone) > 0 {
		var classes []string
		for _, c := range gone {
			classes = append(classes, about.Class(c))
		}
		list = append(list, "without "+strings.Join(classes, ", "))
	}
	return strings.Join(list, ", ")
}

// showRemembered shows the codes that are remembered, decoded.
func (b *Bridge) showRemembered(n int) {
	t, err := b.app.Taught()
	if err != nil {
		return
	}
	shape, size := b.app.Engine.Image(), b.app.Pixels()
	x, ink := make([]float32, n*size), make([]byte, n*size)
	b.app.Engine.Decode(x, t.Codes)
	for i, v := range x {
		ink[i] = timeline.Ink(v)
	}
	focused := document.Get("activeElement")
	b.prop("remembered", "hidden", n == 0)
	for i := range link.MaxRemembered {
		item := id(thumb(i))
		lost := i >= n && item.Call("contains", focused).Bool()
		b.prop(thumb(i), "hidden", i >= n)
		if lost {
			id("take-back").Call("focus")
		}
		if i < n {
			b.showInk(thumb(i)+"-picture", ink[i*size:(i+1)*size], shape.W, shape.H)
		}
	}
}
