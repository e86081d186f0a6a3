// Package less builds a program with less of the modules that it needs: files in a folder
// of the project take the place of those of the same name in a module.
package less

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Folder has what takes the place of files of modules in the training program, a folder
// for each module: see the file README.md there.
const Folder = "trainer/page/_less"

// Modfile writes copies of modules to dir, in which the files of Folder have replaced
// others, and a go.mod that leads to them, whose path it returns: go build takes it as
// -modfile. root is the project's folder, program the package that is built for js/wasm.
// A file that replaces nothing is an error.
func Modfile(ctx context.Context, root, dir, program string) (path string, err error) {
	from := filepath.Join(root, filepath.FromSlash(Folder))
	files, err := filepath.Glob(filepath.Join(from, "*", "*", "*.go"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(err, fmt.Errorf("%s has nothing to leave out", from))
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return "", err
	}
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}\t{{end}}{{.Dir}}", program)
	list.Dir, list.Env = root, append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	var complaint bytes.Buffer
	list.Stderr = &complaint
	packages, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w\n%s", program, err, &complaint)
	}
	replaced := map[string]bool{} // modules
	for _, file := range files {
		module, err := filepath.Rel(from, filepath.Dir(file))
		if err != nil {
			return "", err
		}
		replaced[filepath.ToSlash(module)] = true
	}
	for line := range strings.Lines(string(packages)) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		if len(words) != 3 || !replaced[words[0]] {
			continue
		}
		under, err := filepath.Rel(words[1], words[2])
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, filepath.FromSlash(words[0]))
		if err := copySources(words[2], filepath.Join(to, under)); err != nil {
			return "", err
		}
		if err := copyFile(filepath.Join(words[1], "go.mod"), filepath.Join(to, "go.mod")); err != nil {
			return "", err
		}
	}
	for _, file := range files {
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return "", err
		}
		at := filepath.Join(dir, rel)
		if _, err := os.Stat(at); err != nil {
			return "", fmt.Errorf("%s takes the place of nothing in %s: %w", filepath.Join(Folder, rel), program, err)
		}
		if err := copyFile(file, at); err != nil {
			return "", err
		}
	}
	for module := range replaced {
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(module))))
	}
	path = filepath.Join(dir, "go.mod")
	return path, errors.Join(os.WriteFile(path, mod, 0o644), os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
}

// copySources copies the files that a folder's package is compiled of.
func copySources(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || !slices.Contains([]string{".go", ".s", ".h"}, filepath.Ext(name)) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file, whose copy can be written to; a folder that it needs is made.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("a module lacks a file that the training program needs: %w", err)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
