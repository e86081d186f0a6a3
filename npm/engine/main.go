//go:build js && wasm

// Command engine is the program of the npm package: a model, asked by JavaScript. What
// it is asked and what it answers is in npm/session; here numbers go from one language
// to the other. It puts one function on the global object that it is started with,
//
//	ask(name, question) → { value } or { error: { code, message } }
//
// and lives until it is asked to close. A question is an object that nobody changes
// meanwhile, without getters: the script beside it sends copies.
package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"syscall/js"
	"unsafe"

	"mppm/npm/session"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/link"
)

func main() {
	closed := make(chan struct{})
	e := &engine{close: func() { close(closed) }}
	js.Global().Set("ask", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return e.ask(args[0].String(), question{args[1]})
	}))
	<-closed
}

// engine answers.
type engine struct {
	session *session.Session // nil until one is loaded
	close   func()
}

// ask answers a question. No question, whatever is in it, ends the program.
func (e *engine) ask(name string, q question) (answer map[string]any) {
	defer func() {
		if r := recover(); r != nil {
			answer = failure(fmt.Errorf("%s: the program failed: %v", name, r))
		}
	}()
	a, ok := answers[name]
	if !ok {
		return failure(fmt.Errorf("there is no question %q", name))
	}
	if e.session == nil && name != "load" && name != "close" {
		return failure(fmt.Errorf("%s: no model is loaded", name))
	}
	value, err := a(e, q)
	if err != nil {
		return failure(err)
	}
	return map[string]any{"value": value}
}

func failure(err error) map[string]any {
	return map[string]any{"error": map[string]any{"code": string(session.Failure(err)), "message": err.Error()}}
}

// answers are what can be asked.
var answers = map[string]func(*engine, question) (any, error){
	"load": func(e *engine, q question) (any, error) {
		s, err := session.Load(q.bytes("file"))
		if err != nil {
			return nil, err
		}
		e.session = s
		return describe(s), nil
	},
	"classifier": func(e *engine, q question) (any, error) {
		return nil, e.session.LoadClassifier(q.bytes("file"))
	},
	"encode": func(e *engine, q question) (any, error) {
		return numbers(q, "images", e.session.Encode)
	},
	"decode": func(e *engine, q question) (any, error) {
		return numbers(q, "codes", e.session.Decode)
	},
	"distance": func(e *engine, q question) (any, error) {
		return numbers(q, "codes", e.session.Distance)
	},
	"gradient": func(e *engine, q question) (any, error) {
		return numbers(q, "codes", e.session.Gradient)
	},
	"mean": func(e *engine, q question) (any, error) {
		sigma, given, err := q.number("sigma")
		if err != nil {
			return nil, err
		}
		if !given {
			sigma = e.session.Sigma()
		}
		return numbers(q, "codes", func(z []float32) ([]float32, error) { return e.session.Mean(z, sigma) })
	},
	"damage": func(e *engine, q question) (any, error) {
		severity, given, err := q.number("severity")
		if err != nil {
			return nil, err
		}
		if !given {
			severity = math.NaN() // which no degradation takes: the error says what it does
		}
		seed, err := q.seed()
		if err != nil {
			return nil, err
		}
		return numbers(q, "images", func(x []float32) ([]float32, error) {
			return e.session.Damage(x, q.text("kind"), severity, seed)
		})
	},
	"draw": func(e *engine, q question) (any, error) {
		strokes, err := q.list("strokes")
		if err != nil {
			return nil, err
		}
		x, err := e.session.Draw(strokes, !q.isFalse("center"))
		return floats(x), err
	},
	"read": func(e *engine, q question) (any, error) {
		x, err := q.floats("images")
		if err != nil {
			return nil, err
		}
		list, err := e.session.Read(x)
		readings := make([]any, len(list))
		for i, r := range list {
			readings[i] = object("class", r.Class, "probability", float64(r.Probability), "probabilities", floats(r.Probabilities))
		}
		return readings, err
	},
	"begin": func(e *engine, q question) (any, error) {
		from, set, err := q.flow()
		if err != nil {
			return nil, err
		}
		number, err := e.session.Begin(from, set)
		if err != nil {
			return nil, err
		}
		return object("flow", number), nil
	},
	"step": func(e *engine, q question) (any, error) {
		number, err := q.whole("flow")
		if err != nil {
			return nil, err
		}
		s, ok, err := e.session.Step(number)
		if err != nil || !ok {
			return nil, err
		}
		return object("index", s.Index, "codes", floats(s.Codes), "distances", floats(s.Distance), "active", s.Active), nil
	},
	"images": func(e *engine, q question) (any, error) {
		number, err := q.whole("flow")
		if err != nil {
			return nil, err
		}
		index, err := q.whole("index")
		if err != nil {
			return nil, err
		}
		x, err := e.session.Images(number, index)
		return floats(x), err
	},
	"end": func(e *engine, q question) (any, error) {
		number, err := q.whole("flow")
		if err == nil {
			e.session.End(number)
		}
		return nil, err
	},
	"close": func(e *engine, _ question) (any, error) {
		e.close()
		return nil, nil
	},
}

// numbers answers with what a function makes of the numbers of that name.
func numbers(q question, name string, f func([]float32) ([]float32, error)) (any, error) {
	x, err := q.floats(name)
	if err != nil {
		return nil, err
	}
	y, err := f(x)
	if err != nil {
		return nil, err
	}
	return floats(y), nil
}

// describe says what is to be known of a model.
func describe(s *session.Session) js.Value {
	shape := s.Image()
	flows := object()
	for _, name := range slices.Sorted(maps.Keys(s.Flows())) {
		flows.Set(name, preset(s.Flows()[name]))
	}
	var classes, damages []any
	for _, c := range s.Classes() {
		classes = append(classes, c)
	}
	for _, d := range degrade.Kinds() {
		damages = append(damages, object("kind", string(d.Kind), "label", d.Label, "unit", d.Unit,
			"min", d.Min, "max", d.Max, "step", d.Step, "mild", d.Mild, "severe", d.Severe))
	}
	distance, skips, local := s.Has()
	return object(
		"shape", object("height", shape.H, "width", shape.W, "channels", shape.C),
		"pixels", shape.Size(), "latent", s.Latent(), "spacing", float64(s.Spacing()),
		"flows", flows, "classes", classes, "damages", damages,
		"has", object("distance", distance, "skips", skips, "local", local),
	)
}

// object returns one with those names and values, in their order.
func object(of ...any) js.Value {
	o := js.Global().Get("Object").New()
	for i := 0; i < len(of); i += 2 {
		o.Set(of[i].(string), of[i+1])
	}
	return o
}

// preset is a flow by the names of its parameters.
func preset(p latent.Preset) js.Value {
	o := object()
	for _, d := range link.Flags() {
		o.Set(string(d.Parameter), link.Value(p, d.Parameter))
	}
	return o
}

// question is the object that comes with one.
type question struct{ object js.Value }

func (q question) get(name string) (v js.Value, given bool) {
	v = q.object.Get(name)
	return v, !v.IsUndefined() && !v.IsNull()
}

// bytes returns a copy of an Uint8Array, none where there is another thing.
func (q question) bytes(name string) []byte {
	v, _ := q.get(name)
	if !is(v, "Uint8Array") {
		return nil
	}
	b := make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(b, v)
	return b
}

// floats returns a copy of a Float32Array.
func (q question) floats(name string) ([]float32, error) {
	v, _ := q.get(name)
	return floatsOf(v, name)
}

// list returns copies of an array of Float32Arrays.
func (q question) list(name string) ([][]float32, error) {
	v, _ := q.get(name)
	if !is(v, "Array") {
		return nil, &session.Error{Code: session.Shape, Err: fmt.Errorf("%s: give an array of Float32Arrays", name)}
	}
	list := make([][]float32, v.Length())
	for i := range list {
		var err error
		if list[i], err = floatsOf(v.Index(i), fmt.Sprintf("%s[%d]", name, i)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// text returns a string, "" where there is another thing.
func (q question) text(name string) string {
	if v, _ := q.get(name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

func (q question) isFalse(name string) bool {
	v, given := q.get(name)
	return given && v.Type() == js.TypeBoolean && !v.Bool()
}

// number returns a number, and whether it is given.
func (q question) number(name string) (v float64, given bool, err error) {
	at, given := q.get(name)
	if !given {
		return 0, false, nil
	}
	if at.Type() != js.TypeNumber {
		return 0, true, wrong("%s is no number", name)
	}
	return at.Float(), true, nil
}

// safe bounds the whole numbers that JavaScript has.
const safe = 1<<53 - 1

// whole returns a whole number, 0 where none is given.
func (q question) whole(name string) (int, error) {
	v, _, err := q.number(name)
	if err == nil && !(v == math.Trunc(v) && math.Abs(v) <= safe) {
		err = wrong("%s is %v; it must be a whole number", name, v)
	}
	return int(v), err
}

func (q question) seed() (uint64, error) {
	v, err := q.whole("seed")
	if err == nil && v < 0 {
		err = wrong("seed is %v; it must be a whole number from 0 to 2⁵³ − 1", v)
	}
	return uint64(v), err
}

// flow returns where a flow starts, and what is set of it: all else that is given.
func (q question) flow() (from session.Start, set session.Settings, err error) {
	set.Numbers = map[string]float64{}
	keys := js.Global().Get("Object").Call("keys", q.object)
	for i := range keys.Length() {
		key := keys.Index(i).String()
		if _, given := q.get(key); !given {
			continue
		}
		switch key {
		case "images":
			from.Images, err = q.floats(key)
		case "codes":
			from.Codes, err = q.floats(key)
		case "n":
			if from.N, err = q.whole(key); err == nil && from.N < 1 {
				err = wrong("n is %d; it must be 1 or more", from.N)
			}
		case "seed":
			from.Seed, err = q.seed()
		case "class":
			var class int
			class, err = q.whole(key)
			from.Class = &class
		case "preset":
			if set.Preset = q.text(key); set.Preset == "" {
				err = wrong("preset is no name")
			}
		default:
			set.Numbers[key], _, err = q.number(key)
		}
		if err != nil {
			return from, set, err
		}
	}
	return from, set, nil
}

func wrong(format string, args ...any) error {
	return &session.Error{Code: session.Range, Err: fmt.Errorf(format, args...)}
}

func is(v js.Value, class string) bool {
	return v.Type() == js.TypeObject && v.InstanceOf(js.Global().Get(class))
}

// floatsOf returns a copy of a Float32Array. One of none is not nil.
func floatsOf(v js.Value, name string) ([]float32, error) {
	if !is(v, "Float32Array") {
		return nil, &session.Error{Code: session.Shape, Err: fmt.Errorf("%s: give a Float32Array", name)}
	}
	n := v.Get("length").Int()
	if n > session.MaxNumbers {
		return nil, &session.Error{Code: session.Shape, Err: fmt.Errorf("%s: %d numbers at once are too many: give %d at most", name, n, session.MaxNumbers)}
	}
	x := make([]float32, n)
	js.CopyBytesToGo(bytesOf(x), view(v))
	return x, nil
}

// floats returns a Float32Array of numbers.
func floats(x []float32) js.Value {
	v := js.Global().Get("Float32Array").New(len(x))
	js.CopyBytesToJS(view(v), bytesOf(x))
	return v
}

// view is the bytes of a Float32Array.
func view(v js.Value) js.Value {
	return js.Global().Get("Uint8Array").New(v.Get("buffer"), v.Get("byteOffset"), v.Get("byteLength"))
}

// bytesOf is the memory of numbers, whose order of bytes is WebAssembly's and so
// JavaScript's.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
