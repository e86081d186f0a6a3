package bounded

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// endless never ends, and fails the test if far more is read than may be.
type endless struct {
	t    *testing.T
	left int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left -= len(b); e.left < 0 {
		e.t.Fatal("read on")
	}
	for i := range b {
		b[i] = 'y'
	}
	return len(b), nil
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, n := range []int{0, 1, head - 1, head, head + 1, 5000} {
		want := bytes.Repeat([]byte("a"), n)
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
		seen := -1
		got, err := ReadFile(path, 5000, func(b []byte) error { seen = len(b); return nil })
		if err != nil || !bytes.Equal(got, want) || seen != min(n, head) {
			t.Errorf("%d bytes: %d are read, %d were shown, %v", n, len(got), seen, err)
		}
		if got, err := Read(iotest.OneByteReader(bytes.NewReader(want)), "input", 5000, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, one by one: %d are read, %v", n, len(got), err)
		}
	}
	boom := errors.New("boom")
	sparse := filepath.Join(dir, "sparse")
	if err := os.WriteFile(sparse, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path  string
		limit int64
		start func([]byte) error
		want  string
	}{
		"too large":      {path, 4999, nil, "has more than"},
		"huge":           {sparse, 1 << 30, nil, "has more than 1.1 GB"},
		"a folder":       {dir, 1, nil, "is a folder"},
		"a wrong start":  {path, 5000, func([]byte) error { return boom }, "boom"},
		"a device":       {os.DevNull, 1, nil, "is a device"},
		"larger than it": {sparse, 1 << 60, nil, "reading " + sparse + " needs about"},
	} {
		if _, err := ReadFile(c.path, c.limit, c.start); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestReadEndless: of what has no end no more is read than may be, and hardly
// anything where its start says that it is not what is looked for.
func TestReadEndless(t *testing.T) {
	if _, err := Read(&endless{t, 100_000}, "input", 10_000, nil); err == nil || !strings.Contains(err.Error(), "input has more than") {
		t.Errorf("endless: %v", err)
	}
	boom := errors.New("boom")
	if _, err := Read(&endless{t, 2 * head}, "input", 1<<40, func([]byte) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("endless, and wrong: %v", err)
	}
	if _, err := Read(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)), "input", 10, nil); !errors.Is(err, boom) || !strings.Contains(err.Error(), "input") {
		t.Errorf("a reading that fails: %v", err)
	}
}
