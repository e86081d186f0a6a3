package graph

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
)

// Value is what a node of a graph stands for: an input, a number that is known, or
// the result of an operation.
type Value struct {
	Shape tensor.Shape
	Host  []float32 // of an input: where its numbers lie
	Known bool      // it is Num, whatever the inputs are
	Num   float32
	Uses  int // operations that read it, and places it is kept in
}

// Size returns how many numbers the value has.
func (v *Value) Size() int { return max(1, v.Shape.TotalSize()) }

// Call is an operation on values.
type Call struct {
	Spec
	Name string
	In   []*Value
	Out  *Value
}

// KindAdd is the sum of two values of one shape: what gorgonia.Grad adds where
// gradients meet.
const KindAdd Kind = "add"

// Kept is a value that the graph copies to Dst.
type Kept struct {
	*Value
	Dst []float32
}

// Program is a graph as a list of calls in an order they can run in, without those
// whose results nobody reads.
type Program struct {
	Inputs []*Value
	Calls  []Call
	Kept   []Kept
	Nodes  map[*gorgonia.Node]*Value // the inputs and results that something kept depends on
}

// Read turns a graph into a program. It returns an error that names the operation if
// one is neither this package's nor one that gorgonia.Grad adds.
func Read(g *gorgonia.ExprGraph) (*Program, error) {
	nodes, err := gorgonia.Sort(g)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	p := &Program{Nodes: map[*gorgonia.Node]*Value{}}
	for _, n := range wanted(g, nodes) {
		v := &Value{Shape: n.Shape()}
		p.Nodes[n] = v
		if n.Op() == nil {
			if v.Host, err = numbers(n); err != nil {
				return nil, err
			}
			p.Inputs = append(p.Inputs, v)
			continue
		}
		c := Call{Name: n.Op().String(), Out: v}
		for it := g.From(n.ID()); it.Next(); {
			c.In = append(c.In, p.Nodes[it.Node().(*gorgonia.Node)])
		}
		if err := p.add(n, c); err != nil {
			return nil, err
		}
	}
	for _, c := range p.Calls {
		for _, v := range c.In {
			v.Uses++
		}
	}
	for _, k := range p.Kept {
		k.Uses++
	}
	return p, nil
}

// wanted returns the nodes that something kept depends on, those that others
// depend on first.
func wanted(g *gorgonia.ExprGraph, sorted gorgonia.Nodes) gorgonia.Nodes {
	want := map[int64]bool{}
	var all gorgonia.Nodes
	for _, n := range sorted { // whoever reads a node comes before it
		if s, ok := SpecOf(n.Op()); ok && s.Kind == KindKeep {
			want[n.ID()] = true
		}
		if !want[n.ID()] {
			continue
		}
		all = append(all, n)
		for it := g.From(n.ID()); it.Next(); {
			want[it.Node().ID()] = true
		}
	}
	slices.Reverse(all)
	return all
}

// numbers returns the memory of an input.
func numbers(n *gorgonia.Node) ([]float32, error) {
	if v := n.Value(); v != nil {
		if data, ok := v.Data().([]float32); ok && len(data) == n.Shape().TotalSize() {
			return data, nil
		}
	}
	return nil, fmt.Errorf("graph: the input %s has no float32 numbers", n.Name())
}

// add appends what a node computes, unless that is known already.
func (p *Program) add(n *gorgonia.Node, c Call) error {
	spec, ours := SpecOf(n.Op())
	c.Spec = spec
	name := fmt.Sprintf("%T", n.Op())
	switch {
	case ours && spec.Kind == KindKeep:
		p.Kept = append(p.Kept, Kept{c.In[0], spec.Kept})
		return nil
	case ours && spec.Kind == KindWeightedSum && !slices.ContainsFunc(c.In, func(v *Value) bool { return !v.Known }):
		c.Out.Known = true
		for k, v := range c.In {
			c.Out.Num += float32(spec.Factors[k] * v.Num)
		}
		return nil
	case ours:
	case len(c.In) == 0:
		v, err := n.Op().Do()
		if err != nil {
			return fmt.Errorf("graph: %s: %w", c.Name, err)
		}
		f, ok := v.Data().(float32)
		if !ok {
			return fmt.Errorf("graph: the constant %s is no float32", c.Name)
		}
		c.Out.Known, c.Out.Num = true, f
		return nil
	case name == "gorgonia.elemBinOp" && strings.HasPrefix(c.Name, "+ ") && c.In[0].Shape.Eq(c.In[1].Shape):
		c.Spec = Spec{Kind: KindAdd, Run: addition, Over: []int{0, 1}}
	default:
		return fmt.Errorf("graph: the operation %s (%s) is none of this package's", c.Name, name)
	}
	p.Calls = append(p.Calls, c)
	return nil
}

// addition is the sum of two inputs.
func addition(y []float32, in [][]float32) {
	pieces(len(y), func(lo, hi int, _ *nn.Workspace) {
		a, b := in[0][lo:hi], in[1][lo:hi]
		for i, v := range a {
			y[lo+i] = v + b[i]
		}
	})
}
