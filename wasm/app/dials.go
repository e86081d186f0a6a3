package app

import (
	"fmt"

	"mppm/shared/latent"
	"mppm/shared/link"
)

// Value returns a parameter of a flow, as it is written: 0.6, not the nearest
// float32.
func Value(p latent.Preset, name Parameter) float64 { return link.Value(p, name) }

// SetParameter sets a parameter of the flow of the mode that is shown. What is
// shown stays at the same step, or at the end, so that the effect is seen at
// once. Where α + β would reach 1, the parameter stops short of it and the error
// says where.
func (a *App) SetParameter(name Parameter, v float64) error {
	if a.Mode == Manifold {
		p, err := link.Turn(a.Figure.Flow, name, v)
		a.setFigureFlow(p)
		return err
	}
	p, err := link.Turn(a.Preset(), name, v)
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
	return a.SetParameter(name, min(was, link.MaxSum-other))
}

// switched is a force of a mode's flow.
type switched struct {
	mode Mode
	name Parameter
}
