package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/host"
)

// countFrames counts the frames that a page draws, from its beginning.
const countFrames = `(f => {
	window.frames_ = 0;
	window.requestAnimationFrame = g => f.call(window, t => { window.frames_++; g(t); });
})(window.requestAnimationFrame)`

// TestHidden: in a tab that is behind another, a flow that plays stands still and
// no frame is drawn; in front again it goes on from where it was, without a jump.
func TestHidden(t *testing.T) {
	// A long way, so that it still plays when the other tab is there.
	t.Run("restore", func(t *testing.T) {
		hidden(t, 60, "#restore-steps=60", func(s state) bool { return s.LDM != nil && s.LDM.Done == s.LDM.Total })
	})
	t.Run("manifold", func(t *testing.T) {
		hidden(t, 24, "#mode=manifold&manifold-steps=24&step=1", func(s state) bool { return s.Descent != nil && s.Descent.Ready })
	})
}

// hidden tests a flow of so many steps, which a link shows and which is there when
// ready says so.
func hidden(t *testing.T, steps int, link string, ready func(state) bool) {
	p := blank(t)
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: countFrames}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(640, 480)) // small, so that a slow machine draws it often
	p.do(chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{})) + link))
	p.ready()
	other, cancel := chromedp.NewContext(p.ctx, chromedp.WithNewWindow(false)) // in front of p, in its window
	defer cancel()
	front := func(ctx context.Context, hidden string) {
		t.Helper()
		if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
		p.until("document.hidden = "+hidden, `document.hidden === `+hidden)
	}
	if err := chromedp.Do(other); err != nil {
		t.Fatal(err)
	}
	front(p.ctx, "false")
	p.rest("a long way", func(s state) bool { return s.Steps == steps && ready(s) })
	p.key(kb.Home)
	p.rest("the start", func(s state) bool { return s.Step == 0 && !s.Playing })
	p.key(" ")
	p.wait("the flow to play", func(s state) bool { return s.Playing && s.Step > 2 })

	front(other, "true")
	frames, was := eval[int](p, `frames_`), p.state()
	if !was.Playing || was.Step == was.Steps {
		t.Fatalf("the flow did not play when its tab was hidden: step %d of %d", was.Step, was.Steps)
	}
	time.Sleep(1500 * time.Millisecond)
	if now := eval[int](p, `frames_`); now != frames {
		t.Errorf("hidden, the page drew %d frames", now-frames)
	}
	if s := p.state(); s.Step != was.Step || !s.Playing {
		t.Errorf("hidden, the flow went from step %d to %d (playing: %v)", was.Step, s.Step, s.Playing)
	}

	front(p.ctx, "false")
	s := p.rest("the end of the flow", func(s state) bool { return s.Step == s.Steps })
	drawn := eval[int](p, `frames_`) - frames
	if left := s.Steps - was.Step; drawn < left {
		t.Errorf("in front again, %d steps took %d frames: it jumped over what it would have shown", left, drawn)
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}
