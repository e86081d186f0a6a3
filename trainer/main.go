// Command trainer trains, exports and runs the generative models of mppm.
package main

import (
	"context"
	"os"

	"mppm/trainer/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
