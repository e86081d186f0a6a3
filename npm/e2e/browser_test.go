package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long anything is waited for.
const patience = 2 * time.Minute

// strict is the policy that the package's README promises to live under. All is
// forbidden but what it names.
const strict = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

// find returns the path of a browser, which an environment variable may name.
func find(variable string, names ...string) (string, error) {
	if p := os.Getenv(variable); p != "" {
		return p, nil
	}
	for _, name := range names {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("none of %v is installed: `make browser` does so, or name one with %s=PATH (MPPM_SKIP_BROWSER=1 leaves these tests out)", names, variable)
}

// chromium starts a Chromium that ends with the test, and returns its tab.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := find("MPPM_CHROMIUM", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
	if err != nil {
		t.Fatal(err)
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-background-networking", true))...)
	tab, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); cancelAlloc() })
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("%s did not start: %v", path, err)
	}
	return tab
}

// browsers are those that pages are shown in, each a function that shows one until the
// test ends.
var browsers = map[string]func(t *testing.T, url string){
	"chromium": func(t *testing.T, url string) {
		if err := chromedp.Do(chromium(t), chromedp.Navigate(url)); err != nil {
			t.Fatal(err)
		}
	},
	"firefox": func(t *testing.T, url string) {
		path, err := find("MPPM_FIREFOX", "firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox")
		if err != nil {
			t.Fatal(err)
		}
		profile := t.TempDir()
		prefs := `user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("ui.prefersReducedMotion", 1);
`
		if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs), 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, path, "--headless", "--no-remote", "--profile", profile, url)
		cmd.Env = append(os.Environ(), "HOME="+profile)
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 10 * time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cancel()
			_ = cmd.Wait() // it was interrupted
		})
	},
}

// pageOf is one to be shown: a script of testdata, what it is asked, and under which
// policy.
type pageOf struct {
	script string
	query  url.Values
	policy string
}

// pages is a site that shows pages, one after the other, in which scripts find out what
// is wrong and tell.
type pages struct {
	list  []pageOf
	files map[string]http.Handler
	told  chan []string // of each page
}

func newPages(list ...pageOf) *pages {
	return &pages{list: list, told: make(chan []string, len(list)), files: map[string]http.Handler{
		"/some/where/mppm/": http.StripPrefix("/some/where/mppm/", http.FileServer(http.Dir(pack))),
		"/":                 http.FileServer(http.Dir(home)),
	}}
}

// address is that of page i, "" after the last.
func (p *pages) address(i int) string {
	if i >= len(p.list) {
		return ""
	}
	q := url.Values{"page": {fmt.Sprint(i)}}
	for k, v := range p.list[i].query {
		q[k] = v
	}
	return "/page?" + q.Encode()
}

// serve is the site, which ends with the test. It returns its address.
func (p *pages) serve(t *testing.T) string {
	mux := http.NewServeMux()
	for at, h := range p.files {
		mux.Handle(at, h)
	}
	number := func(r *http.Request) int {
		var i int
		if _, err := fmt.Sscan(r.FormValue("page"), &i); err != nil || i < 0 || i >= len(p.list) {
			t.Errorf("%s asks for no page", r.URL)
			return 0
		}
		return i
	}
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		at := p.list[number(r)]
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", at.policy)
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>A page</title><script type="module" src="/%s"></script>`, at.script)
	})
	mux.HandleFunc("POST /told", func(w http.ResponseWriter, r *http.Request) {
		i := number(r)
		b, err := io.ReadAll(r.Body)
		var failed []string
		if err := errors.Join(err, json.Unmarshal(b, &failed)); err != nil {
			failed = []string{err.Error()}
		}
		select {
		case p.told <- failed:
		default: // of a page that has told already
		}
		fmt.Fprint(w, p.address(i+1))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// hear fails the test with what each page tells.
func (p *pages) hear(t *testing.T) {
	for i, at := range p.list {
		select {
		case failed := <-p.told:
			for _, f := range failed {
				t.Errorf("page %d, %s: %s", i, at.script, f)
			}
		case <-time.After(patience):
			t.Fatalf("page %d, %s?%s, tells nothing", i, at.script, at.query.Encode())
		}
	}
}

// TestPages runs the suite in pages: in a worker, without, and without SIMD where the
// page's policy lets no worker start.
func TestPages(t *testing.T) {
	want := want(t)
	ask := func(options string, more ...string) url.Values {
		q := url.Values{"want": {want}, "options": {options}}
		for _, m := range more {
			q.Set(m, "")
		}
		return q
	}
	for name, show := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPages(
				pageOf{"page.mjs", ask(`{"worker": true}`), strict},
				pageOf{"page.mjs", ask(`{"worker": false}`), strict},
				pageOf{"page.mjs", ask(`{"simd": false}`, "forbidden"), strings.Replace(strict, "worker-src 'self'", "worker-src 'none'; require-trusted-types-for 'script'", 1)},
			)
			show(t, p.serve(t)+p.address(0))
			p.hear(t)
		})
	}
}
