//go:build js && wasm

package bridge

import (
	"syscall/js"

	"mppm/wasm/app/export/encode"
	"mppm/wasm/app/palette"
)

// exports wires the buttons that save what is shown.
func (b *Bridge) exports() {
	for name, make := range map[string]func(*palette.Palette) (encode.File, error){
		"save-picture": b.app.ExportPicture, "save-strip": b.app.ExportStrip, "save-animation": b.app.ExportAnimation,
	} {
		click(name, func() {
			b.do(func() error {
				f, err := make(&b.palette)
				if err != nil {
					return err
				}
				download(f)
				return nil
			})
		})
	}
}

// keepFor is how long a file is there for the browser to take, in milliseconds.
const keepFor = 60_000

// download gives a file to the user.
func download(f encode.File) {
	data := window.Get("Uint8Array").New(len(f.Data))
	js.CopyBytesToJS(data, f.Data)
	blob := window.Get("Blob").New([]any{data}, map[string]any{"type": f.Type})
	url := window.Get("URL").Call("createObjectURL", blob)
	a := document.Call("createElement", "a")
	a.Set("href", url)
	a.Set("download", f.Name)
	a.Call("click")
	var forget js.Func
	forget = js.FuncOf(func(js.Value, []js.Value) any {
		window.Get("URL").Call("revokeObjectURL", url)
		forget.Release()
		return nil
	})
	window.Call("setTimeout", forget, keepFor)
}
