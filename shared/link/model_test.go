package link

import (
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
)

// TestModel: a link to a model that is not the page's own begins with it, and is read by
// a page of that model; by any other it is named, and the rest holds. Links to the page's
// own are as they were.
func TestModel(t *testing.T) {
	flow := latent.Preset{Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 15}
	of := func(print string) *Page {
		return New(200, Model{Pixels: pixels, Latent: 18, Classes: 10, Restore: flow, Generate: flow, Print: print})
	}
	own, mine, other := of(""), of("1a2b3c4d"), of("ffffffff")
	l, _ := own.Read("digit=5&seed=3")
	if got := own.Write(l); got != "digit=5&seed=3" || own.OfModel(got) != "" {
		t.Errorf("a link to the page's own model is %q", got)
	}
	text := mine.Write(l)
	if text != "model=1a2b3c4d&digit=5&seed=3" || mine.OfModel(text) != "1a2b3c4d" || mine.Write(mine.first) != "model=1a2b3c4d" {
		t.Errorf("a link to another model is %q", text)
	}
	for _, came := range []string{text, "  " + text + ".", "MODEL%3D1a2b3c4d%26digit=5&seed=3"} {
		if again, faults := mine.Read(came); faults != nil || again != l || mine.OfModel(came) != "1a2b3c4d" {
			t.Errorf("%q is read as %q, with %v", came, mine.Write(again), faults)
		}
	}
	for name, p := range map[string]*Page{"the page's own": own, "another": other} {
		again, faults := p.Read(text)
		if len(faults) != 1 || !strings.Contains(faults.String(), "model=1a2b3c4d is left out: this link was made with another model") || again != l {
			t.Errorf("%s: %q is read as %q, with %v", name, text, p.Write(again), faults)
		}
	}
	if without := New(200, Model{Pixels: pixels, Latent: 18, NoMap: true, Faces: []string{"faces"}, Restore: flow, Generate: flow}); slices.Contains(without.Modes(), Map) || !slices.Contains(without.Modes(), Faces) {
		t.Errorf("without a map there are %q", without.Modes())
	} else if _, faults := without.Read("mode=map&class=0"); len(faults) != 2 {
		t.Errorf("a map without classes: %v", faults)
	}
}
