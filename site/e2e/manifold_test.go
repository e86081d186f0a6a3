package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/host"
)

// figure is what was chosen in Manifold.
type figure struct {
	Curve  string     `json:"curve"`
	At     [3]float64 `json:"at"`
	Seed   uint64     `json:"seed"`
	Camera struct {
		Azimuth   float64 `json:"azimuth"`
		Elevation float64 `json:"elevation"`
		Zoom      float64 `json:"zoom"`
		X         float64 `json:"x"`
		Y         float64 `json:"y"`
	} `json:"camera"`
	MPPM         bool `json:"mppm"`
	DAE          bool `json:"dae"`
	DDPM         bool `json:"ddpm"`
	Slice        bool `json:"slice"`
	Construction bool `json:"construction"`
	Drawn        struct {
		Strokes string  `json:"strokes"`
		Points  int     `json:"points"`
		Blur    float64 `json:"blur"`
		Seed    uint64  `json:"seed"`
		Codes   int     `json:"codes"`
	} `json:"drawn"`
	Flow struct {
		Alpha    float64 `json:"alpha"`
		Beta     float64 `json:"beta"`
		SigmaD   float64 `json:"sigma_d"`
		SigmaKer float64 `json:"sigma_ker"`
		Steps    int     `json:"steps"`
	} `json:"flow"`
}

// descent is where the ways home are.
type descent struct {
	Ready   bool                  `json:"ready"`
	D       float64               `json:"d"`
	Start   float64               `json:"start"`
	Off     map[string]float64    `json:"off"`
	X       map[string][3]float64 `json:"x"`
	Diffuse int                   `json:"diffuse"`
	Own     *ownCurve             `json:"own"`
}

// ownCurve is what there is of a curve of one's own.
type ownCurve struct {
	ID      int                `json:"id"`
	Name    string             `json:"name"`
	Sheets  int                `json:"sheets"`
	Strokes int                `json:"strokes"`
	Points  int                `json:"points"`
	Learnt  bool               `json:"learnt"`
	Says    string             `json:"says"`
	Running bool               `json:"running"`
	Failed  bool               `json:"failed"`
	Step    int                `json:"step"`
	Steps   int                `json:"steps"`
	Held    map[string]float64 `json:"held"`
	Frames  int                `json:"frames"`
}

// home reports whether the curve is shown, every method has taken the point home,
// and nothing moves.
func home(s state) bool {
	return s.Mode == "manifold" && !s.Active && s.Step == s.Steps && s.Steps > 0 && s.Descent != nil && s.Descent.Ready
}

func TestManifold(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	restored := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.key("4")
	first := p.rest("the ways home", home)
	if d := first.Descent; first.Figure.Curve != "circle" || d.Start < 0.5 || d.Off["mppm"] > 0.02 || d.Diffuse < 10 {
		t.Errorf("Manifold starts with %+v, %+v", first.Figure, d)
	}
	if want := fmt.Sprintf(" · %.2f from the curve", first.Descent.Off["mppm"]); !strings.HasSuffix(first.Status, want) {
		t.Errorf("the status is %q, want it to end in %q", first.Status, want)
	}
	if got, want := eval[string](p, `document.getElementById("off-dae").textContent`), fmt.Sprintf("%.3f", first.Descent.Off["dae"]); got != want {
		t.Errorf("the table says DAE %s, want %s", got, want)
	}
	sliced, bright, colored := shares(p.picture("#manifold"))
	if bright < 0.0005 || colored < 0.005 {
		t.Errorf("%.2f %% of the figure are bright and %.2f %% have a color; want the curve and the ways", 100*bright, 100*colored)
	}
	if _, _, colored := shares(p.picture("#plot")); colored < 0.003 {
		t.Error("the distances are not plotted")
	}

	// Dragging the ground turns the curve, and drops nothing.
	m := p.reveal("#manifold")
	at := func(x, y float64) [2]float64 { return [2]float64{m.X + x*m.W, m.Y + y*m.H} }
	p.drag(at(0.1, 0.9), at(0.2, 0.8))
	turned := p.rest("another view", func(s state) bool { return home(s) && s.Figure.Camera.Azimuth < first.Figure.Camera.Azimuth-10 })
	if turned.Figure.At != first.Figure.At || turned.Figure.Camera.Elevation >= first.Figure.Camera.Elevation {
		t.Errorf("dragging the ground to the right and up gave %+v, was %+v", turned.Figure, first.Figure)
	}
	// A click drops the point where it is.
	c := at(0.3, 0.35)
	p.do(chromedp.MouseClickXY(c[0], c[1]))
	dropped := p.rest("another point", func(s state) bool { return home(s) && s.Figure.At != first.Figure.At })
	if dropped.Descent.Off["mppm"] > dropped.Descent.Start/3 || dropped.Figure.Camera != turned.Figure.Camera {
		t.Errorf("a click gave %+v, %+v", dropped.Figure, dropped.Descent)
	}
	// There it is taken, and dragged.
	p.drag(c, at(0.55, 0.2))
	dragged := p.rest("the point, dragged", func(s state) bool { return home(s) && s.Figure.At != dropped.Figure.At })
	if dragged.Figure.Camera != turned.Figure.Camera {
		t.Error("dragging the point turned the curve")
	}
	// The wheel enlarges, and does not scroll the page.
	scroll := eval[float64](p, `scrollY`)
	wheel := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: c[0], Y: c[1], DeltaX: 0.01, DeltaY: -200} // a DeltaX of 0 would not be sent
	if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, wheel); err != nil {
		t.Fatal(err)
	}
	p.rest("a closer look", func(s state) bool { return home(s) && s.Figure.Camera.Zoom > 1.2 })
	if now := eval[float64](p, `scrollY`); now != scroll {
		t.Errorf("the wheel scrolled the page by %v", now-scroll)
	}
	// Keys turn it, and move the point.
	p.do(chromedp.Focus("#manifold"))
	p.key(kb.ArrowRight)
	p.rest("a turn by keyboard", func(s state) bool {
		return home(s) && s.Figure.Camera.Azimuth != turned.Figure.Camera.Azimuth && s.Figure.At == dragged.Figure.At
	})
	p.do(chromedp.KeyEvent(kb.ArrowUp, chromedp.KeyModifiers(chromedp.ModifierShift)))
	p.rest("the point, moved by keyboard", func(s state) bool { return s.Step == 0 && s.Figure.At != dragged.Figure.At })
	p.key("0" + kb.End)
	p.rest("the first view", func(s state) bool { return home(s) && s.Figure.Camera == first.Figure.Camera })

	// One at a time, and Fig. 3.
	for _, name := range []string{"way-dae", "way-ddpm", "slice", "construction"} {
		p.click(name)
	}
	s := p.rest("MPPM alone", func(s state) bool { return home(s) && !s.Figure.DAE && !s.Figure.DDPM && s.Figure.Construction })
	if s.Figure.Slice || eval[bool](p, `document.getElementById("fig3").hidden`) {
		t.Errorf("with MPPM alone: %+v, %q", s.Figure, s.Status)
	}
	if dark, _, _ := shares(p.picture("#manifold")); dark < sliced+0.3 {
		t.Errorf("%.0f %% of the figure are dark without the slice, %.0f %% with it", 100*dark, 100*sliced)
	}
	p.click("way-mppm")
	p.rest("none", func(s state) bool { return home(s) && !s.Figure.MPPM })
	p.click("way-mppm")
	p.click("way-ddpm")

	// The sliders, their marks, and the one reset.
	p.click("flow > summary")
	if eval[bool](p, `["sigma", "tau"].some(n => !document.getElementById(n + "-field").hidden) || ["sigma-d", "sigma-ker"].some(n => document.getElementById(n + "-field").hidden)`) {
		t.Error("the sliders are not those of Manifold")
	}
	p.slide("sigma-d", 0.6)
	p.slide("sigma-ker", 0.5)
	s = p.rest("a wide kernel", func(s state) bool { return home(s) && s.Figure.Flow.SigmaD > 0.2 && s.Figure.Flow.SigmaKer > 0.2 })
	if s.Flow != first.Flow || !strings.Contains(eval[string](p, `document.getElementById("sigma-d-value").textContent`), "default 0.02") {
		t.Errorf("after the sliders: %+v, %q", s.Flow, eval[string](p, `document.getElementById("sigma-d-value").textContent`))
	}
	p.click("random-point")
	s = p.rest("a random point", func(n state) bool { return home(n) && n.Figure.Seed == s.Figure.Seed+1 })

	// The link opens what is seen, elsewhere.
	p.click("back")
	here := p.rest("a step back", func(n state) bool { return n.Step == s.Steps-1 && !n.Active })
	p.click("copy-link")
	p.wait("an answer", func(s state) bool {
		return strings.Contains(s.Status, "Link copied") || strings.Contains(s.Status, "address bar")
	})
	q := open(t, eval[string](p, `location.href`))
	there := q.rest("the same", func(n state) bool { return n.Mode == "manifold" && n.Step == here.Step && n.Descent.Ready && !n.Active })
	if there.Figure != here.Figure || fmt.Sprint(there.Descent) != fmt.Sprint(here.Descent) {
		t.Errorf("the link gives\n%+v %+v, was\n%+v %+v", there.Figure, there.Descent, here.Figure, here.Descent)
	}
	p.click("reset-flow")
	p.rest("the defaults", func(s state) bool { return s.Figure.Flow == first.Figure.Flow })

	// The other curves.
	for _, name := range []string{"spiral", "moons", "trefoil"} {
		p.choose("bend", name)
		s := p.rest(name, func(s state) bool { return home(s) && s.Figure.Curve == name })
		if s.Descent.Off["mppm"] > 0.05 || (name != "trefoil") != (s.Figure.At[2] == 0) {
			t.Errorf("%s: from %v, MPPM ends %v from the curve", name, s.Figure.At, s.Descent.Off["mppm"])
		}
		if name != "moons" {
			continue
		}
		// A flat one is moved instead of turned.
		m := p.reveal("#manifold")
		p.drag([2]float64{m.X + 0.1*m.W, m.Y + 0.9*m.H}, [2]float64{m.X + 0.2*m.W, m.Y + 0.8*m.H})
		moved := p.rest("the moons, moved", func(s state) bool { return home(s) && s.Figure.Camera.X < -0.1 && s.Figure.Camera.Y < -0.1 })
		if moved.Figure.At != s.Figure.At || moved.Figure.Camera.Azimuth != s.Figure.Camera.Azimuth {
			t.Errorf("dragging the ground beside the moons gave %+v, was %+v", moved.Figure, s.Figure)
		}
	}
	p.click("tab-restore")
	p.rest("Restore, as it was", func(s state) bool { return s.Mode == "restore" && s.MSEAfter == restored.MSEAfter })
}

// TestManifoldTouch turns and enlarges the curve with fingers, and taps a point.
func TestManifoldTouch(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.do(
		chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)),
		chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))+"#mode=manifold"),
	)
	p.ready()
	first := p.rest("the ways home", home)
	m := p.reveal("#manifold")
	x, y := m.X+m.W/2, m.Y+m.H*0.8
	scroll := eval[float64](p, `scrollY`)
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x, y})
	for i := range 6 {
		p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x - 10*float64(i+1), y - 6*float64(i+1)})
	}
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	turned := p.rest("another view", func(s state) bool { return home(s) && s.Figure.Camera.Azimuth > first.Figure.Camera.Azimuth+10 })
	if turned.Figure.At != first.Figure.At {
		t.Error("turning dropped a point")
	}
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 20, y})
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 20, y}, [2]float64{x + 20, y})
	for i := range 5 {
		d := 20 + 10*float64(i)
		p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x - d, y}, [2]float64{x + d, y})
	}
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	closer := p.rest("a closer look", func(s state) bool { return home(s) && s.Figure.Camera.Zoom > 2 })
	if closer.Figure.At != first.Figure.At || math.Abs(closer.Figure.Camera.Azimuth-turned.Figure.Camera.Azimuth) > 12 {
		t.Errorf("two fingers gave %+v, was %+v", closer.Figure, turned.Figure)
	}
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 90, y})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.rest("a point", func(s state) bool { return home(s) && s.Figure.At != first.Figure.At })
	if now := eval[float64](p, `scrollY`); now != scroll {
		t.Errorf("the page scrolled by %v under the fingers", now-scroll)
	}
	if w := eval[float64](p, `document.documentElement.scrollWidth`); w > 360 {
		t.Errorf("on a screen of 360 pixels Manifold's page is %v wide", w)
	}
	for _, e := range p.consoleErrors() {
		t.Errorf("console: %s", e)
	}
}
