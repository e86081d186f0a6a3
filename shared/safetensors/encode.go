package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json/jsontext"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// Encode writes the file. Equal contents give equal bytes, whatever order they
// were added in: metadata and tensors are sorted by name, tensors of wider
// elements first, and the header is padded with spaces to a multiple of 8, so
// that each tensor stands at a multiple of its element's size. It returns an
// error if a tensor's type, shape and data disagree, or a name comes twice.
func (f *File) Encode() ([]byte, error) {
	h, tensors, err := f.layout()
	if err != nil {
		return nil, err
	}
	size := len(h)
	for _, t := range tensors {
		size += f.size(t)
	}
	b := append(make([]byte, 0, size), h...)
	for _, t := range tensors {
		b = appendFloats(append(b, t.Data...), f.lent[t.Name])
	}
	return b, nil
}

// WriteTo writes what Encode returns, of which there is never more in memory than the
// tensors are already. It returns how many bytes were written, and the first error.
func (f *File) WriteTo(w io.Writer) (n int64, err error) {
	h, tensors, err := f.layout()
	if err != nil {
		return 0, err
	}
	write := func(b []byte) {
		if err == nil {
			var k int
			k, err = w.Write(b)
			n += int64(k)
		}
	}
	write(h)
	var some []byte
	for _, t := range tensors {
		write(t.Data)
		for part := range slices.Chunk(f.lent[t.Name], 1<<14) {
			some = appendFloats(some[:0], part)
			write(some)
		}
	}
	return n, err
}

// layout returns what stands before the tensors' bytes in the file, and the tensors in
// their order.
func (f *File) layout() ([]byte, []Tensor, error) {
	tensors := slices.Clone(f.Tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(bitsOf[b.DType], bitsOf[a.DType]), cmp.Compare(a.Name, b.Name))
	})
	h := []byte{'{'}
	if len(f.Meta) > 0 {
		h = append(h, `"`+metaKey+`":{`...)
		for i, k := range slices.Sorted(maps.Keys(f.Meta)) {
			if i > 0 {
				h = append(h, ',')
			}
			var err error
			if h, err = quote(h, k); err != nil {
				return nil, nil, fmt.Errorf("safetensors: metadata %q: the key: %w", k, err)
			}
			h = append(h, ':')
			if h, err = quote(h, f.Meta[k]); err != nil {
				return nil, nil, fmt.Errorf("safetensors: metadata %q: %w", k, err)
			}
		}
		h = append(h, '}')
	}
	seen := make(map[string]bool, len(tensors))
	at := 0
	for _, t := range tensors {
		if err := checkName(t.Name); err != nil {
			return nil, nil, err
		}
		if seen[t.Name] {
			return nil, nil, fmt.Errorf("safetensors: there are two tensors %q", t.Name)
		}
		seen[t.Name] = true
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
		if size != uint64(f.size(t)) {
			return nil, nil, fmt.Errorf("safetensors: tensor %q: shape %v of %s needs %d bytes, it has %d", t.Name, t.Shape, t.DType, size, f.size(t))
		}
		if len(h) > 1 {
			h = append(h, ',')
		}
		if h, err = quote(h, t.Name); err != nil {
			return nil, nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
		h = append(h, `:{"dtype":"`+string(t.DType)+`","shape":[`...)
		for i, d := range t.Shape {
			if i > 0 {
				h = append(h, ',')
			}
			h = strconv.AppendInt(h, int64(d), 10)
		}
		h = append(h, `],"data_offsets":[`...)
		h = strconv.AppendInt(h, int64(at), 10)
		at += f.size(t)
		h = append(h, ',')
		h = strconv.AppendInt(h, int64(at), 10)
		h = append(h, "]}"...)
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	if len(h) > maxHeader {
		return nil, nil, fmt.Errorf("safetensors: the header would have %d bytes, more than the format's %d; shorten the metadata", len(h), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h...), tensors, nil
}

// quote appends s as a JSON string.
func quote(b []byte, s string) ([]byte, error) { return jsontext.AppendQuote(b, s) }
