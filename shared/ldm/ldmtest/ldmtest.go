// Package ldmtest makes small files of latent diffusion models with random
// weights, for tests that need a model and not a good one.
package ldmtest

import (
	"math"

	"mppm/shared/ddpm"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// File returns a model file drawn from a seed: the nets of Table 8 with weights
// of He's scale, a denoiser with one hidden layer, and a diffusion of 40 steps.
// Change it, encode it, and give it to ldm.Load.
func File(seed uint64) *safetensors.File { return FileOf(seed, latent.Digits()) }

// FileOf is File with other nets.
func FileOf(seed uint64, nets *latent.Nets) *safetensors.File {
	f := &safetensors.File{Meta: map[string]string{
		"diffusion": `{"first":0.001,"last":0.2,"steps":40}`,
		"damage":    `{"gaussian":[{"severity":0,"spread":0},{"severity":1,"spread":1}],"downsample":[{"severity":0.1,"spread":2},{"severity":1,"spread":0}]}`,
	}}
	must(latent.Describe(f.Meta, ldm.Kind, nets))
	dim := nets.F.Out().Size()
	r := rng.New(seed, 0)
	add := func(name string, shape []int) {
		n, fan := 1, 1
		for i, s := range shape {
			n *= s
			if i > 0 {
				fan *= s
			}
		}
		data := make([]float32, n)
		var err error
		if len(shape) > 1 {
			r.FillNorm(data, float32(math.Sqrt(2/float64(fan))))
			err = f.AddInt8(name, data, shape...)
		} else {
			r.FillNorm(data, 0.01)
			err = f.AddFloat32(name, data, shape...)
		}
		must(err)
	}
	for _, net := range nets.All() {
		for _, s := range net.Specs() {
			add(s.Name, s.Shape)
		}
		for _, s := range net.Buffers() { // of batch norm
			data := make([]float32, s.Size())
			for i := range data {
				data[i] = 1
			}
			must(f.AddFloat32(s.Name, data, s.Shape...))
		}
	}
	denoiser, err := ddpm.Net(dim, []int{24})
	must(err)
	for _, s := range denoiser.Specs() {
		add(s.Name, s.Shape)
	}
	add("latent.mean", []int{dim})
	std := make([]float32, dim)
	for i := range std {
		std[i] = 0.5 + float32(i)/float32(dim)
	}
	must(f.AddFloat32("latent.std", std, dim))
	return f
}

func must(err error) {
	if err != nil {
		panic("ldmtest: " + err.Error()) // the names and shapes are this package's own
	}
}

// Bytes returns the bytes of File(seed).
func Bytes(seed uint64) []byte {
	b, err := File(seed).Encode()
	must(err)
	return b
}

// Model returns the model of File(seed).
func Model(seed uint64) *ldm.Model { return ModelOf(seed, latent.Digits()) }

// ModelOf returns the model of FileOf(seed, nets).
func ModelOf(seed uint64, nets *latent.Nets) *ldm.Model {
	m, err := ldm.New(FileOf(seed, nets))
	must(err)
	return m
}
