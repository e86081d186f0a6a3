//go:build unix

// Package e2e runs the Worker as the edge would, in workerd on this machine, and
// holds it to the handler that runs natively.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mppm/shared/idx"
	"mppm/site/internal/api"
	"mppm/site/internal/bundle"
	"mppm/site/internal/host"
	"mppm/site/static"
	"mppm/weights"
)

var (
	base   string // the address of the Worker
	dist   string // the built page
	native *api.API
)

func TestMain(m *testing.M) {
	if os.Getenv("MPPM_SKIP_WORKER") == "1" {
		fmt.Println("MPPM_SKIP_WORKER=1: the Worker is not tested")
		return
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err, "(MPPM_SKIP_WORKER=1 leaves these tests out)")
		os.Exit(1)
	}
	os.Exit(code)
}

// run builds the page, or takes that of MPPM_DIST, builds the Worker, installs
// what runs it, and starts it.
func run(m *testing.M) (int, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		return 0, err
	}
	if native, err = api.New(api.Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels}); err != nil {
		return 0, err
	}
	if err := install(); err != nil {
		return 0, err
	}
	tmp, err := os.MkdirTemp("", "mppm-worker-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	if dist = os.Getenv("MPPM_DIST"); dist == "" {
		dist = filepath.Join(tmp, "dist")
		if err := bundle.Build(ctx, bundle.Options{Root: root, Out: dist, Fast: true, Log: io.Discard}); err != nil {
			return 0, err
		}
	}
	if !filepath.IsAbs(dist) { // as the Makefile gives it
		dist = filepath.Join(root, dist)
	}
	if _, err := os.Stat(filepath.Join(dist, "index.html")); err != nil {
		return 0, fmt.Errorf("%s holds no built page: build it with `make site`, or leave MPPM_DIST empty", dist)
	}
	pack := exec.Command("go", "run", "./site/worker/pack")
	pack.Dir, pack.Stdout, pack.Stderr = root, os.Stdout, os.Stderr
	if err := pack.Run(); err != nil {
		return 0, fmt.Errorf("the Worker cannot be built: %w", err)
	}
	end, err := start(tmp)
	if err != nil {
		return 0, err
	}
	defer end()
	return m.Run(), nil
}

// install installs wrangler as package-lock.json has it, once.
func install() error {
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("there is no %s: install Node 20 or later, and npm", name)
		}
	}
	version := func(path string, find func(b []byte) string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		return find(b)
	}
	want := version(filepath.Join("..", "package.json"), func(b []byte) string {
		var p struct{ DevDependencies map[string]string }
		_ = json.Unmarshal(b, &p) // an error leaves the version empty
		return p.DevDependencies["wrangler"]
	})
	have := version(filepath.Join("..", "node_modules", "wrangler", "package.json"), func(b []byte) string {
		var p struct{ Version string }
		_ = json.Unmarshal(b, &p)
		return p.Version
	})
	if want != "" && want == have {
		return nil
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = ".."
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("wrangler cannot be installed: %w\n%s", err, out)
	}
	return nil
}

// wrangler is a command that asks nothing, reports nothing, and keeps its files
// in tmp.
func wrangler(tmp string, args ...string) *exec.Cmd {
	c := exec.Command("node", append([]string{filepath.Join("node_modules", "wrangler", "bin", "wrangler.js")}, args...)...)
	c.Dir = ".."
	c.Env = append(os.Environ(), "CI=1", "NODE_ENV=test", "WRANGLER_SEND_METRICS=false", "WRANGLER_HIDE_BANNER=true", "WRANGLER_LOG_PATH="+filepath.Join(tmp, "logs"), "XDG_CONFIG_HOME="+filepath.Join(tmp, "config"))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

// start starts the Worker, and returns what ends it.
func start(tmp string) (end func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	if err := l.Close(); err != nil {
		return nil, err
	}
	base = "http://127.0.0.1:" + port
	var log bytes.Buffer
	c := wrangler(tmp, "dev", "--ip", "127.0.0.1", "--port", port, "--inspector-port", "0", "--show-interactive-dev-session=false", "--assets", dist, "--persist-to", filepath.Join(tmp, "state"))
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	end = func() {
		// The whole group: wrangler has children.
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(time.Minute):
		}
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	}
	for begun := time.Now(); time.Since(begun) < patience; {
		if r, err := http.Get(base + "/api/model"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return end, nil
			}
		}
		select {
		case err := <-done:
			done <- nil
			return nil, fmt.Errorf("wrangler ended: %v\n%s", err, log.String())
		case <-time.After(200 * time.Millisecond):
		}
	}
	end()
	return nil, fmt.Errorf("the Worker did not answer within %v\n%s", patience, log.String())
}

// patience is how long the Worker may take to start, and for an answer: long
// enough for a machine that is slow and busy.
const patience = 10 * time.Minute

var client = &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: patience}

// question is a request, with headers as "Name: value".
type question struct {
	method, path string
	body         []byte
	headers      []string
}

func (q question) request(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(q.method, base+q.path, bytes.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range q.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return r
}

// ask asks the Worker.
func ask(t testing.TB, q question) (*http.Response, []byte) {
	t.Helper()
	w, err := client.Do(q.request(t))
	if err != nil {
		t.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	return w, b
}

// image returns test digit i as JSON.
func image(t testing.TB, i int) []byte {
	t.Helper()
	f, err := idx.Parse(static.Images)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 28*28)
	for k := range x {
		x[k] = float32(f.Data[i*len(x)+k]) / 255
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func questions(t testing.TB) []question {
	digit := image(t, 7)
	js, asPNG, asJSON := "Content-Type: application/json", "Accept: image/png", "Accept: application/json"
	sent := question{"GET", "/api/generate?n=1&scale=8", nil, nil}
	_, picture := ask(t, sent)
	return []question{
		{"GET", "/api/model", nil, nil},
		{"GET", "/api/openapi.json", nil, nil},
		sent,
		{"GET", "/api/generate", nil, nil},
		{"GET", "/api/generate?seed=5&n=12&class=3", nil, []string{asJSON}},
		{"GET", "/api/generate?v=" + native.Fingerprint(), nil, []string{"Accept: text/html, */*;q=0.8"}},
		{"HEAD", "/api/generate", nil, nil},
		{"POST", "/api/restore", digit, []string{js}},
		{"POST", "/api/restore?preset=sharp&picture=strip&scale=2", digit, []string{js, asPNG}},
		{"POST", "/api/restore", picture, []string{"Content-Type: image/png"}},
		{"POST", "/api/restore?center=always", picture, []string{"Content-Type: image/png", asJSON}},
		{"POST", "/api/restore", photograph(t), []string{"Content-Type: image/png", asJSON}},
		{"GET", "/api/preview.png?damage=elastic&digit=12", nil, nil},
		{"GET", "/api/preview.png?mode=generate&grid-seed=4&class=8", nil, nil},
		{"GET", "/s?mode=generate&grid-seed=4&utm_source=x", nil, nil},
		{"GET", "/s?digit%3D5%26mode%3Dmap", nil, nil},
		{"GET", "/s?digit=300&mode=map", nil, nil},
		{"OPTIONS", "/api/restore", nil, []string{"Origin: https://elsewhere.example", "Access-Control-Request-Method: POST"}},
		// With a body that nobody asked for.
		{"GET", "/api/generate?n=2", []byte("{}"), []string{js}},
		{"GET", "/s?digit=5", bytes.Repeat([]byte("a"), 2<<20), nil},
		{"HEAD", "/api/generate", []byte("{}"), nil},
		{"OPTIONS", "/api/restore", []byte("{}"), nil},
		{"DELETE", "/api/generate", []byte("{}"), nil},
		{"PUT", "/s", bytes.Repeat([]byte("a"), 2<<20), nil},
		{"PATCH", "/api/none", []byte("{}"), nil},
		// What is refused.
		{"GET", "/api/none", nil, nil},
		{"DELETE", "/api/generate", nil, nil},
		{"GET", "/api/generate?n=101", nil, nil},
		{"GET", "/api/generate", nil, []string{"Accept: text/html"}},
		{"GET", "/s?digit=x", nil, nil},
		{"POST", "/api/restore?size=3", digit, []string{js}},
		{"POST", "/api/restore", nil, []string{js}},
		{"POST", "/api/restore", []byte("[1]"), []string{js}},
		{"POST", "/api/restore", digit, nil},
		{"POST", "/api/restore", bytes.Repeat([]byte("a"), 2<<20), []string{"Content-Type: image/png"}},
		{"POST", "/api/restore", append(bytes.Clone(picture[:100]), make([]byte, 24<<20)...), []string{"Content-Type: image/png"}},
		{"POST", "/api/restore", picture[:100], []string{"Content-Type: image/png"}},
	}
}

// TestEveryAnswer holds the Worker to the handler as it runs natively: the same
// status, the same headers, and the same bytes.
func TestEveryAnswer(t *testing.T) {
	t.Parallel()
	for _, q := range questions(t) {
		want := httptest.NewRecorder()
		native.ServeHTTP(want, q.request(t))
		got, body := ask(t, q)
		name := q.method + " " + q.path
		if got.StatusCode != want.Code || !bytes.Equal(body, want.Body.Bytes()) {
			t.Errorf("%s: %d with %d bytes, natively %d with %d", name, got.StatusCode, len(body), want.Code, want.Body.Len())
		}
		for _, h := range []string{"Content-Type", "Cache-Control", "ETag", "Vary", "Allow", "Content-Security-Policy", "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "X-Content-Type-Options", "Mppm-Input"} {
			if got.Header.Get(h) != want.Header().Get(h) {
				t.Errorf("%s: %s is %q, natively %q", name, h, got.Header.Get(h), want.Header().Get(h))
			}
		}
		if tag := want.Header().Get("ETag"); tag != "" && q.method == "GET" {
			q.headers = append(q.headers, "If-None-Match: "+tag)
			if got, body := ask(t, q); got.StatusCode != http.StatusNotModified || len(body) > 0 {
				t.Errorf("%s, which is known: %d with %d bytes", name, got.StatusCode, len(body))
			}
		}
	}
}

// TestPage: the page's files come from the assets, with the headers of a good
// host, and not from the program.
func TestPage(t *testing.T) {
	t.Parallel()
	index, err := os.ReadFile(filepath.Join(dist, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	w, b := ask(t, question{method: "GET", path: "/"})
	if w.StatusCode != http.StatusOK || !bytes.Equal(b, index) {
		t.Errorf("/: %d, %d bytes, want the page's %d", w.StatusCode, len(b), len(index))
	}
	if got := w.Header.Get("Content-Security-Policy"); got != host.Policy {
		t.Errorf("/: the policy is %q", got)
	}
	style := regexp.MustCompile(`"(assets/style\.[0-9a-f]+\.css)"`).FindSubmatch(index)
	if style == nil {
		t.Fatal("the page names no style sheet")
	}
	w, b = ask(t, question{method: "GET", path: "/" + string(style[1])})
	want, err := os.ReadFile(filepath.Join(dist, string(style[1])))
	if err != nil || w.StatusCode != http.StatusOK || !bytes.Equal(b, want) || w.Header.Get("Cache-Control") != host.Forever {
		t.Errorf("/%s: %d, %d bytes, caching %q (%v)", style[1], w.StatusCode, len(b), w.Header.Get("Cache-Control"), err)
	}
	w, _ = ask(t, question{method: "GET", path: "/nothing/here"})
	if w.StatusCode != http.StatusNotFound || w.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("/nothing/here: %d with headers %v", w.StatusCode, w.Header)
	}
}

// TestManyAtOnce: requests that share one program do not mix, and those that
// break off leave it whole.
func TestManyAtOnce(t *testing.T) {
	want := map[string][]byte{}
	for i := range 5 {
		q := question{method: "GET", path: fmt.Sprintf("/api/generate?n=2&seed=%d", i)}
		_, want[q.path] = ask(t, q)
	}
	digit := image(t, 7)
	restore := question{"POST", "/api/restore", digit, []string{"Content-Type: application/json"}}
	_, restored := ask(t, restore)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for path, b := range want {
				if _, got := ask(t, question{method: "GET", path: path}); !bytes.Equal(got, b) {
					t.Errorf("%s is another among others", path)
				}
				if _, got := ask(t, restore); !bytes.Equal(got, restored) {
					t.Error("restore is another among others")
				}
			}
		})
		wg.Go(func() { // an upload that breaks off
			conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /api/restore HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(digit), digit[:100])
			time.Sleep(50 * time.Millisecond)
		})
	}
	wg.Wait()
	if w, _ := ask(t, restore); w.StatusCode != http.StatusOK {
		t.Errorf("after all that: %d", w.StatusCode)
	}
}

// TestProgramLives: what is wrong with a request costs it alone, and is no error
// of the program's. (A GET that breaks off wrangler itself answers with an error.)
func TestProgramLives(t *testing.T) {
	for _, c := range []struct {
		text   string
		breaks bool // off, and waits for no answer
	}{
		{"GET /api/generate?n=1 HTTP/1.1\r\nContent-Length: 2\r\n", false},
		{"POST /api/restore HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n", true},
		{"PUT /s HTTP/1.1\r\nContent-Length: 9000\r\n", true},
		{"GET /api/%zz HTTP/1.1\r\nContent-Length: 2\r\n", false},
		{"TRACE /api/model HTTP/1.1\r\nContent-Length: 2\r\n", false},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, c.text+"Host: x\r\n\r\n[]"); err != nil {
			t.Error(err)
		}
		if !c.breaks {
			w, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || w.StatusCode >= 500 {
				t.Errorf("%q: %v, %v", c.text, w, err)
			}
		}
		conn.Close()
		if w, b := ask(t, question{method: "GET", path: "/api/generate?n=1"}); w.StatusCode != http.StatusOK {
			t.Errorf("after %q: %d %.300s", c.text, w.StatusCode, b)
		}
	}
}

// maxUpload bounds what would be deployed, compressed, in KiB: 3 MB.
const maxUpload = 2929

// TestDeploy: what wrangler would deploy is in order, and small enough.
func TestDeploy(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	out, err := wrangler(tmp, "deploy", "--dry-run", "--outdir", filepath.Join(tmp, "out"), "--assets", dist).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := regexp.MustCompile(`gzip: ([0-9.]+) KiB`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("wrangler does not say how large it is:\n%s", out)
	}
	size, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil || size > maxUpload {
		t.Errorf("%s KiB would be deployed; the edge takes %d", m[1], maxUpload)
	}
	t.Logf("%s", bytes.TrimSpace(m[0]))
}
