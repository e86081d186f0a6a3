package imageio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
// progress, if it is not nil, is told of the pictures of a folder that were looked at,
// from any goroutine.
func ReadPictures(ctx context.Context, path string, stdin io.Reader, shape nn.Shape, progress func(done, total int)) (*Images, error) {
	if shape.H != shape.W || shape.C != 1 && shape.C != 3 {
		return nil, fmt.Errorf("pictures cannot be made images of %v: want squares of one channel or three", shape)
	}
	r := album{out: new(Images), shape: shape}
	switch {
	case path == "":
		return nil, errors.New("the path to read from is empty")
	case path == Stream:
		b, err := bounded.Read(stdin, "standard input", maxFile, nil)
		if err != nil {
			return nil, fmt.Errorf("cannot read the picture: %w", err)
		}
		p, err := r.make("standard input", b)
		if err != nil {
			return nil, err
		}
		r.add(p)
	default:
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the pictures: %w", err)
		}
		if info.IsDir() {
			err = r.folder(ctx, path, progress)
		} else {
			var p *square
			if p, err = r.file(path); err == nil {
				r.add(p)
			}
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

// square is a picture as an image.
type square struct {
	name   string
	w, h   int // as it came
	pixels []byte
}

// file makes an image of a file.
func (r *album) file(path string) (*square, error) {
	b, err := bounded.ReadFile(path, maxFile, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot read the picture: %w", err)
	}
	return r.make(path, b)
}

// make makes an image of the bytes of a file.
func (r *album) make(name string, b []byte) (*square, error) {
	p, err := photo.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &square{name: name, pixels: make([]byte, r.shape.Size())}
	s.w, s.h = p.Size()
	p.Square(s.pixels, r.shape.H, r.shape.C)
	return s, nil
}

// add adds an image to the others.
func (r *album) add(s *square) {
	if min(s.w, s.h) < r.shape.H {
		if r.enlarged++; r.enlarged == 1 {
			r.firstEnlarged = fmt.Sprintf("%s: %d×%d", s.name, s.w, s.h)
		}
	}
	r.out.Pixels = append(r.out.Pixels, s.pixels...)
	r.out.N++
	r.out.Names = append(r.out.Names, s.name)
}

func (r *album) folder(ctx context.Context, dir string, progress func(done, total int)) error {
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
	if err := memory.Check(fmt.Sprintf("%d pictures", len(names)), 2*int64(len(names))*int64(r.shape.Size())); err != nil {
		return err
	}
	slices.SortFunc(names, natural)
	squares, errs := make([]*square, len(names)), make([]error, len(names))
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(names) {
					return
				}
				squares[i], errs[i] = r.file(filepath.Join(dir, names[i]))
				if progress != nil {
					progress(int(done.Add(1)), len(names))
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	var first error
	for i, s := range squares {
		if errs[i] == nil {
			r.add(s)
			continue
		}
		first = cmp.Or(first, errs[i])
		r.out.Notes = append(r.out.Notes, fmt.Sprintf("passed over %v", errs[i]))
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
