package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mppm/site/internal/host"
)

// TestComparison: the autoencoder and diffusion restore the same digit beside the
// flow, once their weights are there, and what is shown does not wait for them.
func TestComparison(t *testing.T) {
	t.Parallel()
	p := moving(t, server(t, "/", host.Handler(dist, host.Options{})))
	s := p.wait("the comparison", func(s state) bool { return s.Step == s.Steps && s.LDM != nil && s.LDM.Done == s.LDM.Total && !s.Active })
	if s.DAE == nil || s.DAE.MSE >= s.MSEBefore/4 || s.LDM.MSE >= s.MSEBefore/4 || s.LDM.Total < 100 {
		t.Errorf("of an error of %.3f the autoencoder leaves %+v and diffusion %+v", s.MSEBefore, s.DAE, s.LDM)
	}
	for _, name := range []string{"dae", "ldm"} {
		if dark, bright, _ := shares(p.picture(`[data-place="` + name + `"]`)); dark < 0.5 || bright < 0.02 {
			t.Errorf("%s: %.0f %% of the pixels are dark and %.0f %% bright; a digit has more of both", name, 100*dark, 100*bright)
		}
		if got := eval[string](p, `document.getElementById("mse-`+name+`").textContent`); !strings.HasPrefix(got, "0.0") {
			t.Errorf("%s: the table says %q", name, got)
		}
	}
	end := s.LDM.MSE
	p.key(kb.Home)
	s = p.rest("the start of diffusion", func(s state) bool { return s.Step == 0 && s.LDM != nil })
	if math.Abs(s.LDM.MSE-s.DAE.MSE) > 1e-3 || s.LDM.MSE == end {
		t.Errorf("diffusion starts with an error of %.4f and ends with %.4f; want it to start from the autoencoder's, %.4f", s.LDM.MSE, end, s.DAE.MSE)
	}
	// Other damage: diffusion starts over, and the page answers meanwhile.
	p.click("severe")
	s = p.wait("diffusion under way", func(s state) bool { return s.Severity == 0.85 && s.Active })
	p.click("forward")
	p.wait("a step meanwhile", func(s state) bool { return s.Step >= 1 })
	p.wait("the other comparison", func(s state) bool { return !s.Active && s.LDM != nil && s.LDM.MSE != end })
}

// TestSlidersAndSwitches drags every slider by its thumb, and throws every
// switch.
func TestSlidersAndSwitches(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	first := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.slide("severity", 0.2)
	p.rest("less noise", func(s state) bool { return s.Severity < 0.5 && s.MSEBefore < first.MSEBefore })
	p.slide("brush", 1)
	p.wait("the widest brush", func(state) bool {
		return eval[string](p, `document.getElementById("brush-value").textContent`) == "5.0 px"
	})
	p.slide("timeline", 0.4)
	p.rest("a step in the middle", func(s state) bool { return s.Step > s.Steps/5 && s.Step < s.Steps*3/5 })
	p.click("flow > summary")
	for id, got := range map[string]func(preset) float64{
		"alpha": func(f preset) float64 { return f.Alpha }, "beta": func(f preset) float64 { return f.Beta },
		"sigma": func(f preset) float64 { return f.Sigma }, "tau": func(f preset) float64 { return f.Tau },
		"steps": func(f preset) float64 { return float64(f.Steps) },
	} {
		was := got(first.Flow)
		p.slide(id, 0.12)
		p.rest(id, func(s state) bool { return got(s.Flow) != was })
		if eval[bool](p, fmt.Sprintf(`!document.getElementById("%s-field").classList.contains("changed")`, id)) {
			t.Errorf("%s is changed, and not marked so", id)
		}
	}
	p.click("reset-flow")
	p.rest("the defaults", func(s state) bool { return s.Flow == first.Flow })
	for id, got := range map[string]func(preset) float64{
		"force-alpha": func(f preset) float64 { return f.Alpha }, "force-beta": func(f preset) float64 { return f.Beta },
	} {
		was := got(first.Flow)
		p.click(id)
		p.rest("without "+id, func(s state) bool { return got(s.Flow) == 0 })
		p.do(chromedp.Focus("#" + id))
		p.key(" ")
		p.rest("with "+id, func(s state) bool { return got(s.Flow) == was })
	}
	p.click("mild")
	p.rest("mild damage", func(s state) bool { return s.Severity == 0.7 })
	p.choose("kind", "scribble")
	p.rest("scribbles", func(s state) bool { return s.Kind == "scribble" && s.Step == s.Steps })
	p.enter("seed", "123")
	p.rest("the seed that was typed", func(s state) bool { return s.Seed == 123 })
}

// TestBringAnImage opens, drops and pastes a photograph-like picture of a digit,
// dark on light, large and off the middle; it is shown before it is used.
func TestBringAnImage(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 1500, 900))
	for i := range img.Pix {
		x, y := i%1500, i/1500
		img.Pix[i] = 225
		if x > 200 && x < 240 && y > 150 && y < 700 { // a one, at the left
			img.Pix[i] = 30
		}
	}
	file := filepath.Join(t.TempDir(), "one.png")
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	give := func(name string) {
		t.Helper()
		p.do(chromedp.SetUploadFiles("#file", []string{name}))
	}
	give(file)
	p.do(chromedp.WaitVisible("#offer"))
	if s := p.state(); s.Source != "digit" {
		t.Error("the picture was used before it was shown")
	}
	if _, bright, _ := shares(p.picture("#offer-picture")); bright < 0.02 || bright > 0.3 {
		t.Errorf("%.0f %% of the offered picture is bright; want light ink on dark", 100*bright)
	}
	p.click("offer-drop")
	p.do(chromedp.WaitNotVisible("#offer"))
	give(file)
	p.do(chromedp.WaitVisible("#offer"))
	p.key(kb.Escape)
	p.do(chromedp.WaitNotVisible("#offer"))
	if s := p.state(); s.Source != "digit" {
		t.Error("a picture that was left was used")
	}
	give(file)
	p.do(chromedp.WaitVisible("#offer"))
	p.click("offer-take")
	s := p.rest("the picture", func(s state) bool { return s.Source == "picture" && s.Kind == "none" && s.Reads.Confidence > 0 })
	if s.ReadsFirst.Digit != 1 {
		t.Errorf("the bar reads as %+v, want 1", s.ReadsFirst)
	}
	p.do(chromedp.Poll[chromedp.Void](`location.hash.includes("picture=")`))
	q := open(t, eval[string](p, `location.href`))
	if there := q.rest("the picture, from a link", func(s state) bool { return s.Source == "picture" && s.Step == s.Steps }); there.MSEAfter != s.MSEAfter {
		t.Errorf("the link gives %v, was %v", there.MSEAfter, s.MSEAfter)
	}
	// From the clipboard, and from the desk: the events a browser makes of them.
	for _, event := range []string{
		`window.dispatchEvent(new ClipboardEvent("paste", {clipboardData: d, bubbles: true, cancelable: true}))`,
		`document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: d, bubbles: true, cancelable: true}))`,
	} {
		q.do(chromedp.Evaluate[chromedp.Void](`(async () => {
			const c = new OffscreenCanvas(60, 60), x = c.getContext("2d");
			x.fillStyle = "#000"; x.fillRect(0, 0, 60, 60); x.fillStyle = "#fff"; x.fillRect(25, 10, 8, 40);
			const d = new DataTransfer();
			d.items.add(new File([await c.convertToBlob()], "x.png", {type: "image/png"}));
			`+event+`;
		})()`, chromedp.EvalAwaitPromise))
		q.do(chromedp.WaitVisible("#offer"))
		q.click("offer-drop")
		q.do(chromedp.WaitNotVisible("#offer"))
	}
	bad := filepath.Join(t.TempDir(), "bad.png")
	if err := os.WriteFile(bad, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	give(bad)
	p.wait("a refusal", func(s state) bool { return strings.Contains(s.Status, "no image") })
}

// TestGrid goes through what Generate offers.
func TestGrid(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.key("2")
	whole := func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 }
	p.rest("a grid", whole)
	p.choose("class", "7")
	p.rest("sevens", func(s state) bool { return whole(s) && s.Class == 7 })
	sevens := 0
	for i := range 12 {
		p.enter("selected", fmt.Sprint(i+1))
		s := p.rest("one of them", func(s state) bool { return s.Selected == i && s.Reads.Confidence > 0 })
		if s.Reads.Digit == 7 {
			sevens++
		}
	}
	if sevens < 10 {
		t.Errorf("of 12 sevens %d read as 7", sevens)
	}
	p.choose("class", "-1")
	p.rest("all digits", func(s state) bool { return whole(s) && s.Class == -1 })
	p.enter("selected", "37")
	p.wait("a refusal that counts as the page does", func(s state) bool { return s.Status == "the grid has no cell 37; it has 36" })
	if got := eval[string](p, `document.getElementById("selected").value`); got != "12" {
		t.Errorf("after the refusal the field says %q; want 12", got)
	}
	p.choose("grid-size", "10")
	p.rest("a hundred digits", func(s state) bool { return whole(s) && s.Grid == 10 })
	// By keyboard within the grid.
	p.do(chromedp.Focus("#grid"))
	p.enter("selected", "1")
	p.do(chromedp.Focus("#grid"))
	p.key(kb.ArrowRight + kb.ArrowDown + kb.ArrowDown)
	p.rest("the digit below", func(s state) bool { return s.Selected == 21 })
	p.click("more")
	like := p.rest("more like it", func(s state) bool { return whole(s) && s.Like != "" && s.Selected == 0 && s.Reads.Confidence > 0 })
	same := 0
	for i := range 8 {
		p.enter("selected", fmt.Sprint(i+2))
		s := p.rest("one of them", func(s state) bool { return s.Selected == i+1 && s.Reads.Confidence > 0 })
		if s.Reads.Digit == like.Reads.Digit {
			same++
		}
	}
	if same < 5 {
		t.Errorf("of 8 digits like a %d, %d read as one", like.Reads.Digit, same)
	}
	p.click("all-digits")
	p.rest("noise again", func(s state) bool { return whole(s) && s.Like == "" })
	// A walk from the first to the last.
	p.enter("selected", "1")
	p.click("walk")
	grid := p.reveal("#grid")
	p.do(chromedp.MouseClickXY(grid.X+grid.W*0.97, grid.Y+grid.H*0.97))
	s := p.rest("a walk", func(s state) bool {
		return s.Walk && s.WalkTo == 99 && s.Subject == "walk" && s.Step == s.Steps && s.Steps == 24
	})
	p.key(kb.Home)
	if first := p.rest("its start", func(s state) bool { return s.Step == 0 }); first.Selected != 0 || first.Status == s.Status {
		t.Errorf("the walk starts with %q and ends with %q", first.Status, s.Status)
	}
	p.enter("walk-to", "5")
	p.rest("another walk", func(s state) bool { return s.WalkTo == 4 && s.Step == s.Steps })
	p.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	p.key("w")
	p.rest("no walk", func(s state) bool { return !s.Walk && s.Subject == "generate" })
}

// TestMap drags, zooms and pans the map by mouse, wheel and keyboard.
func TestMap(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.click("tab-map")
	still := func(s state) bool { return s.Mode == "map" && !s.Active && s.Place != nil }
	s := p.rest("the map", still)
	if s.Subject != "restore" || s.View.Zoom != 1 {
		t.Errorf("the map starts with %q, zoom %v", s.Subject, s.View.Zoom)
	}
	if _, _, colored := shares(p.picture("#map")); colored < 0.15 {
		t.Errorf("%.0f %% of the map has a color; want the codes and D", 100*colored)
	}
	// The point that is shown is where it says, and is dragged away.
	m := p.reveal("#map")
	find := func(img image.Image) (x, y float64) { // the accent's largest spot
		b, best := img.Bounds(), 0
		for cy := b.Min.Y + 4; cy < b.Max.Y-4; cy++ {
			for cx := b.Min.X + 4; cx < b.Max.X-4; cx++ {
				n := 0
				for dy := -3; dy <= 3; dy++ {
					for dx := -3; dx <= 3; dx++ {
						c := color.RGBAModel.Convert(img.At(cx+dx, cy+dy)).(color.RGBA)
						if c.R > 240 && c.G > 150 && c.G < 200 && c.B < 110 {
							n++
						}
					}
				}
				if n > best {
					best, x, y = n, float64(cx), float64(cy)
				}
			}
		}
		return x, y
	}
	x, y := find(p.picture("#map"))
	at := [2]float64{m.X + 2 + x/coarse, m.Y + 2 + y/coarse}
	to := [2]float64{at[0] + 60, at[1] + 40}
	p.mouse(input.DispatchMouseEventTypeMousePressed, at[0], at[1])
	for i := range 8 {
		p.mouse(input.DispatchMouseEventTypeMouseMoved, at[0]+60*float64(i+1)/8, at[1]+40*float64(i+1)/8)
	}
	held := p.wait("the point, dragged", func(s state) bool { return s.Subject == "spot" && s.Step == 0 && s.Place != nil })
	if dx, dy := held.Place.X-s.Place.X, held.Place.Y-s.Place.Y; dx <= 0 || dy <= 0 || math.Abs(dx/dy-1.5) > 0.2 {
		t.Errorf("dragged by (60, 40) pixels, the point moved by (%.2f, %.2f)", dx, dy)
	}
	p.mouse(input.DispatchMouseEventTypeMouseReleased, to[0], to[1])
	end := p.rest("its flow", func(s state) bool { return still(s) && s.Step == s.Steps && s.Steps > 0 })
	if end.Distance > held.Distance || end.Reads.Confidence == 0 {
		t.Errorf("the point flows from D = %v to %v, %+v", held.Distance, end.Distance, end.Reads)
	}
	// A click elsewhere puts it there.
	p.do(chromedp.MouseClickXY(m.X+m.W*0.35, m.Y+m.H*0.6))
	put := p.rest("another point", func(s state) bool { return still(s) && s.Spot != end.Spot && s.Step == s.Steps })
	// Zoom by wheel, pan by mouse, back by button.
	wheel := input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseWheel, X: m.X + m.W/2, Y: m.Y + m.H/2, DeltaX: 0.01, DeltaY: -240} // a DeltaX of 0 would not be sent
	for range 4 {
		if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, wheel); err != nil {
			t.Fatal(err)
		}
	}
	near := p.rest("a closer look", func(s state) bool { return still(s) && s.View.Zoom > 3 })
	if near.Place == nil || *near.Place != *put.Place {
		t.Error("zooming moved the point")
	}
	p.drag([2]float64{m.X + 10, m.Y + 10}, [2]float64{m.X + 110, m.Y + 60})
	p.rest("another part", func(s state) bool { return still(s) && s.View.X < near.View.X && s.View.Y < near.View.Y })
	p.click("zoom-in")
	p.rest("closer still", func(s state) bool { return still(s) && s.View.Zoom > near.View.Zoom*1.2 })
	p.click("zoom-out")
	p.click("whole")
	p.rest("the whole map", func(s state) bool { return still(s) && s.View.Zoom == 1 && s.View.X == 0 })
	// All of it by keyboard.
	p.do(chromedp.Focus("#map"))
	p.key(kb.Enter)
	middle := p.rest("a point in the middle", func(s state) bool { return still(s) && s.Spot != put.Spot && s.Step == s.Steps })
	p.key(kb.Home)
	start := p.rest("its start", func(s state) bool { return still(s) && s.Step == 0 })
	p.key(kb.ArrowLeft + kb.ArrowLeft)
	p.rest("the point to the left", func(s state) bool { return still(s) && s.Place.X < start.Place.X && s.Spot != middle.Spot })
	p.key("+")
	p.key("+")
	p.rest("zoomed by keys", func(s state) bool { return still(s) && s.View.Zoom > 2 })
	p.do(chromedp.KeyEvent(kb.ArrowUp, chromedp.KeyModifiers(chromedp.ModifierShift)))
	p.rest("the map moved by keys", func(s state) bool { return still(s) && s.View.Y < 0 })
	p.key("0")
	p.rest("all of it again", func(s state) bool { return still(s) && s.View.Zoom == 1 })
	p.click("heat")
	p.rest("no colors", func(s state) bool { return still(s) && !s.Heat })
	p.choose("follow", "generate")
	p.rest("the grid's paths", func(s state) bool { return still(s) && s.Subject == "generate" && s.Step == s.Steps && s.Steps > 0 })
	p.choose("follow", "restore")
	p.rest("the restoration's path", func(s state) bool { return still(s) && s.Subject == "restore" })
	p.click("put")
	p.rest("a point, by button", func(s state) bool { return still(s) && s.Subject == "spot" && s.Step == s.Steps })
	// What a link brings back.
	here := p.state()
	p.do(chromedp.Poll[chromedp.Void](`location.hash.includes("follow=spot") && location.hash.includes("spot=` + here.Spot + `")`))
	q := open(t, eval[string](p, `location.href`))
	there := q.rest("the same map", func(s state) bool { return still(s) && s.Step == s.Steps && s.Steps > 0 })
	if there.Spot != here.Spot || there.Heat != here.Heat || there.View != here.View || *there.Place != *here.Place {
		t.Errorf("the link gives %+v, was %+v", there, here)
	}
}

// TestPinch moves the map with two fingers on a phone.
func TestPinch(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.do(
		chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)),
		chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))+"#mode=map"),
	)
	p.ready()
	still := func(s state) bool { return s.Mode == "map" && !s.Active && s.Place != nil }
	p.rest("the map", still)
	m := p.reveal("#map")
	x, y := m.X+m.W/2, m.Y+m.H/2
	scroll := eval[float64](p, `scrollY`)
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 20, y})
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 20, y}, [2]float64{x + 20, y})
	for i := range 8 {
		d := 20 + 10*float64(i)
		p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x - d, y}, [2]float64{x + d, y})
	}
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	s := p.rest("a closer look", func(s state) bool { return still(s) && s.View.Zoom > 2.5 })
	if s.Subject != "restore" {
		t.Errorf("two fingers put a point: the map shows %q", s.Subject)
	}
	// One finger moves what is seen, a tap puts a point.
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 90, y + 90})
	for i := range 6 {
		p.fingers(input.DispatchTouchEventTypeTouchMove, [2]float64{x - 90 + 12*float64(i+1), y + 90})
	}
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.rest("another part", func(n state) bool { return still(n) && n.View.X < s.View.X })
	p.fingers(input.DispatchTouchEventTypeTouchStart, [2]float64{x - 80, y - 60})
	p.fingers(input.DispatchTouchEventTypeTouchEnd)
	p.rest("a point", func(s state) bool { return still(s) && s.Subject == "spot" && s.Step == s.Steps })
	if now := eval[float64](p, `scrollY`); now != scroll {
		t.Errorf("the page scrolled by %v under the fingers", now-scroll)
	}
	if w := eval[float64](p, `document.documentElement.scrollWidth`); w > 360 {
		t.Errorf("on a screen of 360 pixels the map's page is %v wide", w)
	}
}

// TestKeyboard does what the list of keys says.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	p := moving(t, server(t, "/", host.Handler(dist, host.Options{})))
	s := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.key(" ")
	p.wait("playing", func(s state) bool { return s.Playing })
	p.key(" ")
	p.wait("the pause", func(s state) bool { return !s.Playing })
	p.prefers("dark", still)
	p.key(kb.End + kb.ArrowLeft + kb.ArrowLeft + kb.ArrowRight)
	p.rest("a step back", func(n state) bool { return n.Step == s.Steps-1 })
	p.key(kb.Home)
	p.rest("the start", func(n state) bool { return n.Step == 0 })
	p.key("n")
	p.rest("another digit", func(n state) bool { return n.Digit == s.Digit+1 && n.Step == n.Steps })
	p.key("d")
	p.rest("new damage", func(n state) bool { return n.Seed == s.Seed+1 && n.Step == n.Steps })
	p.key("a")
	p.rest("without α", func(n state) bool { return n.Flow.Alpha == 0 })
	p.key("b")
	p.rest("without β", func(n state) bool { return n.Flow.Beta == 0 })
	p.key("r")
	p.rest("the defaults", func(n state) bool { return n.Flow == s.Flow })
	p.key("l")
	p.wait("an answer", func(s state) bool {
		return strings.Contains(s.Status, "Link copied") || strings.Contains(s.Status, "address bar")
	})
	p.key("c")
	p.rest("an empty pad", func(n state) bool { return n.Source == "drawing" })
	p.key("2")
	p.rest("Generate", func(n state) bool { return n.Mode == "generate" && n.Step == n.Steps && n.Steps > 0 })
	p.key("n")
	p.rest("another grid", func(n state) bool { return n.GridSeed == s.GridSeed+1 && n.Step == n.Steps })
	p.key("m")
	p.rest("more like this", func(n state) bool { return n.Like != "" && n.Step == n.Steps })
	p.key("3")
	p.rest("the map", func(n state) bool { return n.Mode == "map" && !n.Active })
	p.key("n")
	p.rest("a point", func(n state) bool { return n.Subject == "spot" && n.Step == n.Steps && n.Steps > 0 })
	p.key("1")
	p.rest("Restore", func(n state) bool { return n.Mode == "restore" })
	// The list itself; letters can be switched off, for those who speak to their
	// machine, and stay so.
	p.key("?")
	p.do(chromedp.WaitVisible("#keys"))
	p.click("keys-on")
	p.key(kb.Escape)
	p.do(chromedp.WaitNotVisible("#keys"))
	p.key("2")
	p.key(kb.End + kb.ArrowLeft)
	if n := p.rest("a step back", func(n state) bool { return n.Step == n.Steps-1 }); n.Mode != "restore" {
		t.Error("keys that are switched off do something")
	}
	p.do(chromedp.Navigate(eval[string](p, `location.href.split("#")[0]`)))
	p.ready()
	if eval[bool](p, `document.getElementById("keys-on").checked`) {
		t.Error("keys are on again after a reload")
	}
	p.click("help")
	p.do(chromedp.WaitVisible("#keys"))
	p.click("keys-close")
	p.do(chromedp.WaitNotVisible("#keys"))
	// The way past the top of the page leads nowhere else.
	address := eval[string](p, `location.href`)
	p.do(chromedp.Focus(".skip"))
	p.key(kb.Enter)
	if at := eval[string](p, `document.activeElement.id + " " + location.href`); at != "work "+address {
		t.Errorf("skipping to the picture leads to %q; want work %s", at, address)
	}
	p.key("\t")
	if !eval[bool](p, `document.getElementById("work").contains(document.activeElement)`) {
		t.Error("the Tab key does not go on within the picture")
	}
	// What is typed in a field is the field's.
	seed := p.state().Seed
	p.enter("seed", "7")
	if n := p.rest("seed 7", func(n state) bool { return n.Seed == 7 }); n.Mode != "restore" || seed == 7 {
		t.Errorf("typing a seed gave %+v", n)
	}
}

// TestWords: what is shown is said, for those who hear the page.
func TestWords(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	s := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	said := func(what string) {
		t.Helper()
		want := fmt.Sprintf("reads as %d (", s.Reads.Digit)
		p.wait(what, func(state) bool {
			text := eval[string](p, `document.querySelector("[aria-live]").textContent`)
			return strings.HasPrefix(text, fmt.Sprintf("step %d of %d", s.Step, s.Steps)) && strings.Contains(text, want)
		})
	}
	said("the end to be said")
	p.key(kb.ArrowLeft)
	s = p.rest("a step back", func(n state) bool { return n.Step == s.Steps-1 })
	said("the step to be said")
	if got := eval[string](p, `document.getElementById("timeline").getAttribute("aria-valuetext")`); !strings.HasPrefix(got, "step ") {
		t.Errorf("the timeline says %q", got)
	}
}

// TestReducedMotion: who wants less motion sees the end at once.
func TestReducedMotion(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	if s := p.rest("the first restoration", func(s state) bool { return s.Steps > 0 }); s.Step != s.Steps || s.Playing {
		t.Errorf("with reduced motion the page is at step %d of %d, playing %v", s.Step, s.Steps, s.Playing)
	}
	for _, m := range []string{"generate", "map", "manifold"} {
		p.click("tab-" + m)
		if s := p.rest(m, func(s state) bool { return s.Mode == m && s.Steps > 0 && !s.Active }); s.Step != s.Steps || s.Playing {
			t.Errorf("%s: step %d of %d, playing %v", m, s.Step, s.Steps, s.Playing)
		}
	}
}

// TestSave saves every kind of file, and looks into it.
func TestSave(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	s := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	dir := t.TempDir()
	behavior := cdp.SetDownloadBehaviorParams{Behavior: cdp.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir}
	if _, err := chromedp.Call(p.ctx, cdp.SetDownloadBehavior, behavior); err != nil {
		t.Fatal(err)
	}
	p.click("save > summary")
	for id, name := range map[string]string{
		"save-picture":   fmt.Sprintf("mppm-restore-picture-step-%d.png", s.Step),
		"save-strip":     "mppm-restore-strip.png",
		"save-animation": "mppm-restore-animation.gif",
	} {
		p.click(id)
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		var b []byte
		for ctx.Err() == nil && len(b) == 0 {
			b, _ = os.ReadFile(filepath.Join(dir, name))
			time.Sleep(50 * time.Millisecond)
		}
		cancel()
		var pictures int
		var err error
		if strings.HasSuffix(name, ".gif") {
			var g *gif.GIF
			if g, err = gif.DecodeAll(bytes.NewReader(b)); err == nil {
				pictures = len(g.Image)
			}
		} else {
			var img image.Image
			if img, err = png.Decode(bytes.NewReader(b)); err == nil {
				pictures = (img.Bounds().Dx() + 6) / (img.Bounds().Dy() + 6) // 6 pixels apart
			}
		}
		want := s.Steps + 1
		if id == "save-picture" {
			want = 1
		}
		if err != nil || pictures != want {
			t.Errorf("%s holds %d pictures (%v), want %d", name, pictures, err, want)
		}
	}
}

// TestRests: while nothing moves the page asks for no frame. While the tab is
// hidden, browsers give none.
func TestRests(t *testing.T) {
	t.Parallel()
	p := blank(t)
	p.prefers("dark", moves)
	count := page.AddScriptToEvaluateOnNewDocumentParams{Source: `(f => { window.frames_ = 0; window.requestAnimationFrame = g => { window.frames_++; return f.call(window, g); }; })(window.requestAnimationFrame)`}
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, count); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.Navigate(server(t, "/", host.Handler(dist, host.Options{}))))
	p.ready()
	for _, m := range []string{"restore", "generate", "map", "manifold"} {
		p.click("tab-" + m)
		p.rest(m, func(s state) bool { return s.Mode == m && s.Step == s.Steps && s.Steps > 0 && !s.Active })
		still := func() bool {
			was := eval[int](p, `frames_`)
			time.Sleep(700 * time.Millisecond)
			return eval[int](p, `frames_`) == was
		}
		for end := time.Now().Add(patience); !still(); {
			if time.Now().After(end) {
				t.Fatalf("%s: nothing moves, and the page asks for frames", m)
			}
		}
		// It wakes for what is done, and rests again.
		was := eval[int](p, `frames_`)
		p.click("back")
		p.rest("a step back", func(s state) bool { return s.Step == s.Steps-1 })
		if eval[int](p, `frames_`) == was {
			t.Errorf("%s: the page moved without a frame", m)
		}
		p.click("forward")
		p.rest("a step on", func(s state) bool { return s.Step == s.Steps })
	}
}
