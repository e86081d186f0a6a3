package nn

import (
	"fmt"
	"math"

	"mppm/shared/fault"
	"mppm/shared/gemm"
	"mppm/shared/vec"
)

// Layer is one layer of a Net, or says how its layers are joined. The layers that
// compute are Linear, Conv, ConvTranspose, MaxPool, AvgPool, BatchNorm, Dropout and every
// Activation; Input, Keep, From, Concat and Add make the paths that skip others.
type Layer interface {
	// label names the layer in errors.
	label() string
}

// unit is a layer that makes one value of another.
type unit interface {
	Layer
	// out returns the shape of what the layer makes of in, or what is wrong.
	out(in Shape) (Shape, error)
	// tensors lists the layer's parameters, and its buffers: what training changes
	// without a gradient.
	tensors(in Shape) (params, buffers []Spec)
	// bind makes the layer's computation of its tensors' numbers, in their order.
	bind(in, out Shape, t [][]float32) (op, error)
}

// op computes what a layer makes of n inputs x in y. y may be x if the layer works
// number by number.
type op interface {
	forward(y, x []float32, n int, ws *Workspace)
}

// product is an op that ends in a product. It takes the activation of what it makes while
// that is in the cache, or in the product's last step.
type product interface {
	op
	activate(y, x []float32, n int, act Activation, ws *Workspace)
}

// Spec names one tensor of a file and gives its shape.
type Spec struct {
	Name  string
	Shape []int
}

// Size returns how many numbers the tensor has.
func (s Spec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// weightAndBias lists the tensors of a layer whose weight has that shape.
func weightAndBias(name string, shape ...int) []Spec {
	return []Spec{{name + ".weight", shape}, {name + ".bias", shape[:1:1]}}
}

// Linear is y = W·x + b, of all numbers of its input. Its tensors are Name.weight
// [out, in] and Name.bias [out].
type Linear struct {
	Name string
	Out  Shape // an image may follow, and is then as the weight's rows have it
}

func (l Linear) label() string { return l.Name }

func (l Linear) out(Shape) (Shape, error) { return l.Out, l.Out.check() }

func (l Linear) tensors(in Shape) (params, buffers []Spec) {
	return weightAndBias(l.Name, l.Out.Size(), in.Size()), nil
}

func (l Linear) bind(in, out Shape, t [][]float32) (op, error) {
	return newLinear(in.Size(), out.Size(), t[0], t[1])
}

// Conv is a convolution. Its tensors are Name.weight [Out, Side, Side, C], with the
// C channels of its input, and Name.bias [Out].
type Conv struct {
	Name string
	Window
	Out int // channels of the result
}

func (l Conv) label() string { return l.Name }

func (l Conv) out(in Shape) (Shape, error) {
	if err := l.Window.check(in); err != nil {
		return Shape{}, err
	}
	g := l.On(in)
	out := Shape{g.OH, g.OW, l.Out}
	return out, out.check()
}

func (l Conv) tensors(in Shape) (params, buffers []Spec) {
	return weightAndBias(l.Name, l.Out, l.Side, l.Side, in.C), nil
}

func (l Conv) bind(in, out Shape, t [][]float32) (op, error) {
	return newConv(l.On(in), out.C, t[0], t[1])
}

// ConvTranspose is a transposed convolution: the way back of a convolution with
// that window from To to the input's side. Of an even side and the odd one before
// it Halving makes the same, so the side that it leads to has to be given. Its
// tensors are Name.weight [To.C, Side, Side, C], with the C channels of its input,
// and Name.bias [To.C].
type ConvTranspose struct {
	Name string
	Window
	To Shape
}

func (l ConvTranspose) label() string { return l.Name }

func (l ConvTranspose) out(in Shape) (Shape, error) {
	if err := l.To.check(); err != nil {
		return Shape{}, err
	}
	if err := l.Window.check(l.To); err != nil {
		return Shape{}, err
	}
	if g := l.On(l.To); g.OH != in.H || g.OW != in.W {
		return Shape{}, fmt.Errorf("it leads from an image of %d×%d pixels to one of %d×%d, and the input is %v", g.OH, g.OW, l.To.H, l.To.W, in)
	}
	return l.To, nil
}

func (l ConvTranspose) tensors(in Shape) (params, buffers []Spec) {
	return weightAndBias(l.Name, l.To.C, l.Side, l.Side, in.C), nil
}

func (l ConvTranspose) bind(in, out Shape, t [][]float32) (op, error) {
	return newConvTranspose(l.On(out), in.C, t[0], t[1])
}

// MaxPool takes the largest number of each channel under the window. What lies
// outside the image does not count.
type MaxPool struct{ Window }

func (l MaxPool) label() string { return "max pooling" }

func (l MaxPool) out(in Shape) (Shape, error) {
	if err := l.Window.check(in); err != nil {
		return Shape{}, err
	}
	g := l.On(in)
	return Shape{g.OH, g.OW, in.C}, nil
}

func (l MaxPool) tensors(Shape) (params, buffers []Spec)      { return nil, nil }
func (l MaxPool) bind(in, _ Shape, _ [][]float32) (op, error) { return maxPool{l.On(in)}, nil }

// AvgPool takes the mean of each channel under the window. What lies outside the image
// does not count. Nets are used with it; none is trained.
type AvgPool struct{ Window }

func (l AvgPool) label() string { return "average pooling" }

func (l AvgPool) out(in Shape) (Shape, error) { return MaxPool(l).out(in) }

func (l AvgPool) tensors(Shape) (params, buffers []Spec)      { return nil, nil }
func (l AvgPool) bind(in, _ Shape, _ [][]float32) (op, error) { return avgPool{l.On(in)}, nil }

// NormEpsilon keeps the deviation of a channel away from 0.
const NormEpsilon = 1e-5

// BatchNorm is γ·(x − mean)/√(variance + ε) + β for each channel (Ioffe and Szegedy
// 2015). Training takes the means and variances of the batch; the net as it is used
// takes those that ran along with training. Its tensors, one number for each
// channel, are the parameters Name.weight, γ, and Name.bias, β, and the buffers
// Name.running_mean and Name.running_var.
type BatchNorm struct{ Name string }

func (l BatchNorm) label() string               { return l.Name }
func (l BatchNorm) out(in Shape) (Shape, error) { return in, nil }

func (l BatchNorm) tensors(in Shape) (params, buffers []Spec) {
	c := []int{in.C}
	return weightAndBias(l.Name, in.C), []Spec{{l.Name + ".running_mean", c}, {l.Name + ".running_var", c}}
}

func (l BatchNorm) bind(in, _ Shape, t [][]float32) (op, error) {
	scale, shift, err := l.affine(t[0], t[1], t[2], t[3])
	return &norm{scale, shift}, err
}

// affine returns the two numbers of each channel with which batch norm is
// scale·x + shift.
func (l BatchNorm) affine(gamma, beta, mean, variance []float32) (scale, shift []float32, err error) {
	scale, shift = make([]float32, len(gamma)), make([]float32, len(gamma))
	for k, v := range variance {
		if v < 0 {
			return nil, nil, fault.New(fault.ErrTensor, "tensor %s.running_var: number %d is %v; a variance is at least 0", l.Name, k, v)
		}
		s := float64(gamma[k]) / math.Sqrt(float64(v)+NormEpsilon)
		scale[k], shift[k] = float32(s), float32(float64(beta[k])-float64(s*float64(mean[k])))
	}
	return scale, shift, nil
}

// Dropout sets a share Rate of the numbers to 0 while the net is trained, and
// scales the others up (Srivastava et al. 2014). The net as it is used has nothing
// in its place.
type Dropout struct{ Rate float32 }

func (l Dropout) label() string { return "dropout" }

func (l Dropout) out(in Shape) (Shape, error) {
	if !(l.Rate >= 0 && l.Rate < 1) {
		return Shape{}, fmt.Errorf("the share is %v; give 0 or more, less than 1", l.Rate)
	}
	return in, nil
}

func (l Dropout) tensors(Shape) (params, buffers []Spec)     { return nil, nil }
func (l Dropout) bind(_, _ Shape, _ [][]float32) (op, error) { return nil, nil }

func (a Activation) label() string { return string(a) }

func (a Activation) out(in Shape) (Shape, error) {
	if !a.Valid() {
		return Shape{}, fmt.Errorf("%q is no activation", string(a))
	}
	return in, nil
}

func (a Activation) tensors(Shape) (params, buffers []Spec)       { return nil, nil }
func (a Activation) bind(_, _ Shape, _ [][]float32) (op, error)   { return a, nil }
func (a Activation) forward(y, x []float32, _ int, ws *Workspace) { a.Apply(y, x, ws) }

// Input is one more input of the net, which Concat, Add and From know by its name.
// What the layer before it made goes on to the layer after it.
type Input struct {
	Name string
	Shape
}

func (l Input) label() string { return "input " + l.Name }

// Keep gives what the layer before it made a name. Concat, Add and From find it by
// that, and so does who runs the net.
type Keep string

func (l Keep) label() string { return "keep " + string(l) }

// From goes on from what has that name.
type From string

func (l From) label() string { return "from " + string(l) }

// Concat puts the channels of what has that name behind those of the layer before.
type Concat string

func (l Concat) label() string { return "concatenation with " + string(l) }

// Add adds what has that name, number by number.
type Add string

func (l Add) label() string { return "sum with " + string(l) }

// linear computes a Linear.
type linear struct {
	in, out int
	weight  *gemm.Packed // Wᵀ, in × out
	across  *gemm.Packed // W, out × in
	bias    []float32
}

func newLinear(in, out int, weight, bias []float32) (*linear, error) {
	if len(weight) != in*out || len(bias) != out {
		return nil, fmt.Errorf("linear layer %d → %d: %d weights and %d biases; want %d and %d", in, out, len(weight), len(bias), in*out, out)
	}
	w := gemm.Rows(weight, in)
	return &linear{in, out, gemm.Pack(w.T(), in, out), gemm.Pack(w, out, in), append([]float32(nil), bias...)}, nil
}

// forward writes to y (n × out) the layer's output at x (n × in).
func (l *linear) forward(y, x []float32, n int, ws *Workspace) {
	l.activate(y, x, n, Identity, ws)
}

func (l *linear) activate(y, x []float32, n int, act Activation, ws *Workspace) {
	ws.Gemm.LayerPacked(y[:n*l.out], n, gemm.Rows(x, l.in), l.weight, gemm.Layer{Bias: l.bias, ReLU: act == ReLU})
	act.after(y[:n*l.out], ws)
}

// back writes to gx (n × in) the gradient with respect to the layer's input of a
// scalar whose gradient with respect to its output is gy (n × out).
func (l *linear) back(gx, gy []float32, n int, ws *Workspace) {
	ws.Gemm.MulPacked(gx, l.in, n, gemm.Rows(gy, l.out), l.across, false)
}

// maxPool computes a MaxPool.
type maxPool struct{ Geometry }

// forward writes to y (n × OH × OW × C) the largest numbers of x (n × H × W × C).
func (p maxPool) forward(y, x []float32, n int, _ *Workspace) {
	for i := range n * p.OH * p.OW {
		ox, oy, image := i%p.OW, i/p.OW%p.OH, i/(p.OW*p.OH)
		dst, first := y[i*p.C:(i+1)*p.C], true
		for v := max(0, oy*p.Stride-p.Pad); v < min(p.H, oy*p.Stride-p.Pad+p.Side); v++ {
			for u := max(0, ox*p.Stride-p.Pad); u < min(p.W, ox*p.Stride-p.Pad+p.Side); u++ {
				at := ((image*p.H+v)*p.W + u) * p.C
				src := x[at : at+p.C]
				if first {
					copy(dst, src)
					first = false
					continue
				}
				vec.Larger(dst, src)
			}
		}
	}
}

// avgPool computes an AvgPool.
type avgPool struct{ Geometry }

// forward writes to y (n × OH × OW × C) the means of x (n × H × W × C), each added up row
// by row.
func (p avgPool) forward(y, x []float32, n int, _ *Workspace) {
	for i := range n * p.OH * p.OW {
		ox, oy, image := i%p.OW, i/p.OW%p.OH, i/(p.OW*p.OH)
		top, bottom := max(0, oy*p.Stride-p.Pad), min(p.H, oy*p.Stride-p.Pad+p.Side)
		left, right := max(0, ox*p.Stride-p.Pad), min(p.W, ox*p.Stride-p.Pad+p.Side)
		dst := y[i*p.C : (i+1)*p.C]
		clear(dst)
		for v := top; v < bottom; v++ {
			for u := left; u < right; u++ {
				at := ((image*p.H+v)*p.W + u) * p.C
				vec.Add(dst, x[at:at+p.C])
			}
		}
		count := float32((bottom - top) * (right - left))
		for c := range dst {
			dst[c] /= count
		}
	}
}

// norm computes a BatchNorm.
type norm struct{ scale, shift []float32 }

func (l *norm) forward(y, x []float32, n int, _ *Workspace) {
	c := len(l.scale)
	for i := 0; i < len(x); i += c {
		for k, v := range x[i : i+c] {
			y[i+k] = float32(l.scale[k]*v) + l.shift[k]
		}
	}
}
