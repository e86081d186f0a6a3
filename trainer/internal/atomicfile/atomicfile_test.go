package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listing returns every name in dir, temporary ones too.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteBytes(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "plain"), "")
	plain, err := os.Stat(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != plain.Mode() {
		t.Errorf("mode of a new file is %v, other new files have %v", info.Mode(), plain.Mode())
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "two" {
		t.Errorf("content %q, want two", got)
	}
	if info, err = os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode after replacing is %v (%v), want 0640", info.Mode(), err)
	}
	if got, want := listing(t, dir), []string{"f", "plain"}; !slices.Equal(got, want) {
		t.Errorf("folder holds %q, want %q", got, want)
	}
}

func TestWriteFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	boom := errors.New("boom")
	fail := func(w io.Writer) error {
		io.WriteString(w, "half")
		return boom
	}
	if err := Write(path, fail); !errors.Is(err, boom) || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v, want boom and the path", err)
	}
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("left %q behind", got)
	}
	put(t, path, "old")
	if err := Write(path, fail); !errors.Is(err, boom) {
		t.Fatalf("error %v, want boom", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("old content became %q", got)
	}
	if got := listing(t, dir); len(got) != 1 {
		t.Errorf("left %q behind", got)
	}
}

func TestWritePanicLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { _ = recover() }()
		_ = Write(filepath.Join(dir, "f"), func(io.Writer) error { panic("boom") })
	}()
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("left %q behind", got)
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "readonly"), "x")
	if err := os.Chmod(filepath.Join(dir, "readonly"), 0o444); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"", "empty"},
		{dir, "is a folder"},
		{filepath.Join(dir, "no", "such", "f"), "does not exist: make it first"},
		{filepath.Join(dir, "readonly"), "read-only"},
		{filepath.Join(dir, "readonly", "f"), "not a directory"},
	} {
		if err := WriteBytes(c.path, []byte("y")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Write(%q) = %v, want an error with %q", c.path, err, c.want)
		}
	}
	for _, c := range []struct{ path, want string }{
		{"", "empty"},
		{filepath.Join(dir, "no", "such", "f"), "does not exist: make it first"},
		{filepath.Join(dir, "readonly"), "read-only"},
	} {
		if err := Writable(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Writable(%q) = %v, want an error with %q", c.path, err, c.want)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "new")} {
		if err := Writable(path); err != nil {
			t.Errorf("Writable(%q) = %v", path, err)
		}
	}
	if got := listing(t, dir); len(got) != 1 {
		t.Errorf("folder holds %q, want readonly only", got)
	}
}

func TestWriteThroughLink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	put(t, real, "old")
	if err := os.Symlink("real", link); err != nil {
		t.Skip(err)
	}
	if err := WriteBytes(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, real); got != "new" {
		t.Errorf("the file behind the link holds %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	dangling := filepath.Join(dir, "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(dangling, nil); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("dangling link: %v", err)
	}
}

func fillWith(names ...string) func(string) error {
	return func(dir string) error {
		for _, n := range names {
			if err := os.WriteFile(filepath.Join(dir, n), []byte("new "+n), 0o666); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestWriteDir(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "out")
	if err := WriteDir(path, false, fillWith("a", "b")); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, path); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("folder holds %q", got)
	}
	put(t, filepath.Join(path, "keep"), "mine")
	put(t, filepath.Join(path, "b"), "old")
	// A name that is taken: nothing is moved, unless files are to be replaced.
	if err := WriteDir(path, false, fillWith("b", "c")); err == nil || !strings.Contains(err.Error(), filepath.Join(path, "b")) || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("onto a file that is there: %v", err)
	}
	if got := listing(t, path); !slices.Equal(got, []string{"a", "b", "keep"}) || read(t, filepath.Join(path, "b")) != "old" {
		t.Errorf("folder holds %q", got)
	}
	if err := WriteDir(path, true, fillWith("b", "c")); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, path); !slices.Equal(got, []string{"a", "b", "c", "keep"}) || read(t, filepath.Join(path, "b")) != "new b" {
		t.Errorf("folder holds %q", got)
	}
	// A folder of the same name is never replaced, and nothing is moved before it is met.
	if err := os.Mkdir(filepath.Join(path, "z"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(path, true, fillWith("y", "z")); err == nil || !strings.Contains(err.Error(), "a folder has that name") {
		t.Errorf("onto a folder: %v", err)
	}
	if got := listing(t, path); !slices.Equal(got, []string{"a", "b", "c", "keep", "z"}) {
		t.Errorf("folder holds %q", got)
	}
	if got := read(t, filepath.Join(path, "keep")); got != "mine" {
		t.Errorf("keep became %q", got)
	}
	if got := listing(t, parent); !slices.Equal(got, []string{"out"}) {
		t.Errorf("parent holds %q", got)
	}
}

func TestWriteDirFailureLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	fail := func(dir string) error {
		if err := fillWith("a", "b")(dir); err != nil {
			return err
		}
		return boom
	}
	parent := t.TempDir()
	path := filepath.Join(parent, "out")
	if err := WriteDir(path, false, fail); !errors.Is(err, boom) {
		t.Fatalf("error %v, want boom", err)
	}
	if got := listing(t, parent); len(got) != 0 {
		t.Errorf("left %q behind", got)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(path, "a"), "old")
	if err := WriteDir(path, true, fail); !errors.Is(err, boom) {
		t.Fatalf("error %v, want boom", err)
	}
	if got := listing(t, path); !slices.Equal(got, []string{"a"}) {
		t.Errorf("folder holds %q", got)
	}
	if got := read(t, filepath.Join(path, "a")); got != "old" {
		t.Errorf("a became %q", got)
	}
	put(t, filepath.Join(parent, "file"), "")
	if err := WriteDir(filepath.Join(parent, "file"), false, fillWith()); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("onto a file: %v", err)
	}
	err := WriteDir(filepath.Join(parent, "nested"), false, func(dir string) error { return os.Mkdir(filepath.Join(dir, "d"), 0o777) })
	if err == nil || !strings.Contains(err.Error(), "plain file") {
		t.Errorf("a folder in the folder: %v", err)
	}
}
