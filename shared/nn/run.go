package nn

import (
	"errors"
	"fmt"
	"math"

	"mppm/shared/vec"
)

// Where a value lies that no buffer holds.
const (
	inX = -1 // it is the net's first input
	inY = -2 // it is the net's output
)

// layout says where each value of a net lies while the net runs. Values that are
// never needed at the same time share a buffer.
type layout struct {
	at    []int // the number of the value's buffer, inX, inY, or -3 - k for further input k
	sizes []int // of the buffers, for one row
}

func further(k int) int { return -3 - k }

// places returns for each value the first one that lies where it lies: what dropout
// makes is what it takes, and a layer that works number by number writes where it
// reads, if nobody else needs that. With all, only dropout does so.
func (n *Net) places(all bool) []int {
	place := make([]int, len(n.shapes))
	for v := range place {
		place[v] = v
	}
	safe := make([]bool, len(n.shapes)) // places that nobody may write to again
	for _, v := range n.inputs {
		safe[v] = true
	}
	for _, v := range n.names {
		safe[v] = true
	}
	safe[n.out] = true
	for i, s := range n.steps {
		here := place[s.X]
		read := false // by a later step
		for _, t := range n.steps[i+1:] {
			for _, v := range []int{t.X, t.Other} {
				read = read || v >= 0 && v < s.Y && place[v] == here
			}
		}
		switch s.Layer.(type) {
		case Dropout:
			place[s.Y] = here
			safe[here] = safe[here] || safe[s.Y]
		case Activation, BatchNorm:
			if !all && !read && !safe[here] {
				place[s.Y] = here
				safe[here] = safe[s.Y]
			}
		}
	}
	return place
}

// layout lays the values out. With all, every value has a buffer of its own, so that
// the way back through the net finds it.
func (n *Net) layout(all bool) layout {
	place := n.places(all)
	last := make([]int, len(n.shapes)) // the last step that reads the place
	for i, s := range n.steps {
		last[place[s.X]] = i
		if s.Other >= 0 {
			last[place[s.Other]] = i
		}
	}
	for _, v := range n.names {
		last[place[v]] = math.MaxInt
	}
	l := layout{at: make([]int, len(n.shapes))}
	for k, v := range n.inputs {
		l.at[v] = inX
		if k > 0 {
			l.at[v] = further(k - 1)
		}
	}
	var until []int // the step after which a buffer is free
	for i, s := range n.steps {
		switch {
		case place[s.Y] != s.Y:
			l.at[s.Y] = l.at[place[s.Y]]
			continue
		case place[n.out] == s.Y:
			l.at[s.Y] = inY
			continue
		}
		size, buffer := s.Out.Size(), -1
		for b, step := range until {
			if step < i && !all && (buffer < 0 || l.better(b, buffer, size)) {
				buffer = b
			}
		}
		if buffer < 0 {
			buffer = len(until)
			until, l.sizes = append(until, 0), append(l.sizes, 0)
		}
		until[buffer], l.sizes[buffer] = max(last[s.Y], i), max(l.sizes[buffer], size)
		l.at[s.Y] = buffer
	}
	return l
}

// better reports whether a buffer holds so many numbers at less cost than another:
// the smallest of those that are large enough does, or else the largest.
func (l *layout) better(buffer, other, size int) bool {
	if l.sizes[other] < size {
		return l.sizes[buffer] > l.sizes[other]
	}
	return l.sizes[buffer] >= size && l.sizes[buffer] < l.sizes[other]
}

// Runner computes with a Function. It holds what the layers put out and is not safe
// for concurrent use.
type Runner struct {
	*Function
	batch   int
	ws      Workspace
	layout  layout
	buffers [][]float32
	x, y    []float32 // of the batch under way
	side    [][]float32
	n       int
	then    []Activation // of the steps that take the activation after them too
}

// Runner returns a runner that computes at most batch ≥ 1 inputs at a time.
func (f *Function) Runner(batch int) *Runner { return f.runner(batch, false) }

func (f *Function) runner(batch int, all bool) *Runner {
	r := &Runner{Function: f, batch: max(batch, 1), layout: f.layout(all), side: make([][]float32, len(f.inputs)-1)}
	for _, size := range r.layout.sizes {
		r.buffers = append(r.buffers, make([]float32, r.batch*size))
	}
	r.join()
	return r
}

// join has products take the activations after them, where nobody needs what they make
// without.
func (r *Runner) join() {
	r.then = make([]Activation, len(r.steps))
	for i := range r.then {
		r.then[i] = Identity
		if i == len(r.then)-1 {
			break
		}
		act, ok := r.steps[i+1].Layer.(Activation)
		if _, is := r.ops[i].(product); ok && is && r.steps[i+1].X == r.steps[i].Y && r.layout.at[r.steps[i+1].Y] == r.layout.at[r.steps[i].Y] {
			r.then[i] = act
		}
	}
}

// Forward writes to y (n × Out) what the net makes of n inputs x (n × In), and of n
// of each of its further inputs. y must not overlap any of them. Where their lengths do not
// agree, n is how many whole ones all of them have room for, and what is behind those stays
// as it is.
func (r *Runner) Forward(y, x []float32, side ...[]float32) {
	in, out := r.In().Size(), r.Out().Size()
	all := min(len(x)/in, len(y)/out)
	for k := range r.side {
		if k == len(side) {
			return // there are none
		}
		all = min(all, len(side[k])/r.shapes[r.inputs[k+1]].Size())
	}
	for done := 0; done < all; done += r.n {
		n := min(all-done, r.batch)
		for k := range r.side {
			size := r.shapes[r.inputs[k+1]].Size()
			r.side[k] = side[k][done*size : (done+n)*size]
		}
		r.run(y[done*out:(done+n)*out], x[done*in:(done+n)*in], n)
	}
}

// run computes one batch.
func (r *Runner) run(y, x []float32, n int) {
	r.x, r.y, r.n = x, y, n
	for i, s := range r.steps {
		a, b := r.value(s.X), r.value(s.Y)
		switch s.Layer.(type) {
		case Concat:
			concatenate(b, a, r.value(s.Other), s.In.C, s.Out.C-s.In.C)
		case Add:
			copy(b, a)
			vec.Add(b, r.value(s.Other))
		default:
			switch op := r.ops[i].(type) {
			case nil:
			case product:
				op.activate(b, a, n, r.then[i], &r.ws)
			default:
				if i == 0 || r.then[i-1] == Identity {
					op.forward(b, a, n, &r.ws)
				}
			}
		}
	}
	if r.layout.at[r.out] != inY {
		copy(y, r.value(r.out)) // an input as it is
	}
}

// value returns the numbers of a value in the batch of the last run.
func (r *Runner) value(v int) []float32 {
	n := r.n * r.shapes[v].Size()
	switch at := r.layout.at[v]; {
	case at == inX:
		return r.x[:n]
	case at == inY:
		return r.y[:n]
	case at < 0:
		return r.side[further(at)][:n]
	default:
		return r.buffers[at][:n]
	}
}

// Kept returns what the layer before Keep made of the last batch that Forward
// computed. The slice is good until the next Forward. It is nil if the net keeps
// nothing by that name.
func (r *Runner) Kept(name string) []float32 {
	v, ok := r.names[name]
	if !ok {
		return nil
	}
	return r.value(v)
}

// concatenate writes the channels of a and b, ca and cb a pixel, side by side.
func concatenate(y, a, b []float32, ca, cb int) {
	for p := range len(y) / (ca + cb) {
		copy(y[p*(ca+cb):], a[p*ca:(p+1)*ca])
		copy(y[p*(ca+cb)+ca:], b[p*cb:(p+1)*cb])
	}
}

// Field is a Function whose gradient with respect to its input can be had, as ∇D.
type Field struct{ *Function }

// Field returns the function as a Field. It returns an error that names the layer if
// there is one that is neither linear nor an activation.
func (f *Function) Field() (*Field, error) {
	if err := f.Differentiable(); err != nil {
		return nil, err
	}
	return &Field{f}, nil
}

// Differentiable returns an error that says why the gradient with respect to the
// net's input cannot be had: only linear layers and activations, one after the other,
// are gone back through.
func (n *Net) Differentiable() error {
	const none = "nn: there is no gradient with respect to the input: "
	before := 0
	for _, s := range n.steps {
		switch s.Layer.(type) {
		case Linear, Activation, Dropout:
		default:
			return fmt.Errorf(none+"layer %d, %s, is neither linear nor an activation", s.index, s.Layer.label())
		}
		if s.X != before {
			return fmt.Errorf(none+"layer %d, %s, does not follow the one before it", s.index, s.Layer.label())
		}
		before = s.Y
	}
	if n.out != before {
		return errors.New(none + "the output is not that of the last layer")
	}
	return nil
}

// FieldRunner computes with a Field. It is not safe for concurrent use.
type FieldRunner struct {
	*Runner
	g, next []float32
}

// Runner returns a runner that computes at most batch ≥ 1 inputs at a time.
func (f *Field) Runner(batch int) *FieldRunner {
	r := &FieldRunner{Runner: f.runner(batch, true)}
	width := 0
	for _, s := range f.shapes {
		width = max(width, s.Size())
	}
	r.g, r.next = make([]float32, r.batch*width), make([]float32, r.batch*width)
	return r
}

// Evaluate writes to y (n × Out) what the net makes of n inputs x (n × In), and to
// grad (n × In), unless it is nil, the gradient of the sum of each one's outputs with
// respect to it. x must not overlap any of them. Where their lengths do not agree, n is as
// for Forward.
func (r *FieldRunner) Evaluate(y, grad, x []float32) {
	in, out := r.In().Size(), r.Out().Size()
	all := min(len(x)/in, len(y)/out)
	if grad != nil {
		all = min(all, len(grad)/in)
	}
	for done := 0; done < all; done += r.n {
		n := min(all-done, r.batch)
		r.run(y[done*out:(done+n)*out], x[done*in:(done+n)*in], n)
		if grad != nil {
			r.back(grad[done*in : (done+n)*in])
		}
	}
}

// back writes the gradients of the last run: transposed weights and the activations'
// derivatives, in turn.
func (r *FieldRunner) back(grad []float32) {
	n := r.n
	g, next := r.g, r.next
	for i := range n * r.Out().Size() {
		g[i] = 1
	}
	for i := len(r.steps) - 1; i >= 0; i-- {
		s := r.steps[i]
		switch l := s.Layer.(type) {
		case Linear:
			if i == 0 {
				r.ops[i].(*linear).back(grad, g, n, &r.ws)
				return
			}
			r.ops[i].(*linear).back(next, g, n, &r.ws)
			g, next = next, g
		case Activation:
			h := r.value(s.X)
			l.Derive(g[:len(h)], g[:len(h)], h, &r.ws)
		}
	}
	copy(grad, g)
}
