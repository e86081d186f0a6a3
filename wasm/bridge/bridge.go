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

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/wasm/app"
	"mppm/wasm/app/palette"
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
	stage    stage
	calls    []call
	texts    map[string]string // what each element says now, to touch only what changes
	snapshot string            // window.mppm.state()
	notice   string            // why the last call was refused
	simd     bool
	palette  palette.Palette
	link     string     // what the address says behind its "#", as far as is known
	opened   bool       // that was opened
	queried  bool       // the address says something behind its "?" too
	held     *string    // the app's link while the address is to stay, which says more; nil: it follows
	follow   js.Func    // makes the address say what is on the screen
	waits    bool       // for that
	free     float64    // when it may change again, in milliseconds
	cell     int        // edge of the map's marks, in pixels
	offered  *app.Offer // the picture that the dialog shows
	keysOff  bool       // letters and digits do nothing
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
			report(err)
		}
	})
	media("(prefers-reduced-motion: reduce)", b.motion)
	page.Set("state", js.FuncOf(func(js.Value, []js.Value) any { return b.snapshot }))
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

func (b *Bridge) flush() {
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
	if len(calls) > 0 {
		b.publish() // a refused value goes back to what it was
	}
}

// changed follows an update in which something on the screen changed.
func (b *Bridge) changed() {
	b.publish()
	b.publishLink()
}

func (b *Bridge) controls() {
	for _, m := range app.Modes() {
		click("tab-"+string(m), func() { b.do(func() error { return b.app.SetMode(m) }) })
	}
	listen(one(`[role="tablist"]`), "keydown", func(e js.Value) {
		modes := app.Modes()
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

	kind := id("kind")
	for _, i := range append(degrade.Kinds(), degrade.Info{Kind: app.None, Label: "No damage"}) {
		kind.Call("append", option(string(i.Kind), i.Label))
	}
	listen(kind, "change", func(e js.Value) {
		k := degrade.Kind(kind.Get("value").String())
		b.do(func() error { return b.app.SetKind(k) })
	})
	b.number("severity", "input", b.app.SetSeverity)
	click("mild", func() { b.do(func() error { return b.app.SetSeverity(app.Find(b.app.Kind).Mild) }) })
	click("severe", func() { b.do(func() error { return b.app.SetSeverity(app.Find(b.app.Kind).Severe) }) })
	b.seed("seed", b.app.SetSeed)
	click("new-seed", func() { b.then(b.newDamage) })
	click("another", func() { b.then(b.app.AnotherDigit) })
	click("clear", func() { b.then(b.app.ClearPad) })
	click("undo", func() { b.then(b.app.Undo) })
	click("redo", func() { b.then(b.app.Redo) })
	b.number("brush", "input", b.app.SetBrush)
	b.span("brush", app.MinBrush, app.MaxBrush, brushStep)
	b.pictures()

	b.seed("grid-seed", b.app.SetGenerateSeed)
	click("new-grid", func() { b.then(b.newGrid) })
	class := id("class")
	for i := range classifier.Classes {
		class.Call("append", option(strconv.Itoa(i), fmt.Sprintf("%ds", i)))
	}
	b.number("class", "change", func(v float64) error { return b.app.SetClass(int(v)) })
	click("more", func() { b.do(b.app.MoreLikeThis) })
	click("all-digits", func() { b.then(b.app.AllDigits) })
	b.check("walk", func(on bool) error { b.app.SetWalk(on); return nil })
	b.number("walk-to", "change", func(v float64) error { return b.app.SetWalkTo(int(v) - 1) })
	size := id("grid-size")
	for n := app.MinGrid; n <= app.MaxGrid; n++ {
		size.Call("append", option(strconv.Itoa(n), fmt.Sprintf("%d × %d", n, n)))
	}
	b.number("grid-size", "change", func(v float64) error { return b.app.SetGrid(int(v)) })
	b.number("selected", "change", func(v float64) error { return b.app.Select(int(v) - 1) })
	for _, d := range app.Dials() {
		b.number(string(d.Parameter), "input", func(v float64) error { return b.app.SetParameter(d.Parameter, v) })
	}
	for _, f := range app.Forces() {
		b.check("force-"+string(f.Parameter), func(on bool) error { return b.app.SetForce(f.Parameter, on) })
	}
	click("reset-flow", func() { b.then(b.app.ResetFlow) })
	b.mapControls()
	b.figureControls()
	b.exports()
	b.dialogs()
	sheet()
	b.keys()
	for _, form := range all("form") {
		listen(form, "submit", func(e js.Value) { e.Call("preventDefault") })
	}
	b.pointers()
}

func (b *Bridge) newGrid() { b.app.SetGenerateSeed((b.app.GenerateSeed + 1) & app.MaxSeed) }

func (b *Bridge) newDamage() { b.app.SetSeed((b.app.Seed + 1) & app.MaxSeed) }

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
				return fmt.Errorf("%q is not a seed: give a whole number from 0 to %d", text, uint64(app.MaxSeed))
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
	b.app.SetReducedMotion(media("(prefers-reduced-motion: reduce)", nil))
}

// theme reads the colors of the style sheet.
func (b *Bridge) theme() error {
	style := window.Call("getComputedStyle", document.Get("documentElement"))
	var p palette.Palette
	var err error
	read := func(name string) string { return style.Call("getPropertyValue", name).String() }
	for _, t := range []struct {
		name string
		set  func(string) error
	}{
		{"--ground", into(&p.Ground)}, {"--ink", into(&p.Ink)}, {"--line", into(&p.Line)},
		{"--muted", into(&p.Muted)}, {"--accent", into(&p.Accent)}, {"--raise", into(&p.Raised)},
		{"--dae", into(&p.DAE)}, {"--ddpm", into(&p.DDPM)},
		{"--classes", func(s string) (err error) { p.Classes, err = palette.ParseColors(s); return err }},
		{"--cool", func(s string) (err error) { p.Cool, err = palette.ParseColors(s); return err }},
	} {
		if err = t.set(read(t.name)); err != nil {
			return fmt.Errorf("style sheet: %s: %w", t.name, err)
		}
	}
	b.view.SetPalette(p)
	b.palette = p
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
	film := timeline.NewFilm(b.stage.places["film"].W, r.Steps, view.LeastTile*b.stage.unit)
	if r.Mode == app.Manifold { // without a film the timeline is as long as the curve of D
		film = timeline.NewFilm(b.stage.places["curve"].W, r.Steps, 1)
	}
	if tiles := strconv.Itoa(max(film.Tiles, 1)); b.texts["tiles"] != tiles {
		b.texts["tiles"] = tiles
		id("timeline").Get("style").Call("setProperty", "--tiles", tiles)
	}
	b.text("curve-note", fmt.Sprintf("highest %.2f", r.Highest))
	scored := b.app.Scores() != nil
	b.prop("ssim-key", "hidden", !scored)
	if scored {
		b.text("ssim-now", fmt.Sprintf("%.2f", r.SSIM))
	}
	b.publishFlow()
	switch r.Mode {
	case app.Restore:
		b.publishRestore(r)
	case app.Generate:
		b.publishGenerate(r)
	case app.Map:
		b.publishMap(r)
	case app.Manifold:
		b.publishFigure(r)
	}
	b.publishOffer()
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
	b.text("parameters", b.parameters())
	b.prop("gate", "hidden", b.app.Mode == app.Manifold || b.app.Preset().Tau == 0)
	for _, f := range app.Forces() {
		v, _ := b.app.Setting(f.Parameter)
		checked("force-"+string(f.Parameter), v > 0)
	}
	changed := 0
	for _, d := range b.app.ModeDials() {
		name := string(d.Parameter)
		v, was := b.app.Setting(d.Parameter)
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
	alpha, _ := b.app.Setting(app.Alpha)
	beta, _ := b.app.Setting(app.Beta)
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

// parameters says what the flow's parameters are.
func (b *Bridge) parameters() string {
	if b.app.Mode == app.Manifold {
		p := b.app.Figure.Flow
		return fmt.Sprintf("α = %v, β = %v, σ_d = %v, σ_ker = %v, %d steps, %d samples at each of the points; σ_d is a length, σ_ker in multiples of the codes' standard deviation.", p.Alpha, p.Beta, p.SigmaD, p.SigmaKer, p.Steps, p.Samples)
	}
	p := b.app.Preset()
	text := fmt.Sprintf("α = %v, β = %v, σ = %v", p.Alpha, p.Beta, p.Sigma)
	if p.Tau > 0 {
		text += fmt.Sprintf(", τ = %v", p.Tau)
	}
	return text + fmt.Sprintf(", at most %d steps; σ and τ in multiples of the codes' spacing.", p.Steps)
}

func (b *Bridge) publishRestore(r app.Readout) {
	b.text("clear", map[bool]string{true: "Clear", false: "Draw my own"}[r.Source == app.Drawing])
	switch {
	case r.Source == app.Digit:
		b.text("original-note", fmt.Sprintf("a %d from MNIST", r.Label))
	case r.Source == app.Picture || r.Settled && !b.app.PadEmpty():
		b.text("original-note", "yours, centered")
	default:
		b.text("original-note", "yours")
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
		number := func(v float64) string { return inSteps(v, i.Step) }
		b.span("severity", i.Min, i.Max, i.Step)
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
	b.text("brush-value", inSteps(r.Brush, brushStep)+" px")
	b.reading("restored-note", r.Reads, "")
	b.scored("before", app.Score{MSE: r.MSEBefore, SSIM: r.SSIMBefore}, r.ReadsFirst, true)
	b.scored("after", app.Score{MSE: r.MSE, SSIM: r.SSIM}, r.Reads, true)
	for name, v := range map[string]*app.Rival{"dae": r.DAE, "ldm": r.LDM} {
		waits := ""
		switch {
		case v == nil:
			v = &app.Rival{}
		case v.Done < v.Total:
			waits = fmt.Sprintf("step %d of %d", v.Done, v.Total)
		}
		// There is little room: how sure it is of that, the table says.
		reads := waits == "" && v.Reads.Confidence > 0
		b.attr(name+"-note", "data-reads", strconv.FormatBool(reads))
		if reads {
			waits = strconv.Itoa(v.Reads.Digit)
		}
		b.text(name+"-note", waits)
		b.scored(name, v.Score, v.Reads, v.Reads.Confidence > 0)
	}
}

// scored fills a row of the table, with dashes where there is nothing yet.
func (b *Bridge) scored(name string, s app.Score, r app.Reading, there bool) {
	ssim, mse, reads := "–", "–", "–"
	if there {
		ssim, mse = fmt.Sprintf("%.2f", s.SSIM), fmt.Sprintf("%.3f", s.MSE)
	}
	if r.Confidence > 0 {
		reads = fmt.Sprintf("%d, %s", r.Digit, r.Percent())
	}
	b.text("ssim-"+name, ssim)
	b.text("mse-"+name, mse)
	b.text("reads-"+name, reads)
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
	b.value("class", strconv.Itoa(r.Class))
	last := strconv.Itoa(r.Grid * r.Grid)
	b.prop("walk-to", "max", last)
	b.value("walk-to", strconv.Itoa(r.WalkTo+1))
	checked("walk", r.Walk)
	b.prop("walk-field", "hidden", !r.Walk)
	b.prop("walk-hint", "hidden", !r.Walk)
	b.prop("all-digits", "hidden", r.Like == "")
	note := fmt.Sprintf("%s digits, seed %d", last, r.GenerateSeed)
	if r.Like != "" {
		note += ", around the first"
	}
	if r.Class != app.Any {
		note = fmt.Sprintf("%s times %d, seed %d", last, r.Class, r.GenerateSeed)
	}
	b.text("grid-note", note)
	b.attr("grid", "aria-label", fmt.Sprintf("Grid of generated digits; cell %d is enlarged", r.Selected+1))
	title, note := fmt.Sprintf("Cell %d", r.Selected+1), ""
	if r.Walk {
		title, note = "Walk", fmt.Sprintf("from %d to %d", r.Selected+1, r.WalkTo+1)
	}
	more := fmt.Sprintf("D = %.2f", r.Shown)
	if r.Reads.Confidence > 0 {
		more += ", " + r.Reads.String()
	}
	b.text("large-title", title)
	b.text("large-note", note)
	b.text("large-more", more)
}

// show shows what belongs to a mode, and hides what belongs to another.
func (b *Bridge) show(m app.Mode) {
	for _, el := range all("[data-for]") {
		el.Set("hidden", !slices.Contains(strings.Fields(el.Get("dataset").Get("for").String()), string(m)))
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
		b.view.SetPlaces(b.stage.places, b.stage.unit)
		delete(b.texts, "tiles")
		if m, ok := b.stage.places["map"]; ok && m.H > 0 {
			b.Do(func() error { b.app.SetAspect(m.W / m.H); return nil })
		}
		if m, ok := b.stage.places["manifold"]; ok && m.H > 0 {
			b.Do(func() error { b.app.SetFigureShape(m.W / m.H); return nil })
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

// unbroken keeps a line from breaking anywhere but after its dots, and before
// what is read or measured.
func unbroken(s string) string {
	return strings.NewReplacer(" · ", "\u00a0· ", " reads", " reads", " from", " from", " ", "\u00a0").Replace(s)
}

// brushStep is the step of the brush's slider, in pixels of the image.
const brushStep = 0.2

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
