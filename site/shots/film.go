package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"mppm/shared/link"
)

// filmPath is where the film of a training lies.
const filmPath = "docs/page-train.gif"

// drawn is what the film shows to be learnt: a flower of five petals.
func drawn() link.Strokes {
	var s [][2]float64
	for i := range 361 {
		t := 2 * math.Pi * float64(i) / 360
		r := 0.62 + 0.3*math.Cos(5*t)
		s = append(s, [2]float64{r * math.Sin(t), r * math.Cos(t)})
	}
	return link.Strokes{s}
}

// film has the page learn a curve, and returns its own film of that.
func film(tab context.Context, base string) ([]byte, error) {
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}}); err != nil {
		return nil, err
	}
	err := chromedp.Do(tab,
		chromedp.EmulateViewport(1280, 900),
		chromedp.Navigate(base+"/?"+url.QueryEscape(filmPath)+"#mode=manifold&curve=own&strokes="+link.PackStrokes(drawn())),
		chromedp.Poll[chromedp.Void](`document.getElementById("work").dataset.state === "ready"`),
		// What the page gives to be saved is kept.
		chromedp.Evaluate[chromedp.Void](`(() => {
			URL.createObjectURL = blob => { const r = new FileReader(); r.onload = () => { window.saved = r.result; }; r.readAsDataURL(blob); return "about:blank"; };
			HTMLAnchorElement.prototype.click = () => {};
			document.getElementById("train").click();
		})()`),
	)
	if err != nil {
		return nil, err
	}
	const own = `JSON.parse(window.mppm.state()).descent.own`
	for {
		over, err := chromedp.Run(tab, chromedp.Evaluate[bool](own+`.step > 0 && !`+own+`.running`))
		if err != nil {
			return nil, err
		}
		if over {
			break
		}
		if says, err := chromedp.Run(tab, chromedp.Evaluate[string](own+`.failed ? `+own+`.says : ""`)); err != nil || says != "" {
			return nil, errors.Join(err, errors.New(says))
		}
		time.Sleep(time.Second)
	}
	err = chromedp.Do(tab,
		chromedp.Evaluate[chromedp.Void](`document.getElementById("own-film").click()`),
		chromedp.Poll[chromedp.Void](`window.saved`),
	)
	if err != nil {
		return nil, err
	}
	saved, err := chromedp.Run(tab, chromedp.Evaluate[string](`window.saved`))
	if err != nil {
		return nil, err
	}
	_, data, ok := strings.Cut(saved, ",")
	if !ok {
		return nil, fmt.Errorf("the page saved %.40q", saved)
	}
	return base64.StdEncoding.DecodeString(data)
}
