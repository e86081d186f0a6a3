package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mppm/shared/metadata"
	"mppm/trainer/internal/bounded"
)

// known is a data set that is known by its name.
type known struct {
	name    string
	classes []string // of its labels, in order; nil where the labels are digits
	first   byte     // the label of the first of them
	get     string   // where it is to be had, and under what terms
}

const zips = "unpack gzip.zip of EMNIST (Cohen et al. 2017, from the site of NIST, 560 MB; its authors name no licence) "

// all are the data sets known by name, beside MNIST. Images are 28 × 28, gray.
var all = []known{
	{
		name:    "fashion-mnist",
		classes: []string{"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"},
		get:     "install the Debian or Ubuntu package dataset-fashion-mnist, or put the four files *-ubyte.gz of github.com/zalandoresearch/fashion-mnist (MIT), from data/fashion there, into a folder fashion-mnist",
	},
	{
		name:    "kmnist",
		classes: []string{"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"},
		get:     "put the four files *-ubyte.gz of Kuzushiji-MNIST (ROIS-DS Center for Open Data in the Humanities, CC BY-SA 4.0, linked from github.com/rois-codh/kmnist) into a folder kmnist",
	},
	{
		name:    "emnist-letters",
		classes: strings.Split("abcdefghijklmnopqrstuvwxyz", ""), first: 1,
		get: zips + "and give PATH/gzip/emnist-letters with --transpose",
	},
	{
		name:    "emnist-balanced",
		classes: strings.Split("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", ""),
		get:     zips + "and give PATH/gzip/emnist-balanced with --transpose",
	},
	{
		name: "emnist-digits",
		get:  zips + "and give PATH/gzip/emnist-digits with --transpose",
	},
}

// Names returns the names by which data sets are known.
func Names() []string {
	names := []string{mnist}
	for _, k := range all {
		names = append(names, k.name)
	}
	return names
}

const mnist = "mnist"

// places are the folders in which systems keep data sets, each in one of its name.
var places = []string{"/usr/share/datasets", "/usr/local/share/datasets"}

// byName returns the set that is called so, as it is or as torchvision has it
// (FashionMNIST); nil if none is.
func byName(name string) *known {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	i := slices.IndexFunc(all, func(k known) bool { return plain(k.name) == plain(name) })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// resolve returns where the data is that somebody asks for: a path, or the name of a set
// that is known. What is there by that path goes before a name. MNIST, which the module
// system has, is "".
func resolve(asked string) (dir string, err error) {
	if asked == "" || strings.ContainsRune(asked, filepath.Separator) {
		return asked, nil
	}
	_, err = os.Stat(asked)
	if err == nil {
		return asked, nil
	}
	if _, err := find(asked); err == nil { // what files here begin with
		return asked, nil
	}
	if strings.EqualFold(asked, mnist) {
		return "", nil
	}
	k := byName(asked)
	if k == nil {
		return "", fmt.Errorf("cannot read the data: %w, nor is that the name of a data set: known are %s", err, strings.Join(Names(), ", "))
	}
	for _, at := range places {
		if dir := filepath.Join(at, k.name); isDir(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s is not on this machine: %s", k.name, k.get)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// classesFile holds the names of the classes beside the data, one a line.
const classesFile = "classes.txt"

// named returns what a set is known as, by classes.txt beside it or else by the names of
// its folders and files; nil where labels are digits.
func named(asked string, from *source) (*known, error) {
	path := filepath.Join(from.dir, classesFile)
	switch b, err := bounded.ReadFile(path, 1<<16, nil); {
	case err == nil:
		names := strings.Split(strings.TrimSpace(string(bytes.ReplaceAll(b, []byte("\r"), nil))), "\n")
		for i, name := range names {
			names[i] = strings.TrimSpace(name)
		}
		if err := metadata.CheckClasses(names); err != nil {
			return nil, fmt.Errorf("%s: %w: give the name of a class on each line, first that of label 0", path, err)
		}
		return &known{name: classesFile, classes: names}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("cannot read the names of the classes: %w", err)
	}
	dir := from.dir
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	for _, name := range []string{from.label, filepath.Base(asked), filepath.Base(dir), filepath.Base(filepath.Dir(dir))} {
		if k := byName(name); k != nil {
			return k, nil
		}
	}
	return nil, nil
}
