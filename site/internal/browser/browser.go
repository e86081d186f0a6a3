// Package browser starts a Chromium without a window, drawing in software, to
// test and photograph the page.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// ErrMissing says that there is no browser on this machine.
var ErrMissing = errors.New("no Chromium found: on Debian and Ubuntu `apt-get install chromium`, elsewhere install Chromium or Chrome, or name it with MPPM_CHROMIUM=PATH")

// Find returns the path of a Chromium or Chrome. MPPM_CHROMIUM names another.
func Find() (string, error) {
	if p := os.Getenv("MPPM_CHROMIUM"); p != "" {
		if _, err := os.Stat(p); err != nil {
			return "", fmt.Errorf("MPPM_CHROMIUM: %w", err)
		}
		return p, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	return "", ErrMissing
}

// Start starts a browser with a profile of its own, and ends it when cancel is
// called. The context is chromedp's, of one tab. more are further options.
func Start(ctx context.Context, more ...chromedp.ExecAllocatorOption) (tab context.Context, cancel func(), err error) {
	path, err := Find()
	if err != nil {
		return nil, nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.Flag("headless", "new"),
		// Without the sandbox, so that it runs as root in a container.
		chromedp.NoSandbox,
		// The software GPU draws what the page draws with WebGL, and no more: text and
		// boxes, and the putting together of all, take some times longer there.
		chromedp.Flag("use-gl", "angle"),
		chromedp.Flag("use-angle", "swiftshader-webgl"),
		chromedp.Flag("enable-unsafe-swiftshader", true),
		chromedp.Flag("disable-gpu-rasterization", true),
		// Every window would have two pages of the browser's own, for its address bar.
		chromedp.Flag("disable-features", "WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(ctx, append(options, more...)...)
	tab, cancelTab := chromedp.NewContext(alloc)
	cancel = func() { cancelTab(); cancelAlloc() }
	if err := chromedp.Do(tab); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("%s did not start: %w", path, err)
	}
	return tab, cancel, nil
}
