package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"mppm/shared/ambient"
	"mppm/shared/lesson"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/device"
	"mppm/trainer/internal/graph"
	"mppm/trainer/internal/halfcircle"
	"mppm/trainer/internal/pointcloud"
	task "mppm/trainer/internal/task/ambient"
	"mppm/trainer/internal/task/ambient/restored"
)

type pointsOptions struct {
	runFlags
	in, curve string
	from      string
	portable  bool
	paper     bool
	config    task.Config
	lambda    [task.Terms]float64
	decimal   string                 // mark of the numbers in in
	batch     *flagDef               // one of given
	given     []*flagDef             // the flags that config is made of
	change    []func(c *task.Config) // what each of them does, if it is given
}

// common adds the flags of both commands.
func (o *pointsOptions) common(f *flagSet, command string) {
	o.folder = f.owns("out", &o.out, ofRun(command, o.weights, "restored.png"))
	o.config = task.Default()
	c := &o.config
	o.device = string(device.CPU) // the nets are small: a GPU takes longer
	o.flags(f, func() {}, "")
	set := func(d *flagDef, change func(*task.Config)) {
		o.given, o.change = append(o.given, d), append(o.change, change)
		if d.name != "seed" { // which the points of a curve are drawn from
			o.settings = append(o.settings, d)
		}
	}
	f.group = "the run"
	set(f.seed(&c.Seed, "seed", "seed of everything random"), func(p *task.Config) { p.Seed = c.Seed })
	set(f.toggle(&o.paper, "paper", "take Tables 7 and 10 to the letter: x* = G(F(x)) (Eq. 18), batch 550, rate 1e-3, noise 0.2"), func(*task.Config) {})
	set(f.integer(&c.Epochs, "epochs", "N", "times through the points, at most", 1, 100_000), func(p *task.Config) { p.Epochs = c.Epochs })
	set(f.integer(&c.Patience, "patience", "N", "epochs without getting better after which MPPM and DAE stop to learn", 1, 100_000), func(p *task.Config) { p.Patience = c.Patience })
	o.batch = f.integer(&c.Batch, "batch", "N", "points in a step; by default no more than there are", 1, 65_536)
	set(o.batch, func(p *task.Config) { p.Batch = c.Batch })
	set(f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10), func(p *task.Config) { p.Rate = c.Rate })
	set(f.number(&c.Decay, "decay", "X", "weight decay", 0, 10), func(p *task.Config) { p.Decay = c.Decay })
	set(f.number(&c.Noise, "noise", "X", "the damage is Gaussian noise of a deviation drawn from 0 to X; the points have size 1", 0, 100), func(p *task.Config) { p.Noise = c.Noise })
	set(f.toggle(&c.FixedNoise, "fixed-noise", "the deviation is that of --noise, always"), func(p *task.Config) { p.FixedNoise = c.FixedNoise })
	set(f.integer(&c.Latent, "latent", "N", "coordinates of a code: the dimension of the manifold, or one more if it is closed", 1, 64), func(p *task.Config) { p.Latent = c.Latent })
	o.settings = append(o.settings, f.text(&o.from, "from", "FILE", "begin with the nets of a weights file, or of a checkpoint, of points; widths are then those"))
	f.reads("from", &o.from, readsFile)
	f.toggle(&o.portable, "portable", "round every product, as a page has to: any processor then gives the bits that training in the page gives, most of them more slowly")
	f.group = "the nets and the loss"
	set(f.add(flagDef{name: "hidden", arg: "N,N,...", help: "widths of the hidden layers of F, and in reverse of G", initial: widths(c.Hidden),
		set: func(s string) (err error) { c.Hidden, err = parseWidths(s); return err }}), func(p *task.Config) { p.Hidden = c.Hidden })
	set(f.add(flagDef{name: "distance", arg: "N,N,...", help: "widths of the hidden layers of D", initial: widths(c.Distance),
		set: func(s string) (err error) { c.Distance, err = parseWidths(s); return err }}), func(p *task.Config) { p.Distance = c.Distance })
	set(f.add(flagDef{name: "denoiser", arg: "N,N,...", help: "widths of the hidden layers of the diffusion's net", initial: widths(c.Denoiser),
		set: func(s string) (err error) { c.Denoiser, err = parseWidths(s); return err }}), func(p *task.Config) { p.Denoiser = c.Denoiser })
	set(choice(f, &c.Activation, "activation", "NAME", fmt.Sprintf("of D: %s or %s", nn.ReLU, nn.SiLU), []nn.Activation{nn.ReLU, nn.SiLU}), func(p *task.Config) { p.Activation = c.Activation })
	set(choice(f, &c.Target, "target", "NAME", fmt.Sprintf("x* of Eq. 16: the %s training point, the %s G(F(x)), or the %s point that noise was added to", task.Nearest, task.Projection, task.Clean),
		[]task.Target{task.Nearest, task.Projection, task.Clean}), func(p *task.Config) { p.Target = c.Target })
	for i, term := range [task.Terms]string{
		"the distance at x is how far x is from x*",
		"clean points are decoded to themselves",
		"the distance at clean points is 0",
		"the distance is not negative",
		"one projection along the distance leads from x to x*",
	} {
		o.lambda[i], _ = strconv.ParseFloat(strconv.FormatFloat(float64(c.Lambda[i]), 'g', -1, 32), 64)
		set(f.number(&o.lambda[i], fmt.Sprintf("lambda%d", i+1), "X", fmt.Sprintf("λ%d, weight of: %s", i+1, term), 0, 1e6),
			func(p *task.Config) { p.Lambda[i] = float32(o.lambda[i]) })
	}
	f.group = ""
}

func circleCommand() command {
	return command{
		name:    "train circle",
		args:    "[--out DIR] [flags]",
		summary: "train MPPM and its baselines on a half circle in space",
		about: `
Trains the encoder, the decoder and the distance net of Table 7 with the loss of
Eq. 16 on points of a half circle in R³ (Sec. 5), and beside them the baselines on
the same points: a denoising autoencoder, and diffusion of 1,000 steps. It takes
seconds. The folder gets a checkpoint and the loss curves as the run goes, and at
its end the weights (circle.safetensors) and a picture of restored points. A run
that was ended in any way goes on from its last checkpoint with --resume, to the
same result.`,
		examples: []string{
			"train circle",
			"train circle --out runs/paper --paper",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := pointsOptions{runFlags: runFlags{out: "runs/circle", checkpoint: 250}, curve: "circle"}
			o.common(f, "train circle")
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func pointsCommand() command {
	var names []string
	for _, c := range pointcloud.Curves() {
		names = append(names, c.Name)
	}
	return command{
		name:    "train points",
		args:    "--in FILE.csv | --curve NAME [--out DIR] [flags]",
		summary: "train MPPM and its baselines on points of your own",
		about: `
Does what train circle does for any points: those of a CSV file, whose columns are
coordinates and whose rows are points, or those of a curve that the program knows.
Points are shifted and scaled to about the size of the unit circle first, so that
the noise and the widths of the kernel mean the same for all. One in five is held
out for early stopping and for the scores. The weights are points.safetensors: they
hold the points as they were shifted and scaled, and the center and the scale that
lead back.

Columns end at semicolons, tabs, commas or spaces. Numbers have a decimal point or
a decimal comma; where commas could be both, --decimal says which. The file may be
gzipped. Coordinates may be as large as those of maps: they are shifted before
they are rounded to 32 bits.`,
		examples: []string{
			"train points --in my-points.csv",
			"train points --curve spiral --out runs/spiral",
			"train points --in my-points.csv --latent 2 --out runs/two",
			"train points --in my-points.csv --from page.safetensors --epochs 500",
			"train points --in my-points.csv --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := pointsOptions{runFlags: runFlags{out: "runs/points", checkpoint: 250}}
			f.text(&o.in, "in", "FILE", "CSV file of points; lines that begin with # do not count, nor does a first row of names")
			f.text(&o.decimal, "decimal", "MARK", "decimal mark of its numbers: point or comma (default: the one that it has)").values = decimalMarks
			f.text(&o.curve, "curve", "NAME", "points of a curve instead: "+strings.Join(names, ", ")).values = func() []string { return names }
			o.common(f, "train points")
			f.reads("in", &o.in, readsFile)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// cloud returns the points to train on, and the curve that they are from, if it is
// known.
func (o *pointsOptions) cloud(e env, seed uint64) (*pointcloud.Cloud, pointcloud.Curve, error) {
	if o.in != "" {
		c, err := readPoints(e, o.in, o.decimal)
		return c, pointcloud.Curve{}, err
	}
	curve, err := pointcloud.Find(o.curve)
	if err != nil {
		return nil, curve, usagef("--curve: %w", err)
	}
	return curve.Draw(halfcircle.Points, rng.New(seed, halfcircle.StreamPoints)), curve, nil
}

// decimals are what --decimal takes.
var decimals = map[string]pointcloud.Decimal{"": pointcloud.Either, "point": pointcloud.Point, "comma": pointcloud.Comma}

func decimalMarks() []string { return []string{"comma", "point"} }

// readPoints reads the points of a file, and says what is to be said of it.
func readPoints(e env, path, decimal string) (*pointcloud.Cloud, error) {
	d, ok := decimals[decimal]
	if !ok {
		return nil, usagef("--decimal: there is no %q, only point and comma", decimal)
	}
	c, err := pointcloud.ReadFile(path, d)
	if err != nil {
		return nil, err
	}
	for _, note := range c.Notes {
		fmt.Fprintf(e.stderr, "note: %s: %s\n", path, note)
	}
	return c, nil
}

func (o *pointsOptions) checkPoints() error {
	if o.in == "" && o.curve == "" {
		return usagef("there are no points to train on: give --in FILE.csv or --curve NAME")
	}
	if o.in != "" && o.curve != "" {
		return usagef("--in and --curve both give points: leave one out")
	}
	return o.check()
}

// weights is the name of the weights file in the folder of the run.
func (o *pointsOptions) weights() string {
	if o.curve != "" {
		return o.curve + ".safetensors"
	}
	return "points.safetensors"
}

// start reads what the run begins with, or nothing.
func (o *pointsOptions) start() (*task.Start, error) {
	if o.from == "" || o.resume {
		return nil, nil
	}
	b, err := bounded.ReadFile(o.from, lesson.MaxFrom, safetensors.CheckStart)
	if err != nil {
		return nil, err
	}
	s, err := task.ReadStart(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.from, err)
	}
	return s, nil
}

// configure returns the configuration that the flags ask for.
func (o *pointsOptions) configure(curve pointcloud.Curve, start *task.Start) task.Config {
	c := task.Default()
	if curve.Draw != nil {
		c.Latent, c.Noise = curve.Latent, curve.Noise
	}
	if curve.Distance != nil {
		c.Distance = curve.Distance
	}
	if o.paper {
		c = task.Paper()
		c.Latent = max(c.Latent, curve.Latent)
	}
	if start != nil {
		start.Shape(&c)
	}
	for i, d := range o.given {
		if d.given {
			o.change[i](&c)
		}
	}
	return c
}

func (o *pointsOptions) run(ctx context.Context, e env) error {
	if err := o.checkPoints(); err != nil {
		return err
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	cloud, curve, err := o.cloud(e, o.config.Seed)
	if err != nil {
		return err
	}
	start, err := o.start()
	if err != nil {
		return err
	}
	c := o.configure(curve, start)
	if !o.resume {
		if err := c.Validate(); err != nil {
			return usageError{err}
		}
		if n := task.Trained(cloud.Len()); c.Batch > n {
			if o.batch.given {
				return usagef("--batch is %d: give 1 to %d, the points that are trained on; the others of %d are held out", c.Batch, n, cloud.Len())
			}
			fmt.Fprintf(e.stderr, "note: with so few points to train on, the batch is %d, not %d\n", n, c.Batch)
		}
	}
	t := task.New(c, cloud)
	if start != nil {
		t.From(start)
	}
	graph.Round(o.portable)
	defer graph.Round(false)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	if err := o.train(ctx, e, r); err != nil {
		return err
	}
	path, picture := filepath.Join(o.out, o.weights()), filepath.Join(o.out, "restored.png")
	n, s, err := writePoints(path, picture, t, false)
	if err != nil || o.quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, `trained to %s (%s); look at %s
mean distance to the manifold of held-out points, the cloud's size being about 1:
  with noise %g   %.4f
  DAE             %.4f
  DDPM            %.4f
  MPPM            %.4f
`, path, size(n), picture, s.Noise, s.Noisy, s.DAE, s.DDPM, s.MPPM)
	return err
}

// writePoints writes the weights of a run, with its scores, to path, and draws the
// held-out points to picture unless that is empty. It returns the file's size.
func writePoints(path, picture string, t *task.Task, float bool) (int, task.Scores, error) {
	f, s, points, err := t.Finish(float)
	if err != nil {
		return 0, s, err
	}
	if picture != "" {
		m, err := ambient.New(f)
		if err != nil {
			return 0, s, err
		}
		if err := restored.Draw(picture, m, points); err != nil {
			return 0, s, err
		}
	}
	b, err := encodeWeights(f, path)
	return len(b), s, err
}

// exportPoints writes the weights of a run on points.
func (o *exportOptions) exportPoints(e env) error {
	seed, md5, err := task.Points(o.checkpoint)
	if err != nil {
		return err
	}
	var cloud *pointcloud.Cloud
	if o.data.dir != "" {
		if cloud, err = readPoints(e, o.data.dir, o.decimal); err != nil {
			return err
		}
	} else if cloud = curveOf(seed, md5); cloud == nil {
		return usagef("--data: the run in %s is of points of a file: give it as --data FILE.csv", o.checkpoint)
	}
	t := task.New(task.Config{}, cloud)
	if err := o.open(e, t); err != nil {
		return err
	}
	n, _, err := writePoints(o.out, "", t, o.float)
	if err == nil && !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "exported to %s (%s)\n", o.out, size(n))
	}
	return err
}

// curveOf returns the points with that checksum of the curves that the program
// knows, or nil.
func curveOf(seed uint64, md5 string) *pointcloud.Cloud {
	for _, curve := range pointcloud.Curves() {
		if c := curve.Draw(halfcircle.Points, rng.New(seed, halfcircle.StreamPoints)); c.MD5() == md5 {
			return c
		}
	}
	return nil
}
