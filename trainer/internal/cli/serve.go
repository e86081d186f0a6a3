package cli

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
)

// Serving says what is served, and where.
type Serving struct {
	Dir   string           // the folder of a built page; "": the page that the program carries
	Addr  string           // HOST:PORT
	Ready func(url string) // is to be called once the page can be opened
	Log   io.Writer        // what is said on the way
}

// Serve serves the page until the context ends, which is no error.
type Serve func(context.Context, Serving) error

type serveOptions struct {
	addr, dir string
	open      bool
}

func serveCommand() command {
	return command{
		name:    "serve",
		args:    "[--addr HOST:PORT] [--open] [--dir DIR]",
		summary: "serve the page, and the model as a service",
		about: `
Serves the page on this machine, from the program itself, and the model as a service
under /api/, which /api/openapi.json describes. Nothing is fetched from anywhere. A
program that was built without the page (make mppm builds one with it) serves one that
was built into a folder. Ctrl-C ends it.`,
		examples: []string{"serve", "serve --open", "serve --addr 127.0.0.1:9000", "serve --dir site/dist"},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := serveOptions{addr: "127.0.0.1:8080"}
			f.text(&o.addr, "addr", "HOST:PORT", "address to listen on; if its port is taken, the next ones are tried; port 0 is any free one")
			f.toggle(&o.open, "open", "open the page in the browser")
			f.text(&o.dir, "dir", "DIR", "folder with a page that `make site` built; default: the page in this program")
			f.reads("dir", &o.dir, readsFolder)
			return o.run
		},
	}
}

func (o *serveOptions) run(ctx context.Context, e env, _ []string) error {
	return e.serve(ctx, Serving{Dir: o.dir, Addr: o.addr, Log: e.stderr, Ready: func(url string) {
		fmt.Fprintf(e.stdout, "the page is at %s (stop with Ctrl-C)\n", url)
		if !o.open {
			return
		}
		if err := open(url); err != nil {
			fmt.Fprintf(e.stderr, "note: no browser could be started (%v): open the address by hand\n", err)
		}
	}})
}

// open has the system show an address in its browser, and does not wait for it.
func open(url string) error {
	name, args := opener(runtime.GOOS)
	c := exec.Command(name, append(args, url)...)
	if err := c.Start(); err != nil {
		return err
	}
	go func() { _ = c.Wait() }() // what becomes of the browser is the visitor's own affair
	return nil
}

// opener returns the command that shows an address on a system.
func opener(system string) (name string, args []string) {
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}
