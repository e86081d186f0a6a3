// Package compliance is the test that every machine which runs this project's
// graphs has to pass: each operation of package graph, forward and backward, on
// random shapes, against its definition in float64.
package compliance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mppm/shared/rng"
	"mppm/trainer/internal/graph"
)

type node = *gorgonia.Node

// example is an operation at inputs of certain shapes.
type example struct {
	shapes [][]int
	fixed  int                                 // inputs at the end that no gradient is taken of
	fill   func(r *rng.Source, in [][]float32) // changes what was drawn; may be nil
	build  func(in []node) (node, error)       // the operation
	want   func(in [][]float64) []float64      // its definition
}

// Operations holds every operation, on the machines for graphs that start makes,
// to its definition: three examples of each, or one with -short.
func Operations(t *testing.T, start func(*gorgonia.ExprGraph) (gorgonia.VM, error)) {
	draws := []uint64{0, 1, 2}
	if testing.Short() {
		draws = draws[1:2]
	}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		t.Run(name, func(t *testing.T) {
			for _, i := range draws {
				r := rng.New(29, i)
				e := operations[name](sizes{r, i == 0})
				t.Run(fmt.Sprint(e.shapes), func(t *testing.T) { e.check(t, r, start) })
			}
		})
	}
}

// sizes draws sizes; the first example of an operation has the least.
type sizes struct {
	r     *rng.Source
	least bool
}

func (s sizes) upTo(n int) int {
	if s.least {
		return 1
	}
	return 1 + s.r.IntN(n)
}

func input(g *gorgonia.ExprGraph, name string, shape []int, data []float32) node {
	v := tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
}

// check holds the operation, and the gradients of a loss behind it, to float64.
func (e example) check(t *testing.T, r *rng.Source, start func(*gorgonia.ExprGraph) (gorgonia.VM, error)) {
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	g := gorgonia.NewGraph()
	data := make([][]float32, len(e.shapes))
	for i, shape := range e.shapes {
		data[i] = make([]float32, tensor.Shape(shape).TotalSize())
		r.FillNorm(data[i], 0.7)
	}
	if e.fill != nil {
		e.fill(r, data)
	}
	var in []node
	for i, shape := range e.shapes {
		in = append(in, input(g, fmt.Sprint("in", i), shape, data[i]))
	}
	y, err := e.build(in)
	do(err)
	got, value := make([]float32, max(1, y.Shape().TotalSize())), make([]float32, 1)
	loss, lossOf := y, func(y []float64) float64 { return y[0] }
	if !y.IsScalar() { // a loss whose gradient differs from element to element
		target := make([]float32, len(got))
		r.FillNorm(target, 0.7)
		loss, err = graph.SquaredError(y, input(g, "target", y.Shape(), target))
		do(err)
		rows := float64(y.Shape()[0])
		lossOf = func(y []float64) (s float64) {
			for i, v := range y {
				s += (v - float64(target[i])) * (v - float64(target[i])) / rows
			}
			return s
		}
	}
	wrt := gorgonia.Nodes(in[:len(in)-e.fixed])
	grads, err := gorgonia.Grad(loss, wrt...)
	do(err)
	slopes := make([][]float32, len(grads))
	for i, n := range grads {
		slopes[i] = make([]float32, len(data[i]))
		do(graph.Keep(fmt.Sprint("gradient ", i), n, slopes[i]))
	}
	do(graph.Keep("loss", loss, value))
	do(graph.Keep("y", y, got))
	vm, err := start(g)
	do(err)
	defer func() { do(vm.Close()) }()
	for range 2 { // the second run must not see what the first left behind
		do(vm.RunAll())
		vm.Reset()
	}

	exact := make([][]float64, len(data))
	for i, d := range data {
		for _, v := range d {
			exact[i] = append(exact[i], float64(v))
		}
	}
	want := e.want(exact)
	near(t, "the result", got, want, 1)
	near(t, "the loss", value, []float64{lossOf(want)}, 1)
	for i := range wrt {
		e.gradient(t, r, i, slopes[i], exact, lossOf)
	}
}

// gradient holds a gradient to central differences of the loss in float64: at the
// first and the last number, at a few between, and along random directions, which
// every number has its part in.
func (e example) gradient(t *testing.T, r *rng.Source, i int, slope []float32, in [][]float64, lossOf func([]float64) float64) {
	const h = 1e-5
	x := in[i]
	before := slices.Clone(x)
	difference := func() float64 {
		dir := slices.Clone(x)
		for k := range dir {
			dir[k] -= before[k]
		}
		up := lossOf(e.want(in))
		for k := range x {
			x[k] = before[k] - dir[k]
		}
		down := lossOf(e.want(in))
		copy(x, before)
		return (up - down) / (2 * h)
	}
	var norm float64
	for _, v := range slope {
		norm += float64(v) * float64(v)
	}
	norm = math.Sqrt(norm) + 0.01
	at := []int{0, len(x) - 1}
	for range min(len(x), 12) {
		at = append(at, r.IntN(len(x)))
	}
	for _, k := range at {
		x[k] += h
		near(t, fmt.Sprintf("number %d of gradient %d", k, i), slope[k:k+1], []float64{difference()}, norm)
	}
	dir := make([]float32, len(x))
	for range 3 {
		r.FillNorm(dir, 1)
		var along float64
		for k, d := range dir {
			x[k] += h * float64(d)
			along += float64(d) * float64(slope[k])
		}
		near(t, fmt.Sprintf("gradient %d along a direction", i), []float32{float32(along)}, []float64{difference()}, norm)
	}
}

// near compares with float64, allowing for the rounding of sums of a few hundred
// float32 of the given scale.
func near(t *testing.T, what string, got []float32, want []float64, scale float64) {
	t.Helper()
	for k, w := range want {
		if d := math.Abs(float64(got[k]) - w); !(d <= 2e-5*(scale+math.Abs(w))) {
			t.Fatalf("%s: number %d of %d is %v, want %v", what, k, len(want), got[k], w)
		}
	}
}
