package latent

import (
	"errors"
	"fmt"
	"slices"
)

// Memory is what a person has taught the density of a model, and not its nets: codes
// that it shall know beside those of its bank, and classes that it shall not. It is
// Eq. 7 with further terms, and without some. The zero value teaches nothing.
type Memory struct {
	Codes  []float32 // what is remembered: n codes of d numbers, one after the other
	Weight float32   // as how many codes of the bank each of them counts, 1 to kde.MaxWeight
	Forget []int     // the classes whose codes are left out
}

// Empty reports whether nothing is remembered, and nothing forgotten.
func (t Memory) Empty() bool { return len(t.Codes) == 0 && len(t.Forget) == 0 }

// Remembered is the label of codes that were remembered: they are of no class.
const Remembered = 255

// Taught returns the model with what was taught: the nets and the flows of m, and its
// bank as Add and Without change it. The distance is the one that was learned, so it
// still leads to the codes of before; what changes is to where the kernel mean pulls.
// Spacing is still that of all codes, so that kernels keep their width, and generation
// starts from the same noise. Where nothing was taught, it is m.
//
// It returns an error if the codes are not whole or not finite, the weight is out of
// range, the bank has no code of a class, or no code would be left.
func (m *Model) Taught(t Memory) (*Model, error) {
	if t.Empty() {
		return m, nil
	}
	bank, err := m.Bank, error(nil)
	// What is remembered comes first, so that all of the model's own may be forgotten.
	if len(t.Codes) > 0 {
		if bank, err = bank.Add(t.Codes, t.Weight); err != nil {
			return nil, err
		}
	}
	if len(t.Forget) > 0 {
		if bank, err = bank.Without(t.Forget...); err != nil {
			return nil, err
		}
	}
	c := *m
	c.Bank = bank
	return &c, nil
}

// Add returns the bank with more codes after its own (n × d), each of which counts as so
// many of them. They are of no class: where codes have labels, that of these is
// Remembered. It returns an error if they are not whole or not finite, or the weight is
// not from 1 to kde.MaxWeight.
func (b *Bank) Add(codes []float32, weight float32) (*Bank, error) {
	with, err := b.With(codes, weight)
	if err != nil {
		return nil, fmt.Errorf("latent: remembering: %w", err)
	}
	labels := slices.Clone(b.Labels)
	for labels != nil && len(labels) < with.Len() {
		labels = append(labels, Remembered)
	}
	return &Bank{Bank: with, Spacing: b.Spacing, Labels: labels}, nil
}

// Without returns the bank without the codes of some classes. It returns an error if it
// has no labels, no code of such a class, or would have no code left.
func (b *Bank) Without(classes ...int) (*Bank, error) {
	if b.Labels == nil {
		return nil, errors.New("latent: the code bank has no labels, so no class of it can be forgotten")
	}
	for _, c := range classes {
		if c < 0 || c >= Remembered || !slices.Contains(b.Labels, uint8(c)) {
			return nil, fmt.Errorf("latent: the code bank has no code of class %d to forget", c)
		}
	}
	var indices []int
	var labels []uint8
	for j, l := range b.Labels {
		if !slices.Contains(classes, int(l)) {
			indices, labels = append(indices, j), append(labels, l)
		}
	}
	if len(indices) == 0 {
		return nil, errors.New("latent: every class would be forgotten, and the flow would have nowhere to go: leave one, or remember something first")
	}
	left, err := b.Subset(indices)
	if err != nil {
		return nil, err
	}
	return &Bank{Bank: left, Spacing: b.Spacing, Labels: labels}, nil
}

// Taught returns a runner of the model with what was taught, which shares the workspaces
// of this one: they are used on one goroutine. It returns an error where Model.Taught
// does.
func (r *Runner) Taught(t Memory) (*Runner, error) {
	m, err := r.Model.Taught(t)
	if err != nil {
		return nil, err
	}
	return &Runner{Model: m, Coder: r.Coder, d: r.d}, nil
}
