// Command trainer trains, exports and runs the generative models of mppm, and serves
// the page. It is here alone that the page and the trainer meet.
package main

import (
	"context"
	"os"

	"mppm/site/page"
	"mppm/trainer/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, serve))
}

func serve(ctx context.Context, s cli.Serving) error {
	return page.Serve(ctx, page.Options{Dir: s.Dir, Addr: s.Addr, Ready: s.Ready, Log: s.Log})
}
