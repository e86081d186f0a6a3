package machine

import (
	"cmp"
	"slices"

	"gorgonia.org/gorgonia"

	"mppm/trainer/internal/graph"
)

// plan is the order in which a graph's operations run, and where their results lie.
type plan struct {
	calls   []graph.Call
	copies  []graph.Kept // after the calls
	buffers map[*graph.Value]*buffer
	size    int // numbers of the arena
}

// buffer is memory for a result, or for several one after the other.
type buffer struct {
	size        int
	first, last int       // calls that it is in use from and to
	space       []float32 // it lies in; nil for the arena
	offset      int
}

// newPlan reads a graph, and plans how it runs.
func newPlan(g *gorgonia.ExprGraph) (*plan, error) {
	prog, err := graph.Read(g)
	if err != nil {
		return nil, err
	}
	p := &plan{buffers: map[*graph.Value]*buffer{}}
	spaces := p.keep(prog)
	p.schedule(prog.Calls)
	p.place(p.share(), spaces)
	return p, nil
}

// keep has each result that is kept lie where it is wanted from the start. What is an
// input, or wanted in two places, is copied. keep returns those places.
func (p *plan) keep(prog *graph.Program) []*buffer {
	host := map[*float32]bool{}
	for _, v := range prog.Inputs {
		host[&v.Host[0]] = true
	}
	var spaces []*buffer
	for _, k := range prog.Kept {
		if k.Host != nil || k.Known || p.buffers[k.Value] != nil || host[&k.Dst[0]] {
			p.copies = append(p.copies, k)
			continue
		}
		b := &buffer{size: k.Size(), space: k.Dst}
		p.buffers[k.Value] = b
		spaces = append(spaces, b)
	}
	return spaces
}

// schedule orders the calls: of those that can run, the one comes next that adds
// least to the memory in use, and of several the first.
func (p *plan) schedule(calls []graph.Call) {
	waits, reads := map[*graph.Value]bool{}, map[*graph.Value]int{}
	for _, c := range calls {
		waits[c.Out] = true
		for _, v := range c.In {
			reads[v]++
		}
	}
	for _, k := range p.copies {
		reads[k.Value]++
	}
	// adds is what memory in use grows by.
	adds := func(c graph.Call) int {
		n := 0
		if p.buffers[c.Out] == nil {
			n = c.Out.Size()
		}
		here := map[*graph.Value]int{}
		for _, v := range c.In {
			if here[v]++; here[v] == reads[v] && p.inArena(v) {
				n -= v.Size()
			}
		}
		return n
	}
	for left := slices.Clone(calls); len(left) > 0; {
		best, least := -1, 0
		for i, c := range left {
			if slices.ContainsFunc(c.In, func(v *graph.Value) bool { return waits[v] }) {
				continue
			}
			if n := adds(c); best < 0 || n < least {
				best, least = i, n
			}
		}
		c := left[best]
		left = slices.Delete(left, best, best+1)
		p.calls = append(p.calls, c)
		delete(waits, c.Out)
		for _, v := range c.In {
			reads[v]--
		}
	}
}

// inArena reports whether a value is a result that has no place of its own.
func (p *plan) inArena(v *graph.Value) bool {
	return v.Host == nil && !v.Known && p.buffers[v] == nil
}

// share gives every result a buffer: that of an input if the operation may write over
// it and nothing reads it afterwards, and else a new one. It returns the new ones, and
// sets from when on what is kept is in its place.
func (p *plan) share() []*buffer {
	last := map[*graph.Value]int{}
	for i, c := range p.calls {
		for _, v := range c.In {
			last[v] = i
		}
	}
	for _, k := range p.copies {
		last[k.Value] = len(p.calls)
	}
	kept := map[*buffer]bool{}
	for _, b := range p.buffers {
		kept[b] = true
	}
	var all []*buffer
	for i, c := range p.calls {
		if b := p.buffers[c.Out]; b != nil {
			b.first, b.last = i, len(p.calls)
			continue
		}
		for _, k := range c.Over {
			if k >= len(c.In) {
				continue
			}
			if v := c.In[k]; p.buffers[v] != nil && !kept[p.buffers[v]] && last[v] == i && v.Size() == c.Out.Size() {
				p.buffers[c.Out] = p.buffers[v]
				break
			}
		}
		if p.buffers[c.Out] == nil {
			b := &buffer{size: c.Out.Size(), first: i}
			p.buffers[c.Out] = b
			all = append(all, b)
		}
		p.buffers[c.Out].last = max(i, last[c.Out])
	}
	return all
}

// place finds a place for each buffer: the largest first, at the least offset where
// nothing lies at the same time. What is kept comes late, as gradients do, and until
// it comes its place is as good as any.
func (p *plan) place(all, spaces []*buffer) {
	const align = 16 // numbers: a cache line
	slices.SortStableFunc(all, func(a, b *buffer) int { return cmp.Compare(b.size, a.size) })
	slices.SortStableFunc(spaces, func(a, b *buffer) int { return cmp.Compare(a.size, b.size) })
	var inArena []*buffer
	inSpace := map[*buffer][]*buffer{}
	// fit returns the least offset of b among others.
	fit := func(b *buffer, others []*buffer) int {
		at := 0
		for _, o := range others { // by offset
			if o.first > b.last || b.first > o.last {
				continue
			}
			if o.offset >= at+b.size {
				break
			}
			at = max(at, (o.offset+o.size+align-1)/align*align)
		}
		return at
	}
	insert := func(to []*buffer, b *buffer) []*buffer {
		i, _ := slices.BinarySearchFunc(to, b.offset, func(o *buffer, at int) int { return cmp.Compare(o.offset, at) })
		return slices.Insert(to, i, b)
	}
	for _, b := range all {
		done := false
		for _, s := range spaces {
			if b.last >= s.first || b.size > s.size {
				continue
			}
			if at := fit(b, inSpace[s]); at+b.size <= s.size {
				b.space, b.offset, done = s.space, at, true
				inSpace[s] = insert(inSpace[s], b)
				break
			}
		}
		if !done {
			b.offset = fit(b, inArena)
			inArena = insert(inArena, b)
			p.size = max(p.size, b.offset+b.size)
		}
	}
}
