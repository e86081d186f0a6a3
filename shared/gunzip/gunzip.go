// Package gunzip reads gzip streams as gzip(1) does: several in a row are one,
// and zeros after the last of them, which tapes and block-wise copies leave, do
// not count. The standard library takes such zeros for a broken header.
package gunzip

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
)

// ErrTrailing says that something else than zeros or another gzip stream follows
// a whole one.
var ErrTrailing = errors.New("gzip: something that is not gzip follows the compressed data: cut it off, or fetch the file again")

// Reader unpacks a gzip file.
type Reader struct {
	src *bufio.Reader // gzip.Reader takes no byte more of it than is its own
	z   *gzip.Reader
}

// Is reports whether b starts as gzip does.
func Is(b []byte) bool { return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b }

// NewReader returns what unpacks r. It returns the error of reading the first
// header, and reads more of r than it needs.
func NewReader(r io.Reader) (*Reader, error) {
	src := bufio.NewReader(r)
	z, err := gzip.NewReader(src)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &Reader{src, z}, nil
}

// Read unpacks into p. At the end of the data it returns io.EOF, or ErrTrailing if
// the file goes on with something else; both come after gzip's checksum was
// compared.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := r.z.Read(p)
		if err == io.EOF {
			err = r.next()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next goes on to the stream that follows a whole one. It returns io.EOF if there
// is none.
func (r *Reader) next() error {
	head, err := r.src.Peek(2)
	switch {
	case len(head) == 0:
		return err
	case Is(head):
		if r.z.Reset(r.src) != nil {
			return ErrTrailing
		}
		r.z.Multistream(false)
		return nil
	}
	for {
		b, err := r.src.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			return ErrTrailing
		}
	}
}
