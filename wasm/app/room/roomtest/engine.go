// Package roomtest is for tests of rooms: models that can be followed with a pencil,
// and a page with one room in it.
package roomtest

import (
	"errors"
	"fmt"
	"iter"

	"mppm/shared/flow"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/project"
	"mppm/shared/rng"
	"mppm/wasm/app/model"
)

// The sizes of Engine's images and codes.
const (
	Side   = 28
	Pixels = Side * Side
	Latent = 18
)

// Engine is one whose flow can be followed with a pencil: the code's first
// number is the image's mean, its second how far it is from clean. Each step
// halves that distance; the image is gray by what is left of it.
type Engine struct {
	Early int            // steps after which every point has arrived, 0 for never
	Flows int            // how many began
	Err   error          // of the flow
	Map   *project.Plane // what Plane returns

	Learned latent.Memory // what it was taught last
}

// Image is the shape of MNIST's images.
func (f *Engine) Image() nn.Shape { return nn.Shape{H: Side, W: Side, C: 1} }

// Latent is the length of a code.
func (f *Engine) Latent() int { return Latent }

// Encode makes codes of how dark images are.
func (f *Engine) Encode(z, x []float32) {
	for i := 0; i < len(x)/Pixels; i++ {
		var sum float32
		for _, v := range x[i*Pixels : (i+1)*Pixels] {
			sum += v
		}
		z[i*Latent], z[i*Latent+1] = sum/Pixels, 1
	}
}

// Decode makes gray images.
func (f *Engine) Decode(x, z []float32) {
	for i := 0; i < len(z)/Latent; i++ {
		for k := range Pixels {
			x[i*Pixels+k] = z[i*Latent+1]
		}
	}
}

// Noise draws codes that are not clean.
func (f *Engine) Noise(z []float32, src *rng.Source) {
	for i := 0; i < len(z)/Latent; i++ {
		z[i*Latent], z[i*Latent+1] = src.Float32(), 1
	}
}

// Flow halves the second number with every step.
func (f *Engine) Flow(z []float32, p latent.Preset) (iter.Seq[flow.Step], error) {
	f.Flows++
	if f.Err != nil {
		return nil, f.Err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	n := len(z) / Latent
	return func(yield func(flow.Step) bool) {
		d := make([]float32, n)
		for i := 0; ; i++ {
			for k := range n {
				d[k] = z[k*Latent+1]
			}
			if !yield(flow.Step{Index: i, X: z, Distance: d}) || i == p.Steps || i == f.Early && f.Early > 0 {
				return
			}
			for k := range n {
				z[k*Latent+1] /= 2
			}
		}
	}, nil
}

// Distance is the code's second number.
func (f *Engine) Distance(d, grad, z []float32) {
	for i := range len(z) / Latent {
		d[i] = z[i*Latent+1]
	}
}

// Bank is thirty codes of three classes, far apart along the first and the third
// number.
func (f *Engine) Bank() (codes []float32, labels []uint8) {
	src := rng.New(5, 0)
	for i := range 30 {
		z := make([]float32, Latent)
		src.FillNorm(z, 0.1)
		class := i % 3
		z[0] += float32([]int{0, 4, 0}[class])
		z[2] += float32([]int{0, 0, 4}[class])
		codes, labels = append(codes, z...), append(labels, uint8(class))
	}
	return codes, labels
}

// Plane returns Map.
func (f *Engine) Plane() *project.Plane { return f.Map }

// Only has the classes 0 to 2.
func (f *Engine) Only(class int) (model.Engine, error) {
	if class > 2 {
		return nil, fmt.Errorf("there is no class %d", class)
	}
	return &one{f, class}, nil
}

// Taught remembers what it is taught, and flows as it did. It returns an error where
// more than three codes are given.
func (f *Engine) Taught(t latent.Memory) (model.Engine, error) {
	f.Learned = t
	if len(t.Codes) > 3*Latent {
		return nil, errors.New("these are too many")
	}
	return f, nil
}

// one is the engine whose noise has its class as its first number.
type one struct {
	*Engine
	class int
}

func (o *one) Noise(z []float32, src *rng.Source) {
	o.Engine.Noise(z, src)
	for i := 0; i < len(z); i += Latent {
		z[i] = float32(o.class)
	}
}

// Reader takes an image for the digit that its mean, in tenths, names, and is
// the surer the darker it is.
type Reader struct {
	Images int // how many it read
}

// Classes returns 10.
func (r *Reader) Classes() int { return 10 }

// Classify panics if it is given what is not shown.
func (r *Reader) Classify(probs, embeddings, x []float32) {
	for i := 0; i < len(x)/Pixels; i++ {
		r.Images++
		var sum float32
		for _, v := range x[i*Pixels : (i+1)*Pixels] {
			if !(v >= 0 && v <= 1) {
				panic("the classifier was given a pixel that is not shown")
			}
			sum += v
		}
		mean := float64(sum) / Pixels
		probs[i*r.Classes()+min(int(mean*10+1e-3), 9)] = float32(1 - mean/2)
	}
}
