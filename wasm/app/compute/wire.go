package compute

import (
	"encoding/binary"
	"fmt"
	"math"
)

// wire writes a message, or reads one: what is sent has one method, which names its
// fields in order, and serves both ways. A message that is read is not trusted: it may
// break off anywhere and claim any length.
type wire struct {
	b       []byte // what is written so far, or still to be read
	reading bool
	err     error // the first that was met in reading
}

// fail keeps the first error, and lets all that follows be read as nothing.
func (w *wire) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("compute: a message that is not whole: "+format, args...)
	}
	w.b = nil
}

// take returns the next n bytes of what is read.
func (w *wire) take(n uint64) []byte {
	if n > uint64(len(w.b)) {
		w.fail("%d bytes are left where %d should be", len(w.b), n)
		return nil
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

func (w *wire) uint64(v *uint64) {
	if !w.reading {
		w.b = binary.AppendUvarint(w.b, *v)
		return
	}
	n := 0
	if *v, n = binary.Uvarint(w.b); n <= 0 {
		*v = 0
		w.fail("a number breaks off")
		return
	}
	w.b = w.b[n:]
}

// integer is any type of whole numbers that fits 64 bits.
type integer interface {
	~int | ~int32 | ~uint8 | ~uint16 | ~uint32
}

func whole[I integer](w *wire, v *I) {
	u := uint64(int64(*v)) // wraps around for negative numbers, and back
	if w.uint64(&u); w.reading {
		*v = I(int64(u))
	}
}

func (w *wire) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	whole(w, &n)
	*v = n != 0
}

func (w *wire) float64(v *float64) {
	u := math.Float64bits(*v)
	if !w.reading {
		w.b = binary.LittleEndian.AppendUint64(w.b, u)
	} else if b := w.take(8); b != nil {
		*v = math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
}

func (w *wire) float32(v *float32) {
	if !w.reading {
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(*v))
	} else if b := w.take(4); b != nil {
		*v = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
}

// length writes or reads how many items of at least so many bytes follow.
func (w *wire) length(n, each int) int {
	u := uint64(n)
	w.uint64(&u)
	if w.reading && u > uint64(len(w.b)/max(each, 1)) {
		w.fail("%d bytes are left where %d items should be", len(w.b), u)
		return 0
	}
	return int(u)
}

// bytes are, when read, a part of the message.
func (w *wire) bytes(v *[]byte) {
	n := w.length(len(*v), 1)
	if !w.reading {
		w.b = append(w.b, *v...)
	} else if *v = nil; n > 0 {
		*v = w.take(uint64(n))
	}
}

func text[S ~string](w *wire, v *S) {
	b := []byte(*v)
	if w.bytes(&b); w.reading {
		*v = S(b)
	}
}

func (w *wire) float32s(v *[]float32) {
	n := w.length(len(*v), 4)
	if !w.reading {
		for _, f := range *v {
			w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(f))
		}
		return
	}
	if *v = nil; n == 0 {
		return
	}
	b := w.take(4 * uint64(n))
	*v = make([]float32, len(b)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
}

func (w *wire) float64s(v *[]float64) {
	items(w, v, 8, (*wire).float64)
}

// point is a place in space.
func (w *wire) point(v *[3]float64) {
	for k := range v {
		w.float64(&v[k])
	}
}

func (w *wire) points(v *[][3]float64) { items(w, v, 24, (*wire).point) }

// items are as many as there are, each of at least so many bytes.
func items[T any](w *wire, v *[]T, each int, code func(*wire, *T)) {
	n := w.length(len(*v), each)
	if w.reading {
		if *v = nil; n > 0 {
			*v = make([]T, n)
		}
	}
	for i := range *v {
		code(w, &(*v)[i])
	}
}
