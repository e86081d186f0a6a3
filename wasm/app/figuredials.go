package app

import (
	"mppm/shared/ambient"
	"mppm/shared/link"
)

// FigureValue returns a parameter of a flow, as it is written.
func FigureValue(p ambient.Preset, name Parameter) float64 { return link.Value(p, name) }

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
