package machine

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/nn"
	"mppm/trainer/internal/graph"
)

// chain is a net of linear layers with an activation after each, its loss, and
// unless grads is nil its weights' gradients, which are kept there.
func chain(t *testing.T, layers, n, width int, f nn.Activation, grads [][]float32) *gorgonia.ExprGraph {
	t.Helper()
	g := gorgonia.NewGraph()
	input := func(name string, shape ...int) *gorgonia.Node {
		v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(make([]float32, tensor.Shape(shape).TotalSize())))
		return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
	}
	do := func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	y := input("x", n, width)
	var weights gorgonia.Nodes
	for i := range layers {
		w := input(fmt.Sprint("w", i), width, width)
		weights = append(weights, w)
		y = do(graph.Linear(y, w, input(fmt.Sprint("b", i), width)))
		y = do(graph.Activate(f, y))
	}
	loss := do(graph.SquaredError(y, nil))
	do(nil, graph.Keep("loss", loss, make([]float32, 1)))
	if grads != nil {
		slopes, err := gorgonia.Grad(loss, weights...)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range slopes {
			do(nil, graph.Keep(fmt.Sprint("gradient ", i), d, grads[i]))
		}
	}
	return g
}

// TestMemory: a net that is only run takes the memory of two layers; one that is
// trained that of what goes back, which is one result a layer with ReLU and two with
// SiLU, and little more. What lies where gradients will come takes none.
func TestMemory(t *testing.T) {
	const layers, n, width = 20, 40, 8
	results := func(f nn.Activation, grads [][]float32) float64 {
		bytes, err := Memory(chain(t, layers, n, width, f, grads))
		if err != nil {
			t.Fatal(err)
		}
		return float64(bytes) / (4 * n * width)
	}
	grads := make([][]float32, layers)
	for i := range grads {
		grads[i] = make([]float32, width*width)
	}
	for _, c := range []struct {
		f           nn.Activation
		grads       [][]float32
		least, most float64
	}{{nn.ReLU, nil, 2, 2}, {nn.SiLU, nil, 2, 2}, {nn.ReLU, grads, layers, layers + 2}, {nn.SiLU, grads, 2 * layers, 2*layers + 2}} {
		if got := results(c.f, c.grads); got < c.least || got > c.most {
			t.Errorf("%s, %d gradients: the memory of %.2f results, want %v to %v", c.f, len(c.grads), got, c.least, c.most)
		}
	}
	p, err := newPlan(chain(t, 4, 2, 32, nn.SiLU, [][]float32{make([]float32, 1024), make([]float32, 1024), make([]float32, 1024), make([]float32, 1024)}))
	if err != nil {
		t.Fatal(err)
	}
	inSpace := 0
	for _, b := range p.buffers {
		if b.space != nil && b.size < 1024 && b.size > 1 {
			inSpace++
		}
	}
	if inSpace < 4 {
		t.Errorf("%d results lie where gradients will come", inSpace)
	}
}

// TestPlan: no two results lie in one place at one time.
func TestPlan(t *testing.T) {
	grads := make([][]float32, 9)
	for i := range grads {
		grads[i] = make([]float32, 12*12)
	}
	for _, n := range []int{1, 5, 50} {
		p, err := newPlan(chain(t, 9, n, 12, nn.Sigmoid, grads))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[*buffer]bool{}
		for _, b := range p.buffers {
			seen[b] = true
		}
		uses := slices.Collect(maps.Keys(seen))
		for i, a := range uses {
			if a.space == nil && a.offset+a.size > p.size || a.space != nil && a.offset+a.size > len(a.space) {
				t.Errorf("%d rows: %+v is beyond the end", n, *a)
			}
			for _, b := range uses[:i] {
				same := len(a.space) == 0 && len(b.space) == 0 || len(a.space) > 0 && len(b.space) > 0 && &a.space[0] == &b.space[0]
				if same && a.first <= b.last && b.first <= a.last && a.offset < b.offset+b.size && b.offset < a.offset+a.size {
					t.Errorf("%d rows: %+v and %+v overlap", n, *a, *b)
				}
			}
		}
	}
}
