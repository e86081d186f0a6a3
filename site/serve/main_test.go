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

// TestTakenPort serves beside a program that has the port already.
func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var stdout, stderr buffer
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-addr", taken.Addr().String(), "-dir", dir}, &stdout, &stderr)
	}()
	var url string
	for url == "" {
		select {
		case err := <-done:
			t.Fatalf("serve ended: %v", err)
		case <-time.After(10 * time.Millisecond): // and look again
			url = regexp.MustCompile(`http://\S+`).FindString(stdout.String())
		}
	}
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
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopping: %v", err)
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
	if err := os.WriteFile(filepath.Join(dir, "index.html"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"nowhere", "127.0.0.1:port", "127.0.0.1:70000", "256.1.1.1:80"} {
		if err := run(context.Background(), []string{"-dir", dir, "-addr", addr}, &out, &out); err == nil {
			t.Errorf("address %s: no error", addr)
		}
	}
}
