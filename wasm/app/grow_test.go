package app

import (
	"fmt"
	"math"
	"testing"

	"mppm/shared/link"
)

// grown is an app that shows a grown grid, at rest.
func grown(t *testing.T) *App {
	t.Helper()
	a := newApp(t, &fake{})
	must(t, a.SetMode(Generate))
	settle(t, a)
	return a
}

func TestOneClassAlone(t *testing.T) {
	a := grown(t)
	must(t, a.SetClass(2))
	settle(t, a)
	for i := range a.Path().N {
		if got := a.Path().Code(0, i)[0]; got != 2 {
			t.Fatalf("digit %d starts at %v; want the noise of class 2", i, got)
		}
	}
	reopen(t, a)
	for _, c := range []int{-2, 10, 7} { // the fake has three classes
		if err := a.SetClass(c); err == nil {
			t.Errorf("class %d was accepted", c)
		}
	}
	if a.Class != 2 {
		t.Errorf("refusals left class %d", a.Class)
	}
	must(t, a.SetClass(Any))
	settle(t, a)
	if a.Path().Code(0, 0)[0] == 2 {
		t.Error("all digits grow as one class")
	}
}

func TestMoreLikeThis(t *testing.T) {
	a := grown(t)
	must(t, a.Select(9))
	end := append([]float32(nil), a.Path().Code(4, 9)...)
	must(t, a.MoreLikeThis())
	settle(t, a)
	if a.Selected != 0 || a.Like == "" {
		t.Errorf("digit %d is selected, like %q", a.Selected, a.Like)
	}
	var spread float64
	for i := range a.Path().N {
		z := a.Path().Code(0, i)
		if i == 0 && math.Abs(float64(z[0]-end[0])) > link.CodeGrain {
			t.Errorf("the first starts at %v, want %v itself", z[0], end[0])
		}
		d := float64(z[0] - end[0])
		spread += d * d / float64(a.Path().N)
	}
	// The fake's noise is uniform in [0, 1): variance 1/12.
	if want := link.Likeness * link.Likeness / 12; spread < want/3 || spread > want*3 {
		t.Errorf("the others start with variance %v around it, want about %v", spread, want)
	}
	reopen(t, a)
	a.AllDigits()
	settle(t, a)
	if a.Like != "" || a.Path().Code(0, 0)[1] != 1 {
		t.Error("the grid does not grow from noise again")
	}
	a.SetGenerateSeed(3)
	if err := a.MoreLikeThis(); err == nil {
		t.Error("a grid that is not there gave more like this")
	}
}

func TestWalk(t *testing.T) {
	a := grown(t)
	must(t, a.Select(4), a.SetWalkTo(11))
	a.SetWalk(true)
	settle(t, a)
	p := a.Path()
	if p.Steps() != walkSteps+1 || a.Subject() != Walk || a.Shown() != 0 {
		t.Fatalf("the walk has %d steps", p.Steps())
	}
	from, to := a.Grown().Code(4, 4), a.Grown().Code(4, 11)
	if fmt.Sprint(p.Code(0, 0)) != fmt.Sprint(from) || fmt.Sprint(p.Code(walkSteps, 0)) != fmt.Sprint(to) {
		t.Error("the walk does not lead from the one to the other")
	}
	half := p.Code(walkSteps/2, 0)
	if want := (from[0] + to[0]) / 2; math.Abs(float64(half[0]-want)) > 1e-5 {
		t.Errorf("half way the first number is %v, want %v", half[0], want)
	}
	// Four steps of the fake's flow halve the second number four times.
	if want := (from[1] + to[1]) / 2 / 16; math.Abs(float64(half[1]-want)) > 1e-6 {
		t.Errorf("half way D is %v; want %v, since the flow takes it back", half[1], want)
	}
	if a.Readout().Reads.Confidence == 0 {
		t.Error("the walk is not read")
	}
	must(t, a.Choose(20))
	if a.WalkTo != 20 || a.Selected != 4 || a.Chosen() != 20 {
		t.Errorf("while walking, choosing goes from %d to %d", a.Selected, a.WalkTo)
	}
	settle(t, a)
	reopen(t, a)
	must(t, a.SetMode(Map), a.SetFollow(Growth))
	settle(t, a)
	if a.Subject() != Walk {
		t.Error("the map does not show the walk")
	}
	must(t, a.SetMode(Generate))
	a.SetWalk(false)
	must(t, a.Choose(3))
	settle(t, a)
	if a.Subject() != Growth || a.Selected != 3 {
		t.Error("the walk does not end")
	}
	if err := a.SetWalkTo(36); err == nil {
		t.Error("one can walk out of the grid")
	}
	must(t, a.SetGrid(2))
	if a.WalkTo != 3 {
		t.Errorf("in a grid of 4, the walk leads to digit %d", a.WalkTo)
	}
}

func TestForces(t *testing.T) {
	a := newApp(t, &fake{})
	must(t, a.SetParameter(Alpha, 0.45))
	for _, f := range Forces() {
		was := Value(a.RestoreFlow, f.Parameter)
		must(t, a.SetForce(f.Parameter, false))
		if Value(a.RestoreFlow, f.Parameter) != 0 {
			t.Errorf("without %s, %s is %v", f.Name, f.Parameter, Value(a.RestoreFlow, f.Parameter))
		}
		must(t, a.SetForce(f.Parameter, false), a.SetForce(f.Parameter, true), a.SetForce(f.Parameter, true))
		if got := Value(a.RestoreFlow, f.Parameter); got != was {
			t.Errorf("with %s again, %s is %v, was %v", f.Name, f.Parameter, got, was)
		}
	}
	// What was taken meanwhile is not there any more.
	must(t, a.SetForce(Beta, false), a.SetParameter(Alpha, 0.9), a.SetForce(Beta, true))
	if sum := Value(a.RestoreFlow, Alpha) + Value(a.RestoreFlow, Beta); sum > link.MaxSum+1e-6 || Value(a.RestoreFlow, Beta) == 0 {
		t.Errorf("α + β is %v", sum)
	}
	if err := a.SetForce(Sigma, false); err == nil {
		t.Error("σ can be switched off")
	}
	if a.GenerateFlow != preset {
		t.Error("the other mode's flow was changed")
	}
}
