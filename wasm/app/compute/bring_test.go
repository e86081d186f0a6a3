package compute

import (
	"slices"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/wasm/app/model"
)

// TestBringAnother: a file that is brought takes the place of the one before, of all that
// was read of it, and in engines that are started later; and none is read where there is
// no classifier. Going back gives the bits of before.
func TestBringAnother(t *testing.T) {
	image := nn.Shape{H: 16, W: 16, C: 1}
	other := Raw(encoded(t, latenttest.FileOf(2, &latent.Nets{F: nn.Must(latent.Encoder(image, 5)), G: nn.Must(latent.Decoder(image, 5))})))
	y := new(yard)
	here, crew := newHere(t), newCrew(t, y, 2)
	restored := func(asked Asker, size int, flow latent.Preset) *Restored {
		t.Helper()
		x := make([]float32, size)
		rng.New(3, 0).FillNorm(x, 1)
		w := Ask(asked, &Restore{Original: x, Damaged: x, Flow: flow})
		got := all(t, y, w)
		if w.Err() != nil || len(got) != 1 {
			t.Fatalf("%d restorations, %v", len(got), w.Err())
		}
		return got[0]
	}
	mean := latent.Preset{Beta: 0.3, Sigma: 1, Steps: 3}
	for _, asked := range []Asker{here, crew} {
		before := restored(asked, 28*28, mean)
		if len(before.Reads) != 4 || before.Reads[3].Confidence == 0 {
			t.Errorf("the digit is read as %v", before.Reads)
		}
		if places := all(t, y, Ask(asked, new(Survey))); len(places) != 1 || len(places[0].At) != 5000 {
			t.Errorf("the map of the digits: %d", len(places))
		}
		file := func(name string) File {
			m := here.models
			if asked == crew {
				m = crew.here.models
			}
			return m.files[name]
		}
		digits, reader := file(Digits), file(Classifier)
		asked.Bring(Digits, other)
		asked.Bring(Classifier, nil)
		r := restored(asked, 16*16, mean)
		if len(r.Codes) != 4*5 || len(r.Reads) != 4 || slices.ContainsFunc(r.Reads, func(r model.Reading) bool { return r.Confidence > 0 }) {
			t.Errorf("another model makes codes of %d numbers, read as %v", len(r.Codes), r.Reads)
		}
		if places := all(t, y, Ask(asked, new(Survey))); len(places) != 1 || len(places[0].At) != 100 {
			t.Errorf("the map of the other model: %d", len(places))
		}
		// The second engine is started now, and has the other model alone.
		z := make([]float32, 2*5)
		for part := range asked.Parts() {
			w := AskPart(asked, &Grow{Class: -1, Codes: z, Flow: mean}, part)
			if steps := all(t, y, w); len(steps) != 4 || len(steps[0].Ink) != 2*16*16 || w.Err() != nil {
				t.Errorf("part %d grows in %d steps, %v", part, len(steps), w.Err())
			}
		}
		asked.Bring(Digits, digits)
		asked.Bring(Classifier, reader)
		if after := restored(asked, 28*28, mean); !slices.Equal(after.Ink, before.Ink) || !slices.Equal(after.Codes, before.Codes) || !slices.Equal(after.Reads, before.Reads) {
			t.Error("the digits that are back are restored otherwise")
		}
	}
}
