package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/judge"
	"mppm/trainer/internal/progress"
)

type classifierOptions struct {
	data       dataOptions
	out        string
	resume     bool
	checkpoint int // epochs between checkpoints
	quiet      bool
	device     string
	config     judge.Config
	settings   []*flagDef // the flags that config is made of
	folder     *folder
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
			o := classifierOptions{out: "runs/classifier", checkpoint: 1, config: judge.Default()}
			c := &o.config
			f.text(&o.out, "out", "DIR", "folder of the run")
			o.data.flags(f, idxFiles+orFolders+"folders 0 to 9 of PNG files"+orMNIST)
			f.toggle(&o.resume, "resume", "go on from the last checkpoint in the folder, with the settings of that run")
			f.integer(&o.checkpoint, "checkpoint", "N", "epochs between checkpoints", 1, 100_000)
			f.toggle(&o.quiet, "quiet", "show no progress")
			o.device = string(device.Auto)
			f.text(&o.device, "device", "NAME", "what trains: auto, cpu, gpu or a part of a GPU's name (see devices); no two round alike")
			first := len(f.list)
			f.group = "the run"
			f.seed(&c.Seed, "seed", "seed of everything random")
			f.integer(&c.Epochs, "epochs", "N", "times through the data", 1, 100_000)
			f.integer(&c.Batch, "batch", "N", "images in a step; by default no more than there are", 1, 65_536)
			f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
			f.integer(&c.Holdout, "holdout", "N", "train without the last N training digits, and read them at the end", 0, 1_000_000)
			f.group = "the digits it learns from, each by chance up to"
			f.number(&c.Warp.Shift, "shift", "X", "pixels to either side", 0, judge.MaxShift)
			f.number(&c.Warp.Angle, "angle", "X", "degrees of rotation, and of slant", 0, judge.MaxAngle)
			f.number(&c.Warp.Scale, "scale", "X", "share of the size", 0, judge.MaxScale)
			f.number(&c.Warp.Bend, "bend", "X", "deviation of a smooth displacement, in pixels", 0, judge.MaxBend)
			o.settings = f.list[first:]
			f.reads("data", &o.data.dir, readsData)
			o.folder = f.owns("out", &o.out, ofRun("train classifier", func() string { return "classifier.safetensors" }))
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *classifierOptions) run(ctx context.Context, e env) error {
	if o.resume {
		for _, d := range o.settings {
			if d.given {
				return usagef("--%s cannot change a run that is resumed: leave it out, or start a new run in another folder", d.name)
			}
		}
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
	var r *judge.Run
	if o.resume {
		r, err = judge.Open(o.out, set)
	} else {
		shrink(e.stderr, set.Train.N-o.config.Holdout, o.settings, fitting{"batch", "the batch is %d", &o.config.Batch})
		r, err = judge.New(o.config, set, o.out)
	}
	if err != nil {
		return err
	}
	r.Device = device.Choice(o.device)
	if err := estimate(e, o.quiet, r.Device, r); err != nil {
		return err
	}
	done, total := r.Images()
	w := e.stderr
	if o.quiet {
		w = nil
	}
	bar := progress.New(w, "training", total, progress.Options{Start: done})
	err = r.Train(ctx, o.checkpoint, bar)
	bar.Finish()
	if err != nil {
		return err
	}
	path := filepath.Join(o.out, "classifier.safetensors")
	b, score, err := r.Weights(ctx, false)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, b); err != nil {
		return err
	}
	if !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "trained to %s (%s): %v\n", path, size(len(b)), score)
	}
	return err
}

// exportClassifier writes the weights of the classifier whose run o names.
func (o *exportOptions) exportClassifier(ctx context.Context, e env, set *dataset.Set) error {
	r, err := judge.Open(o.checkpoint, set)
	if err != nil {
		return err
	}
	o.noteUnfinished(e, r.Done())
	b, score, err := r.Weights(ctx, o.float)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(o.out, b); err != nil {
		return err
	}
	if !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "exported to %s (%s): %v\n", o.out, size(len(b)), score)
	}
	return err
}
