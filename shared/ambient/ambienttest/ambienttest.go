// Package ambienttest makes models of package ambient with random weights, for tests.
package ambienttest

import (
	"math"

	"mppm/shared/ambient"
	"mppm/shared/ddpm"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// Dim and Latent are the sizes of the models.
const (
	Dim    = 3
	Latent = 2
	Points = 40
)

// File returns a file that ambient.Load reads, with weights drawn from the seed, a
// schedule of 40 steps, and points on a curve.
func File(seed uint64) *safetensors.File {
	f := &safetensors.File{Meta: map[string]string{
		"kind":                ambient.Kind,
		"distance.activation": "silu",
		"diffusion":           `{"first":0.001,"last":0.2,"steps":40}`,
		"flow.restore":        `{"alpha":0.2,"beta":0.3,"sigma_d":0.2,"sigma_ker":0.1,"samples":3,"steps":12}`,
		"flow.gated":          `{"alpha":0.2,"beta":0.3,"sigma_d":0.3,"sigma_ker":0.2,"samples":2,"tau":0.1,"steps":9,"tolerance":0.01,"seed":5}`,
	}}
	r := rng.New(seed, 0)
	var specs []nn.Spec
	add := func(n *nn.Net, err error) {
		must(err)
		specs = append(specs, n.Specs()...)
	}
	autoencoder := func(encoder, decoder string, hidden []int, latent int) {
		f, g, err := ambient.Autoencoder(encoder, decoder, Dim, hidden, latent)
		add(f, err)
		add(g, err)
	}
	add(ddpm.Net(Dim, []int{20}))
	autoencoder(ambient.Encoder, ambient.Decoder, []int{18, 9}, Latent)
	add(ambient.DistanceNet(Dim, []int{17, 8}, nn.SiLU))
	autoencoder(ambient.DAEEncoder, ambient.DAEDecoder, []int{18}, 1)
	for _, s := range specs {
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		data := make([]float32, n)
		if len(s.Shape) == 1 {
			r.FillNorm(data, 0.1)
			must(f.AddFloat32(s.Name, data, s.Shape...))
			continue
		}
		r.FillNorm(data, float32(math.Sqrt(2/float64(s.Shape[1]))))
		if s.Shape[1] >= 16 {
			must(f.AddInt8(s.Name, data, s.Shape...))
		} else {
			must(f.AddFloat32(s.Name, data, s.Shape...))
		}
	}
	points := make([]float32, Points*Dim)
	for i := range Points {
		// A parabola: no function that differs between platforms.
		t := float32(i)/(Points/2) - 1
		points[i*Dim], points[i*Dim+1], points[i*Dim+2] = t, float32(t*t), 0.5
	}
	must(f.AddFloat32("points", points, Points, Dim))
	must(f.AddFloat32("center", []float32{1, -2, 0}, Dim))
	must(f.AddFloat32("scale", []float32{4}, 1))
	return f
}

func must(err error) {
	if err != nil {
		panic("mppmtest: " + err.Error()) // the names and shapes are this package's own
	}
}

// Bytes returns the bytes of File(seed).
func Bytes(seed uint64) []byte {
	b, err := File(seed).Encode()
	must(err)
	return b
}

// Model returns the model of File(seed).
func Model(seed uint64) *ambient.Model {
	m, err := ambient.New(File(seed))
	must(err)
	return m
}
