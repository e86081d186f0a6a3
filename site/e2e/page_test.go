// Package e2e drives the built page in a real browser, as a visitor would.
package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
)

// TestRestoreAndGenerate goes through both modes as a visitor would.
func TestRestoreAndGenerate(t *testing.T) {
	t.Parallel()
	p := moving(t, server(t, "/", host.Handler(dist, host.Options{})))
	first := p.rest("the first restoration to be played", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	if first.Mode != "restore" || first.Source != "digit" || first.Kind != "gaussian" || !first.SIMD {
		t.Errorf("the page starts with %+v; want a test digit under Gaussian noise, computed with SIMD", first)
	}

	t.Run("noise", func(t *testing.T) {
		p := p.in(t)
		p.prefers("dark", still)
		p.set("kind", "gaussian", "change")
		p.set("severity", "0.7", "input")
		for range 5 {
			was := p.state().Digit
			p.click("another")
			s := p.rest("another digit, restored", func(s state) bool { return s.Digit != was && s.Step == s.Steps })
			// 0.49, but for what is clipped: half of it where the digit is black.
			if s.Severity != 0.7 || s.MSEBefore < 0.15 || s.MSEBefore > 0.25 {
				t.Errorf("noise %v has MSE %v; want 0.7 and about 0.19", s.Severity, s.MSEBefore)
			}
			if s.MSEAfter > s.MSEBefore/2 {
				t.Errorf("a %d: restoring lowers the error from %.3f to %.3f only; want at least half", s.Label, s.MSEBefore, s.MSEAfter)
			}
			if s.SSIMAfter < s.SSIMBefore {
				t.Errorf("a %d: restoring lowers SSIM from %.2f to %.2f", s.Label, s.SSIMBefore, s.SSIMAfter)
			}
		}
		s := p.rest("what is read", func(s state) bool { return s.Reads.Confidence > 0 && s.ReadsFirst.Confidence > 0 })
		if !strings.HasSuffix(s.Status, " %)") || !strings.Contains(s.Status, fmt.Sprintf(" · reads as %d (", s.Reads.Digit)) {
			t.Errorf("the status is %q; want it to end in what is read, %+v", s.Status, s.Reads)
		}
		if got := eval[string](p, `document.getElementById("degraded-note").textContent`); !strings.HasPrefix(got, fmt.Sprintf("%d (", s.ReadsFirst.Digit)) {
			t.Errorf("the damaged image reads as %q; want %+v", got, s.ReadsFirst)
		}
		want := fmt.Sprintf("%.3f", p.state().MSEAfter)
		if got := eval[string](p, `document.getElementById("mse-after").textContent`); got != want {
			t.Errorf("the page says MSE %s, the program %s", got, want)
		}
	})

	t.Run("pixels", func(t *testing.T) {
		p := p.in(t)
		for _, place := range []string{"original", "restored"} {
			dark, bright, _ := shares(p.picture(`[data-place="` + place + `"]`))
			if dark < 0.5 || bright < 0.02 {
				t.Errorf("%s: %.0f %% of the pixels are dark and %.0f %% bright; a digit has more of both", place, 100*dark, 100*bright)
			}
		}
		if dark, bright, _ := shares(p.picture(`[data-place="degraded"]`)); dark < 0.2 || bright < 0.1 {
			t.Errorf("damaged: %.0f %% of the pixels are dark and %.0f %% bright; noise has more of both", 100*dark, 100*bright)
		}
		for _, place := range []string{"film", "plot"} {
			if _, _, colored := shares(p.picture(`[data-place="` + place + `"]`)); colored < 0.003 {
				t.Errorf("%s: %.2f %% of the pixels have a color; there should be a frame or a line", place, 100*colored)
			}
		}
	})

	t.Run("timeline", func(t *testing.T) {
		p := p.in(t)
		last := p.state().Steps
		p.click("back")
		p.rest("a step back", func(s state) bool { return s.Step == last-1 && !s.Playing })
		p.click("forward")
		p.rest("a step on", func(s state) bool { return s.Step == last })
		p.do(chromedp.Focus("#timeline"), chromedp.KeyEvent(kb.Home))
		s := p.rest("the start", func(s state) bool { return s.Step == 0 })
		if !strings.HasPrefix(s.Status, fmt.Sprintf("step 0 of %d", last)) {
			t.Errorf("the status is %q", s.Status)
		}
		film := p.box("#film")
		p.do(chromedp.MouseClickXY(film.X+film.W-10, film.Y+film.H/2))
		p.rest("the step that was clicked in the film", func(s state) bool { return s.Step == last })
		p.click("play")
		p.wait("playing from the start", func(s state) bool { return s.Playing && s.Step < last })
		p.click("play")
		p.wait("the pause", func(s state) bool { return !s.Playing })
	})

	t.Run("every damage", func(t *testing.T) {
		p := p.in(t)
		kinds := eval[[]string](p, `[...document.querySelectorAll("#kind option")].map(o => o.value)`)
		if len(kinds) != 7 {
			t.Errorf("there are %d kinds of damage to choose from, want six and none: %v", len(kinds), kinds)
		}
		for _, k := range kinds {
			p.set("kind", k, "change")
			s := p.wait(k, func(s state) bool { return s.Kind == k })
			if s.Error != "" {
				t.Errorf("%s: %s", k, s.Error)
			}
		}
		s := p.rest("no damage", func(s state) bool { return s.Kind == "none" })
		if s.MSEBefore != 0 {
			t.Errorf("no damage has MSE %v", s.MSEBefore)
		}
		p.set("seed", "77", "change")
		p.wait("seed 77", func(s state) bool { return s.Seed == 77 })
		p.set("seed", "-5", "change")
		p.wait("the refusal of seed -5", func(s state) bool { return strings.Contains(s.Status, "not a seed") && s.Seed == 77 })
		p.click("new-seed")
		p.wait("seed 78", func(s state) bool { return s.Seed == 78 })
	})

	t.Run("drawing", func(t *testing.T) {
		p := p.in(t)
		p.set("kind", "gaussian", "change")
		p.click("clear")
		p.rest("an empty pad", func(s state) bool { return s.Source == "drawing" })
		if eval[bool](p, `document.getElementById("pad-hint").hidden`) {
			t.Error("an empty pad does not say that one can draw on it")
		}
		if _, bright, _ := shares(p.picture("#pad")); bright > 0.02 {
			t.Error("there is something on the empty pad")
		}
		pad := p.box("#pad")
		at := func(x, y float64) (float64, float64) { return pad.X + x*pad.W, pad.Y + y*pad.H }
		x, y := at(0.5, 0.2)
		p.mouse(input.DispatchMouseEventTypeMousePressed, x, y)
		for i := range 16 {
			x, y = at(0.5, 0.2+0.6*float64(i)/15)
			p.mouse(input.DispatchMouseEventTypeMouseMoved, x, y)
		}
		p.mouse(input.DispatchMouseEventTypeMouseReleased, x, y)
		s := p.rest("a drawing", func(s state) bool { return s.Label == -1 && s.Step == s.Steps })
		if s.MSEAfter > s.MSEBefore/2 {
			t.Errorf("restoring a drawn 1 lowers its error from %.3f to %.3f only", s.MSEBefore, s.MSEAfter)
		}
		if _, bright, _ := shares(p.picture("#pad")); bright < 0.03 || bright > 0.2 {
			t.Errorf("a line was drawn, and %.1f %% of the pad is bright", 100*bright)
		}
		one := s.MSEBefore
		// A short stroke more in a corner; the keyboard takes it back and brings it
		// back.
		p.mouse(input.DispatchMouseEventTypeMousePressed, pad.X+pad.W*0.85, pad.Y+pad.H*0.15)
		p.mouse(input.DispatchMouseEventTypeMouseMoved, pad.X+pad.W*0.9, pad.Y+pad.H*0.3)
		p.mouse(input.DispatchMouseEventTypeMouseReleased, pad.X+pad.W*0.9, pad.Y+pad.H*0.3)
		two := p.rest("two strokes", func(s state) bool { return s.Settled && s.Undo && !s.Redo && s.MSEBefore != one })
		p.do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
		p.rest("one stroke, by keyboard", func(s state) bool { return s.Redo && s.Undo && s.MSEBefore != two.MSEBefore })
		p.do(chromedp.KeyEvent("Z", chromedp.KeyModifiers(chromedp.ModifierCtrl, chromedp.ModifierShift)))
		p.rest("both strokes, by keyboard", func(s state) bool { return !s.Redo && s.MSEBefore == two.MSEBefore })
		p.click("undo")
		p.rest("one stroke, by button", func(s state) bool { return s.Redo })
		p.click("redo")
		p.rest("both strokes, by button", func(s state) bool { return !s.Redo && s.MSEBefore == two.MSEBefore })
		p.click("clear")
		p.rest("a cleared pad", func(s state) bool { return s.Undo })
		p.click("undo")
		p.rest("what was cleared", func(s state) bool { return s.MSEBefore == two.MSEBefore })
	})

	t.Run("parameters", func(t *testing.T) {
		p := p.in(t)
		first := p.rest("the end", func(s state) bool { return s.Step == s.Steps })
		p.click("flow > summary")
		for id, value := range map[string]string{"sigma": "0.9", "tau": "0", "steps": "21"} {
			p.set(id, value, "input")
		}
		s := p.rest("other parameters", func(s state) bool { return s.Flow.Sigma == 0.9 && s.Flow.Tau == 0 && s.Steps == 21 })
		if s.Step != 21 || s.MSEAfter == first.MSEAfter || s.GridFlow == s.Flow {
			t.Errorf("after the change: %+v; want step 21, with another result, and nothing changed in the other mode", s)
		}
		if !eval[bool](p, `document.getElementById("gate").hidden`) {
			t.Error("without a gate the page explains it")
		}
		p.set("alpha", "0.95", "input")
		s = p.wait("α to stop", func(s state) bool { return s.Flow.Alpha > first.Flow.Alpha })
		if sum := s.Flow.Alpha + s.Flow.Beta; sum >= 1 || !strings.Contains(s.Status, "must stay below 1") {
			t.Errorf("α + β is %v, and the status is %q", sum, s.Status)
		}
		if got := eval[string](p, `document.getElementById("alpha").value`); got != fmt.Sprint(s.Flow.Alpha) {
			t.Errorf("the slider stands at %s, α is %v", got, s.Flow.Alpha)
		}
		p.click("reset-flow")
		s = p.rest("the defaults", func(s state) bool { return s.Flow == first.Flow })
		if s.MSEAfter != first.MSEAfter || s.Steps != first.Steps {
			t.Errorf("after the reset the result is %v in %d steps, was %v in %d", s.MSEAfter, s.Steps, first.MSEAfter, first.Steps)
		}
		p.click("flow > summary")
	})

	t.Run("generate", func(t *testing.T) {
		p := p.in(t)
		p.do(chromedp.Focus("#tab-restore"), chromedp.KeyEvent(kb.ArrowRight))
		p.wait("the other mode, by keyboard", func(s state) bool { return s.Mode == "generate" })
		p.click("tab-restore")
		p.wait("the first mode", func(s state) bool { return s.Mode == "restore" })
		p.click("tab-generate")
		s := p.rest("a grown grid", func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 })
		if s.Distance <= 0 {
			t.Errorf("the mean D at the end is %v", s.Distance)
		}
		end := p.picture("#grid")
		if dark, bright, _ := shares(end); dark < 0.4 || bright < 0.03 {
			t.Errorf("grid: %.0f %% of the pixels are dark and %.0f %% bright; digits have more of both", 100*dark, 100*bright)
		}
		p.do(chromedp.Focus("#timeline"), chromedp.KeyEvent(kb.Home))
		start := p.rest("the start", func(s state) bool { return s.Step == 0 })
		if start.Distance == s.Distance || start.Highest != s.Highest {
			t.Errorf("D goes from %v to %v, with a highest of %v and %v; want it to change with the step", start.Distance, s.Distance, start.Highest, s.Highest)
		}
		grid := p.box("#grid")
		p.do(chromedp.MouseClickXY(grid.X+grid.W*0.99, grid.Y+grid.H*0.99))
		p.rest("the last digit, enlarged and read", func(s state) bool {
			return s.Selected == 35 && s.Reads.Confidence > 0.1 && strings.Contains(s.Status, fmt.Sprintf("cell 36 reads as %d (", s.Reads.Digit))
		})
		p.set("beta", "0.3", "input")
		p.rest("the grid with another β", func(s state) bool { return s.GridFlow.Beta == 0.3 && s.GridSeed == 1 })
		p.click("new-grid")
		p.rest("a grid from another seed", func(s state) bool { return s.GridSeed == 2 && s.Step == s.Steps })
		p.set("grid-size", "4", "change")
		p.rest("a smaller grid", func(s state) bool { return s.Grid == 4 && s.Selected == 15 && s.Step == s.Steps })
	})
}

// TestLinks opens links, as another visitor would.
func TestLinks(t *testing.T) {
	t.Parallel()
	url := server(t, "/some/path/", host.Handler(dist, host.Options{}))
	p := open(t, url+"#damage=missing&severity=0.5&seed=41&digit=3&restore-sigma=0.9&step=2")
	s := p.rest("what the link says", func(s state) bool { return s.Step == 2 })
	if s.Kind != "missing" || s.Severity != 0.5 || s.Seed != 41 || s.Digit != 3 || s.Flow.Sigma != 0.9 || s.Playing {
		t.Errorf("the link gave %+v", s)
	}
	// A drawing, made here, opened elsewhere.
	p.click("clear")
	p.rest("an empty pad", func(s state) bool { return s.Source == "drawing" })
	pad := p.box("#pad")
	p.mouse(input.DispatchMouseEventTypeMousePressed, pad.X+pad.W*0.3, pad.Y+pad.H*0.2)
	for i := range 12 {
		p.mouse(input.DispatchMouseEventTypeMouseMoved, pad.X+pad.W*(0.3+0.03*float64(i)), pad.Y+pad.H*(0.2+0.05*float64(i)))
	}
	p.mouse(input.DispatchMouseEventTypeMouseReleased, pad.X+pad.W*0.63, pad.Y+pad.H*0.75)
	here := p.rest("a drawing", func(s state) bool { return s.Settled && s.MSEBefore > 0 && s.Undo })
	p.click("copy-link")
	p.wait("an answer", func(s state) bool {
		return strings.Contains(s.Status, "Link copied") || strings.Contains(s.Status, "address bar")
	})
	link := eval[string](p, `location.href`)
	if !strings.Contains(link, "drawing=") {
		t.Fatalf("the address is %q; want the drawing in it", link)
	}
	q := open(t, link)
	there := q.rest("the drawing", func(s state) bool { return s.Label == -1 && s.Step == s.Steps })
	if there.MSEBefore != here.MSEBefore || there.MSEAfter != here.MSEAfter || there.Flow != here.Flow {
		t.Errorf("the link %q gives %+v, was %+v", link, there, here)
	}
	// The address follows what is done, and leads when it is changed.
	q.click("tab-generate")
	q.rest("the grid", func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 })
	q.do(chromedp.Poll[chromedp.Void](`location.hash.includes("mode=generate")`))
	eval[bool](q, `(location.hash = "mode=generate&grid=4&grid-seed=5") !== ""`)
	q.rest("another grid", func(s state) bool { return s.Grid == 4 && s.GridSeed == 5 && s.Source == "digit" })
	// What cannot be shown is named, all else is shown, and the address stays for
	// one to mend it.
	eval[bool](q, `(location.hash = "mode=generate&grid=400&grid-seed=6&fbclid=x") !== ""`)
	s = q.wait("a refusal", func(s state) bool { return strings.Contains(s.Status, "left out") })
	if s.Grid != 6 || s.GridSeed != 6 || s.Mode != "generate" || !strings.Contains(s.Status, "grid=400 is left out: it takes a whole number from 1 to 10") {
		t.Errorf("a link with a grid of 400 gave %+v", s)
	}
	// Who leaves and comes back finds what was there, in what the browser kept of
	// the fields too.
	q.click("tab-restore")
	q.rest("Restore", func(s state) bool { return s.Mode == "restore" })
	q.enter("seed", "12")
	left := q.rest("the damage of seed 12", func(s state) bool { return s.Mode == "restore" && s.Seed == 12 && s.Step == s.Steps })
	q.do(chromedp.Poll[chromedp.Void](`location.hash.includes("seed=12")`))
	eval[bool](q, `(document.querySelector(".sources a").click(), true)`)
	q.do(chromedp.WaitVisible(".lines"))
	eval[bool](q, `(history.back(), true)`)
	// The browser may have kept the page as it stood, of which chromedp is told
	// nothing: what waits for a page to load would wait for ever.
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if there, _ := chromedp.Run(q.ctx, chromedp.Evaluate[bool](`!!window.mppm?.state`)); there {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the way back does not lead to the page")
		}
	}
	s = q.rest("the page, as it was left", func(s state) bool { return s.Seed == 12 && s.Step == s.Steps })
	if s.Mode != "restore" || s.Grid != 6 || s.GridSeed != 6 || s.MSEAfter != left.MSEAfter {
		t.Errorf("after coming back: %+v, was %+v", s, left)
	}
	if got := eval[string](q, `document.getElementById("seed").value`); got != "12" {
		t.Errorf("after coming back the seed's field says %q", got)
	}
	r := open(t, url+"#<script>=%00&step=x")
	s = r.wait("a message", func(s state) bool { return strings.Contains(s.Status, "step=x is left out") })
	if s.Kind != "gaussian" || s.Mode != "restore" {
		t.Errorf("a link that is nonsense gave %+v; want the first screen", s)
	}
}

// in is the same tab for a test within a test.
func (p *tab) in(t *testing.T) *tab { return &tab{t: t, ctx: p.ctx} }

// TestTouch draws with a finger on a phone; the page must not scroll meanwhile,
// nor be wider than the screen.
func TestTouch(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.do(
		chromedp.EmulateViewport(360, 640, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)),
		chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))),
	)
	p.ready()
	if w := eval[float64](p, `document.documentElement.scrollWidth`); w > 360 {
		t.Errorf("on a screen of 360 pixels the page is %v wide", w)
	}
	pad := p.box("#pad")
	at := func(y float64) [2]float64 { return [2]float64{pad.X + pad.W/2, pad.Y + pad.H*y} }
	p.fingers(input.DispatchTouchEventTypeTouchStart, at(0.85))
	for i := range 12 {
		p.fingers(input.DispatchTouchEventTypeTouchMove, at(0.85-0.7*float64(i)/11))
	}
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.rest("a drawing", func(s state) bool { return s.Source == "drawing" && s.Label == -1 })
	if y := eval[float64](p, `window.scrollY`); y != 0 {
		t.Errorf("the page scrolled by %v while drawing", y)
	}
	if _, bright, _ := shares(p.picture("#pad")); bright < 0.03 {
		t.Errorf("a line was drawn, and %.1f %% of the pad is bright", 100*bright)
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}

// TestSwipe: where a screen is touched but is no phone's, browsers go back when
// it is swiped. Here one misses the timeline. A page that lets the browser have its
// way is swiped after it: once that one is gone, this one would be.
func TestSwipe(t *testing.T) {
	t.Parallel()
	url := server(t, "/", host.Handler(dist, host.Options{}))
	p, q := open(t, url), open(t, url)
	eval[bool](q, `(document.documentElement.style.overscrollBehavior = document.body.style.overscrollBehavior = "auto", true)`)
	for _, p := range []*tab{p, q} {
		title := p.box(".lead h2:not([hidden])")
		at := func(x float64) [2]float64 { return [2]float64{x, title.Y + title.H/2} }
		p.fingers(input.DispatchTouchEventTypeTouchStart, at(200))
		for i := range 8 {
			p.fingers(input.DispatchTouchEventTypeTouchMove, at(200+100*float64(i+1)))
		}
		p.fingers(input.DispatchTouchEventTypeTouchEnd)
	}
	q.until("a swipe to lead back", `!window.mppm`)
	if !eval[bool](p, `!!window.mppm`) {
		t.Errorf("a swipe leads to %s", eval[string](p, `location.href`))
	}
}

// TestPoorHostBelowAPath serves the page where GitHub Pages would: below a path,
// by a host that neither compresses nor sets headers, to a browser without SIMD,
// in light colors.
func TestPoorHostBelowAPath(t *testing.T) {
	t.Parallel()
	p := blank(t)
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: `WebAssembly.validate = () => false;`}
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
		t.Fatal(err)
	}
	p.prefers("light", moves)
	var asked log
	p.do(chromedp.Navigate(server(t, "/some/path/", asked.around(host.Handler(dist, host.Options{Plain: true})))))
	p.ready()
	s := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	if s.SIMD {
		t.Error("a browser without SIMD got the program with it")
	}
	if s.MSEAfter > s.MSEBefore/2 {
		t.Errorf("without SIMD, restoring lowers the error from %.3f to %.3f only", s.MSEBefore, s.MSEAfter)
	}
	if dark, bright, _ := shares(p.picture(`[data-place="original"]`)); bright < 0.5 || dark < 0.02 {
		t.Errorf("in light colors, %.0f %% of the original is dark and %.0f %% bright; want dark ink on a bright ground", 100*dark, 100*bright)
	}
	if !asked.has("/mppm.", ".wasm.gz") {
		t.Errorf("on a host that does not compress, the packed program was not asked for: %v", asked.paths())
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}

// unpacked serves some bytes for a file that has no packed twin.
func unpacked(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".gz") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(b)
	}
}

// TestFailuresAreSaid breaks what can break while loading.
func TestFailuresAreSaid(t *testing.T) {
	t.Parallel()
	var m bundle.Manifest
	b, err := os.ReadFile(filepath.Join(dist, bundle.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	good := host.Handler(dist, host.Options{})
	weights := "/" + m.Weights.Name
	for name, c := range map[string]struct {
		script string
		serve  http.HandlerFunc
		say    string
	}{
		"no WebAssembly": {script: `delete window.WebAssembly;`, say: "no WebAssembly"},
		"no WebGL":       {script: `HTMLCanvasElement.prototype.getContext = () => null;`, say: "no WebGL"},
		"missing file":   {serve: func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, say: "404"},
		"short file":     {serve: unpacked([]byte("short")), say: "broke off after 5 of"},
		"changed file":   {serve: unpacked(make([]byte, m.Weights.Size)), say: "wrong checksum"},
		"longer file":    {serve: unpacked(make([]byte, m.Weights.Size+1)), say: "longer than it should be"},
		"broken packing": {serve: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "short") }, say: "did not arrive whole"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := blank(t)
			if c.script != "" {
				if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: c.script}); err != nil {
					t.Fatal(err)
				}
			}
			p.do(chromedp.Navigate(server(t, "/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.serve != nil && strings.HasPrefix(r.URL.Path, weights) {
					c.serve(w, r)
					return
				}
				good.ServeHTTP(w, r)
			}))))
			if got := p.outcome(); !strings.Contains(got, c.say) {
				t.Errorf("the page says %q; want something with %q", got, c.say)
			}
		})
	}
}
