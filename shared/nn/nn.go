// Package nn has the layers that the nets of Tables 7, 8 and 9 are made of, and
// Net: a net as one value, its layers in order. From that value alone follow the
// shapes of everything in it, the names and shapes of its tensors, the loader that
// reads them from a file, the forward pass, and, of nets of linear layers, the
// gradient with respect to the input. Package netgraph of the trainer makes the
// graph of training from the same value.
//
// Images are channels-last: a batch of n images of height h, width w and c
// channels is n·h·w·c numbers, and the channels of a pixel lie together. So a
// patch of a convolution is copied in runs of c numbers, a product writes whole
// pixels, and flattening costs nothing. A weight has its output channel first:
// [out, in] and [out, kernel row, kernel column, in].
//
// A Net and a Function are immutable once made and safe for concurrent use; what
// they compute with lies in a Runner.
package nn

import (
	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// Activation is a function applied to every number of a layer's output.
type Activation string

// The activations of the nets. SiLU is x·σ(x), LeakyReLU is x, or Leak·x below 0.
const (
	Identity  Activation = "identity"
	ReLU      Activation = "relu"
	LeakyReLU Activation = "leakyrelu"
	SiLU      Activation = "silu"
	Sigmoid   Activation = "sigmoid"
)

// Leak is the slope of LeakyReLU below 0 (Table 9).
const Leak = 0.2

// Valid reports whether a names an activation of this package.
func (a Activation) Valid() bool {
	switch a {
	case Identity, ReLU, LeakyReLU, SiLU, Sigmoid:
		return true
	}
	return false
}

// Apply sets every number of dst to the activation of src. dst may be src.
func (a Activation) Apply(dst, src []float32, ws *Workspace) {
	switch a {
	case Identity:
		copy(dst, src)
	case ReLU:
		vec.ReLU(dst, src)
	case LeakyReLU:
		vec.LeakyReLU(dst, src, Leak)
	case Sigmoid:
		vec.Sigmoid(dst, src)
	case SiLU:
		vec.SiLU(dst, src)
	}
}

// after is Apply in place, of what a product has made that takes ReLU itself.
func (a Activation) after(y []float32, ws *Workspace) {
	if a != Identity && a != ReLU {
		a.Apply(y, y, ws)
	}
}

// Derive sets every number of dst to that of g times the activation's derivative
// at the matching number of h, the layer's output before activation. At h = 0,
// ReLU's derivative is 0 and LeakyReLU's is Leak. dst may be g.
func (a Activation) Derive(dst, g, h []float32, ws *Workspace) {
	switch a {
	case Identity:
		copy(dst, g)
	case ReLU:
		vec.ReLUBack(dst, g, h)
	case LeakyReLU:
		vec.LeakyReLUBack(dst, g, h, Leak)
	case Sigmoid:
		s := ws.scratch(len(h))
		vec.Sigmoid(s, h)
		for i, v := range s {
			dst[i] = g[i] * float32(v*(1-v))
		}
	case SiLU:
		vec.SiLUBack(dst, g, h)
	}
}

// Workspace holds the buffers of layers, grown on first use and kept. The zero
// value is ready. It is not safe for concurrent use.
type Workspace struct {
	Gemm    gemm.Workspace
	columns []float32
	act     []float32

	from, to []int32 // rows of a product
}

func (w *Workspace) scratch(n int) []float32 {
	if cap(w.act) < n {
		w.act = make([]float32, n)
	}
	return w.act[:n]
}

// Columns returns the workspace's buffer for n numbers of patches, as Geometry's
// methods fill and read it. The next call returns the same memory.
func (w *Workspace) Columns(n int) []float32 {
	if cap(w.columns) < n {
		w.columns = make([]float32, n)
	}
	return w.columns[:n]
}

// places sets the tables of a product to the same pixels of n images: those that rows are
// read from, of so many numbers each in images of so many, and those that they go to.
func (w *Workspace) places(n int, from []int32, fromImage, fromPixel int, to []int32, toImage, toPixel int) {
	w.from, w.to = w.from[:0], w.to[:0]
	for i := range n {
		a, b := int32(i*fromImage), int32(i*toImage)
		for k, at := range from {
			w.from = append(w.from, a+at*int32(fromPixel))
			w.to = append(w.to, b+to[k]*int32(toPixel))
		}
	}
}
