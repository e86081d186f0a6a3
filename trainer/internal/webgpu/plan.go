//go:build webgpu

package webgpu

// place is where a value lies.
type place struct {
	arena  arena
	offset int // in numbers
}

// arena is a buffer that several values share, each for good or for as long as it
// is read.
type arena int

// The arenas. Temporary buffers, which values take in turns, come after them.
const (
	inputs    arena = iota // what a step uploads
	weights                // trained parameters
	gradients              // at the parameters' offsets
	results                // what the graph keeps
	temporary
)

// align is a multiple of every device's alignment of a binding, in numbers.
const align = 64

func aligned(n int) int { return (n + align - 1) / align * align }

// plan places values.
type plan struct {
	sizes  []int // of each arena, in numbers
	placed map[*value]bool
	inside map[*value]int // reads of a value by the stage that makes it
	copies []transfer     // after the stages
}

// transfer copies a value at the end of a step.
type transfer struct {
	from *value
	to   place
}

// put places a value at the end of an arena, for good.
func (p *plan) put(v *value, a arena) {
	v.place = place{a, p.sizes[a]}
	p.placed[v] = true
	p.sizes[a] += aligned(v.Size())
}

// want has a result lie at a place at the end of a step: it is computed there, or
// copied if other stages read it, because a shader may not read and write the same
// buffer.
func (p *plan) want(v *value, at place) {
	if v.Host == nil && v.Uses-p.inside[v] == 1 {
		v.place = at
		p.placed[v] = true
		return
	}
	p.copies = append(p.copies, transfer{v, at})
}

// temporaries places what the stages leave and others read: each result takes the
// smallest free buffer that holds it, and gives it back after the last stage that
// reads it.
func (p *plan) temporaries(stages []*stage) {
	last := map[*value]int{}
	for i, s := range stages {
		_, values := s.bindings()
		for _, v := range values {
			last[v] = i
		}
	}
	for _, c := range p.copies {
		last[c.from] = len(stages)
	}
	var free []arena
	for i, s := range stages {
		for _, v := range s.outs {
			if p.placed[v] {
				continue
			}
			best := -1
			for k, a := range free {
				if best < 0 {
					best = k
				} else if size, least := p.sizes[a], p.sizes[free[best]]; (size >= v.Size() && (size < least || least < v.Size())) || (least < v.Size() && size > least) {
					best = k
				}
			}
			var a arena
			if best < 0 {
				a = arena(len(p.sizes))
				p.sizes = append(p.sizes, 0)
			} else {
				a = free[best]
				free = append(free[:best], free[best+1:]...)
			}
			p.sizes[a] = max(p.sizes[a], v.Size())
			v.place = place{a, 0}
			p.placed[v] = true
		}
		_, values := s.bindings()
		seen := map[*value]bool{}
		for _, v := range values {
			if v.place.arena >= temporary && last[v] == i && !seen[v] {
				seen[v] = true
				free = append(free, v.place.arena)
			}
		}
	}
}
