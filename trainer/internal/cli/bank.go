package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mppm/shared/kde"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/infer"
)

// bankFlags are the flags of what the density is taught (Eq. 7): images whose codes it
// shall know, and classes that it shall not.
type bankFlags struct {
	add    string
	weight float64
	forget []int
	defs   []*flagDef // the images, the weight, the classes
}

// bank adds them.
func (f *flagSet) bank() *bankFlags {
	v := &bankFlags{weight: link.FirstWeight}
	f.group = "what the density knows"
	v.defs = []*flagDef{
		f.text(&v.add, "bank-add", "PATH", "remember the images there, as --in of restore takes them: the flow is drawn to their codes"),
		f.number(&v.weight, "bank-weight", "X", "as how many codes of the bank each of them counts", link.MinWeight, kde.MaxWeight),
		f.add(flagDef{name: "forget", arg: "N,N,...", help: "forget these classes: a world without sevens is --forget 7", set: func(s string) (err error) {
			v.forget, err = parseClasses(s)
			return err
		}}),
	}
	f.group = ""
	f.reads("bank-add", &v.add, readsImages)
	return v
}

func parseClasses(s string) ([]int, error) {
	var list []int
	for field := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 0 {
			return nil, fmt.Errorf("%q is not a list of classes such as 7 or 1,7", s)
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list, nil
}

// check finds what is wrong with the flags before anything is read.
func (v *bankFlags) check(method string) error {
	add, weight := v.defs[0], v.defs[1]
	if i := slices.IndexFunc(v.defs, func(d *flagDef) bool { return d.given }); i >= 0 && method == methodLDM {
		return usagef("--%s is of the flow, and --method %s has no code bank: leave it out", v.defs[i].name, method)
	}
	if weight.given && !add.given {
		return usagef("--bank-weight is of what --bank-add remembers: give that too, or leave it out")
	}
	if v.add == imageio.Stream {
		return usagef("--bank-add does not read standard input: name a file or a folder")
	}
	return nil
}

// teach returns the model with what the flags teach it. read reads images.
func (v *bankFlags) teach(ctx context.Context, e env, m *latent.Model, read func(path string) (*imageio.Images, error)) (*latent.Model, error) {
	t := latent.Memory{Weight: float32(v.weight), Forget: v.forget}
	if v.add != "" {
		images, err := read(v.add)
		if err != nil {
			return nil, fmt.Errorf("--bank-add: %w", err)
		}
		for _, note := range images.Notes {
			fmt.Fprintln(e.stderr, "note: "+note)
		}
		if err := roomFor(images.N, m.Pixels()); err != nil {
			return nil, err
		}
		if t.Codes, err = infer.Encode(ctx, m, images.Pixels); err != nil {
			return nil, err
		}
	}
	c, err := m.Taught(t)
	if err != nil {
		return nil, fmt.Errorf("what the density knows: %w", err)
	}
	return c, nil
}

// words says what the flags teach a model; nothing where that is nothing.
func (v *bankFlags) words(was, is *latent.Model) string {
	if was == is {
		return ""
	}
	return fmt.Sprintf(", %d codes of %d", is.Bank.Len(), was.Bank.Len())
}
