//go:build js && wasm

package bridge

import (
	"fmt"
	"strconv"

	"mppm/shared/link"
	"mppm/wasm/app/room"
)

// generateControls wires the settings of Generate.
func (b *Bridge) generateControls() controls {
	b.seed("grid-seed", b.app.Generate.SetSeed)
	click("new-grid", func() { b.then(b.newGrid) })
	b.number("class", "change", func(v float64) error { return b.app.Generate.SetClass(int(v)) })
	click("more", func() { b.do(b.app.Generate.MoreLikeThis) })
	click("all-digits", func() { b.then(b.app.Generate.AllDigits) })
	b.check("walk", func(on bool) error { b.app.Generate.SetWalk(on); return nil })
	b.number("walk-to", "change", func(v float64) error { return b.app.Generate.SetWalkTo(int(v) - 1) })
	size := id("grid-size")
	for n := link.MinGrid; n <= link.MaxGrid; n++ {
		size.Call("append", option(strconv.Itoa(n), fmt.Sprintf("%d × %d", n, n)))
	}
	b.number("grid-size", "change", func(v float64) error { return b.app.Generate.SetSide(int(v)) })
	b.number("selected", "change", func(v float64) error { return b.app.Generate.Select(int(v) - 1) })
	return controls{publish: b.publishGenerate, next: func() error { b.newGrid(); return nil }}
}

func (b *Bridge) newGrid() { b.app.Generate.SetSeed((b.app.GenerateSeed + 1) & link.MaxSeed) }

// publishGenerate says what Generate shows.
func (b *Bridge) publishGenerate(r room.Readout) {
	s := &b.app.State
	b.value("grid-seed", strconv.FormatUint(s.GenerateSeed, 10))
	b.value("grid-size", strconv.Itoa(s.Grid))
	b.prop("selected", "max", strconv.Itoa(s.Grid*s.Grid))
	b.value("selected", strconv.Itoa(s.Selected+1))
	b.value("class", strconv.Itoa(s.Class))
	last := strconv.Itoa(s.Grid * s.Grid)
	b.prop("walk-to", "max", last)
	b.value("walk-to", strconv.Itoa(s.WalkTo+1))
	checked("walk", s.Walk)
	b.prop("walk-field", "hidden", !s.Walk)
	b.prop("walk-hint", "hidden", !s.Walk)
	b.prop("all-digits", "hidden", s.Like == "")
	note := fmt.Sprintf(b.app.About.Say("%s digits, seed %d"), last, s.GenerateSeed)
	if s.Like != "" {
		note += ", around the first"
	}
	if s.Class != link.Any {
		note = fmt.Sprintf("%s times %s, seed %d", last, b.app.About.Class(s.Class), s.GenerateSeed)
	}
	b.text("grid-note", note)
	b.attr("grid", "aria-label", fmt.Sprintf(b.app.About.Say("Grid of generated digits; cell %d is enlarged"), s.Selected+1))
	title, note := fmt.Sprintf("Cell %d", s.Selected+1), ""
	if s.Walk {
		title, note = "Walk", fmt.Sprintf("from %d to %d", s.Selected+1, s.WalkTo+1)
	}
	more := fmt.Sprintf("D = %.2f", r.Shown)
	if r.Reads.Confidence > 0 {
		more += ", " + b.app.About.Read(r.Reads)
	}
	b.text("large-title", title)
	b.text("large-note", note)
	b.text("large-more", more)
}
