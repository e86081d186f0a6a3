package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
)

// kept waits until the service worker has kept the page, and returns the names of
// the caches.
func (p *tab) kept(version string) []string {
	p.t.Helper()
	var names []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`(async () => {
			const r = await navigator.serviceWorker.getRegistration();
			return JSON.stringify({active: !!(r && r.active && !r.installing && !r.waiting), names: await caches.keys()});
		})()`, chromedp.EvalAwaitPromise))
		if err != nil {
			p.t.Fatal(err)
		}
		var s struct {
			Active bool     `json:"active"`
			Names  []string `json:"names"`
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			p.t.Fatal(err)
		}
		names = s.Names
		if s.Active && strings.Contains(strings.Join(names, "\n"), version) {
			return names
		}
	}
	p.t.Fatalf("the page is not kept: the caches are %q", names)
	return nil
}

func manifest(t *testing.T, dir string) (m bundle.Manifest) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, bundle.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOffline visits the page, stops its server, and visits it again; on a good
// host, and below a path of one that neither compresses nor sets headers.
func TestOffline(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]host.Options{"good host": {}, "poor host": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked log
			mux := http.NewServeMux()
			mux.Handle("/sub/path/", http.StripPrefix("/sub/path", asked.around(host.Handler(dist, o))))
			s := httptest.NewServer(mux)
			defer s.Close()
			p := open(t, s.URL+"/sub/path/")
			first := p.rest("the first restoration", func(s state) bool { return s.Step == s.Steps && s.LDM != nil && !s.Active })
			p.kept(manifest(t, dist).Version)
			programs := 0
			for _, path := range asked.paths() {
				if strings.Contains(path, ".wasm") && !(o.Plain && !strings.HasSuffix(path, ".gz")) {
					programs++
				}
			}
			if programs != 2 { // the page's, and the engine
				t.Errorf("programs were fetched %d times for one visit, want 2: %v", programs, asked.paths())
			}
			s.CloseClientConnections()
			s.Close()
			before := len(asked.paths())
			start := time.Now()
			p.do(chromedp.Navigate(s.URL + "/sub/path/"))
			p.ready()
			t.Logf("without a server the page is there after %v", time.Since(start).Round(time.Millisecond))
			again := p.rest("the same, offline", func(s state) bool { return s.Step == s.Steps && s.LDM != nil && !s.Active })
			if again.MSEAfter != first.MSEAfter || again.LDM.MSE != first.LDM.MSE {
				t.Errorf("offline the result is %v and %v, was %v and %v", again.MSEAfter, again.LDM.MSE, first.MSEAfter, first.LDM.MSE)
			}
			p.do(chromedp.Navigate(s.URL + "/sub/path/index.html#mode=generate"))
			p.ready()
			p.rest("a link, offline", func(s state) bool { return s.Mode == "generate" && s.Step == s.Steps && s.Steps > 0 })
			p.do(chromedp.Navigate(s.URL + "/sub/path/#mode=manifold&curve=trefoil"))
			p.ready()
			p.rest("a curve, offline", home)
			p.do(chromedp.Navigate(s.URL + "/sub/path/source/shared/flow/flow.go.html#L1"))
			p.do(chromedp.WaitVisible("#L1"))
			if after := len(asked.paths()); after != before {
				t.Errorf("a server that is stopped was asked: %v", asked.paths()[before:])
			}
		})
	}
}

// TestUpdate puts another version in the page's place: the next visit shows the
// old one at once and fetches the new, the one after shows that, and nothing of
// the old is kept.
func TestUpdate(t *testing.T) {
	t.Parallel()
	next := filepath.Join(t.TempDir(), "dist")
	if err := os.CopyFS(next, os.DirFS(dist)); err != nil {
		t.Fatal(err)
	}
	m := manifest(t, dist)
	const version = "00112233aabbccdd"
	for _, name := range []string{"index.html", "sw.js", bundle.ManifestName} {
		at := filepath.Join(next, name)
		b, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(b), m.Version, version)
		text = strings.Replace(text, "<title>mppm", "<title>new mppm", 1)
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, packed := range []string{".gz", ".br"} {
			if err := os.Remove(at + packed); err != nil {
				t.Fatal(err)
			}
		}
	}
	var current atomic.Pointer[http.Handler]
	serve := func(dir string) {
		h := host.Handler(dir, host.Options{})
		current.Store(&h)
	}
	serve(dist)
	var asked log
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: asked.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(w, r) }))}
	go s.Serve(l)
	defer s.Shutdown(context.Background())
	url := "http://" + l.Addr().String() + "/"
	p := open(t, url)
	p.kept(m.Version)
	serve(next)
	before := len(asked.paths())
	p.do(chromedp.Navigate(url))
	p.ready()
	if title := eval[string](p, `document.title`); strings.HasPrefix(title, "new") {
		t.Errorf("the visit after the update shows %q; want what is kept, at once", title)
	}
	p.kept(version)
	for _, path := range asked.paths()[before:] {
		if strings.Contains(path, "/assets/") {
			t.Errorf("the update fetched %s, which has not changed", path)
		}
	}
	p.do(chromedp.Navigate(url))
	p.ready()
	if title := eval[string](p, `document.title`); !strings.HasPrefix(title, "new") {
		t.Errorf("the second visit after the update shows %q", title)
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		names := p.kept(version)
		if len(names) == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the old version is still kept: %q", names)
		}
	}
}
