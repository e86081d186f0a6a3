package model

import (
	"fmt"

	"mppm/shared/classifier"
)

// Reader is what the rooms need of a classifier; *classifier.Runner is one.
type Reader interface {
	// Classify writes the probability of each class (n × classes) of
	// n images x, each of numbers in [0, 1], to probs; embeddings may be nil.
	Classify(probs, embeddings, x []float32)
	// Classes returns how many classes there are.
	Classes() int
}

// Reading is what the classifier takes an image for.
type Reading struct {
	Digit      int     `json:"digit"`      // the class, which is the digit where there are digits
	Confidence float64 `json:"confidence"` // the probability of Digit, 0 where nothing is read
}

// Percent says how sure it is.
func (r Reading) Percent() string {
	if r.Confidence >= 0.995 {
		return "> 99 %" // it is never quite sure
	}
	return fmt.Sprintf("%.0f %%", 100*r.Confidence)
}

// Read says it, as in "reads as 4 (97 %)".
func (a About) Read(r Reading) string {
	return fmt.Sprintf("reads as %s (%s)", a.Class(r.Digit), r.Percent())
}

// Read returns what each of n images x is taken for. Without a reader nothing is read.
func Read(r Reader, x []float32, n int) []Reading {
	if r == nil {
		return make([]Reading, n)
	}
	classes := r.Classes()
	probs := make([]float32, n*classes)
	r.Classify(probs, nil, x)
	out := make([]Reading, n)
	for i := range out {
		d, p := classifier.Best(probs[i*classes : (i+1)*classes])
		out[i] = Reading{Digit: d, Confidence: float64(p)}
	}
	return out
}
