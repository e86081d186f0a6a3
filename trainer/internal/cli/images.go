package cli

import (
	"context"
	"path/filepath"
	"sync"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
	task "mppm/trainer/internal/task/latent"
)

type imagesOptions struct {
	runFlags
	data   dataOptions
	side   int
	gray   bool
	dim    int // numbers of a code
	config task.Config
}

// imagesName is the weights file of train images.
const imagesName = "images.safetensors"

func imagesCommand() command {
	return command{
		name:    "train images",
		args:    "--data DIR [--out DIR] [flags]",
		summary: "train the nets on a folder of photographs",
		about: `
Trains the nets of train mnist, as large as the images ask for, on photographs of
your own, in color or gray: JPEG, PNG, WebP and GIF files of any size, in a folder
and the folders below. Of each the largest square in the middle is taken, upright,
and scaled without aliases to --side pixels. A share of them is held out for testing,
and pictures that are nearly the same, also in a mirror, are on one side. What cannot
be used is named and passed over.

Folders train and test, or val, are taken as they are. Of SCUT-FBP5500 (for research;
ask its authors, github.com/HCIILAB/SCUT-FBP5500-Database-Release) its own lists say
what is tested on; of CelebAMask-HQ (for research that is not commercial;
github.com/switchablenorms/CelebAMask-HQ) the photographs are taken.

The folder gets what that of train mnist gets: a checkpoint, the loss curves, and at
the end the weights (images.safetensors), test images with noise of 0.25 restored
(restored.png) and images grown from noise (generated.png).`,
		examples: []string{
			"train images --data photos/",
			"train images --data photos/ --side 32 --gray --latent 32 --out runs/small",
			"train images --data photos/ --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := imagesOptions{runFlags: runFlags{out: "runs/images", checkpoint: 1}, side: 64, dim: 128, config: task.DefaultImages()}
			c := &o.config
			f.reads("data", &o.data.dir, readsFolder)
			o.folder = f.owns("out", &o.out, ofRun("train images", func() string { return imagesName }, "restored.png", "generated.png"))
			o.flags(f, func() { f.text(&o.data.dir, "data", "DIR", "folder of pictures") }, "")
			first := len(f.list)
			f.group = "the run"
			f.integer(&o.side, "side", "N", "pixels along each edge of an image", 8, 512)
			f.toggle(&o.gray, "gray", "one channel in place of three")
			f.integer(&o.dim, "latent", "N", "numbers of a code", 1, nn.MaxWidth)
			f.number(&c.Share, "share", "X", "share of the pictures that is held out, where the folder does not say which", 0.001, 0.9)
			settingFlags(f, c)
			partFlags(f, c)
			o.settings = f.list[first:]
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// picturesOf reads a folder of pictures as a run's settings have them.
func picturesOf(e env, c task.Config, quiet bool) func(context.Context, string) (*dataset.Set, error) {
	return func(ctx context.Context, dir string) (*dataset.Set, error) {
		o, err := c.Pictures()
		if err != nil {
			return nil, err
		}
		return openPictures(ctx, e, dir, o, quiet)
	}
}

// openPictures is dataset.OpenImages, and shows how it goes.
func openPictures(ctx context.Context, e env, dir string, o dataset.ImageOptions, quiet bool) (*dataset.Set, error) {
	if !quiet {
		var bar *progress.Bar
		var once sync.Once
		o.Progress = func(done, total int) {
			once.Do(func() { bar = progress.New(e.stderr, "reading pictures", total, progress.Options{}) })
			bar.Add(1)
		}
		defer func() {
			if bar != nil {
				bar.Finish()
			}
		}()
	}
	return dataset.OpenImages(ctx, dir, o)
}

func (o *imagesOptions) run(ctx context.Context, e env) error {
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
	} else {
		channels := 3
		if o.gray {
			channels = 1
		}
		if err := c.Widen(nn.Shape{H: o.side, W: o.side, C: channels}, o.dim); err != nil {
			return err
		}
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.data.open(ctx, e.stderr, picturesOf(e, c, o.quiet))
	if err != nil {
		return err
	}
	if !o.resume {
		shrink(e.stderr, set.Train.N, o.settings, fitting{"batch", "the batch is %d", &c.Batch}, fitting{"centers", "the code bank has %d centers", &c.Centers})
	}
	t := task.New(c, set)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	return o.finish(ctx, e, r, t, imagesName, imageSamples)
}

// imageSamples draws what a trained model makes of the first test images with noise,
// and of noise alone.
func imageSamples(ctx context.Context, m *latent.Model, set *dataset.Set, seed uint64, dir string) error {
	const most, grown = 10, 40
	test, err := set.Test.InMemory(most)
	if err != nil {
		return err
	}
	n, o := min(most, test.N), infer.Options{Seed: seed}
	images := test.Images[:n*m.Pixels()]
	damaged, err := infer.Damage(ctx, pictureNoise, m.Image(), images, o)
	if err != nil {
		return err
	}
	restored, err := infer.Restore(ctx, m, m.Restore, &pictureNoise, images, o)
	if err != nil {
		return err
	}
	still := m.Restore
	still.Steps = 0
	decoded, err := infer.Restore(ctx, m, still, nil, images, o)
	if err != nil {
		return err
	}
	var x []float32
	for _, row := range [][]byte{damaged, restored.Pixels, decoded.Pixels, images} {
		x = append(x, infer.Floats(row)...)
	}
	rows := []string{"noise", "restored", "decoded", "original"}
	if err := (plots.Sheet{Image: m.Image(), Columns: n, Rows: rows}).Save(filepath.Join(dir, "restored.png"), x); err != nil {
		return err
	}
	pixels, err := infer.Generate(ctx, m, m.Generate, grown, o)
	if err != nil {
		return err
	}
	return plots.Sheet{Image: m.Image(), Columns: 10}.Save(filepath.Join(dir, "generated.png"), infer.Floats(pixels))
}
