package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// TestServe: what the flags say is what is served, and its address is printed.
func TestServe(t *testing.T) {
	var asked Serving
	serve := func(_ context.Context, s Serving) error {
		asked = s
		s.Ready("http://127.0.0.1:9000/")
		return nil
	}
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), strings.Fields("serve --addr 127.0.0.1:9000 --dir site/dist"), nil, &stdout, &stderr, serve)
	if code != exitOK || asked.Addr != "127.0.0.1:9000" || asked.Dir != "site/dist" {
		t.Errorf("exit code %d, %+v\n%s", code, asked, stderr.String())
	}
	if got := stdout.String(); got != "the page is at http://127.0.0.1:9000/ (stop with Ctrl-C)\n" {
		t.Errorf("it says %q", got)
	}
	failing := func(context.Context, Serving) error { return errors.New("there is no page") }
	if code := Run(t.Context(), []string{"serve"}, nil, &stdout, &stderr, failing); code != exitFailure || !strings.Contains(stderr.String(), "error: serve: there is no page") {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
}

// TestOpen: a system without a browser is told of it, and serves all the same.
func TestOpen(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	serve := func(_ context.Context, s Serving) error {
		s.Ready("http://127.0.0.1:9000/")
		return nil
	}
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), []string{"serve", "--open"}, nil, &stdout, &stderr, serve); code != exitOK || !strings.Contains(stderr.String(), "open the address by hand") {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
}
