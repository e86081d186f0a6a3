package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
)

// swap puts other content in the place of an asset, under a name of its own, and
// has all of the built page in dir name that.
func swap(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	ext := filepath.Ext(name)
	found, err := filepath.Glob(filepath.Join(dir, "assets", strings.TrimSuffix(name, ext)+".????????????????"+ext))
	if err != nil || len(found) != 1 {
		t.Fatalf("the page has the assets %q (%v), want one %s", found, err, name)
	}
	was, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	old, sum := fmt.Sprintf("%x", sha256.Sum256(was)), fmt.Sprintf("%x", sha256.Sum256(content))
	for _, packed := range []string{"", ".gz", ".br"} {
		if err := os.Remove(found[0] + packed); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	named := strings.Replace(filepath.Base(found[0]), old[:host.HashLen], sum[:host.HashLen], 1)
	if err := os.WriteFile(filepath.Join(dir, "assets", named), content, 0o644); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "assets", named+".gz"), packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	// Size and checksum follow the name, in JSON and in JSON in HTML.
	size := regexp.MustCompile(`(` + regexp.QuoteMeta(named) + `[^}]*size[^}0-9]*(?:&#34;: ?)?)` + fmt.Sprint(len(was)) + `\b`)
	edit(t, dir, func(text string) string {
		text = strings.ReplaceAll(text, filepath.Base(found[0]), named)
		return strings.ReplaceAll(size.ReplaceAllString(text, "${1}"+fmt.Sprint(len(content))), old, sum)
	})
	if name != bundle.ManifestName { // which is an asset too
		b, err := os.ReadFile(filepath.Join(dir, bundle.ManifestName))
		if err != nil {
			t.Fatal(err)
		}
		swap(t, dir, bundle.ManifestName, b)
	}
}

// edit changes all pages of a built page, its service worker and its manifest.
func edit(t *testing.T, dir string, change func(text string) string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(filepath.Dir(at)) == "assets" || !regexp.MustCompile(`\.html$|sw\.js$|manifest\.json$`).MatchString(at) {
			return err
		}
		b, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		for _, packed := range []string{".gz", ".br"} {
			if err := os.Remove(at + packed); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return os.WriteFile(at, []byte(change(string(b))), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// version is a version of the page to deploy.
type version struct{ name, dir string }

// hollow makes a version of the page whose program does nothing, so that many
// visits take little time: all else is the page's own.
func hollow(t *testing.T) version {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dist")
	if err := os.CopyFS(dir, os.DirFS(dist)); err != nil {
		t.Fatal(err)
	}
	swap(t, dir, "wasm_exec.js", []byte(`window.Go = class {
		importObject = { gojs: {} };
		run() {
			window.mppm.late = () => { window.late = (window.late || 0) + 1; };
			window.mppm.ready();
			return new Promise(() => {});
		}
	};
	`))
	for _, program := range []string{"mppm.wasm", "mppm-simd.wasm"} {
		// A memory, which the kernel is linked with, and no more.
		swap(t, dir, program, []byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01\x07\x07\x01\x03mem\x02\x00"))
	}
	return version{manifest(t, dir).Version, dir}
}

// deployment makes another version of a page: its title, its style sheet and all
// that names it are its own.
func deployment(t *testing.T, of version, name string) version {
	t.Helper()
	v := version{fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:host.HashLen], filepath.Join(t.TempDir(), "dist")}
	if err := os.CopyFS(v.dir, os.DirFS(of.dir)); err != nil {
		t.Fatal(err)
	}
	swap(t, v.dir, "style.css", []byte("body { margin: 0; } /* "+name+" */"))
	edit(t, v.dir, func(text string) string {
		return strings.Replace(strings.ReplaceAll(text, of.name, v.name), "<title>mppm", "<title>"+name+" mppm", 1)
	})
	return v
}

// line is a host, and the line to it: what is deployed there changes, and answers
// are held up or never come.
type line struct {
	URL string

	mu   sync.Mutex
	site http.Handler // nil: the line is down
	stop *stop
}

// stop holds up the answers to some requests.
type stop struct {
	at      func(*http.Request) bool
	reached chan struct{} // closed once there is one
	release chan struct{}
	once    sync.Once
}

func newLine(t *testing.T, dir string) *line {
	t.Helper()
	l := &line{}
	l.deploy(dir)
	s := httptest.NewServer(l)
	t.Cleanup(s.Close)
	t.Cleanup(l.pass)
	l.URL = s.URL + "/"
	return l
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	stop := l.stop
	l.mu.Unlock()
	if stop != nil && stop.at(r) {
		stop.once.Do(func() { close(stop.reached) })
		select {
		case <-stop.release:
		case <-r.Context().Done():
			return
		}
	}
	l.mu.Lock()
	site := l.site // what is deployed now
	l.mu.Unlock()
	if site == nil {
		panic(http.ErrAbortHandler) // no answer
	}
	site.ServeHTTP(w, r)
}

// deploy puts a folder at the host; "" takes the line down.
func (l *line) deploy(dir string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.site = nil; dir != "" {
		l.site = host.Handler(dir, host.Options{})
	}
}

// hold holds up the answers to some requests, until pass.
func (l *line) hold(at func(*http.Request) bool) *stop {
	s := &stop{at: at, reached: make(chan struct{}), release: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = s
	return s
}

func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		close(l.stop.release)
		l.stop = nil
	}
}

// wait waits for the first request that is held up.
func (s *stop) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.reached:
	case <-time.After(patience):
		t.Fatal("what should be held up was not asked for")
	}
}

// byWorker says of a request whether a service worker that installs makes it for
// the last file of a version: a page of the source.
func byWorker(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Dest") != "document" && strings.HasPrefix(r.URL.Path, "/source/")
}

// visit opens the page and returns the name of the version that comes.
func (p *tab) visit(url string) string {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
	if got := p.outcome(); got != "" {
		p.t.Fatalf("the page says: %s", got)
	}
	name, found := strings.CutSuffix(eval[string](p, `document.title`), " mppm: back to the manifold")
	if !found {
		return "first"
	}
	return name
}

// promised returns what a promise of the page brings.
func promised[T any](p *tab, js string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// eventually waits for a promise of the page to bring true.
func (p *tab) eventually(what, js string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if promised[bool](p, js) {
			return
		}
	}
	p.t.Fatalf("waited for %s in vain", what)
}

// idle waits until no service worker is on its way, and one is there.
func (p *tab) idle() {
	p.t.Helper()
	p.eventually("the service worker to come to an end", `navigator.serviceWorker.getRegistration().then(r => !!(r && r.active && r.active.state === "activated" && !r.installing && !r.waiting))`)
}

// offline takes the line down and visits the page, which must be there, and whole:
// every file of its version, the late ones too.
func (p *tab) offline(l *line, want ...string) {
	p.t.Helper()
	l.deploy("")
	got := p.visit(l.URL)
	if !strings.Contains(strings.Join(want, " "), got) {
		p.t.Errorf("without a line the version %q comes, want one of %q", got, want)
	}
	p.until("what comes late", `window.late === 6`)
	p.do(chromedp.Navigate(l.URL + "source/shared/flow/flow.go.html"))
	p.do(chromedp.WaitVisible("#L1"))
	if margin := eval[string](p, `getComputedStyle(document.body).margin`); margin != "0px" {
		p.t.Error("a page of the source comes without its style sheet")
	}
}

// TestDeploys deploys the page anew at bad moments. Whatever happens, a version is
// whole without a line; and a page that is open has the files of its own version.
func TestDeploys(t *testing.T) {
	t.Parallel()
	first := hollow(t)
	second, third := deployment(t, first, "second"), deployment(t, first, "third")
	kept := func(t *testing.T, options ...chromedp.ContextOption) (*line, *tab) { // the first version, kept
		t.Helper()
		l := newLine(t, first.dir)
		p := blank(t, options...)
		p.visit(l.URL)
		p.kept(first.name)
		return l, p
	}

	t.Run("visits while it is fetched", func(t *testing.T) {
		l, p := kept(t)
		l.deploy(second.dir)
		s := l.hold(byWorker)
		p.visit(l.URL)
		s.wait(t)
		q := blank(t)
		for _, p := range []*tab{p, q, p} { // each tidies up
			if got := p.visit(l.URL); got != "first" {
				t.Errorf("while the second version is on its way, %q comes", got)
			}
			p.until("what comes late", `window.late === 6`) // and then old versions go
		}
		l.pass()
		p.kept(second.name)
		p.offline(l, "second")
		q.offline(l, "second")
	})

	t.Run("another one while it is fetched", func(t *testing.T) {
		l, p := kept(t)
		l.deploy(second.dir)
		s := l.hold(byWorker)
		p.visit(l.URL)
		s.wait(t)
		l.deploy(third.dir)
		l.pass() // the second finds pages of the third in the place of its own
		p.idle()
		p.offline(l, "first")
		l.deploy(third.dir)
		p.visit(l.URL)
		p.kept(third.name)
		p.offline(l, "third")
	})

	t.Run("during the first visit", func(t *testing.T) {
		l := newLine(t, first.dir)
		s := l.hold(byWorker)
		p := blank(t)
		p.visit(l.URL)
		s.wait(t)
		l.deploy(second.dir)
		l.pass()
		p.eventually("the worker to give up", `navigator.serviceWorker.getRegistration().then(r => !r || !r.installing)`)
		if got := p.visit(l.URL); got != "second" {
			t.Errorf("after an update during the first visit %q comes", got)
		}
		p.kept(second.name)
		p.offline(l, "second")
	})

	t.Run("a page that stays open", func(t *testing.T) {
		l, p := kept(t)
		own := eval[string](p, `document.querySelector("link[rel=stylesheet]").getAttribute("href")`)
		l.deploy(second.dir)
		q := blank(t)
		q.visit(l.URL)
		q.kept(second.name)
		l.deploy(third.dir)
		if got := q.visit(l.URL); got != "second" {
			t.Errorf("%q comes, want the second version", got)
		}
		q.kept(third.name)
		if got := q.visit(l.URL); got != "third" {
			t.Errorf("%q comes, want the third version", got)
		}
		q.eventually("the second version to be gone", fmt.Sprintf(`caches.keys().then(names => !names.some(n => n.includes(%q)))`, second.name))
		l.deploy("")
		if !promised[bool](p, fmt.Sprintf(`fetch(%q).then(r => r.ok)`, own)) {
			t.Error("the first version's page is open, and its files are gone")
		}
		p.do(chromedp.Navigate("about:blank"))
		l.deploy(third.dir)
		q.visit(l.URL)
		q.eventually("the first version to be gone", `caches.keys().then(names => names.length === 1)`)
		q.offline(l, "third")
	})

	t.Run("killed half way", func(t *testing.T) {
		// All workers of the browser's context are stopped: it is no other test's.
		l, p := kept(t, chromedp.WithNewBrowserContext())
		l.deploy(second.dir)
		s := l.hold(byWorker)
		p.visit(l.URL)
		s.wait(t)
		p.stopWorkers()
		l.deploy("")
		l.pass()
		p.idle()
		p.offline(l, "first")
		l.deploy(second.dir)
		p.visit(l.URL)
		p.kept(second.name)
		p.offline(l, "second")
	})

	t.Run("no room", func(t *testing.T) {
		l, p := kept(t)
		origin := strings.TrimSuffix(l.URL, "/")
		quota := func(size *float64) {
			t.Helper()
			if _, err := chromedp.Call(p.ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: origin, QuotaSize: size}); err != nil {
				t.Fatal(err)
			}
		}
		quota(new(1e6))
		l.deploy(second.dir)
		p.visit(l.URL)
		p.idle()
		if names := promised[string](p, `caches.keys().then(names => names.join(", "))`); strings.Contains(names, ",") {
			t.Errorf("without room the caches are %s; want the first version's alone", names)
		}
		p.offline(l, "first")
		quota(nil)
		l.deploy(second.dir)
		p.visit(l.URL)
		p.kept(second.name)
		p.offline(l, "second")
	})

	t.Run("a lost cache", func(t *testing.T) {
		l, p := kept(t)
		p.eventually("the cache to be gone", `caches.keys().then(names => Promise.all(names.map(n => caches.delete(n)))).then(() => true)`)
		p.visit(l.URL) // which mends it
		p.eventually("the mark of a whole version", `caches.match("?whole").then(r => !!r)`)
		p.offline(l, "first")
	})
}

// stopWorkers kills all service workers of its context, in the midst of what they do.
func (p *tab) stopWorkers() {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, serviceworker.Enable, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
	if _, err := chromedp.Call(p.ctx, serviceworker.StopAllWorkers, cdp.Empty{}); err != nil {
		p.t.Fatal(err)
	}
}
