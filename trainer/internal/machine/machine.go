// Package machine runs the graphs of package graph on the CPU. Memory follows
// liveness: the result of an operation lies where nothing lies any more that is still
// read, and over one of its inputs where the operation allows that. So a step of
// training takes the memory of what its backward pass needs of the forward pass, and
// little more.
package machine

import (
	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/graph"
)

// VM is a graph compiled for the CPU.
type VM struct {
	plan  *plan
	steps []step // nil until the first run
}

// step is an operation with its memory.
type step struct {
	run func(out []float32, in [][]float32)
	out []float32
	in  [][]float32
}

var _ gorgonia.VM = (*VM)(nil)

// New compiles a graph. Each RunAll then takes the inputs from where they lie in
// memory, and leaves there what graph.Keep asks for; while it runs, anything may lie
// in those places. The values of nodes are not set. It returns an error that names
// the operation if one is not of package graph.
func New(g *gorgonia.ExprGraph) (*VM, error) {
	p, err := newPlan(g)
	if err != nil {
		return nil, err
	}
	return &VM{plan: p}, nil
}

// Memory returns the bytes that the results of a graph's operations take while it
// runs, beside those places where it leaves what it keeps. It takes none itself.
func Memory(g *gorgonia.ExprGraph) (int64, error) {
	p, err := newPlan(g)
	if err != nil {
		return 0, err
	}
	return 4 * int64(p.size), nil
}

// bind takes the memory.
func (vm *VM) bind() {
	arena := make([]float32, vm.plan.size)
	at := func(v *graph.Value) []float32 {
		switch {
		case v.Known:
			return []float32{v.Num}
		case v.Host != nil:
			return v.Host
		}
		b := vm.plan.buffers[v]
		if b.space != nil {
			return b.space[b.offset:][:v.Size()]
		}
		return arena[b.offset:][:v.Size()]
	}
	for _, c := range vm.plan.calls {
		s := step{run: c.Run, out: at(c.Out)}
		for _, v := range c.In {
			s.in = append(s.in, at(v))
		}
		vm.steps = append(vm.steps, s)
	}
	for _, k := range vm.plan.copies {
		vm.steps = append(vm.steps, step{
			run: func(dst []float32, src [][]float32) { copy(dst, src[0]) },
			out: k.Dst, in: [][]float32{at(k.Value)},
		})
	}
}

// RunAll runs the graph.
func (vm *VM) RunAll() error {
	if vm.steps == nil {
		vm.bind()
	}
	for _, s := range vm.steps {
		s.run(s.out, s.in)
	}
	return nil
}

// Reset does nothing: a run leaves nothing behind that the next would see.
func (vm *VM) Reset() {}

// Close gives the memory back.
func (vm *VM) Close() error {
	vm.steps = nil
	return nil
}
