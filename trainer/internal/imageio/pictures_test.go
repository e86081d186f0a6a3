package imageio

import (
	"bytes"
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/center"
	"mppm/shared/center/centertest"
	"mppm/shared/ink"
	"mppm/shared/rng"
)

// MNIST-like ink: an oblique bar of 20 pixels, in the middle of 28 × 28.
func bar() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, Side, Side))
	for y := 4; y < 24; y++ {
		for x := range 3 {
			img.SetGray(16-(y-4)/5+x-1, y, color.Gray{[]byte{120, 255, 130}[x]})
		}
	}
	return img
}

// TestPictures: what a PNG becomes, by the rule of package center, and what is said
// of it.
func TestPictures(t *testing.T) {
	own := bar()
	negative, clear, red := image.NewGray(own.Rect), image.NewNRGBA(own.Rect), image.NewNRGBA(own.Rect)
	for i, v := range own.Pix {
		negative.Pix[i] = 255 - v
		clear.Pix[4*i+3] = v
		red.SetNRGBA(i%Side, i/Side, color.NRGBA{v, 0, 0, 255})
	}
	r := rng.New(1, 0)
	page := centertest.Scene{W: 300, H: 240, Size: 0.7, X: 0.5, Y: 0.5, Paper: 0.95, Pen: 0.1}
	photo := page.Draw(centertest.Written(4, 0.08, r), r)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		img  image.Image
		o    center.Options
		same bool // to the bit
		note string
	}{
		"as MNIST's":      {own, center.Options{}, true, ""},
		"negative":        {negative, center.Options{}, true, ": inverted"},
		"transparent":     {clear, center.Options{}, true, ": transparency taken as paper, inverted"},
		"red":             {red, center.Options{}, false, ": color made gray, centered"},
		"photograph":      {photo, center.Options{}, false, ": inverted, centered"},
		"left alone":      {own, center.Options{Center: center.Never}, true, ""},
		"left, dark ink":  {negative, center.Options{Center: center.Never, Options: ink.Options{Ink: ink.Dark}}, true, ": inverted"},
		"always centered": {own, center.Options{Center: center.Always}, false, ": centered"},
	} {
		im, err := Read(put(t, filepath.Join(dir, "x.png"), pngOf(t, c.img)), nil, c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if same := bytes.Equal(im.Pixels, own.Pix); same != c.same {
			t.Errorf("%s: the same to the bit is %v", name, same)
		}
		notes := strings.Join(im.Notes, "\n")
		if c.note == "" && notes != "" || !strings.HasSuffix(notes, c.note) {
			t.Errorf("%s: notes %q", name, notes)
		}
		bright := 0
		for _, v := range im.Pixels {
			if v > 200 {
				bright++
			}
		}
		if bright == 0 || bright > 200 {
			t.Errorf("%s: %d pixels are bright", name, bright)
		}
	}
	// One note for each thing that was done, in a folder of many.
	many := t.TempDir()
	for i, img := range []image.Image{own, negative, negative, photo} {
		put(t, filepath.Join(many, string(rune('a'+i))+".png"), pngOf(t, img))
	}
	im, err := Read(many, nil, center.Options{})
	if err != nil || len(im.Notes) != 2 || !strings.Contains(im.Notes[0], "2 of 4 images are") || !strings.Contains(im.Notes[1], "1 of 4 images is") {
		t.Errorf("notes %q, %v", im.Notes, err)
	}
	empty := put(t, filepath.Join(many, "e.png"), pngOf(t, page.Draw(func(u, v float64) float64 { return 0 }, r)))
	if _, err := Read(many, nil, center.Options{}); err == nil || !strings.Contains(err.Error(), empty+": the page is empty") || !strings.Contains(err.Error(), "--center never") {
		t.Errorf("an empty page: %v", err)
	}
}

// FuzzPicture: any bytes, and any pixels of any size, become whole digits or an
// error.
func FuzzPicture(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n"), uint8(0), uint8(0))
	f.Add(bar().Pix, uint8(Side), uint8(0))
	f.Add(bar().Pix, uint8(7), uint8(4))
	f.Fuzz(func(t *testing.T, b []byte, w, how uint8) {
		if w > 0 {
			n := len(b) / int(w)
			if n == 0 {
				return
			}
			b = pngOf(t, grayOf(b[:n*int(w)], int(w), n))
		}
		o := center.Options{Center: center.Ways()[how%3], Options: ink.Options{Ink: ink.Kinds()[how/3%3]}}
		im, err := Read(Stream, bytes.NewReader(b), o)
		if err == nil && (im.N == 0 || len(im.Pixels) != im.N*Pixels || len(im.Names) != im.N) {
			t.Fatalf("%d images, %d bytes, %d names", im.N, len(im.Pixels), len(im.Names))
		}
	})
}
