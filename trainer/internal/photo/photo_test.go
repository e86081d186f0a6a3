package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"
)

// corners is a picture whose quarters are red, green, blue and white, clockwise from
// the upper left.
func corners(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, quarter(x < w/2, y < h/2))
		}
	}
	return img
}

func quarter(left, upper bool) color.NRGBA {
	switch {
	case left && upper:
		return color.NRGBA{255, 0, 0, 255}
	case upper:
		return color.NRGBA{0, 255, 0, 255}
	case left:
		return color.NRGBA{255, 255, 255, 255}
	}
	return color.NRGBA{0, 0, 255, 255}
}

func encode(t testing.TB, img image.Image, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "jpeg":
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	case "gif":
		err = gif.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an orientation into a JPEG or a PNG.
func withExif(format string, b []byte, orientation uint16) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	if format == "jpeg" {
		app := append([]byte("\xff\xe1"), binary.BigEndian.AppendUint16(nil, uint16(len(tiff)+8))...)
		app = append(append(app, "Exif\x00\x00"...), tiff...)
		return append(append(append([]byte{}, b[:2]...), app...), b[2:]...)
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(tiff)))
	chunk = append(append(chunk, "eXIf"...), tiff...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc(chunk[4:]))
	const header = 8 + 25
	return append(append(append([]byte{}, b[:header]...), chunk...), b[header:]...)
}

func decode(t testing.TB, b []byte) *Photo {
	t.Helper()
	img, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSquare: the middle of a picture of any format and size, each corner where it
// was, in color and in gray.
func TestSquare(t *testing.T) {
	for _, format := range []string{"png", "jpeg", "gif"} {
		for _, size := range [][2]int{{64, 64}, {200, 100}, {31, 90}, {16, 16}, {8, 8}} {
			img := decode(t, encode(t, corners(size[0], size[1]), format))
			const side = 16
			rgb, gray := make([]byte, side*side*3), make([]byte, side*side)
			img.Square(rgb, side, 3)
			img.Square(gray, side, 1)
			for _, at := range [][2]int{{2, 2}, {13, 2}, {2, 13}, {13, 13}} {
				want := quarter(at[0] < 8, at[1] < 8)
				i := at[1]*side + at[0]
				luma := 0.299*float64(want.R) + 0.587*float64(want.G) + 0.114*float64(want.B)
				for k, v := range []uint8{want.R, want.G, want.B} {
					if math.Abs(float64(rgb[3*i+k])-float64(v)) > 12 {
						t.Errorf("%s, %v: at %v the colors are %v, want %v", format, size, at, rgb[3*i:3*i+3], want)
						break
					}
				}
				if math.Abs(float64(gray[i])-luma) > 12 {
					t.Errorf("%s, %v: at %v the gray is %d, want %.0f", format, size, at, gray[i], luma)
				}
			}
		}
	}
}

// TestNoAliases: lines finer than the pixels become gray, not stripes.
func TestNoAliases(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 700, 700))
	for i := range img.Pix {
		img.Pix[i] = byte(255 * (i % 2))
	}
	out := make([]byte, 32*32)
	(&Photo{image: img}).Square(out, 32, 1)
	for i, v := range out {
		if v < 124 || v > 131 {
			t.Fatalf("pixel %d is %d", i, v)
		}
	}
}

// TestTurned: Exif's eight ways of lying, all set upright.
func TestTurned(t *testing.T) {
	const w, h = 48, 32
	upright := corners(w, h)
	for _, format := range []string{"png", "jpeg"} {
		for o := uint16(1); o <= 8; o++ {
			lw, lh := w, h
			if o >= 5 {
				lw, lh = h, w
			}
			lying := image.NewNRGBA(image.Rect(0, 0, lw, lh))
			for y := range h {
				for x := range w {
					at := map[uint16]image.Point{1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
						5: {y, x}, 6: {y, w - 1 - x}, 7: {h - 1 - y, w - 1 - x}, 8: {h - 1 - y, x}}[o]
					lying.Set(at.X, at.Y, upright.At(x, y))
				}
			}
			img := decode(t, withExif(format, encode(t, lying, format), o))
			if gw, gh := img.Size(); gw != w || gh != h {
				t.Fatalf("%s, orientation %d: %d × %d", format, o, gw, gh)
			}
			const side = 16
			got := make([]byte, side*side*3)
			img.Square(got, side, 3)
			for _, at := range [][2]int{{2, 2}, {13, 2}, {2, 13}, {13, 13}} {
				p, want := got[3*(at[1]*side+at[0]):][:3], quarter(at[0] < 8, at[1] < 8)
				for k, v := range []uint8{want.R, want.G, want.B} {
					if math.Abs(float64(p[k])-float64(v)) > 20 {
						t.Errorf("%s, orientation %d: at %v %v, want %v", format, o, at, p, want)
						break
					}
				}
			}
		}
	}
}

// TestTransparent: white shows through.
func TestTransparent(t *testing.T) {
	out := make([]byte, 4*4*3)
	(&Photo{image: image.NewNRGBA(image.Rect(0, 0, 9, 9))}).Square(out, 4, 3)
	for i, v := range out {
		if v != 255 {
			t.Fatalf("number %d is %d", i, v)
		}
	}
}

// TestKinds: 16 bits, palettes, gray and CMYK are read.
func TestKinds(t *testing.T) {
	deep := image.NewNRGBA64(image.Rect(0, 0, 8, 8))
	gray := image.NewGray16(image.Rect(0, 0, 8, 8))
	paletted := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.Gray{128}})
	for i := range 64 {
		deep.Set(i%8, i/8, color.Gray16{0x8080})
		gray.Set(i%8, i/8, color.Gray16{0x8080})
		paletted.Pix[i] = 1
	}
	for name, img := range map[string]image.Image{"16 bits": deep, "gray, 16 bits": gray, "palette": paletted} {
		out := make([]byte, 3)
		decode(t, encode(t, img, "png")).Square(out, 1, 3)
		if out[0] != 128 || out[1] != 128 || out[2] != 128 {
			t.Errorf("%s: %v", name, out)
		}
	}
}

// TestRefused: what is none, is broken or is too large is an error that says so.
func TestRefused(t *testing.T) {
	good := encode(t, corners(32, 32), "png")
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[16:], 20000)
	binary.BigEndian.PutUint32(huge[20:], 20000)
	binary.BigEndian.PutUint32(huge[29:], crc(huge[12:29]))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":   {nil, "empty"},
		"text":    {[]byte("<!doctype html><title>404</title>"), "an HTML page"},
		"cut off": {good[:len(good)/2], "a broken png"},
		"huge":    {huge, "20000 × 20000 pixels"},
	} {
		if _, err := Decode(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func crc(b []byte) uint32 {
	c := ^uint32(0)
	for _, v := range b {
		c ^= uint32(v)
		for range 8 {
			c = c>>1 ^ 0xedb88320&-(c&1)
		}
	}
	return ^c
}

// FuzzDecode: whatever the bytes are, there is a picture or an error.
func FuzzDecode(f *testing.F) {
	for _, format := range []string{"png", "jpeg", "gif"} {
		f.Add(encode(f, corners(9, 7), format))
	}
	f.Add(withExif("jpeg", encode(f, corners(9, 7), "jpeg"), 6))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := Decode(b)
		if err != nil {
			return
		}
		if w, h := img.Size(); w*h > 1<<20 {
			t.Skip("too large to be quick")
		}
		img.Square(make([]byte, 8*8*3), 8, 3)
	})
}

// TestOfPixels: pixels that are scaled to the size that they have stay as they are; in
// gray they are the luma, and gray in color is gray.
func TestOfPixels(t *testing.T) {
	const side = 6
	color, gray := make([]byte, side*side*3), make([]byte, side*side)
	for i := range color {
		color[i] = byte(i * 37)
	}
	got := make([]byte, len(color))
	OfPixels(color, side, side, 3).Square(got, side, 3)
	if !bytes.Equal(got, color) {
		t.Errorf("%v has become %v", color, got)
	}
	OfPixels(color, side, side, 3).Square(gray, side, 1)
	if want := byte(math.Round((299*float64(color[0]) + 587*float64(color[1]) + 114*float64(color[2])) / 1000)); gray[0] != want {
		t.Errorf("the luma is %d, want %d", gray[0], want)
	}
	OfPixels(gray, side, side, 1).Square(got, side, 3)
	for i, v := range got {
		if v != gray[i/3] {
			t.Fatalf("gray %d is %d in color", gray[i/3], v)
		}
	}
	small := make([]byte, 3*3*3)
	OfPixels(bytes.Repeat([]byte{9, 90, 200}, side*side), side, side, 3).Square(small, 3, 3)
	if !bytes.Equal(small, bytes.Repeat([]byte{9, 90, 200}, 9)) {
		t.Errorf("one color becomes %v", small)
	}
}
