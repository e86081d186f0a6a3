package app

import "mppm/shared/link"

// What was chosen, and what may be, is package link's: a link says all of it.
type (
	State     = link.State
	Mode      = link.Mode
	Subject   = link.Subject
	Source    = link.Source
	Lens      = link.Lens
	Curve     = link.Curve
	CurveInfo = link.CurveInfo
	Method    = link.Method
	Figure    = link.Figure
	Camera    = link.Camera
	Parameter = link.Parameter
	Dial      = link.Dial
)

// The modes.
const (
	Restore  = link.Restore
	Generate = link.Generate
	Map      = link.Map
	Manifold = link.Manifold
)

// The subjects.
const (
	Restoration = link.Restoration
	Growth      = link.Growth
	Walk        = link.Walk
	Spot        = link.Spot
	Descent     = link.Descent
)

// The sources.
const (
	Digit   = link.Digit
	Drawing = link.Drawing
	Picture = link.Picture
)

// The curves.
const (
	HalfCircle = link.HalfCircle
	Spiral     = link.Spiral
	Moons      = link.Moons
	Trefoil    = link.Trefoil
)

// The methods.
const (
	MPPM = link.MPPM
	DAE  = link.DAE
	DDPM = link.DDPM
)

// The parameters.
const (
	Alpha    = link.Alpha
	Beta     = link.Beta
	Sigma    = link.Sigma
	Tau      = link.Tau
	Steps    = link.Steps
	SigmaD   = link.SigmaD
	SigmaKer = link.SigmaKer
)

// None is the kind of "no damage", Any the class of a grid of all digits.
const (
	None = link.None
	Any  = link.Any
)

// Bounds of what can be chosen.
const (
	MinGrid      = link.MinGrid
	MaxGrid      = link.MaxGrid
	MinBrush     = link.MinBrush
	MaxBrush     = link.MaxBrush
	MaxZoom      = link.MaxZoom
	MinCloseness = link.MinCloseness
	MaxCloseness = link.MaxCloseness
	MaxSeed      = link.MaxSeed
)

// Modes, Curves and Methods list them in the order in which they are shown, Dials
// and FigureDials the sliders.
func Modes() []Mode       { return link.Modes() }
func Curves() []CurveInfo { return link.Curves() }
func Methods() []Method   { return link.Methods() }
func Dials() []Dial       { return link.Dials() }
func FigureDials() []Dial { return link.FigureDials() }

// FindCurve returns the description of a curve, and whether there is such a one.
func FindCurve(c Curve) (CurveInfo, bool) { return link.FindCurve(c) }
