package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRename renames a copy of the project, twice: every import is found, and what does
// not need long is built.
func TestRename(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	root := copied(t)
	run := func(args ...string) {
		t.Helper()
		c := exec.Command("go", args...)
		c.Dir = root
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%.2000s", strings.Join(args, " "), err, out)
		}
	}
	for _, path := range []string{"example.org/you/mppm", "example.com/a/zoo"} {
		if n, err := rename(root, path); err != nil || n < 100 {
			t.Fatalf("%s: %d files, %v", path, n, err)
		}
		run("list", "-test", "-deps", "./...")
		readme, err := os.ReadFile(filepath.Join(root, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"` + path + `/shared/latent"`, "-require " + path + "@v0.0.0 -replace " + path + "=PATH"} {
			if !strings.Contains(string(readme), want) {
				t.Errorf("README.md lacks %s", want)
			}
		}
	}
	run("vet", "./shared/nn", "./shared/latent", "./site/page", "./release/...")
	if out, err := exec.Command("gofmt", "-l", root).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt: %v\n%s", err, out)
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := rename(dir, "example.org/m"); err == nil {
		t.Error("there is no module, and no error")
	}
	const mod, code = "module mppm\n\ngo 1.27\n", "package a\n\nimport _ \"mppm/shared/nn\"\n"
	for name, text := range map[string]string{"go.mod": mod, "a.go": code} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"", "two words", "/rooted", "a//b", "a\n"} {
		if _, err := rename(dir, path); err == nil {
			t.Errorf("%q is taken for a path", path)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a.go")); err != nil || string(b) != code {
		t.Errorf("what could not be renamed is changed: %q, %v", b, err)
	}
}

func TestText(t *testing.T) {
	const text = "`go doc mppm/shared`, `mppm/shared/nn`, \"mppm/weights\", bin/mppm restore, mppm@v0.0.0, my/mppm/shared/nn, mppm=PATH, mppm is"
	const want = "`go doc a.b/c/shared`, `a.b/c/shared/nn`, \"a.b/c/weights\", bin/mppm restore, a.b/c@v0.0.0, my/mppm/shared/nn, a.b/c=PATH, mppm is"
	if got := inText(text, "mppm", "a.b/c"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// copied returns a copy of the project's source.
func copied(t *testing.T) string {
	t.Helper()
	from, to := os.DirFS(filepath.Join("..", "..")), t.TempDir()
	built := map[string]bool{"bin": true, "runs": true, "site/dist": true, "site/worker/build": true}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if built[name] || d.Name() == "node_modules" || name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
