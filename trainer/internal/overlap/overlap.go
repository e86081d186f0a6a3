// Package overlap finds where a command would write to what it reads, or twice to
// one place, before it does either. Places are compared as files: through symbolic
// and hard links, by any path that leads there, and without regard to case where
// the file system has none.
package overlap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Paths collects what a command reads and writes. A place is called by the flag
// that names it; an empty path is no place.
type Paths struct{ reads, writes []place }

// Error says that a command would write to what it reads, or twice to one place.
type Error struct {
	At    string // a path of the place
	Write string // the flag that has it written
	Other string // the flag that has it read, or written too
	Read  bool   // it is read
}

func (e *Error) Error() string {
	if e.Read {
		return fmt.Sprintf("--%s would write to %s, which --%s reads: write elsewhere", e.Write, e.At, e.Other)
	}
	return fmt.Sprintf("--%s and --%s would both write to %s: write one of them elsewhere", e.Other, e.Write, e.At)
}

// place is one file; or, with names, files directly in the folder path.
type place struct {
	flag, path string
	// names are files of the folder that are read or written for sure, and match
	// tells which others may be. Without either, the place is a file.
	names []string
	match func(name string) bool
	tree  bool // everything below path
}

func (p *place) file() bool { return p.names == nil && p.match == nil && !p.tree }

func (p *place) has(name string) bool {
	return p.match != nil && p.match(name) || slices.ContainsFunc(p.names, func(n string) bool { return strings.EqualFold(n, name) })
}

// Reads adds a file that is read.
func (p *Paths) Reads(flag, path string) { p.reads = add(p.reads, place{flag: flag, path: path}) }

// ReadsIn adds the files of a folder, not of folders in it, that match says are
// read.
func (p *Paths) ReadsIn(flag, dir string, match func(name string) bool) {
	p.reads = add(p.reads, place{flag: flag, path: dir, match: match})
}

// ReadsBelow adds everything in a folder and in the folders in it.
func (p *Paths) ReadsBelow(flag, dir string) {
	p.reads = add(p.reads, place{flag: flag, path: dir, tree: true})
}

// Writes adds a file that is written.
func (p *Paths) Writes(flag, path string) { p.writes = add(p.writes, place{flag: flag, path: path}) }

// WritesIn adds files of a folder: those of the given names, and those that match
// says may be written; match may be nil.
func (p *Paths) WritesIn(flag, dir string, names []string, match func(name string) bool) {
	p.writes = add(p.writes, place{flag: flag, path: dir, names: names, match: match})
}

func add(to []place, p place) []place {
	if p.path == "" {
		return to
	}
	return append(to, p)
}

// Check returns the places that are read and written, or written twice, one for
// each two flags that name one, as far as that can be told before anything is
// written. A place that is no file or folder (a pipe, a terminal, /dev/null) is no
// matter.
func (p *Paths) Check() []*Error {
	var all []*Error
	for i := range p.writes {
		w := &p.writes[i]
		for k := range p.reads {
			if at := meet(w, &p.reads[k]); at != "" {
				all = append(all, &Error{at, w.flag, p.reads[k].flag, true})
			}
		}
		for k := range i {
			if at := meet(&p.writes[k], w); at != "" {
				all = append(all, &Error{at, w.flag, p.writes[k].flag, false})
			}
		}
	}
	return all
}

// meet returns a path at which two places are one, or "".
func meet(w, other *place) string {
	if at := byName(w, other); at != "" {
		return at
	}
	return byFile(w, other)
}

// byName is meet by where paths lead, whether or not anything is there.
func byName(w, o *place) string {
	switch {
	case o.tree:
		path := resolve(w.path)
		for dir := path; ; dir = filepath.Dir(dir) {
			if same(dir, resolve(o.path)) {
				return w.path
			}
			if dir == filepath.Dir(dir) {
				return ""
			}
		}
	case w.file() && o.file():
		if special(w.path) || special(o.path) || !same(resolve(w.path), resolve(o.path)) {
			return ""
		}
		return w.path
	case w.file():
		if at := resolve(w.path); o.has(filepath.Base(at)) && same(filepath.Dir(at), resolve(o.path)) {
			return w.path
		}
	case o.file():
		if at := resolve(o.path); w.has(filepath.Base(at)) && same(filepath.Dir(at), resolve(w.path)) {
			return o.path
		}
	case same(resolve(w.path), resolve(o.path)):
		for _, name := range w.names {
			if o.has(name) {
				return filepath.Join(w.path, name)
			}
		}
		for _, name := range o.names {
			if w.has(name) {
				return filepath.Join(w.path, name)
			}
		}
	}
	return ""
}

// byFile is meet by the files that are there: names of one file may lie anywhere.
func byFile(w, o *place) string {
	type key struct { // what all names of a file have in common, and few files
		size int64
		time time.Time
	}
	there := map[key][]os.FileInfo{}
	w.each(func(_ string, info os.FileInfo) bool {
		k := key{info.Size(), info.ModTime()}
		there[k] = append(there[k], info)
		return true
	})
	at := ""
	if len(there) > 0 {
		o.each(func(path string, info os.FileInfo) bool {
			if slices.ContainsFunc(there[key{info.Size(), info.ModTime()}], func(other os.FileInfo) bool { return os.SameFile(info, other) }) {
				at = path
			}
			return at == ""
		})
	}
	return at
}

// each calls do for the files of a place that are there, until do returns false.
// What cannot be looked at is left out: whoever reads or writes it says why.
func (p *place) each(do func(path string, info os.FileInfo) bool) {
	one := func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.Mode().IsRegular() || do(path, info)
	}
	switch {
	case p.tree:
		_ = filepath.WalkDir(p.path, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !one(path) {
				return fs.SkipAll
			}
			return nil
		})
	case p.file():
		one(p.path)
	default:
		entries, err := os.ReadDir(p.path)
		if err != nil {
			return
		}
		for _, e := range entries {
			if p.has(e.Name()) && !one(filepath.Join(p.path, e.Name())) {
				return
			}
		}
	}
}

// special reports whether something is at path that is neither file nor folder.
func special(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// resolve returns the absolute path that a path leads to through symbolic links,
// those that lead to nothing included. What is not there is taken by its name.
func resolve(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	rest := ""
	for links := 0; ; {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(real, rest)
		}
		if to, err := os.Readlink(path); err == nil && links < 40 {
			links++
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(path), to)
			}
			path = to
			continue
		}
		parent := filepath.Dir(path)
		if parent == path {
			return filepath.Join(path, rest)
		}
		path, rest = parent, filepath.Join(filepath.Base(path), rest)
	}
}

// same reports whether two resolved paths are one place.
func same(a, b string) bool {
	if a == b {
		return true
	}
	ia, aerr := os.Stat(a)
	ib, berr := os.Stat(b)
	if aerr == nil && berr == nil {
		return os.SameFile(ia, ib)
	}
	if !errors.Is(aerr, fs.ErrNotExist) || !errors.Is(berr, fs.ErrNotExist) {
		return false
	}
	// Neither is there yet.
	da, db := filepath.Dir(a), filepath.Dir(b)
	if da == a || db == b || !same(da, db) {
		return false
	}
	na, nb := filepath.Base(a), filepath.Base(b)
	return na == nb || strings.EqualFold(na, nb) && caseless(da)
}

// caseless reports whether names in a folder, or in the nearest one above it that
// is there, are the same whatever their case. A variable, so that tests need no
// such file system.
var caseless = func(dir string) bool {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
	f, err := os.CreateTemp(dir, ".Case*.tmp")
	if err != nil {
		return false // nor can anything be written there
	}
	defer os.Remove(f.Name())
	f.Close()
	_, err = os.Stat(filepath.Join(dir, strings.Map(swap, filepath.Base(f.Name()))))
	return err == nil
}

func swap(r rune) rune {
	if unicode.IsUpper(r) {
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}
