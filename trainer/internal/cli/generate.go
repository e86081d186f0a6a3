package cli

import (
	"context"
	"fmt"
	"math"

	"mppm/shared/center"
	"mppm/shared/ink"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
)

const (
	maxGenerate = 1_000_000  // images at once; they are held in memory
	maxGrid     = 2500       // images that a contact sheet shows
	gridPixels  = 60_000_000 // at most, which bounds the images too
)

type generateOptions struct {
	n            int
	seed         uint64
	out, grid    string
	weights      string
	method       string
	flow         *flowFlags
	bank         *bankFlags
	workers      int
	force, quiet bool
}

func generateCommand() command {
	return command{
		name:    "generate",
		args:    "--out PATH [--n N] [--seed N] [flags]",
		summary: "grow new digits and pictures from noise",
		about: `
Grows images from noise, of the kind that the weights are of: digits of 28×28 pixels,
light ink on a dark ground, or, with weights of train images, pictures in color or gray.

PATH of digits is written as an IDX file where it ends in .idx or -ubyte, or those and
.gz, as one PNG where it ends in .png, as an IDX file on standard output for -,
and else as a folder of 00000.png, …; pictures become PNGs alone. Output appears when
all of it is there, and never in part; in a folder that is there, PNGs of the same names
are replaced with --force alone, and all else stays. Image i depends on the seed, the
weights, the flow and i alone: more images only add to the end. With --bank-add and
--forget the flow knows more images, or fewer classes, as the help of restore says.`,
		examples: []string{
			"generate --n 2000 --seed 1 --out digits.idx",
			"generate --n 64 --seed 7 --grid grid.png",
			"generate --n 10 --seed 3 --steps 30 --out digits/",
			"generate --n 64 --forget 7 --grid without-sevens.png",
			"generate --weights runs/images/images.safetensors --n 40 --grid faces.png",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := generateOptions{n: 100, seed: 1}
			f.text(&o.out, "out", "PATH", "where the images go")
			f.integer(&o.n, "n", "N", "how many images", 1, maxGenerate)
			f.seed(&o.seed, "seed", "seed of the noise")
			f.text(&o.grid, "grid", "FILE", fmt.Sprintf("write a PNG with all images in a square (at most %d)", maxGrid))
			f.text(&o.weights, "weights", "FILE", "weights to use: a file, or faces for the embedded ones of those (default: the embedded ones of digits)")
			f.method(&o.method, "how to grow them")
			common(f, &o.workers, &o.quiet, &o.force)
			o.flow = f.flow("generate", true)
			o.flow.name.values = func() []string { return presets(o.method, o.weights) }
			o.bank = f.bank()
			f.reads("weights", &o.weights, readsFile)
			f.writes("out", &o.out, writesImages)
			f.writes("grid", &o.grid, writesFile)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *generateOptions) run(ctx context.Context, e env) error {
	if o.out == "" && o.grid == "" {
		return usagef("the flag --out PATH is missing (or --grid FILE, for a picture of all)")
	}
	if err := checkPicture("grid", o.grid); err != nil {
		return err
	}
	if err := o.flow.check(o.method); err != nil {
		return err
	}
	if err := o.bank.check(o.method); err != nil {
		return err
	}
	grow, image, how, err := o.grower(ctx, e)
	if err != nil {
		return err
	}
	if err := roomFor(o.n, image.Size()); err != nil {
		return err
	}
	var target *imageio.Target
	if o.out != "" {
		if image == latent.Digit {
			target, err = imageio.Create(o.out, "", o.n, o.force, e.stdout)
		} else {
			target, err = imageio.CreatePictures(o.out, "", o.n, image, 0, nil, o.force, e.stdout)
		}
		if err != nil {
			return err
		}
		noteTarget(e, target)
	}
	if o.grid != "" {
		if err := atomicfile.Writable(o.grid); err != nil {
			return err
		}
	}
	bar := newBar(e, o.quiet, "generating", o.n)
	pixels, err := grow(ctx, infer.Options{Workers: o.workers, Seed: o.seed, Progress: bar.Add})
	bar.Finish()
	if err != nil {
		return err
	}
	if target != nil {
		if err := target.Write(pixels); err != nil {
			return err
		}
	}
	if o.grid != "" {
		if err := o.writeGrid(e, pixels, image); err != nil {
			return err
		}
	}
	if !o.quiet && o.out != imageio.Stream {
		where := o.out
		if where == "" {
			where = o.grid
		}
		_, err = fmt.Fprintf(e.stdout, "%s generated to %s (seed %d, %s)\n", count(o.n), where, o.seed, how)
	}
	return err
}

// grower returns what grows the images, their shape, and how it is done in words.
func (o *generateOptions) grower(ctx context.Context, e env) (grow func(context.Context, infer.Options) ([]byte, error), image nn.Shape, how string, err error) {
	if o.method == methodLDM {
		m, err := loadPicturesLDM(o.weights)
		if err != nil {
			return nil, image, "", err
		}
		return func(ctx context.Context, opt infer.Options) ([]byte, error) {
			return infer.GenerateLDM(ctx, m, o.n, opt)
		}, m.Image(), fmt.Sprintf("%d steps of diffusion", m.Schedule.Len()), nil
	}
	m, err := loadPicturesOf(o.method, o.weights)
	if err != nil {
		return nil, image, "", err
	}
	p, err := o.flow.apply(m, "generate")
	if err != nil {
		return nil, image, "", err
	}
	as := restoreOptions{quiet: o.quiet, picture: center.Options{Center: center.Auto, Options: ink.Options{Ink: ink.Auto}}}
	taught, err := o.bank.teach(ctx, e, m, func(path string) (*imageio.Images, error) { return as.read(ctx, e, path, m.Image()) })
	if err != nil {
		return nil, image, "", err
	}
	return func(ctx context.Context, opt infer.Options) ([]byte, error) {
		return infer.Generate(ctx, taught, p, o.n, opt)
	}, m.Image(), describeFlow(p) + o.bank.words(m, taught), nil
}

func (o *generateOptions) writeGrid(e env, pixels []byte, image nn.Shape) error {
	n, scale := o.n, enlarged(image, 2*latent.DigitSide)
	if most := min(maxGrid, gridPixels/(scale*scale*image.W*image.H)); n > most {
		n = most
		fmt.Fprintf(e.stderr, "note: %s shows the first %d of %d images\n", o.grid, n, o.n)
	}
	columns := int(math.Ceil(math.Sqrt(float64(n))))
	return plots.Sheet{Image: image, Columns: columns, Scale: scale}.Save(o.grid, infer.Floats(pixels[:n*image.Size()]))
}
