package api

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"

	pictures "mppm/shared/picture"
)

// pngEncoder writes PNGs of gray, of at most 256 colors, and of all, and keeps the megabyte
// that the compression works in. The standard library's would bring its decoder
// along, which nothing here needs: together they are 30 kB of the three megabytes
// that the edge takes.
type pngEncoder struct {
	packed bytes.Buffer
	z      *zlib.Writer
}

// gray encodes a gray image.
func (e *pngEncoder) gray(img *image.Gray) (*response, error) {
	return e.encode(img.Pix, img.Stride, img.Rect.Dx(), img.Rect.Dy(), grayscale, nil)
}

// paletted encodes an image of colors, all of them opaque.
func (e *pngEncoder) paletted(img *image.Paletted) (*response, error) {
	return e.encode(img.Pix, img.Stride, img.Rect.Dx(), img.Rect.Dy(), indexed, img.Palette)
}

// Color types of PNG.
const (
	grayscale = 0
	truecolor = 2
	indexed   = 3
)

// encode writes w × h pixels of a color type. Each row is the difference from the one
// above: digits are drawn as squares, of rows that are the same.
func (e *pngEncoder) encode(pix []byte, stride, w, h int, kind byte, p color.Palette) (*response, error) {
	const up = 2 // the filter
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	head = append(head, 8, kind, 0, 0, 0)
	var colors []byte
	for _, c := range p {
		r, g, b, _ := c.RGBA()
		colors = append(colors, byte(r>>8), byte(g>>8), byte(b>>8))
	}
	e.packed.Reset()
	if e.z == nil {
		var err error
		if e.z, err = zlib.NewWriterLevel(&e.packed, zlib.BestSpeed); err != nil {
			return nil, err
		}
	} else {
		e.z.Reset(&e.packed)
	}
	if kind == truecolor {
		w *= 3 // bytes
	}
	row, above := make([]byte, 1+w), make([]byte, w)
	for y := range h {
		line := pix[y*stride:][:w]
		row[0] = up
		for x, v := range line {
			row[1+x] = v - above[x]
		}
		above = line
		if _, err := e.z.Write(row); err != nil {
			return nil, err
		}
	}
	if err := e.z.Close(); err != nil {
		return nil, err
	}
	out := appendChunk([]byte(pictures.Magic), "IHDR", head)
	if colors != nil {
		out = appendChunk(out, "PLTE", colors)
	}
	out = appendChunk(out, "IDAT", e.packed.Bytes())
	return &response{contentType: pngType, body: appendChunk(out, "IEND", nil)}, nil
}

func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	at := len(b)
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
}
