// Package photo makes square images of one size of pictures as people have them:
// JPEG, PNG, WebP and GIF, of any size, turned as their Exif says.
package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // its first frame
	_ "image/jpeg"
	_ "image/png"
	"math"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"mppm/shared/picture"
	"mppm/trainer/internal/sniff"
)

// MaxArea bounds the pixels of a picture: what a large camera takes.
const MaxArea = 120_000_000

// Photo is a picture.
type Photo struct {
	image       image.Image // as it lies
	orientation int         // how that is, as Exif numbers it
}

// Size returns its width and height in pixels, upright.
func (p *Photo) Size() (w, h int) {
	s := p.image.Bounds().Size()
	if p.orientation >= 5 {
		return s.Y, s.X
	}
	return s.X, s.Y
}

// Decode reads a picture. The error says what is wrong with it: it
// is of another format, broken, or larger than MaxArea.
func Decode(b []byte) (*Photo, error) {
	if len(b) == 0 {
		return nil, errors.New("it is empty")
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if errors.Is(err, image.ErrFormat) {
		if what, remedy := sniff.Of(b); what != "" {
			return nil, fmt.Errorf("it is %s, no JPEG, PNG, WebP or GIF: %s", what, remedy)
		}
		return nil, errors.New("it is no JPEG, PNG, WebP or GIF")
	}
	if err != nil {
		return nil, fmt.Errorf("it is broken: %w", err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > MaxArea/c.Height {
		return nil, fmt.Errorf("it has %d × %d pixels; at most %d million in all are read", c.Width, c.Height, MaxArea/1_000_000)
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("it is a broken %s: %w", format, err)
	}
	return &Photo{img, picture.Orientation(exif(format, b))}, nil
}

// OfPixels returns the picture of w × h pixels as Square writes them: of channels bytes
// each, 1 or 3.
func OfPixels(pixels []byte, w, h, channels int) *Photo {
	r := image.Rect(0, 0, w, h)
	if channels == 1 {
		return &Photo{&image.Gray{Pix: pixels, Stride: w, Rect: r}, 1}
	}
	img := image.NewRGBA(r)
	for i := range w * h {
		copy(img.Pix[4*i:], pixels[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return &Photo{img, 1}
}

// Square cuts the largest square out of the middle of the picture, scales it to side ×
// side pixels by Catmull and Rom's kernel, as wide as it takes so that nothing aliases,
// turns it upright, and writes it to dst: side × side × channels bytes, row by row, red,
// green and blue side by side, or their luma (Rec. 601) where there is one channel.
// White shows through what is transparent.
func (p *Photo) Square(dst []byte, side, channels int) {
	b := p.image.Bounds()
	edge := min(b.Dx(), b.Dy())
	cut := image.Rect(0, 0, edge, edge).Add(b.Min).Add(image.Pt((b.Dx()-edge)/2, (b.Dy()-edge)/2))
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(out, out.Rect, p.image, cut, draw.Over, nil)
	for i := range side * side {
		from := out.Pix[out.PixOffset(p.lies(i%side, i/side, side-1)):]
		if channels == 1 {
			dst[i] = byte(math.Round((299*float64(from[0]) + 587*float64(from[1]) + 114*float64(from[2])) / 1000))
			continue
		}
		copy(dst[3*i:3*i+3], from)
	}
}

// lies returns where pixel (x, y) of the upright square lies; last is the number of the
// last column and row.
func (p *Photo) lies(x, y, last int) (int, int) {
	switch p.orientation {
	case 2: // mirrored
		return last - x, y
	case 3: // upside down
		return last - x, last - y
	case 4: // flipped
		return x, last - y
	case 5: // transposed
		return y, x
	case 6: // on its left side
		return y, last - x
	case 7: // transversed
		return last - y, last - x
	case 8: // on its right side
		return last - y, x
	}
	return x, y
}

// exif returns the Exif data of a file, which is a TIFF file; nil if it has none.
func exif(format string, b []byte) []byte {
	switch format {
	case "jpeg":
		for at := 2; at+4 <= len(b) && b[at] == 0xff; {
			marker, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
			end := at + 2 + size
			if marker == 0xda || end > len(b) { // the pixels begin
				return nil
			}
			if marker == 0xe1 && bytes.HasPrefix(b[at+4:end], []byte("Exif\x00\x00")) {
				return b[at+10 : end]
			}
			at = end
		}
	case "png":
		for at := 8; at+8 <= len(b); {
			size := int(binary.BigEndian.Uint32(b[at:]))
			if size < 0 || size > len(b)-at-8 {
				return nil
			}
			if string(b[at+4:at+8]) == "eXIf" {
				return b[at+8 : at+8+size]
			}
			at += 12 + size
		}
	case "webp":
		for at := 12; at+8 <= len(b); {
			size := int(binary.LittleEndian.Uint32(b[at+4:]))
			if size < 0 || size > len(b)-at-8 {
				return nil
			}
			if string(b[at:at+4]) == "EXIF" {
				return bytes.TrimPrefix(b[at+8:at+8+size], []byte("Exif\x00\x00"))
			}
			at += 8 + size + size&1
		}
	}
	return nil
}
