package app

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestDialsHoldTheDefaults(t *testing.T) {
	a := newApp(t, &fake{})
	for _, d := range Dials() {
		v := Value(a.Defaults(), d.Parameter)
		if err := a.SetParameter(d.Parameter, v); err != nil && d.Min <= v {
			t.Errorf("%s: the default %v: %v", d.Symbol, v, err)
		}
		for _, v := range []float64{d.Min - d.Step, d.Max + d.Step, math.NaN(), math.Inf(1)} {
			if err := a.SetParameter(d.Parameter, v); err == nil {
				t.Errorf("%s = %v was accepted", d.Symbol, v)
			}
		}
	}
	if a.RestoreFlow != preset {
		t.Errorf("setting every dial to its default gives %+v, not the default", a.RestoreFlow)
	}
	if err := a.SetParameter("gamma", 1); err == nil {
		t.Error("a parameter that there is not was set")
	}
}

func TestEveryDialSetsItsParameter(t *testing.T) {
	for _, d := range Dials() {
		for _, v := range []float64{d.Min, d.Min + d.Step, d.Max} {
			a := newApp(t, &fake{})
			for _, other := range []Parameter{Alpha, Beta} { // room for any
				if err := a.SetParameter(other, 0); err != nil {
					t.Fatal(err)
				}
			}
			was := a.RestoreFlow
			if err := a.SetParameter(d.Parameter, v); err != nil {
				t.Errorf("%s = %v: %v", d.Symbol, v, err)
			}
			for _, other := range Dials() {
				want := Value(was, other.Parameter)
				if other == d {
					want = v
				}
				if got := Value(a.RestoreFlow, other.Parameter); math.Abs(got-want) > 1e-6 {
					t.Errorf("after %s = %v, %s is %v, want %v", d.Symbol, v, other.Symbol, got, want)
				}
			}
			if err := a.RestoreFlow.Validate(); err != nil {
				t.Errorf("%s = %v: %v", d.Symbol, v, err)
			}
		}
	}
}

func TestAlphaAndBetaStayBelowOne(t *testing.T) {
	a := newApp(t, &fake{})
	err := a.SetParameter(Alpha, 0.95)
	if err == nil || !strings.Contains(err.Error(), "α stops at 0.79") {
		t.Errorf("α = 0.95 beside β = 0.2: %v; want it to stop at 0.79 and say so", err)
	}
	if got := Value(a.RestoreFlow, Alpha); got != 0.79 {
		t.Errorf("α is %v, want 0.79", got)
	}
	if err := a.SetParameter(Beta, 0.5); err == nil || Value(a.RestoreFlow, Beta) != 0.2 {
		t.Errorf("β beside it is %v (%v), want 0.2", Value(a.RestoreFlow, Beta), err)
	}
	for alpha := range 96 {
		for _, beta := range []float64{0.01, 0.37, 0.95} {
			_ = a.SetParameter(Beta, 0)
			_ = a.SetParameter(Alpha, float64(alpha)/100)
			_ = a.SetParameter(Beta, beta)
			if err := a.RestoreFlow.Validate(); err != nil {
				t.Fatalf("α = %v, β = %v: %v", float64(alpha)/100, beta, err)
			}
		}
	}
}

func TestParametersShowAtOnce(t *testing.T) {
	e := &fake{}
	a := newApp(t, e)
	settle(t, a)
	if err := a.SetParameter(Steps, 9); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 9 || r.Steps != 9 || r.Playing {
		t.Errorf("at the end, with more steps: %d of %d, playing %v; want 9 of 9 at once", r.Step, r.Steps, r.Playing)
	}
	a.Seek(2)
	settle(t, a)
	if err := a.SetParameter(Steps, 7); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 2 || r.Steps != 7 {
		t.Errorf("at step 2, with fewer steps: %d of %d, want 2 of 7", r.Step, r.Steps)
	}
	a.ResetFlow()
	settle(t, a)
	if r := a.Readout(); r.Steps != 4 || a.RestoreFlow != preset {
		t.Errorf("after the reset there are %d steps of %+v", r.Steps, a.RestoreFlow)
	}
	flows := e.flows
	a.ResetFlow()
	if a.Busy() || e.flows != flows {
		t.Error("a reset that changes nothing computes")
	}
}

func TestGridKeepsWhileParametersChange(t *testing.T) {
	a := newApp(t, &fake{})
	if err := a.SetMode(Generate); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	for _, steps := range []float64{6, 7, 8} { // as a slider that is dragged
		if err := a.SetParameter(Steps, steps); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			a.Update(time.Millisecond)
			if a.Path().Steps() < 5 {
				t.Fatalf("while a slider is dragged, the grid falls back to %d steps", a.Path().Steps())
			}
		}
	}
	settle(t, a)
	if r := a.Readout(); r.Steps != 8 || r.Step != 8 || r.Playing {
		t.Errorf("at rest: step %d of %d, playing %v; want 8 of 8", r.Step, r.Steps, r.Playing)
	}
	if a.RestoreFlow != preset {
		t.Error("the parameters of one mode changed those of the other")
	}
	// Another seed meanwhile starts anew, with the new parameters.
	if err := a.SetParameter(Steps, 3); err != nil {
		t.Fatal(err)
	}
	a.SetGenerateSeed(9)
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 0 || !r.Playing {
		t.Errorf("after another seed: %+v; want step 0, playing", r)
	}
	settle(t, a)
	if a.Path().Steps() != 4 {
		t.Errorf("the grid has %d steps, want 4", a.Path().Steps())
	}
}
