// Package idx reads and writes IDX, the format in which MNIST is published:
// a magic number, the sizes of the dimensions, and the elements in row-major
// order. Only unsigned bytes are read, the one type that digit images and
// labels come in.
//
// The format is described at the end of http://yann.lecun.com/exdb/mnist/:
// two zero bytes, a byte for the type, a byte for the number of dimensions,
// one big-endian uint32 per dimension, the data.
package idx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"mppm/shared/gunzip"
)

// MaxBytes is the size, in bytes of data, above which Parse refuses a file. The
// largest set of the MNIST family (EMNIST by class) has 640 MB.
const MaxBytes = 1 << 30

// typeByte is the type code of unsigned bytes; typeNames has all of the format.
const typeByte = 0x08

var typeNames = map[byte]string{
	typeByte: "unsigned byte",
	0x09:     "signed byte",
	0x0b:     "16-bit integer",
	0x0c:     "32-bit integer",
	0x0d:     "32-bit float",
	0x0e:     "64-bit float",
}

// File is one array of unsigned bytes. len(Data) is the product of Shape;
// values are 0 to 255.
type File struct {
	Shape []int
	Data  []byte // row-major
}

// New returns the array of the given shape over data, which it does not copy.
// It returns an error if the two do not agree or the format cannot hold them.
func New(data []byte, shape ...int) (*File, error) {
	if len(shape) < 1 || len(shape) > 255 {
		return nil, fmt.Errorf("idx: a file has 1 to 255 dimensions, not %d", len(shape))
	}
	dims := make([]uint32, len(shape))
	for i, d := range shape {
		if d < 0 || uint64(d) > 0xffffffff {
			return nil, fmt.Errorf("idx: dimension %d is %d; sizes are 0 to 4294967295", i, d)
		}
		dims[i] = uint32(d)
	}
	size, err := sizeOf(dims, MaxBytes)
	if err != nil {
		return nil, err
	}
	if size != len(data) {
		return nil, fmt.Errorf("idx: shape %v needs %d bytes of data, got %d", shape, size, len(data))
	}
	return &File{Shape: append([]int(nil), shape...), Data: data}, nil
}

// Parse reads one IDX file, gzipped or not (known by its first bytes). It
// returns an error, never a partial array, if b is not IDX, is not of unsigned
// bytes, ends early, goes on after its data, or claims more than MaxBytes. Zeros
// after the end of a gzip stream do not count.
// Where b is not gzipped, Data aliases it.
func Parse(b []byte) (*File, error) { return ParseLimit(b, MaxBytes) }

// ParseLimit is Parse with another limit, in bytes of data, than MaxBytes: for
// files from strangers, of which a small one can unpack to a thousand times
// its size. Never more is unpacked than the file's own header claims.
func ParseLimit(b []byte, limit int) (*File, error) {
	if !gunzip.Is(b) {
		h, err := parseHeader(b, limit)
		if err != nil {
			return nil, err
		}
		return h.file(b[h.len:])
	}
	zr, err := gunzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("idx: gzip header: %w", unexpected(err))
	}
	// A header is 4 to 1024 bytes: its fourth byte says.
	head := make([]byte, 4, 4+4*255)
	if n, err := io.ReadFull(zr, head); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			_, err = parseHeader(head[:n], limit)
			return nil, err
		}
		return nil, fmt.Errorf("idx: unpacking the header: %w", err)
	}
	head = head[:4+4*int(head[3])]
	n, err := io.ReadFull(zr, head[4:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("idx: unpacking the header: %w", err)
	}
	h, err := parseHeader(head[:4+n], limit)
	if err != nil {
		return nil, err
	}
	// One byte more than the data shows that there is more, or reaches the end
	// and with it gzip's checksum. ReadAll grows with what comes, so that a
	// header that lies costs nothing.
	data, err := io.ReadAll(io.LimitReader(zr, int64(h.size)+1))
	if err != nil {
		return nil, fmt.Errorf("idx: unpacking the data, after %d of %d bytes: %w", len(data), h.size, unexpected(err))
	}
	return h.file(data)
}

// unexpected says of an end of file that it was not expected.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// header is what stands before the data.
type header struct {
	shape []int
	len   int // bytes of the header
	size  int // bytes of the data
}

// parseHeader reads the header at the start of b.
func parseHeader(b []byte, limit int) (header, error) {
	if len(b) < 4 {
		return header{}, fmt.Errorf("idx: %d bytes are too short for the magic number", len(b))
	}
	if b[0] != 0 || b[1] != 0 {
		return header{}, fmt.Errorf("idx: not an IDX file: it starts with % x, want 00 00 08 and the number of dimensions", b[:4])
	}
	if b[2] != typeByte {
		if name, ok := typeNames[b[2]]; ok {
			return header{}, fmt.Errorf("idx: elements are of type 0x%02x (%s); only unsigned bytes (0x08) are read", b[2], name)
		}
		return header{}, fmt.Errorf("idx: not an IDX file: 0x%02x is no element type", b[2])
	}
	n := int(b[3])
	if n == 0 {
		return header{}, errors.New("idx: the file says that it has no dimensions")
	}
	if len(b) < 4+4*n {
		return header{}, fmt.Errorf("idx: truncated: %d bytes are too short for the sizes of %d dimensions", len(b), n)
	}
	dims := make([]uint32, n)
	shape := make([]int, n)
	for i := range dims {
		dims[i] = binary.BigEndian.Uint32(b[4+4*i:])
		shape[i] = int(dims[i]) // where int has 32 bits, sizeOf refuses what does not fit
	}
	size, err := sizeOf(dims, limit)
	if err != nil {
		return header{}, err
	}
	return header{shape: shape, len: 4 + 4*n, size: size}, nil
}

// sizeOf returns the product of dims. The limit is on the product of those that
// are not zero, so that an empty file cannot smuggle in a huge dimension.
func sizeOf(dims []uint32, limit int) (int, error) {
	size, empty := uint64(1), false
	for _, d := range dims {
		if d == 0 {
			empty = true
			continue
		}
		size *= uint64(d) // below 2^63: size is at most 2^31, d below 2^32
		if size > uint64(max(limit, 0)) || size > 1<<31-1 {
			return 0, fmt.Errorf("idx: dimensions %v are more than the limit of %d bytes", dims, limit)
		}
	}
	if empty {
		return 0, nil
	}
	return int(size), nil
}

// file returns the array of h over data, which must be exactly as long as it.
func (h header) file(data []byte) (*File, error) {
	switch {
	case len(data) < h.size:
		return nil, fmt.Errorf("idx: truncated: dimensions %v need %d bytes of data, the file has %d", h.shape, h.size, len(data))
	case len(data) > h.size:
		return nil, fmt.Errorf("idx: the file goes on after the %d bytes of data that dimensions %v need", h.size, h.shape)
	}
	return &File{Shape: h.shape, Data: data[:h.size:h.size]}, nil
}

// Encode returns the file as IDX, not compressed. Make the File with New or
// Parse: one whose shape and data disagree gives bytes that Parse refuses.
func (f *File) Encode() []byte {
	b := make([]byte, 0, 4+4*len(f.Shape)+len(f.Data))
	b = append(b, 0, 0, typeByte, byte(len(f.Shape)))
	for _, d := range f.Shape {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, f.Data...)
}

// IsIDX reports whether b starts as an IDX file of any element type does, or is
// a gzip stream that holds such a start. The first kilobyte of a file is enough
// to tell. That it starts well does not say that Parse will accept it.
func IsIDX(b []byte) bool {
	if gunzip.Is(b) {
		zr, err := gunzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return false
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(zr, head); err != nil {
			return false
		}
		b = head
	}
	if len(b) < 4 || b[0] != 0 || b[1] != 0 || b[3] == 0 {
		return false
	}
	_, ok := typeNames[b[2]]
	return ok
}

// Images returns the number of images and their height and width in pixels:
// three dimensions, pixels fastest. n may be 0, h and w may not.
func (f *File) Images() (n, h, w int, err error) {
	if len(f.Shape) != 3 {
		return 0, 0, 0, fmt.Errorf("idx: images have 3 dimensions (count, height, width), the file has %d: %v", len(f.Shape), f.Shape)
	}
	n, h, w = f.Shape[0], f.Shape[1], f.Shape[2]
	if h < 1 || w < 1 {
		return 0, 0, 0, fmt.Errorf("idx: images of %d×%d pixels hold nothing", h, w)
	}
	return n, h, w, nil
}

// Labels returns the labels, one byte each: a file of one dimension. They alias
// Data.
func (f *File) Labels() ([]byte, error) {
	if len(f.Shape) != 1 {
		return nil, fmt.Errorf("idx: labels have 1 dimension, the file has %d: %v", len(f.Shape), f.Shape)
	}
	return f.Data, nil
}
