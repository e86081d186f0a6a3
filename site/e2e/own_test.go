package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"mppm/site/internal/host"
)

// eight returns n places of a figure eight on an element.
func eight(m box, n int) (list [][2]float64) {
	a := min(0.36*m.H, 0.2*m.W)
	for i := range n + 1 {
		sin, cos := math.Sincos(2*math.Pi*float64(i)/float64(n) + math.Pi/2)
		d := 1 + sin*sin
		list = append(list, [2]float64{m.X + m.W/2 + 2*a*cos/d, m.Y + m.H/2 + 2.4*a*sin*cos/d})
	}
	return list
}

// beside returns ten places around the eight, as a stroke would have it.
func beside(m box) (list [][2]float64) {
	for i, p := range eight(m, 10)[:10] {
		off := 0.07 * m.H * float64(1+i%3)
		list = append(list, [2]float64{p[0] + off*float64(i%2*2-1), p[1] - off})
	}
	return list
}

// fewPoints has the training take seconds.
const fewPoints = "mode=manifold&curve=own&points=100"

// modelLearnt reports whether MPPM has been learnt, and no more than that.
func modelLearnt(s state) bool {
	_, next := s.Descent.Own.Held["dae"]
	return next || s.Descent.Own.Failed || !s.Descent.Own.Running
}

// mostOff is how far from the strokes points may end in the mean: 0.03 of the eight's size.
const mostOff = 0.03 * 2

// TestDrawYourOwn draws a figure eight, has it learnt, drops points while it is and
// thereafter, and saves it.
func TestDrawYourOwn(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{}))+"#"+fewPoints)
	own := func(ok func(o *ownCurve) bool) func(state) bool {
		return func(s state) bool { return s.Descent != nil && s.Descent.Own != nil && ok(s.Descent.Own) }
	}
	p.wait("an empty sheet", own(func(o *ownCurve) bool { return o.Strokes == 0 }))
	p.click("train")
	p.wait("what to do", func(s state) bool { return strings.Contains(s.Status, "draw a stroke") })
	m := p.reveal("#manifold")
	stroke := func(through [][2]float64) {
		t.Helper()
		p.mouse(input.DispatchMouseEventTypeMousePressed, through[0][0], through[0][1])
		for _, at := range through[1:] {
			p.mouse(input.DispatchMouseEventTypeMouseMoved, at[0], at[1])
		}
		last := through[len(through)-1]
		p.mouse(input.DispatchMouseEventTypeMouseReleased, last[0], last[1])
	}
	stroke(eight(m, 40))
	p.wait("a stroke", own(func(o *ownCurve) bool { return o.Strokes == 1 && o.Points == 100 }))
	stroke([][2]float64{{m.X + 20, m.Y + 20}, {m.X + 60, m.Y + 40}})
	p.wait("another", own(func(o *ownCurve) bool { return o.Strokes == 2 }))
	p.do(chromedp.KeyEvent("z", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.wait("no other", own(func(o *ownCurve) bool { return o.Strokes == 1 }))
	p.key("t")
	first := p.wait("something learnt", func(s state) bool { return home(s) && s.Descent.Own.Learnt })
	if !first.Descent.Own.Running {
		t.Errorf("at first: %+v", first.Descent.Own)
	}
	drop := func(at [2]float64) state {
		t.Helper()
		was := p.state().Figure.At
		p.do(chromedp.MouseClickXY(at[0], at[1]))
		p.wait("a point", func(s state) bool { return s.Figure.At != was })
		return p.wait("the ways home", func(s state) bool { return s.Descent.Ready && !s.Busy })
	}
	if s := drop(beside(m)[3]); s.Descent.Own.Failed {
		t.Errorf("while it is learnt: %+v", s.Descent)
	}
	p.wait("the curve to be learnt", modelLearnt)
	eval[bool](p, `(document.getElementById("train-stop").click(), true)`) // it may be over
	s := p.wait("the end", own(func(o *ownCurve) bool { return !o.Running }))
	if o := s.Descent.Own; o.Failed || o.Says == "" || o.Frames < 2 {
		t.Fatalf("stopped: %+v", o)
	}
	var off float64
	for _, at := range beside(m) {
		off += drop(at).Descent.Off["mppm"] / 10
	}
	if !(off < mostOff) {
		t.Errorf("of ten points the mean distance from the strokes is %.3f at the end, want less than %.3f", off, mostOff)
	}
	t.Logf("ten points end %.4f from the strokes in the mean", off)
	if got, want := eval[string](p, `document.getElementById("own-command").textContent`), "mppm train points --in my-curve-1.csv --seed 1 "; !strings.HasPrefix(got, want) {
		t.Errorf("the page says the command is %q, want %q", got, want)
	}
	// The link shows the strokes, and trains nothing.
	p.click("copy-link") // by which the address says it
	p.wait("an answer", func(s state) bool {
		return strings.Contains(s.Status, "Link copied") || strings.Contains(s.Status, "address bar")
	})
	q := open(t, eval[string](p, `location.href`))
	there := q.rest("the strokes", func(s state) bool { return s.Descent != nil && s.Descent.Own != nil && s.Descent.Own.Strokes == 1 })
	if o := there.Descent.Own; o.Learnt || o.Running || there.Figure.Drawn != s.Figure.Drawn {
		t.Errorf("the link opens %+v, %+v, was %+v", o, there.Figure.Drawn, s.Figure.Drawn)
	}
	// Points that are dropped as a file.
	eval[bool](q, `(d => {
		d.items.add(new File(["x,y\n" + Array.from({length: 60}, (_, i) => Math.cos(i / 10) + "," + Math.sin(i / 10)).join("\n")], "ring.csv", {type: "text/csv"}));
		return dispatchEvent(new DragEvent("drop", {dataTransfer: d, cancelable: true}));
	})(new DataTransfer())`)
	q.wait("the points", func(s state) bool { return s.Descent.Own.Name == "ring" && s.Descent.Own.Points == 60 })
	eval[bool](q, `(d => {
		d.items.add(new File(["x,y\n1,2\n3,NaN\n"], "odd.csv", {type: "text/csv"}));
		return dispatchEvent(new DragEvent("drop", {dataTransfer: d, cancelable: true}));
	})(new DataTransfer())`)
	q.wait("what is wrong", func(s state) bool {
		return strings.Contains(s.Status, "line 3, column 2") && s.Descent.Own.Points == 60
	})
	for _, tab := range []*tab{p, q} {
		for _, e := range tab.consoleErrors() {
			t.Errorf("console: %s", e)
		}
	}
}

// pointer has Firefox do what a mouse does at places of the window: with the button down
// from the first to the last.
func (f *firefox) pointer(through [][2]float64) {
	f.t.Helper()
	move := func(at [2]float64) map[string]any {
		return map[string]any{"type": "pointerMove", "duration": 0, "x": int(at[0]), "y": int(at[1]), "origin": "viewport"}
	}
	actions := []map[string]any{move(through[0]), {"type": "pointerDown", "button": 0}}
	for _, at := range through[1:] {
		actions = append(actions, move(at))
	}
	actions = append(actions, map[string]any{"type": "pointerUp", "button": 0})
	f.call("WebDriver:PerformActions", map[string]any{"actions": []any{map[string]any{
		"type": "pointer", "id": "mouse", "parameters": map[string]any{"pointerType": "mouse"}, "actions": actions,
	}}})
}

// TestDrawInFirefox does the same in another browser.
func TestDrawInFirefox(t *testing.T) {
	t.Parallel()
	f := startFirefox(t, `user_pref("ui.prefersReducedMotion", 1);`) // points are at home at once
	f.call("WebDriver:SetWindowRect", map[string]any{"width": 1280, "height": 1000})
	f.call("WebDriver:Navigate", map[string]any{"url": server(t, "/", host.Handler(dist, host.Options{})) + "#" + fewPoints})
	f.rest("an empty sheet", func(s state) bool { return s.Descent != nil && s.Descent.Own != nil })
	var m box
	text := f.script(`const e = document.getElementById("manifold"); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return JSON.stringify({X: r.left, Y: r.top, W: r.width, H: r.height})`)
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	f.pointer(eight(m, 40))
	f.rest("a stroke", func(s state) bool { return s.Descent.Own.Strokes == 1 })
	f.click("#train")
	f.rest("the curve to be learnt", modelLearnt)
	f.script(`document.getElementById("train-stop").click(); return ""`)
	s := f.rest("the end", func(s state) bool { return home(s) && !s.Descent.Own.Running })
	if s.Descent.Own.Failed {
		t.Fatalf("stopped: %+v", s.Descent.Own)
	}
	f.script(`document.getElementById("manifold").scrollIntoView({block: "center"}); return ""`)
	var off float64
	for _, at := range beside(m) {
		was := s.Figure.At
		f.pointer([][2]float64{at})
		s = f.rest("the ways home", func(s state) bool { return home(s) && s.Figure.At != was })
		off += s.Descent.Off["mppm"] / 10
	}
	if !(off < mostOff) {
		t.Errorf("of ten points the mean distance from the strokes is %.3f at the end, want less than %.3f", off, mostOff)
	}
	t.Logf("ten points end %.4f from the strokes in the mean", off)
	for _, line := range pageError.FindAllString(f.written(), -1) {
		t.Errorf("Firefox: %s", line)
	}
}

// learnStrokes is what has a page learn a curve of a link.
func learnStrokes(points int) string {
	return fmt.Sprintf(`location.hash = "mode=manifold&curve=own&points=%d&strokes=ASwAAHeMAUFCRT5PNFcoXxRnBWMpWU89cReJARiJAT5xWk9kKWgFYBRYKFA0Rj5CQvABmAJCQkY-UDRYKGAUaAVkKVpPPnEYiQEXiQE9cVlPYylnBV8UVyhPNEU-QUJ3jAE"; setTimeout(() => document.getElementById("train").click(), 1000); ""`, points)
}
