//go:build js && wasm

// Command engine computes what the page shows, in a worker beside it: it does the jobs
// that the page sends it, until the page is closed. The first of all also shows the first
// restoration, until the page's program does.
package main

import (
	"syscall/js"
	"time"

	"mppm/wasm/app/compute"
)

// slice is how long it computes before it looks for messages: what is not needed any
// more ends then, and what has come is sent.
const slice = 8 * time.Millisecond

// engine is what the script of the worker has for this program.
var engine = js.Global().Get("mppmEngine")

func main() {
	woken := make(chan struct{}, 1)
	wake := func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
	engine.Set("wake", js.FuncOf(func(js.Value, []js.Value) any {
		wake()
		return nil
	}))
	var s compute.Server
	var first *show
	for {
		if page := engine.Call("first"); page.Truthy() {
			var err error
			if first, err = begin(&s, page); err != nil {
				js.Global().Get("console").Call("warn", err.Error()) // the program says it again, if it is so
			}
		}
		if first != nil && !first.play(wake) {
			first = nil
		}
		for m := engine.Call("take"); m.Truthy(); m = engine.Call("take") {
			if err := s.Receive(bytesOf(m.Index(0)), bytesOf(m.Index(1))); err != nil {
				panic(err) // the page then computes by itself
			}
		}
		if s.Busy() {
			start := time.Now()
			s.Work(func() bool { return time.Since(start) < slice }, send)
			engine.Call("rest") // messages come between tasks of the browser alone
		}
		<-woken
	}
}

// send sends the page a message.
func send(message []byte) { engine.Call("send", array("Uint8Array", message)) }

// array returns bytes as an array of a kind.
func array(kind string, b []byte) js.Value {
	a := js.Global().Get(kind).New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}

// bytesOf copies an array of bytes; of nothing it is nil.
func bytesOf(array js.Value) []byte {
	if !array.Truthy() {
		return nil
	}
	b := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(b, array)
	return b
}
