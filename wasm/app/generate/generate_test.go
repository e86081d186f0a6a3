package generate

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/room/roomtest"
)

type page = roomtest.Page[*Room]

// newPage returns a page that shows the room.
func newPage(t *testing.T, e *roomtest.Engine) *page {
	t.Helper()
	s := roomtest.NewSession(e, roomtest.Preset)
	s.Mode = link.Generate
	return roomtest.New(t, s, New(s, roomtest.Preset))
}

func TestGenerateGrows(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	p := a.Path()
	if p.N != 36 || p.Steps() != 5 {
		t.Fatalf("the grid has %d digits and %d steps, want 36 and 5", p.N, p.Steps())
	}
	if r := a.Readout(); r.Step != 4 || r.Distance != 1.0/16 {
		t.Errorf("at rest: %+v; want step 4 at mean D 0.0625", r)
	}
	if err := a.Room.Select(35); err != nil {
		t.Fatal(err)
	}
	if err := a.Room.SetSide(2); err != nil {
		t.Fatal(err)
	}
	if a.Selected != 3 {
		t.Errorf("in a grid of 4, digit %d is selected", a.Selected)
	}
	a.Update(time.Millisecond)
	// A new seed in the middle of growing drops what was under way.
	a.Room.SetSeed(7)
	a.Settle()
	if a.Path().N != 4 || a.Path().Steps() != 5 {
		t.Errorf("the new grid has %d digits and %d steps", a.Path().N, a.Path().Steps())
	}
}

func TestReadsTheEnlargedDigit(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	r := a.Models.Reader.(*roomtest.Reader)
	a.Settle()
	if r.Images != 5 {
		t.Errorf("%d images were read, want the 5 of the digit that is shown large", r.Images)
	}
	if got := a.Readout().Status; got != "step 4 of 4 · mean D = 0.06 · cell 1 reads as 0 (97 %)" {
		t.Errorf("status is %q", got)
	}
	if err := a.Room.Select(7); err != nil {
		t.Fatal(err)
	}
	a.Settle()
	if got := a.Readout().Status; r.Images != 10 || !strings.HasSuffix(got, "cell 8 reads as 0 (97 %)") {
		t.Errorf("after %d images the status is %q", r.Images, got)
	}
}

func TestGridKeepsWhileParametersChange(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	for _, steps := range []float64{6, 7, 8} { // as a slider that is dragged
		if err := a.Set(link.Steps, steps); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			a.Update(time.Millisecond)
			if a.Path().Steps() < 5 {
				t.Fatalf("while a slider is dragged, the grid falls back to %d steps", a.Path().Steps())
			}
		}
	}
	a.Settle()
	if r := a.Readout(); r.Steps != 8 || r.Step != 8 || r.Playing {
		t.Errorf("at rest: step %d of %d, playing %v; want 8 of 8", r.Step, r.Steps, r.Playing)
	}
	if a.RestoreFlow != roomtest.Preset {
		t.Error("the parameters of one mode changed those of the other")
	}
	// Another seed meanwhile starts anew, with the new parameters.
	if err := a.Set(link.Steps, 3); err != nil {
		t.Fatal(err)
	}
	a.Room.SetSeed(9)
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 0 || !r.Playing {
		t.Errorf("after another seed: %+v; want step 0, playing", r)
	}
	a.Settle()
	if a.Path().Steps() != 4 {
		t.Errorf("the grid has %d steps, want 4", a.Path().Steps())
	}
}

// grown is a page that shows a grown grid, at rest.
func grown(t *testing.T) *page {
	t.Helper()
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	return a
}

func TestOneClassAlone(t *testing.T) {
	a := grown(t)
	roomtest.Must(t, a.Room.SetClass(2))
	a.Settle()
	for i := range a.Path().N {
		if got := a.Path().Code(0, i)[0]; got != 2 {
			t.Fatalf("digit %d starts at %v; want the noise of class 2", i, got)
		}
	}
	roomtest.Reopen(t, a, newPage(t, &roomtest.Engine{}))
	for _, c := range []int{-2, 10, 7} { // the engine has three classes
		if err := a.Room.SetClass(c); err == nil {
			t.Errorf("class %d was accepted", c)
		}
	}
	if a.Class != 2 {
		t.Errorf("refusals left class %d", a.Class)
	}
	roomtest.Must(t, a.Room.SetClass(link.Any))
	a.Settle()
	if a.Path().Code(0, 0)[0] == 2 {
		t.Error("all digits grow as one class")
	}
}

func TestMoreLikeThis(t *testing.T) {
	a := grown(t)
	roomtest.Must(t, a.Room.Select(9))
	end := append([]float32(nil), a.Path().Code(4, 9)...)
	roomtest.Must(t, a.Room.MoreLikeThis())
	a.Settle()
	if a.Selected != 0 || a.Like == "" {
		t.Errorf("digit %d is selected, like %q", a.Selected, a.Like)
	}
	var spread float64
	for i := range a.Path().N {
		z := a.Path().Code(0, i)
		if i == 0 && math.Abs(float64(z[0]-end[0])) > link.CodeGrain {
			t.Errorf("the first starts at %v, want %v itself", z[0], end[0])
		}
		d := float64(z[0] - end[0])
		spread += d * d / float64(a.Path().N)
	}
	// The engine's noise is uniform in [0, 1): variance 1/12.
	if want := link.Likeness * link.Likeness / 12; spread < want/3 || spread > want*3 {
		t.Errorf("the others start with variance %v around it, want about %v", spread, want)
	}
	roomtest.Reopen(t, a, newPage(t, &roomtest.Engine{}))
	a.Room.AllDigits()
	a.Settle()
	if a.Like != "" || a.Path().Code(0, 0)[1] != 1 {
		t.Error("the grid does not grow from noise again")
	}
	a.Room.SetSeed(3)
	if err := a.Room.MoreLikeThis(); err == nil {
		t.Error("a grid that is not there gave more like this")
	}
}

func TestWalk(t *testing.T) {
	a := grown(t)
	roomtest.Must(t, a.Room.Select(4), a.Room.SetWalkTo(11))
	a.Room.SetWalk(true)
	a.Settle()
	p := a.Path()
	if p.Steps() != walkSteps+1 || a.Subject() != link.Walk || a.Room.walk.Shown() != 0 {
		t.Fatalf("the walk has %d steps", p.Steps())
	}
	from, to := a.Room.Grid().Code(4, 4), a.Room.Grid().Code(4, 11)
	if fmt.Sprint(p.Code(0, 0)) != fmt.Sprint(from) || fmt.Sprint(p.Code(walkSteps, 0)) != fmt.Sprint(to) {
		t.Error("the walk does not lead from the one to the other")
	}
	half := p.Code(walkSteps/2, 0)
	if want := (from[0] + to[0]) / 2; math.Abs(float64(half[0]-want)) > 1e-5 {
		t.Errorf("half way the first number is %v, want %v", half[0], want)
	}
	// Four steps of the engine's flow halve the second number four times.
	if want := (from[1] + to[1]) / 2 / 16; math.Abs(float64(half[1]-want)) > 1e-6 {
		t.Errorf("half way D is %v; want %v, since the flow takes it back", half[1], want)
	}
	if a.Readout().Reads.Confidence == 0 {
		t.Error("the walk is not read")
	}
	roomtest.Must(t, a.Room.Choose(20))
	if a.WalkTo != 20 || a.Selected != 4 || a.Room.Chosen() != 20 {
		t.Errorf("while walking, choosing goes from %d to %d", a.Selected, a.WalkTo)
	}
	a.Settle()
	roomtest.Reopen(t, a, newPage(t, &roomtest.Engine{}))
	a.Room.SetWalk(false)
	roomtest.Must(t, a.Room.Choose(3))
	a.Settle()
	if a.Subject() != link.Growth || a.Selected != 3 {
		t.Error("the walk does not end")
	}
	if err := a.Room.SetWalkTo(36); err == nil {
		t.Error("one can walk out of the grid")
	}
	roomtest.Must(t, a.Room.SetSide(2))
	if a.WalkTo != 3 {
		t.Errorf("in a grid of 4, the walk leads to digit %d", a.WalkTo)
	}
}

func TestEarlyArrivalShortensTheTimeline(t *testing.T) {
	a := newPage(t, &roomtest.Engine{Early: 2})
	a.Settle()
	if r := a.Readout(); r.Steps != 2 || r.Step != 2 {
		t.Errorf("step %d of %d, want 2 of 2", r.Step, r.Steps)
	}
}
