// Package netgraph makes the graph of training from a net: of an nn.Net, its
// parameters, its forward pass, the gradient with respect to its input as a forward
// graph, and what runs along with batch norm. The graph is made of the operations of
// package graph, and so runs on every machine.
package netgraph

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/optim"
)

type node = *gorgonia.Node

// Parameters draws the parameters of nets, one after the other, as
// optim.NewParameters does; batch norm starts from γ = 1 and β = 0.
func Parameters(seed, stream uint64, nets ...*nn.Net) []*optim.Parameter {
	params := optim.NewParameters(seed, stream, Specs(nets...))
	byName := map[string]*optim.Parameter{}
	for _, p := range params {
		byName[p.Name] = p
	}
	for _, n := range nets {
		for _, s := range n.Steps() {
			if l, ok := s.Layer.(nn.BatchNorm); ok {
				set(byName[l.Name+".weight"].Data, 1)
				set(byName[l.Name+".bias"].Data, 0)
			}
		}
	}
	return params
}

// Specs lists the parameters of nets, one after the other.
func Specs(nets ...*nn.Net) []nn.Spec {
	var all []nn.Spec
	for _, n := range nets {
		all = append(all, n.Specs()...)
	}
	return all
}

func set(data []float32, v float32) {
	for i := range data {
		data[i] = v
	}
}

// Builder puts nets into a graph. It remembers the first error, and does nothing
// after it: Err has to be asked once.
type Builder struct {
	Graph *gorgonia.ExprGraph
	// Step is the number of the step, below 2²⁴, which dropout draws by: set it
	// before each.
	Step []float32

	params   map[string]node
	counter  node
	dropouts uint32
	norms    []*batchNorm
	err      error
}

// New returns a builder of a new graph that has the parameters in it.
func New(params []*optim.Parameter) *Builder {
	b := &Builder{Graph: gorgonia.NewGraph(), Step: make([]float32, 1), params: map[string]node{}}
	for _, p := range params {
		p.AddTo(b.Graph)
		b.params[p.Name] = p.Node
	}
	return b
}

// Err returns the first error.
func (b *Builder) Err() error { return b.err }

// Do adds what f makes, unless something failed before.
func (b *Builder) Do(f func() (*gorgonia.Node, error)) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	n, err := f()
	b.err = err
	return n
}

// Matrix adds an input of rows × cols numbers, which lie in data.
func (b *Builder) Matrix(name string, rows, cols int, data []float32) *gorgonia.Node {
	return optim.Matrix(b.Graph, name, rows, cols, data)
}

// Ones adds a column of n ones.
func (b *Builder) Ones(n int) *gorgonia.Node {
	ones := make([]float32, n)
	set(ones, 1)
	return b.Matrix("one", n, 1, ones)
}

// SquaredError adds that of a and c, or of a and 0 if c is nil.
func (b *Builder) SquaredError(a, c *gorgonia.Node) *gorgonia.Node {
	return b.Do(func() (node, error) { return graph.SquaredError(a, c) })
}

// NegativePart adds the mean of the negative parts of two columns of distances.
func (b *Builder) NegativePart(on, off *gorgonia.Node) *gorgonia.Node {
	first := b.Do(func() (node, error) { return graph.NegativePart(on) })
	second := b.Do(func() (node, error) { return graph.NegativePart(off) })
	return b.Do(func() (node, error) { return graph.WeightedSum([]float32{0.5, 0.5}, first, second) })
}

// Keep has every run of the graph leave x in dst.
func (b *Builder) Keep(name string, x *gorgonia.Node, dst []float32) {
	b.Do(func() (node, error) { return nil, graph.Keep(name, x, dst) })
}

// Values are what goes through a net in a graph.
type Values struct {
	b     *Builder
	net   *nn.Net
	nodes []node   // by the values' numbers; nil after an error
	seeds []uint32 // of each step that is dropout
}

// Apply adds the net at x, n × In, and at its further inputs. Weights are found by
// their names among the builder's parameters: a net that is applied twice has the
// same ones.
func (b *Builder) Apply(net *nn.Net, x *gorgonia.Node, further ...*gorgonia.Node) *Values {
	v := &Values{b, net, make([]node, net.Values()), make([]uint32, len(net.Steps()))}
	inputs := net.Inputs()
	if len(further) != len(inputs)-1 {
		b.Do(func() (node, error) {
			return nil, fmt.Errorf("netgraph: a net with %d inputs is applied to %d", len(inputs), 1+len(further))
		})
		return v
	}
	for i, n := range append([]node{x}, further...) {
		v.nodes[inputs[i]] = n
	}
	for i, s := range net.Steps() {
		v.nodes[s.Y] = b.Do(func() (node, error) { return v.layer(i, s) })
	}
	return v
}

// layer adds one layer.
func (v *Values) layer(i int, s nn.Step) (node, error) {
	x := v.nodes[s.X]
	switch l := s.Layer.(type) {
	case nn.Linear:
		w, bias, err := v.b.weights(l.Name)
		if err != nil {
			return nil, err
		}
		return graph.Linear(x, w, bias)
	case nn.Conv:
		w, bias, err := v.b.weights(l.Name)
		if err != nil {
			return nil, err
		}
		if x.IsVar() { // data, which does not learn
			return graph.ConvOfData(s.Geometry(), x, w, bias)
		}
		return graph.Conv(s.Geometry(), x, w, bias)
	case nn.ConvTranspose:
		w, bias, err := v.b.weights(l.Name)
		if err != nil {
			return nil, err
		}
		return graph.ConvTranspose(s.Geometry(), x, w, bias)
	case nn.MaxPool:
		return graph.MaxPool(s.Geometry(), x)
	case nn.BatchNorm:
		return v.b.batchNorm(l, s, x)
	case nn.Dropout:
		v.b.dropouts++
		v.seeds[i] = v.b.dropouts
		return v.dropout(i, l, x)
	case nn.Activation:
		if l == nn.Identity {
			return x, nil
		}
		return graph.Activate(l, x)
	case nn.Concat:
		return graph.Concatenate(s.Out.H*s.Out.W, x, v.nodes[s.Other])
	case nn.Add:
		return gorgonia.Add(x, v.nodes[s.Other])
	}
	return nil, fmt.Errorf("netgraph: training has no %T", s.Layer)
}

// weights returns the parameters of a layer.
func (b *Builder) weights(layer string) (w, bias node, err error) {
	w, bias = b.params[layer+".weight"], b.params[layer+".bias"]
	if w == nil || bias == nil {
		return nil, nil, fmt.Errorf("netgraph: the parameters %s.weight and %[1]s.bias are not both in the graph", layer)
	}
	return w, bias, nil
}

// dropout adds the dropout of step i at x.
func (v *Values) dropout(i int, l nn.Dropout, x node) (node, error) {
	if v.b.counter == nil {
		v.b.counter = v.b.Matrix("step", 1, 1, v.b.Step)
	}
	return graph.Dropout(l.Rate, v.seeds[i], x, v.b.counter)
}

// Out returns the net's output.
func (v *Values) Out() *gorgonia.Node { return v.nodes[v.net.Output()] }

// Kept returns what the net keeps by that name, or nil if there is nothing.
func (v *Values) Kept(name string) *gorgonia.Node {
	if n, ok := v.net.Value(name); ok {
		return v.nodes[n]
	}
	return nil
}

// Gradient adds the gradient of the sum of the net's outputs with respect to its
// input, written as a forward graph, which can be differentiated once more: from the
// last layer's weight back to the input, through transposed products and the
// activations' derivatives. one is n × Out ones. Nets that have none
// (nn.Net.Differentiable) are an error.
func (v *Values) Gradient(one *gorgonia.Node) *gorgonia.Node {
	if err := v.net.Differentiable(); err != nil {
		return v.b.Do(func() (node, error) { return nil, err })
	}
	g, steps := one, v.net.Steps()
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		g = v.b.Do(func() (node, error) {
			switch l := s.Layer.(type) {
			case nn.Linear:
				w, _, err := v.b.weights(l.Name)
				if err != nil {
					return nil, err
				}
				return graph.Product(g, w, false)
			case nn.Dropout:
				return v.dropout(i, l, g)
			case nn.Activation:
				if l == nn.Identity {
					return g, nil
				}
				return graph.BackActivate(l, v.nodes[s.X], g)
			}
			return nil, fmt.Errorf("netgraph: there is no way back through a %T", s.Layer)
		})
	}
	return g
}
