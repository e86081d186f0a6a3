package compute

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// fill sets every field to something else than nothing, each to something of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Int:
		v.SetInt(int64(*n) * -7919)
	case reflect.Uint8:
		v.SetUint(uint64(*n%255 + 1))
	case reflect.Uint64:
		v.SetUint(math.MaxUint64 - uint64(*n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) + 0.25)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	default:
		panic("the test fills no " + v.Kind().String())
	}
}

// messages calls f with every kind of job and piece, filled, and an empty one.
func messages(f func(name string, full, empty coded)) {
	for _, kind := range kinds {
		for _, blank := range []func() coded{func() coded { return kind() }, func() coded { return kind().blank() }} {
			full, n := blank(), 0
			fill(reflect.ValueOf(full), &n)
			f(fmt.Sprintf("%T", full), full, blank())
		}
	}
}

// TestWire: what is written is read as it was, every field of it: also those that
// somebody adds to a flow.
func TestWire(t *testing.T) {
	messages(func(name string, full, empty coded) {
		w := &wire{}
		full.code(w)
		r := &wire{b: w.b, reading: true}
		if empty.code(r); r.err != nil || len(r.b) > 0 {
			t.Errorf("%s: %v, %d bytes are left", name, r.err, len(r.b))
		}
		if !reflect.DeepEqual(full, empty) {
			t.Errorf("%s is read as\n%+v, was\n%+v", name, empty, full)
		}
	})
}

// TestBrokenMessages: a message that breaks off is refused, and one that claims any
// length takes no memory for it.
func TestBrokenMessages(t *testing.T) {
	messages(func(name string, full, empty coded) {
		w := &wire{}
		full.code(w)
		for n := range w.b {
			r := &wire{b: w.b[:n:n], reading: true}
			if empty.code(r); r.err == nil {
				t.Errorf("%s is taken with %d of %d bytes", name, n, len(w.b))
			}
		}
	})
	for _, b := range [][]byte{nil, {99}, {toAsk, 1, 99}, {toBring}, []byte(strings.Repeat("\xff", 40)), {toGive, 1}} {
		if new(Server).Receive(b, nil) == nil {
			t.Errorf("a server takes the message %v", b)
		}
	}
	long := binaryClaim(1 << 60)
	r := &wire{b: long, reading: true}
	if new(Grow).code(r); r.err == nil {
		t.Error("a message that claims 2⁶⁰ numbers is taken")
	}
}

// binaryClaim is a job of class 0 that says that so many codes follow.
func binaryClaim(n int) []byte {
	w := &wire{}
	class := 0
	whole(w, &class)
	u := uint64(n)
	w.uint64(&u)
	return append(w.b, 1, 2, 3, 4)
}

// FuzzReceive: no message makes a server fail other than with an error.
func FuzzReceive(f *testing.F) {
	for i, kind := range kinds {
		j, n := kind(), 0
		fill(reflect.ValueOf(j), &n)
		w := begin(toAsk, 1)
		whole(w, &i)
		j.code(w)
		f.Add(w.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Server
		if s.Receive(b, nil) != nil {
			return
		}
		for range 3 {
			s.Work(func() bool { return false }, func([]byte) {})
		}
	})
}
