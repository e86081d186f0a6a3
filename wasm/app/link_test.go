package app

import (
	"fmt"
	"strings"
	"testing"

	"mppm/shared/degrade"
)

// reopen opens an app's link in a fresh app, and lets both come to rest.
func reopen(t *testing.T, a *App) *App {
	t.Helper()
	settle(t, a)
	link := a.Link()
	if strings.Trim(link, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_=&") != "" {
		t.Errorf("the link %q has characters that an address would change", link)
	}
	b := newApp(t, &fake{})
	if faults := b.Open(link); faults != nil {
		t.Fatalf("the app's own link %q: %v", link, faults)
	}
	settle(t, b)
	if b.State != a.State {
		t.Errorf("the link %q gives\n%+v, was\n%+v", link, b.State, a.State)
	}
	same := fmt.Sprint(a.Original()) == fmt.Sprint(b.Original()) && fmt.Sprint(a.Degraded()) == fmt.Sprint(b.Degraded())
	if a.Mode != Restore { // nothing else is computed yet
		same = fmt.Sprint(a.Path()) == fmt.Sprint(b.Path())
	}
	if !same {
		t.Errorf("the link %.200q gives other pictures", link)
	}
	if x, y := a.Readout(), b.Readout(); x.Step != y.Step || x.Status() != y.Status() {
		t.Errorf("the link says %q, it was %q", y.Status(), x.Status())
	}
	if again := b.Link(); again != link {
		t.Errorf("the link %q becomes %q", link, again)
	}
	return b
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinkBringsEverythingBack(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	if link := a.Link(); link != "" {
		t.Errorf("the first screen has the link %q, want none", link)
	}
	reopen(t, a)
	must(t, a.SetDigit(1), a.SetKind(degrade.Scribble), a.SetBrush(3.2))
	must(t, a.SetSeverity(Find(degrade.Scribble).Severe))
	a.SetSeed(4294967295)
	must(t, a.SetParameter(Alpha, 0.31), a.SetParameter(Sigma, 1.15), a.SetParameter(Steps, 9))
	settle(t, a)
	a.Seek(3)
	reopen(t, a)
	must(t, a.SetKind(None))
	reopen(t, a)
	must(t, a.SetMode(Generate), a.SetGrid(3), a.Select(5), a.SetParameter(Beta, 0.39), a.SetParameter(Tau, 0.5))
	a.SetGenerateSeed(77)
	reopen(t, a)
	a.Seek(1)
	reopen(t, a)
}

func TestLinkBringsDrawingsBack(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	a.ClearPad()
	reopen(t, a) // an empty pad
	for i, x := range []float64{2, 13.37, 27.9, 5} {
		a.PenDown(x, 3.1, 0.7+float64(i)/10)
		a.PenMove(x-1.9, 20.123, 1)
		a.PenMove(30, 31, 1)
		a.PenUp()
		b := reopen(t, a)
		// Drawing goes on in both alike.
		for _, x := range []*App{a, b} {
			x.PenDown(14, 9, 1)
			x.PenMove(20, 9+float64(i), 1)
			x.PenUp()
			settle(t, x)
		}
		if fmt.Sprint(a.Original()) != fmt.Sprint(b.Original()) {
			t.Error("a stroke on a drawing that a link brought back ends elsewhere")
		}
	}
	// A whole digit makes a link that can be sent.
	a.ClearPad()
	a.PenDown(20, 4, 1)
	for i := range 200 {
		a.PenMove(20-float64(i)/14, 4+float64(i)/10, 1)
	}
	a.PenUp()
	settle(t, a)
	if n := len(a.Link()); n > 600 {
		t.Errorf("the link of a simple drawing has %d characters", n)
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
		a, b := newApp(t, &fake{}), newApp(t, &fake{})
		must(t, a.SetGrid(4)) // a link says all, not only what changes
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
	a := newApp(t, &fake{})
	if faults := a.Open(strings.Repeat("seed=1&", 1<<18)); len(faults) != 1 || a.State != newApp(t, &fake{}).State {
		t.Errorf("a link that is too long: %v", faults)
	}
}

// TestLinkAtOnce: the link says what is chosen as soon as it is, while the
// timeline plays and before anything is computed.
func TestLinkAtOnce(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	has := func(field string) {
		t.Helper()
		if link := a.Link(); !strings.Contains("&"+link+"&", "&"+field+"&") {
			t.Errorf("the link %q has no %s", link, field)
		}
		b := newApp(t, &fake{})
		if faults := b.Open(a.Link()); faults != nil || b.State != a.State {
			t.Errorf("the link %q gives %+v (%v), was %+v", a.Link(), b.State, faults, a.State)
		}
	}
	a.SetSeed(7)
	has("seed=7")
	a.Update(1)
	if !a.Head().Playing() {
		t.Fatal("nothing plays")
	}
	has("seed=7")
	must(t, a.SetMode(Generate), a.SetGrid(3))
	has("grid=3")
	a.Update(1)
	a.SetGenerateSeed(9)
	has("grid-seed=9")
	must(t, a.SetMode(Restore))
	a.PenDown(5, 5, 1)
	a.PenMove(20, 20, 1)
	first := a.Link()
	has(strings.Split(first, "&")[0])
	a.PenMove(22, 5, 1)
	if a.Link() == first {
		t.Error("the link does not follow the pen")
	}
	a.PenUp()
	a.Undo()
	a.Redo()
	if a.Link() == first {
		t.Error("the link has forgotten the end of the stroke")
	}
	// A step that a link asks for is in the link before it can be shown.
	b := newApp(t, &fake{})
	b.Open("mode=manifold&step=3")
	if got := b.Link(); got != "mode=manifold&step=3" {
		t.Errorf("before the curve is there, the link is %q", got)
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range nonsense {
		f.Add(s)
	}
	f.Add("mode=generate&drawing=AQLAAcABUBAQAA&restore-alpha=0.3&step=2")
	f.Fuzz(func(t *testing.T, link string) {
		a := newApp(t, &fake{})
		a.Open(link)
		settle(t, a)
		if a.Err() != nil {
			t.Fatalf("%q was opened, and then: %v", link, a.Err())
		}
		again, was := a.Link(), a.State
		if faults := a.Open(again); faults != nil || a.State != was {
			t.Fatalf("%q gives the link %q, of which %v: %+v, was %+v", link, again, faults, a.State, was)
		}
	})
}
