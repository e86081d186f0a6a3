package dataset

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/trainer/internal/photo"
	"mppm/trainer/internal/sniff"
)

// ImageOptions say how OpenImages takes pictures.
type ImageOptions struct {
	Side     int                   // pixels along each edge, 8 or more
	Gray     bool                  // one channel in place of three
	Share    float64               // of the images that are held out for testing where the folder does not say which; above 0, below 1
	Seed     uint64                // of which they are
	All      bool                  // all images are for testing, whatever Share and the folder say: nothing was trained on them
	Progress func(done, total int) // told of pictures that were looked at, from any goroutine; may be nil
}

// keep bounds the bytes of the images of a set that are kept in memory; those of
// larger sets are read anew whenever they are asked for.
const keep = 1 << 30

// suffixes are how the names of pictures end.
var suffixes = []string{".jpg", ".jpeg", ".png", ".webp", ".gif"}

// OpenImages makes a data set of the pictures in a folder and the folders below: the
// largest square in the middle of each, scaled to one side. What cannot be read, or is
// smaller than half the side, is passed over, and Notes says so with the reason.
//
// Which images are for testing is as the folder says, if it holds the lists of
// SCUT-FBP5500 or folders train and test; else they are drawn by a seed, and pictures
// that are nearly the same, also in a mirror, are all on one side. Of CelebAMask-HQ the
// folder of the photographs is taken alone. Where the pictures of train and test lie in
// folders of their classes, those are their labels.
//
// dir may also be of IDX files as Load takes them, or the name of a set that is known.
func OpenImages(ctx context.Context, dir string, o ImageOptions) (*Set, error) {
	if o.Side < 8 || o.Side > 1024 {
		return nil, fmt.Errorf("the side of images is %d; give 8 to 1024", o.Side)
	}
	if !o.All && !(o.Share > 0 && o.Share < 1) {
		return nil, fmt.Errorf("the share of images that are held out is %v; give more than 0, less than 1", o.Share)
	}
	channels := 3
	if o.Gray {
		channels = 1
	}
	if dir == "" {
		return nil, errors.New("no pictures are named: give their folder with --data")
	}
	at, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	if at == "" || at != dir || hasIDX(at) {
		from, err := lookFor(ctx, dir)
		if err != nil {
			return nil, err
		}
		return openScaled(ctx, from, o, nn.Shape{H: o.Side, W: o.Side, C: channels})
	}
	found, err := lookForImages(ctx, dir)
	if err != nil {
		return nil, err
	}
	p := &photos{dir: found.dir, names: found.names, shape: nn.Shape{H: o.Side, W: o.Side, C: channels}, fault: new(fault)}
	thumbs, notes, err := p.look(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	set := &Set{Name: nameOf(dir), Notes: append(found.notes, notes...), Checksums: map[string]string{}}
	var train, test []int
	if o.All {
		for i := range p.names {
			test = append(test, i)
		}
	} else if found.test != nil {
		for i, name := range p.names {
			switch {
			case found.test[name]:
				test = append(test, i)
			case found.train == nil || found.train[name]:
				train = append(train, i)
			}
		}
	} else {
		train, test = split(thumbs, o.Share, o.Seed)
	}
	if err := Enough(len(train)); err != nil && !o.All {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if len(test) == 0 {
		return nil, fmt.Errorf("%s: no image is left to test on: give more images, or hold out a larger share", dir)
	}
	set.Train = Split{N: len(train), Shape: p.shape, files: p.pick(train)}
	set.Test = Split{N: len(test), Shape: p.shape, files: p.pick(test)}
	if found.test != nil && !o.All {
		p.classes(set, train, test)
	}
	set.Checksums[namesAndSizes+trainFolder] = set.Train.digest()
	set.Checksums[namesAndSizes+testFolder] = set.Test.digest()
	return set, nil
}

// hasIDX reports whether a path is of IDX files.
func hasIDX(path string) bool {
	s, err := find(path)
	return err == nil && !s.isFolders()
}

// classes labels the pictures with these numbers by the folders that they lie in below
// train and test, if all of them do so, and those are the names of at least two classes.
func (p *photos) classes(set *Set, train, test []int) {
	class := func(i int) string {
		if parts := strings.Split(p.names[i], "/"); len(parts) == 3 {
			return parts[1]
		}
		return ""
	}
	var names []string
	for _, i := range train {
		names = append(names, class(i))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 2 || names[0] == "" || metadata.CheckClasses(names) != nil {
		return
	}
	label := func(at []int) (labels []byte) {
		for _, i := range at {
			k, ok := slices.BinarySearch(names, class(i))
			if !ok {
				return nil
			}
			labels = append(labels, byte(k))
		}
		return labels
	}
	if l := label(test); l != nil {
		set.Classes, set.Train.Labels, set.Test.Labels = names, label(train), l
	}
}

// nameOf is what a set is called in weights, which may be given away: the folder's name
// without the way there.
func nameOf(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Base(dir)
}

// foundImages are pictures in a folder.
type foundImages struct {
	dir         string
	names       []string        // below dir, in order
	train, test map[string]bool // what the folder says; nil where it does not
	notes       []string
}

// Places of pictures in data sets as they come unpacked.
const (
	scutImages = "Images"
	scutLists  = "train_test_files/split_of_60%training and 40%testing"
	celebA     = "CelebA-HQ-img"
)

// lookForImages lists the pictures of a folder.
func lookForImages(ctx context.Context, dir string) (*foundImages, error) {
	for _, below := range []string{"", "SCUT-FBP5500_v2", "SCUT-FBP5500"} {
		root := filepath.Join(dir, below)
		lists := filepath.Join(root, filepath.FromSlash(scutLists))
		if _, err := os.Stat(lists); err != nil {
			continue
		}
		f := &foundImages{dir: filepath.Join(root, scutImages), notes: []string{"this is SCUT-FBP5500: its own lists say what is trained on, and what is tested on"}}
		for name, into := range map[string]*map[string]bool{"train.txt": &f.train, "test.txt": &f.test} {
			var err error
			if *into, err = readList(filepath.Join(lists, name)); err != nil {
				return nil, err
			}
		}
		return f, f.walk(ctx)
	}
	for _, below := range []string{celebA, "CelebAMask-HQ/" + celebA} {
		root := filepath.Join(dir, filepath.FromSlash(below))
		if info, err := os.Stat(root); err == nil && info.IsDir() {
			f := &foundImages{dir: root, notes: []string{"this is CelebAMask-HQ: of it the photographs are taken, in " + below}}
			return f, f.walk(ctx)
		}
	}
	f := &foundImages{dir: dir}
	if err := f.walk(ctx); err != nil {
		return nil, err
	}
	// Folders train and test, side by side.
	of := func(names []string) (folder string) {
		for _, name := range f.names {
			first, _, ok := strings.Cut(name, "/")
			if ok && slices.Contains(names, strings.ToLower(first)) {
				return first
			}
		}
		return ""
	}
	train, test := of(trainNames), of(testNames)
	if train == "" || test == "" {
		return f, nil
	}
	f.test, f.train = map[string]bool{}, map[string]bool{}
	for _, name := range f.names {
		f.train[name] = strings.HasPrefix(name, train+"/")
		f.test[name] = strings.HasPrefix(name, test+"/")
	}
	f.notes = append(f.notes, fmt.Sprintf("the folders %s and %s say what is trained on, and what is tested on", train, test))
	return f, nil
}

// readList reads the names of a list, the first word of each line.
func readList(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the data: %w", err)
	}
	defer f.Close()
	names := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if words := strings.Fields(s.Text()); len(words) > 0 {
			names[words[0]] = true
		}
	}
	return names, nil
}

// walk lists the pictures below f.dir by their names.
func (f *foundImages) walk(ctx context.Context) error {
	others, example := 0, ""
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case path != f.dir && sniff.Litter(d.Name()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil {
			return err
		}
		if !slices.Contains(suffixes, strings.ToLower(filepath.Ext(path))) {
			others++
			example = cmp.Or(example, filepath.ToSlash(name))
			return nil
		}
		f.names = append(f.names, filepath.ToSlash(name))
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s", f.dir)
	}
	if err != nil {
		return fmt.Errorf("cannot read the data: %w", err)
	}
	if len(f.names) == 0 {
		return fmt.Errorf("%s holds no pictures: their names end in %s", f.dir, strings.Join(suffixes, ", "))
	}
	slices.Sort(f.names)
	if others > 0 {
		f.notes = append(f.notes, fmt.Sprintf("%d files are no pictures by their names (%s), and passed over", others, example))
	}
	return nil
}

// photos are pictures of one folder, as squares of one shape.
type photos struct {
	dir   string
	names []string // below dir
	sizes []uint32 // bytes
	crops [][]byte // of each, where it is kept
	shape nn.Shape
	*fault
	transpose bool
}

func (p *photos) turn() { p.transpose = !p.transpose }

func (p *photos) path(i int) string { return filepath.Join(p.dir, filepath.FromSlash(p.names[i])) }

// look reads all pictures once. It drops those that cannot be used, saying why in
// notes, keeps the others in memory if that is not too much, and returns their
// thumbnails.
func (p *photos) look(ctx context.Context, progress func(done, total int)) (thumbs []thumb, notes []string, err error) {
	n := len(p.names)
	keeps := n*p.shape.Size() <= keep
	crops, sizes, all, errs := make([][]byte, n), make([]uint32, n), make([]thumb, n), make([]error, n)
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				var crop []byte
				if crop, sizes[i], errs[i] = p.open(i); errs[i] == nil {
					all[i] = thumbnail(crop, p.shape)
					if keeps {
						crops[i] = crop
					}
				}
				if progress != nil {
					progress(int(done.Add(1)), n)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	names := p.names
	p.names = nil
	for i, name := range names {
		if errs[i] != nil {
			notes = append(notes, fmt.Sprintf("passed over %s: %v", name, errs[i]))
			continue
		}
		p.names, p.sizes, p.crops, thumbs = append(p.names, name), append(p.sizes, sizes[i]), append(p.crops, crops[i]), append(thumbs, all[i])
	}
	if len(p.names) == 0 {
		return nil, nil, fmt.Errorf("no picture of %s can be used; the first: %w", p.dir, errs[0])
	}
	return thumbs, notes, nil
}

// open reads picture i, and returns its square and the size of the file.
func (p *photos) open(i int) (crop []byte, size uint32, err error) {
	at := p.path(i)
	info, err := os.Stat(at)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("it is not a file")
	}
	if info.Size() > maxFile {
		return nil, 0, fmt.Errorf("it is larger than %d MB", maxFile>>20)
	}
	b, err := readFile(at, int(info.Size()))
	if err != nil {
		return nil, 0, err
	}
	img, err := photo.Decode(b)
	if err != nil {
		return nil, 0, err
	}
	if w, h := img.Size(); 2*min(w, h) < p.shape.H {
		return nil, 0, fmt.Errorf("it has %d × %d pixels, less than half of the side of %d", w, h, p.shape.H)
	}
	crop = make([]byte, p.shape.Size())
	img.Square(crop, p.shape.H, p.shape.C)
	return crop, uint32(len(b)), nil
}

func (p *photos) read(dst []byte, i int) error {
	if p.transpose {
		defer transpose(dst, p.shape.H, p.shape.C)
	}
	if p.crops[i] != nil {
		copy(dst, p.crops[i])
		return nil
	}
	b, size, err := p.open(i)
	if err == nil && size != p.sizes[i] {
		err = errors.New("it has another size than when the run began: data must stay as it is while it is trained on")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.path(i), err)
	}
	copy(dst, b)
	return nil
}

func (p *photos) digest() string { return digest(p.names, p.sizes) }

func (p *photos) pick(at []int) lazy {
	q := &photos{dir: p.dir, shape: p.shape, fault: p.fault, transpose: p.transpose}
	for _, i := range at {
		q.names, q.sizes, q.crops = append(q.names, p.names[i]), append(q.sizes, p.sizes[i]), append(q.crops, p.crops[i])
	}
	return q
}
