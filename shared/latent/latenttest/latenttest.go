// Package latenttest makes small model files with random weights, for tests that
// need a model and not a good one.
package latenttest

import (
	"math"
	"slices"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// File returns a model file drawn from a seed: the nets of Table 8 with weights
// of He's scale, a bank of 100 codes, and plausible flows. Change it, encode it,
// and give it to latent.Load.
func File(seed uint64) *safetensors.File { return FileOf(seed, latent.F, latent.G) }

// FileOf is File with other nets F and G, each of one input and with weights that are
// followed by their biases.
func FileOf(seed uint64, encoder, decoder *nn.Net) *safetensors.File {
	f := &safetensors.File{Meta: map[string]string{
		"distance.activation": "silu",
		"flow.restore":        `{"alpha":0.6,"beta":0.3,"sigma":0.45,"tau":1,"steps":15}`,
		"flow.generate":       `{"alpha":0.6,"beta":0.2,"sigma":0.5,"steps":15,"noise":1.3}`,
	}}
	if err := latent.Describe(f.Meta, latent.Kind, encoder, decoder); err != nil {
		panic("latenttest: " + err.Error())
	}
	r, dim := rng.New(seed, 0), encoder.Out().Size()
	add := func(name string, scale float32, shape ...int) {
		n := 1
		for _, s := range shape {
			n *= s
		}
		data := make([]float32, n)
		r.FillNorm(data, scale)
		var err error
		if len(shape) > 1 {
			err = f.AddInt8(name, data, shape...)
		} else {
			err = f.AddFloat32(name, data, shape...)
		}
		if err != nil {
			panic("latenttest: " + err.Error()) // the names and shapes are this package's own
		}
	}
	d, err := latent.Distance(dim, []int{100, 50, 20}, nn.SiLU)
	if err != nil {
		panic("latenttest: " + err.Error())
	}
	for _, s := range slices.Concat(encoder.Specs(), decoder.Specs(), d.Specs()) {
		scale := 0.01
		if len(s.Shape) > 1 {
			fan := 1
			for _, d := range s.Shape[1:] {
				fan *= d
			}
			scale = math.Sqrt(2 / float64(fan))
		}
		add(s.Name, float32(scale), s.Shape...)
	}
	add("bank.codes", 1, dim, 100)
	add("prior.mean", 0.1, dim)
	add("prior.factor", 0.3, dim, dim)
	if err := f.AddFloat32("bank.spacing", []float32{2}, 1); err != nil {
		panic("latenttest: " + err.Error())
	}
	labels := make([]byte, 100)
	for i := range labels {
		labels[i] = byte(i % 10)
	}
	if err := f.AddUint8("bank.labels", labels, 100); err != nil {
		panic("latenttest: " + err.Error())
	}
	return f
}

// Model returns the model of File(seed).
func Model(seed uint64) *latent.Model { return load(File(seed)) }

// ModelOf returns the model of FileOf(seed, encoder, decoder).
func ModelOf(seed uint64, encoder, decoder *nn.Net) *latent.Model {
	return load(FileOf(seed, encoder, decoder))
}

func load(f *safetensors.File) *latent.Model {
	b, err := f.Encode()
	if err != nil {
		panic("latenttest: " + err.Error())
	}
	m, err := latent.Load(b)
	if err != nil {
		panic("latenttest: " + err.Error())
	}
	return m
}
