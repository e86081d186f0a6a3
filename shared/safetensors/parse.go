package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"mppm/shared/fault"
)

// Parse reads a file. It trusts nothing in it, and allocates no more than in
// proportion to len(b). It returns an error that says what is wrong and where,
// never part of a file. The tensors' bytes alias b; their values are not looked
// at.
func Parse(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, fault.New(fault.ErrDamaged, "safetensors: %d bytes are too short for the header's length", len(b))
	}
	if err := CheckStart(b); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-8) {
		return nil, fault.New(fault.ErrDamaged, "safetensors: truncated: the header has %d bytes, the file %d after its length", n, len(b)-8)
	}
	text, data := b[8:8+n:8+n], b[8+n:]
	h, err := parseHeader(text)
	if err != nil {
		return nil, fault.New(fault.ErrDamaged, "safetensors: header: %w", err)
	}

	// In the order of their bytes, tensors must follow each other. Empty ones
	// come before what begins where they stand.
	slices.SortFunc(h.tensors, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.Name, b.Name))
	})
	f := &File{Meta: h.meta, Tensors: make([]Tensor, 0, len(h.tensors))}
	var at uint64
	for _, t := range h.tensors {
		switch {
		case t.begin > t.end:
			return nil, fault.New(fault.ErrDamaged, "safetensors: tensor %q: its data ends at %d, before it begins at %d", t.Name, t.end, t.begin)
		case t.end > uint64(len(data)):
			return nil, fault.New(fault.ErrDamaged, "safetensors: tensor %q: its data ends at %d, the file's at %d: truncated, or the header is wrong", t.Name, t.end, len(data))
		case t.begin < at:
			return nil, fault.New(fault.ErrDamaged, "safetensors: tensor %q: its data begins at %d, inside that of tensor %q", t.Name, t.begin, f.Tensors[len(f.Tensors)-1].Name)
		case t.begin > at:
			return nil, fault.New(fault.ErrDamaged, "safetensors: bytes %d to %d of the data, before tensor %q, belong to no tensor", at, t.begin, t.Name)
		}
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, fault.New(fault.ErrDamaged, "safetensors: tensor %q: %w", t.Name, err)
		}
		if size != t.end-t.begin {
			return nil, fault.New(fault.ErrDamaged, "safetensors: tensor %q: shape %v of %s needs %d bytes, its offsets span %d", t.Name, t.Shape, t.DType, size, t.end-t.begin)
		}
		t.Data = data[t.begin:t.end:t.end]
		f.Tensors = append(f.Tensors, t.Tensor)
		at = t.end
	}
	if at != uint64(len(data)) {
		return nil, fault.New(fault.ErrDamaged, "safetensors: the last %d bytes of the file belong to no tensor", uint64(len(data))-at)
	}
	return f, nil
}

// CheckStart returns an error if no file begins as b does: for whoever reads what
// may be anything, of any length. It does not say that Parse will accept the rest.
func CheckStart(b []byte) error {
	if len(b) < 8 {
		return nil // who knows
	}
	n := binary.LittleEndian.Uint64(b)
	if n > maxHeader {
		return fault.New(fault.ErrDamaged, "safetensors: not a safetensors file: its first 8 bytes claim a header of %d bytes, more than the format's %d", n, maxHeader)
	}
	if n == 0 || len(b) > 8 && b[8] != '{' {
		return fault.New(fault.ErrDamaged, "safetensors: not a safetensors file: the header does not begin with '{'")
	}
	return nil
}

// span is a tensor of the header: where its bytes are, in the data.
type span struct {
	Tensor
	begin, end uint64
}

type header struct {
	tensors []span
	meta    map[string]string
}

// parseHeader reads the JSON. jsontext refuses what is not UTF-8 and names that
// come twice in an object; the rest is checked here.
func parseHeader(text []byte) (h header, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	if err := open(d, '{'); err != nil {
		return h, err
	}
	for d.PeekKind() == '"' {
		name, err := readString(d)
		if err != nil {
			return h, err
		}
		if name == metaKey {
			h.meta, err = parseMeta(d)
		} else {
			var t span
			t, err = parseTensor(d)
			t.Name = name
			h.tensors = append(h.tensors, t)
		}
		if err != nil {
			return h, fmt.Errorf("%q: %w", name, err)
		}
	}
	if _, err := d.ReadToken(); err != nil { // the closing brace, or why there is none
		return h, err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return h, fmt.Errorf("more than one JSON value, at byte %d", d.InputOffset())
	}
	return h, nil
}

func parseMeta(d *jsontext.Decoder) (map[string]string, error) {
	if err := open(d, '{'); err != nil {
		return nil, err
	}
	meta := map[string]string{}
	for d.PeekKind() == '"' {
		k, err := readString(d)
		if err != nil {
			return nil, err
		}
		if meta[k], err = readString(d); err != nil {
			return nil, fmt.Errorf("%q: %w", k, err)
		}
	}
	_, err := d.ReadToken()
	return meta, err
}

func parseTensor(d *jsontext.Decoder) (t span, err error) {
	if err := open(d, '{'); err != nil {
		return t, err
	}
	var typ, shape, offsets bool
	for d.PeekKind() == '"' {
		k, err := readString(d)
		if err != nil {
			return t, err
		}
		switch k {
		case "dtype":
			typ = true
			var s string
			s, err = readString(d)
			t.DType = DType(s)
		case "shape":
			shape = true
			var dims []uint64
			dims, err = readInts(d)
			t.Shape = make([]int, len(dims))
			for i, v := range dims {
				if v > math.MaxInt {
					return t, fmt.Errorf("shape: dimension %d is %d, more than this machine can count", i, v)
				}
				t.Shape[i] = int(v)
			}
		case "data_offsets":
			offsets = true
			var at []uint64
			if at, err = readInts(d); err == nil {
				if len(at) != 2 {
					return t, fmt.Errorf("data_offsets has %d numbers, want 2", len(at))
				}
				t.begin, t.end = at[0], at[1]
			}
		default:
			return t, fmt.Errorf("unknown key %q", k)
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", k, err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return t, err
	}
	if !typ || !shape || !offsets {
		return t, errors.New("a tensor needs dtype, shape and data_offsets")
	}
	return t, nil
}

// open reads the token that begins an object ('{') or array ('[').
func open(d *jsontext.Decoder, kind jsontext.Kind) error {
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() != kind {
		return fmt.Errorf("want %s, got %s", kind, tok.Kind())
	}
	return nil
}

func readString(d *jsontext.Decoder) (string, error) {
	tok, err := d.ReadToken()
	if err != nil {
		return "", err
	}
	if tok.Kind() != '"' {
		return "", fmt.Errorf("want a string, got %s", tok.Kind())
	}
	return tok.String(), nil
}

// readInts reads an array of integers from 0 to 2^64-1, written without
// fraction or exponent.
func readInts(d *jsontext.Decoder) ([]uint64, error) {
	if err := open(d, '['); err != nil {
		return nil, err
	}
	out := []uint64{}
	for d.PeekKind() != ']' {
		tok, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		if tok.Kind() != '0' {
			return nil, fmt.Errorf("want a number, got %s", tok.Kind())
		}
		v, err := strconv.ParseUint(tok.String(), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is not an integer from 0 to 18446744073709551615", tok.String())
		}
		out = append(out, v)
	}
	_, err := d.ReadToken()
	return out, err
}
