//go:build js && wasm

// Package bridge wires the page's HTML controls to the app, and the app to what
// the page says. It decides nothing: a control's event becomes one call of the
// app, made before the next frame, and the app's Readout becomes text.
package bridge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/degrade"
	"mppm/wasm/app"
	"mppm/wasm/view"
)

var (
	window   = js.Global()
	document = window.Get("document")
)

// Bridge is the page as Go sees it.
type Bridge struct {
	app      *app.App
	view     *view.View
	stage    stage
	calls    []func() error
	texts    map[string]string // what each element says now, to touch only what changes
	snapshot string            // window.mppm.state()
	notice   string            // why the last call was refused
	simd     bool
	link     string  // what the address says, as far as is known
	follow   js.Func // makes the address say what is on the screen
	waits    bool    // for that
}

// New connects an app to the page and returns what Ebitengine shall run. simd
// says which build this is.
func New(a *app.App, simd bool) (*view.View, error) {
	b := &Bridge{app: a, texts: map[string]string{}, snapshot: `{"ready":false}`, simd: simd}
	page := window.Get("mppm")
	b.view = view.New(a, b.flush, b.publish, func(on bool) { page.Call("rest", on) })
	if err := b.stage.take(); err != nil {
		return nil, err
	}
	if err := b.theme(); err != nil {
		return nil, err
	}
	b.motion()
	b.measure()
	b.controls()
	b.links()
	b.stage.watch(b.measure, b.view.Invalidate)
	media("(prefers-color-scheme: light)", func() {
		if err := b.theme(); err != nil {
			window.Get("console").Call("error", err.Error())
		}
	})
	media("(prefers-reduced-motion: reduce)", b.motion)
	page.Set("state", js.FuncOf(func(js.Value, []js.Value) any { return b.snapshot }))
	for _, f := range all("fieldset") {
		f.Set("disabled", false)
	}
	b.publish()
	return b.view, nil
}

// do queues a call of the app for the next frame.
func (b *Bridge) do(call func() error) {
	b.calls = append(b.calls, call)
	b.view.Wake()
}

// then is do for what cannot fail.
func (b *Bridge) then(call func()) { b.do(func() error { call(); return nil }) }

func (b *Bridge) flush() {
	calls := b.calls
	b.calls = nil
	for _, call := range calls {
		b.notice = ""
		if err := call(); err != nil {
			b.notice = err.Error()
		}
	}
	if len(calls) > 0 {
		b.publish() // a refused value goes back to what it was
	}
}

func (b *Bridge) controls() {
	for _, m := range []app.Mode{app.Restore, app.Generate} {
		click("tab-"+string(m), func() { b.do(func() error { return b.app.SetMode(m) }) })
	}
	listen(one(`[role="tablist"]`), "keydown", func(e js.Value) {
		next := map[string]app.Mode{"ArrowLeft": app.Restore, "Home": app.Restore, "ArrowRight": app.Generate, "End": app.Generate}
		if m, ok := next[e.Get("key").String()]; ok {
			e.Call("preventDefault")
			id("tab-" + string(m)).Call("focus")
			b.do(func() error { return b.app.SetMode(m) })
		}
	})
	click("play", func() { b.then(b.app.TogglePlay) })
	click("back", func() { b.then(func() { b.app.StepBy(-1) }) })
	click("forward", func() { b.then(func() { b.app.StepBy(1) }) })
	b.number("timeline", "input", func(v float64) error { b.app.Seek(int(v)); return nil })

	kind := id("kind")
	for _, i := range append(degrade.Kinds(), degrade.Info{Kind: app.None, Label: "No damage"}) {
		o := document.Call("createElement", "option")
		o.Set("value", string(i.Kind))
		o.Set("textContent", i.Label)
		kind.Call("append", o)
	}
	listen(kind, "change", func(e js.Value) {
		k := degrade.Kind(kind.Get("value").String())
		b.do(func() error { return b.app.SetKind(k) })
	})
	b.number("severity", "input", b.app.SetSeverity)
	click("mild", func() { b.do(func() error { return b.app.SetSeverity(app.Find(b.app.Kind).Mild) }) })
	click("severe", func() { b.do(func() error { return b.app.SetSeverity(app.Find(b.app.Kind).Severe) }) })
	b.seed("seed", b.app.SetSeed)
	click("new-seed", func() { b.then(func() { b.app.SetSeed((b.app.Seed + 1) & maxSeed) }) })
	click("another", func() { b.then(b.app.AnotherDigit) })
	click("clear", func() { b.then(b.app.ClearPad) })
	click("undo", func() { b.then(b.app.Undo) })
	click("redo", func() { b.then(b.app.Redo) })
	b.shortcuts()
	b.number("brush", "input", b.app.SetBrush)

	b.seed("grid-seed", b.app.SetGenerateSeed)
	click("new-grid", func() { b.then(func() { b.app.SetGenerateSeed((b.app.GenerateSeed + 1) & maxSeed) }) })
	b.number("grid-size", "change", func(v float64) error { return b.app.SetGrid(int(v)) })
	b.number("selected", "change", func(v float64) error { return b.app.Select(int(v) - 1) })
	for _, d := range app.Dials() {
		b.number(string(d.Parameter), "input", func(v float64) error { return b.app.SetParameter(d.Parameter, v) })
	}
	click("reset-flow", func() { b.then(b.app.ResetFlow) })
	for _, form := range all("form") {
		listen(form, "submit", func(e js.Value) { e.Call("preventDefault") })
	}
	b.pointers()
}

// shortcuts wires Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y; ⌘ on a Mac), except in
// fields, which take back what is typed in them.
func (b *Bridge) shortcuts() {
	listen(window, "keydown", func(e js.Value) {
		if !e.Get("ctrlKey").Bool() && !e.Get("metaKey").Bool() || e.Get("altKey").Bool() {
			return
		}
		if t := e.Get("target"); t.Get("type").Type() == js.TypeString && (t.Get("type").String() == "number" || t.Get("type").String() == "text") {
			return
		}
		var call func()
		switch shift := e.Get("shiftKey").Bool(); strings.ToLower(e.Get("key").String()) {
		case "z":
			if call = b.app.Undo; shift {
				call = b.app.Redo
			}
		case "y":
			call = b.app.Redo
		}
		if call != nil {
			e.Call("preventDefault")
			b.then(func() {
				if b.app.Mode == app.Restore {
					call()
				}
			})
		}
	})
}

// maxSeed is the highest seed of the page's fields.
const maxSeed = 1<<32 - 1

// number passes the number in a control on, whenever the event says that it
// changed.
func (b *Bridge) number(name, event string, set func(float64) error) {
	el := id(name)
	listen(el, event, func(js.Value) {
		text := el.Get("value").String()
		b.do(func() error {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return fmt.Errorf("%q is not a number", text)
			}
			return set(v)
		})
	})
}

// seed passes the seed in a field on.
func (b *Bridge) seed(name string, set func(uint64)) {
	el := id(name)
	listen(el, "change", func(js.Value) {
		text := el.Get("value").String()
		b.do(func() error {
			v, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				return fmt.Errorf("%q is not a seed: give a whole number from 0 to %d", text, uint64(maxSeed))
			}
			set(v)
			return nil
		})
	})
}

// motion passes on whether the user wants less of it.
func (b *Bridge) motion() {
	b.app.SetReducedMotion(window.Call("matchMedia", "(prefers-reduced-motion: reduce)").Get("matches").Bool())
}

// theme reads the colors of the style sheet.
func (b *Bridge) theme() error {
	style := window.Call("getComputedStyle", document.Get("documentElement"))
	var p app.Palette
	var err error
	read := func(name string) string { return style.Call("getPropertyValue", name).String() }
	for _, t := range []struct {
		name string
		set  func(string) error
	}{
		{"--ground", into(&p.Ground)}, {"--ink", into(&p.Ink)}, {"--line", into(&p.Line)},
		{"--muted", into(&p.Muted)}, {"--accent", into(&p.Accent)}, {"--raise", into(&p.Raised)},
		{"--cool", func(s string) (err error) { p.Cool, err = app.ParseColors(s); return err }},
	} {
		if err = t.set(read(t.name)); err != nil {
			return fmt.Errorf("style sheet: %s: %w", t.name, err)
		}
	}
	b.view.SetPalette(p)
	return nil
}

// publish says on the page what the app says.
func (b *Bridge) publish() {
	r := b.app.Readout()
	status := r.Status()
	if b.notice != "" {
		status = b.notice
	}
	if b.notice != "" {
		b.text("status", status)
	} else {
		b.text("status", unbroken(status))
	}
	b.attr("status", "data-notice", strconv.FormatBool(b.notice != ""))
	if !r.Busy {
		b.text("announce", status)
	}
	if b.prop("work", "dataset.mode", string(r.Mode)) {
		b.show(r.Mode)
	}
	b.attr("play", "data-playing", strconv.FormatBool(r.Playing))
	b.attr("play", "aria-label", map[bool]string{true: "Pause", false: "Play"}[r.Playing])
	b.prop("timeline", "max", strconv.Itoa(max(r.Steps, 1)))
	b.value("timeline", strconv.Itoa(r.Step))
	b.attr("timeline", "aria-valuetext", status)
	film := app.NewFilm(b.stage.places["film"].W, r.Steps, view.LeastTile*b.stage.ratio)
	if tiles := strconv.Itoa(max(film.Tiles, 1)); b.texts["tiles"] != tiles {
		b.texts["tiles"] = tiles
		id("timeline").Get("style").Call("setProperty", "--tiles", tiles)
	}
	b.text("curve-note", fmt.Sprintf("highest %.2f", r.Highest))
	b.publishFlow()
	b.publishLink()
	switch r.Mode {
	case app.Restore:
		b.publishRestore(r)
	case app.Generate:
		b.publishGenerate(r)
	}
	if s, err := json.Marshal(struct {
		Ready bool `json:"ready"`
		SIMD  bool `json:"simd"`
		app.Readout
		Status string `json:"status"`
	}{true, b.simd, r, status}); err == nil { // a number that is not finite keeps the last state
		b.snapshot = string(s)
	}
}

// publishFlow says what the parameters are, and which are not the defaults.
func (b *Bridge) publishFlow() {
	preset, defaults := b.app.Preset(), b.app.Defaults()
	text := fmt.Sprintf("α = %v, β = %v, σ = %v", preset.Alpha, preset.Beta, preset.Sigma)
	if preset.Tau > 0 {
		text += fmt.Sprintf(", τ = %v", preset.Tau)
	}
	b.text("parameters", text+fmt.Sprintf(", at most %d steps; σ and τ in multiples of the codes' spacing.", preset.Steps))
	b.prop("gate", "hidden", preset.Tau == 0)
	changed := 0
	for _, d := range app.Dials() {
		name := string(d.Parameter)
		v, was := app.Value(preset, d.Parameter), app.Value(defaults, d.Parameter)
		number := func(v float64) string { return strconv.FormatFloat(v, 'f', decimals(d.Step), 64) }
		b.value(name, strconv.FormatFloat(v, 'g', -1, 64))
		class, says := "slider dial", number(v)
		if v != was {
			changed++
			class, says = "slider dial changed", number(v)+", default "+number(was)
		}
		b.text(name+"-value", says)
		b.prop(name+"-field", "className", class)
		share := fmt.Sprint(min(max((was-d.Min)/(d.Max-d.Min), 0), 1))
		if key := name + "-default"; b.texts[key] != share {
			b.texts[key] = share
			id(name+"-field").Get("style").Call("setProperty", "--default", share)
		}
	}
	sum := app.Value(preset, app.Alpha) + app.Value(preset, app.Beta)
	b.text("sum", fmt.Sprintf("α + β = %.2f, and must stay below 1.", sum))
	b.prop("sum", "className", map[bool]string{true: "small tight", false: "small"}[sum > 0.985])
	note := ""
	if changed > 0 {
		note = fmt.Sprintf("%d changed", changed)
	}
	b.text("flow-note", note)
	b.enable("reset-flow", preset != defaults)
}

func (b *Bridge) publishRestore(r app.Readout) {
	if r.Label < 0 {
		b.text("original-note", map[bool]string{true: "yours, centered", false: "yours"}[r.Settled && !b.app.PadEmpty()])
		b.text("clear", "Clear")
	} else {
		b.text("original-note", fmt.Sprintf("a %d from MNIST", r.Label))
		b.text("clear", "Draw my own")
	}
	b.prop("pad-hint", "hidden", !b.app.PadEmpty())
	b.enable("undo", r.Undo)
	b.enable("redo", r.Redo)
	i := app.Find(r.Kind)
	none := r.Kind == app.None
	b.value("kind", string(r.Kind))
	b.prop("severity-field", "hidden", none)
	b.prop("severity-presets", "hidden", none)
	if !none {
		number := func(v float64) string { return strconv.FormatFloat(v, 'f', decimals(i.Step), 64) }
		b.prop("severity", "min", strconv.FormatFloat(i.Min, 'g', -1, 64))
		b.prop("severity", "max", strconv.FormatFloat(i.Max, 'g', -1, 64))
		b.prop("severity", "step", strconv.FormatFloat(i.Step, 'g', -1, 64))
		b.value("severity", strconv.FormatFloat(r.Severity, 'g', -1, 64))
		b.text("severity-label", capital(i.Unit))
		b.text("severity-value", number(r.Severity))
		b.text("mild", "mild "+number(i.Mild))
		b.text("severe", "severe "+number(i.Severe))
	}
	damaged := ""
	if none {
		damaged = "not at all"
	}
	b.reading("degraded-note", r.ReadsFirst, damaged)
	b.value("seed", strconv.FormatUint(r.Seed, 10))
	b.value("brush", strconv.FormatFloat(r.Brush, 'g', -1, 64))
	b.text("brush-value", fmt.Sprintf("%.1f px", r.Brush))
	b.reading("restored-note", r.Reads, "")
	b.text("ssim-before", fmt.Sprintf("%.2f", r.SSIMBefore))
	b.text("ssim-after", fmt.Sprintf("%.2f", r.SSIMAfter))
	b.text("mse-before", fmt.Sprintf("%.3f", r.MSEBefore))
	b.text("mse-after", fmt.Sprintf("%.3f", r.MSEAfter))
}

// reading says in a picture's caption what it is read as, or something else
// where nothing is read. The style sheet shortens the words on small screens.
func (b *Bridge) reading(name string, r app.Reading, otherwise string) {
	text, reads := strings.CutPrefix(r.String(), "reads as ")
	if r.Confidence == 0 {
		text, reads = otherwise, false
	}
	b.attr(name, "data-reads", strconv.FormatBool(reads))
	b.text(name, text)
}

func (b *Bridge) publishGenerate(r app.Readout) {
	b.value("grid-seed", strconv.FormatUint(r.GenerateSeed, 10))
	b.value("grid-size", strconv.Itoa(r.Grid))
	b.prop("selected", "max", strconv.Itoa(r.Grid*r.Grid))
	b.value("selected", strconv.Itoa(r.Selected+1))
	b.text("grid-note", fmt.Sprintf("%d digits, seed %d", r.Grid*r.Grid, r.GenerateSeed))
	note := fmt.Sprintf("digit %d, D = %.2f", r.Selected+1, r.Shown)
	if r.Reads.Confidence > 0 {
		note += ", " + r.Reads.String()
	}
	b.text("large-note", note)
}

// show shows what belongs to a mode, and hides what belongs to another.
func (b *Bridge) show(m app.Mode) {
	for _, el := range all("[data-for]") {
		el.Set("hidden", el.Get("dataset").Get("for").String() != string(m))
	}
	for _, t := range all(`[role="tab"]`) {
		on := t.Get("id").String() == "tab-"+string(m)
		t.Call("setAttribute", "aria-selected", strconv.FormatBool(on))
		t.Set("tabIndex", map[bool]int{true: 0, false: -1}[on])
	}
	b.measure()
}

// measure finds the places to draw into, and makes the canvas as large as the
// stage.
func (b *Bridge) measure() {
	if b.stage.measure() {
		b.view.SetPlaces(b.stage.places, b.stage.ratio)
		delete(b.texts, "tiles")
	}
}

// capital returns s with its first letter, of ASCII, in upper case.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// unbroken keeps a line from breaking anywhere but after its dots, and before
// what is read.
func unbroken(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, " ", "\u00a0"), "\u00a0·\u00a0", "\u00a0· "), "\u00a0reads", " reads")
}

// decimals is how many of them a value in the given steps needs.
func decimals(step float64) int {
	for n, s := 0, 1.0; n < 4; n, s = n+1, s*10 {
		if v := step * s; v-float64(int(v+1e-9)) < 1e-6 {
			return n
		}
	}
	return 4
}
