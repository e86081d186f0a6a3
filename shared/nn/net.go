package nn

import (
	"errors"
	"fmt"
	"slices"
)

// Net is a net as one value: its layers, with all shapes that follow from that of
// its input. It knows no numbers: Load gives it those of a file.
//
// What goes through a net are values: its inputs, and what each layer makes. They
// have numbers, in the order in which they come to be; number 0 is the net's first
// input.
type Net struct {
	layers []Layer
	inputs []int // the values that are inputs
	steps  []Step
	shapes []Shape // of the values
	names  map[string]int
	out    int
}

// Step is a layer that computes, at its place in a net.
type Step struct {
	Layer   Layer
	In, Out Shape // of X and Y
	X, Y    int   // the value that the layer takes, and the one that it makes
	Other   int   // the second value that Concat and Add take; -1 for all others

	index int // of the layer
}

// Geometry returns the place of the kernel of a convolution, a transposed
// convolution or a pooling.
func (s Step) Geometry() Geometry {
	switch l := s.Layer.(type) {
	case Conv:
		return l.On(s.In)
	case ConvTranspose:
		return l.On(s.Out)
	case MaxPool:
		return l.On(s.In)
	case AvgPool:
		return l.On(s.In)
	}
	return Geometry{}
}

// New makes the net that takes inputs of that shape through the layers, one after
// the other. It returns an error that says which layer cannot be where it is.
func New(in Shape, layers ...Layer) (*Net, error) {
	n := &Net{layers: slices.Clone(layers), inputs: []int{0}, shapes: []Shape{in}, names: map[string]int{}}
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("nn: input: %w", err)
	}
	taken := map[string]bool{}
	for i, l := range layers {
		if l == nil {
			return nil, fmt.Errorf("nn: layer %d is nil", i)
		}
		if err := n.add(i, l, taken); err != nil {
			return nil, fmt.Errorf("nn: layer %d, %s, at %v: %w", i, l.label(), n.shapes[n.out], err)
		}
	}
	if len(n.steps) == 0 {
		return nil, errors.New("nn: a net needs a layer that computes")
	}
	return n, nil
}

// Must is for nets whose layers the program knows: it panics if err is not nil.
func Must(n *Net, err error) *Net {
	if err != nil {
		panic(err)
	}
	return n
}

// add puts a layer behind those that there are. taken has the names of tensors.
func (n *Net) add(index int, l Layer, taken map[string]bool) error {
	in := n.shapes[n.out]
	switch l := l.(type) {
	case Keep:
		return n.name(string(l), n.out)
	case From:
		v, err := n.find(string(l))
		n.out = v
		return err
	case Input:
		if err := l.Shape.check(); err != nil {
			return err
		}
		n.inputs = append(n.inputs, len(n.shapes))
		n.shapes = append(n.shapes, l.Shape)
		return n.name(l.Name, len(n.shapes)-1)
	case Concat:
		v, err := n.find(string(l))
		if err != nil {
			return err
		}
		other := n.shapes[v]
		if other.H != in.H || other.W != in.W {
			return fmt.Errorf("%s is %v: not as many pixels", string(l), other)
		}
		out := Shape{in.H, in.W, in.C + other.C}
		n.step(Step{Layer: l, Out: out, Other: v, index: index})
		return out.check()
	case Add:
		v, err := n.find(string(l))
		if err == nil && n.shapes[v] != in {
			err = fmt.Errorf("%s is %v: not the same shape", string(l), n.shapes[v])
		}
		n.step(Step{Layer: l, Out: in, Other: v, index: index})
		return err
	case Linear, Conv, ConvTranspose, MaxPool, AvgPool, BatchNorm, Dropout, Activation:
		u := l.(unit)
		out, err := u.out(in)
		if err != nil {
			return err
		}
		params, _ := u.tensors(in)
		for _, s := range params {
			if taken[s.Name] {
				return fmt.Errorf("another layer has the tensor %s already", s.Name)
			}
			taken[s.Name] = true
		}
		n.step(Step{Layer: l, Out: out, Other: -1, index: index})
		return nil
	}
	return fmt.Errorf("a %T is no layer; give layers by value", l)
}

// step appends a step that goes on from what the last one made.
func (n *Net) step(s Step) {
	s.X, s.In, s.Y = n.out, n.shapes[n.out], len(n.shapes)
	n.steps = append(n.steps, s)
	n.shapes = append(n.shapes, s.Out)
	n.out = s.Y
}

func (n *Net) name(name string, value int) error {
	if _, ok := n.names[name]; ok || name == "" {
		return fmt.Errorf("the name %q is empty or taken", name)
	}
	n.names[name] = value
	return nil
}

func (n *Net) find(name string) (int, error) {
	v, ok := n.names[name]
	if !ok {
		return 0, fmt.Errorf("nothing before it has the name %q", name)
	}
	return v, nil
}

// In returns the shape of the net's first input.
func (n *Net) In() Shape { return n.shapes[0] }

// Out returns the shape of what the last layer makes.
func (n *Net) Out() Shape { return n.shapes[n.out] }

// Layers returns what New was given.
func (n *Net) Layers() []Layer { return slices.Clone(n.layers) }

// Steps returns the layers that compute, in order. They are not to be changed.
func (n *Net) Steps() []Step { return n.steps }

// Values returns how many values go through the net.
func (n *Net) Values() int { return len(n.shapes) }

// Inputs returns the numbers of the values that are inputs: 0, and those of every
// Input, in order.
func (n *Net) Inputs() []int { return n.inputs }

// Output returns the number of the value that the last layer makes.
func (n *Net) Output() int { return n.out }

// Value returns the number of the value with that name, and false if there is none.
func (n *Net) Value(name string) (number int, ok bool) {
	number, ok = n.names[name]
	return number, ok
}

// Shape returns the shape of a value.
func (n *Net) Shape(value int) Shape { return n.shapes[value] }

// Specs lists the net's parameters, layer by layer, each weight with its output
// channel first and its bias after it.
func (n *Net) Specs() []Spec {
	var all []Spec
	for _, s := range n.steps {
		if l, ok := s.Layer.(unit); ok {
			params, _ := l.tensors(s.In)
			all = append(all, params...)
		}
	}
	return all
}

// Buffers lists the tensors of the net that are no parameters: what runs along with
// training.
func (n *Net) Buffers() []Spec {
	var all []Spec
	for _, s := range n.steps {
		if l, ok := s.Layer.(unit); ok {
			_, buffers := l.tensors(s.In)
			all = append(all, buffers...)
		}
	}
	return all
}

// Trunk returns the net without its last layer, or the net itself if it has no
// other. A loss that takes logits is of a trunk.
func (n *Net) Trunk() *Net {
	t, err := New(n.In(), n.layers[:len(n.layers)-1]...)
	if err != nil {
		return n
	}
	return t
}

// MLP is linear layers, with the activation between them, from in numbers to out:
// layer i, from 0 on, is called name.i.
func MLP(name string, in int, hidden []int, out int, act Activation) (*Net, error) {
	var layers []Layer
	for i, w := range hidden {
		layers = append(layers, Linear{fmt.Sprintf("%s.%d", name, i), Vector(w)}, act)
	}
	layers = append(layers, Linear{fmt.Sprintf("%s.%d", name, len(hidden)), Vector(out)})
	return New(Vector(in), layers...)
}
