//go:build js && wasm

package bridge

import "syscall/js"

// sheet wires the settings where they are a sheet, as the style sheet has it on
// phones. The browser itself opens and closes it, by its buttons, by Escape and by
// a tap beside it, and gives the focus back.
func sheet() {
	settings := id("settings")
	if !settings.Get("showPopover").Truthy() {
		return // an old browser: they are a part of the page everywhere
	}
	listen(settings, "toggle", func(e js.Value) {
		if e.Get("newState").String() == "open" { // over the page's lower half: what it changes is above
			id("stage").Call("scrollIntoView", map[string]any{"block": "start"})
		}
	})
	media("(max-width: 36rem)", func() { // turned to its side, a phone may be wide enough for both
		if settings.Call("matches", ":popover-open").Bool() {
			settings.Call("hidePopover")
		}
	})
}
