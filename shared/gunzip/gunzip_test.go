package gunzip

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func pack(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReader(t *testing.T) {
	one, two := pack(t, "the first"), pack(t, " and the second")
	flipped := []byte(one)
	flipped[len(flipped)-8] ^= 1 // of the checksum
	for name, c := range map[string]struct {
		file, want string
		err        error
	}{
		"plain":              {one, "the first", nil},
		"nothing in it":      {pack(t, ""), "", nil},
		"two in a row":       {one + two, "the first and the second", nil},
		"an empty one first": {pack(t, "") + two, " and the second", nil},
		"a zero":             {one + "\x00", "the first", nil},
		"many zeros":         {one + strings.Repeat("\x00", 100_000), "the first", nil},
		"two and zeros":      {one + two + "\x00\x00\x00", "the first and the second", nil},
		"a word":             {one + "more", "the first", ErrTrailing},
		"zeros and a word":   {one + "\x00\x00more", "the first", ErrTrailing},
		"zeros, then gzip":   {one + "\x00\x00" + two, "the first", ErrTrailing},
		"half a header":      {one + two[:5], "the first", ErrTrailing},
		"cut off":            {one[:len(one)-3], "the first", io.ErrUnexpectedEOF},
		"another checksum":   {string(flipped), "the first", gzip.ErrChecksum},
	} {
		for _, slow := range []bool{false, true} {
			var r io.Reader = strings.NewReader(c.file)
			if slow {
				r = iotest.OneByteReader(r)
			}
			z, err := NewReader(r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got, err := io.ReadAll(z)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("%s: %q, %v; want %q, %v", name, got, err, c.want, c.err)
			}
		}
	}
	for _, s := range []string{"", "\x1f", "no gzip"} {
		if _, err := NewReader(strings.NewReader(s)); err == nil {
			t.Errorf("%q is taken for gzip", s)
		}
	}
}
