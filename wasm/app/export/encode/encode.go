// Package encode makes files of what package export has.
package encode

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"time"

	"mppm/wasm/app/export"
	"mppm/wasm/app/timeline"
)

// File is a file that the page gives to the user.
type File struct {
	Name string
	Type string // MIME
	Data []byte
}

// Picture returns what is shown now as a PNG. The name is without its ending.
func Picture(a export.Album, name string) (File, error) { return asPNG(name, a.Picture()) }

// Strip returns every step, side by side, as a PNG.
func Strip(a export.Album, name string) (File, error) { return asPNG(name, a.Strip()) }

// Animation returns every step as a GIF.
func Animation(a export.Film, name string) (File, error) {
	const unit = 10 * time.Millisecond
	g := &gif.GIF{Image: a.Frames()}
	for k := range g.Image {
		delay := timeline.Beat
		if k == 0 || k == len(g.Image)-1 {
			delay = 4 * timeline.Hold
		}
		g.Delay = append(g.Delay, int(delay/unit))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		return File{}, fmt.Errorf("the animation cannot be written: %w", err)
	}
	return File{Name: name + ".gif", Type: "image/gif", Data: b.Bytes()}, nil
}

func asPNG(name string, img image.Image) (File, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return File{}, fmt.Errorf("the picture cannot be written: %w", err)
	}
	return File{Name: name + ".png", Type: "image/png", Data: b.Bytes()}, nil
}
