package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rawIDX writes the format by hand, apart from the package under test.
func rawIDX(data []byte, shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, data...)
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func ramp(n int) []byte {
	b := make([]byte, n*Pixels)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestMNIST(t *testing.T) {
	set, err := Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if set.Name != "mnist" || set.Train.N != 60000 || set.Test.N != 10000 {
		t.Fatalf("%s: %d and %d images", set.Name, set.Train.N, set.Test.N)
	}
	if len(set.Train.Images) != 60000*Pixels || len(set.Test.Images) != 10000*Pixels {
		t.Fatalf("%d and %d bytes", len(set.Train.Images), len(set.Test.Images))
	}
	// The class counts of MNIST, as published with it.
	want := [Classes]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}
	var got [Classes]int
	for _, l := range set.Train.Labels {
		got[l]++
	}
	if got != want {
		t.Errorf("classes of the training set %v, want %v", got, want)
	}
	if !bytes.Equal(set.Test.Labels[:5], []byte{7, 2, 1, 0, 4}) {
		t.Errorf("the test set starts with %v", set.Test.Labels[:5])
	}
	// The mean of the training pixels, 0.1307, is what everyone normalizes with.
	var sum float64
	for _, p := range set.Train.Images {
		sum += float64(p)
	}
	if mean := sum / 255 / float64(len(set.Train.Images)); mean < 0.1306 || mean > 0.1308 {
		t.Errorf("mean of the training pixels %.5f, want 0.1307", mean)
	}
	if len(set.Checksums) != 4 {
		t.Errorf("checksums %v", set.Checksums)
	}
	x := make([]float32, Pixels)
	set.Test.Float32(x, 9999)
	for i, b := range set.Test.Image(9999) {
		if x[i] != float32(b)/255 {
			t.Fatalf("pixel %d is %v, byte %d", i, x[i], b)
		}
	}
}

func TestOwnFiles(t *testing.T) {
	dir := folder(t, map[string][]byte{
		trainImages + ".gz": zipped(t, rawIDX(ramp(3), 3, 28, 28)),
		trainLabels:         rawIDX([]byte{1, 2, 3}, 3),
		testImages:          rawIDX(ramp(2), 2, 28, 28),
	})
	set, err := Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 3 || set.Test.N != 2 || !bytes.Equal(set.Train.Images, ramp(3)) || !bytes.Equal(set.Test.Images, ramp(2)) {
		t.Errorf("%d and %d images", set.Train.N, set.Test.N)
	}
	if !bytes.Equal(set.Train.Labels, []byte{1, 2, 3}) || set.Test.Labels != nil {
		t.Errorf("labels %v and %v", set.Train.Labels, set.Test.Labels)
	}
	if set.Name != dir || len(set.Checksums) != 3 || len(set.Checksums[trainImages+".gz"]) != 32 {
		t.Errorf("name %q, checksums %v", set.Name, set.Checksums)
	}
}

func TestOwnFilesErrors(t *testing.T) {
	good := func() map[string][]byte {
		return map[string][]byte{
			trainImages: rawIDX(ramp(2), 2, 28, 28), trainLabels: rawIDX([]byte{0, 9}, 2),
			testImages: rawIDX(ramp(1), 1, 28, 28), testLabels: rawIDX([]byte{5}, 1),
		}
	}
	if _, err := Load(t.Context(), folder(t, good())); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		data []byte // nil: the file is missing
		want []string
	}{
		"no training images": {trainImages, nil, []string{"holds neither", trainImages + ".gz"}},
		"no test images":     {testImages, nil, []string{"holds neither", testImages}},
		"another size":       {trainImages, rawIDX(make([]byte, 2*30*20), 2, 30, 20), []string{trainImages, "20×30", "28×28"}},
		"no images in it":    {testImages, rawIDX(nil, 0, 28, 28), []string{testImages, "no images"}},
		"truncated":          {trainImages, rawIDX(ramp(2), 2, 28, 28)[:1000], []string{trainImages}},
		"truncated gzip":     {trainImages, zipped(t, rawIDX(ramp(2), 2, 28, 28))[:40], []string{trainImages}},
		"not an IDX file":    {trainImages, []byte("hello, this is text"), []string{trainImages}},
		"labels for images":  {trainImages, rawIDX([]byte{1, 2}, 2), []string{trainImages}},
		"images for labels":  {trainLabels, rawIDX(ramp(2), 2, 28, 28), []string{trainLabels}},
		"too few labels":     {trainLabels, rawIDX([]byte{1}, 1), []string{trainLabels, "1 labels for the 2 images"}},
		"a label of 10":      {testLabels, rawIDX([]byte{10}, 1), []string{testLabels, "label 0 is 10"}},
	} {
		files := good()
		if files[c.file] = c.data; c.data == nil {
			delete(files, c.file)
		}
		dir := folder(t, files)
		_, err := Load(t.Context(), dir)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range append(c.want, dir) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", name, err, want)
			}
		}
	}
	if _, err := Load(t.Context(), filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	file := filepath.Join(folder(t, map[string][]byte{"digits": {1}}), "digits")
	if _, err := Load(t.Context(), file); err == nil || !strings.Contains(err.Error(), "give the folder") {
		t.Errorf("a file for a folder: %v", err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestNoGoCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Load(t.Context(), "")
	if err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("error %v, want one that names --data", err)
	}
}

func TestOutsideTheModule(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := locate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, trainImages+".gz")); err != nil {
		t.Error(err)
	}
}
