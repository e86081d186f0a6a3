// Package graph gives Gorgonia the operations that the nets of the paper are
// trained with: linear layers, convolutions and transposed convolutions of
// channels-last images, activations up to their second derivative, and the
// terms of Eq. 20. Each has a symbolic gradient, so gorgonia.Grad and the tape
// machine do the rest.
//
// Every batch is a matrix: a row is an image, a code or a number. Weights are
// matrices with a row for each output channel, laid out as package nn has them,
// so a trained parameter is a tensor of a model file as it stands.
//
// Sums run in one documented order whatever the number of processors: rows are
// cut into shards of fixed size, and partial sums are added in the shards'
// order. So training gives the same bits on one core and on sixteen, and on every
// processor whose products are fused with their sums (AVX2, AVX-512, NEON); with
// Round it gives those of a processor that does not fuse them.
package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"io"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is one operation at one place of a graph.
type op struct {
	name  string       // with every parameter: Gorgonia tells operations apart by it
	shape tensor.Shape // of the output
	spec  Spec
	in    []hm.Type
	run   func(out []float32, in [][]float32)
	over  []int // Spec.Over
	// grad returns the gradient with respect to each input for which wrt is
	// true; nil where the operation is the end of what is differentiated.
	grad func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
	wrt  []bool
}

var (
	_ gorgonia.SDOp = (*op)(nil)

	scalarType = hm.Type(tensor.Float32)
	vectorType = hm.Type(gorgonia.TensorType{Dims: 1, Of: tensor.Float32})
	matrixType = hm.Type(gorgonia.TensorType{Dims: 2, Of: tensor.Float32})
)

func typeOf(s tensor.Shape) hm.Type {
	switch s.Dims() {
	case 0:
		return scalarType
	case 1:
		return vectorType
	}
	return matrixType
}

// apply puts o into the graph over its inputs. What the inputs' shapes must be
// is the caller's to check; a graph is built once, from shapes the program chose.
func apply(o *op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	for _, n := range in {
		o.in = append(o.in, typeOf(n.Shape()))
	}
	n, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		return nil, fmt.Errorf("graph: %s: %w", o.name, err)
	}
	return n, nil
}

func (o *op) Arity() int { return len(o.in) }

func (o *op) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type(nil), o.in...), typeOf(o.shape))...)
}

func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }

// Do is for Gorgonia's own machines, which have an operation bring the memory of its
// result.
func (o *op) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	args := make([][]float32, len(in))
	for i, v := range in {
		switch d := v.Data().(type) {
		case []float32:
			args[i] = d
		case float32:
			args[i] = []float32{d}
		default:
			return nil, fmt.Errorf("%s: input %d is %T, not float32", o.name, i, d)
		}
	}
	y := make([]float32, max(1, o.shape.TotalSize()))
	o.run(y, args)
	if o.shape.IsScalar() {
		return gorgonia.NewF32(y[0]), nil
	}
	return tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(y)), nil
}

func (o *op) ReturnsPtr() bool      { return true }
func (o *op) CallsExtern() bool     { return false }
func (o *op) OverwritesInput() int  { return -1 }
func (o *op) WriteHash(h hash.Hash) { io.WriteString(h, o.name) }
func (o *op) String() string        { return o.name }
func (o *op) DiffWRT(n int) []bool  { return append(o.wrt, make([]bool, n-len(o.wrt))...) }

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func (o *op) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.grad == nil {
		return nil, fmt.Errorf("graph: %s has no gradient", o.name)
	}
	return o.grad(in, out, grad)
}

// each collects nodes until one fails.
func each(nodes ...func() (*gorgonia.Node, error)) (gorgonia.Nodes, error) {
	var all gorgonia.Nodes
	for _, f := range nodes {
		if f == nil {
			all = append(all, nil)
			continue
		}
		n, err := f()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
