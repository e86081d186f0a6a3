package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
	train "mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/latent"
)

type trainOptions struct {
	runFlags
	data    dataOptions
	config  task.Config
	lambda  [task.Terms]float64
	support float64 // weights of task.Support
	eikonal float64
	weights string // name of the weights file in out
}

// common adds the flags of every method: first those of the command, then those
// that config is made of.
func (o *trainOptions) common(f *flagSet, command string) {
	c := &o.config
	f.reads("data", &o.data.dir, readsData)
	o.folder = f.owns("out", &o.out, ofRun(command, func() string { return o.weights }, "restored.png", "generated.png"))
	o.flags(f, func() { o.data.flags(f, idxFiles+orFolders+"PNG files"+orMNIST) }, "")
	first := len(f.list)
	f.group = "the run"
	settingFlags(f, c)
	f.integer(&c.Holdout, "holdout", "N", "train without N training digits, and score and draw those in place of the test digits", 0, 1_000_000)
	o.settings = f.list[first:]
}

// settingFlags adds the flags of any run on images that c is made of.
func settingFlags(f *flagSet, c *task.Config) {
	f.seed(&c.Seed, "seed", "seed of everything random")
	f.integer(&c.Epochs, "epochs", "N", "times through the data", 1, 100_000)
	f.integer(&c.Batch, "batch", "N", "images in a step; by default no more than there are", 1, 65_536)
	f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
	f.number(&c.Noise, "noise", "X", "the damage is Gaussian noise of a deviation drawn from 0 to X", 0, 100)
	f.number(&c.Clipped, "clipped", "X", "share of the images whose noise is cut off at black and white, as a file has it", 0, 1)
	f.integer(&c.Centers, "centers", "N", "centers of the code bank; by default no more than there are images", 1, 100_000)
}

// partFlags adds those of the parts in which the distance and the decoder learn alone.
func partFlags(f *flagSet, c *task.Config) {
	f.integer(&c.Support.Epochs, "distance", "N", "epochs after those, in which the distance alone learns, all over the latent space", 0, 100_000)
	f.integer(&c.Refine, "refine", "N", "epochs at the end, in which the decoder alone learns", 0, 100_000)
}

func daeCommand() command {
	return command{
		name:    "train dae",
		args:    "[--out DIR] [flags]",
		summary: "train the denoising autoencoder, a baseline",
		about: `
Trains the encoder and the decoder of Sec. 4.2 alone, as the denoising autoencoder
that the paper compares with: the loss is the squared error of the decoded code of
a damaged image against the clean one. Data, nets, budget and noise are those of
train mnist; the paper's own has --noise 0.4 --fixed-noise --clipped 0. The folder
gets what that of train mnist gets, and the weights are dae.safetensors. They hold
a code bank too, for the ablation that flows up the density alone: restore
--method dae --preset kernel.`,
		examples: []string{
			"train dae",
			"train dae --out runs/dae-0.4 --noise 0.4 --fixed-noise --clipped 0",
			"train dae --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := trainOptions{runFlags: runFlags{out: "runs/dae", checkpoint: 1}, config: task.DefaultDAE(), weights: "dae.safetensors"}
			o.common(f, "train dae")
			o.settings = append(o.settings, f.toggle(&o.config.FixedNoise, "fixed-noise", "the deviation is that of --noise, always"))
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func trainCommand() command {
	return command{
		name:    "train mnist",
		args:    "[--out DIR] [flags]",
		summary: "train the nets on handwritten digits",
		about: `
Trains the encoder, the decoder and the distance net of Sec. 4.2 with the loss of
Eq. 20, on MNIST, which the Go module system fetches, or on digits of your own;
then the distance alone, on points all over the latent space, which makes it one;
then the decoder alone, which makes it sharper. The folder gets a checkpoint and
the loss curves as the run goes, and at its end the weights (mnist.safetensors,
eight bits), restored test digits (restored.png) and grown ones (generated.png).
A run that was ended in any way goes on from its last checkpoint with --resume, to
the same result as if it had not been ended; an interrupted one saves its state
first.

--data takes IDX files, or folders train and test of PNG files, any number of
them: they are read when a step needs them, and need not fit into memory. An image
of 28×28 pixels is taken as it is, any other is centered as MNIST's digits are.
Images in a folder for each class have their labels from it: 0 to 9, or the names
of the classes, which the weights keep. The files and folders may
have the names that data sets come with: MNIST/raw of torchvision, mnist_png,
training and testing, emnist-digits. EMNIST's images have their rows and columns
swapped: --transpose turns them upright.`,
		examples: []string{
			"train mnist",
			"train mnist --out runs/long --epochs 30 --seed 2",
			"train mnist --out runs/long --resume",
			"train mnist --data my-digits/",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := trainOptions{runFlags: runFlags{out: "runs/mnist", checkpoint: 1}, config: task.Default(), weights: "mnist.safetensors"}
			c := &o.config
			for i, l := range c.Lambda {
				// By way of its shortest decimal form: 0.05, not 0.05000000074505806.
				o.lambda[i], _ = strconv.ParseFloat(strconv.FormatFloat(float64(l), 'g', -1, 32), 64)
			}
			o.common(f, "train mnist")
			first := len(f.list)
			partFlags(f, c)
			f.number(&c.Restored, "restored", "X", "share of the codes in those epochs that are of restored images, not of clean ones", 0, 1)
			f.add(flagDef{name: "hidden", arg: "N,N,...", help: "widths of the hidden layers of the distance net", initial: widths(c.Hidden),
				set: func(s string) (err error) { c.Hidden, err = parseWidths(s); return err }})
			choice(f, &c.Activation, "activation", "NAME", fmt.Sprintf("of the distance net: %s or %s", nn.SiLU, nn.ReLU), []nn.Activation{nn.SiLU, nn.ReLU})
			f.group = "the loss (Eq. 20: z is the code of a damaged image, z* that of its clean one)"
			for i, term := range [task.Terms]string{
				"the distance at z is how far z is from z*",
				"clean images are decoded to themselves",
				"the distance at clean codes is 0",
				"the distance is not negative",
				"one projection along the distance leads from z to z*",
				"and what it leads to is decoded to the clean image",
			} {
				f.number(&o.lambda[i], fmt.Sprintf("lambda%d", i+1), "X", fmt.Sprintf("λ%d, weight of: %s", i+1, term), 0, 1e6)
			}
			f.group = "the loss of the distance alone (the terms above that it is in, and)"
			o.support, o.eikonal = float64(c.Support.Distance), float64(c.Support.Eikonal)
			f.number(&o.support, "support", "X", "weight of: the distance is that from the support of clean codes, at points all around and on the way there", 0, 1e6)
			f.number(&o.eikonal, "eikonal", "X", "weight of: its gradient has length 1", 0, 1e6)
			o.settings = append(o.settings, f.list[first:]...)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func widths(w []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(w), " ", ","), "[]")
}

func parseWidths(s string) ([]int, error) {
	var w []int
	for _, field := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a list of widths such as 100,50,20", s)
		}
		w = append(w, n)
	}
	return w, nil
}

func (o *trainOptions) run(ctx context.Context, e env) error {
	if err := o.check(); err != nil {
		return err
	}
	for i, l := range o.lambda {
		o.config.Lambda[i] = float32(l)
	}
	o.config.Support.Distance, o.config.Support.Eikonal = float32(o.support), float32(o.eikonal)
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
		shrink(e.stderr, set.Train.N-o.config.Holdout, o.settings,
			fitting{"batch", "the batch is %d", &o.config.Batch}, fitting{"centers", "the code bank has %d centers", &o.config.Centers})
	}
	t := task.New(o.config, set)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	if t.Config.Method != o.config.Method {
		return fmt.Errorf("the run in %s is of another method: go on with it by %s", o.out, map[task.Method]string{task.LMPPM: "train mnist", task.DAE: "train dae"}[t.Config.Method])
	}
	return o.finish(ctx, e, r, t, t.Config.Seed, o.weights, samples)
}

// finish goes on to the end of a run on images, writes its weights under that name, and
// has samples draw what they make of its data.
func (o *runFlags) finish(ctx context.Context, e env, r *train.Run, t weighed, seed uint64, weights string, samples func(ctx context.Context, m *latent.Model, set *dataset.Set, seed uint64, dir string) error) error {
	if err := o.train(ctx, e, r); err != nil {
		return err
	}
	if !o.quiet {
		fmt.Fprintln(e.stderr, "making the code bank and the weights")
	}
	path := filepath.Join(o.out, weights)
	b, err := writeWeights(ctx, path, t, false, progressOf(e, o.quiet))
	if err != nil {
		return err
	}
	m, err := latent.Load(b)
	if err != nil {
		return err
	}
	if err := samples(ctx, m, t.Data(), seed, o.out); err != nil {
		return err
	}
	if !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "trained to %s (%s); look at %s and %s\n", path, size(len(b)), filepath.Join(o.out, "restored.png"), filepath.Join(o.out, "generated.png"))
	}
	return err
}

// samples draws what a trained model makes of the first test digits with noise
// of 0.7, and of noise alone.
func samples(ctx context.Context, m *latent.Model, set *dataset.Set, seed uint64, dir string) error {
	const most = 12
	test, err := set.Test.InMemory(most)
	if err != nil {
		return err
	}
	n := min(most, test.N)
	images := &imageio.Images{N: n, Pixels: test.Images[:n*latent.DigitPixels]}
	restored, err := infer.Restore(ctx, m, m.Restore, &digitNoise, images.Pixels, infer.Options{Seed: seed})
	if err != nil {
		return err
	}
	strip := restoreOptions{strip: filepath.Join(dir, "restored.png"), seed: seed}
	if err := strip.writeStrip(flowRestorer(m, m.Restore), &digitNoise, images, restored.Pixels); err != nil {
		return err
	}
	const grown = 100
	pixels, err := infer.Generate(ctx, m, m.Generate, grown, infer.Options{Seed: seed})
	if err != nil {
		return err
	}
	return plots.Sheet{Columns: 10}.Save(filepath.Join(dir, "generated.png"), infer.Floats(pixels))
}

// interrupted reports whether an error says that the work was told to stop, and
// what is left to say about it.
func interrupted(err error) (string, bool) {
	switch {
	case errors.Is(err, train.ErrInterrupted):
		return train.ErrInterrupted.Error(), true
	case errors.Is(err, context.Canceled):
		return "interrupted", true
	}
	return "", false
}
