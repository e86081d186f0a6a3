package restore

import (
	"slices"
	"strings"
	"testing"

	"mppm/shared/link"
	"mppm/wasm/app/room/roomtest"
)

// codes returns what is remembered on a page.
func codes(t *testing.T, a *page) [][]float32 {
	t.Helper()
	m, err := a.Taught()
	roomtest.Must(t, err)
	return slices.Collect(slices.Chunk(m.Codes, roomtest.Latent))
}

// TestRemember: the code of the original is remembered, whatever its damage, and the
// restoration follows it.
func TestRemember(t *testing.T) {
	e := &roomtest.Engine{}
	a := newPage(t, e)
	roomtest.Must(t, a.Room.SetDigit(1)) // full: the engine's code of it begins with 1
	a.Settle()
	flows := e.Flows
	roomtest.Must(t, a.Room.Remember(), a.Room.SetWeight(300))
	a.Settle()
	got := codes(t, a)
	if len(got) != 1 || got[0][0] != 1 || e.Flows == flows {
		t.Fatalf("%v is remembered after %d flows", got, e.Flows-flows)
	}
	if l := e.Learned; l.Weight != 300 || !slices.Equal(l.Codes, got[0]) || len(l.Forget) > 0 {
		t.Errorf("the engine is taught %+v", l)
	}
	if a.Readout().Step != 4 {
		t.Errorf("at step %d, want it to stay at the last", a.Readout().Step)
	}
	if err := a.Room.Remember(); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("it is remembered twice: %v", err)
	}
	a.Room.ClearPad()
	if err := a.Room.Remember(); err == nil || !strings.Contains(err.Error(), "draw something first") {
		t.Errorf("an empty pad is remembered: %v", err)
	}
	a.Room.PenDown(4, 4, 1)
	a.Room.PenMove(20, 20, 1)
	roomtest.Must(t, a.Room.Remember()) // in the middle of a stroke
	if got := codes(t, a); len(got) != 2 || !(got[1][0] > 0 && got[1][0] < 1) {
		t.Errorf("of a drawing %v is remembered", got)
	}
	for _, w := range []int{0, -1, link.MaxWeight + 1} {
		if a.Room.SetWeight(w) == nil {
			t.Errorf("a weight of %d is taken", w)
		}
	}
	a.Room.PenUp()
	roomtest.Must(t, a.Room.SetDigit(0))
	roomtest.Reopen(t, a, newPage(t, &roomtest.Engine{}))
}

// TestForget: digits one by one, all, and classes, which grow alone no more then.
func TestForget(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	for i := range 2 {
		roomtest.Must(t, a.Room.SetDigit(i), a.Room.Remember())
	}
	a.State.Class = 2
	roomtest.Must(t, a.Room.Forget(0), a.Room.ForgetClass(2, true))
	if got := codes(t, a); len(got) != 1 || got[0][0] != 1 || a.Memory.Forget != "2" || a.State.Class != link.Any {
		t.Errorf("%v is remembered, without %q, and class %d grows", got, a.Memory.Forget, a.State.Class)
	}
	for _, i := range []int{-1, 1} {
		if a.Room.Forget(i) == nil {
			t.Errorf("digit %d is forgotten", i)
		}
	}
	for _, class := range []int{-1, 10} {
		if a.Room.ForgetClass(class, true) == nil {
			t.Errorf("class %d is forgotten", class)
		}
	}
	roomtest.Must(t, a.Room.ForgetAll())
	for class := range 9 {
		roomtest.Must(t, a.Room.ForgetClass(class, true))
	}
	if err := a.Room.ForgetClass(9, true); err == nil || !strings.Contains(err.Error(), "everything would be forgotten") {
		t.Errorf("everything is forgotten: %v", err)
	}
	roomtest.Must(t, a.Room.ForgetClass(5, false))
	if a.Memory.Forget != "0_1_2_3_4_6_7_8" {
		t.Errorf("%q is forgotten", a.Memory.Forget)
	}
}

// TestTakeBack: what is remembered and forgotten can be taken back and brought back,
// between strokes too.
func TestTakeBack(t *testing.T) {
	a := newPage(t, &roomtest.Engine{})
	first := a.Memory
	if a.Room.CanUndo() || a.Room.CanTakeBack() {
		t.Error("there is something to take back")
	}
	roomtest.Must(t, a.Room.Remember())
	one := a.Memory
	roomtest.Must(t, a.Room.ForgetClass(7, true), a.Room.SetWeight(7))
	a.Room.Undo()
	if want := (link.Memory{Codes: one.Codes, Weight: 7}); a.Memory != want {
		t.Errorf("undone to %+v, want %+v", a.Memory, want)
	}
	a.Room.Redo()
	if a.Memory.Forget != "7" || a.Room.CanRedo() {
		t.Errorf("done again to %+v", a.Memory)
	}
	// A stroke after it is undone before it.
	a.Room.PenDown(4, 4, 1)
	a.Room.PenMove(20, 20, 1)
	a.Room.PenUp()
	a.Room.Undo()
	if a.Memory.Forget != "7" || !a.Room.PadEmpty() {
		t.Error("the stroke is not what is undone first")
	}
	a.Room.TakeBack()
	a.Room.TakeBack()
	if a.Memory.Codes != first.Codes || a.Memory.Forget != "" || a.Room.CanTakeBack() {
		t.Errorf("all taken back, %+v is left", a.Memory)
	}
	a.Room.TakeBack() // nothing
	for range 3 * mostChanges {
		roomtest.Must(t, a.Room.ForgetClass(3, true), a.Room.ForgetClass(3, false))
	}
	if n := len(a.Room.changes.past); n > mostChanges {
		t.Errorf("%d changes are kept", n)
	}
}
