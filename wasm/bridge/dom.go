//go:build js && wasm

package bridge

import (
	"fmt"
	"strconv"
	"strings"
	"syscall/js"
)

// elements are those that were asked for: the page's own stay as long as it does.
var elements = map[string]js.Value{}

func id(name string) js.Value {
	el, ok := elements[name]
	if !ok {
		if el = document.Call("getElementById", name); el.Truthy() {
			elements[name] = el
		}
	}
	return el
}

// renew says that an element of a name is another one, which says nothing yet.
func (b *Bridge) renew(name string) {
	delete(elements, name)
	for key := range b.texts {
		if strings.HasPrefix(key, name+".") || strings.HasPrefix(key, name+"@") {
			delete(b.texts, key)
		}
	}
}

func one(selector string) js.Value { return document.Call("querySelector", selector) }

func all(selector string) []js.Value {
	list := document.Call("querySelectorAll", selector)
	out := make([]js.Value, list.Length())
	for i := range out {
		out[i] = list.Index(i)
	}
	return out
}

// attempt calls f, and returns as an error what a function of the browser throws
// there, or that the browser lacks it: any may, where the user or the page around
// this one forbids it. Getters do not throw here: the loader sees to that, and such
// a property is undefined.
func attempt(f func()) (err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case js.Error:
			err = fmt.Errorf("the browser refused this: %w", e)
		case *js.ValueError:
			err = fmt.Errorf("the browser lacks what this needs: %w", e)
		default: // a fault of our own
			panic(e)
		}
	}()
	f()
	return nil
}

// handler returns a function for the browser to call, which outlives what the
// browser throws.
func handler(f func(arg js.Value)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		arg := js.Undefined()
		if len(args) > 0 {
			arg = args[0]
		}
		if err := attempt(func() { f(arg) }); err != nil {
			report(err)
		}
		return nil
	})
}

// report writes an error to the browser's console.
func report(err error) {
	_ = attempt(func() { window.Get("console").Call("warn", err.Error()) })
}

// listen calls f on every event. The page lives as long as the program, so what
// listens is never released.
func listen(el js.Value, event string, f func(e js.Value)) {
	el.Call("addEventListener", event, handler(f))
}

func click(name string, f func()) { listen(id(name), "click", func(js.Value) { f() }) }

// option returns an entry of a list to choose from.
func option(value, text string) js.Value {
	o := document.Call("createElement", "option")
	o.Set("value", value)
	o.Set("textContent", text)
	return o
}

// await calls one of two functions when a promise is kept or broken.
func await(promise js.Value, kept, broken func(js.Value)) {
	var yes, no js.Func
	done := func(then func(js.Value)) js.Func {
		return handler(func(arg js.Value) {
			yes.Release()
			no.Release()
			then(arg)
		})
	}
	yes, no = done(kept), done(broken)
	promise.Call("then", yes, no)
}

// media reports whether a media query holds, and calls f when that changes. Where
// the browser does not say, none holds.
func media(query string, f func()) (holds bool) {
	_ = attempt(func() {
		m := window.Call("matchMedia", query)
		holds = m.Get("matches").Bool()
		if f != nil {
			listen(m, "change", func(js.Value) { f() })
		}
	})
	return holds
}

// text sets what an element says.
func (b *Bridge) text(name, s string) { b.prop(name, "textContent", s) }

// value sets a control, and leaves it alone while the user is typing in it.
func (b *Bridge) value(name, s string) {
	el := id(name)
	if el.Get("value").String() == s {
		b.texts[name+".value"] = s
		return
	}
	if el.Get("type").String() == "number" && document.Get("activeElement").Equal(el) && b.notice == "" && b.texts[name+".value"] == s {
		return
	}
	b.texts[name+".value"] = s
	el.Set("value", s)
}

// prop sets a property, reached by a path with dots, if it is not what it was
// set to last, and reports whether it did.
func (b *Bridge) prop(name, path string, v any) bool {
	key, text := name+"."+path, fmt.Sprint(v)
	if was, ok := b.texts[key]; ok && was == text {
		return false
	}
	b.texts[key] = text
	el := id(name)
	parts := strings.Split(path, ".")
	for _, p := range parts[:len(parts)-1] {
		el = el.Get(p)
	}
	el.Set(parts[len(parts)-1], v)
	return true
}

// enable switches a button on or off. A button that is off keeps the keyboard's
// focus, so that it is not lost under the user's fingers.
func (b *Bridge) enable(name string, on bool) { b.attr(name, "aria-disabled", strconv.FormatBool(!on)) }

func (b *Bridge) attr(name, attribute, v string) {
	key := name + "@" + attribute
	if b.texts[key] != v {
		b.texts[key] = v
		id(name).Call("setAttribute", attribute, v)
	}
}
