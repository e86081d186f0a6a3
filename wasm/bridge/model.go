//go:build js && wasm

package bridge

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app"
	"mppm/wasm/app/model"
)

// ownModels wires the ways to open a model of one's own, and the way back.
func (b *Bridge) ownModels() {
	file := id("model-file")
	id("open-model").Set("disabled", false)
	click("open-model", func() { file.Call("click") })
	listen(file, "change", func(js.Value) {
		files := listOf(file.Get("files"))
		file.Set("value", "") // the same file may be chosen again
		b.openModel(files)
	})
	click("opened-back", func() {
		b.then(b.app.Back)
		id("work").Call("focus") // the button goes
	})
}

// listOf returns the items of a list.
func listOf(list js.Value) []js.Value {
	out := make([]js.Value, list.Length())
	for i := range out {
		out[i] = list.Index(i)
	}
	return out
}

// modelsOf returns those of some files that have the names of models.
func modelsOf(files []js.Value) (models []js.Value) {
	for _, f := range files {
		if app.IsModel(f.Get("name").String()) {
			models = append(models, f)
		}
	}
	return models
}

// openModel shows the model that some files hold, once they are read.
func (b *Bridge) openModel(files []js.Value) {
	read := make([]app.ModelFile, len(files))
	left := len(files)
	for i, f := range files {
		name := f.Get("name").String()
		if size := f.Get("size").Float(); size > app.MaxModelBytes {
			b.say(fmt.Sprintf("%q is not opened: it has %.0f MB, and the page takes models of up to %d.", name, size/1e6, app.MaxModelBytes/1_000_000))
			return
		}
		await(f.Call("arrayBuffer"), func(buffer js.Value) {
			read[i] = app.ModelFile{Name: name, File: file{window.Get("Uint8Array").New(buffer)}}
			if left--; left == 0 {
				b.do(func() error { return b.use(read) })
			}
		}, func(js.Value) { b.say(name + " cannot be read: is it still where it was?") })
	}
}

// use shows the model that files hold.
func (b *Bridge) use(files []app.ModelFile) error {
	m, err := b.app.Read(files)
	if err != nil {
		return errors.New(capital(err.Error()) + ".")
	}
	return b.app.Use(m)
}

// static is a text of the page about digits or faces, as it was at first and as it is now.
type static struct {
	first, now string
	read       func() string
	write      func(string)
}

// staticTexts finds the texts of the page that are about digits or faces.
func staticTexts() (list []static) {
	add := func(text string, read func() string, write func(string)) {
		if low := strings.ToLower(text); strings.Contains(low, "digit") || strings.Contains(low, "face") {
			list = append(list, static{text, text, read, write})
		}
	}
	const textNodes = 4
	walk := document.Call("createTreeWalker", document.Get("body"), textNodes)
	for n := walk.Call("nextNode"); n.Truthy(); n = walk.Call("nextNode") {
		read := func() string { return n.Get("data").String() }
		add(read(), read, func(s string) { n.Set("data", s) })
	}
	for _, name := range []string{"aria-label", "title", "aria-roledescription"} {
		for _, el := range all("body [" + name + "]") {
			read := func() string { return el.Call("getAttribute", name).String() }
			add(read(), read, func(s string) { el.Call("setAttribute", name, s) })
		}
	}
	return list
}

// tell has the page speak of the model that is shown, where that is another one.
func (b *Bridge) tell() {
	now := told{b.app.Links, b.app.Reads(), b.app.Compares(), b.app.OfFaces()}
	if was := b.told; now != was {
		b.told = now
		b.retell()
		if was.links != nil { // at first it is done anyway
			b.marks()
			b.measure()
		}
	}
}

// told is of what the page speaks: what links are about is another value for every model
// that is opened.
type told struct {
	links                    *link.Page
	reads, compares, ofFaces bool
}

// retell has the page speak of what the model's images are, with the names of its
// classes, and show what it has for it.
func (b *Bridge) retell() {
	about := b.app.About
	if b.statics == nil && !(about.Digits && b.app.OfFaces()) {
		b.statics = staticTexts()
	}
	for i := range b.statics {
		t := &b.statics[i]
		if says := b.ofPictures(about.Say(t.first)); says != t.now && t.read() == t.now { // else somebody else writes it
			t.write(says)
			t.now = says
		}
	}
	for _, el := range all("[data-of]") {
		el.Set("hidden", (el.Get("dataset").Get("of").String() == "digits") != about.Digits)
	}
	latent := b.app.Engine.Latent()
	for _, el := range all("[data-count]") {
		n := map[string]int{"latent": latent, "hidden": max(latent-2, 0)}[el.Get("dataset").Get("count").String()]
		el.Set("textContent", strconv.Itoa(n))
	}
	for class, off := range map[string]bool{".of-rival": !b.app.Compares(), ".of-reader": !b.app.Reads()} {
		for _, el := range all(class) {
			el.Set("hidden", off)
		}
	}
	id("rivals").Set("hidden", !b.app.Compares())
	modes := b.app.Links.Modes()
	for _, m := range []link.Mode{link.Restore, link.Generate, link.Map, link.Manifold, link.Faces} {
		id("tab-"+string(m)).Set("hidden", !slices.Contains(modes, m))
	}
	b.classes()
	b.faceModels()
	b.text("opened-words", b.app.Words())
	b.prop("opened", "hidden", !b.app.Opened())
	b.text("opened-back", b.app.OwnWords())
	image := b.app.Engine.Image()
	size := fmt.Sprintf("%d × %d", image.W, image.H)
	if about.Digits {
		size += ", as MNIST"
	}
	b.text("offer-size", size)
	b.prop("offer-center-field", "hidden", !about.Digits)
	b.prop("offer-threshold-field", "hidden", !about.Digits)
}

// ofPictures puts a text about faces into the words for what Faces shows.
func (b *Bridge) ofPictures(text string) string {
	if b.app.OfFaces() {
		return text
	}
	return model.Pictures(text)
}

// faceModels fills the list of the models that Faces can show.
func (b *Bridge) faceModels() {
	choice := id("face-model")
	choice.Set("textContent", "")
	list := listOf(window.Get("mppm").Get("faces"))
	for _, m := range list {
		choice.Call("append", option(m.Get("name").String(), m.Get("label").String()))
	}
	n := len(list)
	if as, name := b.app.Pictured(); as != "" {
		choice.Call("append", option(as, name))
		n++
	}
	id("face-model-field").Set("hidden", n < 2)
}

// classes fills the lists of classes.
func (b *Bridge) classes() {
	about := b.app.About
	choice, key := id("class"), id("classes")
	for choice.Get("length").Int() > 1 { // the first is all of them
		choice.Call("remove", 1)
	}
	key.Set("textContent", "")
	for i := range about.Classes {
		name := about.Class(i)
		if about.Digits {
			choice.Call("append", option(strconv.Itoa(i), name+"s"))
		} else {
			choice.Call("append", option(strconv.Itoa(i), name))
		}
		item := document.Call("createElement", "li")
		item.Set("textContent", name)
		item.Set("id", classKey(i))
		gone := document.Call("createElement", "span")
		gone.Set("id", classKey(i)+"-gone")
		gone.Set("className", "quiet")
		item.Call("append", gone)
		b.renew(classKey(i))
		b.renew(classKey(i) + "-gone")
		key.Call("append", item)
	}
	key.Call("setAttribute", "data-names", strconv.FormatBool(about.Names != nil && !about.Digits))
	id("class-field").Set("hidden", about.Classes == 0)
	b.withoutButtons()
}

// colors is how many colors of classes the style sheet has.
const colors = 10
