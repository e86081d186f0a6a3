package weights_test

import (
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

// TestReadsWhatIsGrown: the shipped classifier finds digits, and various ones,
// in what the shipped model grows from noise. The bits of what
// it says are pinned: the same test runs in a browser.
func TestReadsWhatIsGrown(t *testing.T) {
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	c, err := classifier.Load(weights.Classifier)
	if err != nil {
		t.Fatal(err)
	}
	const n = 60
	r := m.Runner(n)
	z, x := make([]float32, n*m.Latent()), make([]float32, n*m.Pixels())
	r.Noise(z, m.Generate, rng.New(1, 0))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Decode(x, z)
	probs, embeddings := make([]float32, n*c.Classes()), make([]float32, n*c.Width())
	c.Runner(n).Classify(probs, embeddings, x)
	sure, seen := 0, map[int]bool{}
	for i := range n {
		class, p := classifier.Best(probs[i*c.Classes() : (i+1)*c.Classes()])
		if p > 0.8 {
			sure++
			seen[class] = true
		}
	}
	if sure < n*3/4 || len(seen) < 8 {
		t.Errorf("of %d digits grown from noise %d are read with confidence, as %d classes", n, sure, len(seen))
	}
	golden.Check(t, "weights: what the classifier reads in sixty grown digits", golden.NewBits(append(probs, embeddings...)...))
}
