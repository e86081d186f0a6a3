package pointcloud

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"mppm/shared/columns"
	"mppm/shared/gunzip"
	"mppm/shared/idx"
	"mppm/trainer/internal/sniff"
)

// peek is how much of a file is looked at before it is read.
const peek = 1 << 16

// What ReadCSV takes and makes is package columns's.
type Decimal = columns.Decimal

// The decimal marks.
const (
	Either = columns.Either
	Point  = columns.Point
	Comma  = columns.Comma
)

// MaxSize bounds the size of a coordinate.
const MaxSize = columns.MaxSize

// ReadFile reads the points of a CSV file: see ReadCSV.
func ReadFile(path string, d Decimal) (*Cloud, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode()&os.ModeDevice != 0 {
		return nil, fmt.Errorf("%s is a device, not a file", path)
	}
	c, err := ReadCSV(f, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.Name = path
	return c, nil
}

// ReadCSV reads points as columns.Read does, from text in UTF-8, UTF-16 or Windows-1252
// that may be gzipped. Of what is no text the error says what it is.
func ReadCSV(r io.Reader, d Decimal) (*Cloud, error) {
	in, err := text(r)
	if err != nil {
		return nil, err
	}
	p, err := columns.Read(in, d)
	if err != nil {
		return nil, err
	}
	return &Cloud{Dim: p.Dim, Points: p.Points, Notes: p.Notes}, nil
}

// text returns the text of a file in UTF-8, without a byte order mark. It returns an
// error that says what the file is if it is no text.
func text(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, peek)
	head, err := look(in)
	if err != nil {
		return nil, err
	}
	if gunzip.Is(head) {
		z, err := gunzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
		in = bufio.NewReaderSize(z, peek)
		if head, err = look(in); err != nil {
			return nil, fmt.Errorf("unpacking it: %w", err)
		}
	}
	if len(head) > 0 {
		what, remedy := sniff.Of(head)
		switch {
		case idx.IsIDX(head):
			what = "an IDX file"
		case bytes.HasPrefix(head, []byte("\x89PNG")):
			what = "a PNG"
		case len(head) > 8 && head[8] == '{' && bytes.IndexByte(head[:8], 0) > 0:
			what = "a safetensors file"
		}
		if what != "" {
			switch remedy {
			case "":
			case sniff.Convert:
				remedy = ": save it as CSV"
			default:
				remedy = ": " + remedy
			}
			return nil, fmt.Errorf("this is %s, not CSV%s", what, remedy)
		}
	}
	enc, err := encodingOf(head)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(in), nil
}

// look returns the beginning of what in reads.
func look(in *bufio.Reader) ([]byte, error) {
	head, err := in.Peek(peek)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// encodingOf tells an encoding by a byte order mark, by the zeros that UTF-16 has
// beside the letters of ASCII, and takes what is not UTF-8 for Windows-1252.
func encodingOf(head []byte) (encoding.Encoding, error) {
	zero := func(i int) bool { return i < len(head) && head[i] == 0 }
	letter := func(i int) bool { return i < len(head) && head[i] != 0 }
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return nil, errors.New("this is text in UTF-32: save it as UTF-8")
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM), nil
	case letter(0) && zero(1) && letter(2) && zero(3):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case zero(0) && letter(1) && zero(2) && letter(3):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	}
	// What is looked at may end within a letter.
	whole := head
	for range utf8.UTFMax - 1 {
		if len(head) == peek && !utf8.Valid(whole) {
			whole = whole[:len(whole)-1]
		}
	}
	if !utf8.Valid(whole) {
		return charmap.Windows1252, nil
	}
	return unicode.UTF8BOM, nil
}
