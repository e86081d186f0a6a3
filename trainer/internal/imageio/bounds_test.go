package imageio

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"strings"
	"testing"
)

// TestManyTinyImages: a small file of very many images of a pixel is refused before
// each of them becomes one of 784.
func TestManyTinyImages(t *testing.T) {
	const n = maxImages + 1
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	head := []byte{0, 0, 8, 3}
	for _, d := range []uint32{n, 1, 1} {
		head = binary.BigEndian.AppendUint32(head, d)
	}
	for _, part := range [][]byte{head, make([]byte, n)} {
		if _, err := z.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 10_000 {
		t.Errorf("the file has %d bytes", b.Len())
	}
	if _, err := Read(Stream, &b, asIs); err == nil || !strings.Contains(err.Error(), "images, more than") {
		t.Errorf("%d images of a pixel: %v", n, err)
	}
}
