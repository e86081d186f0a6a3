package e2e

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mppm/shared/center/centertest"
	"mppm/shared/rng"
	"mppm/site/internal/host"
)

// photograph writes a picture of a written digit, on ruled paper in uneven light
// within a dark edge, and one of the paper alone.
func photograph(t *testing.T, digit int) (written, empty string) {
	t.Helper()
	s := centertest.Scene{
		W: 600, H: 450, Size: 0.7, X: 0.5, Y: 0.5, Paper: 0.95, Pen: 0.1, Light: centertest.Slope(0.55, 1),
		Every: 0.12, Thick: 3, Shade: 0.3, Frame: [4]int{14, 0, 0, 9}, Grain: 0.01,
	}
	save := func(name string, img image.Image) string {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := rng.New(3, 0)
	written = save("written.png", s.Draw(centertest.Written(digit, 0.07, r), r))
	empty = save("empty.png", s.Draw(func(u, v float64) float64 { return 0 }, r))
	return written, empty
}

// TestOfferCanBeCorrected looks at a photograph before it is taken: the page says
// what it did and shows what it found, on a phone and on a desk, and looks again as
// it is told, by the keyboard too. An empty page is called one.
func TestOfferCanBeCorrected(t *testing.T) {
	t.Parallel()
	script := axe(t)
	written, empty := photograph(t, 5)
	p := open(t, server(t, "/", host.Handler(dist, host.Options{})))
	p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.Steps > 0 })
	p.do(chromedp.SetUploadFiles("#file", []string{empty}))
	p.wait("words for an empty page", func(s state) bool { return strings.Contains(s.Status, "page is empty") })
	words := func() string { return eval[string](p, `document.getElementById("offer-words").textContent`) }
	for _, size := range [][2]int64{{360, 740}, {1440, 900}} {
		p.do(chromedp.EmulateViewport(size[0], size[1]))
		p.do(chromedp.SetUploadFiles("#file", []string{written}))
		p.do(chromedp.WaitVisible("#offer"))
		if got := words(); got != "Light evened, ruled lines removed, specks and edges removed, inverted, centered." {
			t.Errorf("%d wide: the page did this: %q", size[0], got)
		}
		if over := eval[float64](p, `(() => { const d = document.getElementById("offer"); return Math.max(d.scrollWidth - d.clientWidth, document.documentElement.scrollWidth - innerWidth); })()`); over > 0 {
			t.Errorf("%d wide: the dialog is %v pixels too wide", size[0], over)
		}
		if dir := os.Getenv("MPPM_SHOTS"); dir != "" {
			shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "offer-"+map[bool]string{true: "phone", false: "desk"}[size[0] < 500]+".png"), shot, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range p.findings(script) {
			t.Errorf("%d wide: %s (%s): %s\n\t%s", size[0], f.Help, f.Impact, f.ID, strings.Join(f.Where, "\n\t"))
		}
		found := p.box("#offer-found")
		p.click("offer-right")
		p.until("the picture to be turned", `(() => { const c = document.getElementById("offer-found"); return c.width < c.height; })()`)
		p.click("offer-left")
		p.until("the picture to be turned back", `(() => { const c = document.getElementById("offer-found"); return c.width > c.height; })()`)
		if now := p.box("#offer-found"); now.W != found.W {
			t.Errorf("%d wide: the picture is %v wide after two turns, was %v", size[0], now.W, found.W)
		}
		p.set("offer-ink", "light", "change")
		p.until("another ink", `!document.getElementById("offer-words").textContent.includes("inverted")`)
		p.set("offer-threshold", "0.9", "input")
		p.until("another threshold", `document.getElementById("offer-threshold-value").textContent === "0.90"`)
		p.set("offer-center", "never", "change")
		p.until("all of the picture", `document.getElementById("offer-words").textContent.includes("aled to fit")`)
		p.click("offer-reset")
		p.until("the first look", `document.getElementById("offer-words").textContent.startsWith("Light evened, ruled lines")`)
		p.click("offer-drop")
		p.do(chromedp.WaitNotVisible("#offer"))
	}
	p.do(chromedp.SetUploadFiles("#file", []string{written}))
	p.do(chromedp.WaitVisible("#offer"))
	p.click("offer-take")
	s := p.rest("the picture", func(s state) bool { return s.Source == "picture" && s.Reads.Confidence > 0 })
	if s.ReadsFirst.Digit != 5 {
		t.Errorf("the 5 reads as %+v", s.ReadsFirst)
	}
}
