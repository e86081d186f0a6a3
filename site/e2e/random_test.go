package e2e

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/shared/rng"
	"mppm/site/internal/host"
)

// usage is what a page holds and does.
type usage struct {
	Heap   float64 // of the Go program and the page's own objects, MB
	Nodes  int
	Errors int
}

// The page answers nobody while it is busy with one thing. That must not take
// longer than frozen, nor, where the machine is slow, than slower times what the
// longest thing took of its start.
const (
	frozen = 10 * time.Second
	slower = 10
)

// least is how many inputs there are, however slow the machine.
const least = 100

// TestRandomInput does to the page what no one would: clicks, drags, keys,
// touches, sizes, ends of sliders and links, at random. MPPM_RANDOM is for how
// long (10s, and a hundred inputs), MPPM_SEED which ones. The page must write no error, answer all the
// while, and hold no more memory in the end than half way.
func TestRandomInput(t *testing.T) {
	duration := 10 * time.Second
	if text := os.Getenv("MPPM_RANDOM"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			t.Fatalf("MPPM_RANDOM is %q; give a duration, as 10m", text)
		}
		duration = d
	}
	seed := uint64(1)
	if text := os.Getenv("MPPM_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatalf("MPPM_SEED: %v", err)
		}
	}
	src := rng.New(seed, 0)
	p := moving(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	// Downloads would fill the disk, the file dialog stops everything, and what a
	// page leaks is seen as long as no link leads away from it.
	eval[bool](p, `(HTMLAnchorElement.prototype.click = () => {}, document.querySelectorAll("input[type=file]").forEach(e => e.click = () => {}),
		addEventListener("click", e => { if (e.target.closest?.("a[href]:not([href^='#'])")) e.preventDefault(); }, true), true)`)
	eval[bool](p, `(window.longest = 0, new PerformanceObserver(list => {
		for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
	}).observe({type: "longtask", buffered: true}), true)`)
	p.frames() // by which the observer has been told
	limit := max(frozen, slower*time.Duration(eval[float64](p, `longest`)*1e6))
	width, height := 1280.0, 900.0
	at := func() (x, y float64) { return src.Float64() * width, src.Float64() * height }
	keys := []string{" ", "n", "d", "c", "m", "w", "t", "a", "b", "r", "l", "+", "-", "0", "1", "2", "3", "?", "\t", kb.Escape, kb.Enter, kb.ArrowLeft, kb.ArrowRight, kb.ArrowUp, kb.ArrowDown, kb.Home, kb.End}
	controls := eval[[]string](p, `[...document.querySelectorAll("button[id], input[id], select[id]")].filter(e => e.type !== "file").map(e => e.id)`)
	// Each says what it did.
	acts := []func() string{
		func() string {
			x, y := at()
			p.do(chromedp.MouseClickXY(x, y))
			return fmt.Sprintf("a click at %.0f, %.0f", x, y)
		},
		func() string {
			x, y := at()
			u, v := at()
			p.drag([2]float64{x, y}, [2]float64{u, v}, [2]float64{x, v})
			return fmt.Sprintf("a drag from %.0f, %.0f by %.0f, %.0f", x, y, u, v)
		},
		func() string {
			key := keys[src.IntN(len(keys))]
			p.key(key)
			return fmt.Sprintf("the key %q", key)
		},
		func() string { // a control, wherever it is
			id := controls[src.IntN(len(controls))]
			eval[bool](p, fmt.Sprintf(`(e => {
				if (e.type === "range" || e.type === "number") {
					e.value = [e.min, e.max, (+e.min + +e.max) / 2, "", "-7", "1e99"][%d];
					for (const name of ["input", "change"]) e.dispatchEvent(new Event(name, {bubbles: true}));
				} else if (e.tagName === "SELECT") {
					e.selectedIndex = %d %% e.options.length;
					e.dispatchEvent(new Event("change", {bubbles: true}));
				} else e.click();
				return true;
			})(document.getElementById(%q))`, src.IntN(6), src.IntN(20), id))
			return "the control " + id
		},
		func() string { // fingers, one or two
			x, y := at()
			u, v := at()
			n := 1 + src.IntN(2)
			points := func(t float64) [][2]float64 {
				return [][2]float64{{x + (u-x)*t, y + (v-y)*t}, {u, v}}[:n]
			}
			p.fingers(input.DispatchTouchEventTypeTouchStart, points(0)...)
			for k := range 4 {
				p.fingers(input.DispatchTouchEventTypeTouchMove, points(float64(k+1)/4)...)
			}
			p.fingers(input.DispatchTouchEventTypeTouchEnd)
			return fmt.Sprintf("fingers, %d", n)
		},
		func() string {
			x, y := at()
			wheel := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: x, Y: y, DeltaX: 0.01, DeltaY: 800*src.Float64() - 400}
			if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, wheel); err != nil {
				t.Fatal(err)
			}
			return "the wheel"
		},
		func() string { // another screen
			sizes := [][2]float64{{320, 500}, {360, 740}, {768, 1024}, {1280, 900}, {1920, 1080}}
			s := sizes[src.IntN(len(sizes))]
			width, height = s[0], s[1]
			p.do(chromedp.EmulateViewport(int64(width), int64(height), chromedp.EmulateScale(1+src.Float64())))
			return fmt.Sprintf("a screen of %v by %v", width, height)
		},
		func() string {
			p.prefers([]string{"dark", "light"}[src.IntN(2)], []string{still, moves}[src.IntN(2)])
			return "the theme and the motion"
		},
		func() string { // what links say, changed
			eval[bool](p, fmt.Sprintf(`(h => { location.hash = h.slice(0, %d) + "&seed=%d" + h.slice(%d); return true; })(location.hash.slice(1))`, src.IntN(80), src.IntN(1000), src.IntN(80)))
			return "the link"
		},
		func() string { // leave the dialogs, so that the page is reached again
			p.key(kb.Escape)
			return "Escape"
		},
	}
	const samples = 10
	var held []usage // at every tenth of the time
	var longest time.Duration
	var slow string
	n := 0
	start := time.Now()
	for n < least || time.Since(start) < duration {
		did := acts[src.IntN(len(acts))]()
		n++
		if n%10 == 0 {
			// The page answers, with what it draws: two frames of the browser's.
			p.frames()
		}
		if task := time.Duration(eval[float64](p, `longest`) * 1e6); task > longest {
			longest, slow = task, did
		}
		if time.Since(start) > duration*time.Duration(len(held)+1)/samples {
			held = append(held, p.usage())
		}
	}
	half, end := held[len(held)/2], p.usage()
	memory := make([]string, len(held))
	for i, u := range held {
		memory[i] = fmt.Sprintf("%.0f", u.Heap)
	}
	t.Logf("seed %d: %d inputs in %v, busy for %v at most (after %s); memory %s, in the end %.0f MB; %d nodes half way, %d in the end; %d errors",
		seed, n, time.Since(start).Round(time.Second), longest.Round(time.Millisecond), slow, strings.Join(memory, ", "), end.Heap, half.Nodes, end.Nodes, end.Errors)
	if longest > limit {
		t.Errorf("the page was frozen for %v, after %s; want %v at most", longest, slow, limit)
	}
	// A program's memory never shrinks: what is used once, as for an animation, may
	// come in the second half. What leaks grows beyond any such step in minutes.
	if end.Heap > half.Heap*1.5+60 {
		t.Errorf("memory grew from %.0f MB to %.0f MB", half.Heap, end.Heap)
	}
	if end.Nodes > half.Nodes+half.Nodes/2+500 {
		t.Errorf("the page grew from %d nodes to %d", half.Nodes, end.Nodes)
	}
	// After all that it is as it was, with what the browser has kept. In a tab of
	// its own: the page writes its address a while after the last input, and
	// chromedp takes that for the end of a navigation that it has just begun.
	again := open(t, eval[string](p, `location.href.split("#")[0] + "#seed=5"`))
	s := again.rest("the page, as ever", func(s state) bool { return s.Seed == 5 && s.Step == s.Steps && s.Steps > 0 })
	if math.IsNaN(s.MSEAfter) || s.MSEAfter > s.MSEBefore {
		t.Errorf("after all that, restoring gives %+v", s)
	}
}

// frames waits until the browser has drawn twice.
func (p *tab) frames() {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) usage() usage {
	p.t.Helper()
	u := eval[usage](p, `(globalThis.gc && gc(), {Heap: (performance.memory.usedJSHeapSize + mppm.memory()) / 1e6, Nodes: document.querySelectorAll("*").length})`)
	u.Errors = len(p.consoleErrors())
	return u
}
