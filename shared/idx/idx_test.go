package idx

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mppm/shared/gunzip"
)

// raw builds a file by hand, apart from Encode.
func raw(typ byte, dims []uint32, data []byte) []byte {
	b := []byte{0, 0, typ, byte(len(dims))}
	for _, d := range dims {
		b = append(b, byte(d>>24), byte(d>>16), byte(d>>8), byte(d))
	}
	return append(b, data...)
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	if _, err := zw.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var pixels = []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255}

func TestParse(t *testing.T) {
	many := slices.Repeat([]uint32{1}, 255)
	tests := []struct {
		name  string
		in    []byte
		shape []int
		data  []byte
	}{
		{"labels", raw(8, []uint32{3}, []byte{7, 0, 9}), []int{3}, []byte{7, 0, 9}},
		{"images", raw(8, []uint32{2, 3, 2}, pixels), []int{2, 3, 2}, pixels},
		{"no labels", raw(8, []uint32{0}, nil), []int{0}, nil},
		{"no images", raw(8, []uint32{0, 28, 28}, nil), []int{0, 28, 28}, nil},
		{"255 dimensions", raw(8, many, []byte{5}), slices.Repeat([]int{1}, 255), []byte{5}},
	}
	for _, tt := range tests {
		for _, gz := range []bool{false, true} {
			in := tt.in
			if gz {
				in = zipped(t, in)
			}
			f, err := Parse(in)
			if err != nil {
				t.Errorf("%s (gzip %v): %v", tt.name, gz, err)
				continue
			}
			if !slices.Equal(f.Shape, tt.shape) || !bytes.Equal(f.Data, tt.data) {
				t.Errorf("%s (gzip %v): %v %v, want %v %v", tt.name, gz, f.Shape, f.Data, tt.shape, tt.data)
			}
			if !bytes.Equal(f.Encode(), tt.in) {
				t.Errorf("%s (gzip %v): Encode gives other bytes", tt.name, gz)
			}
			if !IsIDX(in) {
				t.Errorf("%s (gzip %v): IsIDX says no", tt.name, gz)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	images := raw(8, []uint32{2, 3, 2}, pixels)
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "too short"},
		{"text", []byte("hello, world"), "not an IDX"},
		{"PNG", []byte("\x89PNG\r\n\x1a\n...."), "not an IDX"},
		{"signed bytes", raw(9, []uint32{1}, []byte{1}), "signed byte"},
		{"floats", raw(0x0d, []uint32{1}, []byte{0, 0, 0, 0}), "32-bit float"},
		{"unknown type", raw(7, []uint32{1}, []byte{1}), "no element type"},
		{"no dimensions", raw(8, nil, []byte{1}), "no dimensions"},
		{"one byte missing", images[:len(images)-1], "truncated"},
		{"one byte more", append(slices.Clone(images), 0), "goes on after"},
		{"data after an empty array", raw(8, []uint32{0, 28, 28}, []byte{1}), "goes on after"},
		{"claims 4 GB", raw(8, []uint32{math.MaxUint32}, pixels), "limit"},
		{"product wraps to 0", raw(8, []uint32{1 << 31, 1 << 31, 4}, nil), "limit"},
		{"product wraps to 12", raw(8, []uint32{0x8000_0003, 4, 1 << 30, 1 << 30}, pixels), "limit"},
		{"huge beside zero", raw(8, []uint32{0, math.MaxUint32, math.MaxUint32}, nil), "limit"},
		{"huge before zero", raw(8, []uint32{math.MaxUint32, 0}, nil), "limit"},
		{"one over the limit", raw(8, []uint32{MaxBytes + 1}, pixels), "limit"},
		{"claims just the limit", raw(8, []uint32{MaxBytes}, pixels), "truncated"},
	}
	for _, tt := range tests {
		for _, gz := range []bool{false, true} {
			in := tt.in
			if gz {
				in = zipped(t, in)
			}
			f, err := Parse(in)
			if err == nil || f != nil {
				t.Errorf("%s (gzip %v): %v, %v, want nil and an error", tt.name, gz, f, err)
			} else if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "idx: ") {
				t.Errorf("%s (gzip %v): error %q does not say %q", tt.name, gz, err, tt.want)
			}
		}
	}
}

// TestTruncated cuts a file at every byte, plain and gzipped.
func TestTruncated(t *testing.T) {
	plain := raw(8, []uint32{2, 3, 2}, pixels)
	for name, b := range map[string][]byte{"plain": plain, "gzip": zipped(t, plain)} {
		for n := range b {
			if f, err := Parse(b[:n]); err == nil || f != nil {
				t.Errorf("%s: Parse took the first %d of %d bytes: %v", name, n, len(b), f)
			}
		}
		if _, err := Parse(b); err != nil {
			t.Errorf("%s: the whole file: %v", name, err)
		}
	}
}

// TestGzipDamage flips each bit of a gzip stream. What still unpacks must be
// the same array: some bits of gzip's header mean nothing.
func TestGzipDamage(t *testing.T) {
	plain := raw(8, []uint32{2, 3, 2}, pixels)
	z := zipped(t, plain)
	for i := range z {
		for bit := range 8 {
			b := slices.Clone(z)
			b[i] ^= 1 << bit
			if f, err := Parse(b); err == nil && !bytes.Equal(f.Encode(), plain) {
				t.Errorf("bit %d of byte %d flipped: other data and no error", bit, i)
			}
		}
	}
}

func TestGzipJoined(t *testing.T) {
	plain := raw(8, []uint32{2, 3, 2}, pixels)
	// gzip streams may be split anywhere; IDX in two members is one file.
	f, err := Parse(append(zipped(t, plain[:9]), zipped(t, plain[9:])...))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.Encode(), plain) {
		t.Error("two members give other data than one")
	}
	if _, err := Parse(append(zipped(t, plain), "junk"...)); err == nil {
		t.Error("Parse took junk after the stream")
	}
	if _, err := Parse(append(zipped(t, plain), zipped(t, []byte{1})...)); err == nil {
		t.Error("Parse took a second member after the data")
	}
}

// TestBomb unpacks 64 MB of zeros behind a header that claims 12 bytes, and
// 12 bytes behind one that claims a gigabyte: neither may cost memory.
func TestBomb(t *testing.T) {
	long := zipped(t, raw(8, []uint32{2, 3, 2}, make([]byte, 64<<20)))
	short := zipped(t, raw(8, []uint32{MaxBytes}, pixels))
	for name, b := range map[string][]byte{"long": long, "short": short} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(b)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: Parse allocated %d bytes", name, n)
		}
	}
}

func TestParseLimit(t *testing.T) {
	b := raw(8, []uint32{2, 3, 2}, pixels)
	if _, err := ParseLimit(b, 12); err != nil {
		t.Error(err)
	}
	// No limit is so high that the product of the dimensions may wrap.
	for _, dims := range [][]uint32{{1 << 31, 1 << 31, 4}, {1 << 31, 1 << 31, 2, 2, 12}} {
		if f, err := ParseLimit(raw(8, dims, nil), math.MaxInt); err == nil {
			t.Errorf("dimensions %v are taken for %d bytes", dims, len(f.Data))
		}
	}
	for _, limit := range []int{11, 0, -1, math.MinInt} {
		for _, in := range [][]byte{b, zipped(t, b)} {
			if _, err := ParseLimit(in, limit); err == nil {
				t.Errorf("limit %d: no error", limit)
			}
		}
	}
}

func TestDataHasNoSlack(t *testing.T) {
	b := raw(8, []uint32{2}, []byte{1, 2})
	for _, in := range [][]byte{b, zipped(t, b)} {
		f, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if cap(f.Data) != len(f.Data) {
			t.Errorf("capacity %d, length %d: an append would write behind the data", cap(f.Data), len(f.Data))
		}
	}
}

func TestNew(t *testing.T) {
	shape := []int{2, 3, 2}
	f, err := New(pixels, shape...)
	if err != nil {
		t.Fatal(err)
	}
	shape[0] = 99
	if !bytes.Equal(f.Encode(), raw(8, []uint32{2, 3, 2}, pixels)) {
		t.Error("New and Encode give other bytes")
	}
	for _, shape := range [][]int{{}, {11}, {13}, {-12}, {-3, -4}, {3, -4}, make([]int, 256), {math.MaxInt, 2}, {12, math.MaxInt32, math.MaxInt32, 0}} {
		if _, err := New(pixels, shape...); err == nil {
			t.Errorf("New took 12 bytes as %v", shape)
		}
	}
}

func TestImagesLabels(t *testing.T) {
	tests := []struct {
		shape  []int
		images string // "" for no error
		labels string
	}{
		{[]int{2, 3, 2}, "", "1 dimension"},
		{[]int{0, 28, 28}, "", "1 dimension"},
		{[]int{12}, "3 dimensions", ""},
		{[]int{0}, "3 dimensions", ""},
		{[]int{3, 4}, "3 dimensions", "1 dimension"},
		{[]int{5, 0, 28}, "hold nothing", "1 dimension"},
		{[]int{5, 28, 0}, "hold nothing", "1 dimension"},
		{nil, "3 dimensions", "1 dimension"},
	}
	check := func(shape []int, what string, err error, want string) {
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %s: error %v, want %q", shape, what, err, want)
		}
	}
	for _, tt := range tests {
		f := &File{Shape: tt.shape, Data: pixels}
		n, h, w, err := f.Images()
		check(tt.shape, "Images", err, tt.images)
		if err == nil && !slices.Equal([]int{n, h, w}, tt.shape) {
			t.Errorf("Images of %v = %d, %d, %d", tt.shape, n, h, w)
		}
		labels, err := f.Labels()
		check(tt.shape, "Labels", err, tt.labels)
		if err == nil && !bytes.Equal(labels, pixels) {
			t.Errorf("Labels of %v = %v", tt.shape, labels)
		}
	}
}

func TestIsIDX(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want bool
	}{
		{"empty", nil, false},
		{"three bytes", []byte{0, 0, 8}, false},
		{"images", []byte{0, 0, 8, 3}, true},
		{"floats", []byte{0, 0, 0x0d, 2, 1}, true},
		{"no dimensions", []byte{0, 0, 8, 0}, false},
		{"icon", []byte{0, 0, 1, 0}, false},
		{"MP4", []byte{0, 0, 0, 0x18}, false},
		{"PNG", []byte("\x89PNG\r\n\x1a\n"), false},
		{"gzip's magic alone", []byte{0x1f, 0x8b}, false},
		{"gzip of text", zipped(t, []byte("hello, world")), false},
		{"gzip of nothing", zipped(t, nil), false},
		{"gzip of three bytes", zipped(t, []byte{0, 0, 8}), false},
		{"gzip of labels", zipped(t, raw(8, []uint32{3}, []byte{1, 2, 3})), true},
	} {
		if got := IsIDX(tt.in); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	// The start of a large gzip file is enough.
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * i >> 7)
	}
	if !IsIDX(zipped(t, raw(8, []uint32{1 << 20}, data))[:1024]) {
		t.Error("the first kilobyte of a gzip file is not enough")
	}
}

func TestGzipErrorsAreWrapped(t *testing.T) {
	z := zipped(t, raw(8, []uint32{2, 3, 2}, pixels))
	if _, err := Parse(z[:len(z)-4]); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("truncated checksum: %v", err)
	}
	z[len(z)-8] ^= 1
	if _, err := Parse(z); !errors.Is(err, gzip.ErrChecksum) {
		t.Errorf("wrong checksum: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	plain := raw(8, []uint32{2, 3, 2}, pixels)
	z := zipped(f, plain)
	for _, seed := range [][]byte{
		nil, {0}, {0, 0, 8}, {0, 0, 8, 1}, {0, 0, 8, 255}, {0x1f, 0x8b}, {0x1f, 0x8b, 8, 0},
		plain, plain[:15], plain[:20], append(slices.Clone(plain), 1),
		raw(8, []uint32{3}, []byte{1, 2, 3}), raw(8, []uint32{0}, nil), raw(8, []uint32{0, 28, 28}, nil),
		raw(0x0d, []uint32{1}, pixels), raw(8, nil, pixels), raw(8, []uint32{math.MaxUint32, math.MaxUint32}, pixels),
		raw(8, []uint32{1 << 31, 2, 0}, nil), raw(8, slices.Repeat([]uint32{1}, 255), []byte{9}),
		z, z[:len(z)-1], z[:len(z)/2], z[:12], append(slices.Clone(z), z...),
		zipped(f, nil), zipped(f, z), zipped(f, []byte("text")), zipped(f, make([]byte, 1<<16)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := slices.Clone(b)
		const limit = 1 << 16
		file, err := ParseLimit(b, limit)
		if !bytes.Equal(b, before) {
			t.Fatal("ParseLimit wrote into its input")
		}
		if err != nil {
			if file != nil {
				t.Fatal("a file beside an error")
			}
			return
		}
		if !IsIDX(b) {
			t.Fatal("parsed, but IsIDX says no")
		}
		size := 1
		for _, d := range file.Shape {
			size *= d
		}
		if size != len(file.Data) || size > limit || len(file.Shape) == 0 {
			t.Fatalf("shape %v, %d bytes", file.Shape, len(file.Data))
		}
		enc := file.Encode()
		if !gunzip.Is(b) && !bytes.Equal(enc, b) {
			t.Fatal("Encode does not give back what Parse read")
		}
		again, err := Parse(enc)
		if err != nil || !slices.Equal(again.Shape, file.Shape) || !bytes.Equal(again.Data, file.Data) {
			t.Fatalf("round trip: %v", err)
		}
		file.Images()
		file.Labels()
	})
}

// TestMagicAsPublished spells out the magic numbers of MNIST's own description.
func TestMagicAsPublished(t *testing.T) {
	for want, shape := range map[uint32][]int{2049: {12}, 2051: {2, 3, 2}} {
		f, err := New(pixels, shape...)
		if err != nil {
			t.Fatal(err)
		}
		if got := binary.BigEndian.Uint32(f.Encode()); got != want {
			t.Errorf("magic of %v is %d, want %d", shape, got, want)
		}
	}
}
