package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// address waits until the address of the page is something, from its path on.
func (p *tab) address(want string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](fmt.Sprintf(`location.pathname + location.search + location.hash === %q`, want), chromedp.WithPollingTimeout(patience)))
}

// TestLinksFromElsewhere: the page shows what a link says however it was changed
// on its way, says what it cannot show, and every control shows what is.
func TestLinksFromElsewhere(t *testing.T) {
	t.Parallel()
	url := server(t, "/a/", host.Handler(dist, host.Options{}))
	p := open(t, url+"?fbclid=x#digit%3D3%26mode%3Dgenerate%26grid%3D3&amp;from=timeline&isappinstalled=0).")
	p.wait("what the link says", func(s state) bool { return s.Digit == 3 && s.Mode == "generate" && s.Grid == 3 })
	p.address("/a/?fbclid=x#mode=generate&digit=3&grid=3")
	if got := eval[string](p, `document.getElementById("grid-size").value`); got != "3" {
		t.Errorf("the grid's size is shown as %q", got)
	}
	q := open(t, url+"?seed=5&utm_source=x#digit=300&heat=off")
	s := q.wait("what the link says", func(s state) bool { return s.Seed == 5 && !s.Heat && s.Digit == 173 })
	if !strings.Contains(s.Status, "digit=300 is left out: it takes a whole number from 0 to 199") {
		t.Errorf("the page says %q", s.Status)
	}
	q.address("/a/?seed=5&utm_source=x#digit=300&heat=off") // to be mended
	q.set("seed", "6", "change")
	q.address("/a/#seed=6&heat=off") // of which a new start must give the same
	// The widest ranges, and a value between the steps of a slider.
	r := open(t, url+"#restore-alpha=0.123&restore-sigma=4&restore-steps=100")
	r.wait("what the link says", func(s state) bool { return s.Flow.Sigma == 4 && s.Steps == 100 })
	for id, want := range map[string]string{"alpha-value": "0.123", "sigma-value": "4.00", "steps-value": "100"} {
		if got := eval[string](r, fmt.Sprintf(`document.getElementById(%q).textContent`, id)); !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %s", id, got, want)
		}
	}
}

// later returns what a promise is kept with.
func later(p *tab, js string) float64 {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[float64](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// TestAddressFollowsAtOnce: the address says what is on the screen while it still
// plays, a new start gives that, and however fast one changes things, browsers
// let the address follow.
func TestAddressFollowsAtOnce(t *testing.T) {
	t.Parallel()
	url := server(t, "/", host.Handler(dist, host.Options{}))
	p := moving(t, url+"#restore-steps=100") // takes twenty seconds
	p.set("seed", "12", "change")
	p.do(chromedp.Poll[chromedp.Void](`location.hash.includes("seed=12")`, chromedp.WithPollingTimeout(patience)))
	if s := p.state(); !s.Playing && !s.Busy {
		t.Errorf("the address waits until playing is over: %+v", s)
	}
	address := eval[string](p, `location.href`)
	if err := chromedp.Cancel(p.ctx); err != nil { // it would play on
		t.Fatal(err)
	}
	again := open(t, address)
	again.wait("the same", func(s state) bool { return s.Seed == 12 && s.Steps == 100 })
	// After a refusal too.
	again.set("alpha", "0.99", "input")
	again.wait("α to stop", func(s state) bool { return strings.Contains(s.Status, "must stay below 1") })
	again.do(chromedp.Poll[chromedp.Void](`location.hash.includes("restore-alpha=")`, chromedp.WithPollingTimeout(patience)))
	// A drag of many changes.
	soonest := later(again, `new Promise(done => {
		const at = [], replace = history.replaceState;
		history.replaceState = function () { at.push(performance.now()); return replace.apply(this, arguments); };
		const slider = document.getElementById("brush");
		let n = 0;
		const move = () => {
			slider.value = n % 2 ? "1.2" : "4.8";
			slider.dispatchEvent(new Event("input", { bubbles: true }));
			if (++n < 100) requestAnimationFrame(move);
			else (function wait() {
				if (location.hash.includes("brush=1.2")) done(Math.min(1e9, ...at.slice(1).map((t, i) => t - at[i])));
				else setTimeout(wait, 50);
			})();
		};
		move();
	})`)
	if soonest < 300 {
		t.Errorf("the address changes again after %.0f ms", soonest)
	}
}
