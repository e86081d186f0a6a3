// Package e2e holds the npm package to what it says, from its tarball: in Node, and in
// pages of other people in Chromium and Firefox, under a policy that allows nothing that
// the package does not need.
package e2e

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/golden"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

// What the tests look at.
var (
	tarball string
	home    string // a project of somebody who has installed it
	pack    string // where it is installed
)

func TestMain(m *testing.M) {
	if os.Getenv("MPPM_SKIP_BROWSER") == "1" {
		fmt.Println("MPPM_SKIP_BROWSER=1: the npm package is not tested")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run takes the tarball of MPPM_NPM, or builds one, and installs it.
func run(m *testing.M) (code int, err error) {
	tmp, err := os.MkdirTemp("", "mppm-npm-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	from := os.Getenv("MPPM_NPM")
	if from == "" {
		from = filepath.Join(tmp, "packed")
		cmd := exec.Command("go", "run", "../pack", "-out", from)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%w\n%s", err, out)
		}
	} else if !filepath.IsAbs(from) {
		from = filepath.Join("..", "..", from)
	}
	found, err := filepath.Glob(filepath.Join(from, "*.tgz"))
	if err != nil || len(found) != 1 {
		return 0, fmt.Errorf("%s has %d tarballs, want one: build it with `make npm`, or leave MPPM_NPM empty (%w)", from, len(found), err)
	}
	if tarball, err = filepath.Abs(found[0]); err != nil {
		return 0, err
	}
	home = filepath.Join(tmp, "home")
	pack = filepath.Join(home, "node_modules", "mppm")
	if err := unpack(tarball, pack); err != nil {
		return 0, err
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join("testdata", f.Name()))
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(home, f.Name()), b, 0o644); err != nil {
			return 0, err
		}
	}
	return m.Run(), nil
}

// unpack writes what is in a tarball of npm's to a folder.
func unpack(path, dir string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(h.Name, "package/")
		if !ok || !filepath.IsLocal(name) {
			return fmt.Errorf("%s holds %s", path, h.Name)
		}
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		w, err := os.Create(at)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		if err := errors.Join(err, w.Close()); err != nil {
			return err
		}
	}
}

// want are the hashes of what the suite computes, as native programs have them.
func want(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "shared", "golden", "weights.txt"))
	if err != nil {
		t.Fatal(err)
	}
	digits := ""
	for line := range strings.Lines(string(text)) {
		if sum, of, _ := strings.Cut(strings.TrimSpace(line), "  "); of == "twenty digits grown and restored, every code, distance and pixel" {
			digits = sum
		}
	}
	if digits == "" {
		t.Fatal("shared/golden/weights.txt keeps no bits of digits grown and restored")
	}
	b, err := json.Marshal(map[string]string{"digits": digits, "faces": faces(t)})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// faces is the hash of a face that is grown, covered in places, and restored.
func faces(t *testing.T) string {
	t.Helper()
	m, err := latent.Load(weights.Faces)
	if err != nil {
		t.Fatal(err)
	}
	r := m.Runner(1)
	z, x := make([]float32, m.Latent()), make([]float32, m.Pixels())
	r.Noise(z, m.Generate, rng.New(3, 0))
	steps, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
	}
	r.Decode(x, z)
	bits := golden.NewBits(x...)
	s := m.Image()
	d := degrade.Degradation{Kind: degrade.Missing, Severity: 0.1}
	if err := d.ApplyColor(x, x, s.W, s.H, s.C, rng.New(1, 0)); err != nil {
		t.Fatal(err)
	}
	frames, err := r.Restoration(x, m.Restore)
	if err != nil {
		t.Fatal(err)
	}
	var last latent.Frame
	for last = range frames {
	}
	bits.Add(last.Image())
	return bits.String()
}

// node runs a script in the project that has the package, and returns what it prints.
func node(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir = home
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v (Node 20 or later)\n%s%s", args[0], err, out, errs.String())
	}
	if errs.Len() > 0 {
		t.Errorf("node %s complains: %s", args[0], errs.String())
	}
	return string(out)
}

// fail fails a test with what a script says has failed, a JSON array.
func fail(t *testing.T, out string) {
	t.Helper()
	var failed []string
	if err := json.Unmarshal([]byte(out), &failed); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range failed {
		t.Error(f)
	}
}
