package e2e

import (
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/unet"
	"mppm/site/internal/host"
)

// writeFaces writes a model of faces that is small, and drawn from a seed, to a folder.
func writeFaces(dir string) error {
	n, err := unet.New(nn.Shape{H: 24, W: 24, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 9})
	if err != nil {
		return err
	}
	b, err := latenttest.FileOf(3, n).Encode()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "faces.safetensors"), b, 0o644)
}

// hasFaces ends the test if the page was built without a model of faces.
func (p *tab) hasFaces() {
	p.t.Helper()
	if eval[bool](p, `document.getElementById("tab-faces").hidden`) {
		p.t.Fatal("this page was built without a model of faces: weights/faces.safetensors is one, and -faces names a folder with others")
	}
}

// TestFaces: the model is fetched when the tab is opened, a face is scribbled on and
// restored, a link opens the same, and faces grow and turn into another.
func TestFaces(t *testing.T) {
	t.Parallel()
	var l log
	url := server(t, "/", l.around(host.Handler(dist, host.Options{})))
	p := open(t, url)
	p.hasFaces()
	fetched := func() bool { return l.has("/assets/faces.", "") }
	if fetched() {
		t.Error("the model of faces is fetched before anyone wants it")
	}
	p.click("tab-faces")
	healed := func(s state) bool {
		return s.Mode == "faces" && s.Face != nil && s.Face.After != nil && s.Step == s.Steps
	}
	s := p.rest("a restored face", healed)
	if !fetched() {
		t.Error("the model was not fetched")
	}
	if s.Face.Before.SSIM > 0.99 || s.Steps == 0 {
		t.Errorf("the first face is not damaged, or not restored: %+v", s)
	}

	p.choose("face-kind", "none")
	clean := p.rest("a face without damage", func(s state) bool { return healed(s) && s.Face.Before.SSIM > 0.999 })
	pad := p.reveal("#face-pad")
	at := func(x, y float64) [2]float64 { return [2]float64{pad.X + pad.W*x, pad.Y + pad.H*y} }
	p.set("face-color", "#00ff00", "input")
	p.drag(at(.2, .2), at(.8, .8))
	s = p.rest("a scribble", func(s state) bool { return healed(s) && s.Face.Strokes == 1 && s.Face.Before.SSIM < 0.999 })
	middle := func(selector string) color.RGBA {
		img := p.picture(selector)
		b := img.Bounds()
		return color.RGBAModel.Convert(img.At((b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2)).(color.RGBA)
	}
	if c := middle("#face-pad"); c.G < 200 || c.R > 60 || c.B > 60 {
		t.Errorf("where it was scribbled on in green, the face is %v", c)
	}
	q := open(t, eval[string](p, `location.href`))
	same := q.rest("the link", healed)
	if same.Face.Strokes != 1 || same.Face.Before.SSIM != s.Face.Before.SSIM || same.Face.After.SSIM != s.Face.After.SSIM {
		t.Errorf("the link opens %+v, was %+v", same.Face, s.Face)
	}
	p.click("face-undo")
	p.rest("the scribble undone", func(s state) bool {
		return healed(s) && s.Face.Strokes == 0 && s.Face.Redo && s.Face.Before.SSIM == clean.Face.Before.SSIM
	})

	p.click("task-grow")
	p.rest("grown faces", func(s state) bool { return s.Face != nil && s.Face.Grown == 9 && s.Step == s.Steps })
	p.click("task-pass")
	p.rest("a walk", func(s state) bool { return s.Steps == 16 && s.Step == 16 })
	grid := p.reveal("#face-grid")
	p.do(chromedp.MouseClickXY(grid.X+grid.W*.9, grid.Y+grid.H*.9))
	p.rest("a walk to another", func(s state) bool { return s.Faces.To == 8 && s.Step == s.Steps })
}

// TestOwnFace: a picture is brought, its eyes are marked, and it is restored; no link
// holds it.
func TestOwnFace(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.hasFaces()
	p.click("tab-faces")
	p.rest("a restored face", func(s state) bool { return s.Face != nil && s.Face.After != nil })
	was := eval[string](p, `location.hash`)
	eval[bool](p, `(() => {
		const c = document.createElement("canvas");
		c.width = 200; c.height = 120;
		const g = c.getContext("2d");
		g.fillStyle = "#c08060"; g.fillRect(0, 0, 200, 120);
		c.toBlob((b) => {
			const data = new DataTransfer();
			data.items.add(new File([b], "me.png", { type: "image/png" }));
			window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
		});
		return true;
	})()`)
	p.do(chromedp.WaitVisible("#photo"))
	c := p.box("#photo-canvas")
	p.do(chromedp.MouseClickXY(c.X+c.W*.4, c.Y+c.H*.4))
	p.until("the first mark", `document.getElementById("photo-words").textContent.includes("other eye")`)
	p.do(chromedp.MouseClickXY(c.X+c.W*.6, c.Y+c.H*.45))
	p.until("both marks", `document.getElementById("photo-take").textContent === "Use it"`)
	p.click("photo-take")
	p.rest("the picture", func(s state) bool { return s.Face != nil && s.Face.Photo && s.Face.After != nil })
	if now := eval[string](p, `location.hash`); now != was {
		t.Errorf("with a picture the link is %s, was %s", now, was)
	}
}

// TestCameraRefused: who refuses the camera, or has none, reads what to do.
func TestCameraRefused(t *testing.T) {
	t.Parallel()
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.hasFaces()
	p.click("tab-faces")
	p.rest("a restored face", func(s state) bool { return s.Face != nil && s.Face.After != nil })
	eval[bool](p, `(navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError")), true)`)
	p.click("face-camera")
	p.until("words", `document.getElementById("status").textContent.includes("open a picture instead")`)
}
