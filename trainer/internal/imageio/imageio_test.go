package imageio

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/picture"
)

// asIs has pictures left alone: what is made of them is tested apart.
var asIs = center.Options{Center: center.Never}

// ramp is n images, each with pixels of its own.
func ramp(n int) []byte {
	b := make([]byte, n*Pixels)
	for i := range b {
		b[i] = byte(i*7 + i/Pixels)
	}
	return b
}

// rawIDX writes the format by hand, apart from the package under test.
func rawIDX(data []byte, shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, n := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, data...)
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func grayOf(pixels []byte, w, h int) *image.Gray {
	return &image.Gray{Pix: pixels, Stride: w, Rect: image.Rect(0, 0, w, h)}
}

func put(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustRead(t *testing.T, path string) *Images {
	t.Helper()
	im, err := Read(path, nil, asIs)
	if err != nil {
		t.Fatal(err)
	}
	if len(im.Pixels) != im.N*Pixels || len(im.Names) != im.N {
		t.Fatalf("%s: %d images, %d bytes, %d names", path, im.N, len(im.Pixels), len(im.Names))
	}
	return im
}

func TestReadForms(t *testing.T) {
	dir := t.TempDir()
	for name, b := range map[string][]byte{
		"a.idx":        rawIDX(ramp(3), 3, 28, 28),
		"t10k-ubyte":   rawIDX(ramp(3), 3, 28, 28),
		"a.idx.gz":     zipped(t, rawIDX(ramp(3), 3, 28, 28)),
		"misnamed.png": zipped(t, rawIDX(ramp(3), 3, 28, 28)), // the content decides
	} {
		im := mustRead(t, put(t, filepath.Join(dir, name), b))
		if im.N != 3 || !bytes.Equal(im.Pixels, ramp(3)) || len(im.Notes) != 0 {
			t.Errorf("%s: %d images, notes %q", name, im.N, im.Notes)
		}
		im, err := Read(Stream, bytes.NewReader(b), asIs)
		if err != nil || im.N != 3 || !bytes.Equal(im.Pixels, ramp(3)) {
			t.Errorf("%s from stdin: %v", name, err)
		}
	}
	im := mustRead(t, put(t, filepath.Join(dir, "one.png"), pngOf(t, grayOf(ramp(1), 28, 28))))
	if im.N != 1 || !bytes.Equal(im.Pixels, ramp(1)) || len(im.Notes) != 0 {
		t.Errorf("PNG: %d images, notes %q", im.N, im.Notes)
	}
}

func TestReadFolder(t *testing.T) {
	dir := t.TempDir()
	order := []string{"00.png", "1.png", "2.PNG", "10.png", "a2.png", "A10.png", "b.png"}
	for i, name := range order {
		put(t, filepath.Join(dir, name), pngOf(t, grayOf(bytes.Repeat([]byte{byte(i + 1)}, Pixels), 28, 28)))
	}
	put(t, filepath.Join(dir, "notes.txt"), []byte("x"))
	put(t, filepath.Join(dir, ".hidden.png"), []byte("x"))
	put(t, filepath.Join(dir, "sub.png", "3.png"), []byte("x"))
	im := mustRead(t, dir)
	for i, name := range order {
		if im.Names[i] != filepath.Join(dir, name) || im.Pixels[i*Pixels] != byte(i+1) {
			t.Errorf("image %d is %s, want %s", i, im.Names[i], name)
		}
	}
	if im.N != len(order) || len(im.Notes) != 1 || !strings.Contains(im.Notes[0], "2 entries") {
		t.Errorf("%d images, notes %q", im.N, im.Notes)
	}
}

func TestNatural(t *testing.T) {
	want := []string{"", "0", "00", "1", "1a", "01b", "2", "9", "10", "a", "A", "a1", "a01", "a2b3", "a2b10", "a10", "img99999999999999999999", "img100000000000000000000", "z"}
	got := slices.Clone(want)
	for i := range got { // a fixed shuffle
		j := (i*7 + 3) % len(got)
		got[i], got[j] = got[j], got[i]
	}
	slices.SortFunc(got, natural)
	// 00 and 0, a and A, a1 and a01 are equal numbers or letters: bytes decide.
	for i := range want {
		for j := range want {
			if c, back := natural(want[i], want[j]), natural(want[j], want[i]); c != -back || (c == 0) != (i == j) {
				t.Errorf("natural(%q, %q) = %d and back %d", want[i], want[j], c, back)
			}
		}
	}
	norm := func(s []string) string {
		return strings.NewReplacer("a01", "a1", "A", "a", "00", "0").Replace(strings.Join(s, " "))
	}
	if norm(got) != norm(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The kinds of pixels PNGs have, all for the same picture: full, half and no ink.
func TestPNGKinds(t *testing.T) {
	level := func(x int) byte { return []byte{255, 128, 0}[x%3] }
	rect := image.Rect(0, 0, 28, 28)
	gray, gray16, rgba, nrgba64 := image.NewGray(rect), image.NewGray16(rect), image.NewRGBA(rect), image.NewNRGBA64(rect)
	alpha := image.NewNRGBA(rect)
	paletted := image.NewPaletted(rect, color.Palette{color.Gray{0}, color.Gray{128}, color.Gray{255}})
	for y := range 28 {
		for x := range 28 {
			v := level(x)
			gray.SetGray(x, y, color.Gray{v})
			gray16.SetGray16(x, y, color.Gray16{uint16(v) * 0x101})
			rgba.SetRGBA(x, y, color.RGBA{v, v, v, 255})
			nrgba64.SetNRGBA64(x, y, color.NRGBA64{uint16(v) * 0x101, uint16(v) * 0x101, uint16(v) * 0x101, 0xffff})
			alpha.SetNRGBA(x, y, color.NRGBA{255, 255, 255, v}) // white over black
			paletted.SetColorIndex(x, y, []byte{2, 1, 0}[x%3])
		}
	}
	for name, img := range map[string]image.Image{"gray": gray, "gray16": gray16, "rgba": rgba, "nrgba64": nrgba64, "alpha": alpha, "paletted": paletted} {
		im := mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, img)))
		if !bytes.Equal(im.Pixels, gray.Pix) {
			t.Errorf("%s: row %v, want %v", name, im.Pixels[:6], gray.Pix[:6])
		}
	}
	// The luma of the primaries.
	colors := image.NewRGBA(rect)
	for x, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 0, 0, 0}} {
		colors.SetRGBA(x, 0, c)
	}
	im := mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, colors)))
	if got := im.Pixels[:3]; !bytes.Equal(got, []byte{76, 150, 29}) {
		t.Errorf("red, green and blue are %v", got)
	}
}

// direct is area averaging in two dimensions from its definition: each pixel of
// the result is the integral over the square it covers.
func direct(src []byte, w, h, tw, th int) []float64 {
	out := make([]float64, tw*th)
	overlap := func(a0, a1, b0, b1 float64) float64 { return max(0, min(a1, b1)-max(a0, b0)) }
	sx, sy := float64(w)/float64(tw), float64(h)/float64(th)
	for j := range th {
		for i := range tw {
			sum := 0.0
			for y := range h {
				oy := overlap(float64(y), float64(y+1), float64(j)*sy, float64(j+1)*sy)
				if oy == 0 {
					continue
				}
				for x := range w {
					sum += oy * overlap(float64(x), float64(x+1), float64(i)*sx, float64(i+1)*sx) * float64(src[y*w+x])
				}
			}
			out[j*tw+i] = sum / (sx * sy)
		}
	}
	return out
}

func TestResizeShrinks(t *testing.T) {
	for _, c := range []struct{ w, h, tw, th int }{
		{56, 56, 28, 28}, {64, 64, 28, 28}, {29, 29, 28, 28}, {100, 50, 28, 14}, {45, 90, 14, 28}, {1000, 3, 28, 1}, {3, 1000, 1, 28},
	} {
		src := make([]byte, c.w*c.h)
		for i := range src {
			src[i] = byte(i*i*31 + i*17)
		}
		im := mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, grayOf(src, c.w, c.h))))
		want := direct(src, c.w, c.h, c.tw, c.th)
		left, top := (28-c.tw)/2, (28-c.th)/2
		for y := range 28 {
			for x := range 28 {
				got, ref := float64(im.Pixels[y*28+x]), 0.0
				if i, j := x-left, y-top; i >= 0 && i < c.tw && j >= 0 && j < c.th && c.h > 2 && c.w > 2 {
					ref = want[j*c.tw+i]
				}
				if (c.w == 1000 || c.h == 1000) && ref != 0 {
					continue // one axis grows there
				}
				if math.Abs(got-ref) > 0.51 {
					t.Fatalf("%d×%d at %d,%d: %v, want %.2f", c.w, c.h, x, y, got, ref)
				}
			}
		}
		if len(im.Notes) != 1 || !strings.Contains(im.Notes[0], fmt.Sprintf("%d×%d", c.w, c.h)) || !strings.Contains(im.Notes[0], "the image is not 28×28") {
			t.Errorf("notes %q", im.Notes)
		}
	}
}

func TestResizeGrows(t *testing.T) {
	// Two pixels: constant to the first center (at 7 of 28), a ramp to the second.
	im := mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, grayOf([]byte{0, 140, 0, 140}, 2, 2))))
	for y := range 28 {
		for x := range 28 {
			want := 140 * min(max((float64(x)+0.5)/14-0.5, 0), 1)
			if got := float64(im.Pixels[y*28+x]); math.Abs(got-want) > 0.51 {
				t.Fatalf("at %d,%d: %v, want %v", x, y, got, want)
			}
		}
	}
	// One pixel fills all; a line of one pixel's height is a line in the middle.
	im = mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, grayOf([]byte{77}, 1, 1))))
	if !bytes.Equal(im.Pixels, bytes.Repeat([]byte{77}, Pixels)) {
		t.Error("one pixel does not fill the image")
	}
	im = mustRead(t, put(t, filepath.Join(t.TempDir(), "x.png"), pngOf(t, grayOf(bytes.Repeat([]byte{200}, 28), 28, 1))))
	if im.Pixels[13*28] != 200 || bytes.Count(im.Pixels, []byte{200}) != 28 {
		t.Error("a line of 28×1 pixels is not kept as it is, centered")
	}
}

func TestResizeIDX(t *testing.T) {
	src := make([]byte, 3*56*56)
	for i := range src {
		src[i] = byte(50 * (1 + i/(56*56)))
	}
	im := mustRead(t, put(t, filepath.Join(t.TempDir(), "x.idx"), rawIDX(src, 3, 56, 56)))
	for i := range 3 {
		if !bytes.Equal(im.Pixels[i*Pixels:(i+1)*Pixels], bytes.Repeat([]byte{byte(50 * (i + 1))}, Pixels)) {
			t.Errorf("image %d is not constant", i)
		}
	}
	if len(im.Notes) != 1 || !strings.Contains(im.Notes[0], "3 of 3 images") {
		t.Errorf("notes %q", im.Notes)
	}
}

// bomb is a PNG whose header claims w×h pixels and which has no data.
func bomb(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 0, 0, 0, 0)
	b := append([]byte(picture.Magic), 0, 0, 0, 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	whole := pngOf(t, grayOf(ramp(1), 28, 28))
	flipped := slices.Clone(whole)
	flipped[len(flipped)-20] ^= 0x40
	broken := t.TempDir()
	put(t, filepath.Join(broken, "1.png"), whole)
	put(t, filepath.Join(broken, "2.png"), whole[:60])
	jpeg := t.TempDir()
	put(t, filepath.Join(jpeg, "1.png"), []byte("\xff\xd8\xff\xe0"))
	texts := t.TempDir()
	put(t, filepath.Join(texts, "a.txt"), nil)
	for name, c := range map[string]struct {
		path string
		want []string
	}{
		"empty path":       {"", []string{"empty"}},
		"no such file":     {filepath.Join(dir, "none.png"), []string{"none.png", "no such file"}},
		"empty folder":     {t.TempDir(), []string{"is empty", "put PNGs"}},
		"folder of texts":  {texts, []string{"holds no PNG", "1 other"}},
		"broken in folder": {broken, []string{"2.png", "broken PNG"}},
		"JPEG in folder":   {jpeg, []string{"1.png", "not a PNG", "JPEG"}},
		"empty file":       {put(t, filepath.Join(dir, "empty.png"), nil), []string{"empty.png is empty"}},
		"text":             {put(t, filepath.Join(dir, "t.png"), []byte("hello")), []string{"t.png", "neither an IDX file nor a PNG"}},
		"NumPy":            {put(t, filepath.Join(dir, "n.npy"), []byte("\x93NUMPY\x01")), []string{"NumPy", "convert"}},
		"truncated PNG":    {put(t, filepath.Join(dir, "h.png"), whole[:40]), []string{"h.png", "broken PNG"}},
		"header only":      {put(t, filepath.Join(dir, "m.png"), whole[:8]), []string{"m.png", "broken PNG"}},
		"flipped bit":      {put(t, filepath.Join(dir, "f.png"), flipped), []string{"f.png", "broken PNG"}},
		"huge":             {put(t, filepath.Join(dir, "b.png"), bomb(1<<16, 1<<16)), []string{"b.png", "65536 × 65536", "smaller"}},
		"truncated IDX":    {put(t, filepath.Join(dir, "t.idx"), rawIDX(ramp(1), 2, 28, 28)), []string{"t.idx"}},
		"truncated gzip":   {put(t, filepath.Join(dir, "t.gz"), zipped(t, rawIDX(ramp(2), 2, 28, 28))[:60]), []string{"t.gz"}},
		"labels":           {put(t, filepath.Join(dir, "l.idx"), rawIDX([]byte{1, 2}, 2)), []string{"l.idx"}},
		"no images":        {put(t, filepath.Join(dir, "0.idx"), rawIDX(nil, 0, 28, 28)), []string{"0.idx", "no images"}},
		"no pixels":        {put(t, filepath.Join(dir, "00.idx"), rawIDX(nil, 5, 0, 28)), []string{"00.idx"}},
		"gzipped text":     {put(t, filepath.Join(dir, "x.idx.gz"), zipped(t, []byte("hello"))), []string{"x.idx.gz"}},
	} {
		im, err := Read(c.path, nil, asIs)
		if err == nil {
			t.Errorf("%s: read %d images", name, im.N)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", name, err, want)
			}
		}
	}
	if _, err := Read(Stream, strings.NewReader(""), asIs); err == nil || !strings.Contains(err.Error(), "standard input is empty") {
		t.Errorf("empty stdin: %v", err)
	}
	if _, err := Read(Stream, io.MultiReader(strings.NewReader("x"), failing{}), asIs); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("failing stdin: %v", err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestQuantizeRoundTrip(t *testing.T) {
	im := &Images{N: 1, Pixels: ramp(1)}
	x, back := make([]float32, Pixels), make([]byte, Pixels)
	for i, b := range im.Pixels {
		x[i] = float32(b) / 255
	}
	Quantize(back, x)
	if !bytes.Equal(back, im.Pixels) {
		t.Error("bytes do not survive the way to floats and back")
	}
	for v, want := range map[float32]byte{-1: 0, 0: 0, 0.5: 128, 1: 255, 1.5: 255, 0.0019: 0, 0.002: 1,
		float32(math.NaN()): 0, float32(math.Inf(1)): 255, float32(math.Inf(-1)): 0} {
		if Quantize(back[:1], []float32{v}); back[0] != want {
			t.Errorf("Quantize(%v) = %d, want %d", v, back[0], want)
		}
	}
}

func create(t *testing.T, path string, n int) *Target {
	t.Helper()
	target, err := Create(path, "", n, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestWriteForms(t *testing.T) {
	dir := t.TempDir()
	raw := rawIDX(ramp(3), 3, 28, 28)
	for _, name := range []string{"a.idx", "a-ubyte", "A.IDX", "a.idx.gz", "a-idx3-ubyte.gz"} {
		path := filepath.Join(dir, name)
		if err := create(t, path, 3).Write(ramp(3)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if b, err = io.ReadAll(z); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !bytes.Equal(b, raw) {
			t.Errorf("%s does not hold the IDX file", name)
		}
	}
	path := filepath.Join(dir, "one.png")
	if err := create(t, path, 1).Write(ramp(1)); err != nil {
		t.Fatal(err)
	}
	if im := mustRead(t, path); !bytes.Equal(im.Pixels, ramp(1)) {
		t.Error("the PNG does not hold the image")
	}
	path = filepath.Join(dir, "folder")
	if err := create(t, path, 12).Write(ramp(12)); err != nil {
		t.Fatal(err)
	}
	im := mustRead(t, path)
	if im.N != 12 || !bytes.Equal(im.Pixels, ramp(12)) || im.Names[11] != filepath.Join(path, "00011.png") {
		t.Errorf("the folder holds %d images, the last is %s", im.N, im.Names[im.N-1])
	}
	var out bytes.Buffer
	target, err := Create(Stream, "", 3, false, &out)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Write(ramp(3)); err != nil || !bytes.Equal(out.Bytes(), raw) {
		t.Errorf("stdout got %d bytes, %v", out.Len(), err)
	}
}

func TestCreateErrors(t *testing.T) {
	dir := t.TempDir()
	file := put(t, filepath.Join(dir, "file"), nil)
	in := put(t, filepath.Join(dir, "in.idx"), rawIDX(ramp(1), 1, 28, 28))
	folder := filepath.Join(dir, "digits")
	put(t, filepath.Join(folder, "00000.png"), pngOf(t, grayOf(ramp(1), 28, 28)))
	if err := os.Mkdir(filepath.Join(dir, "d.png"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, from string
		n          int
		want       string
	}{
		"empty":            {"", "", 1, "empty"},
		"many in one PNG":  {filepath.Join(dir, "x.png"), "", 2, "2 images do not fit"},
		"JPEG":             {filepath.Join(dir, "x.jpg"), "", 1, ".jpg cannot be written"},
		"gzip of anything": {filepath.Join(dir, "x.gz"), "", 1, ".gz cannot be written"},
		"a file":           {file, "", 1, "is a file"},
		"a folder":         {filepath.Join(dir, "d.png"), "", 1, "is a folder"},
		"no parent":        {filepath.Join(dir, "no", "x.idx"), "", 1, "does not exist: make it first"},
		"no parent folder": {filepath.Join(dir, "no", "x"), "", 1, "does not exist: make it first"},
		"under a file":     {filepath.Join(file, "x.idx"), "", 1, "not a directory"},
		"onto the input":   {in, filepath.Join(dir, ".", "in.idx"), 1, "--force"},
		"onto the folder":  {folder, folder, 1, "--force"},
	} {
		_, err := Create(c.path, c.from, c.n, false, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, c := range [][2]string{{in, in}, {folder, folder}} {
		if _, err := Create(c[0], c[1], 1, true, nil); err != nil {
			t.Errorf("with force: %v", err)
		}
	}
	if err := create(t, filepath.Join(dir, "y.idx"), 1).Write(make([]byte, 5)); err == nil {
		t.Error("5 bytes were written as images")
	}
}

func TestWriteFailureKeepsTheOld(t *testing.T) {
	// The target turns into a folder between the check and the write.
	dir := t.TempDir()
	path := filepath.Join(dir, "x.idx")
	target := create(t, path, 1)
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := target.Write(ramp(1)); err == nil {
		t.Error("wrote over a folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v behind (%v)", entries, err)
	}
	target, err = Create(Stream, "", 1, false, broken{})
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Write(ramp(1)); err == nil || !strings.Contains(err.Error(), "standard output") {
		t.Errorf("broken stdout: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func FuzzRead(f *testing.F) {
	f.Add(rawIDX(ramp(1), 1, 28, 28))
	f.Add(bomb(3, 3))
	var out bytes.Buffer
	if err := png.Encode(&out, grayOf([]byte{1, 2, 3, 4}, 2, 2)); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := Read(Stream, bytes.NewReader(b), asIs)
		if err == nil && (im.N == 0 || len(im.Pixels) != im.N*Pixels || len(im.Names) != im.N) {
			t.Fatalf("%d images, %d bytes, %d names", im.N, len(im.Pixels), len(im.Names))
		}
	})
}
