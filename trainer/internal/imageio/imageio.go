// Package imageio reads and writes the digits that people feed to the nets: IDX
// files, single PNGs and folders of PNGs. Whatever comes in becomes bytes of 28
// × 28 pixels; whatever goes out is complete or not there.
package imageio

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mppm/shared/center"
	"mppm/shared/idx"
	"mppm/shared/picture"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/sniff"
)

const (
	// Side is the height and width of a digit, in pixels.
	Side = 28
	// Pixels is how many bytes one image has.
	Pixels = Side * Side
)

// Stream is the path that stands for standard input or output.
const Stream = "-"

// maxFile bounds what is read of one file: far more than any set of digits
// needs, far less than a memory holds.
const maxFile = 1 << 30

// maxImages bounds what becomes of a file: a small one can hold a thousand million
// images of one pixel, each of which is scaled to Pixels.
const maxImages = maxFile / Pixels

// Images are digits as bytes, and where they came from.
type Images struct {
	N      int
	Pixels []byte   // N×28×28, row-major; 0 is the ground and 255 full ink
	Names  []string // of each image: its file, or file and number
	Notes  []string // what a person should know of the reading, a sentence each
}

// Quantize writes src as bytes: the nearest of 256 levels, with what is outside
// [0, 1] moved to its ends. Numbers that are not finite are the caller's to
// find; NaN becomes 0.
func Quantize(dst []byte, src []float32) {
	for i, v := range src {
		switch {
		case !(v > 0): // NaN too
			dst[i] = 0
		case v >= 1:
			dst[i] = 255
		default:
			dst[i] = byte(float32(v*255) + 0.5)
		}
	}
}

// Read reads all images at path: an IDX file (gzipped or not) or a PNG, told
// apart by their first bytes; a folder, whose PNGs are taken in natural order
// (2.png before 10.png); or, for "-", a file from stdin. What becomes of a PNG is
// said in package center, and the options change it; images of an IDX file are
// digits already, and scaled to fit, centered on 0, with their aspect kept, where
// they have another size. Notes says what was done.
func Read(path string, stdin io.Reader, o center.Options) (*Images, error) {
	r := reader{out: new(Images), options: o, done: make(map[string]deed)}
	switch {
	case path == "":
		return nil, errors.New("the path to read from is empty")
	case path == Stream:
		b, err := readAll(stdin, "standard input")
		if err != nil {
			return nil, err
		}
		if err := r.file("standard input", b); err != nil {
			return nil, err
		}
	default:
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the images: %w", err)
		}
		if info.IsDir() {
			err = r.folder(path)
		} else {
			var b []byte
			if b, err = readFile(path); err == nil {
				err = r.file(path, b)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.out.N == 0 {
		return nil, fmt.Errorf("%s holds no images", path)
	}
	if r.resized > 0 {
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%s not %d×%d pixels (%s): scaled to fit, aspect kept, centered on black",
			wereOf(r.resized, r.out.N), Side, Side, r.firstResized))
	}
	// In one order, whatever was done first.
	for _, what := range slices.Sorted(maps.Keys(r.done)) {
		d := r.done[what]
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%s taken as a picture of a digit (%s): %s", wereOf(d.n, r.out.N), d.first, what))
	}
	return r.out, nil
}

func wereOf(n, all int) string {
	switch {
	case all == 1:
		return "the image is"
	case n == 1:
		return fmt.Sprintf("1 of %d images is", all)
	}
	return fmt.Sprintf("%d of %d images are", n, all)
}

type reader struct {
	out          *Images
	resized      int
	firstResized string // "a.png is 64×48"
	options      center.Options
	done         map[string]deed // by what was done
}

// deed is of how many pictures something was done, and the first of them.
type deed struct {
	n     int
	first string
}

// file takes the images of one file's bytes.
func (r *reader) file(name string, b []byte) error {
	switch {
	case bytes.HasPrefix(b, []byte(picture.Magic)):
		return r.png(name, b)
	case idx.IsIDX(b):
		return r.idx(name, b)
	case len(b) == 0:
		return fmt.Errorf("%s is empty: IDX files and PNGs can be read", name)
	}
	if what, _ := sniff.Of(b); what != "" {
		return sniff.Refuse(name, b, "an IDX file or a PNG")
	}
	return fmt.Errorf("%s is neither an IDX file nor a PNG: convert it to PNG", name)
}

func (r *reader) idx(name string, b []byte) error {
	f, err := idx.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n, h, w, err := f.Images()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if n > 0 && (h == 0 || w == 0) {
		return fmt.Errorf("%s: its images are %d×%d, they have no pixels", name, w, h)
	}
	if n > maxImages-r.out.N {
		return fmt.Errorf("%s holds %d images, more than %d: split it", name, n, maxImages)
	}
	for i := range n {
		r.out.Names = append(r.out.Names, fmt.Sprintf("%s[%d]", name, i))
	}
	r.out.N += n
	if h == Side && w == Side {
		r.out.Pixels = append(r.out.Pixels, f.Data...)
		return nil
	}
	for i := range n {
		image := f.Data[i*h*w : (i+1)*h*w]
		r.out.Pixels = append(r.out.Pixels, fit(w, h, func(dst []float64, y int) {
			for x, v := range image[y*w : (y+1)*w] {
				dst[x] = float64(v) / 255
			}
		})...)
	}
	r.noteSize(name, n, w, h)
	return nil
}

func (r *reader) noteSize(name string, n, w, h int) {
	if r.resized == 0 && n > 0 {
		r.firstResized = fmt.Sprintf("%s: %d×%d", name, w, h)
	}
	r.resized += n
}

func (r *reader) folder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot read the images: %w", err)
	}
	var names []string
	others := 0
	for _, e := range entries {
		if sniff.Litter(e.Name()) {
			continue
		}
		if strings.EqualFold(filepath.Ext(e.Name()), ".png") && isFile(dir, e) {
			names = append(names, e.Name())
		} else {
			others++
		}
	}
	if len(names) == 0 {
		if others > 0 {
			return fmt.Errorf("the folder %s holds no PNG (it has %d other entries, which are not looked into)", dir, others)
		}
		return fmt.Errorf("the folder %s is empty: put PNGs into it", dir)
	}
	slices.SortFunc(names, natural)
	for _, name := range names {
		path := filepath.Join(dir, name)
		b, err := readFile(path)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(b, []byte(picture.Magic)) {
			if err := sniff.Refuse(path, b, "a PNG"); err != nil {
				return err
			}
			return fmt.Errorf("%s is not a PNG", path)
		}
		if err := r.png(path, b); err != nil {
			return err
		}
	}
	if others > 0 {
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%d entries of %s are not PNGs and were left out", others, dir))
	}
	return nil
}

// isFile reports whether an entry of a folder is a file, or a link to one: a pipe of
// that name would have its reader wait.
func isFile(dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular()
	}
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err != nil || info.Mode().IsRegular() // a link to nothing is worth an error
}

func readFile(path string) ([]byte, error) {
	var head []byte
	b, err := bounded.ReadFile(path, maxFile, recognize(&head))
	return explain(b, head, err)
}

func readAll(r io.Reader, name string) ([]byte, error) {
	var head []byte
	b, err := bounded.Read(r, name, maxFile, recognize(&head))
	return explain(b, head, err)
}

// errUnknown says that bytes are of no file that can be read.
var errUnknown = errors.New("unknown")

// recognize keeps the start of what is read, and looks whether it is worth reading
// on.
func recognize(head *[]byte) func([]byte) error {
	return func(b []byte) error {
		if *head = b; bytes.HasPrefix(b, []byte(picture.Magic)) || idx.IsIDX(b) {
			return nil
		}
		return errUnknown
	}
}

// explain leaves what is unknown to whoever can say more of it.
func explain(b, head []byte, err error) ([]byte, error) {
	switch {
	case errors.Is(err, errUnknown):
		return head, nil
	case err != nil:
		return nil, fmt.Errorf("cannot read the images: %w", err)
	}
	return b, nil
}

// natural orders names as people count: runs of digits by their value, the rest
// by letters whatever their case, and equal ones by their bytes.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		nx, ny := digits(x), digits(y)
		if nx > 0 && ny > 0 {
			// By length without leading zeros first: no number is too long.
			dx, dy := strings.TrimLeft(x[:nx], "0"), strings.TrimLeft(y[:ny], "0")
			if c := cmp.Or(cmp.Compare(len(dx), len(dy)), strings.Compare(dx, dy)); c != 0 {
				return c
			}
			x, y = x[nx:], y[ny:]
			continue
		}
		if c := cmp.Compare(lower(x[0]), lower(y[0])); c != 0 {
			return c
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// same reports whether two paths are one file or folder.
func same(a, b string) bool {
	ia, err := os.Stat(a)
	if err != nil {
		return false
	}
	ib, err := os.Stat(b)
	return err == nil && os.SameFile(ia, ib)
}

// isMissing reports whether nothing is at path.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
