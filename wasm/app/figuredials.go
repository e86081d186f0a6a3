package app

import (
	"fmt"

	"mppm/shared/ambient"
	"mppm/shared/link"
)

// FigureValue returns a parameter of a flow, as it is written.
func FigureValue(p ambient.Preset, name Parameter) float64 { return link.FigureValue(p, name) }

// putFigure returns p with the dial's parameter set to v, on the dial's steps.
func putFigure(p ambient.Preset, d Dial, v float64) ambient.Preset {
	return link.WithFigure(p, d.Parameter, onSteps(d, v))
}

// setFigureParameter is SetParameter for Manifold.
func (a *App) setFigureParameter(name Parameter, v float64) error {
	p := a.Figure.Flow
	for _, d := range FigureDials() {
		if d.Parameter != name {
			continue
		}
		if !(v >= d.Min && v <= d.Max) {
			return fmt.Errorf("%s = %v is out of range: %v to %v", d.Symbol, v, d.Min, d.Max)
		}
		v, err := belowOne(name, v, FigureValue(p, Alpha), FigureValue(p, Beta))
		a.setFigureFlow(putFigure(p, d, v))
		return err
	}
	return fmt.Errorf("there is no parameter %q", name)
}

func (a *App) setFigureFlow(p ambient.Preset) {
	if p != a.Figure.Flow {
		a.Figure.Flow = p
		a.staleWays = true
		a.touch()
	}
}

// ModeDials lists the sliders of the mode that is shown.
func (a *App) ModeDials() []Dial {
	if a.Mode == Manifold {
		return FigureDials()
	}
	return Dials()
}

// Setting returns a parameter of the flow that the sliders set, and its default.
func (a *App) Setting(name Parameter) (v, standard float64) {
	if a.Mode == Manifold {
		return FigureValue(a.Figure.Flow, name), FigureValue(link.CurveFlow(), name)
	}
	return Value(a.Preset(), name), Value(a.Defaults(), name)
}
