package bundle

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReplaceableRefusesStrangers(t *testing.T) {
	dir := t.TempDir()
	if err := replaceable(dir); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := replaceable(filepath.Join(dir, "none")); err != nil {
		t.Errorf("no folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replaceable(dir); err == nil {
		t.Error("a folder of somebody else's would be deleted")
	}
	if err := os.WriteFile(filepath.Join(dir, ManifestName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := replaceable(dir); err != nil {
		t.Errorf("a built page: %v", err)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "dist")
	for _, content := range []string{"first", "second"} {
		tmp := filepath.Join(dir, "tmp")
		if err := os.Mkdir(tmp, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tmp, content), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := replace(tmp, out); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(out)
		if err != nil || len(entries) != 1 || entries[0].Name() != content {
			t.Errorf("after replacing, the folder holds %v (%v), want %s", entries, err, content)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("something is left beside the page: %v", entries)
	}
}

func TestMissingWeights(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "dist")
	err := Build(context.Background(), Options{Root: dir, Out: out, Weights: filepath.Join(dir, "none"), Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "make train") {
		t.Errorf("without weights: %v; want an error that says what to do", err)
	}
	weights := filepath.Join(dir, "w")
	if err := os.WriteFile(weights, []byte("w"), 0o644); err != nil {
		t.Fatal(err)
	}
	err = Build(context.Background(), Options{Root: dir, Out: out, Weights: weights, Classifier: filepath.Join(dir, "none"), Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "-classifier") {
		t.Errorf("without a classifier: %v; want an error that says what to do", err)
	}
	err = Build(context.Background(), Options{Root: dir, Out: out, Weights: weights, Classifier: weights, Baselines: filepath.Join(dir, "none"), Log: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "-baselines") {
		t.Errorf("without the models to compare with: %v; want an error that says what to do", err)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written all the same")
	}
}

// TestShippedWeights: weights that are not named are those of the project.
func TestShippedWeights(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"mnist.safetensors", "classifier.safetensors", "ldm.safetensors"} {
		path := filepath.Join(dir, "weights", name)
		if err := Build(context.Background(), Options{Root: dir, Out: filepath.Join(dir, "dist"), Log: io.Discard}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v; want an error that names %s", err, path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("w"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	weights := filepath.Join(dir, "w")
	if err := os.WriteFile(weights, []byte("w"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Build(ctx, Options{Root: dir, Out: filepath.Join(dir, "dist"), Weights: weights, Classifier: weights, Baselines: weights, Log: io.Discard}); err == nil {
		t.Fatal("a build that was broken off succeeded")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("a build that was broken off left %v (%v)", entries, err)
	}
}

// TestVisits adds up what is fetched until the first picture, until the page can be used,
// and in all.
func TestVisits(t *testing.T) {
	m := &Manifest{
		SIMD: File{Name: "simd"}, Scalar: File{Name: "scalar"}, Weights: File{Name: "weights"},
		Baselines: File{Name: "baselines"}, Curves: map[string]File{"circle": {Name: "circle"}},
		Faces: []Faces{{Model: File{Name: "faces"}}},
	}
	sizes := map[string]Size{}
	for i, name := range []string{"index", "simd", "weights", "baselines", "circle", "sw", "scalar", "faces"} {
		n := 1_000_000 << i
		sizes[name] = Size{Raw: n, Brotli: n / 4, Gzip: n / 2}
	}
	var out strings.Builder
	visits(&out, m, sizes, []string{"index"}, []string{"sw"})
	for _, want := range []string{"first picture: 1.25 MB in brotli, 2.50 in gzip, 5.00 unpacked\n", "can be used: 1.75 MB in brotli, 3.50 in gzip, 7.00 unpacked\n", "in all: 15.75 MB in brotli, 31.50 in gzip, 63.00 unpacked\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("a visit is said to fetch\n%s\nwant %q", out.String(), want)
		}
	}
}

// TestVersion: the same page has the same version at every build, another page another.
func TestVersion(t *testing.T) {
	b := builder{dir: t.TempDir()}
	source := filepath.Join(b.dir, "a.html")
	named := func(size int, text string) string {
		t.Helper()
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := b.version([]string{"a.html"}, "page", Manifest{Faces: []Faces{{Name: "faces", LDM: &File{Name: "a", Size: size}}}})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := named(1, "source")
	if again := named(1, "source"); again != v {
		t.Errorf("the version is %s, and then %s", v, again)
	}
	if named(2, "source") == v || named(1, "another") == v {
		t.Error("another page has the same version")
	}
}
