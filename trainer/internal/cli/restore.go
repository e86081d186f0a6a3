package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"mppm/shared/center"
	"mppm/shared/degrade"
	"mppm/shared/ink"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/imageio"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
)

// stripRows is how many images a strip shows.
const stripRows = 16

// stripColumns bounds the columns: a row of more is wider than what shows pictures can
// show.
const stripColumns = 300

// stripNumbers bounds the numbers of all images of a strip, which are in memory together.
const stripNumbers = 60_000_000

type restoreOptions struct {
	in, out, weights, method string
	degrade                  string
	seed                     uint64
	damaged, strip           string
	every                    int
	size                     int
	picture                  center.Options
	flow                     *flowFlags
	bank                     *bankFlags
	diffusion                *ldmFlags
	workers                  int
	force, quiet             bool
	transpose                bool
}

func restoreCommand() command {
	return command{
		name:    "restore",
		args:    "--in PATH --out PATH [flags]",
		summary: "restore damaged digits and pictures",
		about: `
Restores images of the kind that the weights are of: digits of 28×28 pixels, light
ink on a dark ground, and pictures of digits, which become such ones; or, with weights
of train images, pictures in color or gray.

Digits: PATH is an IDX file as MNIST's (gzipped or not), one PNG, a folder of PNGs, or
- for standard input or output (an IDX file). What is read is known by its
content; what is written by its name: IDX where it ends in .idx or -ubyte, or
those and .gz, a PNG where it ends in .png, else a folder of 00000.png, … .
Output appears when all of it is there, and never in part; in a folder that is
there, PNGs of the same names are replaced with --force alone, and all else stays.

In a PNG, ink is what differs from the paper: it is found whether dark or light,
in uneven light, on ruled paper, among specks; transparent is paper, color becomes
gray, and Exif's orientation is followed. It is scaled and centered as MNIST's
digits are, light on black. A PNG that is as MNIST's already (28×28, light on
black, in the middle) stays as it is, to the bit. What was done is said in a note;
an empty page is an error. --center never takes all of a PNG as it is, and --ink
says what is ink. Images of an IDX file are digits already.

Pictures: PATH is a JPEG, PNG, WebP or GIF file, a folder of such, or - (one picture).
Of each the largest square in the middle is taken, upright, and scaled to the model's
size, as in training. What is written are PNGs of the model's size, or of --size, in
a folder by the names of their pictures. What cannot be read in a folder is passed
over with a note.

With --method the baselines of the paper restore instead: dae, a denoising
autoencoder (with --preset kernel its codes flow up the density too), and ldm,
diffusion in its latent space, which starts from the step that has the noise of
the damage.

With --bank-add the flow is drawn to images that it never learned from: their codes are
further terms of the density (Eq. 7), each of which counts as --bank-weight of its own.
With --forget it does without the terms of a class. Nothing is trained, and the distance
stays as it was learned: --alpha 0 leaves the density alone.

With --degrade the input is taken as clean and damaged first, and the mean error
(MSE), PSNR and SSIM of the damaged and the restored images are printed: of the
restored images as they are written, in 256 levels. Of pictures each channel is scored.
--damaged keeps what was damaged.`,
		examples: []string{
			"restore --in noisy.png --out clean.png",
			"restore --in scans/ --out restored/ --strip strip.png",
			"restore --in t10k-images-idx3-ubyte.gz --out restored.idx --degrade gaussian=0.7 --seed 1",
			"restore --in noisy.png --out clean.png --bank-add scans/ --bank-weight 300 --forget 7",
			"restore --weights runs/images/images.safetensors --in photos/ --out healed/ --size 512",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := restoreOptions{seed: 1}
			f.text(&o.in, "in", "PATH", "the images to restore").required = true
			f.text(&o.out, "out", "PATH", "where the restored images go").required = true
			f.transpose(&o.transpose)
			f.text(&o.weights, "weights", "FILE", "weights to use: a file, or faces for the embedded ones of those (default: the embedded ones of digits)")
			f.method(&o.method, "how to restore")
			choice(f, &o.picture.Center, "center", "WAY", "whether PNGs are centered: auto, unless they are as MNIST's; always; never, but scaled to fit", center.Ways())
			choice(f, &o.picture.Ink, "ink", "KIND", "what ink is, beside the paper of PNGs: auto, whichever there is; dark; light", ink.Kinds())
			f.text(&o.degrade, "degrade", "NAME=SEVERITY", "damage the input first: "+degradations()).values = kindsOfDamage
			f.seed(&o.seed, "seed", "seed of the damage, and of the diffusion")
			f.text(&o.damaged, "damaged", "PATH", "write the images as --degrade damages them, like --out")
			f.integer(&o.size, "size", "N", "of pictures: pixels along each edge of the PNGs, as a second stage may want them (default: the model's)", 1, maxEdge).initial = ""
			f.text(&o.strip, "strip", "FILE", fmt.Sprintf("write a PNG that shows the flow of the first %d images: a row each, from the input to the output", stripRows))
			f.integer(&o.every, "every", "K", "show every K-th step in the strip (default: about six of them)", 1, math.MaxInt32).initial = ""
			common(f, &o.workers, &o.quiet, &o.force)
			o.flow = f.flow("restore", false)
			o.flow.name.values = func() []string { return presets(o.method, o.weights) }
			o.bank = f.bank()
			o.diffusion = f.ldm()
			f.reads("in", &o.in, readsImages)
			f.reads("weights", &o.weights, readsFile)
			f.writes("out", &o.out, writesImages)
			f.writes("damaged", &o.damaged, writesImages)
			f.writes("strip", &o.strip, writesFile)
			f.overwrites(&o.force, "out", "in")
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// maxEdge bounds the edge of a picture that is written, in pixels.
const maxEdge = 4096

// common adds the flags that restore and generate share.
func common(f *flagSet, workers *int, quiet, force *bool) {
	f.integer(workers, "workers", "N", "work on so many images at once (default: as many as there are cores); the result does not depend on it", 1, 4096).initial = ""
	f.toggle(force, "force", "write over the input, over images of the same names in a folder, or among other things there; all else stays")
	f.toggle(quiet, "quiet", "show no progress")
}

// noteTarget says what a person should know of where images go.
func noteTarget(e env, t *imageio.Target) {
	if note := t.Note(); note != "" {
		fmt.Fprintln(e.stderr, "note: "+note)
	}
}

// degradations lists what --degrade takes, with the range of each severity.
func degradations() string {
	var list []string
	for _, k := range degrade.All() {
		list = append(list, fmt.Sprintf("%s (%g to %g)", k.Kind, k.Min, k.Max))
	}
	return strings.Join(list, ", ")
}

// kindsOfDamage are what a value of --degrade begins with.
func kindsOfDamage() []string {
	var list []string
	for _, k := range degrade.All() {
		list = append(list, string(k.Kind)+"=")
	}
	return list
}

func (o *restoreOptions) run(ctx context.Context, e env) error {
	var damage *degrade.Degradation
	if o.degrade != "" {
		d, err := degrade.Parse(o.degrade)
		if err == nil {
			err = d.Validate()
		}
		if err != nil {
			return usagef("--degrade: %w", err)
		}
		damage = &d
	}
	switch {
	case o.damaged != "" && damage == nil:
		return usagef("--damaged keeps what --degrade damages: give that too, or leave it out")
	case o.damaged == imageio.Stream:
		return usagef("--damaged does not go to standard output: name a file or a folder")
	}
	if err := checkPicture("strip", o.strip); err != nil {
		return err
	}
	if err := o.flow.check(o.method); err != nil {
		return err
	}
	if err := o.bank.check(o.method); err != nil {
		return err
	}
	if o.diffusion.def.given && o.method != methodLDM {
		return usagef("--start is of diffusion: give --method %s, or leave it out", methodLDM)
	}
	r, err := o.restorer(ctx, e, damage)
	if err != nil {
		return err
	}
	most := max(min(stripColumns, stripNumbers/(stripRows*r.image.Size())), 4)
	if n := r.steps/o.stride(r.steps) + 3; o.strip != "" && n > most {
		return usagef("--every: the strip would have %d columns: give %d or more, which leaves at most %d", n, (r.steps+most-4)/(most-3), most)
	}
	if err := o.checkKind(r.image); err != nil {
		return err
	}
	images, err := o.read(ctx, e, o.in, r.image)
	if err != nil {
		return err
	}
	for _, note := range images.Notes {
		fmt.Fprintln(e.stderr, "note: "+note)
	}
	if err := roomFor(images.N, r.image.Size()); err != nil {
		return err
	}
	target, err := o.create(e, o.out, r.image, images)
	if err != nil {
		return err
	}
	var damaged *imageio.Target
	if o.damaged != "" {
		if damaged, err = o.create(e, o.damaged, r.image, images); err != nil {
			return err
		}
	}
	if o.strip != "" {
		if err := atomicfile.Writable(o.strip); err != nil {
			return err
		}
	}
	bar := newBar(e, o.quiet, "restoring", images.N)
	result, err := r.restore(ctx, damage, images.Pixels, infer.Options{Workers: o.workers, Seed: o.seed, Progress: bar.Add})
	bar.Finish()
	if err != nil {
		return err
	}
	if damaged != nil {
		pixels, err := infer.Damage(ctx, *damage, r.image, images.Pixels, infer.Options{Workers: o.workers, Seed: o.seed})
		if err != nil {
			return err
		}
		if err := damaged.Write(pixels); err != nil {
			return err
		}
	}
	if err := target.Write(result.Pixels); err != nil {
		return err
	}
	if o.strip != "" {
		if err := o.writeStrip(r, damage, images, result.Pixels); err != nil {
			return err
		}
	}
	w := e.stdout
	if o.out == imageio.Stream {
		w = e.stderr // stdout has the images
	}
	if damage != nil {
		return printScores(w, images.N, *damage, o.seed, result)
	}
	if !o.quiet && o.out != imageio.Stream {
		_, err = fmt.Fprintf(w, "%s restored to %s\n", count(images.N), o.out)
	}
	return err
}

// checkKind returns an error if a flag is not of the images that the weights are of.
func (o *restoreOptions) checkKind(image nn.Shape) error {
	if image == latent.Digit {
		if o.size > 0 {
			return usagef("--size is of pictures, and the weights are of digits: leave it out")
		}
		return nil
	}
	for name, given := range map[string]bool{"center": o.picture.Center != center.Auto, "ink": o.picture.Ink != ink.Auto, "transpose": o.transpose} {
		if given {
			return usagef("--%s is of digits, and the weights are of images of %v: leave it out", name, image)
		}
	}
	return nil
}

// read reads digits or pictures: images of that shape.
func (o *restoreOptions) read(ctx context.Context, e env, path string, image nn.Shape) (*imageio.Images, error) {
	if image != latent.Digit {
		progress, finish := readingPictures(e, o.quiet)
		defer finish()
		return imageio.ReadPictures(ctx, path, e.stdin, image, progress)
	}
	images, err := imageio.Read(path, e.stdin, o.picture)
	if err != nil {
		return nil, err
	}
	if o.transpose {
		images.Transpose()
	} else if dataset.IsEMNIST(path) {
		images.Notes = append(images.Notes, emnistNote)
	}
	return images, nil
}

// create prepares to write what becomes of images, and says what a person should know of
// the place.
func (o *restoreOptions) create(e env, path string, image nn.Shape, images *imageio.Images) (t *imageio.Target, err error) {
	if image == latent.Digit {
		t, err = imageio.Create(path, o.in, images.N, o.force, e.stdout)
	} else {
		var names []string
		if o.in != imageio.Stream {
			if names, err = imageio.PNGNames(images.Names); err != nil {
				return nil, err
			}
		}
		t, err = imageio.CreatePictures(path, o.in, images.N, image, o.size, names, o.force, e.stdout)
	}
	if err == nil {
		noteTarget(e, t)
	}
	return t, err
}

// restorer is a method with its weights.
type restorer struct {
	image   nn.Shape // of the images
	restore func(ctx context.Context, d *degrade.Degradation, images []byte, o infer.Options) (*infer.Restored, error)
	// trajectory restores images x and returns them after every k-th step.
	trajectory func(x []float32, k int) (steps []int, images [][]float32, err error)
	steps      int // at most so many
}

func (o *restoreOptions) restorer(ctx context.Context, e env, damage *degrade.Degradation) (restorer, error) {
	if o.method == methodLDM {
		m, err := loadPicturesLDM(o.weights)
		if err != nil {
			return restorer{}, err
		}
		start, err := o.diffusion.steps(m, damage)
		return restorer{
			image: m.Image(),
			restore: func(ctx context.Context, d *degrade.Degradation, images []byte, opt infer.Options) (*infer.Restored, error) {
				return infer.RestoreLDM(ctx, m, start, d, images, opt)
			},
			trajectory: func(x []float32, k int) ([]int, [][]float32, error) {
				return infer.TrajectoryLDM(m, start, x, o.seed, k)
			},
			steps: start,
		}, err
	}
	m, err := loadPicturesOf(o.method, o.weights)
	if err != nil {
		return restorer{}, err
	}
	p, err := o.flow.apply(m, "restore")
	if err != nil {
		return restorer{}, err
	}
	m, err = o.bank.teach(ctx, e, m, func(path string) (*imageio.Images, error) { return o.read(ctx, e, path, m.Image()) })
	if err != nil {
		return restorer{}, err
	}
	return flowRestorer(m, p), nil
}

// loadPicturesOf is loadModelOf for digits and for all images that are pictures.
func loadPicturesOf(method, path string) (*latent.Model, error) {
	m, name, err := loadAnyModelOf(method, path)
	if err == nil {
		err = checkPictures(name, m.Image())
	}
	return m, err
}

// checkPictures returns an error if images of a shape are not read and written as
// pictures.
func checkPictures(name string, image nn.Shape) error {
	if image.C != 1 && image.C != 3 {
		return fmt.Errorf("%s: they are of images of %v, which are no pictures: those have one channel or three", name, image)
	}
	return nil
}

func flowRestorer(m *latent.Model, p latent.Preset) restorer {
	return restorer{
		image: m.Image(),
		restore: func(ctx context.Context, d *degrade.Degradation, images []byte, o infer.Options) (*infer.Restored, error) {
			return infer.Restore(ctx, m, p, d, images, o)
		},
		trajectory: func(x []float32, k int) ([]int, [][]float32, error) { return infer.Trajectory(m, p, x, k) },
		steps:      p.Steps * max(1, p.Rounds),
	}
}

// printScores writes the table of a restoration whose clean images are known.
func printScores(w io.Writer, n int, d degrade.Degradation, seed uint64, r *infer.Restored) error {
	if _, err := fmt.Fprintf(w, "%s, %s, seed %d: mean over the images, against the clean ones\n", count(n), d, seed); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tMSE\tPSNR dB\tSSIM\t")
	for _, row := range []struct {
		name   string
		scores []infer.Score
	}{{"degraded", r.Degraded}, {"restored", r.Output}} {
		s := infer.Mean(row.scores)
		fmt.Fprintf(t, "%s\t%.5f\t%.2f\t%.4f\t\n", row.name, s.MSE, s.PSNR, s.SSIM)
	}
	return t.Flush()
}

// writeStrip draws the flow of the first images: as they were, as they were
// damaged, after some steps, and as they were written.
func (o *restoreOptions) writeStrip(r restorer, d *degrade.Degradation, images *imageio.Images, output []byte) error {
	n, size := min(images.N, stripRows), r.image.Size()
	clean := infer.Floats(images.Pixels[:n*size])
	input := clean
	heads := []string{"input"}
	if d != nil {
		input = make([]float32, len(clean))
		for i := range n {
			if err := infer.Degrade(input[i*size:(i+1)*size], clean[i*size:(i+1)*size], r.image, *d, o.seed, i); err != nil {
				return err
			}
		}
		heads = []string{"clean", "degraded"}
	}
	steps, decoded, err := r.trajectory(input, o.stride(r.steps))
	if err != nil {
		return err
	}
	columns := [][]float32{input}
	if d != nil {
		columns = [][]float32{clean, input}
	}
	for i, step := range steps[:len(steps)-1] { // the last one is the output
		columns = append(columns, decoded[i])
		heads = append(heads, fmt.Sprintf("step %d", step))
	}
	columns, heads = append(columns, infer.Floats(output[:n*size])), append(heads, "output")
	var sheet []float32
	for i := range n {
		for _, c := range columns {
			sheet = append(sheet, c[i*size:(i+1)*size]...)
		}
	}
	return plots.Sheet{Image: r.image, Columns: len(columns), Scale: enlarged(r.image, 3*latent.DigitSide), Heads: heads}.Save(o.strip, sheet)
}

// enlarged is how many pixels each pixel of an image takes along an edge where an image
// takes so many in all, or as many as it has.
func enlarged(image nn.Shape, edge int) int { return max(1, edge/max(image.W, image.H)) }

// stride is how many steps of so many at most lie between two columns of the strip.
func (o *restoreOptions) stride(steps int) int {
	if o.every > 0 {
		return o.every
	}
	return max(1, (steps+3)/6)
}

// checkPicture refuses the path of a picture that is not named as one.
func checkPicture(flag, path string) error {
	if path != "" && !strings.HasSuffix(strings.ToLower(path), ".png") {
		return usagef("--%s: %s: the picture is a PNG: end the name in .png", flag, path)
	}
	return nil
}

func newBar(e env, quiet bool, label string, total int) *progress.Bar {
	return progress.New(progressOf(e, quiet), label, total, progress.Options{})
}

func count(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}
