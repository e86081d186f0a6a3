package app

import (
	"fmt"

	"mppm/shared/latent"
	"mppm/shared/link"
)

// highestSum bounds α + β, which must stay below 1.
const highestSum = 0.99

// Value returns a parameter of a flow, as it is written: 0.6, not the nearest
// float32.
func Value(p latent.Preset, name Parameter) float64 { return link.Value(p, name) }

// with returns p with a parameter set to v, on the dial's steps. Where α and β
// together would be too large, the one that is set stops at the bound, and the
// error says so; any other error leaves p as it is.
func with(p latent.Preset, name Parameter, v float64) (latent.Preset, error) {
	for _, d := range Dials() {
		if d.Parameter != name {
			continue
		}
		if !(v >= d.Min && v <= d.Max) {
			return p, fmt.Errorf("%s = %v is out of range: %v to %v", d.Symbol, v, d.Min, d.Max)
		}
		v, err := belowOne(name, v, Value(p, Alpha), Value(p, Beta))
		return put(p, d, v), err
	}
	return p, fmt.Errorf("there is no parameter %q", name)
}

// belowOne returns v for the parameter of that name, or what is left of the bound
// if α and β together would exceed it.
func belowOne(name Parameter, v, alpha, beta float64) (float64, error) {
	switch {
	case name == Alpha && v+beta > highestSum+1e-9:
		v = highestSum - beta
		return v, fmt.Errorf("α stops at %.2f: α + β must stay below 1", v)
	case name == Beta && v+alpha > highestSum+1e-9:
		v = highestSum - alpha
		return v, fmt.Errorf("β stops at %.2f: α + β must stay below 1", v)
	}
	return v, nil
}

// put returns p with the dial's parameter set to v, on the dial's steps.
func put(p latent.Preset, d Dial, v float64) latent.Preset {
	return link.With(p, d.Parameter, onSteps(d, v))
}

// onSteps returns the step of the dial that is nearest to v.
func onSteps(d Dial, v float64) float64 { return max(link.OnGrain(v, d.Step), 0) }

// SetParameter sets a parameter of the flow of the mode that is shown. What is
// shown stays at the same step, or at the end, so that the effect is seen at
// once. Where α + β would reach 1, the parameter stops short of it and the error
// says where.
func (a *App) SetParameter(name Parameter, v float64) error {
	if a.Mode == Manifold {
		return a.setFigureParameter(name, v)
	}
	p, err := with(a.Preset(), name, v)
	a.setFlow(p)
	return err
}

// ResetFlow sets the flow of what is shown to the model's own.
func (a *App) ResetFlow() {
	if a.Mode == Manifold {
		a.setFigureFlow(link.CurveFlow())
		return
	}
	a.setFlow(a.Defaults())
}

// Defaults returns the model's own flow for what is shown.
func (a *App) Defaults() latent.Preset { return a.defaults[a.FlowOf()] }

func (a *App) setFlow(p latent.Preset) {
	if p == a.Preset() {
		return
	}
	if a.FlowOf() == Restore {
		a.RestoreFlow = p
		a.staleSpot = a.Spot != ""
		a.recompute(false)
		return
	}
	a.GenerateFlow = p
	a.keepGrid = !a.staleGrid || a.keepGrid
	a.staleGrid = true
	a.touch()
}

// Force is one of the two parts of the flow's step (Eq. 15), which an ablation
// leaves out.
type Force struct {
	Parameter Parameter // that is 0 where the force is left out
	Name      string
}

// Forces lists them.
func Forces() []Force {
	return []Force{{Alpha, "distance"}, {Beta, "density"}}
}

// SetForce switches a force off, as in the ablations of Table 1, or on again:
// with the parameter that it had, or else with its default, or else with a part
// of what is left below α + β = 1.
func (a *App) SetForce(name Parameter, on bool) error {
	if name != Alpha && name != Beta {
		return fmt.Errorf("%q is no force that can be switched off", name)
	}
	key := switched{a.FlowOf(), name}
	if a.Mode == Manifold {
		key.mode = Manifold
	}
	v, standard := a.Setting(name)
	switch {
	case on == (v > 0):
		return nil
	case !on:
		if a.silenced == nil {
			a.silenced = map[switched]float64{}
		}
		a.silenced[key] = v
		return a.SetParameter(name, 0)
	}
	alpha, _ := a.Setting(Alpha)
	beta, _ := a.Setting(Beta)
	other := alpha + beta - v
	was, ok := a.silenced[key]
	if !ok {
		was = standard
	}
	if was == 0 {
		was = 0.2
	}
	return a.SetParameter(name, min(was, highestSum-other))
}

// switched is a force of a mode's flow.
type switched struct {
	mode Mode
	name Parameter
}
