//go:build js && wasm

package bridge

import (
	"errors"
	"syscall/js"

	"mppm/wasm/app/compute"
)

// maxEngines bounds the engines: more take memory, and few machines have cores for them.
const maxEngines = 4

// hire has engines beside the page compute, where the loader can start one.
func (b *Bridge) hire() {
	cores := window.Get("navigator").Get("hardwareConcurrency")
	n := 1
	if cores.Type() == js.TypeNumber {
		n = min(max(cores.Int()-1, 1), maxEngines) // one is for the page
	}
	b.crew = compute.NewCrew(b.dial, n, b.app.Models)
	b.app.Compute = b.crew
}

// Bring gives the file of a model, an array of bytes, to whoever computes with it.
func (b *Bridge) Bring(name string, array js.Value) { b.crew.Bring(name, file{array}) }

// BringOwn is Bring for the page's own model of Restore, Generate and Map, and what goes
// with it; undefined says that there is no such model.
func (b *Bridge) BringOwn(name string, array js.Value) {
	if !array.Truthy() {
		b.app.Bring(name, nil)
		return
	}
	b.app.Bring(name, file{array})
}

// file is one that the loader fetched. Whoever needs it copies it.
type file struct{ array js.Value }

// Bytes returns a copy of it.
func (f file) Bytes() []byte { return BytesOf(f.array) }

// BytesOf copies an array of bytes.
func BytesOf(array js.Value) []byte {
	b := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(b, array)
	return b
}

// dial starts an engine. What comes of it is taken before the next frame.
func (b *Bridge) dial(receive func([]byte), lost func()) (compute.Line, error) {
	var worker js.Value
	if err := attempt(func() { worker = window.Get("mppm").Call("engine") }); err != nil {
		return nil, err
	}
	if !worker.Truthy() {
		return nil, errors.New("there is no engine")
	}
	l := &line{worker: worker}
	gone := handler(func(js.Value) {
		if !l.closed {
			l.closed = true
			b.incoming(lost)
		}
	})
	worker.Set("onmessage", handler(func(e js.Value) {
		message := BytesOf(e.Get("data"))
		b.incoming(func() { receive(message) })
	}))
	worker.Set("onerror", gone)
	worker.Set("onmessageerror", gone)
	if worker.Get("lost").Truthy() { // before anybody listened
		return nil, errors.New("the engine did not start")
	}
	return l, nil
}

// incoming has what came of an engine taken before the next frame.
func (b *Bridge) incoming(take func()) {
	b.inbox = append(b.inbox, take)
	b.view.Wake()
}

// line is a worker in which an engine runs.
type line struct {
	worker js.Value
	closed bool
}

// Send sends a message; what is sent changes hands.
func (l *line) Send(message []byte, f compute.File) {
	if l.closed {
		return
	}
	array := window.Get("Uint8Array").New(len(message))
	js.CopyBytesToJS(array, message)
	sent := js.Undefined()
	if f, ok := f.(file); ok {
		sent = f.array // which the browser copies
	}
	l.worker.Call("postMessage", []any{array, sent}, []any{array.Get("buffer")})
}

// Close ends the worker.
func (l *line) Close() {
	l.closed = true
	l.worker.Call("terminate")
}
