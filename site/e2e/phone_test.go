package e2e

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/host"
)

// phone opens a page on a small screen that is touched.
func phone(t *testing.T, url string) *tab {
	t.Helper()
	p := blank(t)
	p.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)), chromedp.Navigate(url))
	p.ready()
	t.Cleanup(func() {
		for _, e := range p.consoleErrors() {
			t.Errorf("console: %s", e)
		}
	})
	return p
}

// tap puts a finger on the middle of what is at a selector, and takes it off.
func (p *tab) tap(selector string) {
	p.t.Helper()
	b := p.box(selector)
	p.tapAt(b.X+b.W/2, b.Y+b.H/2)
}

func (p *tab) tapAt(x, y float64) {
	p.t.Helper()
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x, y})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
}

// until waits for a condition on the page.
func (p *tab) until(what, js string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if eval[bool](p, js) {
			return
		}
	}
	p.t.Fatalf("waited for %s in vain", what)
}

// seen is a picture of a part of the window, as a PNG. Other than picture, it does
// not have the browser lay out the page anew, at which a phone's scrolls.
func (p *tab) seen(selector string) []byte {
	p.t.Helper()
	b := p.box(selector)
	r, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Clip: &page.Viewport{X: b.X, Y: b.Y + eval[float64](p, `scrollY`), Width: b.W, Height: b.H, Scale: 1},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Data
}

const (
	sheetOpen   = `document.getElementById("settings").matches(":popover-open")`
	sheetClosed = "!" + sheetOpen
	// wide is how much wider than the screen the page is.
	wide = `document.documentElement.scrollWidth - innerWidth`
)

// TestSheet: on a phone the tabs are below, and the settings are a sheet over the
// lower half that opens, closes, and changes what is seen above it.
func TestSheet(t *testing.T) {
	t.Parallel()
	p := phone(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	if b := p.box(".tabs"); b.Y < 740*0.85 || b.Y+b.H > 740 {
		t.Errorf("the tabs are at %v to %v of 740; want them under the thumb", b.Y, b.Y+b.H)
	}
	if !eval[bool](p, sheetClosed) || eval[bool](p, `document.getElementById("severity").checkVisibility()`) {
		t.Fatal("the settings are there before they are asked for")
	}
	for _, name := range []string{"open-settings", "tab-restore", "tab-manifold"} {
		if b := p.box("#" + name); b.W < 24 || b.H < 24 || b.X < 0 || b.X+b.W > 360 {
			t.Errorf("%s is at %+v; want it on the screen, for a finger", name, b)
		}
	}
	p.tap("#open-settings")
	p.until("the sheet", sheetOpen)
	p.until("the focus in it", `document.getElementById("settings").contains(document.activeElement)`)
	sheet := p.box("#settings")
	if sheet.H > 740*0.56 || math.Abs(sheet.Y+sheet.H-740) > 1 || math.Abs(sheet.W-360) > 1 {
		t.Errorf("the sheet is at %+v; want it over the lower half", sheet)
	}
	p.until("what is restored to be above it", `(r => r.top >= 0 && r.bottom <= document.getElementById("settings").getBoundingClientRect().top + 1)(document.querySelector(".restored .place").getBoundingClientRect())`)
	if w := eval[float64](p, wide); w > 0 {
		t.Errorf("with the sheet, the page is %v pixels wider than the screen", w)
	}

	// What it changes is seen above it.
	was := p.seen(".degraded .place")
	p.slide("severity", 0.9)
	p.rest("more damage", func(s state) bool { return s.Severity > 0.8 && s.Step == s.Steps })
	if now := p.seen(".degraded .place"); bytes.Equal(now, was) {
		t.Error("the picture above the sheet did not change with its slider")
	}
	if !eval[bool](p, sheetOpen) {
		t.Error("using a slider closed the sheet")
	}

	// Beside it, a tap closes it, and does nothing else.
	before := p.state()
	pad := p.box("#pad")
	p.tapAt(pad.X+pad.W/2, pad.Y+pad.H/2)
	p.until("the sheet to close by a tap beside it", sheetClosed)
	if s := p.state(); s.Source != before.Source || s.Undo {
		t.Errorf("the tap beside the sheet drew: %+v", s)
	}
	p.tap("#open-settings")
	p.until("the sheet", sheetOpen)
	p.tap("#close-settings")
	p.until("the sheet to close by its button", sheetClosed)

	// By keyboard: Enter opens it, Escape closes it, and the focus is where it was.
	p.do(chromedp.Focus("#open-settings"))
	p.key(kb.Enter)
	p.until("the sheet by keyboard", sheetOpen)
	p.key("\t")
	p.until("the focus further on in it", `(e => e.id !== "close-settings" && document.getElementById("settings").contains(e))(document.activeElement)`)
	p.key(kb.Escape)
	p.until("the sheet to close by Escape", sheetClosed)
	if at := eval[string](p, `document.activeElement.id`); at != "open-settings" {
		t.Errorf("after Escape the focus is on %q, want it back on the button", at)
	}

	// It has the settings of every mode, and of that mode alone.
	for mode, has := range map[string]string{"generate": "new-grid", "map": "follow", "manifold": "bend", "restore": "another"} {
		p.tap("#tab-" + mode)
		p.rest(mode, func(s state) bool { return s.Mode == mode })
		p.tap("#open-settings")
		p.until("the sheet of "+mode, sheetOpen)
		for _, name := range []string{"new-grid", "follow", "bend", "another"} {
			if seen := eval[bool](p, fmt.Sprintf(`document.getElementById(%q).checkVisibility()`, name)); seen != (name == has) {
				t.Errorf("%s: that %s is there is %v", mode, name, seen)
			}
		}
		if w := eval[float64](p, wide); w > 0 {
			t.Errorf("%s: the page is %v pixels wider than the screen", mode, w)
		}
		p.tap("#close-settings")
		p.until("the sheet to close", sheetClosed)
	}
}

// TestSheetHelp: the list of keys, and of what fingers do, is within reach. The
// sheet and the list are held to axe-core as the rest of the page is.
func TestSheetHelp(t *testing.T) {
	t.Parallel()
	script := axe(t)
	p := phone(t, server(t, "/", host.Handler(dist, host.Options{})))
	check := func(what string) {
		t.Helper()
		for _, f := range p.findings(script) {
			t.Errorf("%s: %s (%s): %s\n\t%s", what, f.Help, f.Impact, f.ID, strings.Join(f.Where, "\n\t"))
		}
	}
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	check("the page on a phone")
	p.tap("#open-settings")
	p.until("the sheet", sheetOpen)
	check("the sheet")
	p.tap("#sheet-help")
	p.until("the list", `document.getElementById("keys").open`)
	if eval[bool](p, sheetOpen) {
		t.Error("the sheet lies under the list")
	}
	if !eval[bool](p, `document.querySelector("dl.touch").checkVisibility()`) {
		t.Error("on a screen that is touched, the list does not say what fingers do")
	}
	check("the list")
	if b := p.box("#keys"); b.X < 0 || b.X+b.W > 360 || b.H > 740 {
		t.Errorf("the list is at %+v; want it on the screen", b)
	}
	p.reveal("#keys-close")
	p.tap("#keys-close")
	p.until("the list to close", `!document.getElementById("keys").open`)
}

// TestTurnedPhone: where the screen becomes wide enough for both, the settings are
// a part of the page again.
func TestTurnedPhone(t *testing.T) {
	t.Parallel()
	p := phone(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.tap("#open-settings")
	p.until("the sheet", sheetOpen)
	p.do(chromedp.EmulateViewport(900, 420, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	p.until("no sheet", sheetClosed)
	if !eval[bool](p, `document.getElementById("severity").checkVisibility()`) || eval[bool](p, `document.getElementById("open-settings").checkVisibility()`) {
		t.Error("on a wide screen the settings are not a part of the page")
	}
	if b := p.box("#settings"); b.Y < p.box("#stage").Y {
		t.Errorf("the settings are at %+v, above the pictures", b)
	}
	p.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	p.until("the settings to be put away", `!document.getElementById("severity").checkVisibility()`)
}
