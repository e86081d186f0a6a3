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
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"mppm/site/page"
)

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
	o := page.Options{Models: map[string][]byte{}, Log: stderr}
	flags.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "address to listen on; if its port is taken, the next ones are tried")
	flags.StringVar(&o.Dir, "dir", filepath.Join("site", "dist"), "the built page")
	flags.BoolVar(&o.Plain, "plain", false, "play a host that neither compresses nor sets headers, and has no service")
	flags.Func("model", "`NAME=FILE`: weights of train images, which the service calls by that name; may be given again", func(s string) error {
		name, file, ok := strings.Cut(s, "=")
		if !ok || name == "" || file == "" {
			return errors.New("give NAME=FILE, such as faces=runs/images/images.safetensors")
		}
		b, err := os.ReadFile(file)
		o.Models[name] = b
		return err
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	o.Ready = func(url string) { fmt.Fprintf(stdout, "the page is at %s (stop with Ctrl-C)\n", url) }
	return page.Serve(ctx, o)
}
