package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNames finds data sets as they are published and unpacked elsewhere.
func TestNames(t *testing.T) {
	images := map[string][]byte{"train": rawIDX(ramp(3), 3, 28, 28), "test": rawIDX(ramp(2), 2, 28, 28)}
	labels := map[string][]byte{"train": rawIDX([]byte{1, 2, 3}, 3), "test": rawIDX([]byte{4, 5}, 2)}
	for name, c := range map[string]struct {
		train, test string // %s: images or labels, and the number of dimensions
		data        string // below the folder, what --data names
		zip         bool
	}{
		"published":          {"train-%s-idx%d-ubyte", "t10k-%s-idx%d-ubyte", "", false},
		"published, gzipped": {"train-%s-idx%d-ubyte.gz", "t10k-%s-idx%d-ubyte.gz", "", true},
		"a dot":              {"train-%s.idx%d-ubyte", "t10k-%s.idx%d-ubyte", "", false},
		"underscores":        {"Train_%s_idx%d_ubyte", "TEST_%s_idx%d_ubyte", "", false},
		"an ending":          {"train-%s-idx%d-ubyte.idx", "t10k-%s-idx%d-ubyte.idx", "", false},
		"folders by name":    {"train-%[1]s-idx%[2]d-ubyte/train-%[1]s-idx%[2]d-ubyte", "t10k-%[1]s-idx%[2]d-ubyte/t10k-%[1]s-idx%[2]d-ubyte", "", false},
		"torchvision":        {"MNIST/raw/train-%s-idx%d-ubyte", "MNIST/raw/t10k-%s-idx%d-ubyte", "", false},
		"torchvision, above": {"data/MNIST/raw/train-%s-idx%d-ubyte", "data/MNIST/raw/t10k-%s-idx%d-ubyte", "", false},
		"torchvision, below": {"data/MNIST/raw/train-%s-idx%d-ubyte", "data/MNIST/raw/t10k-%s-idx%d-ubyte", "data/MNIST", false},
		"EMNIST":             {"emnist-digits-train-%s-idx%d-ubyte", "emnist-digits-test-%s-idx%d-ubyte", "", false},
		"EMNIST's archive":   {"gzip/emnist-mnist-train-%s-idx%d-ubyte.gz", "gzip/emnist-mnist-test-%s-idx%d-ubyte.gz", "", true},
		"EMNIST by prefix":   {"gzip/emnist-mnist-train-%s-idx%d-ubyte.gz", "gzip/emnist-mnist-test-%s-idx%d-ubyte.gz", "gzip/emnist-mnist", true},
		"a file of it":       {"train-%s-idx%d-ubyte", "t10k-%s-idx%d-ubyte", "train-images-idx3-ubyte", false},
		"validation":         {"train-%s-idx%d-ubyte", "val-%s-idx%d-ubyte", "", false},
	} {
		tree := map[string][]byte{".DS_Store": {1}, "__MACOSX/._train-images-idx3-ubyte": {1}, "._t10k-images-idx3-ubyte": {1}, "notes.txt": {1}}
		for part, format := range map[string]string{"train": c.train, "test": c.test} {
			for what, b := range map[string][]byte{fmt.Sprintf(format, "images", 3): images[part], fmt.Sprintf(format, "labels", 1): labels[part]} {
				if c.zip {
					b = zipped(t, b)
				}
				tree[what] = b
			}
		}
		if name == "EMNIST by prefix" { // another set lies beside it
			tree["gzip/emnist-letters-train-images-idx3-ubyte.gz"] = zipped(t, images["test"])
		}
		dir := writeTree(t, tree)
		set, err := Load(t.Context(), filepath.Join(dir, c.data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if set.Train.N != 3 || set.Test.N != 2 || !bytes.Equal(set.Train.Labels, []byte{1, 2, 3}) || !bytes.Equal(set.Test.Labels, []byte{4, 5}) {
			t.Errorf("%s: %d and %d images, labels %v and %v", name, set.Train.N, set.Test.N, set.Train.Labels, set.Test.Labels)
		}
		if set.EMNIST != strings.HasPrefix(name, "EMNIST") {
			t.Errorf("%s: EMNIST is %v", name, set.EMNIST)
		}
		suffix := ""
		if c.zip {
			suffix = ".gz"
		}
		for _, want := range []string{trainImages, trainLabels, testImages, testLabels} {
			if set.Checksums[want+suffix] == "" {
				t.Errorf("%s: no checksum of %s in %v", name, want, set.Checksums)
			}
		}
	}
}

// TestFolderNames finds folders of images by other names than train and test, and
// passes over what operating systems leave.
func TestFolderNames(t *testing.T) {
	img := pngOf(t, grayOf(1))
	for name, c := range map[string]struct {
		train, test string
		also        []string
		note        string
	}{
		"usual":         {"train", "test", nil, ""},
		"mnist_png":     {"mnist_png/training", "mnist_png/testing", nil, ""},
		"capitals":      {"Train", "TEST", nil, ""},
		"validation":    {"train", "val", nil, ""},
		"three":         {"train", "test", []string{"val/0/a.png", "Validation/0/a.png"}, "left out"},
		"Windows":       {"train", "test", []string{"Thumbs.db", "train/Thumbs.db", "train/0/Thumbs.db", "test/desktop.ini", "test/3/DESKTOP.INI"}, ""},
		"Macintosh":     {"train", "test", []string{".DS_Store", "train/.DS_Store", "train/0/._a.png", "test/__MACOSX/0/._a.png", "__MACOSX/train/._0"}, ""},
		"a test folder": {"data/train", "data/test", []string{"test/go_test.go"}, ""},
	} {
		tree := map[string][]byte{}
		for _, class := range []string{"0", "3"} {
			tree[c.train+"/"+class+"/a.png"], tree[c.test+"/"+class+"/b.png"] = img, img
		}
		for _, file := range c.also {
			tree[file] = img
		}
		set, err := Open(t.Context(), writeTree(t, tree))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if set.Train.N != 2 || set.Test.N != 2 || !slices.Equal(set.Test.Labels, []byte{0, 3}) {
			t.Errorf("%s: %d and %d images, labels %v", name, set.Train.N, set.Test.N, set.Test.Labels)
		}
		if notes := strings.Join(set.Notes, "; "); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
			t.Errorf("%s: notes %q", name, notes)
		}
		if len(set.Checksums) != 2 || set.Checksums[namesAndSizes+trainFolder] == "" || set.Checksums[namesAndSizes+testFolder] == "" {
			t.Errorf("%s: checksums %v", name, set.Checksums)
		}
	}
}

// TestNotFound: whoever gives the wrong folder hears what is in it.
func TestNotFound(t *testing.T) {
	img := pngOf(t, grayOf(1))
	one := rawIDX(ramp(1), 1, 28, 28)
	many := map[string][]byte{}
	for i := range 30 {
		many[fmt.Sprintf("%02d%s.txt", i, strings.Repeat("x", 100))] = []byte{}
	}
	for name, c := range map[string]struct {
		tree map[string][]byte
		want []string
	}{
		"empty":        {map[string][]byte{".DS_Store": {}}, []string{"it is empty"}},
		"classes":      {map[string][]byte{"0/a.png": img, "1/a.png": img}, []string{"it holds the folder 0, the folder 1", "folders train and test"}},
		"many":         {many, []string{"and 22 more", strings.Repeat("x", 38) + "…"}},
		"commands":     {map[string][]byte{"a\x1b[2J": {}}, []string{"a·[2J"}},
		"one part":     {map[string][]byte{"training/a.png": img, "notes": {}}, []string{"no folder test", "the folder training"}},
		"one file":     {map[string][]byte{trainImages: one}, []string{"holds neither " + testImages, "it holds " + trainImages}},
		"twice":        {map[string][]byte{"train/a.png": img, "training/a.png": img, "test/a.png": img}, []string{"both train and training"}},
		"several sets": {map[string][]byte{"MNIST/raw/" + trainImages: one, "FashionMNIST/raw/" + trainImages: one}, []string{"2 data sets: give one", "FashionMNIST"}},
		"several of one": {map[string][]byte{"emnist-digits-train-images-idx3-ubyte": one, "emnist-mnist-train-images-idx3-ubyte": one},
			[]string{"2 data sets: give one", "emnist-digits, ", "emnist-mnist"}},
		"a page":      {map[string][]byte{trainImages + ".gz": []byte("<!DOCTYPE html><title>Not Found</title>"), testImages: one}, []string{trainImages + ".gz is an HTML page", "Not Found", "not an IDX file"}},
		"a pointer":   {map[string][]byte{trainImages: []byte("version https://git-lfs.github.com/spec/v1\noid"), testImages: one}, []string{"Git LFS"}},
		"an archive":  {map[string][]byte{trainImages: []byte("PK\x03\x04aaaaaa"), testImages: one}, []string{"zip archive"}},
		"a message":   {map[string][]byte{trainImages: []byte("no such key"), testImages: one}, []string{`text that begins "no such key"`}},
		"other types": {map[string][]byte{trainImages: {0, 0, 0x0d, 1, 0, 0, 0, 0}, testImages: one}, []string{"32-bit float"}},
	} {
		_, err := Open(t.Context(), writeTree(t, c.tree))
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) || len(err.Error()) > 2000 {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
	dir := writeTree(t, map[string][]byte{"train.zip": []byte("PK\x03\x04aaaaaa"), "emnist-mnist-train-images-idx3-ubyte": one})
	if _, err := Open(t.Context(), filepath.Join(dir, "train.zip")); err == nil || !strings.Contains(err.Error(), "zip archive") {
		t.Errorf("an archive for a folder: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "emnist-digits")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such set: %v", err)
	}
}

// TestTranspose swaps rows and columns, of files as of images in memory, and twice
// is not at all.
func TestTranspose(t *testing.T) {
	b := ramp(2)
	for i := range b {
		b[i] = byte(i % 251)
	}
	swapped := func(image []byte) []byte {
		out := make([]byte, Pixels)
		for y := range Side {
			for x := range Side {
				out[x*Side+y] = image[y*Side+x]
			}
		}
		return out
	}
	for name, tree := range map[string]map[string][]byte{
		"memory": {trainImages: rawIDX(b, 2, 28, 28), testImages: rawIDX(b[:Pixels], 1, 28, 28)},
		"files":  {"train/0.png": pngOf(t, &image.Gray{Pix: b[:Pixels], Stride: Side, Rect: image.Rect(0, 0, Side, Side)}), "train/1.png": pngOf(t, &image.Gray{Pix: b[Pixels:], Stride: Side, Rect: image.Rect(0, 0, Side, Side)}), "test/0.png": pngOf(t, &image.Gray{Pix: b[:Pixels], Stride: Side, Rect: image.Rect(0, 0, Side, Side)})},
	} {
		dir := writeTree(t, tree)
		set, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		sums := fmt.Sprint(set.Checksums)
		set.Transpose()
		if fmt.Sprint(set.Checksums) == sums {
			t.Errorf("%s: the checksums do not tell", name)
		}
		held, err := set.HoldOut(1)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]byte{swapped(b[:Pixels]), swapped(b[Pixels:])} {
			if !bytes.Equal(set.Train.Image(i), want) {
				t.Errorf("%s: image %d is not transposed", name, i)
			}
		}
		if !bytes.Equal(set.Test.Image(0), swapped(b[:Pixels])) || set.Train.Err() != nil {
			t.Errorf("%s: the test image is not transposed (%v)", name, set.Train.Err())
		}
		if got := held.Test.Image(0); !bytes.Equal(got, swapped(b[:Pixels])) && !bytes.Equal(got, swapped(b[Pixels:])) {
			t.Errorf("%s: what is held out is not transposed", name)
		}
		set.Transpose()
		if !bytes.Equal(set.Train.Image(1), b[Pixels:]) {
			t.Errorf("%s: transposed twice it is another image", name)
		}
	}
}

// TestFolderSniffs: a picture that is none is named.
func TestFolderSniffs(t *testing.T) {
	img := pngOf(t, grayOf(1))
	set, err := Open(t.Context(), writeTree(t, map[string][]byte{"train/a.png": []byte("<html><body>"), "test/a.png": img}))
	if err != nil {
		t.Fatal(err)
	}
	set.Train.Image(0)
	if err := set.Train.Err(); err == nil || !strings.Contains(err.Error(), "a.png is an HTML page, not a PNG") {
		t.Error(err)
	}
}
