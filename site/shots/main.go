// Command shots photographs the built page: every mode, on a phone, a tablet and
// a desk, dark and light.
//
//	go run ./site/shots [-dir site/dist] [-out runs/shots] [-only NAME] [-full] [-size WIDTHxHEIGHT@RATIO]
//
// With -docs it makes the pictures that this repository holds instead: those of
// the README, the film of a training among them, and those of the curves that links to
// Manifold are shown with.
//
//	go run ./site/shots -docs [-only NAME]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"mppm/site/internal/browser"
	"mppm/site/internal/host"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

// size is a screen, in pixels of the page, and how fine it is.
type size struct {
	width, height int64
	ratio         float64
}

var sizes = []size{{360, 740, 2}, {768, 1024, 1}, {1440, 900, 1}}

// shot is a picture of the page.
type shot struct {
	path        string
	mode, theme string
	link        string // more of the page's address than its mode, behind the "#"
	size        size
	full        bool    // the whole page, not one screen of it
	script      string  // JavaScript to run first
	at          float64 // share of the timeline; 1: its end
	colors      int     // at most, for a small file; 0: all
}

// everything lists every mode on every screen, light and dark, in a folder.
func everything(out string) (list []shot) {
	for _, theme := range []string{"dark", "light"} {
		for _, s := range sizes {
			for _, mode := range []string{"restore", "generate", "map", "manifold", "faces"} {
				name := fmt.Sprintf("%s-%d-%s.png", mode, s.width, theme)
				// Well into the flow, so that what is past differs from what is to come.
				list = append(list, shot{path: filepath.Join(out, name), mode: mode, theme: theme, size: s, at: 0.6})
			}
		}
	}
	return list
}

// figureAlone has Manifold's figure fill the screen.
const figureAlone = `
for (const e of document.querySelectorAll(".top, .lead, aside, .about, .time, .beside, figcaption")) e.style.display = "none";
document.getElementById("stage").style.cssText = "position: fixed; inset: 0; padding: 0; border: 0; border-radius: 0";
document.getElementById("panel-manifold").style.display = "block";
document.getElementById("manifold").style.cssText = "height: 100vh; outline: 0"`

// held lists the pictures that this repository holds.
func held() []shot {
	desk := size{1280, 900, 1}
	list := []shot{
		{path: "docs/page.png", mode: "restore", size: desk, at: 0.6, colors: 256},
		{path: "docs/page-generate.png", mode: "generate", link: "selected=2", size: desk, at: 0.85, colors: 256},
		{path: "docs/page-map.png", mode: "map", size: desk, at: 0.6, colors: 256},
		{path: "docs/page-manifold.png", mode: "manifold", link: "curve=trefoil", size: desk, at: 0.6, colors: 256},
		{path: "docs/page-faces.png", mode: "faces", size: desk, at: 1, colors: 256},
	}
	for _, curve := range []string{"circle", "spiral", "moons", "trefoil"} {
		list = append(list, shot{
			path: "site/internal/api/curve-" + curve + ".png", mode: "manifold", link: "slice=off&curve=" + curve,
			size: size{1200, 630, 1}, at: 1, script: figureAlone,
			colors: 16, // the program at the edge holds them, and is nearly as large as it may be
		})
	}
	for i := range list {
		list[i].theme = "dark"
	}
	return list
}

func run() error {
	dir := flag.String("dir", filepath.Join("site", "dist"), "the built page")
	out := flag.String("out", filepath.Join("runs", "shots"), "folder to write to")
	only := flag.String("only", "", "take only pictures whose name contains this")
	full := flag.Bool("full", false, "the whole page, not one screen of it")
	script := flag.String("script", "", "JavaScript to run before the pictures are taken")
	docs := flag.Bool("docs", false, "make the pictures that this repository holds, in their places")
	custom := flag.String("size", "", "one other screen, as WIDTHxHEIGHT@RATIO")
	flag.Parse()
	if *custom != "" {
		var s size
		if _, err := fmt.Sscanf(*custom, "%dx%d@%g", &s.width, &s.height, &s.ratio); err != nil {
			return fmt.Errorf("-size %q is not WIDTHxHEIGHT@RATIO, as 1440x900@1 is: %w", *custom, err)
		}
		sizes = []size{s}
	}
	if _, err := os.Stat(filepath.Join(*dir, "index.html")); err != nil {
		return fmt.Errorf("%s holds no built page: build it with `make site`", *dir)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	server := httptest.NewServer(host.Handler(*dir, host.Options{}))
	defer server.Close()
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Minute)
	defer stop()
	tab, cancel, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	list := everything(*out)
	if *docs {
		list = held()
	}
	for _, s := range list {
		if !strings.Contains(filepath.Base(s.path), *only) {
			continue
		}
		if !*docs {
			s.full, s.script = *full, *script
		}
		png, err := shoot(tab, server.URL, s)
		if err == nil && s.colors > 0 {
			png, err = reduce(png, s.colors)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		if err := os.WriteFile(s.path, png, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s (%d kB)\n", s.path, (len(png)+999)/1000)
	}
	if *docs && strings.Contains(filepath.Base(filmPath), *only) {
		gif, err := film(tab, server.URL)
		if err != nil {
			return fmt.Errorf("%s: %w", filmPath, err)
		}
		if err := os.WriteFile(filmPath, gif, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s (%d kB)\n", filmPath, (len(gif)+999)/1000)
	}
	return nil
}

// address returns where a shot is taken. The query makes it another page than
// that of the shot before.
func (s shot) address(base string) string {
	a := base + "/?" + url.QueryEscape(s.path) + "#mode=" + s.mode
	if s.link != "" {
		a += "&" + s.link
	}
	return a
}

// shoot takes a picture, as a PNG.
func shoot(tab context.Context, base string, s shot) ([]byte, error) {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.theme}}}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, media); err != nil {
		return nil, err
	}
	err := chromedp.Do(tab,
		chromedp.EmulateViewport(s.size.width, s.size.height, chromedp.EmulateScale(s.size.ratio)),
		chromedp.Navigate(s.address(base)),
		chromedp.Poll[chromedp.Void](`document.getElementById("work").dataset.state !== "loading"`),
	)
	if err != nil {
		return nil, err
	}
	failure, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.getElementById("work").dataset.state === "failed" ? document.getElementById("loading-detail").textContent : ""`))
	if err != nil {
		return nil, err
	}
	if failure != "" {
		return nil, errors.New(failure)
	}
	height, err := chromedp.Run(tab, chromedp.Evaluate[float64](s.script+`; document.documentElement.scrollHeight`))
	if err != nil {
		return nil, err
	}
	err = chromedp.Do(tab,
		chromedp.Poll[chromedp.Void](`(s => s.mode === "`+s.mode+`" && !s.active && (s.mode !== "restore" || s.ldm))(JSON.parse(window.mppm.state()))`),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(t => { t.value = Math.round(t.max * %v); t.dispatchEvent(new Event("input")); })(document.getElementById("timeline"))`, s.at)),
		chromedp.Sleep(600*time.Millisecond),
	)
	if err != nil {
		return nil, err
	}
	capture := page.CaptureScreenshotParams{}
	if s.full {
		capture.CaptureBeyondViewport = &s.full
		capture.Clip = &page.Viewport{Width: float64(s.size.width), Height: height, Scale: 1}
	}
	r, err := chromedp.Call(tab, page.CaptureScreenshot, capture)
	return r.Data, err
}
