package link

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"mppm/shared/ambient"
	"mppm/shared/flow"
	"mppm/shared/latent"
)

// Parameter is one of the numbers of a flow (Alg. 1 and 4).
type Parameter string

// The parameters. SigmaD and SigmaKer are of Manifold's flow alone, Sigma of all
// others; Rounds, Trust, Local and Keep have sliders for faces alone, Tolerance and Noise
// none.
const (
	Alpha     Parameter = "alpha"
	Beta      Parameter = "beta"
	Sigma     Parameter = "sigma"
	Tau       Parameter = "tau"
	Steps     Parameter = "steps"
	SigmaD    Parameter = "sigma-d"
	SigmaKer  Parameter = "sigma-ker"
	Tolerance Parameter = "tolerance"
	Noise     Parameter = "noise"
	Rounds    Parameter = "rounds"
	Trust     Parameter = "trust"
	Local     Parameter = "local"
	Keep      Parameter = "keep"
)

// Dial is what may be said of a parameter: with a slider, in a link or a request,
// and on the command line.
type Dial struct {
	Parameter Parameter
	Symbol    string
	About     string
	// Of sliders. Links and requests may hold what lies between the steps. All are 0
	// where there is no slider.
	Min, Max, Step float64
	// Of the command line: who waits there may try what makes no picture, and what
	// takes long.
	Least, Most float64
}

// MaxSum bounds α + β, which must stay below 1 (Eq. 15), on the steps of their
// sliders.
const MaxSum = 0.99

// maxSteps bounds the steps of a slider: some times what the shipped flows take,
// and still as many as can be told apart on a timeline.
const maxSteps = 100

// maxRounds bounds the rounds of a slider: each runs both nets once more.
const maxRounds = 10

// most bounds the numbers of the command line that nothing else does.
const most = 1e6

var (
	alpha = Dial{Alpha, "α", "α, share of the distance that a step undoes (Eq. 15); α+β < 1", 0, MaxSum, 0.01, 0, 1}
	beta  = Dial{Beta, "β", "β, weight of the kernel mean (Eq. 15)", 0, MaxSum, 0.01, 0, 1}
	steps = Dial{Steps, "steps", "steps at most", 1, maxSteps, 1, 0, flow.MaxSteps}

	dials = []Dial{
		alpha, beta,
		// A kernel of four times the codes' spacing averages over everything, one of a
		// twentieth holds one code.
		{Sigma, "σ", "σ, width of the kernel (Eq. 21), in units of the codes' spacing", 0.05, 4, 0.05, 0, most},
		// A gate of ten spacings is all but shut everywhere.
		{Tau, "τ", "τ, distance at which the kernel counts half, in the same units; 0: it always counts in full", 0, 10, 0.1, 0, most},
		steps,
	}
	// Of restoring by a U-Net (App. B.3). Links hold them in this order: what is new comes last.
	mending = []Dial{
		{Trust, "trust", "distance at which the skips of a U-Net and their projections count alike (App. B.3), in the same units; 0: the skips as they are", 0, 10, 0.1, 0, most},
		{Rounds, "rounds", "how often the picture is encoded again (App. B.3); 0 is 1", 0, maxRounds, 1, 0, latent.MaxRounds},
		{Local, "local trust", "the same at each pixel: how far it may be off, from 0 to 1, for skips and projections to count alike there; 0: the skips as they are", 0, 1, 0.01, 0, most},
		{Keep, "keep", "how far a bright pixel may be off, from 0 to 1, for it and the decoded one to count alike, and a dark one less; 0: all are decoded", 0, 0.5, 0.01, 0, most},
	}
	noSliders = []Dial{
		{Tolerance, "tolerance", "stop where a step is no longer than this, in the same units; 0: never", 0, 0, 0, 0, most},
		{Noise, "noise", "spread of the starts, in multiples of the codes' own", 0, 0, 0, 0, most},
	}
	// Half the radius of the circle is more than its kernel mean can stand.
	figureDials = []Dial{
		alpha, beta,
		{SigmaD, "σ_d", "σ_d, width of the kernel (Eq. 19), a length", 0.01, 0.5, 0.01, 0, most},
		{SigmaKer, "σ_ker", "σ_ker, spread of the samples (Eq. 19), in multiples of the codes' standard deviation", 0, 0.5, 0.01, 0, most},
		steps,
	}
)

// Dials lists the sliders of the flows of Restore and Generate.
func Dials() []Dial { return slices.Clone(dials) }

// FaceDials lists the sliders of Faces: Dials, and those of a U-Net.
func FaceDials() []Dial { return slices.Concat(dials, mending) }

// FigureDials lists the sliders of Manifold.
func FigureDials() []Dial { return slices.Clone(figureDials) }

// Flags lists what the command line may say of the flows of Restore and Generate:
// Dials, what has no slider, and what is of a U-Net.
func Flags() []Dial { return slices.Concat(dials, noSliders, mending) }

// Flow is a flow with its parameters: of Restore and Generate, or of Manifold.
type Flow interface{ latent.Preset | ambient.Preset }

// in returns where p, a pointer to a Flow, has a parameter: a *float32 or an *int,
// nil if it has none of that name.
func in(p any, name Parameter) any {
	switch p := p.(type) {
	case *latent.Preset:
		switch name {
		case Alpha:
			return &p.Alpha
		case Beta:
			return &p.Beta
		case Sigma:
			return &p.Sigma
		case Tau:
			return &p.Tau
		case Steps:
			return &p.Steps
		case Tolerance:
			return &p.Tolerance
		case Noise:
			return &p.Noise
		case Rounds:
			return &p.Rounds
		case Trust:
			return &p.Trust
		case Local:
			return &p.Local
		case Keep:
			return &p.Keep
		}
	case *ambient.Preset:
		switch name {
		case Alpha:
			return &p.Alpha
		case Beta:
			return &p.Beta
		case SigmaD:
			return &p.SigmaD
		case SigmaKer:
			return &p.SigmaKer
		case Steps:
			return &p.Steps
		}
	}
	return nil
}

// Value returns a parameter of a flow, as it is written: 0.6, not the nearest
// float32. It is 0 where the flow has none of that name.
func Value[F Flow](p F, name Parameter) float64 {
	switch at := in(&p, name).(type) {
	case *int:
		return float64(*at)
	case *float32:
		d, _ := strconv.ParseFloat(decimal32(*at), 64) // it was written here
		return d
	}
	return 0
}

// With returns p with a parameter set to v.
func With[F Flow](p F, name Parameter, v float64) F {
	switch at := in(&p, name).(type) {
	case *int:
		*at = int(v)
	case *float32:
		*at = float32(v)
	}
	return p
}

// Turn returns p with a parameter at the step of its slider that is nearest to v.
// Where α + β would reach 1, the one that is set stops short of it, and the error
// says where. With any other error p is as it was.
func Turn[F Flow](p F, name Parameter, v float64) (F, error) {
	list := FaceDials()
	if _, ok := any(p).(ambient.Preset); ok {
		list = figureDials
	}
	i := slices.IndexFunc(list, func(d Dial) bool { return d.Parameter == name })
	if i < 0 {
		return p, fmt.Errorf("there is no parameter %q", name)
	}
	d := list[i]
	if !(v >= d.Min && v <= d.Max) {
		return p, fmt.Errorf("%s = %v is out of range: %v to %v", d.Symbol, v, d.Min, d.Max)
	}
	var err error
	other := map[Parameter]Parameter{Alpha: Beta, Beta: Alpha}[name]
	if sum := Value(p, other); other != "" && v+sum > MaxSum+1e-9 {
		v = MaxSum - sum
		err = fmt.Errorf("%s stops at %.2f: α + β must stay below 1", d.Symbol, v)
	}
	return With(p, name, max(OnGrain(v, d.Step), 0)), err
}

func decimal32(v float32) string { return strconv.FormatFloat(float64(v), 'f', -1, 32) }

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// OnGrain returns the multiple of grain that is nearest to v, without the sign of
// zero.
func OnGrain(v, grain float64) float64 { return math.Round(v/grain)*grain + 0 }
