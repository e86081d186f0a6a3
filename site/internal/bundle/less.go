package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// less is the folder with what takes the place of files of modules in the training
// program: see the file README.md there.
const less = "trainer/page/_less"

// lessModules writes copies of modules to dir in which some files are replaced, and a
// go.mod that leads to them, which it names: go build takes it as -modfile.
func (b *builder) lessModules(ctx context.Context, dir, program string) (modfile string, err error) {
	from := filepath.Join(b.o.Root, filepath.FromSlash(less))
	files, err := filepath.Glob(filepath.Join(from, "*", "*", "*.go"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(err, fmt.Errorf("%s has nothing to leave out", from))
	}
	mod, err := os.ReadFile(filepath.Join(b.o.Root, "go.mod"))
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile(filepath.Join(b.o.Root, "go.sum"))
	if err != nil {
		return "", err
	}
	packages, err := b.goTool(ctx, []string{"GOOS=js", "GOARCH=wasm"}, "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}\t{{end}}{{.Dir}}", program)
	if err != nil {
		return "", err
	}
	replaced := map[string]bool{} // modules
	for _, file := range files {
		module, err := filepath.Rel(from, filepath.Dir(file))
		if err != nil {
			return "", err
		}
		replaced[filepath.ToSlash(module)] = true
	}
	for line := range strings.Lines(packages) {
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
			return "", fmt.Errorf("%s takes the place of nothing in %s: %w", filepath.Join(less, rel), program, err)
		}
		if err := copyFile(file, at); err != nil {
			return "", err
		}
	}
	for module := range replaced {
		mod = fmt.Appendf(mod, "\nreplace %s => %s\n", module, filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(module))))
	}
	modfile = filepath.Join(dir, "go.mod")
	return modfile, errors.Join(os.WriteFile(modfile, mod, 0o644), os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
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
