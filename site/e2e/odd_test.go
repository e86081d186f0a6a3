package e2e

import (
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"mppm/site/internal/browser"
	"mppm/site/internal/host"
)

// before has the browser run a script before those of the page.
func (p *tab) before(script string) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		p.t.Fatal(err)
	}
}

// forbidden has all that a browser may forbid throw: getters, and functions.
const forbidden = `(() => {
	const refuse = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
	const getter = (o, ...names) => names.forEach(n => Object.defineProperty(o, n, { get: refuse, set: refuse, configurable: true }));
	const method = (o, ...names) => names.forEach(n => Object.defineProperty(o, n, { value: refuse, configurable: true }));
	getter(window, "localStorage", "sessionStorage", "indexedDB", "caches");
	getter(Navigator.prototype, "serviceWorker", "clipboard", "locks", "keyboard", "storage", "userAgent");
	getter(Crypto.prototype, "subtle");
	method(Navigator.prototype, "getGamepads");
	method(History.prototype, "replaceState", "pushState");
	method(window, "matchMedia");
	method(Element.prototype, "setPointerCapture");
	method(window, "createImageBitmap");
	method(URL, "createObjectURL");
})();`

// TestForbidden: a browser that keeps nothing and refuses all that it may, as with
// the data of sites blocked, shows the page all the same, in every mode.
func TestForbidden(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.before(forbidden)
	p.do(chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))))
	p.ready()
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 && s.LDM != nil })
	p.key("l")
	p.wait("where the link is", func(s state) bool { return strings.Contains(s.Status, "address bar") })
	p.key("?")
	p.do(chromedp.WaitVisible("#keys"))
	p.click("keys-on") // which cannot be kept
	p.click("keys-close")
	pad := p.reveal("#pad")
	p.drag([2]float64{pad.X + pad.W/2, pad.Y + 20}, [2]float64{pad.X + pad.W/2, pad.Y + pad.H - 20})
	p.rest("a drawing", func(s state) bool { return s.Source == "drawing" && s.Settled })
	for _, mode := range []string{"generate", "map", "manifold", "restore"} {
		p.click("tab-" + mode)
		p.rest(mode, func(s state) bool { return s.Mode == mode && s.Step == s.Steps && s.Steps > 0 && !s.Active })
	}
	p.click("save > summary")
	p.click("save-picture")
	p.wait("why there is no file", func(s state) bool { return strings.Contains(s.Status, "refused") })
	p.click("copy-link")
	p.wait("the page to live on", func(s state) bool { return strings.Contains(s.Status, "address bar") })
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}

// TestSiteDataBlocked does so in a browser whose user has blocked the data of sites.
func TestSiteDataBlocked(t *testing.T) {
	t.Parallel()
	profile := t.TempDir()
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o755); err != nil {
		t.Fatal(err)
	}
	const blocked = `{"profile": {"default_content_setting_values": {"cookies": 2}}}`
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(blocked), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel, err := browser.Start(context.Background(), chromedp.UserDataDir(profile))
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	p := &tab{t: t, ctx: ctx}
	p.do(chromedp.EmulateViewport(640, 480, chromedp.EmulateScale(coarse)), chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))))
	p.ready()
	if !eval[bool](p, `(() => { try { localStorage; return false; } catch { return true; } })()`) {
		t.Fatal("the browser gives localStorage, and was told not to")
	}
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.key("?")
	p.do(chromedp.WaitVisible("#keys"))
	p.click("keys-on")
	p.click("keys-close")
	p.do(chromedp.WaitNotVisible("#keys"))
	p.key("2")
	p.click("another")
	if s := p.rest("another digit", func(s state) bool { return s.Digit > 0 }); s.Mode != "restore" {
		t.Error("keys that are switched off do something")
	}
}

// spa is a host that answers whatever is not there with the first page, as those
// of single-page applications do; and that has no packed files.
func spa(t *testing.T, dir string, pack bool) http.Handler {
	t.Helper()
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	good := host.Handler(dir, host.Options{Plain: true})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
		if _, err := os.Stat(name); err == nil && !strings.HasSuffix(name, ".gz") {
			good.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if !pack {
			_, _ = w.Write(index)
			return
		}
		w.Header().Set("Content-Encoding", "gzip") // text alone, as many do
		z := gzip.NewWriter(w)
		_, _ = z.Write(index)
		_ = z.Close()
	})
}

// TestOddHosts: the page comes, and is kept, from hosts that do oddly.
func TestOddHosts(t *testing.T) {
	t.Parallel()
	dir := hollow(t).dir
	plain := host.Handler(dir, host.Options{Plain: true})
	for name, h := range map[string]http.Handler{
		"the first page for what is not there":         spa(t, dir, false),
		"the first page for what is not there, packed": spa(t, dir, true),
		"packed files said to be so": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ".gz") {
				w.Header().Set("Content-Encoding", "gzip")
			}
			plain.ServeHTTP(w, r)
		}),
		"wrong types": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			plain.ServeHTTP(&typed{w, r.URL.Path, false}, r)
		}),
		"another address for the page": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" && r.URL.RawQuery == "" {
				http.Redirect(w, r, "/?home", http.StatusFound)
				return
			}
			plain.ServeHTTP(w, r)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t, dir)
			l.site = h
			p := blank(t)
			p.visit(l.URL)
			p.eventually("the mark of a whole version", `caches.match("/?whole").then(r => !!r)`)
			p.idle()
			l.deploy("")
			p.visit(l.URL)
			p.until("all of it, offline", `window.late === 6`)
			for _, e := range p.consoleErrors() {
				t.Errorf("console: %s", e)
			}
		})
	}
}

// typed gives the files that the page fetches a type that is not theirs.
type typed struct {
	http.ResponseWriter
	path  string
	begun bool
}

func (w *typed) Write(b []byte) (int, error) {
	if !w.begun {
		w.begun = true
		switch path.Ext(w.path) {
		case ".wasm", ".safetensors", ".idx", ".json", ".gz":
			w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		}
	}
	return w.ResponseWriter.Write(b)
}

// TestWordsForWhatCame: what came in place of a file is called what it is, and the
// page says what to do.
func TestWordsForWhatCame(t *testing.T) {
	t.Parallel()
	portal := func(parts ...string) http.HandlerFunc {
		good := host.Handler(dist, host.Options{})
		return func(w http.ResponseWriter, r *http.Request) {
			for _, part := range parts {
				if strings.Contains(r.URL.Path, part) {
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, "\n<!DOCTYPE html><title>Welcome aboard</title><p>Please sign in.")
					return
				}
			}
			good.ServeHTTP(w, r)
		}
	}
	for name, part := range map[string]string{"manifest": "/assets/manifest.", "program": "/assets/mppm", "weights": "/assets/mnist.", "digits": "/assets/digits-images."} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := blank(t)
			p.do(chromedp.Navigate(server(t, "/", portal(part))))
			if got := p.outcome(); !strings.Contains(got, "came a web page") || !strings.Contains(got, "sign in") {
				t.Errorf("the page says %q", got)
			}
		})
	}
	t.Run("over HTTP", func(t *testing.T) { // without checksums
		t.Parallel()
		p := blank(t)
		p.before(`delete Crypto.prototype.subtle;`)
		p.do(chromedp.Navigate(server(t, "/", portal("/assets/mnist."))))
		if got := p.outcome(); !strings.Contains(got, "came a web page") {
			t.Errorf("the page says %q", got)
		}
	})
	for _, part := range []string{"/assets/wasm_exec.", "/assets/kernel.", "/assets/files.", "/assets/loader."} {
		t.Run("script "+part, func(t *testing.T) {
			t.Parallel()
			p := blank(t)
			p.do(chromedp.Navigate(server(t, "/", portal(part))))
			p.do(chromedp.WaitVisible("#loading-detail"))
			p.until("what to do", `/Reload|reload/.test(document.getElementById("loading-detail").textContent)`)
		})
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		p := blank(t)
		p.do(chromedp.Navigate("file://" + filepath.ToSlash(filepath.Join(dist, "index.html"))))
		p.until("what to do", `document.getElementById("loading-detail").textContent.includes("make demo")`)
		t.Log(eval[string](p, `document.getElementById("loading-detail").textContent`))
	})
}

// TestPalm: the hand comes before the pen that it holds; the pen draws, moves the
// point and turns the curve, the hand does nothing.
func TestPalm(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.do(chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch, chromedp.EmulateScale(coarse)), chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))))
	p.ready()
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	pen := func(kind input.DispatchMouseEventType, x, y float64) {
		t.Helper()
		e := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Button: input.MouseButtonLeft, PointerType: input.DispatchMouseEventPointerTypePen, Force: 0.5, ClickCount: 1}
		if kind != input.DispatchMouseEventTypeMouseReleased {
			e.Buttons = 1
		}
		if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, e); err != nil {
			t.Fatal(err)
		}
	}
	stroke := func(x0, y0, x1, y1 float64) {
		t.Helper()
		pen(input.DispatchMouseEventTypeMousePressed, x0, y0)
		for i := range 8 {
			pen(input.DispatchMouseEventTypeMouseMoved, x0+(x1-x0)*float64(i+1)/8, y0+(y1-y0)*float64(i+1)/8)
		}
		pen(input.DispatchMouseEventTypeMouseReleased, x1, y1)
	}
	pad := p.reveal("#pad")
	palm := [2]float64{pad.X + pad.W*0.9, pad.Y + pad.H*0.9}
	p.fingers(input.DispatchTouchEventTypeTouchStart, palm)
	p.wait("the palm's dot", func(s state) bool { return s.Source == "drawing" })
	stroke(pad.X+pad.W*0.5, pad.Y+pad.H*0.2, pad.X+pad.W*0.5, pad.Y+pad.H*0.8)
	p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{palm[0] - 20, palm[1]})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.choose("kind", "none")
	s := p.rest("the pen's line", func(s state) bool { return s.Settled && s.Undo && s.Kind == "none" && s.Reads.Confidence > 0 })
	if s.ReadsFirst.Digit != 1 {
		t.Errorf("beside a palm the pen's line reads as %+v, want 1", s.ReadsFirst)
	}
	p.click("undo")
	p.rest("an empty pad", func(s state) bool { return eval[bool](p, `!document.getElementById("pad-hint").hidden`) })

	p.key("3")
	still := func(s state) bool { return s.Mode == "map" && !s.Active && s.Place != nil }
	before := p.rest("the map", still)
	m := p.reveal("#map")
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{m.X + m.W*0.9, m.Y + m.H*0.9})
	stroke(m.X+40, m.Y+40, m.X+100, m.Y+40)
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	pen(input.DispatchMouseEventTypeMousePressed, m.X+m.W*0.3, m.Y+m.H*0.3) // a click puts the point
	pen(input.DispatchMouseEventTypeMouseReleased, m.X+m.W*0.3, m.Y+m.H*0.3)
	after := p.rest("a point", func(s state) bool { return still(s) && s.Subject == "spot" && s.Step == s.Steps })
	if after.View.Zoom != before.View.Zoom {
		t.Errorf("the pen and the palm together zoomed the map to %v", after.View.Zoom)
	}
}

// TestOtherKeyboards: on keyboards without Latin letters the keys are where they
// are on others, and what is said to be Z is Z wherever it is.
func TestOtherKeyboards(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	s := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	press := func(key, code string, modifiers int64) {
		t.Helper()
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: key, Code: code, Modifiers: modifiers}); err != nil {
				t.Fatal(err)
			}
		}
	}
	const ctrl, ctrlShift = 2, 2 | 8
	press("т", "KeyN", 0)
	p.rest("another digit, in Russian", func(n state) bool { return n.Digit == s.Digit+1 })
	press("δ", "KeyD", 0)
	p.rest("new damage, in Greek", func(n state) bool { return n.Seed == s.Seed+1 })
	pad := p.reveal("#pad")
	for _, c := range []struct{ undo, redo, code string }{{"я", "Я", "KeyZ"}, {"z", "Z", "KeyW"}} {
		press("ב", "KeyC", 0)
		p.rest("an empty pad", func(s state) bool { return s.Source == "drawing" })
		p.drag([2]float64{pad.X + pad.W/2, pad.Y + 20}, [2]float64{pad.X + pad.W/2, pad.Y + pad.H - 20})
		p.rest("a line", func(s state) bool { return s.Undo && s.Settled && !s.Redo })
		press(c.undo, c.code, ctrl)
		p.rest("no line, by "+c.undo, func(s state) bool { return s.Redo })
		press(c.redo, c.code, ctrlShift)
		p.rest("the line again, by "+c.redo, func(s state) bool { return !s.Redo && s.Undo })
	}
	press("é", "Digit2", 0)
	p.rest("Generate, in French", func(s state) bool { return s.Mode == "generate" })
	press("١", "Digit1", 0)
	p.rest("Restore, in Arabic", func(s state) bool { return s.Mode == "restore" })
}

// TestTransfer drops and pastes what other programs give: the first picture there
// is is offered, or the page says why not.
func TestTransfer(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	give := func(event, js string) {
		t.Helper()
		dispatch := `document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: d, bubbles: true, cancelable: true}))`
		if event == "paste" {
			dispatch = `document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true}))`
		}
		promised[bool](p, `(async () => {
			const c = new OffscreenCanvas(60, 60), x = c.getContext("2d");
			x.fillStyle = "#000"; x.fillRect(0, 0, 60, 60); x.fillStyle = "#fff"; x.fillRect(25, 10, 8, 40);
			const blob = await c.convertToBlob();
			const png = new File([blob], "x.png", {type: "image/png"});
			const data = "data:image/png;base64," + btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
			const text = new File(["seven"], "notes.txt", {type: "text/plain"});
			const raw = new File([blob], "scan");
			const broken = new File(["no picture"], "b.png", {type: "image/png"});
			const d = new DataTransfer();
			`+js+`;
			return `+dispatch+` || true;
		})()`)
	}
	for _, event := range []string{"drop", "paste"} {
		for name, js := range map[string]string{
			"a text and a picture":           `d.items.add(text); d.items.add(png)`,
			"a file of no known type":        `d.items.add(raw)`,
			"a broken picture and another":   `d.items.add(broken); d.items.add(png)`,
			"a picture in HTML":              "d.setData('text/html', `<style>p { color: red }</style><p style='color: red'>a <img alt='' style=width:1em src=\"${data}\"> b</p>`); d.setData('text/uri-list', 'https://far.example/page')",
			"a picture as an address":        `d.setData("text/plain", data)`,
			"an address of this site's icon": `d.setData("text/uri-list", document.querySelector("link[rel=icon]").href); d.setData("text/html", "<img src='" + data + "'>")`,
		} {
			give(event, js)
			p.until(event+" "+name, `document.getElementById("offer").open`)
			p.click("offer-drop")
			p.do(chromedp.WaitNotVisible("#offer"))
		}
		for js, says := range map[string]string{
			`d.items.add(text)`: `"notes.txt" is no picture`,
			"d.setData('text/html', `<img src='https://far.example/a.png'>`); d.setData('text/uri-list', 'https://far.example/a.png')": "fetches nothing from elsewhere",
			`d.setData("text/plain", "seven of nine")`:  "no picture in this",
			`d.items.add(broken)`:                       "no image",
			`d.setData("text/uri-list", location.href)`: "no image",
		} {
			give(event, js)
			p.wait(event+" why not: "+js, func(s state) bool { return strings.Contains(s.Status, says) })
			p.click("tab-restore")
			p.wait("the status again", func(s state) bool { return !strings.Contains(s.Status, says) })
		}
	}
}

// TestNarrow: on the narrowest screens no mode scrolls sideways, nor does its sheet.
func TestNarrow(t *testing.T) {
	t.Parallel()
	p := blank(t)
	size := func(w, h int64) {
		t.Helper()
		p.do(chromedp.EmulateViewport(w, h, chromedp.EmulateMobile, chromedp.EmulateTouch))
	}
	size(280, 653)
	p.do(chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))))
	p.ready()
	for _, w := range []int64{240, 280, 300, 320} {
		size(w, 653)
		for _, mode := range []string{"restore", "generate", "map", "manifold"} {
			eval[bool](p, `(document.getElementById("tab-`+mode+`").click(), true)`)
			p.rest(mode, func(s state) bool { return s.Mode == mode && s.Step == s.Steps && s.Steps > 0 && !s.Active })
			for _, what := range []string{"the page", "the sheet"} {
				if what == "the sheet" {
					eval[bool](p, `(document.getElementById("settings").showPopover(), true)`)
				}
				p.until(fmt.Sprintf("%s of %s to be %d pixels wide, and no wider", what, mode, w), fmt.Sprintf(`innerWidth === %d && document.documentElement.scrollWidth <= %[1]d && document.getElementById("settings").scrollWidth <= %[1]d`, w))
			}
			if b := p.box("#open-settings"); b.X < 0 || b.X+b.W > float64(w) || b.W < 24 {
				t.Errorf("%d pixels, %s: the button of the settings is at %+v", w, mode, b)
			}
			if over := eval[bool](p, `(() => {
				const seen = [...document.querySelectorAll("#stage .place, #stage table, #stage .transport, #stage figcaption b")].filter(e => e.checkVisibility() && !e.closest("#loading")).map(e => [e, e.getBoundingClientRect()]);
				return seen.some(([e, a], i) => seen.slice(i + 1).some(([f, b]) => !e.contains(f) && !f.contains(e) && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1));
			})()`); over {
				t.Errorf("%d pixels, %s: one thing lies on another", w, mode)
			}
			eval[bool](p, `(document.getElementById("settings").hidePopover(), true)`)
		}
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}
