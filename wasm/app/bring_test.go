package app

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/timeline"
)

// paper is a picture of w × h pixels with a dark bar on a light ground, or the
// other way round.
func paper(w, h int, ink, ground byte) []byte {
	rgba := make([]byte, 4*w*h)
	for i := range w * h {
		v := ground
		if x, y := i%w, i/w; x > w/2 && x <= w/2+max(w/10, 1) && y > h/5 && y < h*4/5 {
			v = ink
		}
		copy(rgba[4*i:], []byte{v, v, v, 255})
	}
	return rgba
}

func TestPicture(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	for name, p := range map[string]struct {
		rgba []byte
		w, h int
	}{
		"dark on light":   {paper(200, 300, 20, 240), 200, 300},
		"light on dark":   {paper(90, 60, 220, 5), 90, 60},
		"nearly as small": {paper(30, 28, 255, 0), 30, 28},
	} {
		must(t, a.OfferPicture(p.rgba, p.w, p.h))
		o := a.Offered().Ink
		if a.original[14*latent.Side+3] > 0.1 {
			t.Fatal("a picture was taken before it was shown")
		}
		// A bar in the middle, from top to bottom of the frame, and nothing beside.
		if o[14*latent.Side+14] < 200 && o[14*latent.Side+13] < 200 || o[14*latent.Side+3] > 20 || o[1*latent.Side+14] > 20 || o[6*latent.Side+13] < 100 && o[6*latent.Side+14] < 100 {
			t.Errorf("%s: the bar is not where MNIST has it", name)
		}
		a.TakeOffer()
		settle(t, a)
		if a.Source != Picture || a.Label() != -1 || a.Offered() != nil || a.Kind != None || a.Original()[14*latent.Side+3] > 0.1 {
			t.Errorf("%s: after taking it: source %q, label %d", name, a.Source, a.Label())
		}
		must(t, a.SetKind("gaussian"))
		b := reopen(t, a)
		if b.Picture != a.Picture {
			t.Errorf("%s: the link brings another picture", name)
		}
	}
	was := a.State
	for name, err := range map[string]error{
		"blank":     a.OfferPicture(paper(40, 40, 200, 200), 40, 40),
		"too large": a.OfferPicture(nil, MaxPictureSide+1, 1),
		"no pixels": a.OfferPicture(nil, 0, 0),
		"too few":   a.OfferPicture(make([]byte, 7), 2, 2),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if a.State != was {
		t.Error("a refusal changed the state")
	}
	must(t, a.OfferPicture(paper(90, 60, 220, 5), 90, 60))
	a.DropOffer()
	if a.TakeOffer(); a.State != was {
		t.Error("a picture that was left was taken")
	}
	// Drawing on a picture starts on an empty pad.
	a.PenDown(14, 14, 1)
	if a.Source != Drawing {
		t.Error("one cannot draw")
	}
}

func TestExports(t *testing.T) {
	p := &palette.Palette{Ground: color.RGBA{1, 2, 3, 255}, Ink: color.RGBA{250, 240, 230, 255}}
	a := newApp(t, &fake{})
	if _, err := a.ExportPicture(p); err == nil {
		t.Error("there is a picture before there is one")
	}
	for _, m := range []Mode{Restore, Generate} {
		must(t, a.SetMode(m))
		settle(t, a)
		f, err := a.ExportPicture(p)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if want := "mppm-" + string(m) + "-picture-step-4.png"; f.Name != want || f.Type != "image/png" {
			t.Errorf("the picture is %q of type %q, want %q", f.Name, f.Type, want)
		}
		// The fake's last image is gray 1/16.
		if r, g, b, _ := img.At(3, 3).RGBA(); byte(r>>8) != p.Ramp()[timeline.Ink(1.0/16)][0] || byte(g>>8) == 0 || byte(b>>8) == 0 {
			t.Errorf("%s: the first pixel is %v", m, img.At(3, 3))
		}
		side := latent.Side * exportLarge
		if m == Generate {
			side = 6*latent.Side*exportSmall + 5*exportGap
		}
		if img.Bounds() != image.Rect(0, 0, side, side) {
			t.Errorf("%s: the picture is %v, want %d along each edge", m, img.Bounds(), side)
		}
		if f, err = a.ExportStrip(p); err != nil {
			t.Fatal(err)
		}
		if img, err = png.Decode(bytes.NewReader(f.Data)); err != nil || img.Bounds().Dx() != 5*latent.Side*exportSmall+4*exportGap {
			t.Errorf("%s: the strip is %v (%v); want five digits side by side", m, img.Bounds(), err)
		}
		if f, err = a.ExportAnimation(p); err != nil {
			t.Fatal(err)
		}
		g, err := gif.DecodeAll(bytes.NewReader(f.Data))
		if err != nil || len(g.Image) != 5 || !strings.HasSuffix(f.Name, ".gif") {
			t.Errorf("%s: the animation has %d pictures (%v), want 5", m, len(g.Image), err)
		}
		if g.Image[0].Bounds().Dx() != side || g.Delay[1] < 10 || g.Delay[0] <= g.Delay[1] {
			t.Errorf("%s: the animation is %v with delays %v", m, g.Image[0].Bounds(), g.Delay)
		}
	}
}
