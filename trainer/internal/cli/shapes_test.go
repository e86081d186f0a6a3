package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn/nntest"
)

// TestOtherImages: weights of images that are no digits are described, and refused by
// what scores digits.
func TestOtherImages(t *testing.T) {
	f, g, _ := nntest.Unplanned(t)
	b, err := latenttest.FileOf(1, &latent.Nets{F: f, G: g}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := put(t, filepath.Join(t.TempDir(), "m.safetensors"), b)
	if r := must(t, "info", path); !strings.Contains(r.stdout, "kind of model: lmppm\n") || !strings.Contains(r.stdout, "images: 32×32 in color, codes of ") || !strings.Contains(r.stdout, "32x32x3; conv f.1") || strings.Contains(r.stdout, "cannot run") {
		t.Errorf("info says\n%s", r.stdout)
	}
	if r := must(t, "info", path, "--json"); !strings.Contains(r.stdout, `"channels": 3`) {
		t.Errorf("info says\n%s", r.stdout)
	}
	r := run(t, "eval", "distance", "--weights", path, "--out", filepath.Join(t.TempDir(), "o"))
	if r.code != exitFailure || !strings.Contains(r.stderr, path+": they are of images of 32×32×3") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}

// TestEmbeddedFaces: the name faces stands for the embedded weights, unless there is a file of
// that name.
func TestEmbeddedFaces(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "photo.jpg", photos(t, 1)[0])
	must(t, "generate", "--weights", "faces", "--n", "1", "--out", "grown")
	must(t, "restore", "--weights", "faces", "--in", "photo.jpg", "--out", "a.png")
	must(t, "restore", "--weights", "faces", "--method", "dae", "--in", "photo.jpg", "--out", "b.png")
	must(t, "restore", "--weights", "faces", "--method", "ldm", "--in", "photo.jpg", "--out", "c.png")
	if a, b, c := get(t, "a.png"), get(t, "b.png"), get(t, "c.png"); bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Error("a baseline is the model")
	}
	put(t, "faces", []byte("no weights"))
	if r := run(t, "restore", "--weights", "faces", "--in", "photo.jpg", "--out", "d.png"); r.code != exitFailure || !strings.Contains(r.stderr, "weights") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}
