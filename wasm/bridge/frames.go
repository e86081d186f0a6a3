//go:build js && wasm

package bridge

import (
	"fmt"
	"strings"
	"syscall/js"
	"time"
)

// framesPause is how often the work of frames is told, in milliseconds.
const framesPause = 500

// frames tells the program's work of its last frames over the page, where the address has
// "frames" behind its "?".
func (b *Bridge) frames() {
	_, query := addressed()
	asked := false
	for field := range strings.SplitSeq(query, "&") {
		asked = asked || field == "frames" || strings.HasPrefix(field, "frames=")
	}
	if !asked {
		return
	}
	el := document.Call("createElement", "output")
	el.Set("id", "frames")
	document.Get("body").Call("append", el)
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	window.Call("setInterval", handler(func(js.Value) {
		median, longest, n := b.view.Work()
		el.Set("textContent", fmt.Sprintf("work of a frame: %.2f ms, the longest %.1f ms, of %d", milliseconds(median), milliseconds(longest), n))
	}), framesPause)
}
