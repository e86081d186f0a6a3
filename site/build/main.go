// Command build builds the page.
//
//	go run ./site/build [-out site/dist] [-model runs/mine [-data DIR]] [-weights weights/mnist.safetensors]
//		[-classifier weights/classifier.safetensors]
//		[-baselines weights/ldm.safetensors] [-faces weights] [-source URL] [-bench] [-fast]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"mppm/site/internal/bundle"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "", "folder to write (default site/dist)")
	model := flags.String("model", "", "weights of your own, or the folder of a run, to build the page around")
	data := flags.String("data", "", "with -model: the folder of its data, with a test set (default: as the weights say)")
	weights := flags.String("weights", "", "the model's weights (default weights/mnist.safetensors)")
	reader := flags.String("classifier", "", "the classifier's weights, or the folder of its run (default weights/classifier.safetensors; with -model none)")
	baselines := flags.String("baselines", "", "the weights to compare with, of train ldm, or the folder of its run (default weights/ldm.safetensors; with -model none)")
	faces := flags.String("faces", "", "the folder with faces.safetensors and drawn.safetensors, as far as there are any (default weights)")
	source := flags.String("source", "", "where links to the source lead, as https://…/blob/main (default: to pages of the site itself)")
	bench := flags.Bool("bench", false, "with the page that times this beside other runtimes; `npm ci` in site/bench installs those")
	fast := flags.Bool("fast", false, "compress less: for trying things out on this machine")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not understood; build takes flags alone", flags.Arg(0))
	}
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("cannot run go: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(mod)))
	if _, err := os.Stat(filepath.Join(root, "site", "static")); err != nil {
		return errors.New("run this inside the project")
	}
	if *out == "" {
		*out = filepath.Join(root, "site", "dist")
	}
	err = bundle.Build(ctx, bundle.Options{
		Root: root, Out: *out, Model: *model, Data: *data, Weights: *weights, Classifier: *reader, Baselines: *baselines, Faces: *faces,
		Source: *source, Bench: *bench, Fast: *fast, Log: stdout,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "the page is in", *out)
	return nil
}
