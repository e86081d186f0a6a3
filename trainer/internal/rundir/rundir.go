// Package rundir gives a command that works for long a folder of its own: no other
// process works there at the same time, and nothing is replaced there that such a
// command has not made.
package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/gofrs/flock"
)

// lockName is the file that a claim locks. The lock ends with the process that
// holds it, however it ends. That the file is there says that an earlier process
// was killed, or came to no end: what is in the folder is of its making.
const lockName = ".mppm.lock"

// Use is what a command makes of a folder.
type Use struct {
	Command string // that writes there
	// Names are the files it writes. None of them may be there, unless the command
	// has made them before.
	Names []string
	// Marks are the files that say so: nobody else has such ones.
	Marks []string
}

// Folder is a folder that is claimed.
type Folder struct {
	// Unlocked is true where the file system has no locks: another process may be
	// there.
	Unlocked bool

	dir  string
	made string // the topmost folder that the claim made, or ""
	use  Use
	lock *flock.Flock
}

// ErrBusy says that another process, or another part of this one, has a folder.
var ErrBusy = errors.New("another process is at work there: wait until it ends, or end it, or give another folder")

// Claim makes the folder dir, if need be, and takes it for a use, until Release or
// the end of the process. It returns ErrBusy, wrapped, if the folder is taken, and
// an error that names the file if one is there that the use would replace.
func Claim(dir string, u Use) (*Folder, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s is a file: give the path of a folder", dir)
	}
	f := &Folder{dir: dir, made: missing(dir), use: u}
	for {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
		again, err := f.take()
		if err != nil {
			return nil, err
		}
		if !again {
			return f, nil
		}
	}
}

// take takes the lock, and finds what the use would replace. again is true if the
// file was taken away before it was locked: then there may be another, which others
// lock.
func (f *Folder) take() (again bool, err error) {
	path := filepath.Join(f.dir, lockName)
	own := f.has(lockName) || slices.ContainsFunc(f.use.Marks, f.has)
	f.lock = flock.New(path, flock.SetPermissions(0o666)) // whoever may write in the folder may lock it
	ok, err := f.lock.TryLock()
	switch {
	case errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK):
		f.Unlocked = true
	case err != nil:
		return false, fmt.Errorf("cannot lock the folder %s: %w", f.dir, err)
	case !ok:
		return false, fmt.Errorf("%s: %w", f.dir, ErrBusy)
	case !f.held():
		return true, f.lock.Unlock()
	}
	if i := slices.IndexFunc(f.use.Names, f.has); i >= 0 && !own {
		err = fmt.Errorf("%s is there, and is not of an earlier %s: move it away, or give another folder", filepath.Join(f.dir, f.use.Names[i]), f.use.Command)
		return false, errors.Join(err, f.remove())
	}
	return false, nil
}

// held reports whether the file that is locked is the one that others would lock.
func (f *Folder) held() bool {
	locked, err := f.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(f.lock.Path())
	return err == nil && os.SameFile(locked, there)
}

func (f *Folder) has(name string) bool {
	_, err := os.Lstat(filepath.Join(f.dir, name))
	return err == nil
}

// Release lets others have the folder. The claim leaves nothing there, unless the
// work has: then it can be told later whose that is. A folder that the claim made,
// and that is empty, is taken away.
func (f *Folder) Release() error {
	if !slices.ContainsFunc(f.use.Marks, f.has) && slices.ContainsFunc(f.use.Names, f.has) {
		return f.unlock()
	}
	return f.remove()
}

// remove takes away the file, and the lock on it. Where a file that is open cannot
// be taken away first, it stays: others may have it by then.
func (f *Folder) remove() error {
	_ = os.Remove(f.lock.Path())
	if f.made != "" {
		for dir := filepath.Clean(f.dir); os.Remove(dir) == nil && dir != f.made; dir = filepath.Dir(dir) {
		}
	}
	return f.unlock()
}

func (f *Folder) unlock() error {
	if f.Unlocked {
		return nil
	}
	return f.lock.Unlock()
}

// missing returns the topmost folder of a path that is not there, or "".
func missing(path string) string {
	top := ""
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return top
		}
		top = dir
	}
}
