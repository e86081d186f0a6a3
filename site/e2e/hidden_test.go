package e2e

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/host"
)

// countFrames counts the frames that a page draws, from its beginning. Once hold_
// says so, what waits for a frame gets none until release_.
const countFrames = `(f => {
	let held = [];
	window.frames_ = 0;
	window.hold_ = () => false;
	const ask = g => f.call(window, t => {
		if (hold_()) {
			held.push(g);
			return;
		}
		window.frames_++;
		g(t);
	});
	window.requestAnimationFrame = ask;
	window.release_ = () => {
		window.hold_ = () => false;
		for (const g of held.splice(0)) ask(g);
		return true;
	};
})(window.requestAnimationFrame)`

// TestHidden: in a tab that is behind another, a flow that plays stands still and
// no frame is drawn; in front again it goes on from where it was, without a jump.
func TestHidden(t *testing.T) {
	t.Run("restore", func(t *testing.T) {
		hidden(t, 12, "#restore-steps=12", func(s state) bool { return s.LDM != nil && s.LDM.Done == s.LDM.Total })
	})
	t.Run("manifold", func(t *testing.T) {
		hidden(t, 12, "#mode=manifold&manifold-steps=12&step=1", func(s state) bool { return s.Descent != nil && s.Descent.Ready })
	})
}

// hidden tests a flow of so many steps, which a link shows and which is there when
// ready says so.
func hidden(t *testing.T, steps int, link string, ready func(state) bool) {
	p := blank(t)
	p.focused(false)
	p.prefers("dark", moves)
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: countFrames}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(640, 480)) // small, and soon drawn
	p.do(chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{})) + link))
	p.ready()
	other, cancel := chromedp.NewContext(p.ctx, chromedp.WithNewWindow(false)) // in front of p, in its window
	defer cancel()
	behind := func(ctx context.Context, hidden string) {
		t.Helper()
		if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		p.until("document.hidden = "+hidden, `document.hidden === `+hidden)
	}
	if err := chromedp.Do(other); err != nil {
		t.Fatal(err)
	}
	behind(p.ctx, "false")
	p.rest("the way", func(s state) bool { return s.Steps == steps && ready(s) })
	// However long it takes to bring another tab to the front, the flow must not have
	// come to its end by then: the page holds its frames up after the third step.
	p.key(kb.Home)
	p.rest("the start", func(s state) bool { return s.Step == 0 && !s.Playing })
	eval[bool](p, `(window.hold_ = () => JSON.parse(mppm.state()).step > 2, true)`)
	p.key(" ")
	p.wait("the flow to play", func(s state) bool { return s.Playing && s.Step > 2 })

	behind(other, "true")
	eval[bool](p, `release_()`) // which asks for a frame, and gets none
	frames, was := eval[int](p, `frames_`), p.state()
	if !was.Playing || was.Step == was.Steps {
		t.Fatalf("the flow did not play when its tab was hidden: step %d of %d", was.Step, was.Steps)
	}
	// As long as the tab in front takes for ninety frames.
	if _, err := chromedp.Run(other, chromedp.Evaluate[bool](`new Promise(done => (function next(n) { n ? requestAnimationFrame(() => next(n - 1)) : done(true); })(90))`, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
	if now := eval[int](p, `frames_`); now != frames {
		t.Errorf("hidden, the page drew %d frames", now-frames)
	}
	if s := p.state(); s.Step != was.Step || !s.Playing {
		t.Errorf("hidden, the flow went from step %d to %d (playing: %v)", was.Step, s.Step, s.Playing)
	}

	behind(p.ctx, "false")
	s := p.rest("the end of the flow", func(s state) bool { return s.Step == s.Steps })
	drawn := eval[int](p, `frames_`) - frames
	if left := s.Steps - was.Step; drawn < left {
		t.Errorf("in front again, %d steps took %d frames: it jumped over what it would have shown", left, drawn)
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}
