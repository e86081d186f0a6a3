package app

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/project"
)

// mapped is an app that shows the map, at rest.
func mapped(t *testing.T) *App {
	t.Helper()
	a := newApp(t, &fake{})
	a.SetAspect(1.5)
	must(t, a.SetMode(Map))
	finish(t, a)
	if a.Err() != nil || a.Atlas() == nil {
		t.Fatalf("there is no map: %v", a.Err())
	}
	return a
}

func place(a *App) (x, y float64) {
	px, py := a.Atlas().Plane.Shadow(a.Now())
	return float64(px), float64(py)
}

func TestMapShowsTheRestoration(t *testing.T) {
	a := mapped(t)
	r := a.Readout()
	if r.Subject != Restoration || r.Steps != 4 || r.Place == nil {
		t.Errorf("the map shows %q with %d steps at %v; want the path of Restore", r.Subject, r.Steps, r.Place)
	}
	must(t, a.SetFollow(Growth))
	finish(t, a)
	if r := a.Readout(); r.Subject != Growth || r.Steps != 4 || a.FlowOf() != Generate {
		t.Errorf("following Generate it shows %q with %d steps", r.Subject, r.Steps)
	}
	if err := a.SetFollow("comet"); err == nil {
		t.Error("the map follows what there is not")
	}
}

// TestMapOfTheWeights: the plane is the weights' own where they name one, and is
// that of the two widest coordinates where they do not.
func TestMapOfTheWeights(t *testing.T) {
	codes, _ := (&fake{}).Bank()
	widest, err := project.Widest(codes, latent.Latent)
	if err != nil {
		t.Fatal(err)
	}
	axes := make([]float32, 2*latent.Latent)
	axes[5], axes[latent.Latent+7] = 1, 1
	own, err := project.New(make([]float32, latent.Latent), axes)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ named, want *project.Plane }{{nil, widest}, {own, own}} {
		a := newApp(t, &fake{plane: c.named})
		must(t, a.SetMode(Map))
		finish(t, a)
		if got := a.Atlas().Plane; !slices.Equal(got.Axes(), c.want.Axes()) || !slices.Equal(got.Mean(), c.want.Mean()) {
			t.Errorf("where the weights name %v the map is %v, want %v", c.named, got, c.want)
		}
		for i, at := range a.Atlas().At {
			if x, y := c.want.Shadow(codes[i*latent.Latent:][:latent.Latent]); at != [2]float32{x, y} {
				t.Fatalf("code %d is at %v, want (%v, %v)", i, at, x, y)
			}
		}
	}
}

// TestNoMapYet: what is done before the map was ever shown does nothing, or says
// why.
func TestNoMapYet(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	was := a.State
	a.WholeMap()
	a.ZoomMap(2, 0, 0)
	a.ZoomMiddle(2)
	a.PanMap(1, 1)
	a.PanView(1, 1)
	a.PickUp()
	a.Drag(1, 1)
	a.Drop()
	if a.State != was {
		t.Errorf("without a map the state became %+v, was %+v", a.State, was)
	}
	if a.Over(0, 0, 100) || a.HighestOnMap() != 0 {
		t.Error("there is something on a map that is not there")
	}
	if a.PutAt(0, 0, 1) == nil || a.Nudge(1, 1) == nil {
		t.Error("a point was put on a map that is not there")
	}
}

func TestChart(t *testing.T) {
	a := mapped(t)
	for _, zoom := range []float64{1, 1.5, 9, 1000} {
		a.ZoomMiddle(zoom)
		c := a.Chart(300, 200)
		for _, p := range [][2]float64{{0, 0}, {300, 200}, {17, 150}} {
			x, y := c.Place(p[0], p[1])
			if px, py := c.Screen(x, y); math.Hypot(px-p[0], py-p[1]) > 1e-6 {
				t.Errorf("zoom %v: %v is at (%v, %v), which is at (%v, %v)", zoom, p, x, y, px, py)
			}
		}
	}
	if a.View.Zoom != MaxZoom {
		t.Errorf("the map can be enlarged %v times, want %v at most", a.View.Zoom, MaxZoom)
	}
	a.WholeMap()
	c := a.Chart(300, 200)
	for i, p := range a.Atlas().At {
		if x, y := c.Screen(float64(p[0]), float64(p[1])); x < 0 || y < 0 || x > 300 || y > 200 {
			t.Fatalf("on the whole map, code %d is at (%v, %v)", i, x, y)
		}
	}
}

// TestZoomKeepsThePlace: what is under the pointer stays there.
func TestZoomKeepsThePlace(t *testing.T) {
	a := mapped(t)
	a.ZoomMiddle(4)
	x, y := a.Chart(300, 200).Place(200, 120)
	a.ZoomMap(1.7, x, y)
	if px, py := a.Chart(300, 200).Screen(x, y); math.Hypot(px-200, py-120) > 3 {
		t.Errorf("zooming moved the place under the pointer to (%v, %v)", px, py)
	}
	was := a.View
	a.ZoomMap(math.NaN(), x, y)
	a.ZoomMap(2, math.Inf(1), y)
	a.PanMap(math.NaN(), 0)
	if a.View != was {
		t.Errorf("nonsense changed the view from %+v to %+v", was, a.View)
	}
	a.PanMap(1e9, -1e9)
	if a.View.X > a.Atlas().w || a.View.Y < -a.Atlas().h {
		t.Errorf("the map can be lost: %+v", a.View)
	}
	a.ZoomMap(1e-9, x, y)
	if a.View != (Lens{Zoom: 1}) {
		t.Errorf("as a whole the map is seen through %+v", a.View)
	}
}

func TestPointOnTheMap(t *testing.T) {
	a := mapped(t)
	must(t, a.PutAt(1, 1, 0))
	finish(t, a)
	r := a.Readout()
	if r.Subject != Spot || r.Steps != 4 || r.Step != 4 || r.Reads.Confidence == 0 {
		t.Errorf("a point gives %q, step %d of %d, %v; want its flow, played and read", r.Subject, r.Step, r.Steps, r.Reads)
	}
	a.Seek(0)
	finish(t, a)
	if x, y := place(a); math.Hypot(x-1, y-1) > 0.01 {
		t.Errorf("the point was put at (1, 1) and is at (%v, %v)", x, y)
	}
	// Within reach of a code, it is that code.
	at := a.Atlas().At[7]
	must(t, a.PutAt(float64(at[0])+0.01, float64(at[1]), 0.02))
	finish(t, a)
	for k, v := range a.spot.Code(0, 0) {
		if math.Abs(float64(v-a.Atlas().Codes[7*latent.Latent+k])) > link.CodeGrain {
			t.Fatalf("number %d of the point is %v, of the code %v", k, v, a.Atlas().Codes[7*latent.Latent+k])
		}
	}
	// Dragging changes what the map shows and nothing else.
	a.Seek(0)
	finish(t, a)
	x, y := place(a)
	if !a.Over(x+0.1, y, 0.2) || a.Over(x+1, y, 0.2) {
		t.Error("the point is not where it is")
	}
	before := append([]float32(nil), a.Now()...)
	a.PickUp()
	a.Drag(x+0.7, y-0.4)
	if a.Update(0); a.Readout().Step != 0 {
		t.Error("while it is dragged, the point runs away")
	}
	nx, ny := place(a)
	if math.Hypot(nx-x-0.7, ny-y+0.4) > 0.01 {
		t.Errorf("dragged by (0.7, -0.4), the point went from (%v, %v) to (%v, %v)", x, y, nx, ny)
	}
	back := make([]float32, latent.Latent)
	a.Atlas().Plane.Shift(back, a.Now(), -0.7, 0.4)
	for k, v := range back {
		if math.Abs(float64(v-before[k])) > 0.01 {
			t.Errorf("dragging changed number %d off the plane, from %v to %v", k, before[k], v)
		}
	}
	a.Drop()
	a.Drag(0, 0) // let go: nothing
	finish(t, a)
	if a.Readout().Step != 4 {
		t.Error("after it was let go, the point did not flow")
	}
	must(t, a.Nudge(0.1, 0))
	finish(t, a)
	if r := a.Readout(); r.Step != 0 {
		t.Errorf("a nudge by keyboard leaves step %d, want the start", r.Step)
	}
	reopen(t, a)
}

// TestPickUpOfThePath: a point of the restoration can be taken up.
func TestPickUpOfThePath(t *testing.T) {
	a := mapped(t)
	a.Seek(1)
	finish(t, a)
	z := append([]float32(nil), a.Now()...)
	a.PickUp()
	a.Drop()
	finish(t, a)
	if a.Follow != Spot {
		t.Fatalf("the map follows %q", a.Follow)
	}
	for k, v := range a.spot.Code(0, 0) {
		if math.Abs(float64(v-z[k])) > link.CodeGrain {
			t.Errorf("number %d of the point is %v, of the path %v", k, v, z[k])
		}
	}
	must(t, a.SetFollow(Restoration))
	finish(t, a)
	if a.Readout().Step != 1 {
		t.Error("the restoration was changed")
	}
}

func TestHeat(t *testing.T) {
	a := mapped(t)
	m := a.HeatMap()
	if m == nil || m.W <= m.H {
		t.Fatalf("the heat map of a wide map is %+v", m)
	}
	// The fake's D is the code's second number.
	c, t0 := a.Chart(1.5, 1), a.Atlas()
	for _, p := range [][2]int{{0, 0}, {m.W - 1, m.H - 1}, {m.W / 2, 3}, {m.W / 2, m.H / 2}} {
		x := m.X0 + (m.X1-m.X0)*float64(p[0])/float64(m.W-1)
		y := m.Y0 + (m.Y1-m.Y0)*float64(p[1])/float64(m.H-1)
		if px, py := c.Screen(x, y); px < -1e-9 || py < -1e-9 || px > 1.5+1e-9 || py > 1+1e-9 {
			t.Errorf("cell %v is at (%v, %v), beyond what is seen", p, px, py)
		}
		order := make([]int, len(t0.At))
		for i := range order {
			order[i] = i
		}
		away := func(i int) float64 { return math.Hypot(float64(t0.At[i][0])-x, float64(t0.At[i][1])-y) }
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(away(i), away(j)) })
		n := min(around, len(order))
		var want float64
		for _, i := range order[:n] {
			z := make([]float32, latent.Latent)
			t0.Plane.Shift(z, t0.Codes[i*latent.Latent:(i+1)*latent.Latent], float32(x)-t0.At[i][0], float32(y)-t0.At[i][1])
			want += float64(z[1]) / float64(n)
		}
		if d := m.D[p[1]*m.W+p[0]]; math.Abs(float64(d)-want) > 1e-3 {
			t.Errorf("D of cell %v is %v, of the codes moved there %v", p, d, want)
		}
	}
	a.ZoomMiddle(2)
	if !a.Active() {
		t.Error("after zooming, the colors stay as they were")
	}
	finish(t, a)
	if a.HeatMap() == m {
		t.Error("after zooming, the colors are those of before")
	}
	// They are those of the map, wherever the point is.
	a.PickUp()
	finish(t, a)
	m = a.HeatMap()
	a.Drag(0.3, 0.3)
	a.Update(0)
	if a.coldHeat() || a.HeatMap() != m {
		t.Error("dragging the point makes D anew")
	}
	a.Drop()
	a.SetHeat(false)
	finish(t, a)
	if a.HeatMap() != nil {
		t.Error("switched off, the colors are there")
	}
}

// TestHeatWhilePlaying: the colors come while a path plays, though a frame has time
// for one row of them.
func TestHeatWhilePlaying(t *testing.T) {
	defer func(d time.Duration) { heatSlice = d }(heatSlice)
	heatSlice = 0
	a := mapped(t)
	a.SetHeat(false)
	finish(t, a)
	a.heat = heating{}
	must(t, a.PutAt(0, 0.4, 0.3))
	finish(t, a)
	a.Head().Jump(0)
	a.Head().Play()
	a.SetHeat(true)
	for frame := 0; a.HeatMap() == nil; frame++ {
		if frame > 2*heatSide {
			t.Fatalf("no colors after %d frames", frame)
		}
		if !a.Head().Moving() {
			a.Head().Jump(0)
			a.Head().Play()
		}
		a.Update(10 * time.Millisecond)
	}
}

func TestParametersOnTheMap(t *testing.T) {
	a := mapped(t)
	must(t, a.PutAt(0, 0, 0))
	finish(t, a)
	must(t, a.SetParameter(Steps, 7))
	finish(t, a)
	if r := a.Readout(); r.Steps != 7 || a.RestoreFlow.Steps != 7 || a.GenerateFlow.Steps != 4 {
		t.Errorf("the point takes %d steps; want 7, and Generate as it was", r.Steps)
	}
}
