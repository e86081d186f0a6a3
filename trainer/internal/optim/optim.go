// Package optim is what every training run of the project shares: the
// parameters with their gradients and moments, Adam with a cosine schedule,
// checkpoints that a run resumes from to the same bits, and batches that are made
// while others are trained on.
package optim

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/vec"
	"mppm/trainer/internal/graph"
)

// Parameter is one trained tensor, its gradient and its moments.
type Parameter struct {
	nn.Spec
	Data, Grad []float32
	M, V       []float32 // Adam's first and second moment
	Decay      float32   // weight decay: so many times itself is added to the gradient
	Node       *gorgonia.Node
}

// NewParameters draws a net's parameters: uniform on ±1/√fan-in, weights and
// biases alike. A weight has its output channel first and is followed by its
// bias. Parameter i draws from the stream numbered stream+i of the seed.
func NewParameters(seed, stream uint64, specs []nn.Spec) []*Parameter {
	var all []*Parameter
	fan := 1
	for i, s := range specs {
		n := s.Size()
		if len(s.Shape) > 1 { // a bias follows its weight
			fan = n / s.Shape[0]
		}
		p := &Parameter{Spec: s, Data: make([]float32, n), Grad: make([]float32, n), M: make([]float32, n), V: make([]float32, n)}
		bound := 1 / math.Sqrt(float64(fan))
		r := rng.New(seed, stream+uint64(i))
		for k := range p.Data {
			p.Data[k] = float32(bound * (2*r.Float64() - 1))
		}
		all = append(all, p)
	}
	return all
}

// Matrix puts an input of rows × cols numbers, which lie in data, into a graph.
func Matrix(g *gorgonia.ExprGraph, name string, rows, cols int, data []float32) *gorgonia.Node {
	v := tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
	return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(name), gorgonia.WithValue(v))
}

// AddTo makes the node of p in a graph: weights as matrices with a row for each
// output channel, biases as vectors.
func (p *Parameter) AddTo(g *gorgonia.ExprGraph) {
	if len(p.Shape) > 1 {
		p.Node = Matrix(g, p.Name, p.Shape[0], len(p.Data)/p.Shape[0], p.Data)
		return
	}
	v := tensor.New(tensor.WithShape(len(p.Data)), tensor.WithBacking(p.Data))
	p.Node = gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(len(p.Data)), gorgonia.WithName(p.Name), gorgonia.WithValue(v))
}

// Differentiate adds to loss's graph the gradient of loss with respect to every
// parameter: each run of the graph then leaves it in the parameter's Grad.
func Differentiate(loss *gorgonia.Node, params []*Parameter) error {
	var wrt gorgonia.Nodes
	for _, p := range params {
		wrt = append(wrt, p.Node)
	}
	grads, err := gorgonia.Grad(loss, wrt...)
	if err != nil {
		return fmt.Errorf("differentiating the loss: %w", err)
	}
	for i, p := range params {
		if err := graph.Keep("gradient of "+p.Name, grads[i], p.Grad); err != nil {
			return err
		}
	}
	return nil
}

// Adam's constants (Kingma and Ba 2014; Table 11).
const (
	Beta1   = 0.9
	Beta2   = 0.999
	Epsilon = 1e-8
)

// Rates returns what a step of Adam, counted from 1, multiplies its moments with:
// the learning rate over 1 − β₁ᵗ, and 1/√(1 − β₂ᵗ).
func Rates(step int, rate float64) (size, root float32) {
	c1 := 1 - math.Pow(Beta1, float64(step))
	c2 := 1 - math.Pow(Beta2, float64(step))
	return float32(rate / c1), float32(1 / math.Sqrt(c2))
}

// Adam takes one step of Adam with the given learning rate; step counts from 1.
// Gorgonia's solver would do, if its moments could be saved and resumed from. Where
// products are rounded, what decays becomes 0 in the end; where they are fused, it ends
// among the least numbers that there are, as it always did.
func Adam(params []*Parameter, step int, rate float64) {
	size, root := Rates(step, rate)
	for _, p := range params {
		a := vec.Adam{Beta1: Beta1, Rest1: 1 - Beta1, Beta2: Beta2, Rest2: 1 - Beta2, Size: size, Root: root, Epsilon: Epsilon, Decay: p.Decay, Flush: !graph.Fused()}
		graph.Pieces(len(p.Data), func(lo, hi int) {
			vec.StepAdam(&a, p.Data[lo:hi], p.M[lo:hi], p.V[lo:hi], p.Grad[lo:hi])
		})
	}
}

// Cosine is the learning rate of a step of steps: a cosine from rate down to 2 %
// of it.
func Cosine(rate float64, step, steps int) float64 {
	const floor = 0.02
	t := float64(step) / float64(steps)
	return rate * (floor + (1-floor)*(1+math.Cos(math.Pi*t))/2)
}
