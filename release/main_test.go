package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRelease makes a release of a small program for two systems, and the same again.
func TestRelease(t *testing.T) {
	text := filepath.Join("testdata", "hello", "main.go")
	o := options{
		program: "./testdata/hello", version: "v1.2.3", targets: []string{"linux/amd64", "windows/arm64"},
		texts: []string{text}, out: filepath.Join(t.TempDir(), "release"), time: time.Unix(1e9, 0).UTC(), log: io.Discard,
	}
	if err := release(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	first := contents(t, o.out)
	const linux, windows = "mppm-v1.2.3-linux-amd64", "mppm-v1.2.3-windows-arm64"
	want := fmt.Sprintf("%x  %s.tar.gz\n%x  %s.zip\n", sha256.Sum256(first[linux+".tar.gz"]), linux, sha256.Sum256(first[windows+".zip"]), windows)
	if got := string(first[sums]); got != want || len(first) != 3 {
		t.Errorf("of %d files %s says\n%s, want\n%s", len(first), sums, got, want)
	}
	for folder, files := range map[string]map[string]string{
		linux: tarFiles(t, first[linux+".tar.gz"]), windows: zipFiles(t, first[windows+".zip"]),
	} {
		program := "mppm"
		if folder == windows {
			program = "mppm.exe"
		}
		for name, begins := range map[string]string{
			program:                 map[string]string{linux: "755 \x7fELF", windows: "755 MZ"}[folder],
			"completions/mppm.bash": "644 hello says [completion bash]", "completions/_mppm": "644 hello says [completion zsh]",
			"completions/mppm.fish": "644 hello says [completion fish]", "completions/mppm.ps1": "644 hello says [completion powershell]",
			"man/man1/mppm.1": "644 hello says [man]", filepath.ToSlash(text): "644 // Command hello",
		} {
			if got := files[folder+"/"+name]; !strings.HasPrefix(got, begins) {
				t.Errorf("%s/%s is %.40q, want %q", folder, name, got, begins)
			}
		}
		if len(files) != 7 {
			t.Errorf("%s holds %d files, want 7", folder, len(files))
		}
	}
	// The folder is replaced; what is in it is the same to the byte.
	if err := release(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for name, b := range contents(t, o.out) {
		if !bytes.Equal(b, first[name]) {
			t.Errorf("%s is not the same when it is made again", name)
		}
	}
}

// TestRefuses: what is wrong is said before anything is built or replaced.
func TestRefuses(t *testing.T) {
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]options{
		"is left alone":           {out: other, targets: targets},
		`"plan9/mips" is not`:     {out: filepath.Join(t.TempDir(), "a"), targets: []string{"plan9/mips"}},
		"no required module":      {out: filepath.Join(t.TempDir(), "b"), program: "example.org/none", targets: targets},
		"open testdata/none":      {out: filepath.Join(t.TempDir(), "c"), program: "./testdata/hello", texts: []string{"testdata/none"}, targets: targets[:1]},
		"has to be the seconds f": {},
	} {
		var err error
		if o.out == "" {
			_, err = epoch("yesterday")
		} else {
			err = release(t.Context(), o)
		}
		if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), want) {
			t.Errorf("%q is not said: %v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(other, "mine")); err != nil {
		t.Error(err)
	}
}

// contents returns the files of a folder by name.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tarFiles returns the files of an archive by name: their modes, and what is in them.
func tarFiles(t *testing.T, b []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(time.Unix(1e9, 0)) {
			t.Errorf("%s is of %v", h.Name, h.ModTime)
		}
		files[h.Name] = fmt.Sprintf("%o %s", h.Mode, content)
	}
}

// zipFiles is tarFiles for a zip file.
func zipFiles(t *testing.T, b []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range r.File {
		content, err := fs.ReadFile(r, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Modified.Equal(time.Unix(1e9, 0)) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
		files[f.Name] = fmt.Sprintf("%o %s", f.Mode().Perm(), content)
	}
	return files
}
