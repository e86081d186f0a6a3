package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/infer"
	train "mppm/trainer/internal/run"
	dae "mppm/trainer/internal/task/latent"
	task "mppm/trainer/internal/task/ldm"
	"mppm/trainer/internal/task/unet"
)

type ldmOptions struct {
	runFlags
	data   dataOptions
	dae    string
	config task.Config
}

func ldmCommand() command {
	return command{
		name:    "train ldm",
		args:    "--dae PATH [--out DIR] [flags]",
		summary: "train the latent diffusion model, a baseline",
		about: `
Trains the denoiser of the latent diffusion model that the paper compares with:
DDPM (Alg. 2) on the codes that a denoising autoencoder, trained by train dae,
gives the training digits, or one of train images the training pictures: name their
folder with --data. The folder gets a checkpoint and the loss curve as the
run goes, and at its end the weights (ldm.safetensors): the autoencoder as it is,
and the denoiser in eight bits. A run that was ended in any way goes on from its
last checkpoint with --resume, to the same result.`,
		examples: []string{
			"train ldm --dae runs/dae",
			"train ldm --dae weights/dae.safetensors --out runs/ldm-2 --seed 2",
			"train ldm --dae runs/images-dae --data photos/ --out runs/images-ldm",
			"train ldm --resume",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := ldmOptions{runFlags: runFlags{out: "runs/ldm", checkpoint: 5}, config: task.Default()}
			c := &o.config
			f.text(&o.dae, "dae", "PATH", "the autoencoder: a weights file, or the folder of a run of train dae")
			o.flags(f, func() { o.data.flags(f, idxFiles+orFolders+"PNG files"+orMNIST) }, " and the autoencoder")
			first := len(f.list)
			f.group = "the run"
			f.seed(&c.Seed, "seed", "seed of everything random")
			f.integer(&c.Epochs, "epochs", "N", "times through the codes", 1, 100_000)
			f.integer(&c.Batch, "batch", "N", "codes in a step; by default no more than there are", 1, 65_536)
			f.number(&c.Rate, "rate", "X", "Adam's step size at the start", 0, 10)
			f.add(flagDef{name: "hidden", arg: "N,N,...", help: "widths of the hidden layers of the denoiser", initial: widths(c.Hidden),
				set: func(s string) (err error) { c.Hidden, err = parseWidths(s); return err }})
			f.group = "the diffusion"
			f.integer(&c.Diffusion.Steps, "diffusion-steps", "T", "steps from a code to noise", 1, 10_000)
			f.number(&c.Diffusion.First, "first", "X", "β of the first step", 0, 1)
			f.number(&c.Diffusion.Last, "last", "X", "β of the last; between the two it goes along a line", 0, 1)
			o.settings = f.list[first:]
			f.reads("dae", &o.dae, readsFileOrRun)
			f.reads("data", &o.data.dir, readsData)
			o.folder = f.owns("out", &o.out, ofRun("train ldm", func() string { return "ldm.safetensors" }, "autoencoder.safetensors"))
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *ldmOptions) run(ctx context.Context, e env) error {
	if err := o.check(); err != nil {
		return err
	}
	switch {
	case o.resume && o.dae != "":
		return usagef("--dae cannot change a run that is resumed, which keeps its autoencoder: leave it out")
	case !o.resume && o.dae == "":
		return usagef("the flag --dae PATH is missing: the diffusion needs an autoencoder; %s train dae makes one", program)
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	coder, read, err := o.autoencoder(e)
	if err != nil {
		return err
	}
	set, err := o.data.open(ctx, e.stderr, read)
	if err != nil {
		return err
	}
	if !o.resume {
		if coder == nil {
			if coder, err = o.exported(set); err != nil {
				return err
			}
		}
		shrink(e.stderr, set.Train.N, o.settings, fitting{"batch", "the batch is %d", &o.config.Batch})
	}
	t := task.New(o.config, set, coder)
	r, err := o.open(t)
	if err != nil {
		return err
	}
	if err := o.train(ctx, e, r); err != nil {
		return err
	}
	path := filepath.Join(o.out, "ldm.safetensors")
	return writeLDM(ctx, e, t, set, path, false, o.quiet, "trained")
}

// autoencoder returns the weights that --dae names, or nil where that is the folder of a
// run, and what reads the data that they were trained on. Of a run that is resumed, the
// folder has the autoencoder.
func (o *ldmOptions) autoencoder(e env) (coder []byte, read func(context.Context, string) (*dataset.Set, error), err error) {
	if o.resume {
		return nil, readerOfRun(e, o.out, o.quiet), nil
	}
	if info, err := os.Stat(o.dae); err == nil && info.IsDir() {
		return nil, readerOfRun(e, o.dae, o.quiet), nil
	}
	b, _, err := readWeights(o.dae)
	if err != nil {
		return nil, nil, err
	}
	return b, readerOf(e, b, o.quiet), nil
}

// readerOf returns what reads the data that the autoencoder of weights b was trained on:
// a folder of pictures, if they say so.
func readerOf(e env, b []byte, quiet bool) func(context.Context, string) (*dataset.Set, error) {
	var c unet.Config
	f, err := safetensors.Parse(b)
	if err != nil || json.Unmarshal([]byte(f.Meta["training"]), &c) != nil || c.Side == 0 {
		return dataset.Open // whatever is wrong with the weights, who uses them says
	}
	return picturesOf(e, c.Pictures(), quiet)
}

// exported returns the weights of the run that --dae names, of the data in set.
func (o *ldmOptions) exported(set *dataset.Set) ([]byte, error) {
	var t interface {
		train.Task
		Nets(float bool) (*safetensors.File, error)
	} = dae.New(dae.Config{}, set)
	how := "train dae"
	if _, err := unet.SavedConfig(o.dae); err == nil {
		t, how = unet.New(unet.Config{}, set), "train images"
	}
	r, err := train.Open(t, o.dae)
	if err != nil {
		return nil, err
	}
	if !r.Done() {
		return nil, fmt.Errorf("the run in %s has not come to its end: go on with it by %s %s --resume --out %s", o.dae, program, how, o.dae)
	}
	f, err := t.Nets(false)
	if err != nil {
		return nil, err
	}
	return f.Encode()
}

// exportLDM writes the weights of the diffusion model whose run o names.
func (o *exportOptions) exportLDM(ctx context.Context, e env, set *dataset.Set) error {
	t := task.New(task.Config{}, set, nil)
	if err := o.open(e, t); err != nil {
		return err
	}
	return writeLDM(ctx, e, t, set, o.out, o.float, o.quiet, "exported")
}

// writeLDM is writeWeights for the latent diffusion model.
func writeLDM(ctx context.Context, e env, t *task.Task, set *dataset.Set, path string, float, quiet bool, done string) error {
	f, err := t.Weights(ctx, float)
	if err != nil {
		return err
	}
	if set.Test.N > 0 {
		noise := digitNoise
		if set.Test.Shape.C == 3 || set.Test.Pixels() != latent.DigitPixels {
			noise = pictureNoise
		}
		f.Meta["scores"], err = scoreBy(f, &set.Test, noise, progressOf(e, quiet), func(b, images []byte, d degrade.Degradation, o infer.Options) (*infer.Restored, error) {
			m, err := ldm.Load(b)
			if err != nil {
				return nil, err
			}
			start, err := m.Start(d)
			if err != nil {
				return nil, err
			}
			return infer.RestoreLDM(ctx, m, start, &d, images, o)
		})
		if err != nil {
			return err
		}
	}
	b, err := encodeWeights(f, path)
	if err != nil || quiet {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s to %s (%s)\n", done, path, size(len(b)))
	return err
}

// ldmFlags is the flag of the diffusion that restores.
type ldmFlags struct {
	start int
	def   *flagDef
}

func (f *flagSet) ldm() *ldmFlags {
	v := new(ldmFlags)
	f.group = "the diffusion (--method " + methodLDM + ")"
	v.def = f.integer(&v.start, "start", "N", "go back through the last N steps (default: as many as give codes the noise that the damage of --degrade gives them, or that of "+ldm.Blind.String()+" without it, of pictures "+pictureNoise.String()+")", 0, math.MaxInt32)
	v.def.initial = ""
	f.group = ""
	return v
}

// steps returns from where restoration starts: d is the damage if it is known.
func (v *ldmFlags) steps(m *ldm.Model, d *degrade.Degradation) (int, error) {
	if v.def.given {
		if v.start > m.Schedule.Len() {
			return 0, usagef("--start: the diffusion of these weights has %d steps, not %d", m.Schedule.Len(), v.start)
		}
		return v.start, nil
	}
	damage := ldm.Blind
	if m.Image() != latent.Digit {
		damage = pictureNoise
	}
	if d != nil {
		damage = *d
	}
	n, err := m.Start(damage)
	if err != nil {
		err = fmt.Errorf("%w: give --start", err)
	}
	return n, err
}

// loadLDM is loadPicturesLDM for commands of digits alone.
func loadLDM(path string) (*ldm.Model, error) {
	m, err := loadPicturesLDM(path)
	if err == nil && m.Image() != latent.Digit {
		return nil, notDigits(path, m.Image())
	}
	return m, err
}

// loadPicturesLDM reads the weights of a latent diffusion model of digits or pictures.
func loadPicturesLDM(path string) (*ldm.Model, error) {
	b, name, err := readWeightsOf(methodLDM, path)
	if err != nil {
		return nil, err
	}
	m, err := ldm.Load(b)
	if err != nil {
		return nil, notLoaded(name, err)
	}
	return m, checkPictures(name, m.Image())
}
