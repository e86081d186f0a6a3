package optim

import (
	"runtime"

	"gorgonia.org/gorgonia"

	"mppm/shared/nn"
	"mppm/trainer/internal/machine"
	"mppm/trainer/internal/memory"
)

// number is the bytes of one number of a net.
const number = 4

// Held returns the bytes that this process holds in memory by now.
func Held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Results estimates the bytes that the results of a graph's operations take while
// it runs on the CPU.
func Results(g *gorgonia.ExprGraph) (int64, error) {
	results, err := machine.Memory(g)
	return with(results), err
}

// with adds what the processors work in.
func with(bytes int64) int64 { return bytes + bytes/4 }

// inputs returns the bytes of a graph's inputs and parameters.
func inputs(g *gorgonia.ExprGraph) (bytes int64) {
	for _, n := range g.AllNodes() {
		if n.IsVar() {
			bytes += number * int64(max(1, n.Shape().TotalSize()))
		}
	}
	return bytes
}

// Steps estimates the bytes that training on batches of n takes beside what is in
// memory before, without ever having them: build makes the graph for a batch of
// any size, and is asked for small ones. It may put parameters into that graph, so
// it has to be called again for the graph that is trained.
func Steps(n int, build func(n int) (*gorgonia.ExprGraph, error)) (int64, error) {
	// Work is shared out by some images at a time; from these sizes on, all there is
	// grows along a line.
	const small, large = 64, 128
	at := func(n int) (given, results int64, err error) {
		g, err := build(n)
		if err != nil {
			return 0, 0, err
		}
		results, err = Results(g)
		return inputs(g), results, err
	}
	first := min(n, small)
	second := first + 1
	if n > small {
		second = large
	}
	given, results, err := at(first)
	if err != nil {
		return 0, err
	}
	given2, results2, err := at(second)
	if err != nil {
		return 0, err
	}
	along := func(y, y2 int64, n int) int64 { return y + (y2-y)*int64(n-first)/int64(second-first) }
	// What does not grow with the batch is no batch, and is not made ahead.
	once := along(given, given2, 0)
	return once + (1+ahead)*(along(given, given2, n)-once) + along(results, results2, n), nil
}

// Peak estimates the bytes of memory that a run has at most: what this process
// holds by now, and what steps take, with all that is dropped meanwhile and waits to be
// collected. Checkpoints are written from where the parameters lie.
func Peak(steps int64) int64 {
	const program = 40 << 20
	return program + with(Held()+steps)
}

// Fits returns an error if parameters of these shapes, with what training keeps of
// each, are more than the memory that there is.
func Fits(specs []nn.Spec) error {
	const kept = 4 // the number itself, its gradient, and two moments
	var total int64
	for _, s := range specs {
		n := int64(kept * number)
		for _, d := range s.Shape {
			n *= int64(d)
		}
		total += n
	}
	return memory.Check("a net of such layers", total)
}
