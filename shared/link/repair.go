package link

import (
	"slices"
	"strings"
	"unicode"
)

// safe is what values are made of.
const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

// given is a field that a link has.
type given struct {
	field int
	value string // with blanks and what is around it
}

// maxDecodings is how often a part of a link may be encoded: by the one who sent
// it, by what it was sent with, and once more.
const maxDecodings = 4

// What ends a field. "&amp;" leaves an "amp", which is no field of a link. Some
// services add "?their=own" to any address; a field of an unknown name keeps its
// "?" and "#", it may hold another address.
const (
	ends       = "&;"
	separators = ends + "?#"
)

// split finds the fields of a link, in their order. odd is the text, plainly, where some
// part of it is not of the form name=value and not understood.
//
// A part without an "=" is decoded and split again; so is what follows a known
// field's value, once decoded, behind a separator. What a field of an unknown
// name holds, perhaps another address, is not looked into.
func (p *Page) split(text string) (list []given, odd string) {
	type part struct {
		text    string
		decoded int
	}
	var todo []part // a stack, the next one last
	push := func(text, at string, decoded int) {
		pieces := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(at, r) })
		for _, s := range slices.Backward(pieces) {
			todo = append(todo, part{s, decoded})
		}
	}
	push(text, ends, 0)
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		name, value, ok := strings.Cut(at.text, "=")
		if plain := decoded(name); at.decoded < maxDecodings && (!ok && plain != at.text || ok && plain != name && strings.ContainsAny(plain, "="+separators)) {
			if ok {
				plain += "=" + value
			}
			push(plain, ends, at.decoded+1)
			continue
		}
		i, known := p.known(name)
		switch {
		case !ok && strings.ContainsAny(at.text, separators):
			push(at.text, separators, at.decoded)
		case !ok && known:
			list = append(list, given{i, ""})
		case !ok:
			if odd == "" && !service(at.text) {
				odd = blankless(plainly(text, maxDecodings))
			}
		case known:
			value = plainly(value, maxDecodings-at.decoded)
			if k := strings.IndexAny(value, separators); k >= 0 {
				push(value[k:], separators, maxDecodings)
				value = value[:k]
			}
			list = append(list, given{i, value})
		}
	}
	return list, odd
}

// service reports whether a part that is no field is what is left of "&amp;", or
// nothing but punctuation.
func service(text string) bool {
	text = strings.Trim(tidy(text), ".-_")
	return text == "" || text == "amp"
}

// known returns the field of a name, in whatever case, behind what an address has
// before it.
func (p *Page) known(name string) (field int, ok bool) {
	name = decoded(name)
	if k := strings.LastIndexAny(name, "?#/!"); k >= 0 {
		name = name[k+1:]
	}
	name = strings.ToLower(strings.Trim(blankless(name), "\"'`“”‘’«»<>()[]{}*_.,"))
	if field, ok = p.named[name]; !ok {
		field, ok = p.named[strings.TrimPrefix(name, "amp")]
	}
	return field, ok
}

// decoded undoes percent-encoding, once; what is none stays.
func decoded(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := hex(s[i+1]), hex(s[i+2])
			if hi < 16 && lo < 16 {
				b.WriteByte(hi<<4 | lo)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// plainly undoes percent-encoding, so many times at most.
func plainly(s string, times int) string {
	for range times {
		plain := decoded(s)
		if plain == s {
			break
		}
		s = plain
	}
	return s
}

// hex returns the value of a hexadecimal digit, 16 of anything else.
func hex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// blank reports whether a rune is white space, or nothing that is seen; a plus is
// a space in a query.
func blank(r rune) bool {
	return r == '+' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf) // soft hyphens, zero-width spaces
}

// blankless returns s without blanks and without the soft line breaks of mail,
// its typographic dashes as the hyphens that they were.
func blankless(s string) string {
	s = strings.NewReplacer("=\r\n", "", "=\n", "").Replace(s)
	return strings.Map(func(r rune) rune {
		switch {
		case blank(r):
			return -1
		case unicode.In(r, unicode.Pd), r == '−':
			return '-'
		}
		return r
	}, s)
}

// tidy returns a value without blanks and without the punctuation around it: what
// is no part of values, and the dot that ends a sentence.
func tidy(s string) string {
	around := func(r rune) bool { return r > unicode.MaxASCII || !strings.ContainsRune(safe, r) }
	s = strings.TrimLeftFunc(blankless(s), around)
	return strings.TrimRightFunc(s, func(r rune) bool { return r == '.' || around(r) })
}

// readings returns what a value may have been before it was sent, the most likely
// first.
func readings(value string) []string {
	whole := tidy(value)
	list := []string{whole}
	add := func(s string) {
		if s != "" && s != whole {
			list = append(list, s)
		}
	}
	if k := strings.IndexFunc(strings.TrimLeftFunc(value, blank), blank); k > 0 {
		add(tidy(strings.TrimLeftFunc(value, blank)[:k])) // words follow
	}
	add(strings.TrimPrefix(whole, "3D")) // "=3D": mail's way to write "="
	add(strings.Trim(whole, "_"))        // Markdown's emphasis
	return list
}

// read sets the field to the first reading of a value that it takes.
func (f *field) read(l *Link, value string) error {
	var first error
	for _, v := range readings(value) {
		err := f.put(l, v)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}
