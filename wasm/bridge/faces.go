//go:build js && wasm

package bridge

import (
	"errors"
	"fmt"
	"strconv"
	"syscall/js"

	"mppm/shared/degrade"
	"mppm/shared/link"
	"mppm/wasm/app/faces"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/room"
)

// firstBrush is the diameter of the brush at first, in hundredths of the side.
const firstBrush = 5

// faceControls wires the settings of Faces, where the page has models of them.
func (b *Bridge) faceControls() controls {
	f := b.app.Faces
	model := id("face-model")
	listen(model, "change", func(js.Value) {
		name := model.Get("value").String()
		b.do(func() error { return f.SetModel(name) })
	})
	for _, t := range link.FaceTasks() {
		listen(id("task-"+string(t)), "change", func(js.Value) { b.do(func() error { return f.SetTask(t) }) })
	}
	kind := id("face-kind")
	for _, i := range append(link.FaceDamage(), degrade.Info{Kind: link.None, Label: "None but what you paint"}) {
		kind.Call("append", option(string(i.Kind), i.Label))
	}
	listen(kind, "change", func(js.Value) {
		k := degrade.Kind(kind.Get("value").String())
		b.do(func() error { return f.SetKind(k) })
	})
	b.number("face-severity", "input", f.SetSeverity)
	b.seed("face-seed", f.SetSeed)
	click("face-new-seed", func() { b.then(b.newFaceDamage) })
	click("another-face", func() { b.then(f.Another) })
	click("face-undo", func() { b.then(f.Undo) })
	click("face-redo", func() { b.then(f.Redo) })
	click("face-clear", func() { b.then(f.Unpaint) })
	click("face-retry", func() { b.then(f.Retry) })
	b.seed("face-grow-seed", f.SetGrowSeed)
	click("face-new-grow", func() { b.then(b.newFaces) })
	click("face-take", func() { b.do(f.TakeGrown) })
	brush := id("face-brush")
	b.span("face-brush", faces.MinBrush, faces.MaxBrush, 1)
	brush.Set("value", firstBrush)
	says := func() { b.text("face-brush-value", brush.Get("value").String()+" %") }
	says()
	listen(brush, "input", func(js.Value) { says() })
	for _, d := range link.FaceDials() {
		switch d.Parameter {
		case link.Trust, link.Local, link.Keep, link.Rounds:
			b.number(string(d.Parameter), "input", func(v float64) error { return b.app.Dials().Set(d.Parameter, v) })
		}
	}
	file := id("file")
	click("face-bring", func() { file.Call("click") })
	b.photos()
	b.painter(id("face-pad"))
	grid := id("face-grid")
	const side = 3 // link.GrownFaces of them
	listen(grid, "click", func(e js.Value) {
		x, y, _ := within(grid, e, side)
		cell := func(t float64) int { return min(max(int(t), 0), side-1) }
		b.do(func() error { return f.Choose(cell(y)*side + cell(x)) })
	})
	listen(grid, "keydown", func(e js.Value) {
		dx, dy, ok := arrow(e)
		if !ok {
			return
		}
		e.Call("preventDefault")
		e.Call("stopPropagation")
		b.do(func() error {
			at := b.app.State.Faces.Selected
			if b.app.State.Faces.Task == link.Pass {
				at = b.app.State.Faces.To
			}
			x, y := min(max(at%side+dx, 0), side-1), min(max(at/side+dy, 0), side-1)
			return f.Choose(y*side + x)
		})
	})
	return controls{publish: b.publishFaces, next: func() error {
		if b.app.State.Faces.Task == link.Heal {
			f.Another()
		} else {
			b.newFaces()
		}
		return nil
	}}
}

func (b *Bridge) newFaceDamage() { b.app.Faces.SetSeed((b.app.State.Faces.Seed + 1) & link.MaxSeed) }

func (b *Bridge) newFaces() { b.app.Faces.SetGrowSeed((b.app.State.Faces.GrowSeed + 1) & link.MaxSeed) }

// painter paints with mouse, pen or finger, one at a time.
func (b *Bridge) painter(pad js.Value) {
	f, h := b.app.Faces, &hand{}
	listen(pad, "pointerdown", func(e js.Value) {
		ok, over := h.down(e)
		if !ok {
			return
		}
		e.Call("preventDefault")
		if over {
			b.then(f.PenCancel)
		}
		capture(pad, h.id)
		x, y, _ := within(pad, e, 1)
		name := one(`input[name="face-tool"]:checked`).Get("value").String()
		color := id("face-color").Get("value").String()
		size := id("face-brush").Get("valueAsNumber").Float()
		b.do(func() error {
			tool, err := faces.ParseTool(name)
			if err != nil {
				return err
			}
			c, err := palette.ParseColor(color)
			if err != nil {
				return err
			}
			f.PenDown(tool, [3]byte{c.R, c.G, c.B}, size, x, y)
			return nil
		})
	})
	listen(pad, "pointermove", func(e js.Value) {
		if !h.is(e) {
			return
		}
		for _, e := range coalesced(e) {
			x, y, _ := within(pad, e, 1)
			b.then(func() { f.PenMove(x, y) })
		}
	})
	up := func(e js.Value) {
		if h.up(e) {
			b.then(f.PenUp)
		}
	}
	listen(pad, "pointerup", up)
	listen(pad, "pointercancel", up)
}

// publishFaces says what Faces shows.
func (b *Bridge) publishFaces(r room.Readout) {
	s, res := &b.app.State.Faces, b.app.Faces.Result()
	heal := s.Task == link.Heal
	b.value("face-model", s.Model)
	for _, t := range link.FaceTasks() {
		checked("task-"+string(t), s.Task == t)
	}
	b.prop("face-wait", "hidden", res.Ready)
	if !res.Ready {
		b.prop("face-wait-bar", "value", res.Share)
		b.prop("face-wait-bar", "hidden", res.Failed != "")
		b.prop("face-retry", "hidden", res.Failed == "")
		words := map[bool]string{true: "Fetching the model of faces", false: "The model did not come"}[res.Failed == ""]
		b.text("face-wait-text", b.ofPictures(words))
		b.text("face-wait-detail", res.Failed)
	}
	if b.prop("face-heal-pictures", "hidden", !heal) {
		b.prop("face-grow-pictures", "hidden", heal)
		for class, off := range map[string]bool{".of-heal": !heal, ".of-grow": heal} {
			for _, el := range all(class) {
				el.Set("hidden", off)
			}
		}
		b.measure()
	}
	if b.prop("face-where", "hidden", !heal || !res.Local) {
		b.measure()
	}
	if b.prop("face-rivals", "hidden", !res.Rivals) {
		b.prop("face-row-dae", "hidden", !res.Rivals)
		b.prop("face-row-ldm", "hidden", !res.Rivals)
		b.measure()
	}
	b.prop("trust-field", "hidden", !heal || !res.Skips)
	b.prop("local-field", "hidden", !heal || !res.Local)
	b.prop("keep-field", "hidden", !heal || !res.Local)
	b.prop("rounds-field", "hidden", !heal)
	switch {
	case res.Photo:
		b.text("face-original-note", "yours, stays here")
	default:
		note := fmt.Sprintf("of nobody, no. %d", s.Face)
		if !b.app.OfFaces() {
			note = fmt.Sprintf("of the model’s own, no. %d", s.Face)
		}
		b.text("face-original-note", note)
	}
	b.enable("face-undo", res.Undo)
	b.enable("face-redo", res.Redo)
	b.enable("face-clear", res.Strokes > 0)
	i := link.Find(s.Kind)
	b.value("face-kind", string(s.Kind))
	b.prop("face-severity-field", "hidden", s.Kind == link.None)
	b.prop("face-seed-field", "hidden", s.Kind == link.None)
	if s.Kind != link.None {
		b.span("face-severity", i.Min, i.Max, i.Step)
		b.value("face-severity", strconv.FormatFloat(s.Severity, 'g', -1, 64))
		b.text("face-severity-label", capital(i.Unit))
		b.text("face-severity-value", inSteps(s.Severity, i.Step))
	}
	b.value("face-seed", strconv.FormatUint(s.Seed, 10))
	for name, v := range map[string]*faces.Score{"before": res.Before, "after": res.After, "dae": res.DAE, "ldm": res.LDM} {
		ssim, mse := "–", "–"
		if v != nil {
			ssim, mse = fmt.Sprintf("%.2f", v.SSIM), fmt.Sprintf("%.4f", v.MSE)
		}
		b.text("face-ssim-"+name, ssim)
		b.text("face-mse-"+name, mse)
	}
	b.value("face-grow-seed", strconv.FormatUint(s.GrowSeed, 10))
	b.text("face-grid-note", b.ofPictures(fmt.Sprintf("%d faces, seed %d", link.GrownFaces, s.GrowSeed)))
	title, note, hint := fmt.Sprintf("Face %d", s.Selected+1), fmt.Sprintf("D = %.2f", r.Shown), "Click a face to see how it grew."
	if s.Task == link.Pass {
		title, note = "Walk", fmt.Sprintf("from %d to %d", s.Selected+1, s.To+1)
		hint = "Click the face to walk to. Where it starts, Generate says."
	}
	b.text("face-large-title", b.ofPictures(title))
	b.text("face-large-note", note)
	b.text("face-grow-hint", b.ofPictures(hint))
	b.prop("face-take", "hidden", s.Task != link.Grow)
}

// photo is the picture in the dialog.
type photo struct {
	picture *faces.Photo // nil while the camera runs
	marks   []faces.Point
	stream  js.Value // of the camera, undefined if it is off
}

// photos wires the dialog in which a picture is taken, and its eyes are marked.
func (b *Bridge) photos() {
	canvas := id("photo-canvas")
	listen(canvas, "click", func(e js.Value) {
		p := b.photo.picture
		if p == nil {
			return
		}
		x, y, _ := within(canvas, e, 1)
		if len(b.photo.marks) == 2 {
			b.photo.marks = nil
		}
		b.photo.marks = append(b.photo.marks, faces.Point{X: x * float64(p.W), Y: y * float64(p.H)})
		b.showPhoto()
	})
	click("face-camera", b.camera)
	click("photo-shoot", b.shoot)
	click("photo-take", func() {
		p, marks := b.photo.picture, b.photo.marks
		if p == nil || len(marks) == 1 {
			return
		}
		b.do(func() error {
			if err := b.app.Faces.TakePhoto(p, marks); err != nil {
				return errors.New(capital(err.Error()))
			}
			b.closePhoto()
			return nil
		})
	})
	click("photo-drop", b.closePhoto)
	dialog := id("photo")
	listen(dialog, "close", func(js.Value) { b.closePhoto() })
	listen(dialog, "click", func(e js.Value) { // beside it, on the backdrop
		if e.Get("target").Equal(dialog) {
			b.closePhoto()
		}
	})
}

// closePhoto forgets the picture in the dialog, and switches the camera off.
func (b *Bridge) closePhoto() {
	b.cameraOff()
	b.photo = photo{}
	if dialog := id("photo"); dialog.Get("open").Bool() {
		dialog.Call("close")
	}
}

func (b *Bridge) cameraOff() {
	if !b.photo.stream.Truthy() {
		return
	}
	_ = attempt(func() {
		tracks := b.photo.stream.Call("getTracks")
		for i := range tracks.Length() {
			tracks.Index(i).Call("stop")
		}
	})
	id("photo-video").Set("srcObject", js.Null())
	b.photo.stream = js.Undefined()
}

// offerPhoto shows a picture in the dialog.
func (b *Bridge) offerPhoto(rgba []byte, w, h int) {
	b.cameraOff()
	b.photo = photo{picture: &faces.Photo{W: w, H: h, RGBA: rgba}}
	b.showPhoto()
}

// showPhoto shows the dialog as it is: the camera, or the picture with its marks.
func (b *Bridge) showPhoto() {
	p, live := b.photo.picture, b.photo.stream.Truthy()
	b.prop("photo-video", "hidden", !live)
	b.prop("photo-shoot", "hidden", !live)
	b.prop("photo-canvas", "hidden", live)
	b.prop("photo-take", "hidden", live)
	words := "Tap on both eyes, so that the face lies as those the network learned from. Without marks the middle of the picture is used. It stays in this page."
	if !b.app.OfFaces() {
		words = "The square in the middle of the picture is used. It stays in this page."
	}
	switch {
	case live:
		words = "Look into the camera. The picture stays in this page."
	case len(b.photo.marks) == 1:
		words = "Now the other eye."
	case len(b.photo.marks) == 2:
		words = "Both eyes are marked. Tap again to mark them anew."
	}
	b.text("photo-words", words)
	b.text("photo-take", map[bool]string{true: "Use it", false: "Use the middle"}[len(b.photo.marks) == 2])
	b.enable("photo-take", len(b.photo.marks) != 1)
	if p != nil {
		show("photo-canvas", p.RGBA, p.W, p.H)
		c := id("photo-canvas").Call("getContext", "2d")
		r := float64(max(p.W, p.H)) / 40
		for _, m := range b.photo.marks {
			if !c.Truthy() {
				break
			}
			for _, line := range []struct {
				color string
				width float64
			}{{"#000", r / 2}, {"#fff", r / 4}} {
				c.Set("strokeStyle", line.color)
				c.Set("lineWidth", line.width)
				c.Call("beginPath")
				c.Call("arc", m.X, m.Y, r, 0, 7)
				c.Call("stroke")
			}
		}
	}
	if dialog := id("photo"); !dialog.Get("open").Bool() {
		dialog.Call("showModal")
	}
}

// camera asks for the camera, and shows what it sees.
func (b *Bridge) camera() {
	devices := window.Get("navigator").Get("mediaDevices")
	if !devices.Truthy() || !devices.Get("getUserMedia").Truthy() {
		b.say("This browser gives the page no camera: it does so on secure pages alone. Open a picture instead.")
		return
	}
	want := map[string]any{"audio": false, "video": map[string]any{"facingMode": "user"}}
	await(devices.Call("getUserMedia", want), func(stream js.Value) {
		b.closePhoto()
		b.photo.stream = stream
		id("photo-video").Set("srcObject", stream)
		b.showPhoto()
	}, func(err js.Value) {
		switch err.Get("name").String() {
		case "NotAllowedError", "SecurityError":
			b.say("The camera is not allowed here: allow it in the browser's settings of this page, or open a picture instead.")
		case "NotFoundError", "OverconstrainedError":
			b.say("There is no camera: open a picture instead.")
		default:
			b.say("The camera cannot be used now; another program may have it. Open a picture instead.")
		}
	})
}

// shoot takes what the camera sees as the picture. It is shown as in a mirror, and taken as
// others see it.
func (b *Bridge) shoot() {
	video := id("photo-video")
	if video.Get("videoWidth").Int() == 0 {
		return // it shows nothing yet
	}
	b.decode(video, func(js.Value) { b.say("The camera gave no picture: try again, or open one.") })
}
