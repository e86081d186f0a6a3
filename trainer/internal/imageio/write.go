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
	stdout io.Writer
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

// numbered are the names that images get in a folder.
var numbered = regexp.MustCompile(`^[0-9]{5,}\.png$`)

// Create prepares to write n images to path. The path decides the form: an IDX
// file where it ends in .idx or -ubyte (gzipped where .gz follows), one PNG
// where it ends in .png, an IDX file on stdout for "-", and else a folder of
// PNGs named 00000.png on. An existing file is replaced. A folder may exist if
// it is empty or holds only such PNGs, which are replaced; with force, other
// files in it are no hindrance, and stay. Writing onto from, the path that the
// images came from, needs force too.
func Create(path, from string, n int, force bool, stdout io.Writer) (*Target, error) {
	t := &Target{path: path, stdout: stdout}
	name := strings.ToLower(path)
	bare := strings.TrimSuffix(name, ".gz")
	switch {
	case path == "":
		return nil, errors.New("the path to write to is empty")
	case path == Stream:
		t.kind = stream
		return t, nil
	case strings.HasSuffix(bare, ".idx") || strings.HasSuffix(bare, "-ubyte"):
		t.kind, t.zipped = idxFile, bare != name
	case strings.HasSuffix(name, ".png"):
		t.kind = onePNG
		if n != 1 {
			return nil, fmt.Errorf("%d images do not fit into the one PNG %s: give a folder, or a path that ends in .idx", n, path)
		}
	case foreign[filepath.Ext(name)]:
		return nil, fmt.Errorf("%s: files that end in %s cannot be written: end the path in .idx, -ubyte, .idx.gz, -ubyte.gz or .png, or give a folder", path, filepath.Ext(name))
	default:
		t.kind = pngFolder
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
		if t.kind == pngFolder && err == nil {
			if err := onlyNumbered(path); err != nil {
				return nil, err
			}
		}
	}
	if err := atomicfile.Writable(path); err != nil {
		return nil, err
	}
	return t, nil
}

// onlyNumbered reports what else than numbered PNGs and hidden files a folder
// holds.
func onlyNumbered(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", dir, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !numbered.MatchString(e.Name()) {
			return fmt.Errorf("the folder %s holds other things, such as %s: give a new one, or write 00000.png … among them with --force", dir, e.Name())
		}
	}
	return nil
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
	return atomicfile.WriteDir(t.path, numbered.MatchString, func(dir string) error {
		for i := range n {
			f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%05d.png", i)))
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
