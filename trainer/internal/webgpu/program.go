//go:build webgpu

package webgpu

import (
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/graph"
)

// value is a value of a graph, and where it comes to lie.
type value struct {
	*graph.Value
	stage int // that makes it; -1 of an input
	place place
}

// call is an operation on values.
type call struct {
	graph.Spec
	name string
	in   []*value
	out  *value
}

// kept is a value that the graph copies to dst.
type kept struct {
	*value
	dst []float32
}

// program is a graph as graph.Read has it.
type program struct {
	inputs []*value
	calls  []call
	kept   []kept
	nodes  map[*gorgonia.Node]*value
}

// read turns a graph into a program.
func read(g *gorgonia.ExprGraph) (*program, error) {
	from, err := graph.Read(g)
	if err != nil {
		return nil, err
	}
	p := &program{nodes: map[*gorgonia.Node]*value{}}
	values := map[*graph.Value]*value{}
	for n, v := range from.Nodes {
		values[v] = &value{Value: v, stage: -1}
		p.nodes[n] = values[v]
	}
	for _, v := range from.Inputs {
		p.inputs = append(p.inputs, values[v])
	}
	for _, c := range from.Calls {
		in := make([]*value, len(c.In))
		for i, v := range c.In {
			in[i] = values[v]
		}
		p.calls = append(p.calls, call{c.Spec, c.Name, in, values[c.Out]})
	}
	for _, k := range from.Kept {
		p.kept = append(p.kept, kept{values[k.Value], k.Dst})
	}
	return p, nil
}
