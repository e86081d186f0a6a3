package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mppm/site/internal/host"
)

// built writes a small built page, with its twins.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name, content string) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"index.html": "<p>page", "manifest.json": "{}", "assets/mppm.0123456789abcdef.wasm": strings.Repeat("\x00asm", 100),
	} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		put(name, content)
		put(name+".gz", packed.String())
		put(name+".br", "br")
	}
	put("_headers", "/*")
	put("notes.txt", "there is no twin of this")
	return dir
}

// TestServed: a packed page is served as the folder is.
func TestServed(t *testing.T) {
	dir := built(t)
	to := filepath.Join(t.TempDir(), "page.zip")
	if err := run(dir, to); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(to)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 4 {
		t.Errorf("%d files are packed, want 4", len(z.File))
	}
	get := func(h http.Handler, path, accept string) (*http.Response, string) {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		b, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.Result(), string(b)
	}
	folder, packed := host.Handler(dir, host.Options{}), host.Files(z, host.Options{})
	for _, path := range []string{"/", "/index.html", "/manifest.json", "/assets/mppm.0123456789abcdef.wasm", "/index.html.gz", "/notes.txt", "/_headers", "/assets/", "/nothing"} {
		for _, accept := range []string{"", "gzip", "gzip, br;q=0"} {
			want, content := get(folder, path, accept)
			got, b := get(packed, path, accept)
			if got.StatusCode != want.StatusCode || b != content {
				t.Errorf("%s with %q: %d %q, want %d %q", path, accept, got.StatusCode, b, want.StatusCode, content)
			}
			for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Cache-Control", "ETag", "Content-Security-Policy"} {
				if got.Header.Get(name) != want.Header.Get(name) {
					t.Errorf("%s with %q: %s is %q, want %q", path, accept, name, got.Header.Get(name), want.Header.Get(name))
				}
			}
		}
	}
}

// TestSame: what is packed depends on the page alone, not on when it was built.
func TestSame(t *testing.T) {
	dir := built(t)
	a, err := pack(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "notes.txt"), time.Time{}.AddDate(2000, 0, 0), time.Time{}.AddDate(2000, 0, 0)); err != nil {
		t.Fatal(err)
	}
	b, err := pack(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the same page is packed to other bytes")
	}
}

func TestRefuses(t *testing.T) {
	to := filepath.Join(t.TempDir(), "page.zip")
	if err := run(t.TempDir(), to); err == nil || !strings.Contains(err.Error(), "no built page") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a file was written all the same")
	}
}
