package app

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
	"mppm/wasm/app/palette"
	"mppm/weights"
)

var curveFiles = map[Curve][]byte{
	HalfCircle: weights.Circle, Spiral: weights.Spiral, Moons: weights.Moons, Trefoil: weights.Trefoil,
}

// withCurves returns an app in Manifold with the shipped curves.
func withCurves(t *testing.T) *App {
	t.Helper()
	a := newApp(t, &fake{})
	bringCurves(t, a)
	must(t, a.SetMode(Manifold))
	a.SetFigureShape(1.5)
	settle(t, a)
	return a
}

func bringCurves(t *testing.T, a *App) {
	t.Helper()
	for c, b := range curveFiles {
		m, err := ambient.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		a.SetCurveModel(c, m, nil)
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
	for _, d := range FigureDials() {
		v := FigureValue(link.CurveFlow(), d.Parameter)
		if v < d.Min || v > d.Max || FigureValue(putFigure(link.CurveFlow(), d, v), d.Parameter) != v {
			t.Errorf("the default %v of %s is not on its slider", v, d.Symbol)
		}
	}
}

// TestLineThroughCurve holds the distance to the curve to the half circle's own,
// and the line through each curve to its points.
func TestLineThroughCurve(t *testing.T) {
	a := withCurves(t)
	for _, c := range Curves() {
		s := a.strands[c.Curve]
		pieces := 1
		if c.Curve == Moons {
			pieces = 2
		}
		want := len(s.points) - pieces
		if c.Curve == Trefoil {
			want++ // it is closed
		}
		if len(s.segments) != want {
			t.Errorf("%s: %d pieces of line through %d points, want %d", c.Curve, len(s.segments), len(s.points), want)
		}
		for _, l := range s.segments {
			if d := math.Sqrt(square(s.points[l[0]], s.points[l[1]])); d > gap {
				t.Errorf("%s: a piece of line is %v long", c.Curve, d)
			}
		}
	}
	s := a.strands[HalfCircle]
	src := rng.New(4, 0)
	for range 300 {
		angle := math.Pi * (0.12 + 0.76*src.Float64())
		x := [3]float64{math.Cos(angle) + 0.3*src.Norm(), math.Sin(angle), 0.3 * src.Norm()}
		r := math.Hypot(x[0], x[1])
		if at := math.Atan2(x[1], x[0]); at < 0.4 || at > math.Pi-0.4 || r < 0.1 {
			continue
		}
		if got, want := s.off(x), math.Hypot(r-1, x[2]); math.Abs(got-want) > 0.004 {
			t.Errorf("%v is %v from the half circle, want %v", x, got, want)
		}
	}
}

// TestWaysHome: from points with the noise that the models know, MPPM ends near
// every curve, nearer than it was dropped by far, and nearer than its rivals.
func TestWaysHome(t *testing.T) {
	a := withCurves(t)
	for _, c := range Curves() {
		must(t, a.SetCurve(c.Curve))
		settle(t, a)
		if off := a.Way(MPPM).Off; off[0] < 0.1 || off[len(off)-1] > 0.03 {
			t.Errorf("%s: the first point goes from %v to %v", c.Curve, off[0], off[len(off)-1])
		}
		var start float64
		end := map[Method]float64{}
		for range 40 {
			must(t, a.RandomPoint())
			settle(t, a)
			start += a.Way(MPPM).Off[0]
			for _, m := range Methods() {
				w := a.Way(m)
				end[m] += w.Off[w.Steps()]
				if w.X[0] != a.Way(MPPM).X[0] && math.Sqrt(square(w.X[0], a.Figure.At)) > 1e-5 {
					t.Fatalf("%s: %s starts at %v, the point was dropped at %v", c.Curve, m, w.X[0], a.Figure.At)
				}
			}
		}
		if end[MPPM] > start/4 || end[MPPM] > end[DAE] || end[MPPM] > end[DDPM] {
			t.Errorf("%s: dropped at %.3f in all, MPPM ends at %.3f, DAE at %.3f, DDPM at %.3f", c.Curve, start, end[MPPM], end[DAE], end[DDPM])
		}
	}
}

// TestThought: the next step that is drawn is the next step.
func TestThought(t *testing.T) {
	a := withCurves(t)
	must(t, a.SetParameter(SigmaD, 0.2), a.SetParameter(Alpha, 0.4))
	settle(t, a)
	w := a.Way(MPPM)
	for k := range w.Steps() {
		th, ok := a.Thought(k)
		if d := math.Sqrt(square(th.Next, w.X[k+1])); !ok || d > 1e-5 {
			t.Errorf("step %d leads to %v, drawn is %v", k, w.X[k+1], th.Next)
		}
		if d := math.Sqrt(square(th.Foot, w.X[k])); math.Abs(d-w.D[k]) > 1e-5 {
			t.Errorf("at step %d the foot is %v away, D is %v", k, d, w.D[k])
		}
	}
	if n := len(a.Samples()); n != 550*a.Figure.Flow.Samples {
		t.Errorf("%d samples of the curve", n)
	}
	before := a.Samples()[0]
	must(t, a.SetParameter(SigmaKer, 0.3))
	settle(t, a)
	if a.Samples()[0] == before {
		t.Error("with another σ_ker the samples are the same")
	}
}

// TestDiffusionBySeed: the same seed gives the same way, another one another.
func TestDiffusionBySeed(t *testing.T) {
	ways := map[string]int{}
	for _, seed := range []int{7, 7, 8} {
		a := newApp(t, &fake{})
		bringCurves(t, a)
		a.Open(fmt.Sprintf("mode=manifold&point-seed=%d&at=0.5_1_0.25", seed))
		settle(t, a)
		if a.Way(DDPM).Steps() < 10 {
			t.Errorf("diffusion takes %d steps from %v off", a.Way(DDPM).Steps(), a.Way(DDPM).Off[0])
		}
		ways[fmt.Sprint(a.Way(DDPM).X)]++
	}
	if len(ways) != 2 {
		t.Errorf("two seeds, of three runs, give %d ways", len(ways))
	}
}

// TestEye: Place undoes Screen on the plane that faces the viewer, whichever way
// it is turned, and the viewer's axes are at right angles.
func TestEye(t *testing.T) {
	a := withCurves(t)
	for _, c := range []Camera{link.FirstCamera(), {Azimuth: -180, Elevation: 90, Zoom: 1}, {Azimuth: 77.25, Elevation: -90, Zoom: 3}, {Azimuth: 10, Zoom: 0.5}} {
		a.Figure.Camera = c
		e := a.Eye(640, 400)
		for _, p := range [][2]float64{{320, 200}, {0, 0}, {600, 10}} {
			x, y, near := e.Screen(e.Place(p[0], p[1]))
			if math.Hypot(x-p[0], y-p[1]) > 1e-9 || math.Abs(near) > 1e-9 {
				t.Errorf("%+v: the pixel %v leads back to %v, %v, %v before the plane", c, p, x, y, near)
			}
		}
		for _, v := range []float64{dot(e.right, e.up), dot(e.right, e.toward), dot(e.up, e.toward), dot(e.up, e.up) - 1, dot(e.toward, e.toward) - 1} {
			if math.Abs(v) > 1e-12 {
				t.Errorf("%+v: the viewer's axes are not", c)
			}
		}
	}
	// Turned by hand, a point in front goes to the right and down with it.
	a.FirstView()
	e := a.Eye(640, 400)
	front := e.middle
	for k := range front {
		front[k] += 0.5 * e.toward[k]
	}
	a.Turn(10, 10)
	if x, y, _ := a.Eye(640, 400).Screen(front); x <= 320 || y <= 200 {
		t.Errorf("turned to the right and down, what is in front is seen at %v, %v", x, y)
	}
	a.Turn(1e9, 1e9)
	a.Turn(math.NaN(), math.Inf(1))
	if c := a.Figure.Camera; !(c.Azimuth >= -180 && c.Azimuth < 180 && c.Elevation == 90) {
		t.Errorf("turned far, the camera is %+v", c)
	}
	a.ZoomFigure(1e9)
	if a.Figure.Camera.Zoom != MaxCloseness {
		t.Errorf("zoomed far, the camera is %+v", a.Figure.Camera)
	}
	must(t, a.SetCurve(Moons))
	c := a.Figure.Camera
	if a.Turn(50, 50); a.Figure.Camera != c {
		t.Error("a flat curve was turned")
	}
	// It is moved instead: what is under a finger stays there, and so it does when a
	// point is dropped.
	place := a.Eye(640, 400).Place(100, 300)
	a.Pan(a.Eye(640, 400), 60, -25)
	if x, y, _ := a.Eye(640, 400).Screen(place); math.Hypot(x-160, y-275) > 1.5 {
		t.Errorf("moved by (60, -25), what was seen at (100, 300) is at (%v, %v)", x, y)
	}
	a.Pan(a.Eye(640, 400), math.NaN(), 1)
	if a.Pan(a.Eye(640, 400), -1e9, 1e9); a.Figure.Camera.X != link.FarthestView || a.Figure.Camera.Y != link.FarthestView {
		t.Errorf("moved far, the camera is %+v", a.Figure.Camera)
	}
	must(t, a.SetCurve(HalfCircle))
	c = a.Figure.Camera
	if a.Pan(a.Eye(640, 400), 50, 50); a.Figure.Camera != c || c.X != 0 || c.Y != 0 {
		t.Errorf("of a curve that is not flat the camera is %+v", a.Figure.Camera)
	}
}

// TestTags: every sign of Fig. 3 is there at every step, on the figure and off the
// others, near what it stands for.
func TestTags(t *testing.T) {
	a := withCurves(t)
	a.SetConstruction(true)
	for _, i := range Curves() {
		must(t, a.SetCurve(i.Curve))
		settle(t, a)
		e := a.Eye(314, 274)
		for k := range a.Head().End() + 1 {
			tags := a.Tags(e, k)
			if len(tags) != 4 {
				t.Fatalf("%s: at step %d there are %d signs", i.Curve, k, len(tags))
			}
			th, _ := a.Thought(k)
			for name, x := range map[string][3]float64{"x": a.Way(MPPM).X[k], "mean": th.Mean, "star": th.Projection, "foot": th.Foot} {
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
	e := a.Eye(600, 400)
	must(t, a.DropPoint(e, 410, 120))
	settle(t, a)
	if x, y, near := e.Screen(a.Figure.At); math.Hypot(x-410, y-120) > 0.5 || math.Abs(near) > 0.01 {
		t.Errorf("dropped at (410, 120), the point is seen at (%v, %v), %v before the plane", x, y, near)
	}
	if h := a.Head(); h.Step() != h.End() || h.End() != 15 {
		t.Errorf("after the drop the timeline rests at %d of %d", h.Step(), h.End())
	}
	if a.OverPoint(e, 300, 200, 14) || !a.OverPoint(e, 415, 125, 14) {
		t.Error("the point is not where it is")
	}
	a.DragPoint(e, 10, 10) // nothing is held
	was := a.Figure.At
	a.Turn(30, 0)
	e = a.Eye(600, 400)
	_, _, deep := e.Screen(was)
	a.Grab()
	a.DragPoint(e, 200, 300)
	a.DragPoint(e, math.NaN(), 3)
	a.Update(1)
	if x, y, near := e.Screen(a.Figure.At); math.Hypot(x-200, y-300) > 0.5 || math.Abs(near-deep) > 0.01 || a.Head().Step() != 0 {
		t.Errorf("dragged to (200, 300), the point is seen at (%v, %v), %v deep, was %v", x, y, near, deep)
	}
	a.Release()
	if !a.Head().Playing() {
		t.Error("let go, the point does not go home")
	}
	must(t, a.SetCurve(Spiral))
	must(t, a.DropPoint(a.Eye(600, 400), 5, 5))
	if a.Figure.At[2] != 0 {
		t.Errorf("beside a flat curve the point was dropped at %v", a.Figure.At)
	}
	a.NudgePoint(0.1, 0)
	settle(t, a)
}

func TestFigureParameters(t *testing.T) {
	a := withCurves(t)
	flow := a.RestoreFlow
	end := a.Way(MPPM).X[15]
	must(t, a.SetParameter(SigmaD, 0.3), a.SetParameter(SigmaKer, 0), a.SetParameter(Steps, 20))
	settle(t, a)
	if a.Figure.Flow.SigmaD != 0.3 || a.Head().Step() != 20 || a.Way(MPPM).X[20] == end {
		t.Errorf("other parameters: %+v, step %d", a.Figure.Flow, a.Head().Step())
	}
	if a.RestoreFlow != flow {
		t.Error("the flow of Restore has changed")
	}
	if err := a.SetParameter(Beta, 0.95); err == nil || FigureValue(a.Figure.Flow, Beta) != 0.84 {
		t.Errorf("β = 0.95 beside α = 0.15: %v, %v", err, a.Figure.Flow.Beta)
	}
	for _, name := range []Parameter{Sigma, Tau, "x"} {
		if a.SetParameter(name, 0.2) == nil {
			t.Errorf("Manifold has a parameter %s", name)
		}
	}
	if a.SetParameter(SigmaD, 0) == nil || a.SetParameter(SigmaD, math.NaN()) == nil {
		t.Error("σ_d was set to 0")
	}
	a.ResetFlow()
	settle(t, a)
	if a.Figure.Flow != link.CurveFlow() || a.Way(MPPM).X[15] != end {
		t.Error("the reset does not lead back")
	}
	must(t, a.SetForce(Beta, false))
	if v, standard := a.Setting(Beta); v != 0 || standard != 0.3 {
		t.Errorf("without density β is %v, its default %v", v, standard)
	}
	must(t, a.SetForce(Beta, true))
	if v, _ := a.Setting(Beta); v != 0.3 {
		t.Errorf("with density again β is %v", v)
	}
}

// TestFigureLinks: a link of Manifold brings back what was seen, whether the
// curves are there when it is opened or later.
func TestFigureLinks(t *testing.T) {
	a := withCurves(t)
	if got := a.Link(); got != "mode=manifold" {
		t.Errorf("the first view of Manifold has the link %q", got)
	}
	changes := []func(){
		func() { must(t, a.SetCurve(Trefoil)) },
		func() { must(t, a.DropPoint(a.Eye(700, 300), 123, 45)) },
		func() { a.Turn(33.3, -71.7); a.ZoomFigure(1.77) },
		func() { must(t, a.SetShown(DAE, false), a.SetShown(MPPM, false)) },
		func() { a.SetSlice(false); a.SetConstruction(true) },
		func() { must(t, a.SetParameter(SigmaKer, 0.31), a.SetParameter(Alpha, 0.07)) },
		func() { must(t, a.RandomPoint()) },
		func() { a.Seek(3) },
		func() { must(t, a.SetCurve(Moons)); a.SetPointSeed(4294967295) },
		func() { a.Pan(a.Eye(700, 300), 77, -33) },
	}
	for i, change := range changes {
		change()
		settle(t, a)
		for _, late := range []bool{false, true} {
			b := newApp(t, &fake{})
			if !late {
				bringCurves(t, b)
			}
			if faults := b.Open(a.Link()); faults != nil {
				t.Errorf("the link %q: %v", a.Link(), faults)
			}
			if late {
				if b.Update(1); !b.Busy() || b.Readout().Status() != "waiting for the curve" {
					t.Errorf("before the curve is there: busy %v, %q", b.Busy(), b.Readout().Status())
				}
				bringCurves(t, b)
			}
			settle(t, b)
			if b.State != a.State || fmt.Sprint(b.ways[DDPM].X) != fmt.Sprint(a.ways[DDPM].X) || b.Readout().Status() != a.Readout().Status() {
				t.Errorf("change %d: the link %q gives\n%+v %q, was\n%+v %q", i, a.Link(), b.State, b.Readout().Status(), a.State, a.Readout().Status())
			}
			if b.Link() != a.Link() {
				t.Errorf("the link %q becomes %q", a.Link(), b.Link())
			}
		}
	}
}

func TestFigureSays(t *testing.T) {
	a := withCurves(t)
	a.Seek(3)
	settle(t, a)
	r := a.Readout()
	want := fmt.Sprintf("step 3 of 15 · D = %.2f · %.2f from the curve", r.Descent.D, r.Descent.Off[MPPM])
	if r.Status() != want || r.Error != "" {
		t.Errorf("the status is %q, want %q", r.Status(), want)
	}
	must(t, a.SetShown(MPPM, false))
	if got := a.Readout().Status(); strings.Contains(got, "curve") {
		t.Errorf("without MPPM the status is %q", got)
	}
	if a.SetShown("ldm", true) == nil || a.SetCurve("square") == nil {
		t.Error("there are methods or curves that there are not")
	}
}

// TestMissingCurve: what did not arrive is said where it would be, and nowhere
// else.
func TestMissingCurve(t *testing.T) {
	a := newApp(t, &fake{})
	must(t, a.SetMode(Manifold))
	for _, call := range []func() error{a.RandomPoint, a.DropMiddle, func() error { return a.DropPoint(a.Eye(9, 9), 1, 1) }} {
		if call() == nil {
			t.Error("a point was dropped beside no curve")
		}
	}
	if _, err := a.ExportPicture(&palette.Palette{}); err == nil {
		t.Error("nothing was exported")
	}
	a.SetCurveModel(HalfCircle, nil, errors.New("the file broke off"))
	a.Update(1)
	if a.Busy() || a.Active() || a.Readout().Status() != "the file broke off" {
		t.Errorf("without a file: busy %v, %q", a.Busy(), a.Readout().Status())
	}
	must(t, a.SetMode(Restore))
	settle(t, a)
	if a.Readout().Error != "" {
		t.Errorf("Restore says %q", a.Readout().Error)
	}
	m, err := ambient.Load(weights.Moons)
	must(t, err)
	a.SetCurveModel(HalfCircle, m, nil)
	if a.FigureReady() || a.FigureErr() == nil {
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
	for _, shape := range []float64{1.5, 0.6} {
		a.SetFigureShape(shape)
		a.Turn(20, 5)
		rest()
		m := a.Slice()
		e := a.Eye(300*shape, 300)
		for _, at := range [][2]int{{0, 0}, {m.W - 1, 0}, {m.W / 3, m.H / 2}, {m.W - 1, m.H - 1}} {
			x := e.Place(300*shape*float64(at[0])/float64(m.W-1), 300*float64(at[1])/float64(m.H-1))
			d := make([]float32, 1)
			a.strand().run.Distance(d, nil, a.strand().row(x))
			if got := m.D[at[1]*m.W+at[0]]; math.Abs(float64(got-d[0])) > 1e-4 {
				t.Errorf("the slice has D = %v at %v, want %v", got, at, d[0])
			}
		}
	}
	a.SetSlice(false)
	if a.Slice() != nil || a.Active() {
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
	a.SetSlice(false)
	p := figurePalette()
	count := func(c color.RGBA) int {
		t.Helper()
		e, err := a.ExportPicture(p)
		must(t, err)
		img, err := png.Decode(bytes.NewReader(e.Data))
		must(t, err)
		if e.Name != "mppm-manifold-picture-step-15.png" || img.Bounds().Dx() != 1600 || img.Bounds().Dy() != 1066 {
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
	for _, m := range Methods() {
		with := count(p.Method(m))
		must(t, a.SetShown(m, false))
		if without := count(p.Method(m)); with < 50 || without != 0 {
			t.Errorf("%s: %d pixels in its color where it is shown, %d where it is not", m, with, without)
		}
		must(t, a.SetShown(m, true))
	}
	a.SetSlice(true)
	e, err := a.ExportAnimation(p)
	must(t, err)
	g, err := gif.DecodeAll(bytes.NewReader(e.Data))
	must(t, err)
	if len(g.Image) != 16 || bytes.Equal(g.Image[0].Pix, g.Image[15].Pix) {
		t.Errorf("the animation has %d pictures, want 16 that differ", len(g.Image))
	}
	e, err = a.ExportStrip(p)
	must(t, err)
	img, err := png.Decode(bytes.NewReader(e.Data))
	must(t, err)
	if (img.Bounds().Dx()+exportGap)/(stripSide+exportGap) != 16 {
		t.Errorf("the strip has %v", img.Bounds())
	}
}
