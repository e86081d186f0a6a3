//go:build js && wasm

// Command worker is the program that the edge runs: package api, with the
// weights of this repository. entry.mjs starts it once and asks it again and
// again.
package main

import (
	"fmt"
	"net/http"
	"os"
	"syscall/js"

	"github.com/syumai/workers"

	"mppm/site/internal/api"
	"mppm/site/static"
	"mppm/weights"
)

func main() {
	a, err := api.New(api.Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels})
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	workers.ServeNonBlock(once{a})
	workers.Ready()
	select {} // there will be other requests
}

// once hands each answer over in one piece. Package workers would stream it, and
// takes the end of the first stream for the end of the program; what is handed
// over so has no end that it waits for, and so a program can answer many
// requests.
type once struct{ http.Handler }

func (h once) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer r.Body.Close()
	whole := &answer{ResponseWriter: w}
	h.Handler.ServeHTTP(whole, r)
	body := js.Global().Get("Uint8Array").New(len(whole.body))
	js.CopyBytesToJS(body, whole.body)
	w.(interface{ WriteRawJSBody(js.Value) }).WriteRawJSBody(body)
}

// answer keeps the body, and lets all else through.
type answer struct {
	http.ResponseWriter
	body []byte
}

func (a *answer) Write(b []byte) (int, error) {
	a.body = append(a.body, b...)
	return len(b), nil
}
