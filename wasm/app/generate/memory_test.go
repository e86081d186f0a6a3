package generate

import (
	"slices"
	"strings"
	"testing"

	"mppm/shared/link"
	"mppm/wasm/app/room/roomtest"
)

// TestTaught: a grid grows anew once the density was taught something, and so does a walk;
// a class that grows alone knows nothing of it.
func TestTaught(t *testing.T) {
	e := &roomtest.Engine{}
	a := newPage(t, e)
	a.Settle()
	flows := e.Flows
	var err error
	a.Memory, err = a.Links.ForgetClass(a.Memory, 7, true)
	roomtest.Must(t, err)
	if !a.Busy() {
		t.Fatal("the grid does not find out")
	}
	a.Settle()
	if e.Flows == flows || !slices.Equal(e.Learned.Forget, []int{7}) {
		t.Fatalf("%d more flows, taught %+v", e.Flows-flows, e.Learned)
	}
	a.Room.SetWalk(true)
	a.Settle()
	a.Memory, err = a.Links.Remember(a.Memory, make([]float32, roomtest.Latent))
	roomtest.Must(t, err)
	flows = e.Flows
	a.Settle()
	if e.Flows < flows+2 || len(e.Learned.Codes) != roomtest.Latent {
		t.Errorf("%d more flows, taught %+v", e.Flows-flows, e.Learned)
	}
	if err := a.Room.SetClass(7); err == nil || !strings.Contains(err.Error(), "7 is forgotten") || a.Class != link.Any {
		t.Errorf("class 7 grows: %v", err)
	}
	roomtest.Must(t, a.Room.SetClass(1))
	a.Settle()
	flows = e.Flows
	a.Memory, err = a.Links.ForgetCodes(a.Memory)
	roomtest.Must(t, err)
	a.Settle()
	if e.Flows != flows {
		t.Error("a class that grows alone grows anew")
	}
}
