//go:build js && wasm

package bridge

import (
	"errors"
	"fmt"
	"strings"
	"syscall/js"
)

// linkDelay is how long the state must rest before the address follows it, in
// milliseconds: browsers limit how often an address may change.
const linkDelay = 400

// links opens what the address says, now and whenever the user changes it.
func (b *Bridge) links() {
	b.follow = js.FuncOf(func(js.Value, []js.Value) any {
		b.waits = false
		b.setAddress()
		return nil
	})
	open := func() error {
		link := strings.TrimPrefix(window.Get("location").Get("hash").String(), "#")
		if link == b.link {
			return nil
		}
		b.link = link
		if err := b.app.Open(link); err != nil {
			return fmt.Errorf("this link cannot be opened: %w", err)
		}
		return nil
	}
	if err := open(); err != nil {
		b.notice = err.Error() + "; this is the first screen instead"
	}
	listen(window, "hashchange", func(js.Value) { b.do(open) })
	click("copy-link", func() { b.then(b.copyLink) })
}

// publishLink has the address say what is on the screen, soon.
func (b *Bridge) publishLink() {
	if b.waits || b.notice != "" || b.app.Busy() || !b.app.Settled() {
		return
	}
	b.waits = true
	window.Call("setTimeout", b.follow, linkDelay)
}

// setAddress puts the state into the address, without a step in the history.
func (b *Bridge) setAddress() {
	link := b.app.Link()
	if link == b.link {
		return
	}
	// Should the browser refuse, the address stays behind, and nothing else.
	defer func() { _ = recover() }()
	l := window.Get("location")
	address := l.Get("pathname").String() + l.Get("search").String()
	if link != "" {
		address += "#" + link
	}
	window.Get("history").Call("replaceState", js.Null(), "", address)
	b.link = link
}

// copyLink puts the link on the clipboard. Browsers allow that on secure pages
// alone.
func (b *Bridge) copyLink() {
	b.setAddress()
	clipboard := window.Get("navigator").Get("clipboard")
	refused := func() { b.say("This browser does not let the page copy: the link is in the address bar.") }
	if !clipboard.Truthy() {
		refused()
		return
	}
	await(clipboard.Call("writeText", window.Get("location").Get("href")),
		func(js.Value) { b.say("Link copied: it opens what you see.") },
		func(js.Value) { refused() })
}

// say shows a message in place of the status, until something is done.
func (b *Bridge) say(text string) { b.do(func() error { return errors.New(text) }) }
