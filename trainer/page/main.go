//go:build js && wasm

// Command page trains what the page asks for, in a worker beside it, until the page is
// closed: it takes and sends the messages of package lesson.
package main

import (
	"context"
	"syscall/js"
	"time"

	"mppm/shared/lesson"
	"mppm/trainer/internal/teach"
)

// slice is how long it trains before it looks for messages.
const slice = 8 * time.Millisecond

// engine is what the script of the worker has for this program.
var engine = js.Global().Get("mppmEngine")

func main() {
	d := &desk{woken: make(chan struct{}, 1)}
	d.class = teach.Class{Tell: d.tell, Rest: d.rest, Now: time.Now}
	engine.Set("wake", js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case d.woken <- struct{}{}:
		default:
		}
		return nil
	}))
	for {
		d.read()
		t := d.next
		if t == nil {
			<-d.woken
			continue
		}
		d.next, d.paused = nil, false
		ctx, cancel := context.WithCancelCause(context.Background())
		d.cancel = cancel
		d.class.Teach(ctx, t)
		d.cancel = nil
		cancel(nil)
	}
}

// desk is where orders come in while a task is trained.
type desk struct {
	woken  chan struct{}
	class  teach.Class
	next   *lesson.Task            // to train
	cancel context.CancelCauseFunc // of the task that is trained, or nil
	paused bool
	rested time.Time
	last   lesson.Report // that was sent
}

// read takes the orders that there are.
func (d *desk) read() {
	for m := engine.Call("take"); m.Truthy(); m = engine.Call("take") {
		order, t, err := lesson.ReadOrder(bytesOf(m.Index(0)))
		if err != nil {
			d.tell(&lesson.Report{State: lesson.Failed, Err: err.Error()})
			continue
		}
		switch order {
		case lesson.Train:
			d.next = t
			d.end(nil)
		case lesson.Pause:
			d.paused = d.cancel != nil
		case lesson.GoOn:
			d.paused = false
		case lesson.Stop:
			d.end(teach.Stopped)
		}
	}
}

// end ends the task that is trained.
func (d *desk) end(cause error) {
	d.paused = false
	if d.cancel != nil {
		d.cancel(cause)
	}
}

// rest gives way to messages, which come between tasks of the browser alone, every slice;
// while the task is paused it waits.
func (d *desk) rest(now time.Time) time.Time {
	if now.Sub(d.rested) < slice {
		return now
	}
	engine.Call("rest")
	<-d.woken
	d.read()
	if d.paused {
		d.last.State = lesson.Paused
		d.tell(&d.last)
		for d.paused {
			<-d.woken
			d.read()
		}
	}
	d.rested = time.Now()
	return d.rested
}

// tell sends the page a report.
func (d *desk) tell(r *lesson.Report) {
	message := r.Message()
	b := js.Global().Get("Uint8Array").New(len(message))
	js.CopyBytesToJS(b, message)
	engine.Call("send", b)
	d.last = *r
	d.last.Marks, d.last.Weights, d.last.Note = nil, nil, ""
}

// bytesOf copies an array of bytes.
func bytesOf(array js.Value) []byte {
	b := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(b, array)
	return b
}
