package app

import (
	"fmt"
	"math"

	"mppm/shared/mppm"
)

// Parameters of Manifold's flow alone.
const (
	SigmaD   Parameter = "sigma-d"
	SigmaKer Parameter = "sigma-ker"
)

// FigureDials lists the sliders of Manifold. σ_d is a length; half the radius of
// the circle is more than its kernel mean can stand.
func FigureDials() []Dial {
	return []Dial{
		{Alpha, "α", 0, 0.95, 0.01},
		{Beta, "β", 0, 0.95, 0.01},
		{SigmaD, "σ_d", 0.01, 0.5, 0.01},
		{SigmaKer, "σ_ker", 0, 0.5, 0.01},
		{Steps, "steps", 1, 60, 1},
	}
}

// FigureValue returns a parameter of a flow, as it is written.
func FigureValue(p mppm.Preset, name Parameter) float64 {
	var v float32
	switch name {
	case Alpha:
		v = p.Alpha
	case Beta:
		v = p.Beta
	case SigmaD:
		v = p.SigmaD
	case SigmaKer:
		v = p.SigmaKer
	case Steps:
		return float64(p.Steps)
	}
	return math.Round(float64(v)*1e6) / 1e6
}

// putFigure returns p with the dial's parameter set to v, on the dial's steps.
func putFigure(p mppm.Preset, d Dial, v float64) mppm.Preset {
	v = max(math.Round(v/d.Step)*d.Step, 0)
	switch d.Parameter {
	case Alpha:
		p.Alpha = float32(v)
	case Beta:
		p.Beta = float32(v)
	case SigmaD:
		p.SigmaD = float32(v)
	case SigmaKer:
		p.SigmaKer = float32(v)
	case Steps:
		p.Steps = int(v)
	}
	return p
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

func (a *App) setFigureFlow(p mppm.Preset) {
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
		return FigureValue(a.Figure.Flow, name), FigureValue(CurveFlow(), name)
	}
	return Value(a.Preset(), name), Value(a.Defaults(), name)
}
