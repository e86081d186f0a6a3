// Command serve serves the built page on this machine, and the model as a service, as
// the edge does; and beside it models of pictures in color, which the edge has no room
// for.
//
//	go run ./site/serve [-addr 127.0.0.1:8080] [-dir site/dist] [-model NAME=FILE]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mppm/site/internal/api"
	"mppm/site/internal/host"
	"mppm/site/static"
	"mppm/weights"
)

// tries is how many ports are tried, from the one asked for upwards.
const tries = 10

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "address to listen on; if its port is taken, the next ones are tried")
	dir := flags.String("dir", filepath.Join("site", "dist"), "the built page")
	plain := flags.Bool("plain", false, "play a host that neither compresses nor sets headers, and has no service")
	colors := map[string][]byte{"faces": weights.Faces, "drawn": weights.Drawn}
	flags.Func("model", "`NAME=FILE`: weights of train images, which the service calls by that name; may be given again", func(s string) error {
		name, file, ok := strings.Cut(s, "=")
		if !ok || name == "" || file == "" {
			return errors.New("give NAME=FILE, such as faces=runs/images/images.safetensors")
		}
		b, err := os.ReadFile(file)
		colors[name] = b
		return err
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if _, err := os.Stat(filepath.Join(*dir, "index.html")); err != nil {
		return fmt.Errorf("%s holds no built page: build it with `make site`, or name another folder with -dir", *dir)
	}
	handler := host.Handler(*dir, host.Options{Plain: *plain})
	if !*plain {
		service, err := api.New(api.Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels, Colors: colors})
		if err != nil {
			return err
		}
		page := handler
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/s" || strings.HasPrefix(r.URL.Path, "/api/") {
				service.ServeHTTP(w, r)
				return
			}
			page.ServeHTTP(w, r)
		})
	}
	l, err := listen(*addr, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "the page is at http://%s/ (stop with Ctrl-C)\n", l.Addr())
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = s.Close() // Serve returns, and says whether that was in order
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen opens addr, or the next free port above it.
func listen(addr string, stderr io.Writer) (net.Listener, error) {
	at, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("the address %q is not HOST:PORT: %w", addr, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return nil, fmt.Errorf("the port %q is not a number from 0 to 65535", portText)
	}
	for p := port; ; p++ {
		l, err := net.Listen("tcp", net.JoinHostPort(at, strconv.Itoa(p)))
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("cannot listen on %s: %w: choose another with -addr HOST:PORT", addr, err)
		}
		if p == port+tries-1 || p == 65535 {
			return nil, fmt.Errorf("the ports %d to %d are taken: choose another with -addr HOST:PORT", port, p)
		}
		fmt.Fprintf(stderr, "port %d is taken, trying %d\n", p, p+1)
	}
}
