package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagSet is the flags of one command: what the library has not of them, the range
// of a value, the heading in the help, and what a path stands for.
type flagSet struct {
	list  []*flagDef
	group string // heading of the flags that are added next

	places []declared // what the command reads and writes
	forced []forced
}

// flagDef is one flag. To the library it is the flag's value.
type flagDef struct {
	name, arg, help, group string
	initial                string // the default, for the help; empty: none to speak of
	required               bool
	given                  bool
	set                    func(string) error
	values                 func() []string // what a shell completes, if not files; one that ends in = goes on
}

// Set takes a value from the command line.
func (d *flagDef) Set(s string) error {
	d.given = true
	return d.set(s)
}

// String is there for the library; the help has the default from initial.
func (d *flagDef) String() string { return "" }

// Type is what the help calls the value.
func (d *flagDef) Type() string {
	if d.arg == "" {
		return "bool"
	}
	return d.arg
}

func (f *flagSet) add(d flagDef) *flagDef {
	d.group = f.group
	f.list = append(f.list, &d)
	return &d
}

// register gives the flags to a command of the library.
func (f *flagSet) register(c *cobra.Command) {
	for _, d := range f.list {
		usage := d.help
		switch {
		case d.required:
			usage += " (required)"
		case d.initial != "":
			usage += " (default " + d.initial + ")"
		}
		flag := c.Flags().VarPF(d, d.name, "", usage)
		if d.arg == "" {
			flag.NoOptDefVal = "true"
		}
		if d.required {
			flag.Annotations = map[string][]string{cobra.BashCompOneRequiredFlag: {"true"}} // is completed first
		}
		// The one error is of a flag that has been registered before.
		_ = c.RegisterFlagCompletionFunc(d.name, d.complete)
	}
}

// complete is what a shell completes for the flag's value.
func (d *flagDef) complete(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	switch {
	case d.values != nil:
		list, how := d.values(), cobra.ShellCompDirectiveNoFileComp
		if slices.ContainsFunc(list, func(s string) bool { return strings.HasSuffix(s, "=") }) {
			how |= cobra.ShellCompDirectiveNoSpace
		}
		return list, how
	case d.arg == "DIR":
		return nil, cobra.ShellCompDirectiveFilterDirs
	case d.arg == "FILE" || d.arg == "PATH":
		return nil, cobra.ShellCompDirectiveDefault
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
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

// choice adds a flag for one of some words, of which the first is the default
// unless p has one.
func choice[T ~string](f *flagSet, p *T, name, arg, help string, list []T) *flagDef {
	if *p == "" {
		*p = list[0]
	}
	var words []string
	for _, word := range list {
		words = append(words, string(word))
	}
	return f.add(flagDef{name: name, arg: arg, help: help, initial: string(*p), values: func() []string { return words }, set: func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("there is no %q, only %s%s", s, strings.Join(words, ", "), suggest(s, words, ""))
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

// missing returns an error if the command line lacks a flag that it has to have.
func (f *flagSet) missing() error {
	for _, d := range f.list {
		if d.required && !d.given {
			return fmt.Errorf("the flag --%s %s is missing", d.name, d.arg)
		}
	}
	return nil
}

// given reports whether the command line has the flag.
func (f *flagSet) given(name string) bool {
	return slices.ContainsFunc(f.list, func(d *flagDef) bool { return d.name == name && d.given })
}

// twoDashes returns args with --name for -name, which the library takes for flags of
// a letter each.
func twoDashes(root *cobra.Command, args []string) []string {
	args = append([]string{}, args...)
	rest := args
	if len(rest) > 0 && rest[0] == cobra.ShellCompRequestCmd {
		rest = rest[1:]
	}
	c, _, _ := root.Find(rest)
	for i := 0; i < len(rest) && rest[i] != "--"; i++ {
		if len(rest[i]) < 2 || rest[i][0] != '-' || rest[i] == "-h" {
			continue
		}
		if rest[i][1] != '-' {
			rest[i] = "-" + rest[i]
		}
		name, _, whole := strings.Cut(rest[i][2:], "=")
		if f := c.Flags().Lookup(name); f != nil && !whole && f.NoOptDefVal == "" {
			i++ // its value, which may be -1
		}
	}
	return args
}

// flagError says in the program's words what the library found wrong with a flag.
func flagError(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		bare    *pflag.ValueRequiredError
		bad     *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		err = fmt.Errorf("there is no flag --%s%s", name, suggest(name, names, "--"))
	case errors.As(err, &bare):
		f := bare.GetFlag()
		err = fmt.Errorf("the flag --%s needs a value: --%s %s", f.Name, f.Name, f.Value.Type())
	case errors.As(err, &bad):
		err = fmt.Errorf("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
	}
	if name := nameOf(c); name != "" {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return usageError{err}
}

// describe writes the flags, which c has, under their headings.
func (f *flagSet) describe(w io.Writer, c *cobra.Command) {
	for rest := f.list; len(rest) > 0; {
		group := pflag.NewFlagSet("", pflag.ContinueOnError)
		group.SortFlags = false
		heading := rest[0].group
		for len(rest) > 0 && rest[0].group == heading {
			group.AddFlag(c.Flags().Lookup(rest[0].name))
			rest = rest[1:]
		}
		fmt.Fprintf(w, "\n%s:\n%s", cmp.Or(heading, "flags"), group.FlagUsagesWrapped(90))
	}
}

// suggest returns "; did you mean …?" where some of names are close to what was
// typed, and "" where none is.
func suggest(typed string, names []string, prefix string) string {
	known := &cobra.Command{SuggestionsMinimumDistance: min(2, (len(typed)+2)/3)}
	for _, name := range names {
		known.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	near := known.SuggestionsFor(typed)
	if typed == "" || len(near) == 0 {
		return ""
	}
	return "; did you mean " + prefix + strings.Join(near, " or "+prefix) + "?"
}
