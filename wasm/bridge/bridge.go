//go:build js && wasm

// Package bridge wires the page's HTML controls to the app, and the app to what
// the page says. It decides nothing: a control's event becomes one call of the
// app, made before the next frame, and the app's Readout becomes text.
package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/dials"
	"mppm/wasm/app/faces"
	"mppm/wasm/app/latentmap"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room"
	"mppm/wasm/app/timeline"
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
	rooms    map[link.Mode]controls
	stage    stage
	crew     *compute.Crew
	inbox    []func() // what came of its engines
	calls    []call
	texts    map[string]string // what each element says now, to touch only what changes
	snapshot string            // window.mppm.state(), as it was when that was last asked for
	says     bool              // the page says something, which that may
	notice   string            // why the last call was refused
	simd     bool
	palette  palette.Palette
	link     string         // what the address says behind its "#", as far as is known
	opened   bool           // that was opened
	queried  bool           // the address says something behind its "?" too
	held     *string        // the app's link while the address is to stay, which says more; nil: it follows
	follow   js.Func        // makes the address say what is on the screen
	waits    bool           // for that
	free     float64        // when it may change again, in milliseconds
	cell     int            // edge of the map's marks, in pixels
	marked   *link.Page     // whose classes they are
	offered  *restore.Offer // the picture that the dialog shows
	photo    photo
	keysOff  bool     // letters and numerals do nothing
	statics  []static // texts about digits or faces, nil until the page speaks of others
	told     told     // of what the page speaks

	parts      []part
	unmeasured bool // the page was laid out, and where to draw is not known yet
}

// controls is what the page has for a room, beside what it wires itself.
type controls struct {
	publish func(r room.Readout) // says what the room shows
	next    func() error         // shows another digit, grid or point
	zoom    func(factor float64) // enlarges what is seen; nil: nothing can be
	whole   func()               // shows it as at first; nil likewise
}

// New connects an app to the page. simd says which build this is. It returns an
// error if the browser lacks, or refuses, what the page cannot do without.
func New(a *app.App, simd bool) (b *Bridge, err error) {
	if refused := attempt(func() { b, err = connect(a, simd) }); refused != nil {
		return nil, refused
	}
	return b, err
}

func connect(a *app.App, simd bool) (*Bridge, error) {
	b := &Bridge{app: a, texts: map[string]string{}, snapshot: `{"ready":false}`, simd: simd}
	page := window.Get("mppm")
	b.view = view.New(a, b.flush, b.changed, func(on bool) { page.Call("rest", on) })
	b.stage.resizing = b.view.Resized
	if err := b.stage.take(); err != nil {
		return nil, err
	}
	b.hire()
	if err := b.theme(); err != nil {
		return nil, err
	}
	b.motion()
	b.measure()
	b.frames()
	b.controls()
	b.links()
	b.stage.watch(b.measure, b.measureSoon, b.view.Invalidate)
	media("(prefers-color-scheme: light)", func() {
		if err := b.theme(); err != nil {
			report(err)
		}
		b.Do(func() error { return nil }) // small pictures are drawn anew
	})
	media("(prefers-reduced-motion: reduce)", b.motion)
	page.Set("state", js.FuncOf(func(js.Value, []js.Value) any {
		if b.says {
			b.snap()
		}
		return b.snapshot
	}))
	page.Set("computed", js.FuncOf(func(js.Value, []js.Value) any {
		path, _ := b.app.Path()
		return map[string]any{"engines": b.crew.Alive(), "digest": strconv.FormatUint(path.Digest(), 16)}
	}))
	for _, f := range all("fieldset") {
		f.Set("disabled", false)
	}
	b.publish()
	return b, nil
}

// View returns what Ebitengine shall run.
func (b *Bridge) View() *view.View { return b.view }

// call is one of the app, made before the next frame.
type call struct {
	make func() error
	own  bool // the page's own, not the user's
}

// Do has the app called before the next frame, other than by the user. An error
// is shown; without one, what is shown stays.
func (b *Bridge) Do(f func() error) {
	b.calls = append(b.calls, call{f, true})
	b.view.Wake()
}

// do queues a call that the user makes.
func (b *Bridge) do(f func() error) {
	b.calls = append(b.calls, call{f, false})
	b.view.Wake()
}

// then is do for what cannot fail.
func (b *Bridge) then(call func()) { b.do(func() error { call(); return nil }) }

// flush makes the calls that wait, and reports whether there were any: then the page
// says what came of them, a refused value goes back to what it was. Another mode it shows
// at once, and says the rest with the next frame.
func (b *Bridge) flush() bool {
	inbox := b.inbox
	b.inbox = nil
	for _, take := range inbox {
		take()
	}
	calls := b.calls
	b.calls = nil
	for _, c := range calls {
		if !c.own {
			b.notice = ""
		}
		err := error(nil)
		if refused := attempt(func() { err = c.make() }); refused != nil {
			err = refused
		}
		if err != nil {
			b.notice = err.Error()
		}
	}
	if len(calls) > 0 && b.texts["work.dataset.mode"] != string(b.app.Mode) {
		b.publish()
	}
	return len(calls) > 0
}

// changed follows an update in which something on the screen changed, or the app was
// called.
func (b *Bridge) changed() {
	b.publish()
	b.publishLink()
}

func (b *Bridge) controls() {
	for _, m := range b.app.Links.Modes() {
		click("tab-"+string(m), func() { b.do(func() error { return b.app.SetMode(m) }) })
	}
	listen(one(`[role="tablist"]`), "keydown", func(e js.Value) {
		modes := b.app.Links.Modes()
		at := slices.Index(modes, b.app.Mode)
		switch e.Get("key").String() {
		case "ArrowLeft":
			at += len(modes) - 1
		case "ArrowRight":
			at++
		case "Home":
			at = 0
		case "End":
			at = len(modes) - 1
		default:
			return
		}
		e.Call("preventDefault")
		m := modes[at%len(modes)]
		id("tab-" + string(m)).Call("focus")
		b.do(func() error { return b.app.SetMode(m) })
	})
	click("play", func() { b.then(b.app.TogglePlay) })
	click("back", func() { b.then(func() { b.app.StepBy(-1) }) })
	click("forward", func() { b.then(func() { b.app.StepBy(1) }) })
	b.number("timeline", "input", func(v float64) error { b.app.Seek(int(v)); return nil })

	b.rooms = map[link.Mode]controls{
		link.Restore: b.restoreControls(), link.Generate: b.generateControls(),
		link.Map: b.mapControls(), link.Manifold: b.figureControls(),
	}
	b.memoryControls()
	b.rooms[link.Faces] = b.faceControls()
	for _, d := range link.Dials() {
		b.number(string(d.Parameter), "input", func(v float64) error { return b.app.Dials().Set(d.Parameter, v) })
	}
	for _, f := range dials.Forces() {
		b.check("force-"+string(f.Parameter), func(on bool) error { return b.app.Dials().SetForce(f.Parameter, on) })
	}
	click("reset-flow", func() { b.then(func() { b.app.Dials().Reset() }) })
	b.exports()
	b.ownModels()
	b.dialogs()
	sheet()
	b.keys()
	for _, form := range all("form") {
		listen(form, "submit", func(e js.Value) { e.Call("preventDefault") })
	}
	b.pointers()
}

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
				return fmt.Errorf("%q is not a seed: give a whole number from 0 to %d", text, uint64(link.MaxSeed))
			}
			set(v)
			return nil
		})
	})
}

// check passes on whether a box is checked.
func (b *Bridge) check(name string, set func(on bool) error) {
	el := id(name)
	listen(el, "change", func(js.Value) {
		on := el.Get("checked").Bool()
		b.do(func() error { return set(on) })
	})
}

// checked sets a box, whatever it was set to last: the user may have changed it.
func checked(name string, on bool) {
	if el := id(name); el.Get("checked").Bool() != on {
		el.Set("checked", on)
	}
}

// motion passes on whether the user wants less of it.
func (b *Bridge) motion() {
	b.app.ReducedMotion = (media("(prefers-reduced-motion: reduce)", nil))
}

// theme reads the colors of the style sheet.
func (b *Bridge) theme() error {
	style := window.Call("getComputedStyle", document.Get("documentElement"))
	p, err := palette.Read(func(name string) string { return style.Call("getPropertyValue", name).String() })
	if err != nil {
		return err
	}
	b.view.SetPalette(p)
	b.palette = p
	return nil
}

// publish says on the page what the app says.
func (b *Bridge) publish() {
	b.tell()
	if b.prop("work", "dataset.mode", string(b.app.Mode)) {
		b.show(b.app.Mode)
		return // all else comes with the next frame
	}
	r := b.app.Readout()
	status := room.Unbroken(r.Status)
	if b.notice != "" {
		r.Status, status = b.notice, b.notice
	}
	b.text("status", status)
	b.attr("status", "data-notice", strconv.FormatBool(b.notice != ""))
	if !r.Busy {
		b.text("announce", r.Status)
	}
	b.attr("play", "data-playing", strconv.FormatBool(r.Playing))
	b.attr("play", "aria-label", map[bool]string{true: "Pause", false: "Play"}[r.Playing])
	b.prop("timeline", "max", strconv.Itoa(max(r.Steps, 1)))
	b.value("timeline", strconv.Itoa(r.Step))
	b.attr("timeline", "aria-valuetext", r.Status)
	film := timeline.NewFilm(b.stage.places["film"].W, r.Steps, timeline.LeastTile*b.stage.unit)
	if b.app.Mode == link.Manifold { // without a film the timeline is as long as the plot of D
		film = timeline.NewFilm(b.stage.places["plot"].W, r.Steps, 1)
	}
	if tiles := strconv.Itoa(max(film.Tiles, 1)); b.texts["tiles"] != tiles {
		b.texts["tiles"] = tiles
		id("timeline").Get("style").Call("setProperty", "--tiles", tiles)
	}
	b.text("plot-note", fmt.Sprintf("highest %.2f", r.Highest))
	scored := b.app.Restore.Scores() != nil
	b.prop("ssim-key", "hidden", !scored)
	if scored {
		b.text("ssim-now", fmt.Sprintf("%.2f", b.app.Restore.Result().SSIM))
	}
	b.publishFlow()
	b.rooms[b.app.Mode].publish(r)
	b.publishMemory()
	b.publishOffer()
	b.says = true
}

// snap keeps what is shown as text, for programs that ask window.mppm.state().
func (b *Bridge) snap() {
	r := b.app.Readout()
	if b.notice != "" {
		r.Status = b.notice
	}
	state := struct {
		Ready bool `json:"ready"`
		SIMD  bool `json:"simd"`
		link.State
		room.Readout
		restore.Result
		Place *latentmap.Place `json:"place"`             // where on the map the code is that is shown
		Paths *manifold.Result `json:"descent,omitempty"` // to the curve, in Manifold
		Face  *faces.Result    `json:"face,omitempty"`    // in Faces
	}{Ready: true, SIMD: b.simd, State: b.app.State, Readout: r, Result: b.app.Restore.Result()}
	switch b.app.Mode {
	case link.Map:
		state.Place = b.app.Map.Place()
	case link.Manifold:
		paths := b.app.Manifold.Result()
		state.Paths = &paths
	}
	if b.app.Mode == link.Faces {
		face := b.app.Faces.Result()
		state.Face = &face
	}
	if s, err := json.Marshal(state); err == nil { // a number that is not finite keeps the last state
		b.snapshot = string(s)
	}
}

// publishFlow says what the parameters are, and which are not the defaults.
func (b *Bridge) publishFlow() {
	b.text("parameters", b.app.Dials().Words())
	tau, _ := b.app.Dials().Value(link.Tau)
	b.prop("gate", "hidden", tau == 0)
	for _, f := range dials.Forces() {
		v, _ := b.app.Dials().Value(f.Parameter)
		checked("force-"+string(f.Parameter), v > 0)
	}
	changed := 0
	for _, d := range b.app.Dials().List() {
		name := string(d.Parameter)
		v, was := b.app.Dials().Value(d.Parameter)
		number := func(v float64) string { return inSteps(v, d.Step) }
		b.span(name, d.Min, d.Max, d.Step)
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
	alpha, _ := b.app.Dials().Value(link.Alpha)
	beta, _ := b.app.Dials().Value(link.Beta)
	sum := alpha + beta
	b.text("sum", fmt.Sprintf("α + β = %.2f, and must stay below 1.", sum))
	b.prop("sum", "className", map[bool]string{true: "small tight", false: "small"}[sum > 0.985])
	note := ""
	if changed > 0 {
		note = fmt.Sprintf("%d changed", changed)
	}
	b.text("flow-note", note)
	b.enable("reset-flow", changed > 0)
}

// part is an element that belongs to modes alone.
type part struct {
	el    js.Value
	modes []string
}

// show shows what belongs to a mode, and hides what belongs to another.
func (b *Bridge) show(m link.Mode) {
	if b.parts == nil {
		for _, el := range all("[data-for]") {
			b.parts = append(b.parts, part{el, strings.Fields(el.Get("dataset").Get("for").String())})
		}
	}
	for _, p := range b.parts {
		p.el.Set("hidden", !slices.Contains(p.modes, string(m)))
	}
	for _, t := range all(`[role="tab"]`) {
		on := t.Get("id").String() == "tab-"+string(m)
		t.Call("setAttribute", "aria-selected", strconv.FormatBool(on))
		t.Set("tabIndex", map[bool]int{true: 0, false: -1}[on])
	}
	b.measureSoon()
}

// measureSoon has the places found before the next frame, when the browser has laid the
// page out: it need not do so twice, nor all in one frame. Until then nothing is drawn.
func (b *Bridge) measureSoon() {
	if b.unmeasured {
		return
	}
	b.unmeasured = true
	b.view.Hold(true)
	b.Do(func() error {
		b.unmeasured = false
		b.view.Hold(false)
		b.measure()
		return nil
	})
}

// measure finds the places to draw into, and makes the canvas as large as the
// stage.
func (b *Bridge) measure() {
	if b.stage.measure() {
		b.view.SetPlaces(b.stage.places, b.stage.unit)
		delete(b.texts, "tiles")
		if m, ok := b.stage.places["map"]; ok && m.H > 0 {
			b.Do(func() error { b.app.Map.SetAspect(m.W / m.H); return nil })
		}
		if m, ok := b.stage.places["manifold"]; ok && m.H > 0 {
			b.Do(func() error { b.app.Manifold.SetAspect(m.W / m.H); return nil })
		}
		b.marks()
	}
}

// capital returns s with its first letter, of ASCII, in upper case.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// span sets what a slider ranges over.
func (b *Bridge) span(name string, lo, hi, step float64) {
	for property, v := range map[string]float64{"min": lo, "max": hi, "step": step} {
		b.prop(name, property, strconv.FormatFloat(v, 'g', -1, 64))
	}
}

// inSteps writes a number with the decimals that its steps need, or with all that
// it has where a link put it between them: the slider then stands on the nearest.
func inSteps(v, step float64) string {
	s := strconv.FormatFloat(v, 'f', decimals(step), 64)
	if near, err := strconv.ParseFloat(s, 64); err != nil || near != v {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return s
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
