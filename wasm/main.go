//go:build js && wasm

// Command wasm is the program of the page: it takes the files that the loader
// fetched, and runs until the page is closed.
package main

import (
	"errors"
	"fmt"
	"syscall/js"

	"github.com/hajimehoshi/ebiten/v2"

	"mppm/shared/classifier"
	"mppm/shared/model"
	"mppm/wasm/app"
	"mppm/wasm/bridge"
	"mppm/wasm/view"
)

// batch is how many images are computed at a time.
const batch = 16

func main() {
	if err := run(); err != nil {
		js.Global().Get("mppm").Call("fail", err.Error())
		select {} // keep the program, and so the message
	}
}

func run() error {
	page := js.Global().Get("mppm")
	if !page.Truthy() {
		return errors.New("the loader did not start this program")
	}
	weights, err := take(page, "weights")
	if err != nil {
		return err
	}
	reader, err := take(page, "classifier")
	if err != nil {
		return err
	}
	images, err := take(page, "images")
	if err != nil {
		return err
	}
	labels, err := take(page, "labels")
	if err != nil {
		return err
	}
	m, err := model.Load(weights)
	if err != nil {
		return err
	}
	c, err := classifier.Load(reader)
	if err != nil {
		return err
	}
	digits, err := app.ParseDigits(images, labels)
	if err != nil {
		return err
	}
	a, err := app.New(m.Runner(batch), c.Runner(batch), m.Restore, m.Generate, digits)
	if err != nil {
		return err
	}
	v, err := bridge.New(a, simd)
	if err != nil {
		return err
	}
	ebiten.SetScreenClearedEveryFrame(false)
	ebiten.SetTPS(ebiten.SyncWithFPS)
	err = ebiten.RunGameWithOptions(&game{View: v, page: page}, &ebiten.RunGameOptions{
		InitUnfocused:     true,
		ScreenTransparent: true,
		DisableHiDPI:      true, // the stage counts in the canvas' pixels
		SkipTaskbar:       true,
	})
	if err != nil {
		return fmt.Errorf("drawing failed: %w", err)
	}
	return errors.New("the program ended; reload to start it again")
}

// game shows the page once the first frame is drawn.
type game struct {
	*view.View
	page  js.Value
	ready bool
}

func (g *game) Draw(screen *ebiten.Image) {
	g.View.Draw(screen)
	if !g.ready {
		g.ready = true
		// Ebitengine has made the page's background see-through.
		js.Global().Get("document").Get("body").Call("removeAttribute", "style")
		g.page.Call("ready")
	}
}

// take copies one of the files that the loader fetched.
func take(page js.Value, name string) ([]byte, error) {
	file := page.Get("files").Get(name)
	if !file.Truthy() {
		return nil, fmt.Errorf("the loader did not fetch the file %q", name)
	}
	b := make([]byte, file.Get("length").Int())
	js.CopyBytesToGo(b, file)
	return b, nil
}
