//go:build js && wasm

package bridge

import (
	"errors"
	"strings"
	"syscall/js"

	"mppm/shared/link"
)

// linkPause is how long the address stays as it is at least, in milliseconds:
// some browsers let a page change it a hundred times in half a minute.
const linkPause = 350

// refusedPause is how long it stays where the browser refused a change.
const refusedPause = 5000

// links opens what the address says, now and whenever the user changes it.
func (b *Bridge) links() {
	b.follow = js.FuncOf(func(js.Value, []js.Value) any {
		b.waits = false
		b.publishLink()
		return nil
	})
	if err := b.openAddress(); err != nil {
		b.notice = err.Error()
	}
	listen(window, "hashchange", func(js.Value) { b.do(b.openAddress) })
	// Who leaves, and who may not come back, leaves the address as it is to be.
	listen(window, "pagehide", func(js.Value) { b.setAddress() })
	listen(document, "visibilitychange", func(js.Value) { b.setAddress() })
	click("copy-link", func() { b.then(b.copyLink) })
}

// addressed returns what the address says behind its "#" and its "?".
func addressed() (fragment, query string) {
	l := window.Get("location")
	return strings.TrimPrefix(l.Get("hash").String(), "#"), strings.TrimPrefix(l.Get("search").String(), "?")
}

// openAddress shows what the address says. The error says what of it cannot be
// shown.
func (b *Bridge) openAddress() error {
	fragment, query := addressed()
	if fragment == b.link && b.opened {
		return nil
	}
	texts := []string{fragment}
	if b.queried = b.app.Names(query); b.queried {
		texts = append(texts, query)
	}
	faults := b.app.Open(texts...)
	b.link, b.opened, b.held = fragment, true, nil
	if len(faults) > 0 {
		shown := b.app.Link()
		b.held = &shown
		return errors.New(faults.String())
	}
	return nil
}

// publishLink has the address say what is on the screen: at once, or as soon as
// it may change again.
func (b *Bridge) publishLink() {
	if b.waits || b.app.Link() == b.link && !b.queried {
		return
	}
	if wait := b.free - now(); wait > 0 {
		b.waits = true
		window.Call("setTimeout", b.follow, wait)
		return
	}
	b.setAddress()
}

// setAddress puts the state into the address, without a step in the history. A
// link of which something was left out stays until something else is shown: one
// may want to mend it.
func (b *Bridge) setAddress() {
	link := b.app.Link()
	if b.held != nil && *b.held == link {
		return
	}
	b.held = nil
	fragment, query := addressed()
	if link == b.link && !b.queried || fragment != b.link { // the user has just changed it, which will be opened
		return
	}
	b.free = now() + linkPause
	defer func() {
		if recover() != nil { // the browser refuses: the address stays behind for a while
			b.free = now() + refusedPause
			b.publishLink()
		}
	}()
	address := window.Get("location").Get("pathname").String()
	if query != "" && !b.queried {
		address += "?" + query
	}
	if link != "" {
		address += "#" + link
	}
	window.Get("history").Call("replaceState", js.Null(), "", address)
	b.link, b.queried = link, false
}

// now returns the time, in milliseconds.
func now() float64 { return window.Get("performance").Call("now").Float() }

// copyLink puts the link on the clipboard. Browsers allow that on secure pages
// alone.
func (b *Bridge) copyLink() {
	b.held = nil
	b.setAddress()
	clipboard := window.Get("navigator").Get("clipboard")
	refused := func() { b.say("This browser does not let the page copy: the link is in the address bar.") }
	if !clipboard.Truthy() {
		refused()
		return
	}
	await(clipboard.Call("writeText", window.Get("location").Get("href")),
		func(js.Value) {
			if b.app.Mode == link.Faces && b.app.Faces.HasPhoto() {
				b.say("Link copied, without your picture, which stays here: it opens a face of the network, damaged likewise.")
				return
			}
			if own := b.app.Manifold.Sheet(); own != nil && own.FromFile() && b.app.Mode == link.Manifold {
				b.say("Link copied, without your points, which no link holds: save them, or the nets.")
				return
			}
			b.say("Link copied: it opens what you see.")
		},
		func(js.Value) { refused() })
}

// say shows a message in place of the status, until something is done.
func (b *Bridge) say(text string) { b.do(func() error { return errors.New(text) }) }
