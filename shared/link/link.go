// Package link is the state of the page as text: what a link, a request, a slider
// and a flag may say, in which ranges, and what holds where nothing is said. The
// page, the API and the command line have it from here, and so mean the same.
//
// A link is fields, name=value, with "&" between them: behind the "#" of the
// page's address, or in the query of a service's. Values are made of letters,
// digits, ".", "-" and "_". What is as on the first screen is left out.
//
// Links are passed on by people, and by programs that change them. So one rule
// holds for all who read them:
//
//   - What can be repaired is: encoding, once or more; "&amp;"; white space;
//     punctuation and quotes around a link; names and words in capitals.
//   - A field of a name that no link has is left out without a word: services add
//     such to follow links.
//   - A field whose value cannot be shown is left out, and is then as on the
//     first screen. A Fault names it and says what it takes.
//   - All other fields hold.
package link

import (
	"errors"
	"strconv"
	"strings"

	"mppm/shared/latent"
)

// MaxLength bounds the links that are read, in bytes.
const MaxLength = 1 << 18

// Link is what a link says.
type Link struct {
	State
	Drawing string // the strokes where the source is Drawing, as stroke.Encode packs them
	Step    int    // where the timeline rests; -1: it plays, or is at its end
}

// Fault is a field that is left out because it cannot be shown.
type Fault struct {
	Name  string // the field; "" where the link as a whole is none
	Value string // as it came, without its encoding
	Why   string // what is wrong with it, or what it takes: "it takes 0 to 199"
}

// Error says which field is left out, and why, in at most some 200 characters.
func (f Fault) Error() string {
	if f.Name == "" {
		return quote(f.Value) + " is no link: " + f.Why
	}
	value := quote(f.Value)
	if f.Value != "" && strings.Trim(f.Value, safe) == "" && len(f.Value) <= clipped {
		value = f.Value
	}
	return f.Name + "=" + value + " is left out: " + f.Why
}

// Faults are the fields of a link that are left out, in the order of Fields.
type Faults []Fault

// shownFaults is how many faults are named one by one.
const shownFaults = 3

// String names the first few. Without any it is "".
func (f Faults) String() string {
	var b strings.Builder
	for i, fault := range f {
		if i > 0 {
			b.WriteString("; ")
		}
		if i == shownFaults {
			b.WriteString("and " + strconv.Itoa(len(f)-i) + " more")
			break
		}
		b.WriteString(fault.Error())
	}
	return b.String()
}

// clipped is how much is quoted of a value, in bytes.
const clipped = 24

// quote quotes a part of a link, and not too much of it.
func quote(s string) string {
	if len(s) > clipped {
		s = s[:clipped] + "…"
	}
	return strconv.QuoteToGraphic(strings.ToValidUTF8(s, "?"))
}

// Model is what a page knows of its model.
type Model struct {
	Pixels  int    // numbers of an image
	Latent  int    // d, numbers of a code
	Classes int    // 0 where it knows none
	NoMap   bool   // the page has no mode Map: the codes have no classes
	Print   string // what tells a model from others, in a few letters, where a link has to name it: it is not the page's own

	Faces []string // the models of faces, by name, the first shown first; none: the page has no mode Faces

	Restore, Generate latent.Preset         // its two flows, both valid
	Only              func(class int) error // an error for a class that it cannot grow alone; nil: it can grow each
}

// Page is a page that links lead to. It is immutable, and safe for concurrent
// use.
type Page struct {
	digits int
	model  Model
	first  Link
	fields []field
	named  map[string]int // index of each field
}

// New returns the page of a model, with so many test digits.
func New(digits int, m Model) *Page {
	p := &Page{digits: digits, model: m, first: Link{State: first(digits, m.Restore, m.Generate), Step: -1}, named: map[string]int{}}
	p.first.Faces = firstFace(m.Faces)
	p.fields = p.list()
	for i := range p.fields {
		p.named[p.fields[i].Name] = i
	}
	return p
}

// First returns what the page shows where a link says nothing.
func (p *Page) First() State { return p.first.State }

// Fields describes the fields of a link, in the order in which they are written.
func (p *Page) Fields() []Field {
	list := make([]Field, len(p.fields))
	for i := range p.fields {
		list[i] = p.fields[i].Field
	}
	return list
}

// Field returns the description of a field. It panics if there is none: names
// are the program's own.
func (p *Page) Field(name string) Field { return p.field(name).Field }

func (p *Page) field(name string) *field {
	i, ok := p.named[name]
	if !ok {
		panic("link: there is no field " + name)
	}
	return &p.fields[i]
}

// Set has l say a value in a field, as a program writes it: nothing is repaired.
// It returns an error that says what the field takes, and then changes nothing.
// What a field takes may depend on those before it in Fields. It panics if there
// is no such field.
func (p *Page) Set(l *Link, name, value string) error { return p.field(name).put(l, value) }

// CheckSum returns an error where α + β of a mode's flow is 1 or more. Each alone
// may be in range.
func (p *Page) CheckSum(l *Link, of Mode) error {
	alpha, beta := p.forces(l, of)
	if sum := *alpha + *beta; sum >= 1 {
		return errors.New("α + β would be " + decimal32(sum) + "; it must stay below 1")
	}
	return nil
}

// forces returns where a link has α and β of a mode's flow.
func (p *Page) forces(l *Link, of Mode) (alpha, beta *float32) {
	at := func(name Parameter) *float32 { return p.field(string(of) + "-" + string(name)).at(l).(*float32) }
	return at(Alpha), at(Beta)
}

// OfModel returns the model that some texts name where it is not the page's own, as
// Model.Print, "" where they name none.
func (p *Page) OfModel(texts ...string) (print string) {
	at := p.named[modelField]
	for _, text := range texts {
		given, _ := p.split(text)
		for _, g := range given {
			if g.field == at && print == "" {
				print = tidy(g.value)
			}
		}
	}
	return print
}

// Names reports whether a text has a field of a link, good or bad.
func (p *Page) Names(text string) bool {
	given, _ := p.split(text)
	return len(given) > 0
}

// Read reads links: what is behind a "#" or a "?", without that. Where two of the
// texts say something of a field, the first does. What cannot be read is in
// faults, and is in l as on the first screen.
func (p *Page) Read(texts ...string) (l Link, faults Faults) {
	l = p.first
	values := make([][]string, len(p.fields))
	for _, text := range texts {
		if len(text) > MaxLength {
			faults = append(faults, Fault{"", text, "it has " + strconv.Itoa(len(text)) + " characters; give at most " + strconv.Itoa(MaxLength)})
			continue
		}
		given, odd := p.split(text)
		if len(given) == 0 && odd != "" {
			faults = append(faults, Fault{"", odd, "nothing in it is a field of one, like digit=5"})
		}
		here := make([][]string, len(p.fields))
		for _, g := range given {
			here[g.field] = append(here[g.field], g.value)
		}
		for i, list := range here {
			if values[i] == nil {
				values[i] = list
			}
		}
	}
	why := make([]error, len(p.fields))
	for i := range p.fields {
		if n := len(values[i]); n > 0 {
			why[i] = p.fields[i].read(&l, values[i][n-1])
		}
	}
	// α and β bound each other once both are read.
	for _, of := range []Mode{Restore, Generate, Manifold} {
		tooLarge := p.CheckSum(&l, of)
		if tooLarge == nil {
			continue
		}
		for _, name := range []Parameter{Alpha, Beta} {
			if i := p.named[string(of)+"-"+string(name)]; values[i] != nil && why[i] == nil {
				why[i] = tooLarge
			}
		}
		was := p.first
		alpha, beta := p.forces(&l, of)
		wasAlpha, wasBeta := p.forces(&was, of)
		*alpha, *beta = *wasAlpha, *wasBeta
	}
	for i, list := range values {
		if list == nil {
			continue
		}
		name, last := p.fields[i].Name, tidy(list[len(list)-1])
		for _, other := range list[:len(list)-1] {
			if other = tidy(other); other != last {
				faults = append(faults, Fault{name, other, "it is given twice, and the last one holds"})
			}
		}
		if why[i] != nil {
			faults = append(faults, Fault{name, last, why[i].Error()})
		}
	}
	return l, faults
}

// Write returns the link to what l says, which is in range: the shortest that
// Read reads as l.
func (p *Page) Write(l Link) string {
	var b strings.Builder
	if p.model.Print != "" {
		b.WriteString(modelField + "=" + p.model.Print)
	}
	so := p.first // what the link says so far
	for i := range p.fields {
		f := &p.fields[i]
		v := f.write(&l)
		if v == f.write(&so) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(f.Name)
		b.WriteByte('=')
		b.WriteString(v)
		if f.then != nil {
			_ = f.put(&so, v) // in range, says the caller
		}
	}
	return b.String()
}
