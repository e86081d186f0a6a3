// Package nn computes the layers that the nets of Tables 7 and 8 are made of:
// linear, convolution, transposed convolution and activations, forward only.
//
// Images are channels-last: a batch of n images of height h, width w and c
// channels is n·h·w·c numbers, and the channels of a pixel lie together. So a
// patch of a convolution is copied in runs of c numbers, a product writes whole
// pixels, and flattening costs nothing. A weight has its output channel first:
// [out, in] and [out, kernel row, kernel column, in].
//
// A layer is immutable once made and safe for concurrent use; what it computes
// with lies in a Workspace.
package nn

import (
	"fmt"

	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// Activation is a function applied to every number of a layer's output.
type Activation string

// The activations of the nets. SiLU is x·σ(x).
const (
	Identity Activation = "identity"
	ReLU     Activation = "relu"
	SiLU     Activation = "silu"
	Sigmoid  Activation = "sigmoid"
)

// Valid reports whether a names an activation of this package.
func (a Activation) Valid() bool {
	switch a {
	case Identity, ReLU, SiLU, Sigmoid:
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
	case Sigmoid:
		vec.Sigmoid(dst, src)
	case SiLU:
		s := ws.scratch(len(src))
		vec.Sigmoid(s, src)
		for i, v := range s {
			dst[i] = src[i] * v
		}
	}
}

// Derive sets every number of dst to that of g times the activation's derivative
// at the matching number of h, the layer's output before activation. At h = 0,
// ReLU's derivative is 0. dst may be g.
func (a Activation) Derive(dst, g, h []float32, ws *Workspace) {
	switch a {
	case Identity:
		copy(dst, g)
	case ReLU:
		vec.ReLUBack(dst, g, h)
	case Sigmoid:
		s := ws.scratch(len(h))
		vec.Sigmoid(s, h)
		for i, v := range s {
			dst[i] = g[i] * float32(v*(1-v))
		}
	case SiLU:
		s := ws.scratch(len(h))
		vec.Sigmoid(s, h)
		for i, v := range s {
			// σ(h)(1 + h(1 − σ(h)))
			dst[i] = g[i] * float32(v*(1+float32(h[i]*(1-v))))
		}
	}
}

// Workspace holds the buffers of layers, grown on first use and kept. The zero
// value is ready. It is not safe for concurrent use.
type Workspace struct {
	Gemm    gemm.Workspace
	columns []float32
	act     []float32
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

// Linear is y = W·x + b.
type Linear struct {
	In, Out int
	forward *gemm.Packed // Wᵀ, in × out
	back    *gemm.Packed // W, out × in
	bias    []float32
}

// NewLinear makes the layer of weights [out, in] and bias [out]. It returns an
// error if the lengths do not fit.
func NewLinear(in, out int, weight, bias []float32) (*Linear, error) {
	if len(weight) != in*out || len(bias) != out {
		return nil, fmt.Errorf("linear layer %d → %d: %d weights and %d biases; want %d and %d", in, out, len(weight), len(bias), in*out, out)
	}
	w := gemm.Rows(weight, in)
	return &Linear{in, out, gemm.Pack(w.T(), in, out), gemm.Pack(w, out, in), append([]float32(nil), bias...)}, nil
}

// Forward writes to y (n × Out) the layer's output at x (n × In).
func (l *Linear) Forward(y, x []float32, n int, ws *Workspace) {
	fill(y[:n*l.Out], l.bias)
	ws.Gemm.MulPacked(y, l.Out, n, gemm.Rows(x, l.In), l.forward, true)
}

// Back writes to gx (n × In) the gradient with respect to the layer's input of a
// scalar whose gradient with respect to its output is gy (n × Out).
func (l *Linear) Back(gx, gy []float32, n int, ws *Workspace) {
	ws.Gemm.MulPacked(gx, l.In, n, gemm.Rows(gy, l.Out), l.back, false)
}

// Geometry is the place of a square kernel on an image: of Side² kernels at
// Stride pixels with Pad zero pixels around an H × W image, OH × OW fit.
type Geometry struct {
	H, W   int // the larger image
	OH, OW int // the smaller image
	C      int // channels of the larger image
	Side   int // of the kernel
	Stride int
	Pad    int
}

// Halving is the geometry of every convolution of Table 8: 3 × 3 kernels, two
// pixels apart, one pixel of padding. A transposed convolution with it doubles
// the side (output padding 1).
func Halving(h, w, c int) Geometry {
	return Geometry{H: h, W: w, OH: (h + 1) / 2, OW: (w + 1) / 2, C: c, Side: 3, Stride: 2, Pad: 1}
}

// Patch returns the numbers under one kernel: Side²·C.
func (g Geometry) Patch() int { return g.Side * g.Side * g.C }

// Columns copies the patches of n larger images x into the rows of cols, n·OH·OW
// × Patch; what lies outside the image is 0.
func (g Geometry) Columns(cols, x []float32, n int) {
	run := g.Side * g.C
	for i := range n {
		img := x[i*g.H*g.W*g.C : (i+1)*g.H*g.W*g.C]
		for oy := range g.OH {
			for ox := range g.OW {
				row := cols[((i*g.OH+oy)*g.OW+ox)*g.Patch():]
				for ky := range g.Side {
					dst := row[ky*run : (ky+1)*run]
					y := oy*g.Stride - g.Pad + ky
					if y < 0 || y >= g.H {
						clear(dst)
						continue
					}
					x0 := ox*g.Stride - g.Pad
					lo, hi := max(0, -x0), min(g.Side, g.W-x0)
					clear(dst[:lo*g.C])
					at := (y*g.W + x0) * g.C
					if g.C == 1 { // too few numbers to call copy for
						for j := lo; j < hi; j++ {
							dst[j] = img[at+j]
						}
					} else {
						copy(dst[lo*g.C:hi*g.C], img[at+lo*g.C:at+hi*g.C])
					}
					clear(dst[hi*g.C:])
				}
			}
		}
	}
}

// Scatter adds the rows of cols, n·OH·OW × Patch, to the pixels of n larger
// images x that they are patches of: the transpose of Columns.
func (g Geometry) Scatter(x, cols []float32, n int) {
	run := g.Side * g.C
	for i := range n {
		img := x[i*g.H*g.W*g.C : (i+1)*g.H*g.W*g.C]
		for oy := range g.OH {
			for ox := range g.OW {
				row := cols[((i*g.OH+oy)*g.OW+ox)*g.Patch():]
				x0 := ox*g.Stride - g.Pad
				lo, hi := max(0, -x0), min(g.Side, g.W-x0)
				for ky := range g.Side {
					y := oy*g.Stride - g.Pad + ky
					if y < 0 || y >= g.H {
						continue
					}
					at := (y*g.W + x0) * g.C
					vec.Add(img[at+lo*g.C:at+hi*g.C], row[ky*run+lo*g.C:ky*run+hi*g.C])
				}
			}
		}
	}
}

// chunk is how many images are unfolded at a time, so that their patches stay in
// the cache: at most 64 Ki numbers.
func (g Geometry) chunk(n int) int {
	return max(1, min(n, 1<<16/(g.OH*g.OW*g.Patch())))
}

// Conv is a convolution of the images of a Geometry.
type Conv struct {
	Geometry
	Out    int
	weight *gemm.Packed // Patch × Out
	bias   []float32
}

// NewConv makes the convolution of weights [out, Side, Side, C] and bias [out].
// It returns an error if the lengths do not fit.
func NewConv(g Geometry, out int, weight, bias []float32) (*Conv, error) {
	if len(weight) != out*g.Patch() || len(bias) != out {
		return nil, fmt.Errorf("convolution %d → %d: %d weights and %d biases; want %d and %d", g.C, out, len(weight), len(bias), out*g.Patch(), out)
	}
	return &Conv{g, out, gemm.Pack(gemm.Rows(weight, g.Patch()).T(), g.Patch(), out), append([]float32(nil), bias...)}, nil
}

// Forward writes to y (n × OH × OW × Out) the convolution of x (n × H × W × C).
func (c *Conv) Forward(y, x []float32, n int, ws *Workspace) {
	in, out, step := c.H*c.W*c.C, c.OH*c.OW*c.Out, c.chunk(n)
	cols := ws.Columns(step * c.OH * c.OW * c.Patch())
	for i := 0; i < n; i += step {
		m := min(step, n-i)
		c.Columns(cols, x[i*in:], m)
		dst := y[i*out : (i+m)*out]
		fill(dst, c.bias)
		ws.Gemm.MulPacked(dst, c.Out, m*c.OH*c.OW, gemm.Rows(cols, c.Patch()), c.weight, true)
	}
}

// ConvTranspose is a transposed convolution: it takes the smaller images of a
// Geometry, with In channels, to the larger ones, with C channels.
type ConvTranspose struct {
	Geometry
	In     int
	weight *gemm.Packed // In × Patch
	bias   []float32
}

// NewConvTranspose makes the transposed convolution of weights
// [C, Side, Side, in] and bias [C]. It returns an error if the lengths do not
// fit.
func NewConvTranspose(g Geometry, in int, weight, bias []float32) (*ConvTranspose, error) {
	if len(weight) != in*g.Patch() || len(bias) != g.C {
		return nil, fmt.Errorf("transposed convolution %d → %d: %d weights and %d biases; want %d and %d", in, g.C, len(weight), len(bias), in*g.Patch(), g.C)
	}
	// A row of patches holds the channel last; the weight holds it first.
	taps := g.Side * g.Side
	w := make([]float32, len(weight))
	for c := range g.C {
		for t := range taps {
			for i := range in {
				w[i*g.Patch()+t*g.C+c] = weight[(c*taps+t)*in+i]
			}
		}
	}
	return &ConvTranspose{g, in, gemm.Pack(gemm.Rows(w, g.Patch()), in, g.Patch()), append([]float32(nil), bias...)}, nil
}

// Forward writes to y (n × H × W × C) the transposed convolution of
// x (n × OH × OW × In).
func (c *ConvTranspose) Forward(y, x []float32, n int, ws *Workspace) {
	in, out, step := c.OH*c.OW*c.In, c.H*c.W*c.C, c.chunk(n)
	cols := ws.Columns(step * c.OH * c.OW * c.Patch())
	for i := 0; i < n; i += step {
		m := min(step, n-i)
		ws.Gemm.MulPacked(cols, c.Patch(), m*c.OH*c.OW, gemm.Rows(x[i*in:], c.In), c.weight, false)
		dst := y[i*out : (i+m)*out]
		fill(dst, c.bias)
		c.Scatter(dst, cols, m)
	}
}

// fill repeats row over dst.
func fill(dst, row []float32) {
	if len(row) == 1 {
		for i := range dst {
			dst[i] = row[0]
		}
		return
	}
	for i := 0; i < len(dst); i += len(row) {
		copy(dst[i:i+len(row)], row)
	}
}
