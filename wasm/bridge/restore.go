//go:build js && wasm

package bridge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/degrade"
	"mppm/shared/link"
	"mppm/shared/stroke"
	"mppm/wasm/app/model"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room"
)

// restoreControls wires the settings of Restore.
func (b *Bridge) restoreControls() controls {
	kind := id("kind")
	for _, i := range append(degrade.Kinds(), degrade.Info{Kind: link.None, Label: "No damage"}) {
		kind.Call("append", option(string(i.Kind), i.Label))
	}
	listen(kind, "change", func(e js.Value) {
		k := degrade.Kind(kind.Get("value").String())
		b.do(func() error { return b.app.Restore.SetKind(k) })
	})
	b.number("severity", "input", b.app.Restore.SetSeverity)
	click("mild", func() { b.do(func() error { return b.app.Restore.SetSeverity(link.Find(b.app.Kind).Mild) }) })
	click("severe", func() { b.do(func() error { return b.app.Restore.SetSeverity(link.Find(b.app.Kind).Severe) }) })
	b.seed("seed", b.app.Restore.SetSeed)
	click("new-seed", func() { b.then(b.newDamage) })
	click("another", func() { b.then(b.app.Restore.AnotherDigit) })
	click("clear", func() { b.then(b.app.Restore.ClearPad) })
	click("undo", func() { b.then(b.app.Restore.Undo) })
	click("redo", func() { b.then(b.app.Restore.Redo) })
	b.number("brush", "input", b.app.Restore.SetBrush)
	b.span("brush", link.MinBrush, link.MaxBrush, brushStep)
	b.pictures()
	return controls{publish: b.publishRestore, next: func() error { b.app.Restore.AnotherDigit(); return nil }}
}

func (b *Bridge) newDamage() { b.app.Restore.SetSeed((b.app.Seed + 1) & link.MaxSeed) }

// brushStep is the step of the brush's slider, in pixels of the image.
const brushStep = 0.2

// publishRestore says what Restore shows.
func (b *Bridge) publishRestore(r room.Readout) {
	s, res := &b.app.State, b.app.Restore.Result()
	b.text("clear", map[bool]string{true: "Clear", false: "Draw my own"}[s.Source == link.Drawing])
	switch {
	case s.Source == link.Digit:
		b.text("original-note", b.app.SampleWords())
	case !b.app.About.Digits:
		b.text("original-note", "yours")
	case s.Source == link.Picture || res.Settled && !b.app.Restore.PadEmpty():
		b.text("original-note", "yours, centered")
	default:
		b.text("original-note", "yours")
	}
	b.prop("pad-hint", "hidden", !b.app.Restore.PadEmpty())
	b.enable("undo", res.Undo)
	b.enable("redo", res.Redo)
	i := link.Find(s.Kind)
	none := s.Kind == link.None
	b.value("kind", string(s.Kind))
	b.prop("severity-field", "hidden", none)
	b.prop("severity-presets", "hidden", none)
	if !none {
		number := func(v float64) string { return inSteps(v, i.Step) }
		b.span("severity", i.Min, i.Max, i.Step)
		b.value("severity", strconv.FormatFloat(s.Severity, 'g', -1, 64))
		b.text("severity-label", capital(i.Unit))
		b.text("severity-value", number(s.Severity))
		b.text("mild", "mild "+number(i.Mild))
		b.text("severe", "severe "+number(i.Severe))
	}
	damaged := ""
	if none {
		damaged = "not at all"
	}
	b.reading("degraded-note", res.ReadsFirst, damaged)
	b.value("seed", strconv.FormatUint(s.Seed, 10))
	b.value("brush", strconv.FormatFloat(s.Brush, 'g', -1, 64))
	width := s.Brush // in the image's pixels
	if side := b.app.Engine.Image().W; side != stroke.Side {
		width = math.Round(s.Brush*float64(side)/stroke.Side*10) / 10
	}
	b.text("brush-value", inSteps(width, brushStep)+" px")
	b.reading("restored-note", r.Reads, "")
	b.scored("before", restore.Score{MSE: res.MSEBefore, SSIM: res.SSIMBefore}, res.ReadsFirst, true)
	b.scored("after", restore.Score{MSE: res.MSE, SSIM: res.SSIM}, r.Reads, true)
	for name, v := range map[string]*restore.Attempt{"dae": res.DAE, "ldm": res.LDM} {
		waits := ""
		switch {
		case v == nil:
			v = &restore.Attempt{}
		case v.Done < v.Total:
			waits = fmt.Sprintf("step %d of %d", v.Done, v.Total)
		}
		// There is little room: how sure it is of that, the table says.
		reads := waits == "" && v.Reads.Confidence > 0
		b.attr(name+"-note", "data-reads", strconv.FormatBool(reads))
		if reads {
			waits = b.app.About.Class(v.Reads.Digit)
		}
		b.text(name+"-note", waits)
		b.scored(name, v.Score, v.Reads, v.Reads.Confidence > 0)
	}
}

// scored fills a row of the table, with dashes where there is nothing yet.
func (b *Bridge) scored(name string, s restore.Score, r model.Reading, there bool) {
	ssim, mse, reads := "–", "–", "–"
	if there {
		ssim, mse = fmt.Sprintf("%.2f", s.SSIM), fmt.Sprintf("%.3f", s.MSE)
	}
	if r.Confidence > 0 {
		sure := r.Percent()
		if !b.app.About.Digits { // a line that is too long breaks after the name
			sure = strings.ReplaceAll(sure, " ", "\u00a0")
		}
		reads = b.app.About.Class(r.Digit) + ", " + sure
	}
	b.text("ssim-"+name, ssim)
	b.text("mse-"+name, mse)
	b.text("reads-"+name, reads)
}

// reading says in a picture's caption what it is read as, or something else
// where nothing is read. The style sheet shortens the words on small screens.
func (b *Bridge) reading(name string, r model.Reading, otherwise string) {
	text, reads := strings.CutPrefix(b.app.About.Read(r), "reads as ")
	if r.Confidence == 0 {
		text, reads = otherwise, false
	}
	b.attr(name, "data-reads", strconv.FormatBool(reads))
	b.text(name, text)
}
