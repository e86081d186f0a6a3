package manifold

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"mppm/shared/columns"
)

// OpenFile shows what a file holds on a sheet of its own: points as CSV, or the nets that
// this page or the command line saved. It returns an error that says what is wrong with it.
func (r *Room) OpenFile(name string, b []byte) error {
	if len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) < 1<<32 {
		return r.OpenWeights(name, b)
	}
	return r.OpenText(name, text(b))
}

// OpenText shows points of a text.
func (r *Room) OpenText(name, csv string) error {
	p, err := columns.Read(strings.NewReader(csv), columns.Either)
	switch {
	case errors.Is(err, columns.ErrDecimal):
		return fmt.Errorf("%q can be read in two ways, as numbers with decimal commas or not: write the numbers with points, or end the columns with semicolons", name)
	case err != nil:
		return fmt.Errorf("%q holds no points that can be read: %w", name, err)
	}
	if p.Dim != 2 && p.Dim != 3 {
		return fmt.Errorf("%q has %d columns; give two or three, the coordinates of a point in each row", name, p.Dim)
	}
	return r.TakePoints(name, p.Points, p.Dim, "")
}

// text returns the text of a file in UTF-8: spreadsheets write UTF-16 too, and the code
// pages of Windows, of which numbers need no more than ASCII.
func text(b []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b = b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	if order != nil {
		units := make([]uint16, len(b)/2-1)
		for i := range units {
			units[i] = order.Uint16(b[2+2*i:])
		}
		return string(utf16.Decode(units))
	}
	if utf8.Valid(b) {
		return string(b)
	}
	letters := make([]rune, len(b))
	for i, c := range b {
		letters[i] = rune(c)
	}
	return string(letters)
}
