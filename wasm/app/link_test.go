package app

import (
	"fmt"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/link"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room/roomtest"
	"mppm/weights"
)

// reopen opens an app's link in a fresh app, and lets both come to rest.
func reopen(t *testing.T, a *App) *App {
	t.Helper()
	settle(t, a)
	text := a.Link()
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_=&") != "" {
		t.Errorf("the link %q has characters that an address would change", text)
	}
	b := newApp(t, &roomtest.Engine{})
	if faults := b.Open(text); faults != nil {
		t.Fatalf("the app's own link %q: %v", text, faults)
	}
	settle(t, b)
	if b.State != a.State {
		t.Errorf("the link %q gives\n%+v, was\n%+v", text, b.State, a.State)
	}
	same := fmt.Sprint(a.Restore.Original()) == fmt.Sprint(b.Restore.Original()) && fmt.Sprint(a.Restore.Degraded()) == fmt.Sprint(b.Restore.Degraded())
	if a.Mode != link.Restore { // nothing else is computed yet
		same = fmt.Sprint(a.Path()) == fmt.Sprint(b.Path())
	}
	if !same {
		t.Errorf("the link %.200q gives other pictures", text)
	}
	if x, y := a.Readout(), b.Readout(); x.Step != y.Step || x.Status != y.Status {
		t.Errorf("the link says %q, it was %q", y.Status, x.Status)
	}
	if again := b.Link(); again != text {
		t.Errorf("the link %q becomes %q", text, again)
	}
	return b
}

func TestLinkBringsEverythingBack(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	settle(t, a)
	if text := a.Link(); text != "" {
		t.Errorf("the first screen has the link %q, want none", text)
	}
	reopen(t, a)
	roomtest.Must(t, a.Restore.SetDigit(1), a.Restore.SetKind(degrade.Scribble), a.Restore.SetBrush(3.2))
	roomtest.Must(t, a.Restore.SetSeverity(link.Find(degrade.Scribble).Severe))
	a.Restore.SetSeed(4294967295)
	roomtest.Must(t, a.Dials().Set(link.Alpha, 0.31), a.Dials().Set(link.Sigma, 1.15), a.Dials().Set(link.Steps, 9))
	settle(t, a)
	a.Seek(3)
	reopen(t, a)
	roomtest.Must(t, a.Restore.SetKind(link.None))
	reopen(t, a)
	roomtest.Must(t, a.SetMode(link.Generate), a.Generate.SetSide(3), a.Generate.Select(5), a.Dials().Set(link.Beta, 0.39), a.Dials().Set(link.Tau, 0.5))
	a.Generate.SetSeed(77)
	reopen(t, a)
	a.Seek(1)
	reopen(t, a)
	roomtest.Must(t, a.Generate.SetClass(2), a.Generate.Select(4))
	reopen(t, a)
	roomtest.Must(t, a.Generate.MoreLikeThis())
	reopen(t, a)
	roomtest.Must(t, a.Generate.SetWalkTo(7))
	a.Generate.SetWalk(true)
	reopen(t, a)
	a.Map.SetAspect(1.5)
	roomtest.Must(t, a.SetMode(link.Map), a.Map.SetFollow(link.Growth))
	reopen(t, a)
	roomtest.Must(t, a.Map.SetFollow(link.Spot))
	settle(t, a)
	roomtest.Must(t, a.Map.Nudge(0.1, 0))
	a.Map.ZoomMiddle(3)
	a.Map.SetHeat(false)
	reopen(t, a)
	roomtest.Must(t, a.Restore.Remember(), a.Restore.SetWeight(321), a.Restore.ForgetClass(1, true))
	reopen(t, a)
	roomtest.Must(t, a.Restore.ForgetClass(2, true)) // the class of the grid, which is of all then
	reopen(t, a)
}

func TestLinkBringsDrawingsBack(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	settle(t, a)
	a.Restore.ClearPad()
	reopen(t, a) // an empty pad
	for i, x := range []float64{2, 13.37, 27.9, 5} {
		a.Restore.PenDown(x, 3.1, 0.7+float64(i)/10)
		a.Restore.PenMove(x-1.9, 20.123, 1)
		a.Restore.PenMove(30, 31, 1)
		a.Restore.PenUp()
		b := reopen(t, a)
		// Drawing goes on in both alike.
		for _, x := range []*App{a, b} {
			x.Restore.PenDown(14, 9, 1)
			x.Restore.PenMove(20, 9+float64(i), 1)
			x.Restore.PenUp()
			settle(t, x)
		}
		if fmt.Sprint(a.Restore.Original()) != fmt.Sprint(b.Restore.Original()) {
			t.Error("a stroke on a drawing that a link brought back ends elsewhere")
		}
	}
	// A whole digit makes a link that can be sent.
	a.Restore.ClearPad()
	a.Restore.PenDown(20, 4, 1)
	for i := range 200 {
		a.Restore.PenMove(20-float64(i)/14, 4+float64(i)/10, 1)
	}
	a.Restore.PenUp()
	settle(t, a)
	if n := len(a.Link()); n > 600 {
		t.Errorf("the link of a simple drawing has %d characters", n)
	}
}

func TestLinkBringsPicturesBack(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	settle(t, a)
	const side = 60
	rgba := make([]byte, 4*side*side)
	for i := range side * side {
		v := byte(5)
		if x, y := i%side, i/side; x > 20 && x < 26 && y > 12 && y < 48 {
			v = 220
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	roomtest.Must(t, a.Restore.OfferPicture(rgba, side, side))
	a.Restore.TakeOffer()
	roomtest.Must(t, a.Restore.SetKind(degrade.Gaussian))
	if reopen(t, a).Picture == "" {
		t.Error("the link has no picture")
	}
}

// nonsense are links with one field that cannot be shown.
var nonsense = []string{
	"mode", "mode=fly", "digit=2", "digit=-1", "digit=0.5", "digit=NaN",
	"seed=4294967296", "severity=99", "damage=rust", "damage=", "grid=11", "grid=0", "grid=2&selected=4", "restore-alpha=0.9",
	"generate-beta=0.5&generate-alpha=0.5", "restore-steps=1e9", "restore-steps=101", "restore-sigma=0.04", "step=-1", "step=1e300", "brush=0",
	"damage=scribble&severity=2.5", "class=10", "class=5", "class=-2", "like=x", "spot=", "follow=spot", "follow=walk", "map-zoom=0", "map-x=1e9", "walk=maybe",
	"walk-to=36", "heat=maybe", "picture=", "picture=AAAA", "drawing=", "drawing=A~Q", "drawing=AA", "drawing=AQEA", "drawing=Af____8P",
	"curve=square", "at=1_2", "curve=moons&at=1_2_3", "at=1_x_3", "at=1_2_9e9", "at=NaN_0_0", "at=", "azimuth=181", "elevation=-91",
	"closeness=0", "closeness=99", "without=all", "without=", "slice=maybe", "construction=maybe", "point-seed=1.5", "point-seed=-1",
	"manifold-alpha=0.6&manifold-beta=0.6", "manifold-sigma-d=0", "manifold-steps=101", "manifold-sigma-ker=-1",
}

// good are the fields of nonsense that can be shown.
var good = map[string]string{
	"grid=2&selected=4": "grid=2", "damage=scribble&severity=2.5": "damage=scribble", "curve=moons&at=1_2_3": "curve=moons",
}

// TestBadFieldsAreLeftOut: a field that cannot be shown is named, with what it
// takes, and all others are shown.
func TestBadFieldsAreLeftOut(t *testing.T) {
	for _, bad := range nonsense {
		a, b := newApp(t, &roomtest.Engine{}), newApp(t, &roomtest.Engine{})
		roomtest.Must(t, a.Generate.SetSide(4)) // a link says all, not only what changes
		faults := a.Open("grid-seed=3&" + bad + "&map-y=1.5")
		b.Open("grid-seed=3&" + good[bad] + "&map-y=1.5")
		if len(faults) == 0 {
			t.Errorf("%q was opened without a word", bad)
		}
		for _, f := range faults {
			if len(f.Error()) > 200 || f.Name == "" || !strings.Contains(bad, f.Name) {
				t.Errorf("%q: the message is %q", bad, f)
			}
		}
		if a.State != b.State || a.Link() != b.Link() {
			t.Errorf("%q gives\n%+v, without it it is\n%+v", bad, a.State, b.State)
		}
		settle(t, a)
		if a.Err() != nil {
			t.Errorf("%q was opened, and then: %v", bad, a.Err())
		}
	}
	a := newApp(t, &roomtest.Engine{})
	if faults := a.Open(strings.Repeat("seed=1&", 1<<18)); len(faults) != 1 || a.State != newApp(t, &roomtest.Engine{}).State {
		t.Errorf("a link that is too long: %v", faults)
	}
}

// TestLinkAtOnce: the link says what is chosen as soon as it is, while the
// timeline plays and before anything is computed.
func TestLinkAtOnce(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	settle(t, a)
	has := func(field string) {
		t.Helper()
		if text := a.Link(); !strings.Contains("&"+text+"&", "&"+field+"&") {
			t.Errorf("the link %q has no %s", text, field)
		}
		b := newApp(t, &roomtest.Engine{})
		if faults := b.Open(a.Link()); faults != nil || b.State != a.State {
			t.Errorf("the link %q gives %+v (%v), was %+v", a.Link(), b.State, faults, a.State)
		}
	}
	a.Restore.SetSeed(7)
	has("seed=7")
	a.Update(1)
	if !a.Head().Playing() {
		t.Fatal("nothing plays")
	}
	has("seed=7")
	roomtest.Must(t, a.SetMode(link.Generate), a.Generate.SetSide(3))
	has("grid=3")
	a.Update(1)
	a.Generate.SetSeed(9)
	has("grid-seed=9")
	roomtest.Must(t, a.SetMode(link.Restore))
	a.Restore.PenDown(5, 5, 1)
	a.Restore.PenMove(20, 20, 1)
	first := a.Link()
	has(strings.Split(first, "&")[0])
	a.Restore.PenMove(22, 5, 1)
	if a.Link() == first {
		t.Error("the link does not follow the pen")
	}
	a.Restore.PenUp()
	a.Restore.Undo()
	a.Restore.Redo()
	if a.Link() == first {
		t.Error("the link has forgotten the end of the stroke")
	}
	// A step that a link asks for is in the link before it can be shown.
	b := newApp(t, &roomtest.Engine{})
	b.Open("mode=manifold&step=3")
	if got := b.Link(); got != "mode=manifold&step=3" {
		t.Errorf("before the curve is there, the link is %q", got)
	}
}

// bringCurves brings the curves that ship.
func bringCurves(t *testing.T, a *App) {
	t.Helper()
	for c, b := range map[link.Curve][]byte{link.HalfCircle: weights.Circle, link.Spiral: weights.Spiral, link.Moons: weights.Moons, link.Trefoil: weights.Trefoil} {
		a.Models.Bring(compute.OfCurve+string(c), compute.Raw(b))
		a.Manifold.Arrive(c, nil)
	}
}

// TestFigureLinks: a link of Manifold brings back what was seen, whether the
// curves are there when it is opened or later.
func TestFigureLinks(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	bringCurves(t, a)
	roomtest.Must(t, a.SetMode(link.Manifold))
	a.Manifold.SetAspect(1.5)
	settle(t, a)
	if got := a.Link(); got != "mode=manifold" {
		t.Errorf("the first view of Manifold has the link %q", got)
	}
	if f, err := a.ExportPicture(&palette.Palette{}); err != nil || f.Name != "mppm-manifold-picture-step-15.png" {
		t.Errorf("the figure is saved as %q (%v)", f.Name, err)
	}
	changes := []func(){
		func() { roomtest.Must(t, a.Manifold.SetCurve(link.Trefoil)) },
		func() { roomtest.Must(t, a.Manifold.DropPoint(a.Manifold.Eye(700, 300), 123, 45)) },
		func() { a.Manifold.Turn(33.3, -71.7); a.Manifold.Zoom(1.77) },
		func() { roomtest.Must(t, a.Manifold.SetShown(link.DAE, false), a.Manifold.SetShown(link.MPPM, false)) },
		func() { a.Manifold.SetSlice(false); a.Manifold.SetConstruction(true) },
		func() { roomtest.Must(t, a.Dials().Set(link.SigmaKer, 0.31), a.Dials().Set(link.Alpha, 0.07)) },
		func() { roomtest.Must(t, a.Manifold.RandomPoint()) },
		func() { a.Seek(3) },
		func() { roomtest.Must(t, a.Manifold.SetCurve(link.Moons)); a.Manifold.SetPointSeed(4294967295) },
		func() { a.Manifold.Pan(a.Manifold.Eye(700, 300), 77, -33) },
	}
	for i, change := range changes {
		change()
		settle(t, a)
		for _, late := range []bool{false, true} {
			b := newApp(t, &roomtest.Engine{})
			if !late {
				bringCurves(t, b)
			}
			if faults := b.Open(a.Link()); faults != nil {
				t.Errorf("the link %q: %v", a.Link(), faults)
			}
			if late {
				if b.Update(1); !b.Busy() || b.Readout().Status != "waiting for the curve" {
					t.Errorf("before the curve is there: busy %v, %q", b.Busy(), b.Readout().Status)
				}
				bringCurves(t, b)
			}
			settle(t, b)
			if b.State != a.State || fmt.Sprint(b.Manifold.Path(link.DDPM).X) != fmt.Sprint(a.Manifold.Path(link.DDPM).X) || b.Readout().Status != a.Readout().Status {
				t.Errorf("change %d: the link %q gives\n%+v %q, was\n%+v %q", i, a.Link(), b.State, b.Readout().Status, a.State, a.Readout().Status)
			}
			if b.Link() != a.Link() {
				t.Errorf("the link %q becomes %q", a.Link(), b.Link())
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range nonsense {
		f.Add(s)
	}
	f.Add("mode=generate&drawing=AQLAAcABUBAQAA&restore-alpha=0.3&step=2")
	f.Fuzz(func(t *testing.T, text string) {
		a := newApp(t, &roomtest.Engine{})
		a.Open(text)
		settle(t, a)
		if a.Err() != nil {
			t.Fatalf("%q was opened, and then: %v", text, a.Err())
		}
		again, was := a.Link(), a.State
		if faults := a.Open(again); faults != nil || a.State != was {
			t.Fatalf("%q gives the link %q, of which %v: %+v, was %+v", text, again, faults, a.State, was)
		}
	})
}
