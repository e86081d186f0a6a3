package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// file builds a file by hand, apart from Encode.
func file(header string, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// one is the header of one F32 tensor t of 2 elements, with its parts in place.
func one(dtype, shape, offsets string) string {
	return `{"t":{"dtype":` + dtype + `,"shape":` + shape + `,"data_offsets":` + offsets + `}}`
}

var twoFloats = []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0} // 1, -2

// sample has tensors of several types, an empty one, a scalar and metadata.
func sample(t testing.TB) *File {
	t.Helper()
	f := &File{Meta: map[string]string{"kind": "lmppm", "täst \"quoted\"\n": "1\u2028<&>\x00"}}
	for _, err := range []error{
		f.AddInt8("f.1.weight", []float32{1, -2, 3, .5, .25, -.125}, 2, 3),
		f.AddFloat32("f.1.bias", []float32{.5, -1e-30}, 2),
		f.AddUint8("labels", []byte{0, 9, 255}, 3),
		f.AddFloat32("scalar", []float32{7}),
		f.AddFloat32("empty", nil, 0, 784),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	tests := []struct {
		name    string
		in      []byte
		tensors []Tensor
		meta    map[string]string
	}{
		{"nothing in it", file(`{}`), []Tensor{}, nil},
		{"metadata alone", file(`{"__metadata__":{"a":"b","":""}}`), []Tensor{}, map[string]string{"a": "b", "": ""}},
		{"empty metadata", file(`{"__metadata__":{}}`), []Tensor{}, map[string]string{}},
		{"one tensor", file(one(`"F32"`, `[2]`, `[0,8]`), twoFloats...), []Tensor{{"t", F32, []int{2}, twoFloats}}, nil},
		{"padded", file(one(`"F32"`, `[2]`, `[0,8]`)+"   ", twoFloats...), []Tensor{{"t", F32, []int{2}, twoFloats}}, nil},
		{"scalar", file(one(`"F64"`, `[]`, `[0,8]`), twoFloats...), []Tensor{{"t", "F64", []int{}, twoFloats}}, nil},
		{"keys in another order", file(`{"t":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}`, twoFloats...), []Tensor{{"t", F32, []int{2}, twoFloats}}, nil},
		{"half bytes", file(one(`"F4"`, `[4,4]`, `[0,8]`), twoFloats...), []Tensor{{"t", "F4", []int{4, 4}, twoFloats}}, nil},
		{"reference's own example", file(`{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}`, make([]byte, 16)...), []Tensor{{"test", "I32", []int{2, 2}, make([]byte, 16)}}, nil},
		{
			"order of bytes, not of names",
			file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[5,8]},"b":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"e":{"dtype":"F32","shape":[9,0],"data_offsets":[5,5]},"z":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}`, twoFloats...),
			[]Tensor{{"b", U8, []int{5}, twoFloats[:5]}, {"e", F32, []int{9, 0}, nil}, {"a", U8, []int{3}, twoFloats[5:]}, {"z", F32, []int{0}, nil}},
			nil,
		},
	}
	for _, tt := range tests {
		f, err := Parse(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !slices.EqualFunc(f.Tensors, tt.tensors, equal) {
			t.Errorf("%s: tensors %v, want %v", tt.name, f.Tensors, tt.tensors)
		}
		if !maps.Equal(f.Meta, tt.meta) || (f.Meta == nil) != (tt.meta == nil) {
			t.Errorf("%s: metadata %q, want %q", tt.name, f.Meta, tt.meta)
		}
	}
}

func equal(a, b Tensor) bool {
	return a.Name == b.Name && a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(a.Data, b.Data)
}

func TestParseErrors(t *testing.T) {
	f32 := func(offsets string) []byte { return file(one(`"F32"`, `[2]`, offsets), twoFloats...) }
	two := func(a, b string) []byte {
		return file(fmt.Sprintf(`{"a":{"dtype":"U8","shape":[4],"data_offsets":%s},"b":{"dtype":"U8","shape":[4],"data_offsets":%s}}`, a, b), twoFloats...)
	}
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"nothing", nil, "too short"},
		{"seven bytes", make([]byte, 7), "too short"},
		{"header of no bytes", make([]byte, 8), "not a safetensors file"},
		{"header of 2^64-1 bytes", bytes.Repeat([]byte{255}, 64), "not a safetensors file"},
		{"header of 2^64-8 bytes", append([]byte{0xf8, 255, 255, 255, 255, 255, 255, 255}, "{}"...), "not a safetensors file"},
		{"header over the limit", file("{}")[:8:8], "truncated"},
		{"header past the end", append([]byte{3, 0, 0, 0, 0, 0, 0, 0}, "{}"...), "truncated"},
		{"PNG", []byte("\x89PNG\r\n\x1a\n....IHDR"), "not a safetensors file"},
		{"an array", file(`[]`), "does not begin"},
		{"a space first", file(` {}`), "does not begin"},
		{"unclosed", file(`{`), "EOF"},
		{"two values", file(`{}{}`), "more than one"},
		{"junk behind", file(`{}x`), "more than one"},
		{"NUL padding", file("{}\x00\x00"), "more than one"},
		{"not UTF-8", file("{\"\xff\":{}}"), "UTF-8"},
		{"half a surrogate", file(`{"\ud800":{}}`), "surrogate"},

		{"duplicate tensor", file(`{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, twoFloats...), "duplicate"},
		{"duplicate tensor, escaped", file(`{"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0074":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, twoFloats...), "duplicate"},
		{"duplicate metadata", file(`{"__metadata__":{},"__metadata__":{}}`), "duplicate"},
		{"duplicate key in metadata", file(`{"__metadata__":{"a":"1","a":"2"}}`), "duplicate"},
		{"duplicate dtype", file(`{"t":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, twoFloats...), "duplicate"},
		{"duplicate shape", file(`{"t":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}`, twoFloats...), "duplicate"},

		{"metadata that is no object", file(`{"__metadata__":[]}`), "__metadata__"},
		{"metadata number", file(`{"__metadata__":{"a":1}}`), "want a string"},
		{"metadata null", file(`{"__metadata__":null}`), "__metadata__"},
		{"metadata nested", file(`{"__metadata__":{"a":{"b":"c"}}}`), "want a string"},

		{"tensor that is no object", file(`{"t":[1,2]}`), `"t"`},
		{"tensor of nothing", file(`{"t":{}}`), "needs dtype"},
		{"no dtype", file(`{"t":{"shape":[2],"data_offsets":[0,8]}}`, twoFloats...), "needs dtype"},
		{"no shape", file(`{"t":{"dtype":"F32","data_offsets":[0,8]}}`, twoFloats...), "needs dtype"},
		{"no offsets", file(`{"t":{"dtype":"F32","shape":[2]}}`, twoFloats...), "needs dtype"},
		{"unknown key", file(`{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, twoFloats...), "unknown key"},
		{"unclosed tensor", file(`{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]`, twoFloats...), "EOF"},
		{"unclosed shape", file(`{"t":{"dtype":"F32","shape":[2`, twoFloats...), "EOF"},
		{"brackets crossed", file(`{"t":{"dtype":"F32","shape":[2}`, twoFloats...), "header"},
		{"deep nesting", file(`{"t":` + strings.Repeat("[", 100_000)), `"t"`},
		{"deep nesting in shape", file(`{"t":{"shape":` + strings.Repeat("[", 100_000)), "number"},

		{"unknown dtype", file(one(`"F31"`, `[2]`, `[0,8]`), twoFloats...), "no element type"},
		{"dtype in small letters", file(one(`"f32"`, `[2]`, `[0,8]`), twoFloats...), "no element type"},
		{"dtype number", file(one(`32`, `[2]`, `[0,8]`), twoFloats...), "want a string"},
		{"dtype null", file(one(`null`, `[2]`, `[0,8]`), twoFloats...), "want a string"},
		{"shape too small", file(one(`"F32"`, `[1]`, `[0,8]`), twoFloats...), "needs 4 bytes"},
		{"shape too large", file(one(`"F32"`, `[3]`, `[0,8]`), twoFloats...), "needs 12 bytes"},
		{"shape of half a byte", file(one(`"F4"`, `[15]`, `[0,8]`), twoFloats...), "whole number"},
		{"shape negative", file(one(`"F32"`, `[-2]`, `[0,8]`), twoFloats...), "not an integer"},
		{"shape -0", file(one(`"F32"`, `[-0]`, `[0,0]`)), "not an integer"},
		{"shape fraction", file(one(`"F32"`, `[2.0]`, `[0,8]`), twoFloats...), "not an integer"},
		{"shape exponent", file(one(`"F32"`, `[2e0]`, `[0,8]`), twoFloats...), "not an integer"},
		{"shape string", file(one(`"F32"`, `["2"]`, `[0,8]`), twoFloats...), "want a number"},
		{"shape null", file(one(`"F32"`, `null`, `[0,8]`), twoFloats...), "shape"},
		{"shape past int64", file(one(`"F32"`, `[9223372036854775808]`, `[0,8]`), twoFloats...), "count"},
		{"shape past uint64", file(one(`"F32"`, `[18446744073709551616]`, `[0,8]`), twoFloats...), "not an integer"},
		{"product wraps to 2", file(one(`"F32"`, `[4611686018427387905,2]`, `[0,8]`), twoFloats...), "overflows"},
		{"product wraps to 0", file(one(`"F32"`, `[4294967296,4294967296,4294967296]`, `[0,0]`)), "overflows"},
		{"product in bits wraps", file(one(`"F32"`, `[576460752303423490]`, `[0,8]`), twoFloats...), "overflows"},

		{"one offset", f32(`[0]`), "data_offsets"},
		{"three offsets", f32(`[0,8,8]`), "data_offsets"},
		{"offsets reversed", f32(`[8,0]`), "before it begins"},
		{"begins late", f32(`[1,8]`), "belong to no tensor"},
		{"ends early", f32(`[0,7]`), "needs 8 bytes"},
		{"ends late", f32(`[0,9]`), "ends at 9"},
		{"ends at 2^64-1", f32(`[0,18446744073709551615]`), "ends at"},
		{"begins at 2^64-8", f32(`[18446744073709551608,18446744073709551615]`), "ends at"},
		{"offset past uint64", f32(`[0,18446744073709551624]`), "not an integer"},
		{"negative offset", f32(`[-8,0]`), "not an integer"},
		{"offset fraction", f32(`[0,8.0]`), "not an integer"},
		{"overlap", two(`[0,4]`, `[3,7]`), "inside"},
		{"same bytes twice", two(`[0,4]`, `[0,4]`), "inside"},
		{"gap between", two(`[0,4]`, `[5,9]`), "ends at 9"},
		{"gap inside the file", file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, twoFloats...), "bytes 3 to 4"},
		{"gap at the end", file(one(`"U8"`, `[7]`, `[0,7]`), twoFloats...), "last 1 bytes"},
		{"empty tensor inside another", file(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`, twoFloats...), "inside"},
		{"empty tensor far away", file(one(`"U8"`, `[0]`, `[100,100]`), twoFloats...), "ends at 100"},
		{"data and no tensor", file(`{}`, 1), "last 1 bytes"},
	}
	for _, tt := range tests {
		f, err := Parse(tt.in)
		if err == nil || f != nil {
			t.Errorf("%s: %v, %v, want nil and an error", tt.name, f, err)
		} else if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "safetensors: ") {
			t.Errorf("%s: error %q does not say %q", tt.name, err, tt.want)
		}
	}
}

// TestHeaderLimit claims one byte more than the format allows, and has it.
func TestHeaderLimit(t *testing.T) {
	b := binary.LittleEndian.AppendUint64(nil, maxHeader+1)
	b = append(b, make([]byte, maxHeader+1)...)
	if _, err := Parse(b); err == nil || !strings.Contains(err.Error(), "more than the format's") {
		t.Errorf("error %v", err)
	}
}

// TestTruncated cuts a file at every byte: no part of one is a file.
func TestTruncated(t *testing.T) {
	b := encode(t, sample(t))
	for n := range b {
		if f, err := Parse(b[:n]); err == nil || f != nil {
			t.Errorf("Parse took the first %d of %d bytes", n, len(b))
		}
	}
	if _, err := Parse(append(b, 0)); err == nil {
		t.Error("Parse took one byte too many")
	}
}

// TestDamaged flips each bit of a file. Whatever Parse then accepts must hold
// together and be encodable.
func TestDamaged(t *testing.T) {
	good := encode(t, sample(t))
	for i := range good {
		for bit := range 8 {
			b := slices.Clone(good)
			b[i] ^= 1 << bit
			if f, err := Parse(b); err == nil {
				checkFile(t, f)
			}
		}
	}
}

// checkFile holds what Parse accepted to what it promises.
func checkFile(t *testing.T, f *File) {
	t.Helper()
	b, err := f.Encode()
	if err != nil {
		t.Fatalf("parsed, but does not encode: %v", err)
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatalf("encoded, but does not parse: %v", err)
	}
	if !maps.Equal(again.Meta, f.Meta) || len(again.Tensors) != len(f.Tensors) {
		t.Fatal("round trip changed the file")
	}
	for _, want := range f.Tensors {
		if got, ok := again.Lookup(want.Name); !ok || !equal(got, want) {
			t.Fatalf("round trip changed tensor %q", want.Name)
		}
		if x, err := f.Float32(want.Name, want.Shape...); err == nil {
			for _, v := range x {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("Float32 let %v through", v)
				}
			}
		}
		f.Uint8(want.Name, want.Shape...)
	}
	if b2, err := again.Encode(); err != nil || !bytes.Equal(b, b2) {
		t.Fatal("Encode of the same contents gives other bytes")
	}
}

func TestRoundTrip(t *testing.T) {
	f := sample(t)
	b := encode(t, f)
	if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
		t.Errorf("the header has %d bytes, not a multiple of 8", n)
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, got)
	if !maps.Equal(got.Meta, f.Meta) {
		t.Errorf("metadata %q, want %q", got.Meta, f.Meta)
	}
	for _, want := range f.Tensors {
		if g, ok := got.Lookup(want.Name); !ok || !equal(g, want) {
			t.Errorf("tensor %q is %v, want %v", want.Name, g, want)
		}
	}
	at := 0
	for _, g := range got.Tensors {
		if width := int(bitsOf[g.DType]) / 8; at%width != 0 {
			t.Errorf("tensor %q of %s begins at byte %d", g.Name, g.DType, at)
		}
		at += len(g.Data)
	}
	// Order of adding and map iteration must not show.
	slices.Reverse(f.Tensors)
	for range 10 {
		if !bytes.Equal(encode(t, f), b) {
			t.Fatal("other bytes for the same contents")
		}
	}
}

// TestHeaderIsJSON reads a header with the standard library's JSON reader.
func TestHeaderIsJSON(t *testing.T) {
	f := sample(t)
	b := encode(t, f)
	n := binary.LittleEndian.Uint64(b)
	var h map[string]json.RawMessage
	if err := json.Unmarshal(b[8:8+n], &h); err != nil {
		t.Fatal(err)
	}
	var meta map[string]string
	if err := json.Unmarshal(h["__metadata__"], &meta); err != nil || !maps.Equal(meta, f.Meta) {
		t.Errorf("metadata %q, %v", meta, err)
	}
	var info struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(h["f.1.weight"], &info); err != nil {
		t.Fatal(err)
	}
	q := b[8+int(n)+info.Offsets[0] : 8+int(n)+info.Offsets[1]]
	// Scales 3/127 and .5/127: 1·127/3 = 42.33, -2·127/3 = -84.67.
	if want := []byte{42, 256 - 85, 127, 127, 64, 256 - 32}; info.DType != "I8" || !slices.Equal(info.Shape, []int{2, 3}) || !bytes.Equal(q, want) {
		t.Errorf("f.1.weight is %+v % x, want % x", info, q, want)
	}
}

func TestParseAliases(t *testing.T) {
	b := file(one(`"F32"`, `[2]`, `[0,8]`), twoFloats...)
	before := slices.Clone(b)
	f, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, before) {
		t.Fatal("Parse wrote into its input")
	}
	b[len(b)-1] = 0x40 // -2 to 2
	x, err := f.Float32("t", 2)
	if err != nil || x[1] != 2 {
		t.Errorf("data does not alias the file: %v, %v", x, err)
	}
	x[0] = 9
	if !bytes.Equal(b[len(b)-8:len(b)-4], twoFloats[:4]) {
		t.Error("Float32 gave out the file's bytes")
	}
}

func f32s(x ...float32) []byte { return appendFloats(nil, x) }

func TestFloat32(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	q := []byte{1, 2, 127, 129, 128, 255} // 1 2 127 -127 -128 -1
	tests := []struct {
		name    string
		tensors []Tensor
		shape   []int
		want    []float32
		err     string
	}{
		{"floats", []Tensor{{"t", F32, []int{2}, twoFloats}}, []int{2}, []float32{1, -2}, ""},
		{"scalar", []Tensor{{"t", F32, nil, f32s(3)}}, nil, []float32{3}, ""},
		{"extremes", []Tensor{{"t", F32, []int{2}, f32s(math.MaxFloat32, -math.SmallestNonzeroFloat32)}}, []int{2}, []float32{math.MaxFloat32, -math.SmallestNonzeroFloat32}, ""},
		{"none", []Tensor{{"t", F32, []int{0}, nil}}, []int{0}, []float32{}, ""},
		{"quantized", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{2}, f32s(.5, 2)}}, []int{2, 3}, []float32{.5, 1, 63.5, -254, -256, -2}, ""},
		{"scale of zero", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{2}, f32s(0, 2)}}, []int{2, 3}, []float32{0, 0, 0, -254, -256, -2}, ""},
		{"quantized, none", []Tensor{{"t", I8, []int{0, 3}, nil}, {"t.scale", F32, []int{0}, nil}}, []int{0, 3}, []float32{}, ""},
		{"quantized, empty rows", []Tensor{{"t", I8, []int{2, 0}, nil}, {"t.scale", F32, []int{2}, f32s(1, 2)}}, []int{2, 0}, []float32{}, ""},

		{"missing", nil, []int{2}, nil, `no tensor "t"`},
		{"other shape", []Tensor{{"t", F32, []int{2}, twoFloats}}, []int{1, 2}, nil, "has shape [2], want [1 2]"},
		{"other order", []Tensor{{"t", F32, []int{2, 1}, twoFloats}}, []int{1, 2}, nil, "has shape"},
		{"no shape asked", []Tensor{{"t", F32, []int{2}, twoFloats}}, nil, nil, "has shape"},
		{"bytes that lie", []Tensor{{"t", F32, []int{3}, twoFloats}}, []int{3}, nil, "needs 12 bytes"},
		{"negative shape", []Tensor{{"t", F32, []int{-1}, twoFloats}}, []int{-1}, nil, "negative dimension"},
		{"half floats", []Tensor{{"t", "F16", []int{4}, twoFloats}}, []int{4}, nil, "type F16"},
		{"NaN", []Tensor{{"t", F32, []int{2}, f32s(0, nan)}}, []int{2}, nil, "element 1 is NaN"},
		{"infinity", []Tensor{{"t", F32, []int{2}, f32s(-inf, 0)}}, []int{2}, nil, "element 0 is -Inf"},
		{"no scale", []Tensor{{"t", I8, []int{2, 3}, q}}, []int{2, 3}, nil, `no tensor "t.scale"`},
		{"scale of another shape", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{3}, f32s(1, 1, 1)}}, []int{2, 3}, nil, "shape [3], want [2]"},
		{"scale of another type", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", U8, []int{2}, []byte{1, 1}}}, []int{2, 3}, nil, "type U8"},
		{"quantized scale", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", I8, []int{2}, []byte{1, 1}}}, []int{2, 3}, nil, "type I8"},
		{"scale NaN", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{2}, f32s(1, nan)}}, []int{2, 3}, nil, "NaN"},
		{"scale negative", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{2}, f32s(1, -1)}}, []int{2, 3}, nil, "scale 1 is negative"},
		{"scale overflows", []Tensor{{"t", I8, []int{2, 3}, q}, {"t.scale", F32, []int{2}, f32s(1, 1e38)}}, []int{2, 3}, nil, "element 3, -127"},
		{"quantized scalar", []Tensor{{"t", I8, nil, q[:1]}, {"t.scale", F32, nil, f32s(1)}}, nil, nil, "scalar"},
	}
	for _, tt := range tests {
		f := &File{Tensors: tt.tensors}
		got, err := f.Float32("t", tt.shape...)
		if tt.err != "" {
			if err == nil || got != nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, %v, want an error that says %q", tt.name, got, err, tt.err)
			}
		} else if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestUint8(t *testing.T) {
	f := sample(t)
	got, err := f.Uint8("labels", 3)
	if err != nil || !bytes.Equal(got, []byte{0, 9, 255}) {
		t.Errorf("%v, %v", got, err)
	}
	got[0] = 7
	if again, _ := f.Uint8("labels", 3); again[0] != 0 {
		t.Error("Uint8 gave out the file's bytes")
	}
	for _, name := range []string{"f.1.weight", "f.1.bias", "none"} {
		if _, err := f.Uint8(name, 3); err == nil {
			t.Errorf("Uint8 took %q", name)
		}
	}
	if _, err := f.Uint8("labels", 4); err == nil {
		t.Error("Uint8 took another shape")
	}
}

// TestLend: numbers that are lent, and what is written bit by bit, give the same bytes as
// copies and Encode.
func TestLend(t *testing.T) {
	many := make([]float32, 40_000)
	for i := range many {
		many[i] = float32(i) - 0.5
	}
	copied, lent := sample(t), sample(t)
	for name, data := range map[string][]float32{"many": many, "none": nil, "one": {3}} {
		if err := errors.Join(copied.AddFloat32(name, data, len(data)), lent.LendFloat32(name, data, len(data))); err != nil {
			t.Fatal(err)
		}
	}
	want := encode(t, copied)
	var b bytes.Buffer
	if n, err := lent.WriteTo(&b); err != nil || n != int64(len(want)) {
		t.Errorf("%d bytes are written (%v), want %d", n, err, len(want))
	}
	if !bytes.Equal(b.Bytes(), want) || !bytes.Equal(encode(t, lent), want) {
		t.Error("numbers that are lent are not written as copies are")
	}
	if err := lent.LendFloat32("nan", []float32{float32(math.NaN())}, 1); err == nil {
		t.Error("NaN is lent")
	}
	if err := lent.LendFloat32("one", []float32{1}, 1); err == nil {
		t.Error("a name is lent to twice")
	}
	boom := errors.New("boom")
	if _, err := lent.WriteTo(full{boom}); !errors.Is(err, boom) {
		t.Errorf("what cannot be written: %v", err)
	}
}

// full is a writer with no room.
type full struct{ error }

func (f full) Write([]byte) (int, error) { return 0, f.error }

func TestAddErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	two := []float32{1, 2}
	tests := []struct {
		name   string
		tensor string
		data   []float32
		shape  []int
		want   string // by both ways of adding
	}{
		{"too few", "t", two, []int{3}, "3 elements, the data 2"},
		{"too many", "t", two, []int{1}, "1 elements, the data 2"},
		{"negative", "t", two, []int{-1, -2}, "negative"},
		{"overflow", "t", two, []int{math.MaxInt, math.MaxInt}, "overflows"},
		{"overflow to 2", "t", two, []int{1<<62 + 1, 4, 2}, "overflows"},
		{"NaN", "t", []float32{1, nan}, []int{2}, "element 1 is NaN"},
		{"infinity", "t", []float32{inf, 1}, []int{2}, "element 0 is -Inf"},
		{"taken", "bias", two, []int{2}, "already"},
		{"the metadata's name", "__metadata__", two, []int{2}, "metadata"},
		{"not UTF-8", "a\xff", two, []int{2}, "UTF-8"},
	}
	for _, tt := range tests {
		f := &File{}
		if err := f.AddFloat32("bias", two, 2); err != nil {
			t.Fatal(err)
		}
		for how, err := range map[string]error{
			"AddFloat32": f.AddFloat32(tt.tensor, tt.data, tt.shape...),
			"AddInt8":    f.AddInt8(tt.tensor, tt.data, tt.shape...),
		} {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: error %v, want %q", tt.name, how, err, tt.want)
			}
		}
		if len(f.Tensors) != 1 {
			t.Errorf("%s: a tensor was added beside the error", tt.name)
		}
	}
	f := &File{}
	if err := f.AddInt8("t", []float32{1}); err == nil {
		t.Error("AddInt8 took a scalar")
	}
	if err := f.AddUint8("t", []byte{1, 2}, 3); err == nil {
		t.Error("AddUint8 took another shape")
	}
	if err := f.AddFloat32("t.scale", two, 2); err != nil {
		t.Fatal(err)
	}
	if err := f.AddInt8("t", two, 2); err == nil || len(f.Tensors) != 1 {
		t.Error("AddInt8 took a name whose .scale is taken")
	}
}

func TestAddCopies(t *testing.T) {
	x, u, shape := []float32{1, 2}, []byte{1, 2}, []int{2}
	f := &File{}
	f.AddFloat32("x", x, shape...)
	f.AddUint8("u", u, shape...)
	x[0], u[0], shape[0] = 9, 9, 9
	if got, err := f.Float32("x", 2); err != nil || got[0] != 1 {
		t.Errorf("AddFloat32 keeps the caller's slice: %v, %v", got, err)
	}
	if got, err := f.Uint8("u", 2); err != nil || got[0] != 1 {
		t.Errorf("AddUint8 keeps the caller's slice: %v, %v", got, err)
	}
}

func TestQuantize(t *testing.T) {
	tiny := float32(math.SmallestNonzeroFloat32)
	tests := []struct {
		name  string
		x     []float32
		scale float32
		q     []int8
	}{
		// A peak of 127 makes the scale 1 and shows the rounding.
		{"half to even", []float32{127, .5, 1.5, 2.5, -.5, -1.5, -2.5, 3.4999998, 126.5}, 1, []int8{127, 0, 2, 2, 0, -2, -2, 3, 126}},
		{"symmetric", []float32{-254, 254, 2, -2}, 2, []int8{-127, 127, 1, -1}},
		{"zeros", []float32{0, float32(math.Copysign(0, -1)), 0}, 0, []int8{0, 0, 0}},
		{"too small for a scale", []float32{tiny, -tiny}, 0, []int8{0, 0}},
		{"largest", []float32{math.MaxFloat32, -math.MaxFloat32, 0}, math.Nextafter32(math.MaxFloat32/127, 0), []int8{127, -127, 0}},
		{"scale of the smallest denormal", []float32{100 * tiny, -60 * tiny, 0}, tiny, []int8{100, -60, 0}},
		{"clamped by a coarse scale", []float32{190 * tiny, -180 * tiny, tiny}, tiny, []int8{127, -127, 1}},
		{"none", nil, 0, nil},
	}
	for _, tt := range tests {
		q := make([]byte, len(tt.x))
		scale := quantize(q, tt.x)
		got := make([]int8, len(q))
		for i := range q {
			got[i] = int8(q[i])
		}
		if scale != tt.scale || !slices.Equal(got, tt.q) {
			t.Errorf("%s: scale %v, %v, want %v, %v", tt.name, scale, got, tt.scale, tt.q)
		}
	}
}

// TestInt8Error holds the rounding error of each value to half its channel's
// scale, over magnitudes from the denormals to the largest.
func TestInt8Error(t *testing.T) {
	const rows, cols = 78, 33
	x := make([]float32, rows*cols)
	seed := uint64(1)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		u := float64(int64(seed)) / (1 << 63) // -1 to 1
		x[i] = float32(u * math.Ldexp(1, i/cols*3-106))
	}
	f := &File{}
	if err := f.AddInt8("w", x, rows, 3, cols/3); err != nil {
		t.Fatal(err)
	}
	got, err := f.Float32("w", rows, 3, cols/3)
	if err != nil {
		t.Fatal(err)
	}
	scales, err := f.Float32("w.scale", rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range x {
		s := float64(scales[i/cols])
		// The product rounds once more.
		limit := s*(.5+1e-5) + math.Abs(float64(want))*0x1p-23
		if d := math.Abs(float64(got[i]) - float64(want)); !(d <= limit) {
			t.Errorf("element %d: %v stored as %v, scale %v", i, want, got[i], s)
		}
	}
	for c := range rows {
		var peak byte
		w, _ := f.Lookup("w")
		for _, q := range w.Data[c*cols : (c+1)*cols] {
			if q == 0x80 {
				t.Errorf("row %d holds -128", c)
			}
			peak = max(peak, byte(max(int8(q), -int8(q))))
		}
		if peak != 127 {
			t.Errorf("row %d: the largest magnitude is stored as %d, want 127", c, peak)
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	ok := Tensor{"t", F32, []int{2}, twoFloats}
	tests := []struct {
		name string
		f    File
		want string
	}{
		{"two of a name", File{Tensors: []Tensor{ok, {"t", U8, []int{1}, []byte{1}}}}, "two tensors"},
		{"bytes that lie", File{Tensors: []Tensor{{"t", F32, []int{3}, twoFloats}}}, "needs 12 bytes"},
		{"unknown type", File{Tensors: []Tensor{{"t", "F31", []int{2}, twoFloats}}}, "no element type"},
		{"no type", File{Tensors: []Tensor{{"t", "", []int{8}, twoFloats}}}, "no element type"},
		{"negative", File{Tensors: []Tensor{{"t", F32, []int{-1, -2}, twoFloats}}}, "negative"},
		{"the metadata's name", File{Tensors: []Tensor{{"__metadata__", F32, []int{2}, twoFloats}}}, "metadata"},
		{"name not UTF-8", File{Tensors: []Tensor{{"\xff", F32, []int{2}, twoFloats}}}, "UTF-8"},
		{"key not UTF-8", File{Meta: map[string]string{"\xff": ""}}, "the key"},
		{"metadata not UTF-8", File{Meta: map[string]string{"a": "\xff"}}, `metadata "a"`},
	}
	for _, tt := range tests {
		b, err := tt.f.Encode()
		if err == nil || b != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d bytes, error %v, want %q", tt.name, len(b), err, tt.want)
		}
	}
	if b, err := new(File).Encode(); err != nil || !bytes.Equal(b, file("{}      ")) {
		t.Errorf("an empty file is %q, %v", b, err)
	}
}

func TestLookup(t *testing.T) {
	f := sample(t)
	if x, ok := f.Lookup("f.1.weight.scale"); !ok || x.DType != F32 || !slices.Equal(x.Shape, []int{2}) {
		t.Errorf("f.1.weight.scale: %v, %v", x, ok)
	}
	if _, ok := f.Lookup("f.1"); ok {
		t.Error("Lookup found a tensor that is not there")
	}
}

func FuzzParse(f *testing.F) {
	good := encode(f, sample(f))
	seeds := [][]byte{
		nil, {1}, make([]byte, 8), bytes.Repeat([]byte{255}, 16), good, good[:len(good)-1], good[:20], append(slices.Clone(good), 0),
		file(`{}`), file(`{} `), file(`{}x`), file(`{}`, 1), file(`{`), file(`[]`), file(`{"__metadata__":{"a":"b"}}`), file(`{"__metadata__":{"a":1}}`),
		file(one(`"F32"`, `[2]`, `[0,8]`), twoFloats...), file(one(`"F32"`, `[1,2]`, `[0,8]`), f32s(float32(math.NaN()), 1)...),
		file(one(`"F32"`, `[2]`, `[8,0]`), twoFloats...), file(one(`"F32"`, `[2]`, `[0,18446744073709551615]`), twoFloats...),
		file(one(`"F32"`, `[4611686018427387905,2]`, `[0,8]`), twoFloats...), file(one(`"F4"`, `[16]`, `[0,8]`), twoFloats...),
		file(one(`"I8"`, `[8]`, `[0,8]`), twoFloats...), file(one(`"F32"`, `[-1]`, `[0,8]`), twoFloats...), file(one(`"U8"`, `[0]`, `[0,0]`)),
		file(`{"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"\u0074":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, twoFloats...),
		file(`{"t":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"t.scale":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, twoFloats...),
		file(`{"t":{"dtype":"I8","shape":[1,4],"data_offsets":[0,4]},"t.scale":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, twoFloats...),
		file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}}`, twoFloats...),
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := slices.Clone(b)
		file, err := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("Parse wrote into its input")
		}
		if err != nil {
			if file != nil {
				t.Fatal("a file beside an error")
			}
			return
		}
		total := 0
		for _, x := range file.Tensors {
			total += len(x.Data)
		}
		if n := int(binary.LittleEndian.Uint64(b)); total != len(b)-8-n {
			t.Fatalf("tensors hold %d of %d bytes", total, len(b)-8-n)
		}
		// Empty metadata is not written, so the round trip drops it.
		if len(file.Meta) == 0 {
			file.Meta = nil
		}
		checkFile(t, file)
	})
}
