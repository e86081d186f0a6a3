// Command rename gives the module another path, and all that imports it: in Go files, and
// in what Markdown files show. `make rename MODULE=example.org/you/mppm` runs it, for
// whoever publishes the project.
package main

import (
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	n, err := 0, errors.New("give the module's new path: make rename MODULE=example.org/you/mppm")
	if len(os.Args) == 2 {
		n, err = rename(".", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
	fmt.Printf("the module is %s; %d files were changed, and go.mod\n", os.Args[1], n)
}

// rename renames the module whose root is the folder, and returns how many files were
// changed beside go.mod. It changes nothing if it cannot read all of them, or the path is
// none.
func rename(root, to string) (n int, err error) {
	list := exec.Command("go", "list", "-m")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return 0, fmt.Errorf("%s is not the folder of a module: %w", root, err)
	}
	from := strings.TrimSpace(string(out))
	changed := map[string][]byte{}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			// In npm/src the name is that of the npm package, which is another.
			if name != "." && (d.Name() == "node_modules" || name == "npm/src" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		ending := filepath.Ext(name)
		if ending != ".go" && ending != ".md" {
			return nil
		}
		path := filepath.Join(root, filepath.FromSlash(name))
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := inText(string(old), from, to)
		if ending == ".go" {
			if text, err = inGo(name, string(old), from, to); err != nil {
				return err
			}
		}
		if text != string(old) {
			changed[path] = []byte(text)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	edit := exec.Command("go", "mod", "edit", "-module", to)
	edit.Dir = root
	if out, err := edit.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%q is no path of a module: %s", to, strings.TrimSpace(string(out)))
	}
	for _, path := range slices.Sorted(maps.Keys(changed)) {
		if err := replace(path, changed[path]); err != nil {
			return 0, err
		}
	}
	return len(changed), nil
}

// inGo renames the imports of a Go file.
func inGo(name, text, from, to string) (string, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, text, parser.ImportsOnly)
	if err != nil {
		return "", err
	}
	out := text
	for _, spec := range slices.Backward(f.Imports) { // so that offsets stay true
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return "", err
		}
		rest, ok := strings.CutPrefix(path, from)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		at := set.Position(spec.Path.Pos()).Offset
		out = out[:at] + strconv.Quote(to+rest) + out[at+len(spec.Path.Value):]
	}
	if out == text {
		return text, nil
	}
	b, err := format.Source([]byte(out)) // another path may sort elsewhere
	return string(b), err
}

// folders are those of the module that hold packages, as a path goes on with them.
const folders = `shared|trainer|wasm|site|npm|weights|release`

// inText renames the module in text: where its packages are imported, and where a
// version or a folder is given for it.
func inText(text, from, to string) string {
	named := regexp.MustCompile(`(^|[\s"` + "`" + `])` + regexp.QuoteMeta(from) + `(/(?:` + folders + `)[/"\s` + "`" + `]|@v|=PATH)`)
	return named.ReplaceAllString(text, "${1}"+strings.ReplaceAll(to, "$", "$$")+"${2}")
}

// replace writes a file anew, whole or not at all.
func replace(path string, b []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".rename-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(info.Mode().Perm()), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
