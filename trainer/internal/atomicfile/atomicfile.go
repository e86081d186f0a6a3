// Package atomicfile writes files and folders that are there whole or not at
// all: everything is written and synced beside its destination first, and moved
// onto it last. A full disk, an error or a killed process leaves what was there
// before; only a kill can leave a temporary file (its name starts with a dot
// and ends in .tmp), and nothing reads those.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tempSuffix ends the name of everything that is not finished.
const tempSuffix = ".tmp"

// Write calls write with a new file in the folder of path, syncs it, and moves
// it onto path, replacing a file that is there and keeping its permissions. A
// symbolic link is followed. If write or anything after it fails, path is
// untouched and the new file is gone. The folder must exist. A path that is not
// a regular file (a pipe, /dev/null) is written directly, for nothing can be
// moved onto it.
func Write(path string, write func(io.Writer) error) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	perm := fs.FileMode(0)
	if info, err := os.Stat(path); err == nil {
		switch mode := info.Mode(); {
		case mode.IsDir():
			return fmt.Errorf("%s is a folder: give the path of a file", path)
		case !mode.IsRegular():
			return writeSpecial(path, write)
		default:
			if perm = mode.Perm(); perm&0o200 == 0 {
				return fmt.Errorf("%s is read-only: make it writable, or write to another path", path)
			}
		}
	}
	f, err := create(filepath.Dir(path), filepath.Base(path))
	if err != nil {
		return explain(path, err)
	}
	temp := f.Name()
	done := false
	defer func() {
		if !done {
			f.Close() // an error here is about a file that is going away
			os.Remove(temp)
		}
	}()
	if err := write(f); err != nil {
		return explain(path, err)
	}
	if perm != 0 {
		if err := f.Chmod(perm); err != nil {
			return explain(path, err)
		}
	}
	if err := f.Sync(); err != nil {
		return explain(path, err)
	}
	if err := f.Close(); err != nil {
		return explain(path, err)
	}
	if err := os.Rename(temp, path); err != nil {
		return explain(path, err)
	}
	done = true
	return syncDir(filepath.Dir(path))
}

// WriteAll writes files, by their names, into the folder dir, each as Write does. The
// first error is the last thing that it does.
func WriteAll(dir string, files map[string]func(io.Writer) error) error {
	for name, write := range files {
		if err := Write(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

// WriteBytes is Write of data.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteDir calls fill with a new, empty folder, and puts the files that fill
// wrote there into the folder path, once all of them are synced. If path does
// not exist, the new folder becomes it in one move. If it exists, the files are
// moved into it one by one, and whatever else it holds stays. A file of the same
// name is replaced if replace is true; else it is an error, and so is a folder of
// that name in any case. Before the first move every file is whole, and no name
// is in the way: a failing fill or a full disk leaves path as it was. fill must
// write plain files only. The parent folder must exist.
func WriteDir(path string, replace bool, fill func(dir string) error) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	parent, exists := filepath.Dir(path), false
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is a file: give the path of a folder", path)
		}
		// Inside the folder itself: it may be a mount, or somebody's working folder.
		parent, exists = path, true
	}
	temp, err := createDir(parent, filepath.Base(path))
	if err != nil {
		return explain(path, err)
	}
	done := false
	defer func() {
		if !done {
			os.RemoveAll(temp)
		}
	}()
	if err := fill(temp); err != nil {
		return explain(path, err)
	}
	entries, err := os.ReadDir(temp)
	if err != nil {
		return explain(path, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			return fmt.Errorf("%s in the new folder %s is not a plain file", e.Name(), path)
		}
		if err := syncFile(filepath.Join(temp, e.Name())); err != nil {
			return explain(path, err)
		}
	}
	if err := syncDir(temp); err != nil {
		return explain(path, err)
	}
	if !exists {
		if err := os.Rename(temp, path); err != nil {
			return explain(path, err)
		}
		done = true
		return syncDir(parent)
	}
	for _, e := range entries {
		at := filepath.Join(path, e.Name())
		switch info, err := os.Lstat(at); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return explain(path, err)
		case info.IsDir():
			return fmt.Errorf("cannot write %s: a folder has that name (nothing was written: write elsewhere)", at)
		case !replace:
			return fmt.Errorf("cannot write %s: there is a file of that name (nothing was written: write elsewhere)", at)
		}
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(temp, e.Name()), filepath.Join(path, e.Name())); err != nil {
			return explain(path, err)
		}
	}
	return syncDir(path)
}

// Writable reports why Write or WriteDir could not put anything at path, before
// hours of work are spent on what cannot be saved. It makes and removes one
// empty file, or nothing for a path that is not a regular file.
func Writable(path string) error {
	path, err := target(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil {
		switch mode := info.Mode(); {
		case mode.IsDir():
			dir = path
		case !mode.IsRegular():
			return nil
		case mode.Perm()&0o200 == 0:
			return fmt.Errorf("%s is read-only: make it writable, or write to another path", path)
		}
	}
	f, err := create(dir, filepath.Base(path))
	if err != nil {
		return explain(path, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// target follows symbolic links, so that the file a link points to is replaced
// and not the link.
func target(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path to write to is empty")
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if info, lerr := os.Lstat(path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			return "", fmt.Errorf("%s is a link to a place that does not exist: remove it, or write to another path", path)
		}
		return filepath.Clean(path), nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot write %s: %w", path, err)
	}
	return real, nil
}

// create makes a new temporary file for base in dir, with the permissions any
// new file gets (os.CreateTemp would make it readable to its owner only).
func create(dir, base string) (*os.File, error) {
	for {
		f, err := os.OpenFile(filepath.Join(dir, tempName(base)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

func createDir(parent, base string) (string, error) {
	for {
		dir := filepath.Join(parent, tempName(base))
		if err := os.Mkdir(dir, 0o777); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

func tempName(base string) string {
	if base == "." || base == string(filepath.Separator) {
		base = "out"
	}
	base = strings.TrimPrefix(base, ".")
	if len(base) > 200 { // a name may have 255 bytes
		base = base[:200]
	}
	return "." + base + "." + rand.Text()[:10] + tempSuffix
}

// writeSpecial writes to something that is not a regular file.
func writeSpecial(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return explain(path, err)
	}
	if err := write(f); err != nil {
		f.Close()
		return explain(path, err)
	}
	if err := f.Close(); err != nil {
		return explain(path, err)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// syncDir makes moves in a folder durable. Systems that cannot sync a folder
// keep their own order of things, so their refusal is not an error.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	if err := f.Sync(); err != nil && isIOError(err) {
		return explain(dir, err)
	}
	return nil
}

// explain says what could not be written, and what to do about it. The name of
// the temporary file would only puzzle: it is gone by the time it is read.
func explain(path string, err error) error {
	cause := err
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe) && isTemp(pe.Path):
		cause = pe.Err
	case errors.As(err, &le) && isTemp(le.Old):
		cause = le.Err
	}
	switch {
	case isFull(err):
		return fmt.Errorf("cannot write %s: %w (nothing was written: free some space, or write elsewhere)", path, cause)
	case errors.Is(err, fs.ErrNotExist):
		dir := filepath.Dir(path)
		if _, serr := os.Stat(dir); errors.Is(serr, fs.ErrNotExist) {
			return fmt.Errorf("cannot write %s: the folder %s does not exist: make it first", path, dir)
		}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot write %s: %w: the folder does not let you write there", path, cause)
	}
	return fmt.Errorf("cannot write %s: %w", path, cause)
}

func isTemp(path string) bool {
	for p := path; ; {
		base := filepath.Base(p)
		if strings.HasPrefix(base, ".") && strings.HasSuffix(base, tempSuffix) {
			return true
		}
		parent := filepath.Dir(p)
		if parent == p {
			return false
		}
		p = parent
	}
}
