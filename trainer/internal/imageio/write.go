package imageio

import (
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"mppm/shared/idx"
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
}

type kind int

const (
	idxFile kind = iota
	onePNG
	pngFolder
	stream
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

// Create prepares to write n images to path. The path decides the form: an IDX
// file where it ends in .idx or -ubyte (gzipped where .gz follows), one PNG
// where it ends in .png, an IDX file on stdout for "-", and else a folder of
// PNGs named 00000.png on. An existing file is replaced. A folder may exist if
// all it holds are such PNGs, and none of them has a name that is needed. With
// force, those that have one are replaced; all else stays. Writing onto from, the
// path that the images came from, needs force too.
func Create(path, from string, n int, force bool, stdout io.Writer) (*Target, error) {
	t := &Target{path: path, force: force, stdout: stdout}
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
	info, err := os.Stat(path)
	switch {
	case err != nil && !isMissing(err):
		return nil, fmt.Errorf("cannot write %s: %w", path, err)
	case err == nil && t.kind == pngFolder && !info.IsDir():
		return nil, fmt.Errorf("%s is a file, and its name ends in none of .idx, -ubyte, .idx.gz, -ubyte.gz, .png: give a folder or another name", path)
	case err == nil && t.kind != pngFolder && info.IsDir():
		return nil, fmt.Errorf("%s is a folder, and its name ends like a file's: give another name", path)
	}
	if !force {
		if from != "" && from != Stream && same(path, from) {
			return nil, fmt.Errorf("%s is where the images come from: write elsewhere, or replace them with --force", path)
		}
	}
	if t.kind == pngFolder && err == nil {
		if err := t.look(n); err != nil {
			return nil, err
		}
	}
	if err := atomicfile.Writable(path); err != nil {
		return nil, err
	}
	return t, nil
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

// Write writes images of Pixels bytes each, all or none of them.
func (t *Target) Write(pixels []byte) error {
	if len(pixels)%Pixels != 0 {
		return fmt.Errorf("%d bytes are no whole number of %d×%d images", len(pixels), Side, Side)
	}
	n := len(pixels) / Pixels
	switch t.kind {
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
		return atomicfile.Write(t.path, func(w io.Writer) error { return encodePNG(w, pixels) })
	}
	return atomicfile.WriteDir(t.path, t.force, func(dir string) error {
		for i := range n {
			f, err := os.Create(filepath.Join(dir, number(i)))
			if err != nil {
				return err
			}
			if err := encodePNG(f, pixels[i*Pixels:(i+1)*Pixels]); err != nil {
				f.Close()
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}

func encodeIDX(pixels []byte) []byte {
	f := idx.File{Shape: []int{len(pixels) / Pixels, Side, Side}, Data: pixels}
	return f.Encode()
}

func encodePNG(w io.Writer, pixels []byte) error {
	return png.Encode(w, &image.Gray{Pix: pixels, Stride: Side, Rect: image.Rect(0, 0, Side, Side)})
}
