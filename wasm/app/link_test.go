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
	if err := b.Open(link); err != nil {
		t.Fatalf("the app's own link %q: %v", link, err)
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

var nonsense = []string{
	"x", "=", "mode", "mode=fly", "digit=2", "digit=-1", "digit=0.5", "digit=NaN", "seed=1&seed=2",
	"seed=4294967296", "severity=99", "damage=rust", "damage=", "grid=11", "grid=2&selected=4", "restore-alpha=0.9",
	"generate-beta=0.5&generate-alpha=0.5", "restore-steps=1e9", "step=-1", "step=1e300", "brush=0",
	"class=10", "class=5", "class=-2", "like=x", "spot=", "follow=spot", "follow=walk", "map-zoom=0", "map-x=1e9", "walk=maybe",
	"walk-to=36", "heat=on", "picture=", "picture=AAAA", "drawing=", "drawing=AQ~", "drawing=AA", "drawing=AQEA", "drawing=Af____8P", "color=red", "\xff=\xfe",
	"%6dode=restore", strings.Repeat("seed=1&", maxLink),
}

func TestNonsenseLinksChangeNothing(t *testing.T) {
	a := newApp(t, &fake{})
	must(t, a.SetGrid(4))
	settle(t, a)
	state, link := a.State, a.Link()
	for _, bad := range nonsense {
		err := a.Open(bad)
		if err == nil {
			t.Errorf("%.40q was opened", bad)
		} else if len(err.Error()) > 200 {
			t.Errorf("%.40q: the message has %d characters", bad, len(err.Error()))
		}
		if a.State != state || a.Link() != link || a.Busy() {
			t.Fatalf("%.40q was refused (%v), and changed something", bad, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, s := range nonsense[:len(nonsense)-1] {
		f.Add(s)
	}
	f.Add("mode=generate&drawing=AQLAAcABUBAQAA&restore-alpha=0.3&step=2")
	f.Fuzz(func(t *testing.T, link string) {
		a := newApp(t, &fake{})
		if a.Open(link) != nil {
			return
		}
		settle(t, a)
		if a.Err() != nil {
			t.Fatalf("%q was opened, and then: %v", link, a.Err())
		}
		again := a.Link()
		if err := a.Open(again); err != nil {
			t.Fatalf("%q gives the link %q, which is refused: %v", link, again, err)
		}
	})
}
