package imageio

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/draw"

	"mppm/shared/idx"
	"mppm/shared/nn"
	"mppm/trainer/internal/atomicfile"
)

// Target is a place that images are written to, checked before the work that
// makes them.
type Target struct {
	path   string
	kind   kind
	zipped bool
	force  bool
	stdout io.Writer
	others int // numbered PNGs in the folder that are not replaced

	shape nn.Shape // of an image
	edge  int      // pixels along each edge of a PNG; 0: as many as the image has
	names []string // of the PNGs in a folder; nil: by their numbers
}

type kind int

const (
	idxFile kind = iota
	onePNG
	pngFolder
	stream
	pngStream
)

// foreign are endings of formats that are not written. Any other path without
// an ending of its own is a folder.
var foreign = map[string]bool{
	".jpg": true, ".jpeg": true, ".gif": true, ".bmp": true, ".webp": true, ".tif": true, ".tiff": true, ".pdf": true,
	".npy": true, ".npz": true, ".csv": true, ".zip": true, ".tar": true, ".gz": true, ".json": true, ".safetensors": true,
}

// numbered are the names that images get in a folder, whatever the case: some
// file systems take no notice of it.
var numbered = regexp.MustCompile(`^(?i)[0-9]{5,}\.png$`)

// Numbered reports whether a name is one that images get in a folder.
func Numbered(name string) bool { return numbered.MatchString(name) }

// number is the name of image i in a folder.
func number(i int) string { return fmt.Sprintf("%05d.png", i) }

// name is that of image i, in the target's folder.
func (t *Target) name(i int) string {
	if t.names != nil {
		return t.names[i]
	}
	return number(i)
}

// form is what a path is written as, by its name.
func form(path string) (k kind, zipped bool) {
	name := strings.ToLower(path)
	bare := strings.TrimSuffix(name, ".gz")
	switch {
	case path == Stream:
		return stream, false
	case strings.HasSuffix(bare, ".idx") || strings.HasSuffix(bare, "-ubyte"):
		return idxFile, bare != name
	case strings.HasSuffix(name, ".png"):
		return onePNG, false
	}
	return pngFolder, false
}

// IsFolder reports whether a path is written as a folder of PNGs.
func IsFolder(path string) bool {
	k, _ := form(path)
	return k == pngFolder
}

// Create prepares to write n digits to path. The path decides the form: an IDX
// file where it ends in .idx or -ubyte (gzipped where .gz follows), one PNG
// where it ends in .png, an IDX file on stdout for "-", and else a folder of
// PNGs named 00000.png on. An existing file is replaced. A folder may exist if
// all it holds are such PNGs, and none of them has a name that is needed. With
// force, those that have one are replaced; all else stays. Writing onto from, the
// path that the images came from, needs force too.
func Create(path, from string, n int, force bool, stdout io.Writer) (*Target, error) {
	t := &Target{path: path, force: force, stdout: stdout, shape: nn.Shape{H: Side, W: Side, C: 1}}
	t.kind, t.zipped = form(path)
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case path == "":
		return nil, errors.New("the path to write to is empty")
	case t.kind == stream:
		return t, nil
	case t.kind == onePNG && n != 1:
		return nil, fmt.Errorf("%d images do not fit into the one PNG %s: give a folder, or a path that ends in .idx", n, path)
	case t.kind == pngFolder && foreign[ext]:
		return nil, fmt.Errorf("%s: files that end in %s cannot be written: end the path in .idx, -ubyte, .idx.gz, -ubyte.gz or .png, or give a folder", path, ext)
	}
	return t, t.prepare(from, n)
}

// CreatePictures is Create for n images of a shape, in color or gray, which become PNGs
// of edge × edge pixels, or of their own size if edge is 0: one where the path ends in
// .png, one on stdout for "-", and else a folder of them. There they have the given
// names, or, if names is nil, numbers as Create gives them. What else is in the folder
// stays; PNGs of these names are replaced with force alone.
func CreatePictures(path, from string, n int, shape nn.Shape, edge int, names []string, force bool, stdout io.Writer) (*Target, error) {
	t := &Target{path: path, force: force, stdout: stdout, shape: shape, edge: edge, names: names}
	t.kind, t.zipped = form(path)
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case path == "":
		return nil, errors.New("the path to write to is empty")
	case t.kind == idxFile:
		return nil, fmt.Errorf("%s: pictures are not written as IDX files: end the path in .png, or give a folder", path)
	case t.kind == pngFolder && foreign[ext]:
		return nil, fmt.Errorf("%s: files that end in %s cannot be written: end the path in .png, or give a folder", path, ext)
	case t.kind == stream && n != 1:
		return nil, fmt.Errorf("standard output takes one PNG, not %d: give a folder", n)
	case t.kind == stream:
		t.kind = pngStream
		return t, nil
	case t.kind == onePNG && n != 1:
		return nil, fmt.Errorf("%d images do not fit into the one PNG %s: give a folder", n, path)
	}
	return t, t.prepare(from, n)
}

// prepare finds what keeps n images that come from from from being written.
func (t *Target) prepare(from string, n int) error {
	path := t.path
	info, err := os.Stat(path)
	switch {
	case err != nil && !isMissing(err):
		return fmt.Errorf("cannot write %s: %w", path, err)
	case err == nil && t.kind == pngFolder && !info.IsDir():
		return fmt.Errorf("%s is a file, and its name ends in none of .idx, -ubyte, .idx.gz, -ubyte.gz, .png: give a folder or another name", path)
	case err == nil && t.kind != pngFolder && info.IsDir():
		return fmt.Errorf("%s is a folder, and its name ends like a file's: give another name", path)
	}
	if !t.force {
		if from != "" && from != Stream && same(path, from) {
			return fmt.Errorf("%s is where the images come from: write elsewhere, or replace them with --force", path)
		}
	}
	if t.kind == pngFolder && err == nil {
		look := t.look
		if t.names != nil {
			look = t.lookNamed
		}
		if err := look(n); err != nil {
			return err
		}
	}
	return atomicfile.Writable(path)
}

// lookNamed finds what the folder holds that images with names of their own would
// replace.
func (t *Target) lookNamed(n int) error {
	for _, name := range t.names[:n] {
		at := filepath.Join(t.path, name)
		switch info, err := os.Lstat(at); {
		case isMissing(err):
		case err != nil:
			return fmt.Errorf("cannot write %s: %w", at, err)
		case info.IsDir():
			return fmt.Errorf("%s is a folder, and an image is to have that name: give another folder", at)
		case !t.force:
			return fmt.Errorf("%s is there: give a new folder, or replace what bears a new name with --force", at)
		}
	}
	return nil
}

// look finds what the folder holds that n new images would replace, or lie among.
func (t *Target) look(n int) error {
	entries, err := os.ReadDir(t.path)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", t.path, err)
	}
	needed := make(map[string]bool)
	for _, e := range entries {
		name := e.Name()
		if !Numbered(name) {
			if !t.force && !strings.HasPrefix(name, ".") {
				return fmt.Errorf("the folder %s holds other things, such as %s: give a new one, or write 00000.png … among them with --force", t.path, name)
			}
			continue
		}
		// The file system knows whether 00000.PNG is 00000.png.
		name = strings.ToLower(name)
		if i, err := strconv.Atoi(strings.TrimSuffix(name, ".png")); err != nil || i >= n || name != number(i) {
			t.others++
			continue
		}
		if info, err := os.Lstat(filepath.Join(t.path, name)); err == nil && !needed[name] {
			switch {
			case info.IsDir():
				return fmt.Errorf("%s is a folder, and an image is to have that name: give another folder", filepath.Join(t.path, name))
			case !t.force:
				return fmt.Errorf("%s is there: give a new folder, or replace what bears a new name with --force", filepath.Join(t.path, name))
			}
			needed[name] = true
			continue
		}
		t.others++
	}
	return nil
}

// Note says in a sentence what a person should know of the place, and is empty
// where there is nothing to know.
func (t *Target) Note() string {
	switch t.others {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s holds another PNG with a number for a name, which stays among the new ones", t.path)
	}
	return fmt.Sprintf("%s holds %d other PNGs with numbers for names, which stay among the new ones", t.path, t.others)
}

// Write writes images of so many bytes as their shape has numbers, all or none of them.
func (t *Target) Write(pixels []byte) error {
	size := t.shape.Size()
	if len(pixels)%size != 0 {
		return fmt.Errorf("%d bytes are no whole number of images of %v", len(pixels), t.shape)
	}
	n := len(pixels) / size
	switch t.kind {
	case pngStream:
		if err := t.encodePNG(t.stdout, pixels); err != nil {
			return fmt.Errorf("cannot write to standard output: %w", err)
		}
		return nil
	case stream:
		if _, err := t.stdout.Write(encodeIDX(pixels)); err != nil {
			return fmt.Errorf("cannot write to standard output: %w", err)
		}
		return nil
	case idxFile:
		if !t.zipped {
			return atomicfile.WriteBytes(t.path, encodeIDX(pixels))
		}
		return atomicfile.Write(t.path, func(w io.Writer) error {
			z := gzip.NewWriter(w) // without a name or a time: equal images, equal bytes
			if _, err := z.Write(encodeIDX(pixels)); err != nil {
				return err
			}
			return z.Close()
		})
	case onePNG:
		if n != 1 {
			return fmt.Errorf("%d images do not fit into the one PNG %s", n, t.path)
		}
		return atomicfile.Write(t.path, func(w io.Writer) error { return t.encodePNG(w, pixels) })
	}
	return atomicfile.WriteDir(t.path, t.force, func(dir string) error { return t.fill(dir, pixels) })
}

// fill writes the PNGs of images into a folder.
func (t *Target) fill(dir string, pixels []byte) error {
	size := t.shape.Size()
	n := len(pixels) / size
	one := func(i int) error {
		f, err := os.Create(filepath.Join(dir, t.name(i)))
		if err != nil {
			return err
		}
		if err := t.encodePNG(f, pixels[i*size:(i+1)*size]); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
	workers := min(runtime.GOMAXPROCS(0), n)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for k := range workers {
		wg.Go(func() {
			for i := k; i < n && errs[k] == nil; i += workers {
				errs[k] = one(i)
			}
		})
	}
	wg.Wait()
	return cmp.Or(errs...)
}

func encodeIDX(pixels []byte) []byte {
	f := idx.File{Shape: []int{len(pixels) / Pixels, Side, Side}, Data: pixels}
	return f.Encode()
}

// encodePNG writes an image as a PNG: as it is, or enlarged by Catmull and Rom's kernel.
func (t *Target) encodePNG(w io.Writer, pixels []byte) error {
	frame := image.Rect(0, 0, t.shape.W, t.shape.H)
	var img draw.Image = &image.Gray{Pix: pixels, Stride: t.shape.W, Rect: frame}
	if t.shape.C == 3 {
		color := image.NewRGBA(frame)
		for i := range t.shape.W * t.shape.H {
			copy(color.Pix[4*i:], pixels[3*i:3*i+3])
			color.Pix[4*i+3] = 255
		}
		img = color
	}
	if t.edge > 0 && (t.edge != t.shape.W || t.edge != t.shape.H) {
		to := image.Rect(0, 0, t.edge, t.edge)
		var large draw.Image = image.NewGray(to)
		if t.shape.C == 3 {
			large = image.NewRGBA(to)
		}
		draw.CatmullRom.Scale(large, to, img, frame, draw.Src, nil)
		img = large
	}
	return png.Encode(w, img)
}
