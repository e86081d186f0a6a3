//go:build js && wasm

package bridge

import (
	"errors"
	"math"
	"syscall/js"

	"mppm/shared/link"
	"mppm/wasm/app/faces"
	"mppm/wasm/app/restore"
)

// pictures wires the ways to bring an image: a file, the clipboard, or dropping it
// on the page.
func (b *Bridge) pictures() {
	file := id("file")
	click("bring", func() { file.Call("click") })
	listen(file, "change", func(js.Value) {
		if files := file.Get("files"); files.Get("length").Int() > 0 {
			b.decode(files.Index(0), func(js.Value) { b.noImage() })
		}
		file.Set("value", "") // the same file may be chosen again
	})
	b.transfers()
}

// noImage says that what was brought is no image.
func (b *Bridge) noImage() {
	b.say("This file is no image that the browser can read: try a PNG or a JPEG.")
}

// decode has the browser decode an image file, and offers it to the user. Where it
// cannot, bad is called.
func (b *Bridge) decode(file js.Value, bad func(js.Value)) {
	await(window.Call("createImageBitmap", file), func(bitmap js.Value) {
		w, h := bitmap.Get("width").Float(), bitmap.Get("height").Float()
		largest := float64(restore.MaxPictureSide)
		if b.app.Mode == link.Faces {
			largest = faces.MaxPhotoSide
		}
		scale := min(1, largest/max(w, h))
		cw, ch := max(int(math.Round(w*scale)), 1), max(int(math.Round(h*scale)), 1)
		canvas := document.Call("createElement", "canvas")
		canvas.Set("width", cw)
		canvas.Set("height", ch)
		c := canvas.Call("getContext", "2d")
		if !c.Truthy() {
			bad(js.Undefined())
			return
		}
		c.Set("imageSmoothingQuality", "high")
		c.Call("drawImage", bitmap, 0, 0, cw, ch)
		bitmap.Call("close")
		data := c.Call("getImageData", 0, 0, cw, ch).Get("data")
		rgba := make([]byte, data.Get("length").Int())
		js.CopyBytesToGo(rgba, data)
		b.do(func() error {
			if b.app.Mode == link.Faces {
				b.offerPhoto(rgba, cw, ch)
				return nil
			}
			if err := b.app.Restore.OfferPicture(rgba, cw, ch); err != nil {
				return errors.New("This image cannot be used: " + err.Error())
			}
			return nil
		})
	}, bad)
}
