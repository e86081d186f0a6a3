package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/picture"
)

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// grayOf is an image of 28×28 pixels, all of them another for another k.
func grayOf(k int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, Side, Side))
	for i := range img.Pix {
		img.Pix[i] = byte(i*k + k)
	}
	return img
}

// writeTree writes files below a new folder; nil stands for a folder.
func writeTree(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil && b == nil {
			err = os.MkdirAll(path, 0o777)
		} else if err == nil {
			err = os.WriteFile(path, b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, dir string) *Set {
	t.Helper()
	set, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestFolders: images with labels and without, in the order of their names, as
// they are or centered.
func TestFolders(t *testing.T) {
	large := image.NewNRGBA(image.Rect(0, 0, 90, 60)) // dark ink on white
	for i := range large.Pix {
		large.Pix[i] = 255
	}
	for y := 10; y < 50; y++ {
		for x := 40; x < 52; x++ {
			large.SetNRGBA(x, y, color.NRGBA{A: 255})
		}
	}
	inverse := image.NewNRGBA(image.Rect(0, 0, Side, Side))
	for i := range Pixels {
		v := byte(255 - i%256)
		inverse.SetNRGBA(i%Side, i/Side, color.NRGBA{v, v, v, 255})
	}
	files := map[string][]byte{
		"train/7/b.png": pngOf(t, grayOf(1)), "train/7/a.PNG": pngOf(t, grayOf(2)), "train/0/a.PNG": pngOf(t, grayOf(3)), "train/0/.hidden": {1},
		"test/3/large.png": pngOf(t, large), "test/3/own.png": pngOf(t, inverse),
	}
	set := open(t, writeTree(t, files))
	if set.Train.N != 3 || set.Train.Images != nil || !bytes.Equal(set.Train.Labels, []byte{0, 7, 7}) || !bytes.Equal(set.Test.Labels, []byte{3, 3}) {
		t.Fatalf("%+v", set)
	}
	x, all := make([]float32, Pixels), make([]float32, 3*Pixels)
	set.Train.Fill(all, []int{2, 0, 1})
	for i, k := range []int{3, 2, 1} {
		if !bytes.Equal(set.Train.Image(i), grayOf(k).Pix) {
			t.Errorf("image %d is not that of its name", i)
		}
		set.Train.Float32(x, i)
		for p, b := range grayOf(k).Pix {
			if x[p] != float32(b)/255 {
				t.Fatalf("image %d: pixel %d is %v, byte %d", i, p, x[p], b)
			}
		}
		if at := []int{1, 2, 0}[i] * Pixels; !slices.Equal(all[at:at+Pixels], x) {
			t.Errorf("Fill gives another image %d", i)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, large); err != nil {
		t.Fatal(err)
	}
	p, err := picture.DecodePNG(&file, picture.MaxArea)
	if err != nil {
		t.Fatal(err)
	}
	if err := center.Image(x, p.Gray, p.W, p.H); err != nil {
		t.Fatal(err)
	}
	for i, b := range set.Test.Image(0) {
		if d := float32(b) - 255*x[i]; d < -0.51 || d > 0.51 {
			t.Fatalf("pixel %d of the large image is %d, centered %v", i, b, 255*x[i])
		}
	}
	for i, b := range set.Test.Image(1) {
		if b != byte(255-i%256) {
			t.Fatalf("pixel %d of an image of 28×28 is %d", i, b)
		}
	}
	for _, k := range []int{1, 2, 9} {
		m, err := set.Train.InMemory(k)
		if n := min(k, 3); err != nil || m.N != n || len(m.Images) != n*Pixels || len(m.Labels) != n || !bytes.Equal(m.Image(n-1), set.Train.Image(n-1)) {
			t.Errorf("%d in memory: %v, %v", k, m, err)
		}
	}
	if err := set.Train.Err(); err != nil {
		t.Error(err)
	}
	plain := open(t, writeTree(t, map[string][]byte{"train/1.png": files["train/7/b.png"], "test/1.png": files["test/3/own.png"]}))
	if plain.Train.N != 1 || plain.Train.Labels != nil || plain.Test.Labels != nil {
		t.Errorf("without labels: %+v", plain)
	}
}

// TestFolderChecksums: other names, sizes or labels are other data; where the
// folder is does not matter. What is held out has its own.
func TestFolderChecksums(t *testing.T) {
	files := map[string][]byte{"test/0/x.png": pngOf(t, grayOf(1))}
	for i := range 20 {
		files[fmt.Sprintf("train/%d/%02d.png", i%2, i)] = pngOf(t, grayOf(i+1))
	}
	sums := func() map[string]string { return open(t, writeTree(t, files)).Checksums }
	was := sums()
	if len(was) != 2 || !maps.Equal(was, sums()) {
		t.Fatalf("two copies have the checksums %v and %v", was, sums())
	}
	set := open(t, writeTree(t, files))
	split, err := set.HoldOut(6)
	if err != nil {
		t.Fatal(err)
	}
	if split.Train.N != 14 || split.Test.N != 6 || len(split.Checksums) != 2 || split.Checksums[namesAndSizes+trainFolder] != was[namesAndSizes+trainFolder] {
		t.Errorf("held out: %+v", split)
	}
	memory, err := set.Train.InMemory(20)
	if err != nil {
		t.Fatal(err)
	}
	same, err := (&Set{Train: *memory}).HoldOut(6)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		if !bytes.Equal(same.Test.Image(i), split.Test.Image(i)) || same.Test.Labels[i] != split.Test.Labels[i] {
			t.Errorf("held-out image %d is another than in memory", i)
		}
	}
	for i := range 14 {
		if !bytes.Equal(same.Train.Image(i), split.Train.Image(i)) || same.Train.Labels[i] != split.Train.Labels[i] {
			t.Errorf("image %d that is left is another than in memory", i)
		}
	}
	b := files["train/0/00.png"]
	for what, change := range map[string]func(){
		"a file less":   func() { delete(files, "train/0/00.png") },
		"another size":  func() { files["train/0/00.png"] = append(slices.Clone(b), 0) },
		"another name":  func() { delete(files, "train/0/00.png"); files["train/0/000.png"] = b },
		"another label": func() { delete(files, "train/0/00.png"); files["train/1/00.png"] = b },
	} {
		before := maps.Clone(files)
		change()
		if now := sums(); now[namesAndSizes+trainFolder] == was[namesAndSizes+trainFolder] || now[namesAndSizes+testFolder] != was[namesAndSizes+testFolder] {
			t.Errorf("%s: %v, was %v", what, now, was)
		}
		files = before
	}
}

func TestFolderErrors(t *testing.T) {
	img := pngOf(t, grayOf(1))
	for name, c := range map[string]struct {
		files   map[string][]byte // beside train/a.png and test/a.png
		without string            // one of those
		link    [2]string         // from, to
		want    []string
	}{
		"a class of test":    {files: map[string][]byte{"test/boot/b.png": img, "train/3/b.png": img}, without: "a.png", want: []string{filepath.Join("test", "boot"), "0, 1, 2"}},
		"another class":      {files: map[string][]byte{"test/boot/b.png": img, "train/shoe/b.png": img}, without: "a.png", want: []string{filepath.Join("test", "boot"), "are shoe"}},
		"a class unnamed":    {files: map[string][]byte{"train/1/b.png": img, "test/1/b.png": img, "classes.txt": []byte("one\n")}, without: "a.png", want: []string{"label 0 is 1", "classes.txt", "0 to 0"}},
		"names with a gap":   {files: map[string][]byte{"classes.txt": []byte("one\n\nthree\n")}, want: []string{"classes.txt", "class 1 is empty", "on each line"}},
		"empty":              {files: map[string][]byte{"train/3": nil}, without: "train/a.png", want: []string{filepath.Join("train", "3"), "no PNG"}},
		"no images":          {files: map[string][]byte{"test": nil}, without: "test/a.png", want: []string{"test", "is empty"}},
		"a mix":              {files: map[string][]byte{"train/3/b.png": img}, want: []string{"train", "a.png", "folders (3)"}},
		"a folder too deep":  {files: map[string][]byte{"train/1/2/b.png": img}, without: "train/a.png", want: []string{filepath.Join("train", "1", "2"), "no deeper"}},
		"labels in one":      {files: map[string][]byte{"train/1/b.png": img}, without: "train/a.png", want: []string{"train", "test", "both"}},
		"another format":     {files: map[string][]byte{"test/b.jpg": img}, want: []string{"b.jpg", "not a PNG"}},
		"an empty file":      {files: map[string][]byte{"test/b.png": {}}, want: []string{"b.png", "is empty"}},
		"a loop of links":    {link: [2]string{"train/b.png", "b.png"}, want: []string{"b.png"}},
		"a link to nothing":  {link: [2]string{"train/b.png", "nowhere"}, want: []string{"b.png"}},
		"a folder in itself": {without: "train/a.png", link: [2]string{"train/1", "."}, want: []string{filepath.Join("train", "1", "1"), "no deeper"}},
		"IDX files too":      {files: map[string][]byte{trainImages: {1}}, want: []string{"both IDX files and a folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{"train/a.png": img, "test/a.png": img}
			maps.DeleteFunc(files, func(name string, _ []byte) bool { return c.without != "" && strings.HasSuffix(name, c.without) })
			maps.Copy(files, c.files)
			dir := writeTree(t, files)
			if c.link[0] != "" {
				from := filepath.Join(dir, filepath.FromSlash(c.link[0]))
				if err := os.MkdirAll(filepath.Dir(from), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(c.link[1], from); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(t.Context(), dir)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, dir) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
	dir := writeTree(t, map[string][]byte{"train/a.png": img})
	if _, err := Open(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), testFolder) {
		t.Errorf("no folder test: %v", err)
	}
	if _, err := Open(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "PNG") || !strings.Contains(err.Error(), trainImages) {
		t.Errorf("an empty folder: %v", err)
	}
	dir = writeTree(t, map[string][]byte{"train/a.png": img, "test/a.png": img})
	if _, err := Load(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "IDX") {
		t.Errorf("folders where they cannot be taken: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// huge is a PNG that claims to be w×h pixels.
func huge(t *testing.T, w, h uint32) []byte {
	b := slices.Clone(pngOf(t, grayOf(1)))
	header := b[12:29] // IHDR
	binary.BigEndian.PutUint32(header[4:], w)
	binary.BigEndian.PutUint32(header[8:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(header))
	return b
}

// TestBrokenImages: what is found out only when an image is read is an error that
// names it, and the image is black.
func TestBrokenImages(t *testing.T) {
	good := pngOf(t, grayOf(1))
	torn := slices.Clone(good)
	torn[len(torn)-30] ^= 1
	for name, c := range map[string]struct {
		b    []byte
		then func(path string) error // after the set was opened
		want string
	}{
		"text":          {b: []byte("hello"), want: "broken PNG"},
		"cut off":       {b: good[:len(good)/2], want: "broken PNG"},
		"a bit flipped": {b: torn, want: "broken PNG"},
		"huge":          {b: huge(t, 1<<20, 1<<20), want: "1048576 × 1048576"},
		"long":          {b: huge(t, 1<<15, 1), want: "32768 × 1"},
		"blank":         {b: pngOf(t, image.NewGray(image.Rect(0, 0, 40, 40))), want: "page is empty"},
		"gone":          {b: good, then: os.Remove, want: "no such file"},
		"shorter":       {b: good, then: func(p string) error { return os.WriteFile(p, good[:50], 0o666) }, want: "another size"},
		"longer":        {b: good, then: func(p string) error { return os.WriteFile(p, append(slices.Clone(good), 0), 0o666) }, want: "another size"},
	} {
		dir := writeTree(t, map[string][]byte{"train/a.png": good, "train/b.png": c.b, "test/a.png": good})
		set, path := open(t, dir), filepath.Join(dir, "train", "b.png")
		if c.then != nil {
			if err := c.then(path); err != nil {
				t.Fatal(err)
			}
		}
		x := make([]float32, 2*Pixels)
		for i := range x {
			x[i] = 1
		}
		set.Train.Fill(x, []int{0, 1})
		err := set.Train.Err()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q that names the file", name, err, c.want)
		}
		if slices.ContainsFunc(x[Pixels:], func(v float32) bool { return v != 0 }) || x[1] == 0 {
			t.Errorf("%s: the image is not black, or the other is", name)
		}
		if _, err := set.Train.InMemory(2); err == nil {
			t.Errorf("%s: taken into memory", name)
		}
	}
}

// TestFoldersKeepNoImages: what a set holds in memory grows with its files by
// their names alone, before and after all were read.
func TestFoldersKeepNoImages(t *testing.T) {
	const few, many, mostEach = 500, 5000, 200 // bytes; an image has 784
	img := pngOf(t, grayOf(1))
	held := func(n int) uint64 {
		files := map[string][]byte{"test/a.png": img}
		for i := range n {
			files[fmt.Sprintf("train/%06d.png", i)] = img
		}
		dir := writeTree(t, files)
		clear(files)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		set := open(t, dir)
		x, at := make([]float32, 100*Pixels), make([]int, 100)
		for i := 0; i < n; i += len(at) {
			for k := range at {
				at[k] = i + k
			}
			set.Train.Fill(x, at)
		}
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err := set.Train.Err(); err != nil {
			t.Fatal(err)
		}
		runtime.KeepAlive(set)
		runtime.KeepAlive(x)
		return max(after.HeapAlloc, before.HeapAlloc) - before.HeapAlloc
	}
	if a, b := held(few), held(many); b > a+(many-few)*mostEach {
		t.Errorf("%d files hold %d bytes, %d hold %d", few, a, many, b)
	}
}
