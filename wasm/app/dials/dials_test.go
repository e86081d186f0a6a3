package dials

import (
	"math"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/link"
)

var preset = latent.Preset{Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 4}

// newFlow returns the sliders of a flow of codes, and the flow.
func newFlow() (*Flow[latent.Preset], *latent.Preset) {
	p := preset
	return Latent(&p, preset, func() {}), &p
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDialsHoldTheDefaults(t *testing.T) {
	a, flow := newFlow()
	for _, d := range link.Dials() {
		v := link.Value(preset, d.Parameter)
		if err := a.Set(d.Parameter, v); err != nil && d.Min <= v {
			t.Errorf("%s: the default %v: %v", d.Symbol, v, err)
		}
		for _, v := range []float64{d.Min - d.Step, d.Max + d.Step, math.NaN(), math.Inf(1)} {
			if err := a.Set(d.Parameter, v); err == nil {
				t.Errorf("%s = %v was accepted", d.Symbol, v)
			}
		}
	}
	if *flow != preset {
		t.Errorf("setting every dial to its default gives %+v, not the default", *flow)
	}
	if err := a.Set("gamma", 1); err == nil {
		t.Error("a parameter that there is not was set")
	}
}

func TestEveryDialSetsItsParameter(t *testing.T) {
	for _, d := range link.Dials() {
		for _, v := range []float64{d.Min, d.Min + d.Step, d.Max} {
			a, flow := newFlow()
			for _, other := range []link.Parameter{link.Alpha, link.Beta} { // room for any
				if err := a.Set(other, 0); err != nil {
					t.Fatal(err)
				}
			}
			was := *flow
			if err := a.Set(d.Parameter, v); err != nil {
				t.Errorf("%s = %v: %v", d.Symbol, v, err)
			}
			for _, other := range link.Dials() {
				want := link.Value(was, other.Parameter)
				if other == d {
					want = v
				}
				if got := link.Value(*flow, other.Parameter); math.Abs(got-want) > 1e-6 {
					t.Errorf("after %s = %v, %s is %v, want %v", d.Symbol, v, other.Symbol, got, want)
				}
			}
			if err := flow.Validate(); err != nil {
				t.Errorf("%s = %v: %v", d.Symbol, v, err)
			}
		}
	}
}

func TestAlphaAndBetaStayBelowOne(t *testing.T) {
	a, flow := newFlow()
	err := a.Set(link.Alpha, 0.95)
	if err == nil || !strings.Contains(err.Error(), "α stops at 0.79") {
		t.Errorf("α = 0.95 beside β = 0.2: %v; want it to stop at 0.79 and say so", err)
	}
	if got := link.Value(*flow, link.Alpha); got != 0.79 {
		t.Errorf("α is %v, want 0.79", got)
	}
	if err := a.Set(link.Beta, 0.5); err == nil || link.Value(*flow, link.Beta) != 0.2 {
		t.Errorf("β beside it is %v (%v), want 0.2", link.Value(*flow, link.Beta), err)
	}
	for alpha := range 96 {
		for _, beta := range []float64{0.01, 0.37, 0.95} {
			_ = a.Set(link.Beta, 0)
			_ = a.Set(link.Alpha, float64(alpha)/100)
			_ = a.Set(link.Beta, beta)
			if err := flow.Validate(); err != nil {
				t.Fatalf("α = %v, β = %v: %v", float64(alpha)/100, beta, err)
			}
		}
	}
}

func TestForces(t *testing.T) {
	a, flow := newFlow()
	must(t, a.Set(link.Alpha, 0.45))
	for _, f := range Forces() {
		was := link.Value(*flow, f.Parameter)
		must(t, a.SetForce(f.Parameter, false))
		if link.Value(*flow, f.Parameter) != 0 {
			t.Errorf("without %s, %s is %v", f.Name, f.Parameter, link.Value(*flow, f.Parameter))
		}
		must(t, a.SetForce(f.Parameter, false), a.SetForce(f.Parameter, true), a.SetForce(f.Parameter, true))
		if got := link.Value(*flow, f.Parameter); got != was {
			t.Errorf("with %s again, %s is %v, was %v", f.Name, f.Parameter, got, was)
		}
	}
	// What was taken meanwhile is not there any more.
	must(t, a.SetForce(link.Beta, false), a.Set(link.Alpha, 0.9), a.SetForce(link.Beta, true))
	if sum := link.Value(*flow, link.Alpha) + link.Value(*flow, link.Beta); sum > link.MaxSum+1e-6 || link.Value(*flow, link.Beta) == 0 {
		t.Errorf("α + β is %v", sum)
	}
	if err := a.SetForce(link.Sigma, false); err == nil {
		t.Error("σ can be switched off")
	}
}
