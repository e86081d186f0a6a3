//go:build webgpu

package webgpu

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/trainer/internal/graph"
)

// value is what a node of the graph stands for: an input, a number that is known,
// or the result of an operation.
type value struct {
	shape tensor.Shape
	host  []float32 // of an input: where its numbers lie
	known bool      // it is the number, whatever the inputs are
	num   float32

	uses  int // operations that read it
	stage int // that makes it; -1 of an input
	place place
}

func (v *value) size() int { return max(1, v.shape.TotalSize()) }

// call is an operation on values.
type call struct {
	graph.Spec
	name string
	in   []*value
	out  *value
}

// kindAdd is the sum of two values of one shape: what gorgonia.Grad adds where
// gradients meet.
const kindAdd graph.Kind = "add"

// kept is a value that the graph copies to dst.
type kept struct {
	*value
	dst []float32
}

// program is a graph as a list of calls in the order they can run in, without
// those whose results nobody reads.
type program struct {
	inputs []*value
	calls  []call
	kept   []kept
	nodes  map[*gorgonia.Node]*value
}

// read turns a graph into a program.
func read(g *gorgonia.ExprGraph) (*program, error) {
	nodes, err := gorgonia.Sort(g)
	if err != nil {
		return nil, err
	}
	p := &program{nodes: map[*gorgonia.Node]*value{}}
	for _, n := range wanted(g, nodes) {
		v := &value{shape: n.Shape(), stage: -1}
		p.nodes[n] = v
		if n.Op() == nil {
			if v.host, err = numbers(n); err != nil {
				return nil, err
			}
			p.inputs = append(p.inputs, v)
			continue
		}
		c := call{name: n.Op().String(), out: v}
		for it := g.From(n.ID()); it.Next(); {
			c.in = append(c.in, p.nodes[it.Node().(*gorgonia.Node)])
		}
		if err := p.add(n, c); err != nil {
			return nil, err
		}
	}
	p.count()
	return p, nil
}

// wanted returns the nodes that something kept depends on, those that others
// depend on first.
func wanted(g *gorgonia.ExprGraph, sorted gorgonia.Nodes) gorgonia.Nodes {
	want := map[int64]bool{}
	var all gorgonia.Nodes
	for _, n := range sorted { // whoever reads a node comes before it
		if s, ok := graph.SpecOf(n.Op()); ok && s.Kind == graph.KindKeep {
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
	return nil, fmt.Errorf("webgpu: the input %s has no float32 numbers", n.Name())
}

// add appends what a node computes, unless that is known already.
func (p *program) add(n *gorgonia.Node, c call) error {
	spec, ours := graph.SpecOf(n.Op())
	c.Spec = spec
	name := fmt.Sprintf("%T", n.Op())
	switch {
	case ours && spec.Kind == graph.KindKeep:
		p.kept = append(p.kept, kept{c.in[0], spec.Kept})
		return nil
	case ours && spec.Kind == graph.KindWeightedSum && !slices.ContainsFunc(c.in, func(v *value) bool { return !v.known }):
		c.out.known = true
		for k, v := range c.in {
			c.out.num += float32(spec.Factors[k] * v.num)
		}
		return nil
	case ours:
	case len(c.in) == 0:
		v, err := n.Op().Do()
		if err != nil {
			return fmt.Errorf("webgpu: %s: %w", c.name, err)
		}
		f, ok := v.Data().(float32)
		if !ok {
			return fmt.Errorf("webgpu: the constant %s is no float32", c.name)
		}
		c.out.known, c.out.num = true, f
		return nil
	case name == "gorgonia.elemBinOp" && strings.HasPrefix(c.name, "+ ") && c.in[0].shape.Eq(c.in[1].shape):
		c.Kind = kindAdd
	default:
		return fmt.Errorf("webgpu: the operation %s (%s) of the graph has no shader", c.name, name)
	}
	p.calls = append(p.calls, c)
	return nil
}

// count counts who reads what.
func (p *program) count() {
	for _, c := range p.calls {
		for _, v := range c.in {
			v.uses++
		}
	}
	for _, k := range p.kept {
		k.uses++
	}
}
