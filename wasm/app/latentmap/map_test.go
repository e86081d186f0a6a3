package latentmap

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"mppm/shared/link"
	"mppm/shared/project"
	"mppm/wasm/app/atlas"
	"mppm/wasm/app/generate"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room/roomtest"
)

type page = roomtest.Page[*Room]

// newPage returns a page that shows the map, and has the rooms whose paths it can
// show.
func newPage(t *testing.T, e *roomtest.Engine) *page {
	t.Helper()
	images, labels := roomtest.Digits(t)
	d, err := restore.ParseDigits(images, labels, e.Image(), 10)
	roomtest.Must(t, err)
	s := roomtest.NewSession(e, roomtest.Preset)
	s.Mode = link.Map
	return roomtest.New(t, s, New(s, restore.New(s, roomtest.Preset, d), generate.New(s, roomtest.Preset)))
}

// mapped is a page that shows the map, at rest.
func mapped(t *testing.T) *page {
	t.Helper()
	a := newPage(t, &roomtest.Engine{})
	a.Room.SetAspect(1.5)
	a.Finish()
	if a.Err() != nil || a.Room.Atlas() == nil {
		t.Fatalf("there is no map: %v", a.Err())
	}
	return a
}

// place returns where on the map the code is that is shown.
func place(a *page) (x, y float64) {
	px, py := a.Room.Atlas().Plane.Shadow(a.Room.Now())
	return float64(px), float64(py)
}

func TestMapShowsTheRestoration(t *testing.T) {
	a := mapped(t)
	r := a.Readout()
	if r.Subject != link.Restoration || r.Steps != 4 || a.Room.Place() == nil {
		t.Errorf("the map shows %q with %d steps at %v; want the path of Restore", r.Subject, r.Steps, a.Room.Place())
	}
	roomtest.Must(t, a.Room.SetFollow(link.Growth))
	a.Finish()
	if r := a.Readout(); r.Subject != link.Growth || r.Steps != 4 || a.Room.Subject().Dials() == a.Room.followed[link.Restoration].Subject().Dials() {
		t.Errorf("following Generate it shows %q with %d steps", r.Subject, r.Steps)
	}
	a.Walk = true
	a.Finish()
	if r := a.Readout(); r.Subject != link.Walk || r.Steps < 10 {
		t.Errorf("while Generate walks it shows %q with %d steps", r.Subject, r.Steps)
	}
	if err := a.Room.SetFollow("comet"); err == nil {
		t.Error("the map follows what there is not")
	}
}

// TestMapOfTheWeights: the plane is the weights' own where they name one, and is
// that of the two widest coordinates where they do not.
func TestMapOfTheWeights(t *testing.T) {
	codes, _ := (&roomtest.Engine{}).Bank()
	widest, err := project.Widest(codes, roomtest.Latent)
	if err != nil {
		t.Fatal(err)
	}
	axes := make([]float32, 2*roomtest.Latent)
	axes[5], axes[roomtest.Latent+7] = 1, 1
	own, err := project.New(make([]float32, roomtest.Latent), axes)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ named, want *project.Plane }{{nil, widest}, {own, own}} {
		a := newPage(t, &roomtest.Engine{Map: c.named})
		a.Finish()
		if got := a.Room.Atlas().Plane; !slices.Equal(got.Axes(), c.want.Axes()) || !slices.Equal(got.Mean(), c.want.Mean()) {
			t.Errorf("where the weights name %v the map is %v, want %v", c.named, got, c.want)
		}
		for i, at := range a.Room.Atlas().At {
			if x, y := c.want.Shadow(codes[i*roomtest.Latent:][:roomtest.Latent]); at != [2]float32{x, y} {
				t.Fatalf("code %d is at %v, want (%v, %v)", i, at, x, y)
			}
		}
	}
}

// TestNoMapYet: what is done before the map was ever shown does nothing, or says
// why.
func TestNoMapYet(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Room.Subject().Update(0) // which is the restoration
	was := a.State
	a.Room.Whole()
	a.Room.Zoom(2, 0, 0)
	a.Room.ZoomMiddle(2)
	a.Room.Pan(1, 1)
	a.Room.PanView(1, 1)
	a.Room.PickUp()
	a.Room.Drag(1, 1)
	a.Room.Drop()
	if a.State != was {
		t.Errorf("without a map the state became %+v, was %+v", a.State, was)
	}
	if a.Room.Over(0, 0, 100) || a.Room.Highest() != 0 {
		t.Error("there is something on a map that is not there")
	}
	if a.Room.PutAt(0, 0, 1) == nil || a.Room.Nudge(1, 1) == nil {
		t.Error("a point was put on a map that is not there")
	}
}

func TestChart(t *testing.T) {
	a := mapped(t)
	for _, zoom := range []float64{1, 1.5, 9, 1000} {
		a.Room.ZoomMiddle(zoom)
		c := a.Room.Chart(300, 200)
		for _, p := range [][2]float64{{0, 0}, {300, 200}, {17, 150}} {
			x, y := c.Place(p[0], p[1])
			if px, py := c.Screen(x, y); math.Hypot(px-p[0], py-p[1]) > 1e-6 {
				t.Errorf("zoom %v: %v is at (%v, %v), which is at (%v, %v)", zoom, p, x, y, px, py)
			}
		}
	}
	if a.View.Zoom != link.MaxZoom {
		t.Errorf("the map can be enlarged %v times, want %v at most", a.View.Zoom, link.MaxZoom)
	}
	a.Room.Whole()
	c := a.Room.Chart(300, 200)
	for i, p := range a.Room.Atlas().At {
		if x, y := c.Screen(float64(p[0]), float64(p[1])); x < 0 || y < 0 || x > 300 || y > 200 {
			t.Fatalf("on the whole map, code %d is at (%v, %v)", i, x, y)
		}
	}
}

// TestZoomKeepsThePlace: what is under the pointer stays there.
func TestZoomKeepsThePlace(t *testing.T) {
	a := mapped(t)
	a.Room.ZoomMiddle(4)
	x, y := a.Room.Chart(300, 200).Place(200, 120)
	a.Room.Zoom(1.7, x, y)
	if px, py := a.Room.Chart(300, 200).Screen(x, y); math.Hypot(px-200, py-120) > 3 {
		t.Errorf("zooming moved the place under the pointer to (%v, %v)", px, py)
	}
	was := a.View
	a.Room.Zoom(math.NaN(), x, y)
	a.Room.Zoom(2, math.Inf(1), y)
	a.Room.Pan(math.NaN(), 0)
	if a.View != was {
		t.Errorf("nonsense changed the view from %+v to %+v", was, a.View)
	}
	a.Room.Pan(1e9, -1e9)
	if a.View.X > a.Room.Atlas().W || a.View.Y < -a.Room.Atlas().H {
		t.Errorf("the map can be lost: %+v", a.View)
	}
	a.Room.Zoom(1e-9, x, y)
	if a.View != (link.Lens{Zoom: 1}) {
		t.Errorf("as a whole the map is seen through %+v", a.View)
	}
}

func TestPointOnTheMap(t *testing.T) {
	a := mapped(t)
	roomtest.Must(t, a.Room.PutAt(1, 1, 0))
	a.Finish()
	r := a.Readout()
	if r.Subject != link.Spot || r.Steps != 4 || r.Step != 4 || r.Reads.Confidence == 0 {
		t.Errorf("a point gives %q, step %d of %d, %v; want its flow, played and read", r.Subject, r.Step, r.Steps, r.Reads)
	}
	a.Seek(0)
	a.Finish()
	if x, y := place(a); math.Hypot(x-1, y-1) > 0.01 {
		t.Errorf("the point was put at (1, 1) and is at (%v, %v)", x, y)
	}
	// Within reach of a code, it is that code.
	at := a.Room.Atlas().At[7]
	roomtest.Must(t, a.Room.PutAt(float64(at[0])+0.01, float64(at[1]), 0.02))
	a.Finish()
	for k, v := range a.Room.point.path.Code(0, 0) {
		if math.Abs(float64(v-a.Room.Atlas().Codes[7*roomtest.Latent+k])) > link.CodeGrain {
			t.Fatalf("number %d of the point is %v, of the code %v", k, v, a.Room.Atlas().Codes[7*roomtest.Latent+k])
		}
	}
	// Dragging changes what the map shows and nothing else.
	a.Seek(0)
	a.Finish()
	x, y := place(a)
	if !a.Room.Over(x+0.1, y, 0.2) || a.Room.Over(x+1, y, 0.2) {
		t.Error("the point is not where it is")
	}
	before := append([]float32(nil), a.Room.Now()...)
	a.Room.PickUp()
	a.Room.Drag(x+0.7, y-0.4)
	if a.Update(0); a.Readout().Step != 0 {
		t.Error("while it is dragged, the point runs away")
	}
	nx, ny := place(a)
	if math.Hypot(nx-x-0.7, ny-y+0.4) > 0.01 {
		t.Errorf("dragged by (0.7, -0.4), the point went from (%v, %v) to (%v, %v)", x, y, nx, ny)
	}
	back := make([]float32, roomtest.Latent)
	a.Room.Atlas().Plane.Shift(back, a.Room.Now(), -0.7, 0.4)
	for k, v := range back {
		if math.Abs(float64(v-before[k])) > 0.01 {
			t.Errorf("dragging changed number %d off the plane, from %v to %v", k, before[k], v)
		}
	}
	a.Room.Drop()
	a.Room.Drag(0, 0) // let go: nothing
	a.Finish()
	if a.Readout().Step != 4 {
		t.Error("after it was let go, the point did not flow")
	}
	roomtest.Must(t, a.Room.Nudge(0.1, 0))
	a.Finish()
	if r := a.Readout(); r.Step != 0 {
		t.Errorf("a nudge by keyboard leaves step %d, want the start", r.Step)
	}
	roomtest.Reopen(t, a, newPage(t, &roomtest.Engine{}))
}

// TestQuickDrag: a point that is dragged and let go before any of its flow has come
// flows once that comes.
func TestQuickDrag(t *testing.T) {
	a := mapped(t)
	a.Room.PickUp()
	a.Room.Drag(0.7, -0.4)
	a.Room.Drop()
	a.Finish()
	if r := a.Readout(); a.Follow != link.Spot || r.Steps == 0 || r.Step != r.Steps {
		t.Errorf("the map follows %q, at step %d of %d", a.Follow, r.Step, r.Steps)
	}
}

// TestPickUpOfThePath: a point of the restoration can be taken up.
func TestPickUpOfThePath(t *testing.T) {
	a := mapped(t)
	a.Seek(1)
	a.Finish()
	z := append([]float32(nil), a.Room.Now()...)
	a.Room.PickUp()
	a.Room.Drop()
	a.Finish()
	if a.Follow != link.Spot {
		t.Fatalf("the map follows %q", a.Follow)
	}
	for k, v := range a.Room.point.path.Code(0, 0) {
		if math.Abs(float64(v-z[k])) > link.CodeGrain {
			t.Errorf("number %d of the point is %v, of the path %v", k, v, z[k])
		}
	}
	roomtest.Must(t, a.Room.SetFollow(link.Restoration))
	a.Finish()
	if a.Readout().Step != 1 {
		t.Error("the restoration was changed")
	}
}

func TestHeat(t *testing.T) {
	a := mapped(t)
	m := a.Room.HeatMap()
	if m == nil || m.W <= m.H {
		t.Fatalf("the heat map of a wide map is %+v", m)
	}
	// The engine's D is the code's second number.
	c, t0 := a.Room.Chart(1.5, 1), a.Room.Atlas()
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
		n := min(atlas.Around, len(order))
		var want float64
		for _, i := range order[:n] {
			z := make([]float32, roomtest.Latent)
			t0.Plane.Shift(z, t0.Codes[i*roomtest.Latent:(i+1)*roomtest.Latent], float32(x)-t0.At[i][0], float32(y)-t0.At[i][1])
			want += float64(z[1]) / float64(n)
		}
		if d := m.D[p[1]*m.W+p[0]]; math.Abs(float64(d)-want) > 1e-3 {
			t.Errorf("D of cell %v is %v, of the codes moved there %v", p, d, want)
		}
	}
	a.Room.ZoomMiddle(2)
	if !a.Active() {
		t.Error("after zooming, the colors stay as they were")
	}
	a.Finish()
	if a.Room.HeatMap() == m {
		t.Error("after zooming, the colors are those of before")
	}
	// They are those of the map, wherever the point is.
	a.Room.PickUp()
	a.Finish()
	m = a.Room.HeatMap()
	a.Room.Drag(0.3, 0.3)
	a.Update(0)
	if a.Room.coldHeat() || a.Room.HeatMap() != m {
		t.Error("dragging the point makes D anew")
	}
	a.Room.Drop()
	a.Room.SetHeat(false)
	a.Finish()
	if a.Room.HeatMap() != nil {
		t.Error("switched off, the colors are there")
	}
}

// TestHeatWhilePlaying: the colors come while a path plays, though a frame has time
// for one row of them.
func TestHeatWhilePlaying(t *testing.T) {
	defer func(d time.Duration) { heatSlice = d }(heatSlice)
	heatSlice = 0
	a := mapped(t)
	a.Room.SetHeat(false)
	a.Finish()
	a.Room.heat = heating{}
	roomtest.Must(t, a.Room.PutAt(0, 0.4, 0.3))
	a.Finish()
	a.Head().Jump(0)
	a.Head().Play()
	a.Room.SetHeat(true)
	for frame := 0; a.Room.HeatMap() == nil; frame++ {
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
	roomtest.Must(t, a.Room.PutAt(0, 0, 0))
	a.Finish()
	roomtest.Must(t, a.Set(link.Steps, 7))
	a.Finish()
	if r := a.Readout(); r.Steps != 7 || a.RestoreFlow.Steps != 7 || a.GenerateFlow.Steps != 4 {
		t.Errorf("the point takes %d steps; want 7, and Generate as it was", r.Steps)
	}
}

// TestRemembered: what is remembered is on the map, can be taken there, and the point
// flows anew once it is.
func TestRemembered(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Finish()
	if got := a.Room.Remembered(); len(got) > 0 {
		t.Fatalf("%v is remembered", got)
	}
	roomtest.Must(t, a.Room.PutMiddle())
	a.Settle()
	z := make([]float32, roomtest.Latent)
	z[0], z[2], z[5] = 1.5, 1.25, 0.75
	var err error
	a.Memory, err = a.Links.Remember(a.Memory, z)
	roomtest.Must(t, err)
	if !a.Busy() {
		t.Error("the point does not flow anew")
	}
	a.Settle()
	at := a.Room.Remembered()
	x, y := a.Room.Atlas().Plane.Shadow(z)
	if len(at) != 1 || at[0] != [2]float32{x, y} {
		t.Fatalf("at %v, want %v, %v", at, x, y)
	}
	roomtest.Must(t, a.Room.PutAt(float64(x)+0.01, float64(y), 0.1))
	if a.Spot != link.PackCode(z) {
		t.Error("what is remembered cannot be taken")
	}
	a.Memory, err = a.Links.ForgetCodes(a.Memory)
	roomtest.Must(t, err)
	if got := a.Room.Remembered(); len(got) > 0 {
		t.Errorf("%v is remembered still", got)
	}
}
