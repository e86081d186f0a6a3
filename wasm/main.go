//go:build js && wasm

// Command wasm is the program of the page: it takes the files that the loader
// fetched, and runs until the page is closed.
package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	"github.com/hajimehoshi/ebiten/v2"

	"mppm/shared/classifier"
	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/wasm/app"
	"mppm/wasm/app/compute"
	"mppm/wasm/app/model"
	"mppm/wasm/app/restore"
	"mppm/wasm/bridge"
	"mppm/wasm/view"
)

// batch is how many images are computed at a time.
const batch = 16

func main() {
	js.Global().Get("mppm").Call("fail", run().Error())
	select {} // keep the program, and so the message
}

// run runs the page, and returns why it is over, which it is not meant to be.
func run() error {
	page := js.Global().Get("mppm")
	if !page.Truthy() {
		return errors.New("the loader did not start this program")
	}
	weights, err := take(page, "weights")
	if err != nil {
		return err
	}
	m, err := latent.Load(weights)
	if err != nil {
		return err
	}
	shown := app.Model{
		About: model.Describe(m), Engine: model.NewEngine(m, batch), Restore: m.Restore, Generate: m.Generate,
		Reads: page.Get("reads").Truthy(), Rivals: page.Get("rivals").Truthy(), Data: page.Get("samples").String(),
	}
	if err := beside(page, m, &shown); err != nil {
		return err
	}
	a, err := app.New(shown, app.Faces{
		Models: faceModels(page),
		Fetch:  func(name string) { page.Call("want", name) },
	})
	if err != nil {
		return err
	}
	b, err := bridge.New(a, simd)
	if err != nil {
		return err
	}
	for _, name := range []string{compute.Digits, compute.Classifier} {
		if file := page.Get("files").Get(name); file.Truthy() {
			b.BringOwn(name, file)
		}
	}
	if since := page.Get("since"); since.Type() == js.TypeNumber { // the first restoration plays, drawn by an engine
		ago := js.Global().Get("performance").Call("now").Float() - since.Float()
		a.Restore.Began(time.Duration(ago * float64(time.Millisecond)))
	}
	page.Set("late", js.FuncOf(func(_ js.Value, args []js.Value) any {
		name, file := args[0].String(), args[1]
		b.Do(func() error { return late(a, b, name, file) })
		return nil
	}))
	page.Set("progress", js.FuncOf(func(_ js.Value, args []js.Value) any {
		name, share := args[0].String(), args[1].Float()
		b.Do(func() error { a.Faces.Progress(name, share); return nil })
		return nil
	}))
	ebiten.SetScreenClearedEveryFrame(false)
	ebiten.SetTPS(ebiten.SyncWithFPS)
	err = ebiten.RunGameWithOptions(&game{View: b.View(), app: a, page: page}, &ebiten.RunGameOptions{
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
	app   *app.App
	page  js.Value
	ready bool
}

func (g *game) Draw(screen *ebiten.Image) {
	g.View.Draw(screen)
	// Where the first restoration is shown already, it is only replaced by all of it.
	if !g.ready && g.View.Drawn() && (g.page.Get("since").IsUndefined() || !g.app.Room().Subject().Busy()) {
		g.ready = true
		// Ebitengine has made the page's background see-through.
		js.Global().Get("document").Get("body").Call("removeAttribute", "style")
		g.page.Call("ready")
	}
}

// late takes what the loader fetches once the page is there: the classifier, the curves,
// the baselines, and what is wanted of the models of faces. In the place of a file it may give an error's
// text.
func late(a *app.App, b *bridge.Bridge, name string, file js.Value) error {
	err := error(nil)
	if file.Type() == js.TypeString {
		err = errors.New(file.String())
	}
	bring := func(name string) {
		if err == nil {
			b.Bring(name, file)
		}
	}
	if name == compute.Classifier {
		if err != nil {
			return fmt.Errorf("what reads images is missing: %w", err)
		}
		b.BringOwn(name, file)
		a.Readable()
		return nil
	}
	if name == compute.OfBaselines {
		if err != nil {
			return fmt.Errorf("the models to compare with are missing: %w", err)
		}
		b.BringOwn(name, file)
		a.RivalsCame()
		return nil
	}
	if model, ok := strings.CutPrefix(name, compute.OfFaces); ok {
		bring(name)
		a.Faces.Arrive(model, err)
		return nil // shown where the faces would be
	}
	if model, ok := strings.CutPrefix(name, compute.OfFaceRivals); ok {
		if err != nil {
			return fmt.Errorf("the models to compare faces with: %w", err)
		}
		bring(name)
		a.Faces.ArriveRivals(model)
		return nil
	}
	if err != nil {
		err = fmt.Errorf("the curve is missing: %w", err)
	}
	bring(compute.OfCurve + name)
	a.Manifold.Arrive(link.Curve(name), err)
	return nil // shown where the curve would be
}

// faceModels lists the models of faces that the page can fetch.
func faceModels(page js.Value) (names []string) {
	list := page.Get("faces")
	for i := range list.Length() {
		names = append(names, list.Index(i).Get("name").String())
	}
	return names
}

// beside takes what the page has beside the model's weights: clean images to begin with,
// and a classifier where the page has it from the start, as one that names the classes.
func beside(page js.Value, m *latent.Model, shown *app.Model) error {
	if page.Get("files").Get("classifier").Truthy() {
		b, err := take(page, "classifier")
		if err != nil {
			return err
		}
		c, err := classifier.Load(b)
		if err != nil {
			return err
		}
		if shown.Reader = c.Runner(batch); shown.Names == nil {
			shown.Names = c.Names()
		}
		shown.Classes = max(shown.Classes, c.Classes())
	}
	images, err := take(page, "images")
	if err != nil {
		return err
	}
	labels, err := take(page, "labels")
	if err != nil {
		return err
	}
	shown.Samples, err = restore.ParseDigits(images, labels, m.Image(), shown.Classes)
	return err
}

// take copies one of the files that the loader fetched.
func take(page js.Value, name string) ([]byte, error) {
	file := page.Get("files").Get(name)
	if !file.Truthy() {
		return nil, fmt.Errorf("the loader did not fetch the file %q", name)
	}
	return bridge.BytesOf(file), nil
}
