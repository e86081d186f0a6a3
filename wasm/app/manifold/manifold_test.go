package manifold

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/link"
	"mppm/shared/rng"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/curve"
	"mppm/wasm/app/export"
	"mppm/wasm/app/export/encode"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room/roomtest"
	"mppm/weights"
)

type page = roomtest.Page[*Room]

// newPage returns a page that shows the room, without curves.
func newPage(t *testing.T) *page {
	t.Helper()
	s := roomtest.NewSession(&roomtest.Engine{}, roomtest.Preset)
	s.Mode = link.Manifold
	return roomtest.New(t, s, New(s))
}

var curveFiles = map[link.Curve][]byte{
	link.HalfCircle: weights.Circle, link.Spiral: weights.Spiral, link.Moons: weights.Moons, link.Trefoil: weights.Trefoil,
}

// withCurves returns an app in Manifold with the shipped curves.
func withCurves(t *testing.T) *page {
	t.Helper()
	a := newPage(t)
	bringCurves(t, a)
	a.Room.SetAspect(1.5)
	a.Settle()
	return a
}

func bringCurves(t *testing.T, a *page) {
	t.Helper()
	for c, b := range curveFiles {
		a.Models.Bring(compute.OfCurve+string(c), compute.Raw(b))
		a.Room.Arrive(c, nil)
	}
}

// TestCurveFlow: the sliders' defaults are what the shipped files name.
func TestCurveFlow(t *testing.T) {
	for c, b := range curveFiles {
		m, err := ambient.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Flow != link.CurveFlow() {
			t.Errorf("%s flows by %+v, the page by %+v", c, m.Flow, link.CurveFlow())
		}
	}
	for _, d := range link.FigureDials() {
		v := link.Value(link.CurveFlow(), d.Parameter)
		if p, err := link.Turn(link.CurveFlow(), d.Parameter, v); err != nil || link.Value(p, d.Parameter) != v {
			t.Errorf("the default %v of %s is not on its slider", v, d.Symbol)
		}
	}
}

// TestLineThroughCurve holds the distance to the curve to the half circle's own,
// and the line through each curve to its points.
func TestLineThroughCurve(t *testing.T) {
	a := withCurves(t)
	for _, c := range link.Curves() {
		roomtest.Must(t, a.Room.SetCurve(c.Curve))
		a.Settle()
		s := a.Room.curve()
		pieces := 1
		if c.Curve == link.Moons {
			pieces = 2
		}
		want := len(s.Points) - pieces
		if c.Curve == link.Trefoil {
			want++ // it is closed
		}
		if len(s.Segments) != want {
			t.Errorf("%s: %d pieces of line through %d points, want %d", c.Curve, len(s.Segments), len(s.Points), want)
		}
		for _, l := range s.Segments {
			if d := math.Sqrt(curve.Square(s.Points[l[0]], s.Points[l[1]])); d > curve.Gap {
				t.Errorf("%s: a piece of line is %v long", c.Curve, d)
			}
		}
	}
	s := a.Room.curves[link.HalfCircle]
	src := rng.New(4, 0)
	for range 300 {
		angle := math.Pi * (0.12 + 0.76*src.Float64())
		x := [3]float64{math.Cos(angle) + 0.3*src.Norm(), math.Sin(angle), 0.3 * src.Norm()}
		r := math.Hypot(x[0], x[1])
		if at := math.Atan2(x[1], x[0]); at < 0.4 || at > math.Pi-0.4 || r < 0.1 {
			continue
		}
		if got, want := s.Off(x), math.Hypot(r-1, x[2]); math.Abs(got-want) > 0.004 {
			t.Errorf("%v is %v from the half circle, want %v", x, got, want)
		}
	}
}

// TestPathsHome: from points with the noise that the models know, MPPM ends near
// every curve, nearer than it was dropped by far, and nearer than the others.
func TestPathsHome(t *testing.T) {
	a := withCurves(t)
	for _, c := range link.Curves() {
		roomtest.Must(t, a.Room.SetCurve(c.Curve))
		a.Settle()
		if off := a.Room.Path(link.MPPM).Off; off[0] < 0.1 || off[len(off)-1] > 0.03 {
			t.Errorf("%s: the first point goes from %v to %v", c.Curve, off[0], off[len(off)-1])
		}
		var start float64
		end := map[link.Method]float64{}
		for range 40 {
			roomtest.Must(t, a.Room.RandomPoint())
			a.Settle()
			start += a.Room.Path(link.MPPM).Off[0]
			for _, m := range link.Methods() {
				w := a.Room.Path(m)
				end[m] += w.Off[w.Steps()]
				if w.X[0] != a.Room.Path(link.MPPM).X[0] && math.Sqrt(curve.Square(w.X[0], a.Figure.At)) > 1e-5 {
					t.Fatalf("%s: %s starts at %v, the point was dropped at %v", c.Curve, m, w.X[0], a.Figure.At)
				}
			}
		}
		if end[link.MPPM] > start/4 || end[link.MPPM] > end[link.DAE] || end[link.MPPM] > end[link.DDPM] {
			t.Errorf("%s: dropped at %.3f in all, MPPM ends at %.3f, DAE at %.3f, DDPM at %.3f", c.Curve, start, end[link.MPPM], end[link.DAE], end[link.DDPM])
		}
	}
}

// TestConstruction: the next step that is drawn is the next step.
func TestConstruction(t *testing.T) {
	a := withCurves(t)
	roomtest.Must(t, a.Set(link.SigmaD, 0.2), a.Set(link.Alpha, 0.4))
	a.Room.SetConstruction(true)
	a.Settle()
	w := a.Room.Path(link.MPPM)
	for k := range w.Steps() {
		th, ok := a.Room.Construction(k)
		if d := math.Sqrt(curve.Square(th.Next, w.X[k+1])); !ok || d > 1e-5 {
			t.Errorf("step %d leads to %v, drawn is %v", k, w.X[k+1], th.Next)
		}
		if d := math.Sqrt(curve.Square(th.Foot, w.X[k])); math.Abs(d-w.D[k]) > 1e-5 {
			t.Errorf("at step %d the foot is %v away, D is %v", k, d, w.D[k])
		}
	}
	if n := len(a.Room.Samples()); n != 550*a.Figure.Flow.Samples {
		t.Errorf("%d samples of the curve", n)
	}
	before := a.Room.Samples()[0]
	roomtest.Must(t, a.Set(link.SigmaKer, 0.3))
	a.Settle()
	if a.Room.Samples()[0] == before {
		t.Error("with another σ_ker the samples are the same")
	}
}

// TestDiffusionBySeed: the same seed gives the same way, another one another.
func TestDiffusionBySeed(t *testing.T) {
	ways := map[string]int{}
	for _, seed := range []int{7, 7, 8} {
		a := newPage(t)
		bringCurves(t, a)
		a.Figure.Seed, a.Figure.At = uint64(seed), [3]float64{0.5, 1, 0.25}
		roomtest.Must(t, a.Room.Open(&link.Link{State: a.State, Step: -1}))
		a.Settle()
		if a.Room.Path(link.DDPM).Steps() < 10 {
			t.Errorf("diffusion takes %d steps from %v off", a.Room.Path(link.DDPM).Steps(), a.Room.Path(link.DDPM).Off[0])
		}
		ways[fmt.Sprint(a.Room.Path(link.DDPM).X)]++
	}
	if len(ways) != 2 {
		t.Errorf("two seeds, of three runs, give %d ways", len(ways))
	}
}

// TestEye: Place undoes Screen on the plane that faces the viewer, whichever way
// it is turned, and the viewer's axes are at right angles.
func TestEye(t *testing.T) {
	a := withCurves(t)
	for _, c := range []link.Camera{link.FirstCamera(), {Azimuth: -180, Elevation: 90, Zoom: 1}, {Azimuth: 77.25, Elevation: -90, Zoom: 3}, {Azimuth: 10, Zoom: 0.5}} {
		a.Figure.Camera = c
		e := a.Room.Eye(640, 400)
		for _, p := range [][2]float64{{320, 200}, {0, 0}, {600, 10}} {
			x, y, near := e.Screen(e.Place(p[0], p[1]))
			if math.Hypot(x-p[0], y-p[1]) > 1e-9 || math.Abs(near) > 1e-9 {
				t.Errorf("%+v: the pixel %v leads back to %v, %v, %v before the plane", c, p, x, y, near)
			}
		}
		for _, v := range []float64{curve.Dot(e.right, e.up), curve.Dot(e.right, e.toward), curve.Dot(e.up, e.toward), curve.Dot(e.up, e.up) - 1, curve.Dot(e.toward, e.toward) - 1} {
			if math.Abs(v) > 1e-12 {
				t.Errorf("%+v: the viewer's axes are not", c)
			}
		}
	}
	// Turned by hand, a point in front goes to the right and down with it.
	a.Room.FirstView()
	e := a.Room.Eye(640, 400)
	front := e.middle
	for k := range front {
		front[k] += 0.5 * e.toward[k]
	}
	a.Room.Turn(10, 10)
	if x, y, _ := a.Room.Eye(640, 400).Screen(front); x <= 320 || y <= 200 {
		t.Errorf("turned to the right and down, what is in front is seen at %v, %v", x, y)
	}
	a.Room.Turn(1e9, 1e9)
	a.Room.Turn(math.NaN(), math.Inf(1))
	if c := a.Figure.Camera; !(c.Azimuth >= -180 && c.Azimuth < 180 && c.Elevation == 90) {
		t.Errorf("turned far, the camera is %+v", c)
	}
	a.Room.Zoom(1e9)
	if a.Figure.Camera.Zoom != link.MaxCloseness {
		t.Errorf("zoomed far, the camera is %+v", a.Figure.Camera)
	}
	roomtest.Must(t, a.Room.SetCurve(link.Moons))
	c := a.Figure.Camera
	if a.Room.Turn(50, 50); a.Figure.Camera != c {
		t.Error("a flat curve was turned")
	}
	// It is moved instead: what is under a finger stays there, and so it does when a
	// point is dropped.
	place := a.Room.Eye(640, 400).Place(100, 300)
	a.Room.Pan(a.Room.Eye(640, 400), 60, -25)
	if x, y, _ := a.Room.Eye(640, 400).Screen(place); math.Hypot(x-160, y-275) > 1.5 {
		t.Errorf("moved by (60, -25), what was seen at (100, 300) is at (%v, %v)", x, y)
	}
	a.Room.Pan(a.Room.Eye(640, 400), math.NaN(), 1)
	if a.Room.Pan(a.Room.Eye(640, 400), -1e9, 1e9); a.Figure.Camera.X != link.FarthestView || a.Figure.Camera.Y != link.FarthestView {
		t.Errorf("moved far, the camera is %+v", a.Figure.Camera)
	}
	roomtest.Must(t, a.Room.SetCurve(link.HalfCircle))
	c = a.Figure.Camera
	if a.Room.Pan(a.Room.Eye(640, 400), 50, 50); a.Figure.Camera != c || c.X != 0 || c.Y != 0 {
		t.Errorf("of a curve that is not flat the camera is %+v", a.Figure.Camera)
	}
}

// TestTags: every sign of Fig. 3 is there at every step, on the figure and off the
// others, near what it stands for.
func TestTags(t *testing.T) {
	a := withCurves(t)
	a.Room.SetConstruction(true)
	for _, i := range link.Curves() {
		roomtest.Must(t, a.Room.SetCurve(i.Curve))
		a.Settle()
		e := a.Room.Eye(314, 274)
		for k := range a.Head().End() + 1 {
			tags := a.Room.Tags(e, k)
			if len(tags) != 4 {
				t.Fatalf("%s: at step %d there are %d signs", i.Curve, k, len(tags))
			}
			th, _ := a.Room.Construction(k)
			for name, x := range map[string][3]float64{"x": a.Room.Path(link.MPPM).X[k], "mean": th.Mean, "star": th.Projection, "foot": th.Foot} {
				g := tags[name]
				px, py, _ := e.Screen(x)
				if g.X < 10 || g.Y < 10 || g.X > 304 || g.Y > 264 || math.Hypot(g.X-px, g.Y-py) > 55 {
					t.Errorf("%s: at step %d the sign %s of (%.0f, %.0f) stands at (%.0f, %.0f)", i.Curve, k, name, px, py, g.X, g.Y)
				}
				for other, o := range tags {
					if other != name && math.Hypot(g.X-o.X, g.Y-o.Y) < 20 {
						t.Errorf("%s: at step %d the signs %s and %s stand on each other", i.Curve, k, name, other)
					}
				}
			}
		}
	}
}

// TestDropAndDrag: a click drops the point where it is seen, and it is dragged in
// parallel to the screen.
func TestDropAndDrag(t *testing.T) {
	a := withCurves(t)
	e := a.Room.Eye(600, 400)
	roomtest.Must(t, a.Room.DropPoint(e, 410, 120))
	a.Settle()
	if x, y, near := e.Screen(a.Figure.At); math.Hypot(x-410, y-120) > 0.5 || math.Abs(near) > 0.01 {
		t.Errorf("dropped at (410, 120), the point is seen at (%v, %v), %v before the plane", x, y, near)
	}
	if h := a.Head(); h.Step() != h.End() || h.End() != 15 {
		t.Errorf("after the drop the timeline rests at %d of %d", h.Step(), h.End())
	}
	if a.Room.OverPoint(e, 300, 200, 14) || !a.Room.OverPoint(e, 415, 125, 14) {
		t.Error("the point is not where it is")
	}
	a.Room.DragPoint(e, 10, 10) // nothing is held
	was := a.Figure.At
	a.Room.Turn(30, 0)
	e = a.Room.Eye(600, 400)
	_, _, deep := e.Screen(was)
	a.Room.Grab()
	a.Room.DragPoint(e, 200, 300)
	a.Room.DragPoint(e, math.NaN(), 3)
	a.Update(1)
	if x, y, near := e.Screen(a.Figure.At); math.Hypot(x-200, y-300) > 0.5 || math.Abs(near-deep) > 0.01 || a.Head().Step() != 0 {
		t.Errorf("dragged to (200, 300), the point is seen at (%v, %v), %v deep, was %v", x, y, near, deep)
	}
	a.Room.Release()
	if !a.Head().Playing() {
		t.Error("let go, the point does not go home")
	}
	roomtest.Must(t, a.Room.SetCurve(link.Spiral))
	roomtest.Must(t, a.Room.DropPoint(a.Room.Eye(600, 400), 5, 5))
	if a.Figure.At[2] != 0 {
		t.Errorf("beside a flat curve the point was dropped at %v", a.Figure.At)
	}
	a.Room.NudgePoint(0.1, 0)
	a.Settle()
}

func TestFigureParameters(t *testing.T) {
	a := withCurves(t)
	flow := a.RestoreFlow
	end := a.Room.Path(link.MPPM).X[15]
	roomtest.Must(t, a.Set(link.SigmaD, 0.3), a.Set(link.SigmaKer, 0), a.Set(link.Steps, 20))
	a.Settle()
	if a.Figure.Flow.SigmaD != 0.3 || a.Head().Step() != 20 || a.Room.Path(link.MPPM).X[20] == end {
		t.Errorf("other parameters: %+v, step %d", a.Figure.Flow, a.Head().Step())
	}
	if a.RestoreFlow != flow {
		t.Error("the flow of Restore has changed")
	}
	if err := a.Set(link.Beta, 0.95); err == nil || link.Value(a.Figure.Flow, link.Beta) != 0.84 {
		t.Errorf("β = 0.95 beside α = 0.15: %v, %v", err, a.Figure.Flow.Beta)
	}
	for _, name := range []link.Parameter{link.Sigma, link.Tau, "x"} {
		if a.Set(name, 0.2) == nil {
			t.Errorf("Manifold has a parameter %s", name)
		}
	}
	if a.Set(link.SigmaD, 0) == nil || a.Set(link.SigmaD, math.NaN()) == nil {
		t.Error("σ_d was set to 0")
	}
	a.Room.Dials().Reset()
	a.Settle()
	if a.Figure.Flow != link.CurveFlow() || a.Room.Path(link.MPPM).X[15] != end {
		t.Error("the reset does not lead back")
	}
	roomtest.Must(t, a.Room.Dials().SetForce(link.Beta, false))
	if v, standard := a.Room.Dials().Value(link.Beta); v != 0 || standard != 0.3 {
		t.Errorf("without density β is %v, its default %v", v, standard)
	}
	roomtest.Must(t, a.Room.Dials().SetForce(link.Beta, true))
	if v, _ := a.Room.Dials().Value(link.Beta); v != 0.3 {
		t.Errorf("with density again β is %v", v)
	}
}

func TestFigureSays(t *testing.T) {
	a := withCurves(t)
	a.Seek(3)
	a.Settle()
	r := a.Readout()
	want := fmt.Sprintf("step 3 of 15 · D = %.2f · %.2f from the curve", a.Room.Result().D, a.Room.Result().Off[link.MPPM])
	if r.Status != want || r.Error != "" {
		t.Errorf("the status is %q, want %q", r.Status, want)
	}
	roomtest.Must(t, a.Room.SetShown(link.MPPM, false))
	if got := a.Readout().Status; strings.Contains(got, "curve") {
		t.Errorf("without MPPM the status is %q", got)
	}
	if a.Room.SetShown("ldm", true) == nil || a.Room.SetCurve("square") == nil {
		t.Error("there are methods or curves that there are not")
	}
}

// TestMissingCurve: what did not arrive is said where it would be, and nowhere
// else.
func TestMissingCurve(t *testing.T) {
	a := newPage(t)
	for _, call := range []func() error{a.Room.RandomPoint, a.Room.DropMiddle, func() error { return a.Room.DropPoint(a.Room.Eye(9, 9), 1, 1) }} {
		if call() == nil {
			t.Error("a point was dropped beside no curve")
		}
	}
	if _, err := a.Room.Album(&palette.Palette{}); err == nil {
		t.Error("nothing was exported")
	}
	a.Room.Arrive(link.HalfCircle, errors.New("the file broke off"))
	a.Update(1)
	if a.Busy() || a.Active() || a.Readout().Status != "the file broke off" {
		t.Errorf("without a file: busy %v, %q", a.Busy(), a.Readout().Status)
	}
	if a.Err() != nil {
		t.Errorf("the other rooms say %q", a.Err())
	}
	a.Models.Bring(compute.OfCurve+string(link.HalfCircle), compute.Raw(weights.Moons))
	a.Room.Arrive(link.HalfCircle, nil)
	a.Update(1)
	if a.Room.Ready() || a.Room.Err() == nil {
		t.Error("a curve of the plane was taken for the half circle")
	}
}

// TestSlice: the slice is D on the plane that faces the viewer.
func TestSlice(t *testing.T) {
	a := withCurves(t)
	rest := func() {
		t.Helper()
		for range 2000 {
			if a.Update(1e6); !a.Active() {
				return
			}
		}
		t.Fatal("the slice is never whole")
	}
	rest()
	model, err := ambient.Load(weights.Circle)
	roomtest.Must(t, err)
	for _, shape := range []float64{1.5, 0.6} {
		a.Room.SetAspect(shape)
		a.Room.Turn(20, 5)
		rest()
		m := a.Room.Slice()
		e := a.Room.Eye(300*shape, 300)
		for _, at := range [][2]int{{0, 0}, {m.W - 1, 0}, {m.W / 3, m.H / 2}, {m.W - 1, m.H - 1}} {
			x := e.Place(300*shape*float64(at[0])/float64(m.W-1), 300*float64(at[1])/float64(m.H-1))
			d := make([]float32, 1)
			model.Runner(1).Distance(d, nil, a.Room.curve().Row(x))
			if got := m.D[at[1]*m.W+at[0]]; math.Abs(float64(got-d[0])) > 1e-4 {
				t.Errorf("the slice has D = %v at %v, want %v", got, at, d[0])
			}
		}
	}
	a.Room.SetSlice(false)
	if a.Room.Slice() != nil || a.Active() {
		t.Error("without a slice there is one")
	}
}

func figurePalette() *palette.Palette {
	c := func(s string) color.RGBA { v, _ := palette.ParseColor(s); return v }
	return &palette.Palette{
		Ground: c("#07090c"), Ink: c("#fff3dd"), Line: c("#26303b"), Muted: c("#9ba7b4"), Accent: c("#ffb04a"),
		Cool: []color.RGBA{c("#414081"), c("#a9e1bd")}, DAE: c("#ff7eb6"), DDPM: c("#52d9ff"),
	}
}

// TestFigureExports: the files hold what is shown: a way that is not shown has no
// color in them, and every step is there.
func TestFigureExports(t *testing.T) {
	a := withCurves(t)
	a.Room.SetSlice(false)
	p := figurePalette()
	count := func(c color.RGBA) int {
		t.Helper()
		all, err := a.Room.Album(p)
		roomtest.Must(t, err)
		e, err := encode.Picture(all, "figure")
		roomtest.Must(t, err)
		img, err := png.Decode(bytes.NewReader(e.Data))
		roomtest.Must(t, err)
		if e.Name != "figure.png" || img.Bounds().Dx() != 1600 || img.Bounds().Dy() != 1066 {
			t.Errorf("%s has %v", e.Name, img.Bounds())
		}
		n := 0
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if color.RGBAModel.Convert(img.At(x, y)) == c {
					n++
				}
			}
		}
		return n
	}
	for _, m := range link.Methods() {
		with := count(p.Method(m))
		roomtest.Must(t, a.Room.SetShown(m, false))
		if without := count(p.Method(m)); with < 50 || without != 0 {
			t.Errorf("%s: %d pixels in its color where it is shown, %d where it is not", m, with, without)
		}
		roomtest.Must(t, a.Room.SetShown(m, true))
	}
	a.Room.SetSlice(true)
	all, err := a.Room.Album(p)
	roomtest.Must(t, err)
	e, err := encode.Animation(all, "figure")
	roomtest.Must(t, err)
	g, err := gif.DecodeAll(bytes.NewReader(e.Data))
	roomtest.Must(t, err)
	if len(g.Image) != 16 || bytes.Equal(g.Image[0].Pix, g.Image[15].Pix) {
		t.Errorf("the animation has %d pictures, want 16 that differ", len(g.Image))
	}
	e, err = encode.Strip(all, "figure")
	roomtest.Must(t, err)
	img, err := png.Decode(bytes.NewReader(e.Data))
	roomtest.Must(t, err)
	if (img.Bounds().Dx()+export.Gap)/(stripSide+export.Gap) != 16 {
		t.Errorf("the strip has %v", img.Bounds())
	}
}
