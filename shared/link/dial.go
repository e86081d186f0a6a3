package link

import (
	"math"
	"strconv"

	"mppm/shared/ambient"
	"mppm/shared/latent"
)

// Parameter is one of the numbers of a flow (Alg. 1 and 4).
type Parameter string

// The parameters. Those of Manifold's flow alone are the last two.
const (
	Alpha    Parameter = "alpha"
	Beta     Parameter = "beta"
	Sigma    Parameter = "sigma"
	Tau      Parameter = "tau"
	Steps    Parameter = "steps"
	SigmaD   Parameter = "sigma-d"
	SigmaKer Parameter = "sigma-ker"
)

// Dial is a slider for a parameter. A link may hold what lies between its steps.
type Dial struct {
	Parameter      Parameter
	Symbol         string
	Min, Max, Step float64
}

// Bounds of the flows' parameters. α + β must stay below 1, so neither reaches it.
const (
	maxForce = 0.99
	maxSteps = 100
)

// Dials lists the sliders of the flows of Restore and Generate. A kernel of four
// times the codes' spacing averages over everything, one of a twentieth holds one
// code; a gate of ten spacings is all but shut everywhere.
func Dials() []Dial {
	return []Dial{
		{Alpha, "α", 0, maxForce, 0.01},
		{Beta, "β", 0, maxForce, 0.01},
		{Sigma, "σ", 0.05, 4, 0.05},
		{Tau, "τ", 0, 10, 0.1},
		{Steps, "steps", 1, maxSteps, 1},
	}
}

// FigureDials lists the sliders of Manifold. σ_d is a length; half the radius of
// the circle is more than its kernel mean can stand.
func FigureDials() []Dial {
	return []Dial{
		{Alpha, "α", 0, maxForce, 0.01},
		{Beta, "β", 0, maxForce, 0.01},
		{SigmaD, "σ_d", 0.01, 0.5, 0.01},
		{SigmaKer, "σ_ker", 0, 0.5, 0.01},
		{Steps, "steps", 1, maxSteps, 1},
	}
}

// Value returns a parameter of a flow, as it is written: 0.6, not the nearest
// float32.
func Value(p latent.Preset, name Parameter) float64 {
	if name == Steps {
		return float64(p.Steps)
	}
	if v := ofPreset(&p, name); v != nil {
		return written(*v)
	}
	return 0
}

// FigureValue returns a parameter of a flow of Manifold, as it is written.
func FigureValue(p ambient.Preset, name Parameter) float64 {
	if name == Steps {
		return float64(p.Steps)
	}
	if v := ofFigure(&p, name); v != nil {
		return written(*v)
	}
	return 0
}

// With returns p with a parameter set to v.
func With(p latent.Preset, name Parameter, v float64) latent.Preset {
	if name == Steps {
		p.Steps = int(v)
	} else if at := ofPreset(&p, name); at != nil {
		*at = float32(v)
	}
	return p
}

// WithFigure returns p with a parameter set to v.
func WithFigure(p ambient.Preset, name Parameter, v float64) ambient.Preset {
	if name == Steps {
		p.Steps = int(v)
	} else if at := ofFigure(&p, name); at != nil {
		*at = float32(v)
	}
	return p
}

// ofPreset returns where a flow has a parameter, nil if it is not one of its
// float32.
func ofPreset(p *latent.Preset, name Parameter) *float32 {
	switch name {
	case Alpha:
		return &p.Alpha
	case Beta:
		return &p.Beta
	case Sigma:
		return &p.Sigma
	case Tau:
		return &p.Tau
	}
	return nil
}

func ofFigure(p *ambient.Preset, name Parameter) *float32 {
	switch name {
	case Alpha:
		return &p.Alpha
	case Beta:
		return &p.Beta
	case SigmaD:
		return &p.SigmaD
	case SigmaKer:
		return &p.SigmaKer
	}
	return nil
}

// written returns the shortest decimal that a float32 is the nearest to.
func written(v float32) float64 {
	d, _ := strconv.ParseFloat(decimal32(v), 64) // it was written here
	return d
}

func decimal32(v float32) string { return strconv.FormatFloat(float64(v), 'f', -1, 32) }

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// OnGrain returns the multiple of grain that is nearest to v, without the sign of
// zero.
func OnGrain(v, grain float64) float64 { return math.Round(v/grain)*grain + 0 }
