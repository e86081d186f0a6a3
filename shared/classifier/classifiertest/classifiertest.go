// Package classifiertest makes classifier files with random weights, for tests
// that need a classifier and not a good one.
package classifiertest

import (
	"math"

	"mppm/shared/classifier"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// File returns a classifier file drawn from a seed, with weights of He's scale.
// Change it, encode it, and give it to classifier.Load.
func File(seed uint64) *safetensors.File {
	f := &safetensors.File{Meta: map[string]string{"kind": classifier.Kind + "-28x28"}}
	r := rng.New(seed, 0)
	for _, s := range classifier.Digits.Specs() {
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		data := make([]float32, n)
		add, scale := f.AddFloat32, 0.01
		if len(s.Shape) > 1 {
			add, scale = f.AddInt8, math.Sqrt(2*float64(s.Shape[0])/float64(n))
		}
		r.FillNorm(data, float32(scale))
		if err := add(s.Name, data, s.Shape...); err != nil {
			panic("classifiertest: " + err.Error()) // the names and shapes are the project's own
		}
	}
	return f
}

// Classifier returns the classifier of File(seed).
func Classifier(seed uint64) *classifier.Classifier {
	c, err := classifier.New(File(seed))
	if err != nil {
		panic("classifiertest: " + err.Error())
	}
	return c
}
