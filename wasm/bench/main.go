//go:build js && wasm

// Command bench is the inference of the page without what draws it, to be timed beside
// others: site/bench starts it. It puts functions on window.mppmBench, which must hold
// the weights, each of Float32Arrays:
//
//	encode(code, image)      F of as many images as there are codes' room for
//	decode(image, code)      G
//	restore(image, damaged)  F, the flow of restoration, and G
package main

import (
	"fmt"
	"syscall/js"
	"unsafe"

	"mppm/shared/latent"
)

// batch is how many images are computed at a time, as by the page.
const batch = 16

func main() {
	bench := js.Global().Get("mppmBench")
	if err := start(bench); err != nil {
		bench.Call("fail", err.Error())
		return
	}
	bench.Call("ready")
	select {}
}

// start loads the model and offers what is timed.
func start(bench js.Value) error {
	file := bench.Get("weights")
	if !file.Truthy() {
		return fmt.Errorf("the weights are missing")
	}
	weights := make([]byte, file.Get("length").Int())
	js.CopyBytesToGo(weights, file)
	m, err := latent.Load(weights)
	if err != nil {
		return err
	}
	if _, err := m.Runner(1).Flow(nil, m.Restore); err != nil {
		return err
	}
	r := m.Runner(batch)
	var z []float32
	offer := func(name string, compute func(to, from []float32)) {
		var to, from []float32
		bench.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
			to, from = sized(to, args[0]), sized(from, args[1])
			js.CopyBytesToGo(bytesOf(from), view(args[1]))
			compute(to, from)
			js.CopyBytesToJS(view(args[0]), bytesOf(to))
			return nil
		}))
	}
	offer("encode", r.Encode)
	offer("decode", r.Decode)
	offer("restore", func(to, from []float32) {
		if n := len(from) / m.Pixels() * m.Latent(); len(z) != n {
			z = make([]float32, n)
		}
		r.Encode(z, from)
		steps, err := r.Flow(z, m.Restore)
		if err != nil {
			return // which start has tried
		}
		for range steps {
		}
		r.Decode(to, z)
	})
	return nil
}

// sized returns x, or another, as long as an array.
func sized(x []float32, array js.Value) []float32 {
	if n := array.Get("length").Int(); len(x) != n {
		return make([]float32, n)
	}
	return x
}

// view is the bytes of a Float32Array.
func view(array js.Value) js.Value {
	return js.Global().Get("Uint8Array").New(array.Get("buffer"), array.Get("byteOffset"), array.Get("byteLength"))
}

// bytesOf is the memory of x, as this machine, and the browser's, have it.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
