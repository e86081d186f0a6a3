package lesson

import (
	"encoding/binary"
	"fmt"
	"math"
)

// wire writes a message, or reads one: what is sent names its fields in order once,
// which serves both ways. A message that is read may break off anywhere and claim any
// length.
type wire struct {
	b       []byte // what is written so far, or still to be read
	reading bool
	err     error // the first that was met in reading
}

// version begins every message: a page and a program of two builds do not go together.
const version = 1

// fail keeps the first error, and lets all that follows be read as nothing.
func (w *wire) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("lesson: a message that is not whole: "+format, args...)
	}
	w.b = nil
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

// whole writes or reads a number of 0 to most.
func whole[I ~int | ~uint8](w *wire, v *I, most uint64) {
	u := uint64(*v)
	if w.uint64(&u); !w.reading {
		return
	}
	if u > most {
		w.fail("%d where at most %d should be", u, most)
		u = 0
	}
	*v = I(u)
}

// count is of anything: epochs, steps, widths.
func (w *wire) count(v *int) { whole(w, v, math.MaxInt32) }

func (w *wire) float64(v *float64) {
	if !w.reading {
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(*v))
		return
	}
	if *v = 0; len(w.b) < 8 {
		w.fail("%d bytes are left where 8 should be", len(w.b))
		return
	}
	*v = math.Float64frombits(binary.LittleEndian.Uint64(w.b))
	w.b = w.b[8:]
}

// length writes or reads how many items of at least so many bytes follow.
func (w *wire) length(n, each int) int {
	u := uint64(n)
	w.uint64(&u)
	if w.reading && u > uint64(len(w.b)/each) {
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
		return
	}
	*v = nil
	if n > 0 {
		*v, w.b = w.b[:n:n], w.b[n:]
	}
}

func (w *wire) text(v *string) {
	b := []byte(*v)
	if w.bytes(&b); w.reading {
		*v = string(b)
	}
}

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

func method(w *wire, m *Method) { whole(w, m, uint64(Methods)-1) }

func (t *Task) code(w *wire) {
	w.uint64(&t.ID)
	w.text(&t.Name)
	w.count(&t.Dim)
	items(w, &t.Points, 8, (*wire).float64)
	w.uint64(&t.Seed)
	w.count(&t.Epochs)
	w.count(&t.Patience)
	w.count(&t.Batch)
	w.float64(&t.Rate)
	w.float64(&t.Noise)
	w.count(&t.Latent)
	items(w, &t.Hidden, 1, (*wire).count)
	items(w, &t.Distance, 1, (*wire).count)
	items(w, &t.Denoiser, 1, (*wire).count)
	items(w, &t.Only, 1, method)
	w.bytes(&t.From)
}

func (l *Loss) code(w *wire) {
	w.text(&l.Name)
	w.float64(&l.Value)
}

func (m *Mark) code(w *wire) {
	method(w, &m.Method)
	w.count(&m.Epoch)
	w.float64(&m.Held)
	items(w, &m.Terms, 9, func(w *wire, l *Loss) { l.code(w) })
}

func (r *Report) code(w *wire) {
	w.uint64(&r.ID)
	whole(w, &r.State, uint64(states)-1)
	method(w, &r.Method)
	w.count(&r.Epoch)
	w.count(&r.Epochs)
	w.count(&r.Step)
	w.count(&r.Steps)
	w.float64(&r.Left)
	items(w, &r.Marks, 11, func(w *wire, m *Mark) { m.code(w) })
	w.bytes(&r.Weights)
	w.text(&r.Note)
	w.text(&r.Err)
}

// write writes a message.
func write(code func(*wire)) []byte {
	w := &wire{b: []byte{version}}
	code(w)
	return w.b
}

// read reads a message to its end.
func read(message []byte, code func(*wire)) error {
	w := &wire{b: message, reading: true}
	if len(message) == 0 || message[0] != version {
		w.fail("it is of another version of the page; reload it")
		return w.err
	}
	w.b = message[1:]
	if code(w); w.err == nil && len(w.b) > 0 {
		w.fail("%d bytes too many", len(w.b))
	}
	return w.err
}

// Begin is the message that has a task trained.
func (t *Task) Begin() []byte {
	o := Train
	return write(func(w *wire) {
		whole(w, &o, uint64(orders)-1)
		t.code(w)
	})
}

// Message is that of an order other than Train.
func (o Order) Message() []byte {
	return write(func(w *wire) { whole(w, &o, uint64(orders)-1) })
}

// ReadOrder reads an order, and the task of Train, which is not checked and keeps parts
// of the message.
func ReadOrder(message []byte) (o Order, t *Task, err error) {
	err = read(message, func(w *wire) {
		if whole(w, &o, uint64(orders)-1); o == Train {
			t = &Task{}
			t.code(w)
		}
	})
	if err != nil {
		return 0, nil, err
	}
	return o, t, nil
}

// Message is that of the report.
func (r *Report) Message() []byte { return write(r.code) }

// ReadReport reads a report, which keeps parts of the message.
func ReadReport(message []byte) (*Report, error) {
	r := &Report{}
	if err := read(message, r.code); err != nil {
		return nil, err
	}
	return r, nil
}
