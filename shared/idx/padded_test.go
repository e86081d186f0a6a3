package idx

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

// TestParsePadded: zeros after a gzip stream are not read, as gzip does not read
// them; anything else is an error.
func TestParsePadded(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte{0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 2, 511, 10_000} {
		f, err := Parse(append(bytes.Clone(b.Bytes()), make([]byte, n)...))
		if err != nil || !bytes.Equal(f.Data, []byte{7, 8, 9}) {
			t.Errorf("%d zeros: %v, %v", n, f, err)
		}
	}
	if _, err := Parse(append(bytes.Clone(b.Bytes()), "<html>"...)); err == nil || !strings.Contains(err.Error(), "follows") {
		t.Errorf("a page after the data: %v", err)
	}
}
