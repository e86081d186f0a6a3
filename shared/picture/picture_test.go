package picture_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/picture"
	"mppm/shared/rng"
)

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func chunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// raw writes a PNG of random pixels, of any kind: the standard library writes few.
func raw(t testing.TB, w, h, depth, kind int, interlaced bool, r *rng.Source) []byte {
	t.Helper()
	channels := map[int]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	lace := byte(0)
	passes := [][4]int{{0, 0, 1, 1}}
	if interlaced {
		lace, passes = 1, [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	head = append(head, byte(depth), byte(kind), 0, 0, lace)
	out := append([]byte(picture.Magic), chunk("IHDR", head)...)
	if kind == 3 {
		palette := make([]byte, 3<<depth)
		for i := range palette {
			palette[i] = byte(r.IntN(256))
		}
		out = append(append(out, chunk("PLTE", palette)...), chunk("tRNS", []byte{0, 255, 100}[:min(3, 1<<depth)])...)
	}
	var rows []byte
	for _, p := range passes {
		pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
		if pw <= 0 || ph <= 0 {
			continue
		}
		for range ph {
			rows = append(rows, byte(r.IntN(5)))
			for range (pw*channels*depth + 7) / 8 {
				rows = append(rows, byte(r.IntN(256)))
			}
		}
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(packed.Bytes(), 100) { // in many pieces
		out = append(out, chunk("IDAT", part)...)
	}
	return append(out, chunk("IEND", nil)...)
}

// luma is what a picture shows by its definition, on white where paper says so.
func luma(c color.Color, paper float64) float64 {
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	a := float64(n.A) / 0xffff
	return a*(0.299*float64(n.R)+0.587*float64(n.G)+0.114*float64(n.B))/0xffff + (1-a)*paper
}

// same reports whether a picture is the one that the standard library decodes, on
// paper of one shade.
func same(t *testing.T, p *picture.Picture, img image.Image) bool {
	t.Helper()
	b := img.Bounds()
	if p.W != b.Dx() || p.H != b.Dy() || p.FullW != p.W || p.FullH != p.H || len(p.Gray) != p.W*p.H {
		t.Errorf("%d × %d, want %v", p.W, p.H, b)
		return false
	}
	paper, least := 0.0, uint32(0xffff) // as the clearest pixel says
	for i, v := range p.Gray {
		c := img.At(b.Min.X+i%p.W, b.Min.Y+i/p.W)
		if _, _, _, a := c.RGBA(); a < least {
			least, paper = a, (float64(v)-luma(c, 0))/(1-float64(a)/0xffff)
		}
	}
	if !(paper > -1e-3 && paper < 1.001) {
		t.Errorf("the paper is %v", paper)
	}
	if i := near(p, img, paper); i >= 0 {
		t.Errorf("the pixel at column %d, row %d is %v, want %v of %v", i%p.W, i/p.W, p.Gray[i], luma(img.At(b.Min.X+i%p.W, b.Min.Y+i/p.W), paper), img.At(b.Min.X+i%p.W, b.Min.Y+i/p.W))
		return false
	}
	return true
}

func near(p *picture.Picture, img image.Image, paper float64) int {
	b := img.Bounds()
	for i, v := range p.Gray {
		if d := float64(v) - luma(img.At(b.Min.X+i%p.W, b.Min.Y+i/p.W), paper); !(math.Abs(d) < 1e-3) {
			return i
		}
	}
	return -1
}

// TestEveryKind holds every kind of PNG to what the standard library makes of it.
func TestEveryKind(t *testing.T) {
	r := rng.New(1, 0)
	kinds := map[int][]int{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, depth := range kinds[kind] {
			for _, interlaced := range []bool{false, true} {
				for _, size := range [][2]int{{1, 1}, {3, 2}, {7, 9}, {33, 20}} {
					b := raw(t, size[0], size[1], depth, kind, interlaced, r)
					img, err := png.Decode(bytes.NewReader(b))
					if err != nil {
						t.Fatal(err)
					}
					p, err := picture.DecodePNG(bytes.NewReader(b), 1000)
					if err != nil {
						t.Errorf("color type %d, %d bits, interlaced %v, %v: %v", kind, depth, interlaced, size, err)
						continue
					}
					if !same(t, p, img) {
						t.Errorf("color type %d, %d bits, interlaced %v, %v", kind, depth, interlaced, size)
					}
				}
			}
		}
	}
	exact := image.NewGray(image.Rect(0, 0, 256, 1))
	for i := range exact.Pix {
		exact.Pix[i] = byte(i)
	}
	p, err := picture.DecodePNG(bytes.NewReader(encoded(t, exact)), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Gray {
		if v != float32(float64(i)/255) {
			t.Errorf("gray %d became %v", i, v)
		}
	}
}

// TestShrinks: a large picture is shrunk to the mean of squares, whatever its size,
// and needs no memory for itself.
func TestShrinks(t *testing.T) {
	const w, h = 2201, 1003
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	p, err := picture.DecodePNG(bytes.NewReader(encoded(t, img)), w*h)
	if err != nil {
		t.Fatal(err)
	}
	const by = 4
	if p.W != (w+by-1)/by || p.H != (h+by-1)/by || p.FullW != w || p.FullH != h {
		t.Fatalf("%d × %d of %d × %d", p.W, p.H, p.FullW, p.FullH)
	}
	for _, at := range [][2]int{{0, 0}, {17, 100}, {p.W - 1, 5}, {3, p.H - 1}, {p.W - 1, p.H - 1}} {
		sum, n := 0.0, 0.0
		for y := at[1] * by; y < min((at[1]+1)*by, h); y++ {
			for x := at[0] * by; x < min((at[0]+1)*by, w); x++ {
				sum += float64(img.GrayAt(x, y).Y) / 255
				n++
			}
		}
		if got := float64(p.Gray[at[1]*p.W+at[0]]); math.Abs(got-sum/n) > 1e-6 {
			t.Errorf("%v is %v, want %v", at, got, sum/n)
		}
	}
}

// TestPaper: what is transparent shows paper: under dark ink white, under light
// ink black, and around a page of its own that page's.
func TestPaper(t *testing.T) {
	of := func(ground, ink color.Color, page bool) *image.NRGBA {
		img := image.NewNRGBA(image.Rect(0, 0, 20, 20))
		for i := range 400 {
			x, y := i%20, i/20
			switch {
			case x > 8 && x < 11 && y > 4 && y < 15:
				img.Set(x, y, ink)
			case !page || x > 2 && x < 17 && y > 2 && y < 17:
				img.Set(x, y, ground)
			}
		}
		return img
	}
	for name, c := range map[string]struct {
		img            image.Image
		corner, ink    float64
		clear, colored bool
	}{
		"black on white":       {of(color.White, color.Black, false), 1, 0, false, false},
		"black on transparent": {of(color.NRGBA{}, color.Black, false), 1, 0, true, false},
		"white on transparent": {of(color.NRGBA{}, color.White, false), 0, 1, true, false},
		"white, clear as ink":  {of(color.NRGBA{255, 255, 255, 0}, color.Black, false), 1, 0, true, false},
		"half-clear black":     {of(color.NRGBA{}, color.NRGBA{0, 0, 0, 128}, false), 1, 1 - 128.0/255, true, false},
		"a page of its own":    {of(color.Gray{240}, color.Black, true), 240.0 / 255, 0, true, false},
		"red on white":         {of(color.White, color.NRGBA{255, 0, 0, 255}, false), 1, 0.299, false, true},
	} {
		p, err := picture.DecodePNG(bytes.NewReader(encoded(t, c.img)), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(p.Gray[0])-c.corner) > 0.003 || math.Abs(float64(p.Gray[10*20+9])-c.ink) > 0.003 || p.Transparent != c.clear || p.Color != c.colored {
			t.Errorf("%s: the corner is %v, the ink %v, transparent %v, color %v", name, p.Gray[0], p.Gray[10*20+9], p.Transparent, p.Color)
		}
		// From a browser's pixels, the same.
		n := image.NewNRGBA(c.img.Bounds())
		for i := range 400 {
			n.Set(i%20, i/20, c.img.At(i%20, i/20))
		}
		q, err := picture.FromNRGBA(n.Pix, 20, 20)
		if err != nil || !slices.Equal(q.Gray, p.Gray) {
			t.Errorf("%s: pixels give another picture than the file (%v)", name, err)
		}
	}
}

// exif is Exif data with an orientation, in either order of bytes.
func exif(order binary.AppendByteOrder, how uint16) []byte {
	head := "II*\x00"
	if order.String() == "BigEndian" {
		head = "MM\x00*"
	}
	b := order.AppendUint32([]byte(head), 8)
	b = order.AppendUint16(b, 2)
	for _, e := range [][4]uint32{{0x010f, 2, 1, 0}, {0x0112, 3, 1, uint32(how)}} {
		b = order.AppendUint16(b, uint16(e[0]))
		b = order.AppendUint16(b, uint16(e[1]))
		b = order.AppendUint32(b, e[2])
		b = order.AppendUint16(b, uint16(e[3]))
		b = append(b, 0, 0)
	}
	return order.AppendUint32(b, 0)
}

// withExif puts a chunk of Exif before the pixels or after them.
func withExif(b, data []byte, after bool) []byte {
	at := bytes.Index(b, []byte("IDAT")) - 4
	if after {
		at = len(b) - 12
	}
	return slices.Concat(b[:at], chunk("eXIf", data), b[at:])
}

// TestOrientation: all eight, as Exif has them, wherever they are said.
func TestOrientation(t *testing.T) {
	// An F of three columns and two rows, as it should be seen.
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(img.Pix, []byte{10, 20, 30, 40, 50, 60})
	file := encoded(t, img)
	for how, want := range map[uint16][]byte{
		0: {10, 20, 30, 40, 50, 60}, 1: {10, 20, 30, 40, 50, 60}, 2: {30, 20, 10, 60, 50, 40}, 3: {60, 50, 40, 30, 20, 10},
		4: {40, 50, 60, 10, 20, 30}, 5: {10, 40, 20, 50, 30, 60}, 6: {40, 10, 50, 20, 60, 30}, 7: {60, 30, 50, 20, 40, 10},
		8: {30, 60, 20, 50, 10, 40}, 9: {10, 20, 30, 40, 50, 60},
	} {
		for _, after := range []bool{false, true} {
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				p, err := picture.DecodePNG(bytes.NewReader(withExif(file, exif(order, how), after)), 1000)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range p.Gray {
					if v != float32(float64(want[i])/255) {
						t.Errorf("orientation %d: %v, want %v", how, p.Gray, want)
						break
					}
				}
				if turned := how >= 2 && how <= 8; p.Turned != turned || (p.W == 2) != (how >= 5 && how <= 8) || p.FullW != p.W {
					t.Errorf("orientation %d: turned %v, %d × %d", how, p.Turned, p.W, p.H)
				}
			}
		}
	}
	p, err := picture.DecodePNG(bytes.NewReader(file), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if q := p.Quarter(1); q.W != 2 || q.Gray[0] != p.Gray[3] || p.W != 3 || p.Turned {
		t.Errorf("a quarter to the right is %v", q.Gray)
	}
	if q := p.Quarter(-1).Quarter(5); !slices.Equal(q.Gray, p.Gray) {
		t.Errorf("back and forth gives %v", q.Gray)
	}
}

// TestRefusals: what is no PNG is refused in words that say why.
func TestRefusals(t *testing.T) {
	good := raw(t, 40, 30, 8, 2, false, rng.New(2, 0))
	huge := append([]byte(picture.Magic), chunk("IHDR", []byte{0, 0, 0x30, 0, 0, 0, 0x20, 0, 8, 0, 0, 0, 0})...)
	flipped := slices.Clone(good)
	flipped[len(flipped)-30] ^= 0x10
	var size *picture.SizeError
	if _, err := picture.DecodePNG(bytes.NewReader(huge), 1<<20); !errors.As(err, &size) || size.W != 0x3000 || !strings.Contains(err.Error(), "12288 × 8192") {
		t.Errorf("a large one: %v", err)
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":     {nil, "too early"},
		"text":        {[]byte("this is not a picture"), "does not begin"},
		"cut":         {good[:len(good)/2], "too early"},
		"no end":      {good[:len(good)-12], "too early"},
		"flipped":     {flipped, "checksum"},
		"no pixels":   {append(slices.Clone(good[:33]), chunk("IEND", nil)...), "no pixels"},
		"no palette":  {append(append([]byte(picture.Magic), chunk("IHDR", []byte{0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0})...), chunk("IDAT", nil)...), "palette"},
		"odd kind":    {append([]byte(picture.Magic), chunk("IHDR", []byte{0, 0, 0, 1, 0, 0, 0, 1, 8, 5, 0, 0, 0})...), "color type 5"},
		"two headers": {append(slices.Clone(good[:33]), good[8:]...), "two headers"},
	} {
		if _, err := picture.DecodePNG(bytes.NewReader(c.b), 1<<20); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := picture.FromNRGBA(make([]byte, 7), 2, 2); err == nil {
		t.Error("7 bytes are a picture of 2 × 2 pixels")
	}
}

// FuzzDecodePNG: any bytes give a picture or an error; what the standard library
// reads is read too, and is the same.
func FuzzDecodePNG(f *testing.F) {
	r := rng.New(3, 0)
	for kind, depth := range map[int]int{0: 2, 2: 16, 3: 4, 4: 8, 6: 8} {
		f.Add(raw(f, 9, 5, depth, kind, kind%2 == 0, r))
	}
	f.Add(withExif(raw(f, 3, 2, 8, 0, false, r), exif(binary.BigEndian, 6), true))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := picture.DecodePNG(bytes.NewReader(b), 1<<16)
		if err == nil {
			for i, v := range p.Gray {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("pixel %d is %v", i, v)
				}
			}
		}
		c, failed := png.DecodeConfig(bytes.NewReader(b))
		if failed != nil || c.Width > picture.MaxEdge || c.Height > picture.MaxEdge || c.Width*c.Height > 1<<16 {
			return
		}
		img, failed := png.Decode(bytes.NewReader(b))
		if failed != nil {
			return
		}
		if err != nil {
			t.Fatalf("the standard library reads it: %v", err)
		}
		opaque := true
		for i := range c.Width * c.Height {
			_, _, _, a := img.At(i%c.Width, i/c.Width).RGBA()
			opaque = opaque && a == 0xffff
		}
		if opaque && !p.Turned && p.FullW == p.W && !same(t, p, img) {
			t.Fatal("another picture")
		}
	})
}
