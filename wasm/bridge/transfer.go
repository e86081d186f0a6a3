//go:build js && wasm

package bridge

import (
	"errors"
	"syscall/js"

	"mppm/wasm/app"
)

// transfers wires pasting and dropping pictures.
func (b *Bridge) transfers() {
	listen(window, "paste", func(e js.Value) {
		if !typed(e.Get("target")) { // which takes text
			b.transfer(e, e.Get("clipboardData"))
		}
	})
	listen(window, "dragover", func(e js.Value) { e.Call("preventDefault") })
	listen(window, "drop", func(e js.Value) {
		e.Call("preventDefault")
		b.transfer(e, e.Get("dataTransfer"))
	})
}

// transfer takes the first picture of what is pasted or dropped, or says why not.
func (b *Bridge) transfer(e, data js.Value) {
	if !data.Truthy() {
		return
	}
	e.Call("preventDefault")
	files := filesOf(data)
	if models := modelsOf(files); len(models) > 0 {
		b.openModel(models)
		return
	}
	t := app.Transfer{
		Image: firstImage(text(data, "text/html")),
		URIs:  text(data, "text/uri-list"),
		Text:  text(data, "text/plain"),
	}
	for _, f := range files {
		t.Files = append(t.Files, app.TransferFile{Name: f.Get("name").String(), Type: f.Get("type").String()})
	}
	sources, err := t.Images(window.Get("location").Get("origin").String())
	if err != nil {
		b.do(func() error { return errors.New(capital(err.Error())) })
		return
	}
	b.takeFirst(files, sources)
}

// takeFirst offers the first of some sources that the browser can read.
func (b *Bridge) takeFirst(files []js.Value, sources []app.Candidate) {
	next := func(js.Value) {
		if len(sources) > 1 {
			b.takeFirst(files, sources[1:])
			return
		}
		b.noImage()
	}
	take := func(blob js.Value) { b.decode(blob, next) }
	switch s := sources[0]; {
	case s.File >= 0:
		take(files[s.File])
	case s.URL != "":
		await(window.Call("fetch", s.URL), func(response js.Value) {
			await(response.Call("blob"), take, next)
		}, next)
	default:
		array := window.Get("Uint8Array").New(len(s.Data))
		js.CopyBytesToJS(array, s.Data)
		take(window.Get("Blob").New([]any{array}))
	}
}

// filesOf returns the files of what is pasted or dropped. Some browsers list what
// was copied as an item alone.
func filesOf(data js.Value) (files []js.Value) {
	if list := data.Get("files"); list.Truthy() {
		files = listOf(list)
	}
	if items := data.Get("items"); len(files) == 0 && items.Truthy() {
		for i := range items.Length() {
			if item := items.Index(i); item.Get("kind").String() == "file" {
				if f := item.Call("getAsFile"); f.Truthy() {
					files = append(files, f)
				}
			}
		}
	}
	return files
}

// text returns what is pasted or dropped as text of a type, empty if there is none.
func text(data js.Value, kind string) (s string) {
	_ = attempt(func() { s = data.Call("getData", kind).String() })
	return s
}

// firstImage returns the address of the first picture in a page, which is neither
// shown nor run.
func firstImage(html string) (address string) {
	if html == "" {
		return ""
	}
	_ = attempt(func() {
		// Styles within the page, as every copied selection has them, break the policy
		// of this one, even where they are parsed alone.
		styles := window.Get("RegExp").New(`<style[\s\S]*?(</style>|$)|\sstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]*)`, "gi")
		plain := window.Get("String").New(html).Call("replace", styles, "")
		page := window.Get("DOMParser").New().Call("parseFromString", plain, "text/html")
		if img := page.Call("querySelector", "img[src]"); img.Truthy() {
			address = img.Call("getAttribute", "src").String()
		}
	})
	return address
}
