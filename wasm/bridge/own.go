//go:build js && wasm

package bridge

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/lesson"
	"mppm/shared/link"
	"mppm/wasm/app/export/encode"
	"mppm/wasm/app/manifold"
	"mppm/wasm/app/room"
)

// ownValue is the value of one of the visitor's own curves in the list of curves.
const ownValue = "own %d"

// ownControls wires what draws curves of one's own and has them learnt.
func (b *Bridge) ownControls() {
	m := b.app.Manifold
	click("draw-own", func() { b.do(m.DrawOwn) })
	for _, t := range []manifold.Tool{manifold.Draw, manifold.Pull, manifold.Look} {
		listen(id("tool-"+string(t)), "change", func(js.Value) { b.do(func() error { return m.SetTool(t) }) })
	}
	click("own-undo", func() { b.then(m.UndoStroke) })
	click("own-redo", func() { b.then(m.RedoStroke) })
	click("own-clear", func() { b.then(m.ClearStrokes) })
	click("train", func() { b.do(m.Train) })
	click("train-pause", func() { b.then(m.PauseTraining) })
	click("train-stop", func() { b.then(m.StopTraining) })
	click("train-on", func() { b.do(m.TrainOn) })
	name := id("own-name")
	listen(name, "input", func(js.Value) {
		text := name.Get("value").String()
		b.then(func() { m.Rename(text) })
	})
	from := id("own-from")
	for _, i := range link.Curves() {
		from.Call("append", option(string(i.Curve), i.Label))
	}
	listen(from, "change", func(js.Value) {
		c := link.Curve(from.Get("value").String())
		if c == "" {
			return
		}
		b.do(func() error { return m.StartFrom(c) })
	})
	file := id("own-file")
	click("own-open", func() { file.Call("click") })
	listen(file, "change", func(js.Value) {
		if files := file.Get("files"); files.Get("length").Int() > 0 {
			b.openOwn(files.Index(0))
		}
		file.Set("value", "") // the same file may be chosen again
	})
	b.span("own-points", link.MinPoints, link.MaxPoints, 10)
	b.span("own-blur", 0, link.MaxBlur, blurStep)
	b.number("own-points", "input", m.SetPoints)
	b.number("own-blur", "input", m.SetBlur)
	b.number("own-codes", "change", m.SetCodes)
	b.seed("own-seed", func(v uint64) { _ = m.SetTrainSeed(v) }) // any seed is in range
	for name, make := range map[string]func() (encode.File, error){"own-save": m.Weights, "own-csv": m.CSV} {
		click(name, func() {
			b.do(func() error {
				f, err := make()
				if err == nil {
					download(f)
				}
				return err
			})
		})
	}
	click("own-film", func() {
		b.do(func() error {
			f, err := m.ExportTraining(&b.palette)
			if err == nil {
				download(f)
			}
			return err
		})
	})
	click("own-remove", func() { b.then(m.Remove) })
}

// blurStep is that of the slider.
const blurStep = 0.005

// announced returns what is read aloud: the status, but while a curve is learnt, which
// changes it several times a second, that alone.
func (b *Bridge) announced(r room.Readout) string {
	c := b.app.Manifold.Course()
	switch {
	case b.app.Mode != link.Manifold || !c.Running():
		return r.Status
	case c.Report.State == lesson.Paused:
		return "The training is paused."
	}
	return "Your curve is being learnt."
}

// trainKey trains, pauses, or goes on.
func (b *Bridge) trainKey() error {
	if b.app.Manifold.Course().Running() {
		b.app.Manifold.PauseTraining()
		return nil
	}
	return b.app.Manifold.Train()
}

// mostOpened bounds the files of points and curves that are read, in bytes: a page that
// reads more does not answer meanwhile.
const mostOpened = 4 << 20

// openOwn reads a file of points, or a saved curve, and shows it.
func (b *Bridge) openOwn(file js.Value) {
	name, size := file.Get("name").String(), file.Get("size").Float()
	if size > mostOpened {
		b.say(fmt.Sprintf("%q has %.0f MB; this page takes up to %d. Give fewer points, or have all of them learnt by the command line: mppm train points --in FILE.", name, size/(1<<20), mostOpened>>20))
		return
	}
	await(file.Call("arrayBuffer"), func(buffer js.Value) {
		bytes := BytesOf(window.Get("Uint8Array").New(buffer))
		b.do(func() error {
			if err := b.app.Manifold.OpenFile(name, bytes); err != nil {
				return errors.New(capital(err.Error()))
			}
			return nil
		})
	}, func(js.Value) { b.say(fmt.Sprintf("The browser could not read %q.", name)) })
}

// takeOwn takes points or a saved curve of what is dropped or pasted, and reports whether
// there is what may be one: a file that is no picture, or lines of text.
func (b *Bridge) takeOwn(files []js.Value, text string) bool {
	for _, f := range files {
		if !strings.HasPrefix(f.Get("type").String(), "image/") {
			b.openOwn(f)
			return true
		}
	}
	if len(files) > 0 || !strings.Contains(strings.TrimSpace(text), "\n") {
		return false
	}
	b.do(func() error {
		if len(text) > mostOpened {
			return fmt.Errorf("the pasted text has %d MB; this page takes up to %d", len(text)>>20, mostOpened>>20)
		}
		if err := b.app.Manifold.OpenText("Pasted points", text); err != nil {
			return errors.New(capital(err.Error()))
		}
		return nil
	})
	return true
}

// publishOwn says what there is of the visitor's own curves, and of the one that is shown.
func (b *Bridge) publishOwn(s *manifold.Sheet) {
	m := b.app.Manifold
	var list []string
	for _, s := range m.Sheets() {
		list = append(list, fmt.Sprintf(ownValue, s.ID)+s.Name)
	}
	if all := strings.Join(list, "\x00"); b.texts["bend options"] != "="+all {
		b.texts["bend options"] = "=" + all
		bend := id("bend")
		bend.Set("textContent", "")
		for _, i := range link.Curves() {
			bend.Call("append", option(string(i.Curve), i.Label))
		}
		for _, s := range m.Sheets() {
			bend.Call("append", option(fmt.Sprintf(ownValue, s.ID), s.Name))
		}
	}
	shows := b.prop("easel", "hidden", s == nil)
	b.prop("own", "hidden", s == nil)
	c := m.Course()
	if b.prop("loss", "hidden", s == nil || !c.Begun) || shows {
		b.measure()
	}
	if s == nil {
		b.value("bend", string(b.app.Figure.Curve))
		b.prop("own-hint", "hidden", true)
		return
	}
	b.value("bend", fmt.Sprintf(ownValue, s.ID))
	d := b.app.Figure.Drawn
	for _, t := range []manifold.Tool{manifold.Draw, manifold.Pull, manifold.Look} {
		checked("tool-"+string(t), m.Tool() == t)
	}
	b.prop("own-tools", "hidden", s.FromFile())
	b.prop("own-hint", "hidden", !s.Empty())
	b.enable("own-undo", m.CanUndoStroke())
	b.enable("own-redo", m.CanRedoStroke())
	b.enable("own-clear", !s.Empty() && !s.FromFile())
	b.prop("own-strokes", "hidden", s.FromFile())
	b.prop("own-from-field", "hidden", s.FromFile())
	b.value("own-from", string(s.Traced()))
	b.value("own-name", s.Name)
	b.value("own-points", strconv.Itoa(d.Points))
	b.text("own-points-value", strconv.Itoa(d.Points))
	b.value("own-blur", strconv.FormatFloat(d.Blur, 'g', -1, 64))
	b.text("own-blur-value", inSteps(d.Blur, blurStep))
	b.value("own-codes", strconv.Itoa(d.Codes))
	b.value("own-seed", strconv.FormatUint(d.Seed, 10))
	note := s.Note()
	if m.Changed() && !c.Running() {
		note = strings.TrimSpace(note + " What is shown has changed since it was learnt: train again.")
	}
	b.text("own-note", note)
	b.prop("own-note", "hidden", note == "")

	running := c.Running()
	b.prop("train", "hidden", running)
	b.enable("train", !s.Empty())
	b.text("train", map[bool]string{true: "Train again", false: "Train"}[m.Learnt()])
	b.prop("train-pause", "hidden", !running)
	b.text("train-pause", map[bool]string{true: "Go on", false: "Pause"}[c.Report.State == lesson.Paused])
	b.prop("train-stop", "hidden", !running)
	b.prop("train-on", "hidden", running || !m.Learnt() || m.Changed())
	b.prop("train-bar", "hidden", !running)
	b.prop("train-bar", "value", c.Share())
	b.text("train-says", c.Says())
	for i, k := range []lesson.Method{lesson.MPPM, lesson.DAE, lesson.DDPM} {
		var points strings.Builder
		for _, p := range c.Graph(k) {
			fmt.Fprintf(&points, "%.1f,%.1f ", 100*p[0], 50*p[1])
		}
		b.attr("loss-"+string(link.Methods()[i]), "points", points.String())
	}
	held := ""
	if v, ok := c.Held(c.Report.Method); ok {
		held = fmt.Sprintf("%v %.4f", c.Report.Method, v)
	}
	b.text("loss-note", held)
	b.enable("own-save", m.Learnt())
	b.enable("own-csv", !s.Empty())
	b.enable("own-film", m.Filmed())
	b.text("own-command", m.Command())
}
