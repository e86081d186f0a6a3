package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/halfcircle"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/rundir"
)

// netsFolder is where eval circle keeps the nets that it has trained.
const netsFolder = "nets"

type evalCircleOptions struct {
	out                  string
	seeds, epochs, tests int
	seed                 uint64
	quick, quiet         bool
	folder               *folder
}

func evalCircleCommand() command {
	return command{
		name:    "eval circle",
		args:    "[--out DIR] [flags]",
		summary: "score MPPM and its baselines on the half circle: Figures 4 to 7",
		about: `
Trains what train circle trains once for each of ten seeds, with the project's
settings and with those of Tables 7 and 10, restores noisy points of the half
circle, and measures how far from it they come to lie, and how much of the arc they
cover. What the paper does not say (noise, start of the diffusion, which error) is
tried side by side. The folder gets table.md, table.csv, table.json, and Figures 4
to 7 of the first seed, and the nets, which another evaluation there takes up again.
It takes about ten minutes on two cores.`,
		examples: []string{
			"eval circle",
			"eval circle --seeds 2 --quick",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := evalCircleOptions{out: "runs/eval-circle", seeds: 10, seed: 1, tests: halfcircle.Tests}
			f.text(&o.out, "out", "DIR", "folder for the tables and pictures")
			f.integer(&o.seeds, "seeds", "N", "so many seeds", 1, 1000)
			f.seed(&o.seed, "seed", "the first of them")
			f.integer(&o.tests, "tests", "N", "points that are restored in each test", 10, 100_000)
			f.toggle(&o.quick, "quick", "leave out the nets of Tables 7 and 10")
			f.integer(&o.epochs, "epochs", "N", "train for so many epochs at most; 0: as the settings say", 0, 100_000)
			f.toggle(&o.quiet, "quiet", "show no progress")
			o.folder = f.owns("out", &o.out, func() rundir.Use {
				return rundir.Use{
					Command: "eval circle",
					Names:   []string{"table.md", "table.csv", "table.json", "figure4.png", "figure5.png", "figure6.png", "figure7.png"},
					Marks:   []string{netsFolder},
				}
			})
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *evalCircleOptions) run(ctx context.Context, e env) error {
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	if err := atomicfile.Writable(filepath.Join(o.out, "table.md")); err != nil {
		return err
	}
	trainings := halfcircle.Trainings()
	if o.quick {
		delete(trainings, halfcircle.Theirs)
	}
	if o.epochs > 0 {
		for name, c := range trainings {
			c.Epochs = o.epochs
			trainings[name] = c
		}
	}
	bar := progress.New(progressOf(e, o.quiet), "training", len(trainings)*o.seeds, progress.Options{Unit: "runs"})
	t, models, err := halfcircle.Run(ctx, halfcircle.Options{Trainings: trainings, First: o.seed, Seeds: o.seeds, Tests: o.tests, Dir: filepath.Join(o.out, netsFolder)}, bar)
	bar.Finish()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll(o.out, map[string]func(io.Writer) error{"table.md": t.Markdown, "table.csv": t.CSV, "table.json": t.JSON}); err != nil {
		return err
	}
	if err := halfcircle.Figures(o.out, models[halfcircle.Ours], o.seed, o.tests); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s holds the tables and Figures 4 to 7; begin with table.md\n", o.out)
	return err
}
