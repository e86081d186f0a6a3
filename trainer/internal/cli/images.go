package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/spoil"
	task "mppm/trainer/internal/task/unet"
)

type imagesOptions struct {
	runFlags
	data    dataOptions
	config  task.Config
	lambda  [task.Terms]float64
	eikonal float64
	method  string
	from    string
}

// Names of the weights files of train images.
const (
	imagesName    = "images.safetensors"
	imagesDAEName = "images-dae.safetensors"
)

func imagesCommand() command {
	return command{
		name:    "train images",
		args:    "--data DIR [--out DIR] [flags]",
		summary: "train a U-Net on a folder of photographs",
		about: `
Trains the U-Net of Table 9 on photographs of your own, in color or gray, with the
loss of Eq. 20: JPEG, PNG, WebP and GIF files of any size, in a folder and the folders
below. Of each the largest square in the middle is taken, upright, and scaled without
aliases to --side pixels. In training images are mirrored and moved by a few pixels. A
share of them is held out for testing, and pictures that are nearly the same, also in a
mirror, are on one side. What cannot be used is named and passed over.

A U-Net decodes an image from its code z and from its skips: the features that the
encoder found on the way. Projections of z stand in for the skips where the image is
damaged (App. B.3), as far as the distance says. Codes are on a chart: a linear map of
a small image (--chart pixels), to which the encoder adds; --chart 0 leaves it out, as in
the paper. --damage says what training sees: white, Gaussian noise alone, as in the
paper; fields, also noise that is correlated from pixel to pixel; broad, also rectangles,
strokes, sharpening and low resolution, as pictures have them. --method dae trains the
denoising autoencoder that the paper compares with, from the same images and damage.
--channels 32,64,128,256 --latent 1024 --chart 0 --damage white is what the paper has.

Folders train and test, or val, are taken as they are; pictures in a folder for each class
below them keep its name. Of SCUT-FBP5500 (for research;
ask its authors, github.com/HCIILAB/SCUT-FBP5500-Database-Release) its own lists say
what is tested on; of CelebAMask-HQ (for research that is not commercial;
github.com/switchablenorms/CelebAMask-HQ) the photographs are taken.

The folder gets a checkpoint and the loss curves as the run goes, and at the end the
weights (images.safetensors, or images-dae.safetensors), test images with noise of 0.25
restored (restored.png) and images grown from noise (generated.png).`,
		examples: []string{
			"train images --data photos/",
			"train images --data photos/ --side 32 --gray --channels 8,16 --latent 32 --chart 8 --out runs/small",
			"train images --data photos/ --method dae --out runs/images-dae",
			"train images --data photos/ --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := imagesOptions{runFlags: runFlags{out: "runs/images", checkpoint: 1}, config: task.Default(), method: "lmppm"}
			c := &o.config
			f.reads("data", &o.data.dir, readsFolder)
			o.folder = f.owns("out", &o.out, ofRun("train images", o.weights, "restored.png", "generated.png"))
			o.flags(f, func() {
				f.text(&o.data.dir, "data", "DIR", "folder of pictures; or IDX files or a data set by its name, as of train mnist, scaled to the side")
			}, "")
			first := len(f.list)
			f.group = "the nets"
			choice(f, &o.method, "method", "NAME", "lmppm, or dae for the denoising autoencoder", []string{"lmppm", "dae"})
			f.integer(&c.Side, "side", "N", "pixels along each edge of an image", 8, 512)
			f.toggle(&c.Gray, "gray", "one channel in place of three")
			f.add(flagDef{name: "channels", arg: "N,N,...", help: "channels of the blocks, each of which halves the side", initial: widths(c.Channels),
				set: func(s string) (err error) { c.Channels, err = parseWidths(s); return err }})
			f.integer(&c.Latent, "latent", "N", "numbers of a code", 1, nn.MaxWidth)
			f.integer(&c.Chart, "chart", "N", "side of the small image that codes are a map of; 0: none", 0, 512)
			f.add(flagDef{name: "hidden", arg: "N,N,...", help: "widths of the hidden layers of the distance net", initial: widths(c.Hidden),
				set: func(s string) (err error) { c.Hidden, err = parseWidths(s); return err }})
			choice(f, &c.Act, "activation", "NAME", fmt.Sprintf("of the distance net: %s or %s", nn.SiLU, nn.ReLU), []nn.Activation{nn.SiLU, nn.ReLU})
			f.group = "the run"
			f.text(&o.from, "from", "DIR", "folder of a run of the same nets to begin with; the same --seed and --share hold out the same pictures (default: none, nets that know nothing)")
			f.reads("from", &o.from, readsRun)
			f.number(&c.Share, "share", "X", "share of the pictures that is held out, where the folder does not say which", 0.001, 0.9)
			f.seed(&c.Seed, "seed", "seed of everything random")
			f.integer(&c.Epochs, "epochs", "N", "times through the data; 0, with --from, to train the distances alone", 0, 100_000)
			f.integer(&c.Alone, "distance", "N", "epochs after those, in which the distance alone learns", 0, 100_000)
			f.integer(&c.Local, "local", "N", "and after those, in which the distance at each pixel learns; 0: none is made", 0, 100_000)
			f.integer(&c.Batch, "batch", "N", "images in a step; by default no more than there are", 1, 65_536)
			f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
			choice(f, &c.Damage, "damage", "NAME", "what training sees: white, fields or broad", spoil.Kinds())
			f.number(&c.Noise, "noise", "X", "its Gaussian noise has a deviation drawn from 0 to X", 0, 100)
			f.integer(&c.Centers, "centers", "N", "centers of the code bank; by default no more than there are images", 1, 100_000)
			f.group = "the loss (Eq. 20: z is the code of a damaged image, z* that of its clean one)"
			for i, term := range [task.Terms]string{
				"the distance at z is how far z is from z*",
				"clean images are decoded to themselves, from their codes alone",
				"the distance at clean codes is 0",
				"the distance is not negative",
				"one projection along the distance leads from z to z*",
				"and what it leads to is decoded to the clean image",
			} {
				o.lambda[i] = float64(c.Lambda[i])
				f.number(&o.lambda[i], fmt.Sprintf("lambda%d", i+1), "X", fmt.Sprintf("λ%d, weight of: %s", i+1, term), 0, 1e6)
			}
			o.eikonal, _ = strconv.ParseFloat(strconv.FormatFloat(float64(c.Eikonal), 'g', -1, 32), 64)
			f.number(&o.eikonal, "eikonal", "X", "weight of: the gradient of the distance has length 1, where it learns alone", 0, 1e6)
			o.settings = f.list[first:]
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// weights is the name of the run's weights file.
func (o *imagesOptions) weights() string {
	if o.method == "dae" {
		return imagesDAEName
	}
	return imagesName
}

// picturesOf returns what reads a folder of pictures, and shows how far it is.
func picturesOf(e env, o dataset.ImageOptions, quiet bool) func(context.Context, string) (*dataset.Set, error) {
	return func(ctx context.Context, dir string) (*dataset.Set, error) {
		o := o
		var finish func()
		o.Progress, finish = readingPictures(e, quiet)
		defer finish()
		return dataset.OpenImages(ctx, dir, o)
	}
}

// readingPictures returns what shows how many pictures are read, from any goroutine, and
// what ends that.
func readingPictures(e env, quiet bool) (show func(done, total int), finish func()) {
	if quiet {
		return nil, func() {}
	}
	var bar *progress.Bar
	var once sync.Once
	show = func(_, total int) {
		once.Do(func() { bar = newBar(e, false, "reading pictures", total) })
		bar.Add(1)
	}
	return show, func() {
		if bar != nil {
			bar.Finish()
		}
	}
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
		o.method = "lmppm"
		if c.DAE {
			o.method = "dae"
		}
	} else if o.method == "dae" {
		c = c.Baseline()
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
		if !c.DAE {
			for i, l := range o.lambda {
				c.Lambda[i] = float32(l)
			}
			c.Eikonal = float32(o.eikonal)
		}
		shrink(e.stderr, set.Train.N, o.settings, fitting{"batch", "the batch is %d", &c.Batch}, fitting{"centers", "the code bank has %d centers", &c.Centers})
	}
	t := task.New(c, set)
	t.From = o.from
	r, err := o.open(t)
	if err != nil {
		return err
	}
	return o.finish(ctx, e, r, t, t.Config.Seed, o.weights(), imageSamples)
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
