package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// TestMemory: a symbol that no digit is, is drawn, remembered, damaged and restored: nearer
// to it than before. In a world without sevens a seven becomes something else. All modes
// of digits follow; a link brings all of it back, to the bit, engine or not.
func TestMemory(t *testing.T) {
	t.Parallel()
	url := server(t, "/", host.Handler(dist, host.Options{}))
	p := open(t, url)
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.click("clear")
	p.rest("an empty pad", func(s state) bool { return s.Source == "drawing" })
	p.click("remember")
	p.wait("why not", func(s state) bool { return strings.Contains(s.Status, "draw something first") })
	pad := p.reveal("#pad")
	at := func(x, y float64) [2]float64 { return [2]float64{pad.X + x*pad.W, pad.Y + y*pad.H} }
	p.drag(at(0.5, 0.15), at(0.85, 0.85), at(0.15, 0.85), at(0.5, 0.15)) // a triangle
	before := p.rest("a triangle", func(s state) bool { return s.Settled && s.Step == s.Steps && s.MSEAfter > 0 })
	p.click("remember")
	after := p.rest("that it is remembered", func(s state) bool { return s.Memory.Codes != "" && s.MSEAfter != before.MSEAfter })
	if after.MSEAfter > 0.7*before.MSEAfter || after.MSEBefore != before.MSEBefore {
		t.Errorf("the triangle is restored to an error of %.4f, before it was remembered to %.4f", after.MSEAfter, before.MSEAfter)
	}
	if !strings.HasPrefix(after.Status, "Remembered") {
		t.Errorf("the page says %q", after.Status)
	}
	// As a picture: bright where the triangle is.
	if _, bright, _ := shares(p.picture("#remembered-0-picture")); bright < 0.05 {
		t.Errorf("%.1f %% of its picture is bright", 100*bright)
	}
	p.slide("bank-weight", 0)
	p.rest("that it counts as one", func(s state) bool { return s.Memory.Weight == 1 && s.MSEAfter > after.MSEAfter })
	p.slide("bank-weight", 1)
	p.rest("that it counts as five hundred", func(s state) bool { return s.Memory.Weight == 500 && s.MSEAfter <= after.MSEAfter })

	// A world without sevens.
	p.do(chromedp.Evaluate[chromedp.Void](`location.hash = "digit=137"`))
	seven := p.rest("a seven", func(s state) bool {
		return s.Digit == 137 && s.Source == "digit" && s.Memory.Codes == "" && s.Step == s.Steps && s.Steps > 0
	})
	if seven.Label != 7 || seven.Reads.Digit != 7 {
		t.Fatalf("digit 137 is a %d, restored to a %d", seven.Label, seven.Reads.Digit)
	}
	if eval[bool](p, `!document.getElementById("memory").open`) {
		p.click("memory > summary")
	}
	p.click("without-7")
	p.rest("something else", func(s state) bool { return s.Memory.Forget == "7" && s.Reads.Digit != 7 && s.Reads.Confidence > 0 })
	if got := eval[string](p, `document.getElementById("without-7").getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("the button of sevens is pressed: %q", got)
	}
	p.do(chromedp.Focus("#without-7"))
	p.key(" ")
	p.rest("a seven again", func(s state) bool { return s.Memory.Forget == "" && s.Reads.Digit == 7 })
	p.click("take-back")
	p.rest("what was taken back", func(s state) bool { return s.Memory.Forget == "7" && s.Reads.Digit != 7 })

	// A test digit is remembered, too, by keyboard, and all modes know.
	p.key("f")
	p.rest("a digit that is remembered", func(s state) bool { return s.Memory.Codes != "" && s.Step == s.Steps })
	p.click("tab-generate")
	p.rest("the grid", func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 })
	type known struct{ Digest string }
	digest := func() string { return eval[known](p, `({Digest: window.mppm.computed().digest})`).Digest }
	grid := digest()
	p.click("without-1")
	p.rest("a grid without ones", func(s state) bool { return s.Memory.Forget == "1_7" && digest() != grid })
	p.click("tab-map")
	p.wait("the map", func(s state) bool { return s.Mode == "map" && !s.Active && s.Place != nil })
	p.eventually("the key of the map", `!document.getElementById("own-key").hidden && document.getElementById("class-7").className.includes("gone")`)
	p.click("tab-restore")
	last := p.rest("the restoration", func(s state) bool { return s.Mode == "restore" && s.Step == s.Steps })
	want := digest()
	address := eval[string](p, `(() => { window.dispatchEvent(new Event("pagehide")); return location.hash; })()`)

	q := blank(t)
	q.before(`delete window.Worker;`)
	q.do(chromedp.Navigate(url + address))
	q.ready()
	again := q.rest("the same", func(s state) bool { return s.Memory == last.Memory && s.Step == s.Steps && s.Steps > 0 })
	if got := eval[computed](q, `window.mppm.computed()`); got.Digest != want || got.Engines != 0 {
		t.Errorf("opened anew, by %d engines, the digest is %s, want %s", got.Engines, got.Digest, want)
	}
	if again.Reads != last.Reads {
		t.Errorf("opened anew it is restored to %+v, was %+v", again.Reads, last.Reads)
	}
	// Forgotten one by one, by keyboard: the focus goes on.
	q.do(chromedp.Focus("#remembered-0 button"))
	q.key("\r")
	q.rest("that nothing is remembered", func(s state) bool { return s.Memory.Codes == "" })
	if got := eval[string](q, `document.activeElement.id`); got != "take-back" {
		t.Errorf("the focus is on %q", got)
	}
}
