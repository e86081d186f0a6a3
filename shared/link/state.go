package link

import (
	"math"

	"mppm/shared/ambient"
	"mppm/shared/degrade"
	"mppm/shared/latent"
)

// Mode is one of the page's tabs.
type Mode string

// The modes.
const (
	Restore  Mode = "restore"
	Generate Mode = "generate"
	Map      Mode = "map"
	Manifold Mode = "manifold"
)

// Modes lists the modes of a page of digits, in the order of their tabs.
func Modes() []Mode { return []Mode{Restore, Generate, Map, Manifold} }

// Subject is what the timeline is about: one flow, or the walk between two
// digits. Each has a playhead of its own.
type Subject string

// The subjects.
const (
	Restoration Subject = "restore"  // of Restore
	Growth      Subject = "generate" // of Generate's grid
	Walk        Subject = "walk"     // between two digits of the grid
	Spot        Subject = "spot"     // the flow of a code that was put on the map
	Descent     Subject = "manifold" // a point's ways to a curve
)

// Followed lists whose path the map can show.
func Followed() []Subject { return []Subject{Restoration, Growth, Spot} }

// Source says where the original image comes from.
type Source string

// The sources.
const (
	Digit   Source = "digit"   // one of the test digits
	Drawing Source = "drawing" // the pad
	Picture Source = "picture" // an image that the user brought
)

// None is the kind of "no damage": the original itself is restored.
const None degrade.Kind = "none"

// Find returns the description of a kind of damage, the zero Info for None and
// for what there is not.
func Find(k degrade.Kind) degrade.Info {
	info, _ := k.Info()
	return info
}

// Damages lists the kinds of damage, None the first.
func Damages() []degrade.Kind {
	list := []degrade.Kind{None}
	for _, i := range degrade.Kinds() {
		list = append(list, i.Kind)
	}
	return list
}

// Bounds of what can be chosen.
const (
	// A grid of a hundred digits still shows each of their pixels on a narrow phone.
	MinGrid = 1
	MaxGrid = 10
	// The diameter of the pen in pixels of an image: a thinner line is lost, a broader
	// one fills the holes of digits.
	MinBrush = 1.0
	MaxBrush = 5.0
	// Of the map: further in, a screen shows no more than a code or two.
	MaxZoom = 40
	// A seed can be typed, and every number of a browser holds it.
	MaxSeed = 1<<32 - 1
	Any     = -1 // the class of a grid of all digits
)

// farthestLens bounds where the map may look, in the units of the codes: they lie
// within some tens.
const farthestLens = 1000

// firstDigit is the test digit that is shown first: one whose path is long
// enough to see.
const firstDigit = 173

// Lens says what part of the map is seen: its middle, from the middle of all
// codes, in the units of the codes, and how many times larger than as a whole.
type Lens struct {
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Zoom float64 `json:"zoom"`
}

// State is everything the user chose: a plain value that says what is on the
// screen, up to the playhead, and the strokes of a drawing.
type State struct {
	Mode         Mode          `json:"mode"`
	Source       Source        `json:"source"`
	Digit        int           `json:"digit"`             // index of the test digit
	Picture      string        `json:"picture,omitempty"` // what the user brought, packed
	Kind         degrade.Kind  `json:"kind"`              // None, or one of degrade.Kinds
	Severity     float64       `json:"severity"`          // in the kind's unit
	Seed         uint64        `json:"seed"`              // of the damage
	Brush        float64       `json:"brush"`             // diameter, pixels
	GenerateSeed uint64        `json:"generateSeed"`
	Grid         int           `json:"grid"`           // digits along each edge of the grid
	Class        int           `json:"class"`          // the only class of the grid, or Any
	Like         string        `json:"like,omitempty"` // the code that the grid grows around, packed; "": noise
	Selected     int           `json:"selected"`       // index of the digit of the grid that is shown large
	Walk         bool          `json:"walk"`           // walk from Selected to WalkTo
	WalkTo       int           `json:"walkTo"`         // index of the other digit
	Follow       Subject       `json:"follow"`         // whose path the map shows
	Spot         string        `json:"spot,omitempty"` // the code that was put on the map, packed; "": none
	View         Lens          `json:"view"`           // what part of the map is seen
	Heat         bool          `json:"heat"`           // D on the map
	Memory       Memory        `json:"memory"`         // what the density of digits was taught
	Figure       Figure        `json:"figure"`         // of Manifold
	Faces        FaceState     `json:"faces"`
	RestoreFlow  latent.Preset `json:"restoreFlow"`
	GenerateFlow latent.Preset `json:"generateFlow"`
}

// Subject returns what the timeline is about.
func (s *State) Subject() Subject {
	switch {
	case s.Mode == Restore:
		return Restoration
	case s.Mode == Manifold:
		return Descent
	case s.Mode == Faces:
		return Face
	case s.Mode == Map && s.Follow != Growth:
		return s.Follow
	case s.Walk:
		return Walk
	}
	return Growth
}

// first is the first screen: a test digit under noise, about to be restored.
func first(digits int, restore, generate latent.Preset) State {
	s := State{
		Mode: Restore, Source: Digit, Kind: degrade.Gaussian, Seed: 1,
		Brush: 2.6, GenerateSeed: 1, Grid: 6, Class: Any, WalkTo: 1,
		Follow: Restoration, View: Lens{Zoom: 1}, Heat: true, Memory: Memory{Weight: FirstWeight},
		Figure:      firstFigure(),
		RestoreFlow: restore, GenerateFlow: generate,
	}
	s.Severity = Find(s.Kind).Mild
	if firstDigit < digits {
		s.Digit = firstDigit
	}
	return s
}

// Curve is one of the curves of Manifold.
type Curve string

// The curves.
const (
	HalfCircle Curve = "circle"
	Spiral     Curve = "spiral"
	Moons      Curve = "moons"
	Trefoil    Curve = "trefoil"
)

// CurveInfo describes a curve.
type CurveInfo struct {
	Curve Curve
	Label string
	Flat  bool       // it lies in a plane, and its points have two coordinates
	First [3]float64 // where a point lies when the curve is chosen
}

// Curves lists the curves, the one that is shown first at the head.
func Curves() []CurveInfo {
	return []CurveInfo{
		{HalfCircle, "Half circle", false, [3]float64{0.625, 1.125, 0.75}},
		{Spiral, "Spiral", true, [3]float64{0.125, 0.875, 0}},
		{Moons, "Two moons", true, [3]float64{0.25, 0.75, 0}},
		{Trefoil, "Trefoil knot", false, [3]float64{0.75, 0.25, 0.625}},
	}
}

// FindCurve returns the description of a curve, and whether there is such a one.
func FindCurve(c Curve) (CurveInfo, bool) {
	for _, i := range Curves() {
		if i.Curve == c {
			return i, true
		}
	}
	return CurveInfo{}, false
}

// Dim returns how many coordinates the curve's points have.
func (i CurveInfo) Dim() int {
	if i.Flat {
		return 2
	}
	return 3
}

// Method is one of the ways home that Manifold compares.
type Method string

// The methods.
const (
	MPPM Method = "mppm" // the flow of Alg. 1
	DAE  Method = "dae"  // the denoising autoencoder
	DDPM Method = "ddpm" // diffusion, Alg. 3
)

// Methods lists the methods.
func Methods() []Method { return []Method{MPPM, DAE, DDPM} }

// Figure is what was chosen in Manifold. Lengths are in the coordinates of the
// curve's points.
type Figure struct {
	Curve        Curve          `json:"curve"`
	At           [3]float64     `json:"at"`   // where the point was dropped; flat curves leave the last at 0
	Seed         uint64         `json:"seed"` // of the random point, and of diffusion
	Camera       Camera         `json:"camera"`
	MPPM         bool           `json:"mppm"` // which ways are shown
	DAE          bool           `json:"dae"`
	DDPM         bool           `json:"ddpm"`
	Slice        bool           `json:"slice"`        // D on the plane that faces the viewer
	Construction bool           `json:"construction"` // Fig. 3 at the point
	Flow         ambient.Preset `json:"flow"`
}

// CurveFlow is the flow that every shipped curve names as its own.
func CurveFlow() ambient.Preset {
	return ambient.Preset{Alpha: 0.15, Beta: 0.3, SigmaD: 0.02, SigmaKer: 0.05, Samples: 8, Steps: 15}
}

func firstFigure() Figure {
	c := Curves()[0]
	return Figure{
		Curve: c.Curve, At: c.First, Seed: 1, Camera: FirstCamera(),
		MPPM: true, DAE: true, DDPM: true, Slice: true, Flow: CurveFlow(),
	}
}

// Shows reports whether the way of a method is shown.
func (f Figure) Shows(m Method) bool { return *f.shown(m) }

// Show shows the way of a method, or not.
func (f *Figure) Show(m Method, on bool) { *f.shown(m) = on }

func (f *Figure) shown(m Method) *bool {
	switch m {
	case DAE:
		return &f.DAE
	case DDPM:
		return &f.DDPM
	}
	return &f.MPPM
}

// Flat reports whether the curve lies in a plane.
func (f Figure) Flat() bool {
	i, _ := FindCurve(f.Curve)
	return i.Flat
}

// PointGrain is what the coordinates of points are multiples of, so that a link
// is short.
const PointGrain = 1.0 / 1024

// Farthest bounds the coordinates of points: the curves lie within 1.5.
const Farthest = 8

// Camera says from where Manifold's curve is seen, without perspective: turned by
// an azimuth around the third axis, then by an elevation. Flat curves are always
// seen from above, and moved instead of turned.
type Camera struct {
	Azimuth   float64 `json:"azimuth"`   // degrees, in [-180, 180)
	Elevation float64 `json:"elevation"` // degrees, -90 to 90
	Zoom      float64 `json:"zoom"`      // 1 shows the curve with some room around it
	X         float64 `json:"x"`         // by how much the view of a flat curve is off its middle
	Y         float64 `json:"y"`
}

// Bounds of Camera.Zoom.
const (
	MinCloseness = 0.5
	MaxCloseness = 12.0
)

// FarthestView bounds Camera.X and Camera.Y, so that the curve is not lost.
const FarthestView = 2.0

// Grains of cameras, so that a link is short.
const (
	angleGrain = 0.25 // degrees
	zoomGrain  = 1.0 / 64
)

// FirstCamera returns the camera of the first view.
func FirstCamera() Camera { return Camera{Azimuth: 24, Elevation: 38, Zoom: 1} }

// OnGrain returns the camera within its bounds, on its grains: finer ones are not
// to be seen.
func (c Camera) OnGrain() Camera {
	c.Azimuth = OnGrain(math.Mod(math.Mod(c.Azimuth+180, 360)+360, 360)-180, angleGrain)
	if c.Azimuth >= 180 {
		c.Azimuth -= 360
	}
	c.Elevation = OnGrain(min(max(c.Elevation, -90), 90), angleGrain)
	c.Zoom = OnGrain(min(max(c.Zoom, MinCloseness), MaxCloseness), zoomGrain)
	c.X = OnGrain(min(max(c.X, -FarthestView), FarthestView), PointGrain)
	c.Y = OnGrain(min(max(c.Y, -FarthestView), FarthestView), PointGrain)
	return c
}
