package imageio

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestLitter: what operating systems leave in a folder is not spoken of.
func TestLitter(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "1.png"), pngOf(t, grayOf(ramp(1), 28, 28)))
	for _, name := range []string{"Thumbs.db", "desktop.ini", ".DS_Store", "._1.png", "__MACOSX/._1.png"} {
		put(t, filepath.Join(dir, filepath.FromSlash(name)), []byte("x"))
	}
	if im := mustRead(t, dir); im.N != 1 || len(im.Notes) != 0 {
		t.Errorf("%d images, notes %q", im.N, im.Notes)
	}
}

// TestReadSniffs: what is no image is named, in a folder too, and zeros after a
// gzipped file are not read.
func TestReadSniffs(t *testing.T) {
	dir := t.TempDir()
	page := put(t, filepath.Join(dir, "1.png"), []byte("<html><title>Sign in</title>"))
	for _, path := range []string{page, dir} {
		if _, err := Read(path, nil, asIs); err == nil || !strings.Contains(err.Error(), `1.png is an HTML page ("Sign in"), not `) {
			t.Errorf("%s: %v", path, err)
		}
	}
	padded := append(zipped(t, rawIDX(ramp(2), 2, 28, 28)), make([]byte, 1000)...)
	if im := mustRead(t, put(t, filepath.Join(dir, "x.gz"), padded)); im.N != 2 || !bytes.Equal(im.Pixels, ramp(2)) {
		t.Errorf("%d images", im.N)
	}
}

func TestTranspose(t *testing.T) {
	im := &Images{N: 2, Pixels: ramp(2)}
	im.Transpose()
	for i := range 2 {
		for y := range Side {
			for x := range Side {
				if got, want := im.Pixels[i*Pixels+y*Side+x], ramp(2)[i*Pixels+x*Side+y]; got != want {
					t.Fatalf("image %d, row %d, column %d: %d, want %d", i, y, x, got, want)
				}
			}
		}
	}
}
