package app

import (
	"fmt"
	"testing"
	"time"

	"mppm/shared/latent"
)

// TestPenCancel: a stroke that was not the pen's leaves nothing, whatever was drawn
// before and however long; not even a step for Undo, and what Redo had is there.
func TestPenCancel(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	same := func(what, want string) {
		t.Helper()
		if got := fmt.Sprint(a.Original(), a.CanUndo(), a.CanRedo(), len(a.pad.Strokes())); got != want {
			t.Errorf("%s: the pad is not as it was before", what)
		}
	}
	look := func() string {
		return fmt.Sprint(a.Original(), a.CanUndo(), a.CanRedo(), len(a.pad.Strokes()))
	}
	a.PenCancel() // nothing begun
	a.PenDown(9, 9, 1)
	a.Update(time.Millisecond)
	a.PenCancel()
	a.Update(time.Millisecond)
	if !a.PadEmpty() {
		t.Error("the first stroke was the palm's, and is there")
	}
	a.PenMove(20, 20, 1)
	if !a.PadEmpty() {
		t.Error("the palm draws on")
	}
	for i := range 102 {
		a.PenDown(10, 10, 1)
		a.PenMove(10+float64(i%9), 20, 1)
		a.PenUp()
	}
	a.Update(time.Millisecond)
	unsettled := look()
	a.PenDown(3, 3, 1)
	a.PenMove(25, 4, 1)
	a.Update(time.Millisecond)
	a.PenCancel()
	a.Update(time.Millisecond)
	same("between two strokes", unsettled)
	for a.CanUndo() {
		a.Undo()
	}
	a.Redo()
	settle(t, a)
	undone := look()
	a.PenDown(latent.Side/2, 3, 1)
	a.Update(time.Millisecond)
	a.PenCancel()
	settle(t, a)
	same("with strokes taken back", undone)
}
