package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	task "mppm/trainer/internal/task/embedding"
)

type embeddingOptions struct {
	runFlags
	data   dataOptions
	config task.Config
}

func embeddingCommand() command {
	return command{
		name:    "train embedding",
		args:    "--data DIR [--out DIR] [flags]",
		summary: "train the embedding that pictures are judged in",
		about: `
Trains a small net, on the pictures of a folder and nothing else, that finds a picture
again when it is cut, colored, blurred and partly covered in another way, among others:
eval images measures the Fréchet distance in the numbers by which it does. Pictures are
taken as by train images; give the share and the seed that the model is trained with,
and those that are held out are the same. The folder gets a checkpoint and the loss
curve as the run goes, and at its end the weights (embedding.safetensors); then views
of the held-out pictures are looked for among each other. A run that was ended in any
way goes on from its last checkpoint with --resume, to the same result.`,
		examples: []string{
			"train embedding --data photos/",
			"train embedding --data photos/ --side 32 --epochs 20 --out runs/embedding-32",
			"train embedding --data photos/ --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := embeddingOptions{runFlags: runFlags{out: "runs/embedding", checkpoint: 5}, config: task.Default()}
			c := &o.config
			f.reads("data", &o.data.dir, readsFolder)
			o.folder = f.owns("out", &o.out, ofRun("train embedding", func() string { return embeddingName }))
			o.flags(f, func() { f.text(&o.data.dir, "data", "DIR", "folder of pictures") }, "")
			first := len(f.list)
			f.group = "the run"
			f.integer(&c.Side, "side", "N", "pixels along each edge of a picture as the net takes it", 16, 512)
			f.toggle(&c.Gray, "gray", "one channel in place of three")
			f.integer(&c.Numbers, "numbers", "N", "numbers of an embedding", 2, task.MaxNumbers)
			f.number(&c.Share, "share", "X", "share of the pictures that is held out, where the folder does not say which", 0.001, 0.9)
			f.seed(&c.Seed, "seed", "seed of everything random")
			f.integer(&c.Epochs, "epochs", "N", "times through the pictures", 1, 100_000)
			f.integer(&c.Batch, "batch", "N", "pictures in a step; by default no more than there are", 1, 65_536)
			f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
			f.group = "the views that it learns from, each by chance up to"
			f.number(&c.Views.Crop, "crop", "X", "share of the side that is cut off", 0, task.MaxCrop)
			f.number(&c.Views.Color, "color", "X", "change of brightness and contrast", 0, 1)
			f.number(&c.Views.Noise, "noise", "X", "deviation of Gaussian noise", 0, 1)
			f.number(&c.Views.Blur, "blur", "X", "share of the views that are blurred", 0, 1)
			f.number(&c.Views.Erase, "erase", "X", "side of a rectangle of one color, as a share of the picture's", 0, 1)
			o.settings = f.list[first:]
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// embeddingName is the weights file of train embedding.
const embeddingName = "embedding.safetensors"

func (o *embeddingOptions) run(ctx context.Context, e env) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.data.dir == "" {
		return usagef("--data is missing: name the folder of pictures")
	}
	c := o.config
	if o.resume {
		var err error
		if c, err = task.SavedConfig(o.out); err != nil {
			return err
		}
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.data.open(ctx, e.stderr, picturesOf(e, c.Pictures(), o.quiet))
	if err != nil {
		return err
	}
	if !o.resume {
		shrink(e.stderr, set.Train.N, o.settings, fitting{"batch", "the batch is %d", &c.Batch})
	}
	t := task.New(c, set)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	if err := o.train(ctx, e, r); err != nil {
		return err
	}
	return writeEmbedding(ctx, e, t, filepath.Join(o.out, embeddingName), o.quiet, "trained")
}

// exportEmbedding writes the weights of the embedding whose run o names.
func (o *exportOptions) exportEmbedding(ctx context.Context, e env, set *dataset.Set) error {
	t := task.New(task.Config{}, set)
	if err := o.open(e, t); err != nil {
		return err
	}
	return writeEmbedding(ctx, e, t, o.out, o.quiet, "exported")
}

// writeEmbedding writes the weights of a run, and says how well they tell pictures apart.
func writeEmbedding(ctx context.Context, e env, t *task.Task, path string, quiet bool, done string) error {
	b, score, err := t.Weights(ctx)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(path, b); err != nil || quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s to %s (%s): %v\n", done, path, size(len(b)), score)
	return err
}
