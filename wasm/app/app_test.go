package app

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"
	"strings"
	"testing"
	"time"

	"mppm/shared/latent"
	"mppm/shared/link"
	"mppm/shared/nn"
	"mppm/wasm/app/export"
	"mppm/wasm/app/palette"
	"mppm/wasm/app/restore"
	"mppm/wasm/app/room/roomtest"
	"mppm/wasm/app/timeline"
)

// theModel is a model with two digits.
func theModel(t *testing.T, e *roomtest.Engine) Model {
	t.Helper()
	return Model{About: roomtest.About, Engine: e, Reader: &roomtest.Reader{}, Restore: roomtest.Preset, Generate: roomtest.Preset, Samples: twoDigits(t)}
}

func newApp(t *testing.T, e *roomtest.Engine) *App {
	t.Helper()
	a, err := New(theModel(t, e), Faces{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// twoDigits are a blank image called 3 and a full one called 8.
func twoDigits(t *testing.T) *restore.Digits {
	t.Helper()
	images, labels := roomtest.Digits(t)
	d, err := restore.ParseDigits(images, labels, nn.Shape{H: roomtest.Side, W: roomtest.Side, C: 1}, 10)
	roomtest.Must(t, err)
	return d
}

// settle lets time pass until nothing moves.
func settle(t *testing.T, a *App) {
	t.Helper()
	for range 1000 {
		a.Update(20 * time.Millisecond)
		if !a.Busy() {
			return
		}
	}
	t.Fatal("the app never comes to rest")
}

func TestRefusals(t *testing.T) {
	a := newApp(t, &roomtest.Engine{})
	state := a.State
	for name, err := range map[string]error{
		"mode":          a.SetMode("fly"),
		"kind":          a.Restore.SetKind("rust"),
		"no kind":       a.Restore.SetKind(""),
		"severity":      a.Restore.SetSeverity(99),
		"severity NaN":  a.Restore.SetSeverity(math.NaN()),
		"brush":         a.Restore.SetBrush(0),
		"brush NaN":     a.Restore.SetBrush(math.NaN()),
		"grid":          a.Generate.SetSide(0),
		"large grid":    a.Generate.SetSide(11),
		"digit":         a.Restore.SetDigit(2),
		"digit below 0": a.Restore.SetDigit(-1),
		"cell":          a.Generate.Select(36),
	} {
		if err == nil {
			t.Errorf("%s out of range was accepted", name)
		}
	}
	if a.State != state {
		t.Errorf("a refusal changed the state from %+v to %+v", state, a.State)
	}
	if _, err := New(Model{Restore: latent.Preset{Alpha: 2, Sigma: 1}, Generate: roomtest.Preset, Samples: twoDigits(t)}, Faces{}); err == nil {
		t.Error("a flow with α = 2 was accepted")
	}
	if _, err := New(Model{Restore: roomtest.Preset, Generate: roomtest.Preset}, Faces{}); err == nil {
		t.Error("no digits were accepted")
	}
}

// TestWideKernel: the dial of σ goes beyond the width that a shrinking kernel
// starts with, and leaves that as it was.
func TestWideKernel(t *testing.T) {
	shrinks := roomtest.Preset
	shrinks.Sigma, shrinks.Start = 0.2, 0.5
	m := theModel(t, &roomtest.Engine{})
	m.Restore, m.Generate = shrinks, shrinks
	a, err := New(m, Faces{})
	roomtest.Must(t, err)
	for _, m := range []link.Mode{link.Restore, link.Generate} {
		roomtest.Must(t, a.SetMode(m), a.Dials().Set(link.Sigma, 2))
		settle(t, a)
		if err := a.Err(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		roomtest.Must(t, a.Dials().Set(link.Sigma, 0.2))
		if got := *map[link.Mode]*latent.Preset{link.Restore: &a.RestoreFlow, link.Generate: &a.GenerateFlow}[m]; got != shrinks {
			t.Errorf("%s: there and back again the flow is %+v, was %+v", m, got, shrinks)
		}
	}
}

func TestExports(t *testing.T) {
	p := &palette.Palette{Ground: color.RGBA{1, 2, 3, 255}, Ink: color.RGBA{250, 240, 230, 255}}
	a := newApp(t, &roomtest.Engine{})
	if _, err := a.ExportPicture(p); err == nil {
		t.Error("there is a picture before there is one")
	}
	for _, m := range []link.Mode{link.Restore, link.Generate} {
		roomtest.Must(t, a.SetMode(m))
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
		// The engine's last image is gray 1/16.
		if r, g, b, _ := img.At(3, 3).RGBA(); byte(r>>8) != p.Ramp()[timeline.Ink(1.0/16)][0] || byte(g>>8) == 0 || byte(b>>8) == 0 {
			t.Errorf("%s: the first pixel is %v", m, img.At(3, 3))
		}
		side := roomtest.Side * export.Large
		if m == link.Generate {
			side = 6*roomtest.Side*export.Small + 5*export.Gap
		}
		if img.Bounds() != image.Rect(0, 0, side, side) {
			t.Errorf("%s: the picture is %v, want %d along each edge", m, img.Bounds(), side)
		}
		if f, err = a.ExportStrip(p); err != nil {
			t.Fatal(err)
		}
		if img, err = png.Decode(bytes.NewReader(f.Data)); err != nil || img.Bounds().Dx() != 5*roomtest.Side*export.Small+4*export.Gap {
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

// TestTabs: what was computed is there when its tab is shown again, and what was
// chosen in one leaves the others alone.
func TestTabs(t *testing.T) {
	e := &roomtest.Engine{}
	a := newApp(t, e)
	settle(t, a)
	roomtest.Must(t, a.SetMode(link.Generate))
	settle(t, a)
	flows := e.Flows
	roomtest.Must(t, a.SetMode(link.Restore), a.SetMode(link.Generate))
	settle(t, a)
	if e.Flows != flows {
		t.Error("going to the other tab and back computes the grid again")
	}
	roomtest.Must(t, a.Dials().SetForce(link.Alpha, false))
	if a.GenerateFlow.Alpha != 0 || a.RestoreFlow != roomtest.Preset {
		t.Error("the force of one mode was switched off in another")
	}
	roomtest.Must(t, a.Map.SetFollow(link.Growth), a.SetMode(link.Map))
	if v, _ := a.Dials().Value(link.Alpha); v != 0 {
		t.Error("on the map the sliders are not those of the path that it follows")
	}
}
