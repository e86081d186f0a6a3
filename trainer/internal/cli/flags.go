package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// errHelp is what parse returns where help is asked for.
var errHelp = errors.New("help")

// flagSet is the flags of one command. It differs from the standard library's in
// what its users meet: flags may stand before and after other arguments,
// mistakes get a suggestion, and help is grouped.
type flagSet struct {
	list  []*flagDef
	group string // heading of the flags that are added next

	places []declared // what the command reads and writes
	forced []forced
}

type flagDef struct {
	name, arg, help, group string
	initial                string // the default, for the help; empty: none to speak of
	required               bool
	given                  bool
	set                    func(string) error
}

// isSwitch reports whether the flag takes no value.
func (d *flagDef) isSwitch() bool { return d.arg == "" }

func (f *flagSet) add(d flagDef) *flagDef {
	d.group = f.group
	f.list = append(f.list, &d)
	return &d
}

// text adds a flag whose value is any string that is not empty.
func (f *flagSet) text(p *string, name, arg, help string) *flagDef {
	return f.add(flagDef{name: name, arg: arg, help: help, initial: *p, set: func(s string) error {
		if s == "" {
			return errors.New("the value is empty")
		}
		*p = s
		return nil
	}})
}

// choice adds a flag for one of some words, of which the first is the default.
func choice[T ~string](f *flagSet, p *T, name, arg, help string, list []T) *flagDef {
	*p = list[0]
	return f.add(flagDef{name: name, arg: arg, help: help, initial: string(*p), set: func(s string) error {
		if !slices.Contains(list, T(s)) {
			return fmt.Errorf("%q is none of %q", s, list)
		}
		*p = T(s)
		return nil
	}})
}

// toggle adds a flag without a value (--name=false turns it off again).
func (f *flagSet) toggle(p *bool, name, help string) *flagDef {
	return f.add(flagDef{name: name, help: help, set: func(s string) error {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*p = v
		return nil
	}})
}

// integer adds a flag for a whole number in [lo, hi].
func (f *flagSet) integer(p *int, name, arg, help string, lo, hi int) *flagDef {
	return f.add(flagDef{name: name, arg: arg, help: help, initial: strconv.Itoa(*p), set: func(s string) error {
		v, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		if v < lo || v > hi {
			return fmt.Errorf("%d is not in the range %d to %d", v, lo, hi)
		}
		*p = v
		return nil
	}})
}

// seed adds a flag for 64 bits.
func (f *flagSet) seed(p *uint64, name, help string) *flagDef {
	return f.add(flagDef{name: name, arg: "N", help: help, initial: strconv.FormatUint(*p, 10), set: func(s string) error {
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number of at least 0", s)
		}
		*p = v
		return nil
	}})
}

// number adds a flag for a finite number in [lo, hi].
func (f *flagSet) number(p *float64, name, arg, help string, lo, hi float64) *flagDef {
	return f.add(flagDef{name: name, arg: arg, help: help, initial: strconv.FormatFloat(*p, 'g', -1, 64), set: func(s string) error {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%q is not a finite number", s)
		}
		switch {
		case v < lo && lo == 0:
			return fmt.Errorf("%s is negative", s)
		case v < lo || v > hi:
			return fmt.Errorf("%s is not in the range %g to %g", s, lo, hi)
		}
		*p = v
		return nil
	}})
}

// parse sets the flags that args give, in the forms --name value, --name=value
// and with one dash, and returns the other arguments. Everything after "--" is
// other arguments, and so is "-".
func (f *flagSet) parse(args []string) (operands []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			operands = append(operands, args...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			operands = append(operands, arg)
			continue
		}
		if isHelp(arg) {
			return nil, errHelp
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		i := slices.IndexFunc(f.list, func(d *flagDef) bool { return d.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no flag --%s%s", name, suggest(name, f.names(), "--"))
		}
		d := f.list[i]
		switch {
		case hasValue:
		case d.isSwitch():
			value = "true"
		case len(args) == 0:
			return nil, fmt.Errorf("the flag --%s needs a value: --%s %s", name, name, d.arg)
		default:
			value, args = args[0], args[1:]
		}
		if err := d.set(value); err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
		d.given = true
	}
	for _, d := range f.list {
		if d.required && !d.given {
			return nil, fmt.Errorf("the flag --%s %s is missing", d.name, d.arg)
		}
	}
	return operands, nil
}

// given reports whether the command line has the flag.
func (f *flagSet) given(name string) bool {
	return slices.ContainsFunc(f.list, func(d *flagDef) bool { return d.name == name && d.given })
}

func (f *flagSet) names() []string {
	var names []string
	for _, d := range f.list {
		names = append(names, d.name)
	}
	return names
}

// describe writes the flags under their headings.
func (f *flagSet) describe(b *strings.Builder) {
	width := 0
	for _, d := range f.list {
		width = max(width, len(d.name)+len(d.arg)+3)
	}
	group := "\x00"
	for _, d := range f.list {
		if d.group != group {
			group = d.group
			heading := group
			if heading == "" {
				heading = "flags"
			}
			fmt.Fprintf(b, "\n%s:\n", heading)
		}
		left := strings.TrimSpace("--" + d.name + " " + d.arg)
		help := d.help
		switch {
		case d.required:
			help += " (required)"
		case d.initial != "":
			help += " (default " + d.initial + ")"
		}
		for i, line := range wrap(help, 88-width-4) {
			if i > 0 {
				left = ""
			}
			fmt.Fprintf(b, "  %-*s  %s\n", width, left, line)
		}
	}
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// suggest returns "; did you mean …?" where one of names is close to what was
// typed, and "" where none is.
func suggest(typed string, names []string, prefix string) string {
	best, distance := "", 3
	if len(typed) < 4 {
		distance = 2
	}
	for _, name := range names {
		d := edits(typed, name)
		if len(typed) >= 3 && strings.HasPrefix(name, typed) {
			d = min(d, 1)
		}
		if d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// edits is the number of letters to insert, remove, replace or swap with their
// neighbor to get from a to b (optimal string alignment).
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
