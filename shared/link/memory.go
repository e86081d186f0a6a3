package link

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/latent"
)

// Memory is what a person has taught the density of the digits' model: Eq. 7 with
// further terms, or without some. It is a plain value, and can be compared.
type Memory struct {
	Codes  string `json:"codes,omitempty"`  // the codes that are remembered, packed, one after the other
	Weight int    `json:"weight"`           // as how many codes of the bank each of them counts
	Forget string `json:"forget,omitempty"` // the classes that are forgotten, ascending, with "_" between them
}

// Bounds of a Memory.
const (
	MaxRemembered = 8   // codes: a link of them has some 400 letters
	MinWeight     = 1   // as one of the bank's own
	MaxWeight     = 500 // as many as there are of a class
	FirstWeight   = 100
)

// memoryFields are the fields of a link about what is remembered and forgotten.
func (p *Page) memoryFields() []field {
	return []field{
		{Field: Field{Name: "bank-add", About: fmt.Sprintf("Codes that the density knows beside its own, as the page packs them, at most %d", MaxRemembered), Kind: Text, Length: MaxRemembered * codeLength(p.model.Latent)},
			get: func(l *Link) string { return l.Memory.Codes }, set: p.setCodes},
		{Field: Field{Name: "bank-weight", About: "As how many of its own each of them counts", Kind: Whole, Min: MinWeight, Max: MaxWeight}, at: func(l *Link) any { return &l.Memory.Weight }},
		{Field: Field{Name: "forget", About: "The classes that the density does not know, with _ between them", Kind: Text, Length: 100},
			get: func(l *Link) string { return l.Memory.Forget }, set: p.setForget},
	}
}

func (p *Page) setCodes(l *Link, value string) error {
	m := l.Memory
	m.Codes = value
	t, err := p.Taught(m)
	if err == nil && len(t.Codes) == 0 {
		err = p.takesCodes()
	}
	if err != nil {
		return err
	}
	l.Memory = m
	return nil
}

func (p *Page) setForget(l *Link, value string) error {
	m := l.Memory
	m.Forget = ""
	for text := range strings.SplitSeq(value, "_") {
		class, err := strconv.Atoi(text)
		if err != nil || class < 0 {
			return fmt.Errorf("it takes whole numbers from 0 to %d, with _ between them", p.model.Classes-1)
		}
		if class == l.Class {
			return fmt.Errorf("class=%d has that class grow alone", class)
		}
		if m, err = p.ForgetClass(m, class, true); err != nil {
			return err
		}
	}
	l.Memory = m
	return nil
}

// Taught returns what a model is to be taught. It returns an error if what is packed are
// no codes of the page's model, or too many.
func (p *Page) Taught(m Memory) (latent.Memory, error) {
	t := latent.Memory{Weight: float32(m.Weight), Forget: m.Forgotten()}
	each := codeLength(p.model.Latent)
	if n := len(m.Codes) / each; n > MaxRemembered || len(m.Codes)%each != 0 {
		return latent.Memory{}, p.takesCodes()
	}
	for at := 0; at < len(m.Codes); at += each {
		z, err := p.UnpackCode(m.Codes[at : at+each])
		if err != nil {
			return latent.Memory{}, err
		}
		t.Codes = append(t.Codes, z...)
	}
	return t, nil
}

func (p *Page) takesCodes() error {
	return fmt.Errorf("it takes 1 to %d codes, of %d letters each", MaxRemembered, codeLength(p.model.Latent))
}

// Remembered returns how many codes are remembered.
func (p *Page) Remembered(m Memory) int { return len(m.Codes) / codeLength(p.model.Latent) }

// Forgotten returns the classes that are forgotten, ascending.
func (m Memory) Forgotten() []int {
	var list []int
	for text := range strings.SplitSeq(m.Forget, "_") {
		if class, err := strconv.Atoi(text); err == nil {
			list = append(list, class)
		}
	}
	return list
}

// Remember returns m with one more code, on the grain. It returns an error if it
// is remembered already, or there are as many as a link holds.
func (p *Page) Remember(m Memory, z []float32) (Memory, error) {
	if p.Remembered(m) >= MaxRemembered {
		return m, fmt.Errorf("%d digits are remembered, as many as a link holds: forget one of them first", MaxRemembered)
	}
	code, each := PackCode(z), codeLength(p.model.Latent)
	for at := 0; at < len(m.Codes); at += each {
		if m.Codes[at:at+each] == code {
			return m, errors.New("this digit is remembered already: give it more weight")
		}
	}
	m.Codes += code
	return m, nil
}

// ForgetCode returns m without code i, counted from 0. It returns an error if there is
// no such code, or nothing would be left in the bank.
func (p *Page) ForgetCode(m Memory, i int) (Memory, error) {
	if i < 0 || i >= p.Remembered(m) {
		return m, fmt.Errorf("no digit %d is remembered, of %d", i+1, p.Remembered(m))
	}
	each := codeLength(p.model.Latent)
	was := m
	m.Codes = m.Codes[:i*each] + m.Codes[(i+1)*each:]
	if err := p.left(m); err != nil {
		return was, err
	}
	return m, nil
}

// ForgetCodes returns m without any code of its own. It returns an error if nothing
// would be left in the bank.
func (p *Page) ForgetCodes(m Memory) (Memory, error) {
	was := m
	m.Codes = ""
	if err := p.left(m); err != nil {
		return was, err
	}
	return m, nil
}

// ForgetClass returns m with a class forgotten, or known again. It returns an error if
// the model has no such class, or nothing would be left in the bank.
func (p *Page) ForgetClass(m Memory, class int, forget bool) (Memory, error) {
	if class < 0 || class >= p.model.Classes || !p.has(class) {
		return m, fmt.Errorf("there is no class %d to forget", class)
	}
	list := slices.DeleteFunc(m.Forgotten(), func(c int) bool { return c == class })
	if forget {
		list = append(list, class)
		slices.Sort(list)
	}
	was := m
	m.Forget = ""
	for i, c := range list {
		if i > 0 {
			m.Forget += "_"
		}
		m.Forget += strconv.Itoa(c)
	}
	if err := p.left(m); err != nil {
		return was, err
	}
	return m, nil
}

// has reports whether the bank has codes of a class.
func (p *Page) has(class int) bool { return p.model.Only == nil || p.model.Only(class) == nil }

// left returns an error if no code would be left in the bank.
func (p *Page) left(m Memory) error {
	gone := m.Forgotten()
	if m.Codes != "" || len(gone) == 0 {
		return nil
	}
	for class := range p.model.Classes {
		if !slices.Contains(gone, class) && p.has(class) {
			return nil
		}
	}
	return errors.New("everything would be forgotten, and the flow would have nowhere to go: leave one class, or remember something first")
}
