package restore

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/link"
	"mppm/wasm/app/model"
	"mppm/wasm/app/room/roomtest"
)

type page = roomtest.Page[*Room]

// newPage returns a page that shows the room, with two digits.
func newPage(t *testing.T, e *roomtest.Engine) *page {
	t.Helper()
	images, labels := roomtest.Digits(t)
	d, err := ParseDigits(images, labels, e.Image(), 10)
	roomtest.Must(t, err)
	s := roomtest.NewSession(e, roomtest.Preset)
	return roomtest.New(t, s, New(s, roomtest.Preset, d))
}

func TestRestorePlaysToTheEnd(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Update(time.Millisecond)
	r := a.Readout()
	if r.Step != 0 || r.Steps != 4 || !r.Playing || a.Room.Result().Label != 3 {
		t.Fatalf("after the first frame: %+v; want step 0 of 4 of a 3, playing", r)
	}
	a.Settle()
	r = a.Readout()
	if r.Step != 4 || r.Playing || r.Busy {
		t.Errorf("at rest: %+v; want step 4, not playing", r)
	}
	if want := 1.0 / 16; r.Distance != want {
		t.Errorf("D at the last step is %v, want %v", r.Distance, want)
	}
	// The engine's image is D everywhere and the original is 0 everywhere.
	if want := 1.0 / 256; math.Abs(a.Room.Result().MSEAfter-want) > 1e-9 {
		t.Errorf("MSE of the last step is %v, want %v", a.Room.Result().MSEAfter, want)
	}
	// On black, half of the noise is cut off: of 0.49, half is left, less what is
	// above 1.
	if a.Room.Result().MSEBefore < 0.15 || a.Room.Result().MSEBefore > 0.25 {
		t.Errorf("MSE of noise 0.7 is %v, want about 0.2", a.Room.Result().MSEBefore)
	}
	if got := r.Status; !strings.HasPrefix(got, "step 4 of 4 · D = 0.06 · SSIM ") {
		t.Errorf("status is %q", got)
	}
}

func TestSeverityShowsAtOnce(t *testing.T) {
	e := &roomtest.Engine{}
	a := newPage(t, e)
	a.Settle()
	a.Seek(2)
	a.Settle()
	before := a.Room.Result().MSEBefore
	if err := a.Room.SetSeverity(0.2); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	r := a.Readout()
	if a.Room.Result().MSEBefore >= before {
		t.Errorf("less noise has MSE %v, more had %v", a.Room.Result().MSEBefore, before)
	}
	if r.Step != 2 || r.Playing {
		t.Errorf("the playhead went to %d (playing %v); a slider must leave it at 2", r.Step, r.Playing)
	}
	flows := e.Flows
	a.Update(time.Second)
	if e.Flows != flows {
		t.Error("the flow was computed again though nothing changed")
	}
	revision := a.Revision()
	a.Update(time.Second)
	if a.Revision() != revision {
		t.Error("the revision grows though nothing changes: the page would redraw for ever")
	}
}

func TestSameSeedSameDamage(t *testing.T) {
	a, b := newPage(t, &roomtest.Engine{}), newPage(t, &roomtest.Engine{})
	a.Settle()
	b.Settle()
	if fmt.Sprint(a.Room.Degraded()) != fmt.Sprint(b.Room.Degraded()) {
		t.Error("the same seed gives different damage")
	}
	b.Room.SetSeed(2)
	b.Settle()
	if fmt.Sprint(a.Room.Degraded()) == fmt.Sprint(b.Room.Degraded()) {
		t.Error("another seed gives the same damage")
	}
}

func TestEveryKindOfDamage(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	for _, i := range append(degrade.Kinds(), degrade.Info{Kind: link.None}) {
		if err := a.Room.SetKind(i.Kind); err != nil {
			t.Errorf("%s: %v", i.Kind, err)
		}
		for _, s := range []float64{i.Min, i.Mild, i.Severe, i.Max} {
			if err := a.Room.SetSeverity(s); err != nil {
				t.Errorf("%s: severity %v: %v", i.Kind, s, err)
			}
			a.Update(time.Millisecond)
			if a.Err() != nil {
				t.Errorf("%s at %v: %v", i.Kind, s, a.Err())
			}
		}
	}
	if a.Room.Result().MSEBefore != 0 {
		t.Errorf("no damage has MSE %v", a.Room.Result().MSEBefore)
	}
}

func TestEngineErrorIsShown(t *testing.T) {
	e := &roomtest.Engine{Err: fmt.Errorf("the flow is dry")}
	a := newPage(t, e)
	a.Update(time.Millisecond)
	if got := a.Readout().Status; got != "the flow is dry" {
		t.Errorf("status is %q", got)
	}
	e.Err = nil
	a.Room.SetSeed(5)
	a.Update(time.Millisecond)
	if a.Err() != nil {
		t.Errorf("the error stays: %v", a.Err())
	}
}

func TestAnotherDigitGoesRound(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	for _, want := range []int{8, 3, 8} {
		a.Room.AnotherDigit()
		a.Settle()
		if got := a.Room.Label(); got != want {
			t.Errorf("the next digit is a %d, want %d", got, want)
		}
	}
	if a.Room.Original()[0] != 1 {
		t.Errorf("a byte of 255 is %v, want 1", a.Room.Original()[0])
	}
	// Coming back from a drawing shows the digit that was there.
	a.Room.PenDown(14, 14, 1)
	a.Room.AnotherDigit()
	if a.Room.Label() != 8 {
		t.Errorf("after a drawing the digit is a %d, want the 8 of before", a.Room.Label())
	}
}

func TestDrawing(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	a.Room.PenMove(3, 3, 1) // no stroke begun
	if a.Source != link.Digit {
		t.Error("moving over the pad without pressing draws")
	}
	a.Room.PenDown(14, 6, 1)
	a.Room.PenMove(14, 22, 1)
	a.Room.PenUp()
	a.Room.PenMove(2, 2, 1)
	a.Settle()
	if a.Room.Label() != -1 || a.Source != link.Drawing || a.Room.PadEmpty() {
		t.Errorf("after a stroke: label %d, source %q, empty %v", a.Room.Label(), a.Source, a.Room.PadEmpty())
	}
	at := func(x, y int) float32 { return a.Room.Original()[y*roomtest.Side+x] }
	if at(13, 14) != 1 || at(14, 14) != 1 {
		t.Errorf("the middle of the stroke has ink %v and %v, want 1", at(13, 14), at(14, 14))
	}
	if at(3, 3) != 0 || at(20, 14) != 0 {
		t.Error("there is ink where the pen was up")
	}
	if r := a.Readout(); r.Step != r.Steps {
		t.Errorf("while drawing, step %d of %d is shown, want the last", r.Step, r.Steps)
	}
	a.Room.ClearPad()
	a.Settle()
	if !a.Room.PadEmpty() || at(14, 14) != 0 {
		t.Error("the pad is not empty after clearing")
	}
}

func TestDrawingSettles(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	a.Room.PenDown(3, 2, 1)
	a.Room.PenMove(3, 12, 1)
	a.Update(time.Millisecond)
	left := func() float32 { return a.Room.Original()[7*roomtest.Side+3] }
	if left() != 1 || a.Room.Settled() {
		t.Errorf("under the pen there is ink %v, settled %v; want the stroke where it is drawn", left(), a.Room.Settled())
	}
	// The model gets the stroke in the middle all the while.
	if got := a.Room.original[14*roomtest.Side+13]; got != 1 || a.Room.original[7*roomtest.Side+3] != 0 {
		t.Errorf("the model does not get the stroke in the middle: ink %v there", got)
	}
	a.Update(time.Minute)
	if a.Room.Settled() {
		t.Error("the drawing moves under the pen")
	}
	a.Room.PenUp()
	if !a.Busy() {
		t.Error("the page would rest before the drawing is where it belongs")
	}
	a.Settle()
	if left() != 0 || !a.Room.Settled() || a.Room.Original()[14*roomtest.Side+13] != 1 {
		t.Errorf("at rest the drawing is not shown as the model sees it: ink %v at the left", left())
	}
	// The next stroke begins where it is seen, under the pen.
	a.Room.PenDown(20, 20, 1)
	a.Update(time.Millisecond)
	if got := a.Room.Original()[20*roomtest.Side+20]; got < 0.95 {
		t.Errorf("under the pen there is ink %v, want nearly 1", got)
	}
	a.Room.PenUp()
	a.Settle()
	two := fmt.Sprint(a.Room.Original())
	a.Room.Undo()
	a.Settle()
	if !a.Room.Result().Undo || !a.Room.Result().Redo || fmt.Sprint(a.Room.Original()) == two {
		t.Errorf("after taking a stroke back: undo %v, redo %v", a.Room.Result().Undo, a.Room.Result().Redo)
	}
	a.Room.Redo()
	a.Settle()
	if fmt.Sprint(a.Room.Original()) != two || a.Room.CanRedo() {
		t.Error("bringing the stroke back gives another picture")
	}
	a.Room.ClearPad()
	a.Room.Undo()
	a.Settle()
	if fmt.Sprint(a.Room.Original()) != two {
		t.Error("clearing cannot be taken back")
	}
	a.Room.AnotherDigit()
	if a.Room.Undo(); a.Source != link.Digit || a.Room.CanUndo() {
		t.Error("undo works on a drawing that is not shown")
	}
}

func TestReducedMotion(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.ReducedMotion = true
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 4 || r.Playing || a.Head().Moving() {
		t.Errorf("with reduced motion: %+v; want the last step at once", r)
	}
	a.Seek(1)
	a.Update(time.Millisecond)
	if a.Head().Moving() || a.Head().Pos() != 1 {
		t.Errorf("seeking eases to %v", a.Head().Pos())
	}
}

func TestReadsEveryStep(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	// The engine's images have the means 1, 1/2, 1/4, 1/8 and 1/16.
	for step, want := range []model.Reading{
		{Digit: 9, Confidence: 0.5}, {Digit: 5, Confidence: 0.75}, {Digit: 2, Confidence: 0.875},
		{Digit: 1, Confidence: 0.9375}, {Digit: 0, Confidence: 0.96875},
	} {
		a.Seek(step)
		a.Settle()
		r := a.Readout()
		if math.Abs(r.Reads.Confidence-want.Confidence) > 1e-3 || r.Reads.Digit != want.Digit {
			t.Errorf("step %d reads as %+v, want %+v", step, r.Reads, want)
		}
	}
	r := a.Readout()
	if !strings.HasSuffix(r.Status, " · reads as 0 (97 %)") {
		t.Errorf("status is %q", r.Status)
	}
	// Noise 0.7 on black, as it is shown, has the mean 0.7·φ(0) − …: about 0.25.
	if a.Room.Result().ReadsFirst.Digit < 2 || a.Room.Result().ReadsFirst.Digit > 3 || a.Room.Result().ReadsFirst.Confidence == 0 {
		t.Errorf("the damaged image reads as %+v", a.Room.Result().ReadsFirst)
	}
	a.Room.ClearPad()
	a.Settle()
	if r := a.Readout(); r.Reads.Confidence != 0 || strings.Contains(r.Status, "reads") {
		t.Errorf("an empty pad %v: %q", r.Reads, r.Status)
	}
}

func TestParametersShowAtOnce(t *testing.T) {
	e := &roomtest.Engine{}
	a := newPage(t, e)
	a.Settle()
	if err := a.Set(link.Steps, 9); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 9 || r.Steps != 9 || r.Playing {
		t.Errorf("at the end, with more steps: %d of %d, playing %v; want 9 of 9 at once", r.Step, r.Steps, r.Playing)
	}
	a.Seek(2)
	a.Settle()
	if err := a.Set(link.Steps, 7); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 2 || r.Steps != 7 {
		t.Errorf("at step 2, with fewer steps: %d of %d, want 2 of 7", r.Step, r.Steps)
	}
	a.Room.Dials().Reset()
	a.Settle()
	if r := a.Readout(); r.Steps != 4 || a.RestoreFlow != roomtest.Preset {
		t.Errorf("after the reset there are %d steps of %+v", r.Steps, a.RestoreFlow)
	}
	flows := e.Flows
	a.Room.Dials().Reset()
	if a.Busy() || e.Flows != flows {
		t.Error("a reset that changes nothing computes")
	}
}

// TestPenCancel: a stroke that was not the pen's leaves nothing, whatever was drawn
// before and however long; not even a step for Undo, and what Redo had is there.
func TestPenCancel(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	a.Settle()
	same := func(what, want string) {
		t.Helper()
		if got := fmt.Sprint(a.Room.Original(), a.Room.CanUndo(), a.Room.CanRedo(), len(a.Room.pad.Strokes())); got != want {
			t.Errorf("%s: the pad is not as it was before", what)
		}
	}
	look := func() string {
		return fmt.Sprint(a.Room.Original(), a.Room.CanUndo(), a.Room.CanRedo(), len(a.Room.pad.Strokes()))
	}
	a.Room.PenCancel() // nothing begun
	a.Room.PenDown(9, 9, 1)
	a.Update(time.Millisecond)
	a.Room.PenCancel()
	a.Update(time.Millisecond)
	if !a.Room.PadEmpty() {
		t.Error("the first stroke was the palm's, and is there")
	}
	a.Room.PenMove(20, 20, 1)
	if !a.Room.PadEmpty() {
		t.Error("the palm draws on")
	}
	for i := range 102 {
		a.Room.PenDown(10, 10, 1)
		a.Room.PenMove(10+float64(i%9), 20, 1)
		a.Room.PenUp()
	}
	a.Update(time.Millisecond)
	unsettled := look()
	a.Room.PenDown(3, 3, 1)
	a.Room.PenMove(25, 4, 1)
	a.Update(time.Millisecond)
	a.Room.PenCancel()
	a.Update(time.Millisecond)
	same("between two strokes", unsettled)
	for a.Room.CanUndo() {
		a.Room.Undo()
	}
	a.Room.Redo()
	a.Settle()
	undone := look()
	a.Room.PenDown(roomtest.Side/2, 3, 1)
	a.Update(time.Millisecond)
	a.Room.PenCancel()
	a.Settle()
	same("with strokes taken back", undone)
}

func TestEarlyArrivalShortensTheTimeline(t *testing.T) {
	a := newPage(t, &roomtest.Engine{Early: 2})
	a.Settle()
	if r := a.Readout(); r.Steps != 2 || r.Step != 2 {
		t.Errorf("step %d of %d, want 2 of 2", r.Step, r.Steps)
	}
}
