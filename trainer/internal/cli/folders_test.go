package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
)

// TestFolders trains everything that can be on folders of PNG files, and exports
// it. What needs all digits in memory says so.
func TestFolders(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, dir := t.TempDir(), t.TempDir()
	const n = 64
	for name, s := range map[string]*dataset.Split{"train": &set.Train, "test": &set.Test} {
		for i := range n {
			in := filepath.Join(data, name, fmt.Sprint(s.Labels[i]))
			if err := os.MkdirAll(in, 0o777); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(in, fmt.Sprintf("%03d.png", i)), pngOf(t, s.Image(i), 28, 28))
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for what, c := range map[string]struct {
		file string
		args []string
	}{
		"mnist":      {"mnist.safetensors", []string{"--epochs", "1", "--refine", "1", "--batch", "32", "--centers", "20", "--hidden", "8"}},
		"dae":        {"dae.safetensors", []string{"--epochs", "1", "--batch", "32", "--centers", "20"}},
		"classifier": {"classifier.safetensors", []string{"--epochs", "1", "--batch", "32"}},
	} {
		args := append([]string{"train", what, "--quiet", "--data", data, "--out", at(what)}, c.args...)
		must(t, args...)
		must(t, "export", "--quiet", "--checkpoint", at(what), "--data", data, "--out", at(c.file))
		if !bytes.Equal(get(t, at(c.file)), get(t, filepath.Join(at(what), c.file))) {
			t.Errorf("export does not give the weights of train %s", what)
		}
	}
	must(t, "train", "ldm", "--quiet", "--data", data, "--dae", at("dae"), "--out", at("ldm"), "--epochs", "1", "--batch", "32")
	if r := must(t, "info", at("mnist.safetensors")); !strings.Contains(r.stdout, "names and sizes in train") {
		t.Errorf("info does not name the data:\n%s", r.stdout)
	}
	for want, args := range map[string][]string{
		"give IDX files": {"eval", "mnist", "--data", data, "--out", at("eval")},
		"broken PNG":     {"train", "dae", "--quiet", "--data", data, "--out", at("broken"), "--epochs", "1", "--batch", "32", "--centers", "20"},
		"other data":     {"train", "mnist", "--quiet", "--data", data, "--out", at("mnist"), "--resume"},
	} {
		put(t, filepath.Join(data, "train", "0", "x.png"), []byte("no picture"))
		if r := run(t, args...); r.code != exitFailure || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, want %q in %s", args, r.code, want, r.stderr)
		}
	}
}
