package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// computed is what window.mppm.computed() returns.
type computed struct {
	Engines int    `json:"engines"`
	Digest  string `json:"digest"`
}

// digests returns those of a restoration, a grid, a walk in it and the flow of a point,
// and how many engines are there then.
func (p *tab) digests() (all [4]string, engines int) {
	p.t.Helper()
	p.rest("the restoration", func(s state) bool { return s.Steps > 0 && s.Step == s.Steps })
	get := func() computed { return eval[computed](p, `window.mppm.computed()`) }
	all[0] = get().Digest
	eval[string](p, `location.hash = "mode=generate&grid=5&grid-seed=7"`)
	p.rest("the grid", func(s state) bool { return s.Mode == "generate" && s.GridSeed == 7 && s.Steps > 0 && s.Step == s.Steps })
	all[1] = get().Digest
	p.click("walk")
	p.rest("the walk", func(s state) bool { return s.Walk && s.Subject == "walk" && s.Step == s.Steps })
	all[2] = get().Digest
	p.click("tab-map")
	p.wait("the map", func(s state) bool { return s.Mode == "map" && !s.Active && s.Place != nil })
	p.click("put")
	p.rest("the point", func(s state) bool { return s.Subject == "spot" && s.Steps > 0 && s.Step == s.Steps })
	all[3] = get().Digest
	return all, get().Engines
}

// TestEngines: what a page shows is the same to the last bit whether an engine computes
// it, several do, an engine does until it dies, or the page itself.
func TestEngines(t *testing.T) {
	t.Parallel()
	url := server(t, "/below/", host.Handler(dist, host.Options{}))
	cores := func(n string) string {
		return `Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => ` + n + ` });`
	}
	var want [4]string
	for _, c := range []struct {
		name, script string
		engines      int
	}{
		{"one", cores("2"), 1},
		{"several", cores("16"), 4},
		{"none", `delete window.Worker;`, 0},
		{"forbidden", `window.Worker = function() { throw new DOMException("The operation is insecure.", "SecurityError"); };`, 0},
		{"dying", cores("2") + `{
			const whole = window.Worker;
			window.Worker = function(script) {
				const w = new whole(script);
				setTimeout(() => w.postMessage([new Uint8Array([99])]), 1500); // which no engine outlives
				return w;
			};
		}`, 0},
		{"broken", cores("2") + `{
			const whole = window.Worker;
			window.Worker = function(script) {
				const w = new whole(script);
				const post = w.postMessage.bind(w);
				w.postMessage = (data, ...more) => post(data.program ? { program: new Uint8Array(8) } : data, ...more);
				return w;
			};
		}`, 0},
		{"absent", cores("2") + `{
			const whole = window.Worker;
			window.Worker = function(script) { return new whole(script + ".no"); };
		}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := blank(t)
			p.before(c.script)
			p.do(chromedp.Navigate(url))
			p.ready()
			got, engines := p.digests()
			if want[0] == "" {
				want = got
			}
			if got != want {
				t.Errorf("the digests are %v, of one engine %v", got, want)
			}
			if c.engines == 0 && strings.HasPrefix(c.script, cores("2")) {
				p.wait("the engine to be given up", func(state) bool { return eval[computed](p, `window.mppm.computed()`).Engines == 0 })
			} else if engines != c.engines {
				t.Errorf("%d engines compute, want %d", engines, c.engines)
			}
		})
	}
}
