// Package bounded reads files whole without taking more memory than they may have:
// the name that a person gives may lead to a device or a pipe without an end, or to
// a file that is far larger than anything the reader knows.
package bounded

import (
	"fmt"
	"io"
	"os"

	"mppm/trainer/internal/memory"
)

// head is how many bytes tell what a file is.
const head = 1024

// ReadFile reads the file at path, of at most limit bytes. A pipe will do; a device
// is refused. Where start is not nil, it is given the first kilobyte, or all there
// is, and may return an error: then no more is read. Errors name the path.
func ReadFile(path string, limit int64, start func(head []byte) error) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: give the path of a file", path)
	case info.Mode()&os.ModeDevice != 0:
		return nil, fmt.Errorf("%s is a device, not a file", path)
	case info.Size() > limit:
		return nil, tooLarge(path, limit)
	}
	if err := memory.Check("reading "+path, info.Size()); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f, path, info.Size(), limit, start)
}

// Read reads all of r, of at most limit bytes, as ReadFile does; name is for
// errors.
func Read(r io.Reader, name string, limit int64, start func(head []byte) error) ([]byte, error) {
	return read(r, name, 0, limit, start)
}

// read expects size bytes, and takes what comes.
func read(r io.Reader, name string, size, limit int64, start func(head []byte) error) ([]byte, error) {
	b := make([]byte, 0, max(size+1, head)) // the end shows in the byte after it
	r = io.LimitReader(r, limit+1)
	for checked := start == nil; ; {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if !checked && (len(b) >= head || err == io.EOF) {
			checked = true
			if err := start(b[:min(len(b), head)]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		switch {
		case err == io.EOF && int64(len(b)) > limit:
			return nil, tooLarge(name, limit)
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func tooLarge(name string, limit int64) error {
	return fmt.Errorf("%s has more than %s, which is more than any such file", name, memory.Size(limit))
}
