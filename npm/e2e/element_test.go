package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestElement has the element do what it does, under the strict policy.
func TestElement(t *testing.T) {
	for name, show := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPages(pageOf{"element.mjs", nil, strict})
			show(t, p.serve(t)+p.address(0))
			p.hear(t)
		})
	}
}

// seen is a page in Chromium.
type seen struct {
	t   *testing.T
	ctx context.Context
}

func (s seen) do(actions ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, actions...); err != nil {
		s.t.Fatal(err)
	}
}

// eval returns what an expression is.
func eval[T any](s seen, expression string) T {
	s.t.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		s.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a condition on the page.
func (s seen) until(what, condition string) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if eval[bool](s, condition) {
			return
		}
	}
	s.t.Fatalf("waited for %s in vain; it says %q", what, eval[string](s, `digit.shadowRoot.getElementById("all").textContent`))
}

// middle returns the middle of a part of the element, and its size.
func (s seen) middle(id string) (x, y, side float64) {
	s.t.Helper()
	b := eval[[]float64](s, fmt.Sprintf(`(r => [r.left + r.width / 2, r.top + r.height / 2, r.width])(digit.shadowRoot.getElementById(%q).getBoundingClientRect())`, id))
	return b[0], b[1], b[2]
}

// counted counts how often the element says that it has restored.
const counted = `window.digit = document.querySelector("mppm-digit"); window.restored = 0; window.wrong = "";
addEventListener("mppm-restored", () => { restored++; });
addEventListener("mppm-error", (e) => { wrong = e.detail.message; });
addEventListener("error", (e) => { wrong = e.message; });
addEventListener("securitypolicyviolation", (e) => { wrong = e.violatedDirective; });
digit.shadowRoot.getElementById("another").click(); 0`

// TestHands draws with a mouse, a finger and a keyboard, as people do; and looks for what
// keeps people from using the element. MPPM_SHOTS names a folder for pictures of it.
func TestHands(t *testing.T) {
	t.Parallel()
	p := newPages()
	article := strings.Replace(readme(t)[2], `<meta charset`, `<meta name="color-scheme" content="light dark"><meta charset`, 1)
	if err := os.WriteFile(filepath.Join(home, "article.html"), []byte(article), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pack, filepath.Join(home, "mppm")); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	s := seen{t, chromium(t)}
	address := p.serve(t) + "/article.html"
	for _, look := range []struct {
		name, theme, motion string
		w, h                int64
	}{
		{"wide-dark", "dark", "no-preference", 1000, 800},
		{"phone-light", "light", "reduce", 320, 900},
	} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.theme}, {Name: "prefers-reduced-motion", Value: look.motion}}}
		if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		s.do(chromedp.EmulateViewport(look.w, look.h), chromedp.Navigate(address))
		s.until("the element", `customElements.get("mppm-digit") !== undefined && !document.querySelector("mppm-digit").shadowRoot.getElementById("another").disabled`)
		s.do(chromedp.Evaluate[chromedp.Void](counted))
		s.until("a restoration", `restored > 0`)

		x, y, side := s.middle("pad")
		s.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y-0.3*side, chromedp.ButtonLeft))
		for i := range 12 {
			s.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y-0.3*side+float64(i)*0.05*side, chromedp.ButtonLeft))
		}
		was := eval[int](s, `restored`)
		s.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, x, y+0.3*side, chromedp.ButtonLeft))
		s.until("what the mouse drew", fmt.Sprintf(`restored > %d && digit.shadowRoot.getElementById("restored-note").textContent.startsWith("reads as 1")`, was))

		x, y, _ = s.middle("draw")
		s.do(chromedp.MouseClickXY(x, y))
		x, y, side = s.middle("pad")
		touch := func(kind input.DispatchTouchEventType, at ...*input.TouchPoint) {
			if _, err := chromedp.Call(s.ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: at}); err != nil {
				t.Fatal(err)
			}
		}
		touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y - 0.3*side})
		for i := range 12 {
			touch(input.DispatchTouchEventTypeTouchMove, &input.TouchPoint{X: x, Y: y - 0.3*side + float64(i)*0.05*side})
		}
		was = eval[int](s, `restored`)
		touch(input.DispatchTouchEventTypeTouchEnd)
		s.until("what the finger drew", fmt.Sprintf(`restored > %d && scrollY === 0 && digit.shadowRoot.getElementById("restored-note").textContent.startsWith("reads as 1")`, was))

		// The keyboard comes to the pad, before what is below it.
		was = eval[int](s, `digit.shadowRoot.getElementById("play").focus(); restored`)
		s.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
		if at := eval[string](s, `digit.shadowRoot.activeElement.id`); at != "pad" {
			t.Errorf("%s: before the button is %s, want the pad", look.name, at)
		}
		s.do(chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(strings.Repeat(kb.ArrowUp, 9)), chromedp.KeyEvent(" "), chromedp.KeyEvent(strings.Repeat(kb.ArrowDown, 18)), chromedp.KeyEvent(" "))
		s.until("what the keys drew", fmt.Sprintf(`restored > %d && digit.shadowRoot.getElementById("restored-note").textContent.startsWith("reads as 1")`, was))

		if over := eval[int](s, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s: the page is %d pixels wider than the screen", look.name, over)
		}
		for _, id := range []string{"play", "another", "draw", "timeline"} {
			if _, _, w := s.middle(id); w < 24 {
				t.Errorf("%s: %s is %v pixels wide", look.name, id, w)
			}
		}
		if wrong := eval[string](s, `wrong`); wrong != "" {
			t.Errorf("%s: %s", look.name, wrong)
		}
		s.accessible(look.name)
		if dir := os.Getenv("MPPM_SHOTS"); dir != "" {
			r, err := chromedp.Call(s.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, look.name+".png"), r.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// accessible fails the test with what axe-core finds wrong in the element.
func (s seen) accessible(look string) {
	s.t.Helper()
	script, err := os.ReadFile(filepath.Join(checks, "axe-core", "axe.min.js"))
	if err != nil {
		s.t.Fatalf("%v: %s", err, uninstalled)
	}
	s.do(chromedp.Evaluate[chromedp.Void](string(script) + "; 0"))
	found, err := chromedp.Run(s.ctx, chromedp.Evaluate[[]string](`axe.run("mppm-digit", { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })
		.then(({ violations }) => violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.target.join(" ") + ": " + n.failureSummary).join("; ")))`, chromedp.EvalAwaitPromise))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range found {
		s.t.Errorf("%s: %s", look, f)
	}
}
