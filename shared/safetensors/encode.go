package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json/jsontext"
	"fmt"
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
				return nil, fmt.Errorf("safetensors: metadata %q: the key: %w", k, err)
			}
			h = append(h, ':')
			if h, err = quote(h, f.Meta[k]); err != nil {
				return nil, fmt.Errorf("safetensors: metadata %q: %w", k, err)
			}
		}
		h = append(h, '}')
	}
	seen := make(map[string]bool, len(tensors))
	at := 0
	for _, t := range tensors {
		if err := checkName(t.Name); err != nil {
			return nil, err
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("safetensors: there are two tensors %q", t.Name)
		}
		seen[t.Name] = true
		size, err := byteSize(t.DType, t.Shape)
		if err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
		}
		if size != uint64(len(t.Data)) {
			return nil, fmt.Errorf("safetensors: tensor %q: shape %v of %s needs %d bytes, it has %d", t.Name, t.Shape, t.DType, size, len(t.Data))
		}
		if len(h) > 1 {
			h = append(h, ',')
		}
		if h, err = quote(h, t.Name); err != nil {
			return nil, fmt.Errorf("safetensors: tensor %q: %w", t.Name, err)
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
		at += len(t.Data)
		h = append(h, ',')
		h = strconv.AppendInt(h, int64(at), 10)
		h = append(h, "]}"...)
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	if len(h) > maxHeader {
		return nil, fmt.Errorf("safetensors: the header would have %d bytes, more than the format's %d; shorten the metadata", len(h), maxHeader)
	}
	b := make([]byte, 0, 8+len(h)+at)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(h)))
	b = append(b, h...)
	for _, t := range tensors {
		b = append(b, t.Data...)
	}
	return b, nil
}

// quote appends s as a JSON string.
func quote(b []byte, s string) ([]byte, error) { return jsontext.AppendQuote(b, s) }
