package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mppm/trainer/internal/dataset"
)

// dataOptions say where images come from.
type dataOptions struct {
	dir       string
	transpose bool
}

// flags adds the flags of a data set. The help begins with what the folder holds.
func (o *dataOptions) flags(f *flagSet, help string) {
	f.text(&o.dir, "data", "DIR", help)
	f.transpose(&o.transpose)
}

// emnistNote is for whoever reads EMNIST's files as they are.
const emnistNote = "EMNIST is published with rows and columns swapped; if these files are so, --transpose turns the digits upright"

// What the help of --data says.
const (
	idxFiles  = "folder with train-images-idx3-ubyte and its companions, gzipped or not"
	orFolders = ", or with folders train and test of "
	orMNIST   = "; or a data set by its name, as fashion-mnist: docs/datasets.md has them (default: MNIST)"
)

// transpose adds the flag that turns EMNIST's images upright.
func (f *flagSet) transpose(p *bool) {
	f.toggle(p, "transpose", "swap rows and columns of every image: EMNIST's IDX files have them so")
}

// open reads the data with dataset.Open or dataset.Load, and says what is to be
// said of it.
func (o *dataOptions) open(ctx context.Context, w io.Writer, read func(context.Context, string) (*dataset.Set, error)) (*dataset.Set, error) {
	set, err := read(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	notes := set.Notes
	switch {
	case o.transpose:
		set.Transpose()
	case set.EMNIST:
		notes = append(slices.Clip(notes), emnistNote)
	}
	for _, note := range notes {
		fmt.Fprintln(w, "note: "+note)
	}
	return set, nil
}

// fitting is a setting that cannot be larger than the number of images.
type fitting struct {
	name  string // of its flag
	what  string // "the batch is %d"
	value *int
}

// shrink brings settings that nobody asked for down to n images, and says so in one
// line. What was asked for is left as it is, for the one who checks it to refuse.
func shrink(w io.Writer, n int, flags []*flagDef, settings ...fitting) {
	var said []string
	for _, s := range settings {
		i := slices.IndexFunc(flags, func(d *flagDef) bool { return d.name == s.name })
		if n < dataset.Least || *s.value <= n || i >= 0 && flags[i].given {
			continue
		}
		said = append(said, fmt.Sprintf(s.what+", not %d", n, *s.value))
		*s.value = n
	}
	if said != nil {
		fmt.Fprintf(w, "note: with %s to train on, %s\n", count(n), strings.Join(said, ", and "))
	}
}
