package imageio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mppm/shared/nn"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/memory"
	"mppm/trainer/internal/photo"
	"mppm/trainer/internal/sniff"
)

// suffixes are how the names of pictures end, in a folder of them.
var suffixes = []string{".jpg", ".jpeg", ".png", ".webp", ".gif"}

// IsPicture reports whether a file in a folder is a picture by its name.
func IsPicture(name string) bool {
	return slices.Contains(suffixes, strings.ToLower(filepath.Ext(name)))
}

// ReadPictures reads pictures at path as images of a shape, which is square, in color or
// gray: a JPEG, PNG, WebP or GIF file; a folder, whose files of that kind are taken in
// natural order; or, for "-", one from stdin. Of each the largest square in the middle is
// taken and scaled, upright, as package photo does it for training. In a folder, what
// cannot be used is passed over. Notes says so, with the reason, and what was enlarged.
func ReadPictures(path string, stdin io.Reader, shape nn.Shape) (*Images, error) {
	if shape.H != shape.W || shape.C != 1 && shape.C != 3 {
		return nil, fmt.Errorf("pictures cannot be made images of %v: want squares of one channel or three", shape)
	}
	r := album{out: new(Images), shape: shape}
	switch {
	case path == "":
		return nil, errors.New("the path to read from is empty")
	case path == Stream:
		b, err := bounded.Read(stdin, "standard input", maxFile, nil)
		if err == nil {
			err = r.add("standard input", b)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the picture: %w", err)
		}
	default:
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the pictures: %w", err)
		}
		if info.IsDir() {
			err = r.folder(path)
		} else {
			err = r.file(path)
		}
		if err != nil {
			return nil, err
		}
	}
	if r.enlarged > 0 {
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%s smaller than the model's images of %d×%d pixels (%s), and enlarged", wereOf(r.enlarged, r.out.N), shape.W, shape.H, r.firstEnlarged))
	}
	return r.out, nil
}

// album makes images of pictures.
type album struct {
	out           *Images
	shape         nn.Shape
	enlarged      int
	firstEnlarged string // "a.png: 20×30"
}

// file adds the picture of a file.
func (r *album) file(path string) error {
	b, err := bounded.ReadFile(path, maxFile, nil)
	if err != nil {
		return fmt.Errorf("cannot read the picture: %w", err)
	}
	return r.add(path, b)
}

// add adds the picture that bytes are.
func (r *album) add(name string, b []byte) error {
	p, err := photo.Decode(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if w, h := p.Size(); min(w, h) < r.shape.H {
		if r.enlarged++; r.enlarged == 1 {
			r.firstEnlarged = fmt.Sprintf("%s: %d×%d", name, w, h)
		}
	}
	at := len(r.out.Pixels)
	r.out.Pixels = append(r.out.Pixels, make([]byte, r.shape.Size())...)
	p.Square(r.out.Pixels[at:], r.shape.H, r.shape.C)
	r.out.N++
	r.out.Names = append(r.out.Names, name)
	return nil
}

func (r *album) folder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cannot read the pictures: %w", err)
	}
	var names []string
	others := 0
	for _, e := range entries {
		switch {
		case sniff.Litter(e.Name()):
		case IsPicture(e.Name()) && isFile(dir, e):
			names = append(names, e.Name())
		default:
			others++
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("the folder %s holds no pictures (it has %d other entries, which are not looked into): their names end in %s", dir, others, strings.Join(suffixes, ", "))
	}
	if err := memory.Check(fmt.Sprintf("%d pictures", len(names)), int64(len(names))*int64(r.shape.Size())); err != nil {
		return err
	}
	slices.SortFunc(names, natural)
	var first error
	for _, name := range names {
		if err := r.file(filepath.Join(dir, name)); err != nil {
			if first == nil {
				first = err
			}
			r.out.Notes = append(r.out.Notes, fmt.Sprintf("passed over %v", err))
		}
	}
	if r.out.N == 0 {
		return fmt.Errorf("no picture of %s can be used; the first: %w", dir, first)
	}
	if others > 0 {
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("%d entries of %s are no pictures by their names and were left out", others, dir))
	}
	return nil
}

// PNGNames returns the names that images of these files get as PNGs in one folder: their
// own, with .png at the end. A PNG keeps its name where a picture of another format is
// beside it, which then has all of its own before the .png. It returns an error where two
// would get one name.
func PNGNames(files []string) ([]string, error) {
	names := make([]string, len(files))
	taken := map[string]string{} // by the name without regard to case
	for _, pngs := range []bool{true, false} {
		for i, file := range files {
			base := filepath.Base(file)
			ext := filepath.Ext(base)
			if strings.EqualFold(ext, ".png") != pngs {
				continue
			}
			name := strings.TrimSuffix(base, ext) + ".png"
			if taken[strings.ToLower(name)] != "" && !pngs {
				name = base + ".png"
			}
			if other := taken[strings.ToLower(name)]; other != "" {
				return nil, fmt.Errorf("%s and %s would both be written as %s: rename one", other, file, name)
			}
			names[i], taken[strings.ToLower(name)] = name, file
		}
	}
	return names, nil
}
