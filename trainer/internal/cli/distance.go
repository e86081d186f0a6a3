package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"mppm/shared/latent"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/probe"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/rundir"
)

type evalDistanceOptions struct {
	out     string
	data    dataOptions
	weights string
	n       int
	seed    uint64
	quiet   bool
	folder  *folder
}

// Files that say what D is. The last is drawn where the weights name a plane.
const (
	distanceTable   = "distance.md"
	distanceFigures = "distance.json"
	distanceScatter = "distance.png"
	distancePlane   = "distance-plane.png"
)

var distanceFiles = []string{distanceTable, distanceFigures, distanceScatter, distancePlane}

func evalDistanceCommand() command {
	return command{
		name:    "eval distance",
		args:    "[--out DIR] [flags]",
		summary: "measure whether the learned distance is one",
		about: `
Compares D with the distance that it should be at codes of clean test digits, of
noisy ones, at clean codes that are moved in random directions, and where
generation starts; orders them by D; measures |∇D| and how it changes along rays out
of the cloud of codes; and follows D along flows, where it should fall, without a
density by 1 − α a step. The folder gets distance.md, distance.json, D against the
distance as a scatter (distance.png), and D on the map's plane (distance-plane.png).
eval mnist writes them too.

The weights are the embedded ones unless a file is given.`,
		examples: []string{
			"eval distance",
			"eval distance --weights runs/mnist/mnist.safetensors --n 2000 --out runs/distance",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := evalDistanceOptions{out: "runs/eval-distance", seed: 1}
			f.text(&o.out, "out", "DIR", "folder for the table and the figures")
			o.data.flags(f, idxFiles+orMNIST)
			f.text(&o.weights, "weights", "FILE", "the model (default: the embedded one)")
			f.integer(&o.n, "n", "N", "so many of the test digits, at least 2; 0: all", 0, 1_000_000)
			f.seed(&o.seed, "seed", "seed of noise and directions")
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.reads("data", &o.data.dir, readsData)
			f.reads("weights", &o.weights, readsFile)
			o.folder = f.owns("out", &o.out, func() rundir.Use {
				return rundir.Use{Command: "eval distance", Names: distanceFiles, Marks: []string{distanceFigures}}
			})
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *evalDistanceOptions) run(ctx context.Context, e env) error {
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.data.open(ctx, e.stderr, dataset.Load)
	if err != nil {
		return err
	}
	n := set.Test.N
	if o.n > 0 {
		n = o.n
	}
	if n < 2 || n > set.Test.N {
		return usagef("--n is %d: give 2 to %d, the number of test digits, or 0 for all", n, set.Test.N)
	}
	m, err := loadModelOf(methodLMPPM, o.weights)
	if err != nil {
		return err
	}
	if err := writeDistance(ctx, o.out, m, set.Test.Images[:n*latent.DigitPixels], o.seed, progressOf(e, o.quiet)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s holds the table and the figures; begin with %s\n", o.out, distanceTable)
	return err
}

// writeDistance writes to dir what the D of m is on images that it was not trained
// on. Progress goes to w, unless that is nil.
func writeDistance(ctx context.Context, dir string, m *latent.Model, images []byte, seed uint64, w io.Writer) error {
	bar := progress.New(w, "measuring the distance", probe.Parts, progress.Options{Unit: "parts"})
	r, err := probe.Run(ctx, m, images, seed, func(string) { bar.Add(1) })
	bar.Finish()
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll(dir, map[string]func(io.Writer) error{distanceTable: r.Markdown, distanceFigures: r.JSON}); err != nil {
		return err
	}
	if err := r.Scatter(filepath.Join(dir, distanceScatter)); err != nil {
		return err
	}
	if m.Plane == nil {
		return nil
	}
	return probe.Plane(filepath.Join(dir, distancePlane), m)
}
