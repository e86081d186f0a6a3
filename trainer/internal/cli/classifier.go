package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	task "mppm/trainer/internal/task/classifier"
)

type classifierOptions struct {
	runFlags
	data   dataOptions
	config task.Config
}

func classifierCommand() command {
	return command{
		name:    "train classifier",
		args:    "[--out DIR] [flags]",
		summary: "train the classifier that images are judged by",
		about: `
Trains the net that reads digits, restored and grown ones too, and in whose
embedding the Fréchet distance of Sec. 5.1 is measured. Every digit it learns from
is shifted, turned, scaled and bent anew each time. The folder gets a checkpoint
and the loss curve as the run goes, and at its end the weights
(classifier.safetensors, eight bits); then the test digits are read. To choose
settings, leave the test digits alone: with --holdout the run leaves out the last
training digits and reads those. A run that was ended in any way goes on from its
last checkpoint with --resume, to the same result.`,
		examples: []string{
			"train classifier",
			"train classifier --out runs/wild --angle 25 --holdout 5000",
			"train classifier --out runs/wild --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := classifierOptions{runFlags: runFlags{out: "runs/classifier", checkpoint: 1}, config: task.Default()}
			c := &o.config
			o.flags(f, func() { o.data.flags(f, idxFiles+orFolders+"a folder of PNG files for each class"+orMNIST) }, "")
			first := len(f.list)
			f.group = "the run"
			f.seed(&c.Seed, "seed", "seed of everything random")
			f.integer(&c.Epochs, "epochs", "N", "times through the data", 1, 100_000)
			f.integer(&c.Batch, "batch", "N", "images in a step; by default no more than there are", 1, 65_536)
			f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
			f.integer(&c.Holdout, "holdout", "N", "train without the last N training digits, and read them at the end", 0, 1_000_000)
			f.group = "the digits it learns from, each by chance up to"
			f.number(&c.Warp.Shift, "shift", "X", "pixels to either side", 0, task.MaxShift)
			f.number(&c.Warp.Angle, "angle", "X", "degrees of rotation, and of slant", 0, task.MaxAngle)
			f.number(&c.Warp.Scale, "scale", "X", "share of the size", 0, task.MaxScale)
			f.number(&c.Warp.Bend, "bend", "X", "deviation of a smooth displacement, in pixels", 0, task.MaxBend)
			o.settings = f.list[first:]
			f.reads("data", &o.data.dir, readsData)
			o.folder = f.owns("out", &o.out, ofRun("train classifier", func() string { return "classifier.safetensors" }))
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *classifierOptions) run(ctx context.Context, e env) error {
	if err := o.check(); err != nil {
		return err
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.data.open(ctx, e.stderr, dataset.Open)
	if err != nil {
		return err
	}
	if !o.resume {
		shrink(e.stderr, set.Train.N-o.config.Holdout, o.settings, fitting{"batch", "the batch is %d", &o.config.Batch})
	}
	t := task.New(o.config, set)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	if err := o.train(ctx, e, r); err != nil {
		return err
	}
	path := filepath.Join(o.out, "classifier.safetensors")
	return writeClassifier(ctx, e, t, path, false, o.quiet, "trained")
}

// exportClassifier writes the weights of the classifier whose run o names.
func (o *exportOptions) exportClassifier(ctx context.Context, e env, set *dataset.Set) error {
	t := task.New(task.Config{}, set)
	if err := o.open(e, t); err != nil {
		return err
	}
	return writeClassifier(ctx, e, t, o.out, o.float, o.quiet, "exported")
}

// writeClassifier writes the weights of a run, and says how well they read.
func writeClassifier(ctx context.Context, e env, t *task.Task, path string, float, quiet bool, done string) error {
	b, score, err := t.Weights(ctx, float)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, b); err != nil || quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s to %s (%s): %v\n", done, path, size(len(b)), score)
	return err
}
