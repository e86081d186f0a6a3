// Package latenttest makes small model files with random weights, for tests that
// need a model and not a good one.
package latenttest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// File returns a model file drawn from a seed: the nets of Table 8 with weights
// of He's scale, a bank of 100 codes, and plausible flows. Change it, encode it,
// and give it to latent.Load.
func File(seed uint64) *safetensors.File { return FileOf(seed, latent.Digits()) }

// FileOf is File with other nets, whose weights are followed by their biases.
func FileOf(seed uint64, n *latent.Nets) *safetensors.File {
	f := &safetensors.File{Meta: map[string]string{
		"distance.activation": "silu",
		"flow.restore":        `{"alpha":0.6,"beta":0.3,"sigma":0.45,"tau":1,"steps":15}`,
		"flow.generate":       `{"alpha":0.6,"beta":0.2,"sigma":0.5,"steps":15,"noise":1.3}`,
	}}
	if err := latent.Describe(f.Meta, latent.Kind, n); err != nil {
		panic("latenttest: " + err.Error())
	}
	r, dim := rng.New(seed, 0), n.F.Out().Size()
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
	var specs []nn.Spec
	for _, net := range append(n.All(), d) {
		specs = append(specs, net.Specs()...)
	}
	buffers := func(n *nn.Net) {
		for _, s := range n.Buffers() { // of batch norm
			data := make([]float32, s.Size())
			if strings.HasSuffix(s.Name, "_var") {
				for i := range data {
					data[i] = 1
				}
			}
			if err := f.AddFloat32(s.Name, data, s.Shape...); err != nil {
				panic("latenttest: " + err.Error())
			}
		}
	}
	for _, net := range n.All() {
		buffers(net)
	}
	for _, s := range specs {
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

// ModelOf returns the model of FileOf(seed, n).
func ModelOf(seed uint64, n *latent.Nets) *latent.Model { return load(FileOf(seed, n)) }

func load(f *safetensors.File) *latent.Model {
	m, err := latent.New(f)
	if err != nil {
		panic("latenttest: " + err.Error())
	}
	return m
}

// Bits returns the FNV-1a sum of all that a model makes of three images of noise: their
// codes' flow by Restore and the images it ends in, and likewise of starts by Generate.
// It is the same on every platform.
func Bits(m *latent.Model) (string, error) {
	const n = 3
	r := m.Runner(2)
	x, z := make([]float32, n*m.Pixels()), make([]float32, n*m.Latent())
	rng.New(4, 0).FillNorm(x, 1)
	r.Encode(z, x)
	h := fnv.New64a()
	for _, p := range []latent.Preset{m.Restore, m.Generate} {
		steps, err := r.Flow(z, p)
		if err != nil {
			return "", err
		}
		for s := range steps {
			if err := binary.Write(h, binary.LittleEndian, s.X); err != nil {
				return "", err
			}
		}
		r.Decode(x, z)
		if err := binary.Write(h, binary.LittleEndian, x); err != nil {
			return "", err
		}
		r.Noise(z, m.Generate, rng.New(5, 0))
	}
	return fmt.Sprintf("%016x", h.Sum64()), nil
}
