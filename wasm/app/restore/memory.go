package restore

import (
	"errors"
	"fmt"

	"mppm/shared/link"
)

// mostChanges bounds what of the memory can be taken back.
const mostChanges = 100

// changes are what the memory was before, the last one at the end, and what it was after
// what was taken back.
type changes struct {
	past, next []link.Memory
	last       bool // the memory was changed after the pad
}

// Remember puts the code of the original into the bank, on the grain of links. It
// returns an error if nothing is drawn, the code is there already, or there are as many
// as a link holds.
func (r *Room) Remember() error {
	if r.PadEmpty() {
		return errors.New("there is nothing to remember yet: draw something first")
	}
	x, z := make([]float32, r.s.Pixels()), make([]float32, r.s.Engine.Latent())
	r.draw(x)
	r.s.Engine.Encode(z, x)
	return r.learn(r.s.Links.Remember(r.s.Memory, z))
}

// Forget takes the code out of the bank that was remembered as the i-th, counted from 0.
// It returns an error if there is none, or nothing would be left.
func (r *Room) Forget(i int) error { return r.learn(r.s.Links.ForgetCode(r.s.Memory, i)) }

// ForgetAll takes all codes out of the bank that were remembered. It returns an error if
// nothing would be left.
func (r *Room) ForgetAll() error { return r.learn(r.s.Links.ForgetCodes(r.s.Memory)) }

// ForgetClass takes the codes of a class out of the bank, or puts them back. Where that
// class grew alone, all do then. It returns an error if there is no such class, or
// nothing would be left.
func (r *Room) ForgetClass(class int, forget bool) error {
	m, err := r.s.Links.ForgetClass(r.s.Memory, class, forget)
	if err == nil && forget && r.s.Class == class {
		r.s.Class = link.Any
	}
	return r.learn(m, err)
}

// SetWeight sets as how many codes of the bank each counts that was remembered.
func (r *Room) SetWeight(w int) error {
	if w < link.MinWeight || w > link.MaxWeight {
		return fmt.Errorf("a weight of %d is out of range: %d to %d", w, link.MinWeight, link.MaxWeight)
	}
	r.s.Memory.Weight = w
	r.taughtAnew()
	return nil
}

// TakeBack takes back the last change of what is remembered and forgotten; without any
// it does nothing. The weight stays.
func (r *Room) TakeBack() { r.swap(&r.changes.past, &r.changes.next) }

// CanTakeBack reports whether TakeBack does something.
func (r *Room) CanTakeBack() bool { return len(r.changes.past) > 0 }

// swap goes to the last of one list, and keeps what was in the other.
func (r *Room) swap(from, to *[]link.Memory) {
	n := len(*from)
	if n == 0 {
		return
	}
	m := (*from)[n-1]
	*from, *to = (*from)[:n-1], append(*to, r.s.Memory)
	m.Weight = r.s.Memory.Weight
	r.s.Memory = m
	r.changes.last = true
	for _, class := range m.Forgotten() {
		if class == r.s.Class {
			r.s.Class = link.Any
		}
	}
	r.taughtAnew()
}

// learn takes a memory over, unless there is an error.
func (r *Room) learn(m link.Memory, err error) error {
	if err != nil {
		return errors.New(r.s.About.Say(err.Error()))
	}
	if m == r.s.Memory {
		return nil
	}
	c := &r.changes
	c.past, c.next, c.last = append(c.past, r.s.Memory), nil, true
	if len(c.past) > mostChanges {
		c.past = c.past[1:]
	}
	r.s.Memory = m
	r.taughtAnew()
	return nil
}

// taughtAnew has the restoration computed anew. What is shown stays at the same step, so
// that the effect is seen at once; the other rooms find out by themselves.
func (r *Room) taughtAnew() { r.recompute(false) }
