package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mppm/shared/latent/latenttest"
	"mppm/shared/nn"
	"mppm/shared/unet"
)

// buffer is a bytes.Buffer that two goroutines may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serve runs the command until the test ends, and returns the page's address and what it
// says.
func serve(t *testing.T, args ...string) (url string, stdout, stderr *buffer) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	stdout, stderr = new(buffer), new(buffer)
	done := make(chan error, 1)
	go func() { done <- run(ctx, args, stdout, stderr) }()
	for url == "" {
		select {
		case err := <-done:
			stop()
			t.Fatalf("serve ended: %v", err)
		case <-time.After(10 * time.Millisecond): // and look again
			url = regexp.MustCompile(`http://\S+`).FindString(stdout.String())
		}
	}
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	return url, stdout, stderr
}

// folder is one with a page.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTakenPort serves beside a program that has the port already.
func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	url, stdout, stderr := serve(t, "-addr", taken.Addr().String(), "-dir", folder(t))
	if strings.Contains(url, taken.Addr().String()) {
		t.Fatalf("no other port was taken: %q, %q", stdout.String(), stderr.String())
	}
	if !strings.Contains(stderr.String(), "is taken") {
		t.Errorf("nothing was said about the taken port: %q", stderr.String())
	}
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("status %d", r.StatusCode)
	}
}

// TestService: the service is there, with models of pictures under their names.
func TestService(t *testing.T) {
	nets, err := unet.New(nn.Shape{H: 16, W: 16, C: 3}, unet.Config{Channels: []int{4}, Latent: 5})
	if err != nil {
		t.Fatal(err)
	}
	b, err := latenttest.FileOf(1, nets).Encode()
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(weights, b, 0o644); err != nil {
		t.Fatal(err)
	}
	url, _, _ := serve(t, "-addr", "127.0.0.1:0", "-dir", folder(t), "-model", "faces="+weights)
	for path, kind := range map[string]string{"": "text/html", "api/model": "application/json", "api/model?model=faces": "application/json", "api/generate?model=faces&n=2": "image/png", "s": "text/html"} {
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
}

func TestRefuses(t *testing.T) {
	dir := t.TempDir()
	var out buffer
	for _, args := range [][]string{{"-dir", dir}, {"-dir", filepath.Join(dir, "none")}, {"-nonsense"}} {
		if err := run(context.Background(), args, &out, &out); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	dir = folder(t)
	for _, args := range [][]string{{"-model", "faces"}, {"-model", "faces=" + filepath.Join(dir, "none")}, {"-model", "faces=" + filepath.Join(dir, "index.html")}} {
		if err := run(context.Background(), append(args, "-dir", dir, "-addr", "127.0.0.1:0"), &out, &out); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	for _, addr := range []string{"nowhere", "127.0.0.1:port", "127.0.0.1:70000", "256.1.1.1:80"} {
		if err := run(context.Background(), []string{"-dir", dir, "-addr", addr}, &out, &out); err == nil {
			t.Errorf("address %s: no error", addr)
		}
	}
}
