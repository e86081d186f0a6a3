package classifier_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"mppm/shared/classifier/classifiertest"
	"mppm/shared/fault"
)

// TestPartial: of slices of wrong lengths the whole images are read that all have room
// for, and nothing panics.
func TestPartial(t *testing.T) {
	c := classifiertest.Classifier(1)
	r := c.Runner(2)
	const n = 3
	pixels := c.Image().Size()
	x := make([]float32, n*pixels)
	for i := range x {
		x[i] = float32(i%11) / 11
	}
	probs, embeddings := make([]float32, n*c.Classes()), make([]float32, n*c.Width())
	r.Classify(probs, embeddings, x)
	for _, sizes := range [][3]int{
		{len(probs), len(embeddings), len(x) - 1}, {len(probs) - 1, len(embeddings), len(x)}, {len(probs), c.Width(), len(x)}, {0, len(embeddings), len(x)}, {len(probs), len(embeddings), 5},
	} {
		p, e := make([]float32, sizes[0]), make([]float32, sizes[1])
		r.Classify(p, e, x[:sizes[2]])
		whole := min(sizes[0]/c.Classes(), sizes[1]/c.Width(), sizes[2]/pixels)
		if !slices.Equal(p[:whole*c.Classes()], probs[:whole*c.Classes()]) || !slices.Equal(e[:whole*c.Width()], embeddings[:whole*c.Width()]) {
			t.Errorf("%v: what is whole is not as it is alone", sizes)
		}
		if slices.ContainsFunc(p[whole*c.Classes():], func(v float32) bool { return v != 0 }) {
			t.Errorf("%v: it writes behind what is whole", sizes)
		}
	}
	x[pixels] = float32(math.Inf(1))
	for _, k := range []struct{ got, want error }{
		{c.CheckImages(x[:pixels]), nil}, {c.CheckImages(nil), fault.ErrSize}, {c.CheckImages(x[1:]), fault.ErrSize}, {c.CheckImages(x), fault.ErrNotFinite},
	} {
		if !errors.Is(k.got, k.want) {
			t.Errorf("%v, want %v", k.got, k.want)
		}
	}
}
