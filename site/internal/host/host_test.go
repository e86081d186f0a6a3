package host

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// page writes a small built page and returns its folder.
func page(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"index.html":                           "<p>page",
		"index.html.br":                        "br",
		"index.html.gz":                        "gz",
		"_headers":                             "secret",
		"assets/mppm.0123456789abcdef.wasm":    "\x00asm",
		"assets/mppm.0123456789abcdef.wasm.gz": "packed",
	} {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func get(t *testing.T, h http.Handler, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(b)
}

func TestCodings(t *testing.T) {
	h := Handler(page(t), Options{})
	for _, c := range []struct{ path, accept, coding, body string }{
		{"/", "", "", "<p>page"},
		{"/", "gzip, deflate, br", "br", "br"},
		{"/index.html", "gzip", "gzip", "gz"},
		{"/", "br;q=0, gzip;q=0.5", "gzip", "gz"},
		{"/", "br; q=0, *", "gzip", "gz"},
		{"/", "*", "br", "br"},
		{"/", "brotli", "", "<p>page"},
		{"/", "br;q=x", "", "<p>page"},
		{"/assets/mppm.0123456789abcdef.wasm", "br", "", "\x00asm"},
		{"/assets/mppm.0123456789abcdef.wasm", "br, gzip", "gzip", "packed"},
		{"/assets/mppm.0123456789abcdef.wasm.gz", "br, gzip", "", "packed"},
	} {
		r, body := get(t, h, "GET", c.path, "Accept-Encoding", c.accept)
		if r.StatusCode != 200 || r.Header.Get("Content-Encoding") != c.coding || body != c.body {
			t.Errorf("%s with %q: status %d, coding %q, body %q; want coding %q, body %q", c.path, c.accept, r.StatusCode, r.Header.Get("Content-Encoding"), body, c.coding, c.body)
		}
	}
}

func TestHeaders(t *testing.T) {
	h := Handler(page(t), Options{})
	r, _ := get(t, h, "GET", "/assets/mppm.0123456789abcdef.wasm", "Accept-Encoding", "gzip")
	for name, want := range map[string]string{
		"Content-Type": "application/wasm", "Cache-Control": Forever, "Vary": "Accept-Encoding",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": Policy, "Content-Length": "6",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	r, _ = get(t, h, "GET", "/")
	if got := r.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("the page itself has Cache-Control %q, want no-cache", got)
	}
	r, body := get(t, h, "GET", "/", "If-None-Match", r.Header.Get("ETag"))
	if r.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("an unchanged page is sent again: status %d, body %q", r.StatusCode, body)
	}
	for _, bad := range []string{"'unsafe-inline'", "'unsafe-eval'", "*", "http:"} {
		if strings.Contains(Policy, bad) {
			t.Errorf("the policy allows %s", bad)
		}
	}
}

func TestRefuses(t *testing.T) {
	h := Handler(page(t), Options{})
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/nothing", 404},
		{"GET", "/assets", 404},
		{"GET", "/assets/", 404},
		{"GET", "/_headers", 404},
		{"GET", "/../host.go", 404},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", 404},
		{"POST", "/", 405},
	} {
		r, body := get(t, h, c.method, c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d (%q)", c.method, c.path, r.StatusCode, c.status, body)
		}
	}
	r, body := get(t, h, "HEAD", "/")
	if r.StatusCode != 200 || body != "" || r.Header.Get("Content-Length") != "7" {
		t.Errorf("HEAD: status %d, length %s, body %q", r.StatusCode, r.Header.Get("Content-Length"), body)
	}
}

func TestPlainHost(t *testing.T) {
	h := Handler(page(t), Options{Plain: true})
	r, body := get(t, h, "GET", "/", "Accept-Encoding", "br, gzip")
	if body != "<p>page" || r.Header.Get("Content-Encoding") != "" || r.Header.Get("Content-Security-Policy") != "" {
		t.Errorf("a plain host sent %q with %v", body, r.Header)
	}
}

func TestHashed(t *testing.T) {
	for name, want := range map[string]bool{
		"assets/a.0123456789abcdef.js": true, "a.0123456789abcdef.wasm.gz": true,
		"index.html": false, "a.0123456789abcde.js": false, "a.0123456789abcdeg.js": false, "0123456789abcdef/a.js": false,
	} {
		if Hashed(name) != want {
			t.Errorf("Hashed(%q) is %v", name, !want)
		}
	}
}
