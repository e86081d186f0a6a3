// Command shots photographs the built page: every mode, on a phone, a tablet and
// a desk, dark and light.
//
//	go run ./site/shots [-dir site/dist] [-out runs/shots] [-only NAME] [-full] [-size WIDTHxHEIGHT@RATIO]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
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

func run() error {
	dir := flag.String("dir", filepath.Join("site", "dist"), "the built page")
	out := flag.String("out", filepath.Join("runs", "shots"), "folder to write to")
	only := flag.String("only", "", "take only pictures whose name contains this")
	full := flag.Bool("full", false, "the whole page, not one screen of it")
	script := flag.String("script", "", "JavaScript to run before the pictures are taken")
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
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
	defer stop()
	tab, cancel, err := browser.Start(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	for _, theme := range []string{"dark", "light"} {
		for _, s := range sizes {
			for _, mode := range []string{"restore", "generate", "map", "manifold"} {
				name := fmt.Sprintf("%s-%d-%s.png", mode, s.width, theme)
				if !strings.Contains(name, *only) {
					continue
				}
				png, err := shoot(tab, server.URL, mode, theme, s, *full, *script)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				path := filepath.Join(*out, name)
				if err := os.WriteFile(path, png, 0o644); err != nil {
					return err
				}
				fmt.Println(path)
			}
		}
	}
	return nil
}

func shoot(tab context.Context, url, mode, theme string, s size, full bool, script string) ([]byte, error) {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, media); err != nil {
		return nil, err
	}
	err := chromedp.Do(tab,
		chromedp.EmulateViewport(s.width, s.height, chromedp.EmulateScale(s.ratio)),
		chromedp.Navigate(url),
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
	height, err := chromedp.Run(tab, chromedp.Evaluate[float64](`document.getElementById("tab-`+mode+`").click(); `+script+`; document.documentElement.scrollHeight`))
	if err != nil {
		return nil, err
	}
	err = chromedp.Do(tab,
		chromedp.Poll[chromedp.Void](`(s => s.mode === "`+mode+`" && !s.active && (s.mode !== "restore" || s.ldm))(JSON.parse(window.mppm.state()))`),
		// Well into the flow, so that what is past differs from what is to come.
		chromedp.Evaluate[chromedp.Void](`(t => { t.value = Math.round(t.max * 0.6); t.dispatchEvent(new Event("input")); })(document.getElementById("timeline"))`),
		chromedp.Sleep(600*time.Millisecond),
	)
	if err != nil {
		return nil, err
	}
	capture := page.CaptureScreenshotParams{}
	if full {
		capture.CaptureBeyondViewport = &full
		capture.Clip = &page.Viewport{Width: float64(s.width), Height: height, Scale: 1}
	}
	r, err := chromedp.Call(tab, page.CaptureScreenshot, capture)
	return r.Data, err
}
