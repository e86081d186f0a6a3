package app

import (
	"testing"
	"time"

	"mppm/shared/link"
	"mppm/wasm/app/room/roomtest"
)

// TestClassifierComesLater: without a classifier everything is shown, and nothing read;
// once there is one, what is shown is read, where it stands.
func TestClassifierComesLater(t *testing.T) {
	for name, fragment := range map[string]string{
		"restore": "", "a step of it": "step=2", "a grid": "mode=generate&grid=2", "a walk": "mode=generate&grid=2&walk=on", "the map": "mode=map",
	} {
		t.Run(name, func(t *testing.T) {
			m := theModel(t, &roomtest.Engine{})
			m.Reader = nil
			a, err := New(m, Faces{})
			roomtest.Must(t, err)
			if faults := a.Open(fragment); len(faults) > 0 {
				t.Fatal(faults)
			}
			settle(t, a)
			before := a.Readout()
			if before.Steps == 0 || before.Error != "" || before.Reads.Confidence != 0 {
				t.Fatalf("without a classifier: %+v", before)
			}
			a.Models.Reader = &roomtest.Reader{}
			a.Readable()
			settle(t, a)
			after := a.Readout()
			if after.Step != before.Step || after.Error != "" || after.Reads.Confidence == 0 {
				t.Errorf("with one: %+v; it was %+v", after, before)
			}
			if r := a.Restore.Result(); a.Subject() == link.Restoration && r.ReadsFirst.Confidence == 0 {
				t.Errorf("the damaged digit is not read: %+v", r)
			}
		})
	}
}

// TestGoesOn: a restoration that has been playing elsewhere goes on from there, and one
// that a link holds at a step stays at it.
func TestGoesOn(t *testing.T) {
	for fragment, begins := range map[string]bool{"": false, "step=1": true} {
		m := theModel(t, &roomtest.Engine{})
		m.Reader = nil
		a, err := New(m, Faces{})
		roomtest.Must(t, err)
		a.Open(fragment)
		a.Restore.Began(time.Minute)
		a.Update(time.Millisecond)
		h := a.Head()
		if want := map[bool]int{false: h.End(), true: 1}[begins]; h.Step() != want || h.Playing() {
			t.Errorf("%q goes on at step %d of %d", fragment, h.Step(), h.End())
		}
		a.Restore.SetSeed(7) // another one plays from its start
		a.Update(time.Millisecond)
		if h.Step() != 0 || !h.Playing() {
			t.Errorf("%q: the next restoration begins at %d", fragment, h.Step())
		}
	}
}
