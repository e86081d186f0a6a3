// Package page serves the page on this machine, and the model as a service beside it,
// as the edge does: from a folder, or from the program itself, which carries the page
// if it was built with the tag page (`make mppm` does so).
package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
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

// ErrNone says that there is no page to serve: no folder is named, and the program
// carries none.
var ErrNone = errors.New("this program was built without the page: build one with it by `make mppm`, or name the folder of a built page with --dir")

// Options say what is served, and where.
type Options struct {
	Dir    string            // the folder of a built page; "": the page that the program carries
	Addr   string            // HOST:PORT; if the port is taken, the next ones are tried; port 0 is any
	Plain  bool              // play a host that neither compresses nor sets headers, and has no service
	Models map[string][]byte // weights of models of pictures in color, by the names that the service knows them by, beside those that ship
	Ready  func(url string)  // is called once the page can be opened; may be nil
	Log    io.Writer         // what is said on the way
}

// Serve serves the page until the context ends, which is no error. It returns ErrNone
// if there is no page, and an error that says what to do if the folder holds none, a
// model is none, or the address cannot be listened on.
func Serve(ctx context.Context, o Options) error {
	files, err := o.files()
	if err != nil {
		return err
	}
	handler := host.Files(files, host.Options{Plain: o.Plain})
	if !o.Plain {
		if handler, err = withService(handler, o.Models); err != nil {
			return err
		}
	}
	l, err := listen(o.Addr, o.Log)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() }) // Serve returns, and says whether that was in order
	defer stop()
	if o.Ready != nil {
		o.Ready("http://" + reached(l.Addr()) + "/")
	}
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// files returns the files of the page.
func (o Options) files() (fs.FS, error) {
	if o.Dir == "" {
		return carried()
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "index.html")); err != nil {
		return nil, fmt.Errorf("%s holds no built page: build it with `make site`, or name another folder", o.Dir)
	}
	return os.DirFS(o.Dir), nil
}

// withService returns what serves the model beside the page.
func withService(page http.Handler, models map[string][]byte) (http.Handler, error) {
	colors := map[string][]byte{"faces": weights.Faces, "drawn": weights.Drawn}
	for name, b := range models {
		colors[name] = b
	}
	service, err := api.New(api.Files{Weights: weights.MNIST, Classifier: weights.Classifier, Images: static.Images, Labels: static.Labels, Colors: colors})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/s" || strings.HasPrefix(r.URL.Path, "/api/") {
			service.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}), nil
}

// listen opens addr, or the next free port above it.
func listen(addr string, log io.Writer) (net.Listener, error) {
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
		if !taken(err) {
			return nil, fmt.Errorf("cannot listen on %s: %w: choose another address", addr, err)
		}
		if p == port+tries-1 || p == 65535 {
			return nil, fmt.Errorf("the ports %d to %d are taken: choose another address", port, p)
		}
		fmt.Fprintf(log, "port %d is taken, trying %d\n", p, p+1)
	}
}

// reached returns where a browser on this machine finds a listener: one on all addresses
// at localhost.
func reached(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(t.Port))
	}
	return a.String()
}

// taken reports whether another program listens already. Windows has a number of its
// own for that, WSAEADDRINUSE.
func taken(err error) bool {
	const windows = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windows)
}
