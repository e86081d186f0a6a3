package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"mppm/trainer/internal/sniff"
)

// Bounds of the search for data in a folder: none of those it comes in is deeper,
// or has more folders beside it.
const (
	maxDepth  = 3
	maxBeside = 64
)

// idxName is the name of a file of MNIST or its relatives, as they were published
// or as unpacking left them: train-images-idx3-ubyte, train-images.idx3-ubyte,
// emnist-digits-test-labels-idx1-ubyte.gz. What stands before it tells sets in one
// folder apart.
var idxName = regexp.MustCompile(`(?i)^(?:(.*?)[-_. ])?(train|training|t10k|test|testing|val|valid|validation)[-_. ](images|labels)(?:[-_. ]idx\d)?(?:[-_. ](?:ubyte|byte|int))?(?:\.idx)?(\.gz)?$`)

// The names of the two parts of a set, the first of those that are there counts.
var (
	trainNames = []string{"train", "training"}
	testNames  = []string{"t10k", "test", "testing", "val", "valid", "validation"}
)

// source is where the data of a set was found.
type source struct {
	asked string            // the path or the name that it was asked for by; "" for MNIST
	known *known            // nil where its labels are digits
	dir   string            // the folder that holds it
	label string            // what stands before the names of its files
	files map[string]string // IDX files by the published names: paths
	train string            // folders of images, below dir; "" for IDX files
	test  string
	notes []string
}

func (s *source) isFolders() bool { return s.files == nil }

// find looks for data in a folder, and if it is not there, in the folders below,
// as data sets come unpacked: MNIST/raw, mnist_png/training. path may also be one
// of the IDX files, or what the names of those in its folder begin with.
func find(path string) (*source, error) {
	info, err := os.Stat(path)
	dir, label := path, ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent, base := filepath.Split(filepath.Clean(path))
		if sets, _, perr := look(cmp.Or(filepath.Clean(parent), ".")); perr == nil {
			for _, s := range sets {
				if !s.isFolders() && strings.EqualFold(s.label, base) {
					return s, nil
				}
			}
		}
		return nil, fmt.Errorf("cannot read the data: %w", err)
	case err != nil:
		return nil, fmt.Errorf("cannot read the data: %w", err)
	case !info.IsDir():
		m := idxName.FindStringSubmatch(filepath.Base(path))
		if m == nil {
			if head, err := readHead(path); err == nil {
				if err := sniff.Refuse(path, head, "the folder of the data"); err != nil {
					return nil, err
				}
			}
			return nil, fmt.Errorf("%s is a file: give the folder that holds %s and its companions", path, trainImages)
		}
		dir, label = filepath.Dir(path), m[1]
		sets, _, err := look(dir)
		if err != nil {
			return nil, err
		}
		for _, s := range sets {
			if !s.isFolders() && s.label == label {
				return s, nil
			}
		}
	}
	var half error // of a folder that holds one part of a set
	level := []string{dir}
	for depth := 0; len(level) > 0; depth++ {
		var all []*source
		var below []string
		for _, at := range level {
			sets, folders, err := look(at)
			if err != nil && depth == 0 && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			if half == nil {
				half = err
			}
			all = append(all, sets...)
			if depth < maxDepth {
				for _, name := range folders[:min(len(folders), maxBeside)] {
					below = append(below, filepath.Join(at, name))
				}
			}
		}
		switch {
		case len(all) == 1:
			return all[0], nil
		case len(all) > 1:
			return choose(dir, all)
		}
		level = below[:min(len(below), maxBeside)]
	}
	if half != nil {
		return nil, half
	}
	return nil, fmt.Errorf("%s holds neither %s nor %s.gz, nor folders %s and %s of PNG files: %s: %w", dir, trainImages, trainImages, trainFolder, testFolder, seen(dir), fs.ErrNotExist)
}

// choose takes the set whose files have the published names, of several in one
// folder, and else asks.
func choose(dir string, all []*source) (*source, error) {
	if all[0].dir == all[len(all)-1].dir {
		for _, s := range all {
			if s.isFolders() {
				return nil, fmt.Errorf("%s holds both IDX files and a folder %s or %s: take out what is not to be read", s.dir, trainFolder, testFolder)
			}
		}
		if all[0].label == "" {
			return all[0], nil
		}
	}
	const most = 8
	var names []string
	for _, s := range all[:min(len(all), most)] {
		name := s.dir
		if s.label != "" {
			name = filepath.Join(s.dir, s.label)
		}
		names = append(names, name)
	}
	if n := len(all) - most; n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return nil, fmt.Errorf("%s holds %d data sets: give one of them, %s", dir, len(all), strings.Join(names, ", "))
}

// look returns the sets that a folder holds, and the names of the folders in it
// that may hold others. A folder for one part of a set alone is an error, but what
// else there is comes with it. Of two files for one thing the one with the published
// name counts, and the one that is not packed.
func look(dir string) (sets []*source, folders []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the data: %w", err)
	}
	type candidate struct {
		rank [3]int // the lowest counts
		path string
	}
	byLabel := map[string]map[string]candidate{} // by the published name
	var trains, tests []string
	for _, e := range entries {
		name := e.Name()
		if sniff.Litter(name) {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(dir, name))
			isDir = err == nil && info.IsDir()
		}
		m := idxName.FindStringSubmatch(name)
		path := filepath.Join(dir, name)
		if m != nil && isDir { // some archives have a folder around each file, of its name
			if info, err := os.Stat(filepath.Join(path, name)); err == nil && info.Mode().IsRegular() {
				path, isDir = filepath.Join(path, name), false
			}
		}
		if isDir {
			switch low := strings.ToLower(name); {
			case slices.Contains(trainNames, low):
				trains = append(trains, name)
			case slices.Contains(testNames, low):
				tests = append(tests, name)
			default:
				folders = append(folders, name)
			}
			continue
		}
		if m == nil {
			continue
		}
		published, rank := publishedName(m[2], m[3])
		c := candidate{[3]int{rank, 0, 0}, path}
		if m[4] != "" {
			c.rank[1] = 1
		}
		if !strings.EqualFold(strings.TrimSuffix(name, m[4]), published) {
			c.rank[2] = 1
		}
		label := m[1]
		if byLabel[label] == nil {
			byLabel[label] = map[string]candidate{}
		}
		if old, ok := byLabel[label][published]; !ok || slices.Compare(c.rank[:], old.rank[:]) < 0 {
			byLabel[label][published] = c
		}
	}
	for label, files := range byLabel {
		s := &source{dir: dir, label: label, files: map[string]string{}}
		for name, c := range files {
			s.files[name] = c.path
		}
		_, train := s.files[trainImages]
		_, test := s.files[testImages]
		if train || test && label == "" {
			sets = append(sets, s)
		}
	}
	slices.SortFunc(sets, func(a, b *source) int { return strings.Compare(a.label, b.label) })
	if trains == nil && tests == nil {
		return sets, folders, nil
	}
	s := &source{dir: dir}
	if s.train, err = part(dir, trains, trainNames, trainFolder, &s.notes); err == nil {
		s.test, err = part(dir, tests, testNames, testFolder, &s.notes)
	}
	if err != nil {
		return sets, folders, err
	}
	return append(sets, s), folders, nil
}

// publishedName returns MNIST's name of a file, and how good another one is for it.
func publishedName(part, what string) (name string, rank int) {
	part, what = strings.ToLower(part), strings.ToLower(what)
	images := what == "images"
	if rank = slices.Index(trainNames, part); rank >= 0 {
		if images {
			return trainImages, rank
		}
		return trainLabels, rank
	}
	if rank = slices.Index(testNames, part); images {
		return testImages, rank
	}
	return testLabels, rank
}

// part chooses the folder of a part of the set of those that are called as one. A
// validation set stands in for a test set, beside which it is left out.
func part(dir string, have, names []string, usual string, notes *[]string) (string, error) {
	rank := func(name string) int { return slices.Index(names, strings.ToLower(name)) }
	slices.SortFunc(have, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(b, a)) }) // train before Train
	switch {
	case len(have) == 0:
		return "", fmt.Errorf("%s has no folder %s (%s would do, too): %s: %w", dir, usual,
			strings.Join(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == usual }), ", "), seen(dir), fs.ErrNotExist)
	case len(have) == 1:
	case strings.EqualFold(have[0], have[1]), len(names) == len(trainNames):
		return "", fmt.Errorf("%s holds both %s and %s: take out what is not to be read", dir, have[0], have[1])
	default:
		*notes = append(*notes, fmt.Sprintf("%s is scored on the folder %s, and %s left out", dir, have[0], strings.Join(have[1:], ", ")))
	}
	return have[0], nil
}

// seen says what a folder holds, for someone who looks for something else there.
func seen(dir string) string {
	const most, longest = 8, 40
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "it cannot be read"
	}
	var names []string
	n := 0
	for _, e := range entries {
		if sniff.Litter(e.Name()) {
			continue
		}
		if n++; n > most {
			continue
		}
		name := strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return '·'
			}
			return r
		}, e.Name())
		if r := []rune(name); len(r) > longest {
			name = string(r[:longest]) + "…"
		}
		if e.IsDir() {
			name = "the folder " + name
		}
		names = append(names, name)
	}
	switch {
	case n == 0:
		return "it is empty"
	case n > most:
		return fmt.Sprintf("it holds %s and %d more", strings.Join(names, ", "), n-most)
	}
	return "it holds " + strings.Join(names, ", ")
}

// readHead returns the beginning of a file.
func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniff.Head)
	n, err := f.Read(head)
	return head[:n], err
}
