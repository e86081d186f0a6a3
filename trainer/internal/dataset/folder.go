package dataset

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mppm/shared/center"
	"mppm/shared/metadata"
	"mppm/shared/picture"
	"mppm/trainer/internal/sniff"
)

// Folders of a data set of images.
const (
	trainFolder = "train"
	testFolder  = "test"
)

// What the checksums call the digest of a folder.
const namesAndSizes = "names and sizes in "

// maxFile bounds one file of a folder, in bytes.
const maxFile = 128 << 20

// readers is how many files Fill reads at a time: enough to hide a disk that is
// slow to answer.
const readers = 4

// files are the images of a split in a folder: their names, and nothing of what
// is in them.
type files struct {
	dir   string
	names []string // below dir, with / between folder and file
	sizes []uint32 // bytes
	*fault
	transpose bool // rows and columns are swapped
}

// fault is what a split and its parts share while they are read.
type fault struct {
	mu  sync.Mutex
	err error // the first of a reading
}

func (f *fault) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *fault) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Open is Load, and takes a folder of images too: dir/train and dir/test with PNG
// files of any size, or with a folder of them for each class. Folders 0 … 9 are labels;
// others are the names of classes, in the order of the alphabet, or of numbers.
// training, testing and validation, in letters of any size, are understood as well.
// Only the images' names are kept; each is read when it is asked for, so a set may
// be larger than memory. The order is that of the files' names, whatever folder
// they are in. The checksums are of names and sizes: to digest the contents would
// take as long as to train on them once.
func Open(ctx context.Context, dir string) (*Set, error) {
	from, err := lookFor(ctx, dir)
	if err != nil {
		return nil, err
	}
	if !from.isFolders() {
		return load(ctx, from)
	}
	set := &Set{Name: dir, Notes: from.notes, Checksums: make(map[string]string)}
	train, test := filepath.Join(from.dir, from.train), filepath.Join(from.dir, from.test)
	classes := digits[:]
	for _, dir := range []string{train, test} {
		folders, err := foldersIn(ctx, dir)
		if err != nil {
			return nil, err
		}
		if dir == train && slices.ContainsFunc(folders, func(name string) bool { return !slices.Contains(digits[:], name) }) {
			if len(folders) > MaxClasses {
				return nil, fmt.Errorf("%s holds %d folders, one for each class: give at most %d", dir, len(folders), MaxClasses)
			}
			if err := metadata.CheckClasses(folders); err != nil {
				return nil, fmt.Errorf("%s: %w: the name of a folder is that of the class of its images", dir, err)
			}
			classes, set.Classes = folders, folders
		}
	}
	if set.Train, err = list(ctx, train, classes); err != nil {
		return nil, err
	}
	if set.Test, err = list(ctx, test, classes); err != nil {
		return nil, err
	}
	if set.Classes == nil && from.known != nil && set.Train.Labels != nil {
		set.Classes = from.known.classes
		for _, s := range []Split{set.Train, set.Test} {
			if err := set.number(from.dir, s.Labels, &known{name: from.known.name, classes: set.Classes}); err != nil {
				return nil, err
			}
		}
	}
	set.Checksums[namesAndSizes+trainFolder] = set.Train.digest()
	set.Checksums[namesAndSizes+testFolder] = set.Test.digest()
	if (set.Train.Labels == nil) != (set.Test.Labels == nil) {
		return nil, fmt.Errorf("one of %s and %s holds a folder for each class, the other images: labels are for both or for neither", train, test)
	}
	return set, nil
}

// digits are the names of the folders that are labels.
var digits = [Classes]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// foldersIn returns the names of the folders in a folder, in order: by number, if all are
// numbers.
func foldersIn(ctx context.Context, dir string) ([]string, error) {
	_, folders, err := scan(ctx, dir, "")
	if err != nil {
		return nil, err
	}
	number := func(name string) int {
		n, err := strconv.Atoi(name)
		if err != nil {
			return -1
		}
		return n
	}
	if !slices.ContainsFunc(folders, func(name string) bool { return number(name) < 0 }) {
		slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(number(a), number(b)) })
	}
	return folders, nil
}

// entry is an image that list found.
type entry struct {
	name  string
	size  uint32
	label byte
}

// list finds the images of a folder, or of the folders of the classes in it.
func list(ctx context.Context, dir string, classes []string) (Split, error) {
	all, folders, err := scan(ctx, dir, "")
	if err != nil {
		return Split{}, err
	}
	if len(all) > 0 && len(folders) > 0 {
		return Split{}, fmt.Errorf("%s holds images (%s) and folders (%s) side by side: put all images into a folder of their class, or none", dir, all[0].name, folders[0])
	}
	for _, class := range folders {
		label := slices.Index(classes, class)
		if label < 0 {
			return Split{}, fmt.Errorf("%s: the name of a folder is the class of its images; those that are trained on are %s", filepath.Join(dir, class), strings.Join(classes, ", "))
		}
		in, deeper, err := scan(ctx, dir, class)
		switch {
		case err != nil:
			return Split{}, err
		case len(deeper) > 0:
			return Split{}, fmt.Errorf("%s is a folder in the folder of a label: images are looked for no deeper", filepath.Join(dir, class, deeper[0]))
		case len(in) == 0:
			return Split{}, fmt.Errorf("the folder %s holds no PNG: put some there, or take it out", filepath.Join(dir, class))
		}
		for i := range in {
			in[i].label = byte(label)
		}
		all = append(all, in...)
	}
	if len(all) == 0 {
		return Split{}, fmt.Errorf("the folder %s is empty: put PNGs into it, or a folder of PNGs for each class", dir)
	}
	// By the names of the files first, so that no part of the order is of one class.
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(strings.Compare(path.Base(a.name), path.Base(b.name)), cmp.Compare(a.label, b.label))
	})
	f := &files{dir: dir, fault: new(fault)}
	s := Split{N: len(all), files: f}
	for _, e := range all {
		f.names, f.sizes = append(f.names, e.name), append(f.sizes, e.size)
		if folders != nil {
			s.Labels = append(s.Labels, e.label)
		}
	}
	return s, nil
}

// scan returns the images in dir/class, and the names of the folders there. Hidden
// files and what operating systems leave are left out, anything else that is no PNG is an error. Links are followed.
func scan(ctx context.Context, dir, class string) (found []entry, folders []string, err error) {
	where := filepath.Join(dir, class)
	f, err := os.Open(where)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the data: %w", err)
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(1024)
		if err == io.EOF {
			slices.Sort(folders)
			return found, folders, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, nil, err
		}
		for _, name := range names {
			if sniff.Litter(name) {
				continue
			}
			at := filepath.Join(where, name)
			info, err := os.Stat(at)
			switch {
			case err != nil:
				return nil, nil, fmt.Errorf("cannot read the data: %w", err)
			case info.IsDir():
				folders = append(folders, name)
				continue
			case !strings.EqualFold(filepath.Ext(name), ".png"):
				return nil, nil, fmt.Errorf("%s is not a PNG: convert it, or take it out", at)
			case !info.Mode().IsRegular():
				return nil, nil, fmt.Errorf("%s is not a file: take it out", at)
			case info.Size() == 0:
				return nil, nil, fmt.Errorf("%s is empty: take it out", at)
			case info.Size() > maxFile:
				return nil, nil, fmt.Errorf("%s is larger than %d MB: make it smaller", at, maxFile>>20)
			}
			found = append(found, entry{name: path.Join(class, name), size: uint32(info.Size())})
		}
	}
}

// digest is the MD5 of the names and sizes, in hexadecimal.
func (f *files) digest() string { return digest(f.names, f.sizes) }

func digest(names []string, sizes []uint32) string {
	h := md5.New()
	var b []byte
	for i, name := range names {
		b = append(append(b[:0], name...), 0)
		h.Write(binary.BigEndian.AppendUint32(b, sizes[i]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// pick returns the files with the given numbers, in that order.
func (f *files) pick(at []int) lazy {
	p := &files{dir: f.dir, names: make([]string, len(at)), sizes: make([]uint32, len(at)), fault: f.fault, transpose: f.transpose}
	for k, i := range at {
		p.names[k], p.sizes[k] = f.names[i], f.sizes[i]
	}
	return p
}

func (f *files) turn() { f.transpose = !f.transpose }

// read writes the bytes of image i to dst, Pixels of them. It may be called from
// several goroutines.
func (f *files) read(dst []byte, i int) error {
	at := filepath.Join(f.dir, filepath.FromSlash(f.names[i]))
	b, err := readFile(at, int(f.sizes[i]))
	if err != nil {
		return err
	}
	p, err := picture.DecodePNG(bytes.NewReader(b), picture.MaxArea)
	var size *picture.SizeError
	switch {
	case errors.As(err, &size):
		return fmt.Errorf("%s: %w: make it smaller", at, err)
	case err != nil:
		if what, remedy := sniff.Of(b); what != "" {
			return fmt.Errorf("%s is %s, not a PNG: %s", at, what, remedy)
		}
		return fmt.Errorf("%s is a broken PNG: %w", at, err)
	}
	if err := digit(dst, p); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if f.transpose {
		transpose(dst, Side, 1)
	}
	return nil
}

// readFile reads a file that has to have the size that it had when it was found.
func readFile(at string, size int) ([]byte, error) {
	file, err := os.Open(at)
	if err != nil {
		return nil, fmt.Errorf("cannot read an image: %w", err)
	}
	defer file.Close()
	b := make([]byte, size+1)
	n, err := io.ReadFull(file, b)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("cannot read an image: %w", err)
	}
	if n != size {
		return nil, fmt.Errorf("%s has another size than when the run began: data must stay as it is while it is trained on", at)
	}
	return b[:n], nil
}

// digit writes a picture to dst as MNIST has its digits. One of Side × Side is taken
// as it is: that is how its maker has them.
func digit(dst []byte, p *picture.Picture) error {
	x := p.Gray
	if p.FullW != Side || p.FullH != Side {
		x = make([]float32, Pixels)
		if _, _, err := center.Digit(x, p, center.Options{}); err != nil {
			return err
		}
	}
	for i, v := range x {
		dst[i] = byte(math.Round(255 * float64(min(max(v, 0), 1))))
	}
	return nil
}
