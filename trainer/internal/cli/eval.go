package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/quality"
	"mppm/trainer/internal/rundir"
	"mppm/weights"
)

type evalOptions struct {
	out                            string
	data                           dataOptions
	weights, judge, dae, dae4, ldm string
	n, grown                       int
	seed                           uint64
	quiet                          bool
	folder                         *folder
}

func evalCommand() command {
	return command{
		name:    "eval mnist",
		args:    "[--out DIR] [flags]",
		summary: "score the model and its baselines: Table 1, and generation",
		about: `
Damages the test digits in the twelve ways of Table 6, and with noise that is not
clipped to what an image can hold, restores them with the model, its ablations and
the baselines, and scores what comes out: SSIM and PSNR against the clean digits,
the Fréchet distance to the training digits in the classifier's embedding, and how
many the classifier reads right. Then it grows digits from noise and scores those,
and measures whether the learned distance is one (see eval distance). The folder
gets table.md, table.csv, table.json, generation.md, generation.json, distance.md,
distance.json, and pictures.

All weights are the embedded ones unless files are given.`,
		examples: []string{
			"eval mnist",
			"eval mnist --n 1000 --out runs/quick",
			"eval mnist --weights runs/mnist/mnist.safetensors --dae-paper runs/dae-0.4/dae.safetensors",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := evalOptions{out: "runs/eval", seed: 1, grown: 10_000}
			f.text(&o.out, "out", "DIR", "folder for the tables and pictures")
			o.data.flags(f, idxFiles+", with labels"+orMNIST)
			f.text(&o.weights, "weights", "FILE", "the model (default: the embedded one)")
			f.text(&o.judge, "judge", "FILE", "the classifier (default: the embedded one)")
			f.text(&o.dae, "dae", "FILE", "the denoising autoencoder, trained on the noise of the model (default: the embedded one)")
			f.text(&o.dae4, "dae-paper", "FILE", "another one, trained with the noise of the paper (default: none)")
			f.text(&o.ldm, "ldm", "FILE", "the latent diffusion model (default: the embedded one)")
			f.integer(&o.n, "n", "N", "so many of the test digits; 0: all", 0, 1_000_000)
			f.integer(&o.grown, "grown", "N", "digits to grow from noise", 100, 100_000)
			f.seed(&o.seed, "seed", "seed of damage and noise")
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.reads("data", &o.data.dir, readsData)
			f.reads("weights", &o.weights, readsFile)
			f.reads("judge", &o.judge, readsFile)
			f.reads("dae", &o.dae, readsFile)
			f.reads("dae-paper", &o.dae4, readsFile)
			f.reads("ldm", &o.ldm, readsFile)
			o.folder = f.owns("out", &o.out, evalUse)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// generationFile is what nobody but eval mnist writes, at its end.
const generationFile = "generation.json"

// evalUse is what eval mnist makes of its folder.
func evalUse() rundir.Use {
	u := rundir.Use{Command: "eval mnist", Names: []string{"table.md", "table.csv", "table.json", "generation.md", generationFile, "generated.png"}, Marks: []string{generationFile}}
	u.Names = append(u.Names, distanceFiles...)
	for _, k := range degrade.Kinds() {
		u.Names = append(u.Names, restoredPicture(k.Kind))
	}
	return u
}

// restoredPicture is the name of the picture of a kind of damage.
func restoredPicture(k degrade.Kind) string { return "restored-" + string(k) + ".png" }

// methods are the rows of the table: those that there are weights for.
func (o *evalOptions) methods(m *latent.Model) ([]evaluate.Method, error) {
	flow := func(name string, m *latent.Model, p latent.Preset) evaluate.Method {
		return evaluate.Method{Name: name, Restore: func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
			return infer.Restore(ctx, m, p, &d, images, infer.Options{Seed: o.seed})
		}}
	}
	var all []evaluate.Method
	if o.dae4 != "" {
		dae, err := loadModelOf(methodDAE, o.dae4)
		if err != nil {
			return nil, err
		}
		all = append(all, flow("DAE, noise of the paper", dae, dae.Restore))
	}
	dae, err := loadModelOf(methodDAE, o.dae)
	if err != nil {
		return nil, err
	}
	all = append(all, flow("DAE", dae, dae.Restore))
	if kernel, ok := dae.Presets["kernel"]; ok {
		all = append(all, flow("Ablation^dae (DAE's nets, α = 0)", dae, kernel))
	}
	l, err := loadLDM(o.ldm)
	if err != nil {
		return nil, err
	}
	all = append(all, evaluate.Method{Name: "LDM", Restore: func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
		steps, err := l.Start(d)
		if err != nil {
			return nil, err
		}
		return infer.RestoreLDM(ctx, l, steps, &d, images, infer.Options{Seed: o.seed})
	}})
	still := m.Restore
	still.Steps = 0
	all = append(all, flow("LMPPM's nets, no flow", m, still))
	for _, name := range []string{"sharp", "faithful", "restore"} {
		p, ok := m.Presets[name]
		if !ok {
			continue
		}
		all = append(all, flow("LMPPM "+name, m, p))
		if p.Alpha > 0 && p.Beta > 0 && p.Tau == 0 {
			p.Alpha = 0
			all = append(all, flow("Ablation^lmppm ("+name+", α = 0)", m, p))
		}
	}
	return all, nil
}

func (o *evalOptions) run(ctx context.Context, e env) error {
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.data.open(ctx, e.stderr, dataset.Load)
	if err != nil {
		return err
	}
	if set.Test.Labels == nil {
		return fmt.Errorf("the test digits have no labels; put t10k-labels-idx1-ubyte beside the images")
	}
	if o.n > set.Test.N {
		return usagef("--n is %d: there are %d test digits", o.n, set.Test.N)
	}
	if least := quality.Neighbors + 1; min(set.Train.N, set.Test.N) < least {
		return fmt.Errorf("there are %d training and %d test digits: give at least %d of each, for coverage counts the nearest %d of every one", set.Train.N, set.Test.N, least, quality.Neighbors)
	}
	m, err := loadModelOf(methodLMPPM, o.weights)
	if err != nil {
		return err
	}
	judge, _, err := loadJudge(o.judge)
	if err != nil {
		return err
	}
	if err := atomicfile.Writable(filepath.Join(o.out, "table.md")); err != nil {
		return err
	}
	methods, err := o.methods(m)
	if err != nil {
		return err
	}
	n := set.Test.N
	if o.n > 0 {
		n = min(n, o.n)
	}
	images, labels := set.Test.Images[:n*latent.DigitPixels], set.Test.Labels[:n]
	w := progressOf(e, o.quiet)
	j, err := evaluate.NewJudge(ctx, judge, set.Train.Images)
	if err != nil {
		return err
	}
	columns := evaluate.Columns(degrade.All())
	bar := progress.New(w, "restoring", len(methods)*len(columns), progress.Options{Unit: "cells"})
	t, err := evaluate.Run(ctx, j, methods, columns, images, labels, o.seed, func(method, column string) {
		bar.Note("%s, %s", method, column)
		bar.Add(1)
	})
	bar.Finish()
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll(o.out, map[string]func(io.Writer) error{"table.md": t.Markdown, "table.csv": t.CSV, "table.json": t.JSON}); err != nil {
		return err
	}
	if err := o.pictures(ctx, methods, images); err != nil {
		return err
	}
	if err := writeDistance(ctx, o.out, m, images, o.seed, w); err != nil {
		return err
	}
	if err := o.generation(ctx, j, m, set, w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%s holds the tables and the pictures; begin with table.md\n", o.out)
	return err
}

// loadJudge returns the classifier of the file at path, or the embedded one for
// no path, and its bytes.
func loadJudge(path string) (c *classifier.Classifier, b []byte, err error) {
	b = weights.Classifier
	if path != "" {
		if b, err = readWeightsFile(path); err != nil {
			return nil, nil, err
		}
	}
	if c, err = classifier.Load(b); err != nil && path != "" {
		err = notLoaded(path, err)
	}
	return c, b, err
}

// pictures draws Fig. 8: for each damage at its worst, some digits as they were
// damaged, as each method restores them, and as they were.
func (o *evalOptions) pictures(ctx context.Context, methods []evaluate.Method, images []byte) error {
	const columns = 12
	n := min(columns, len(images)/latent.DigitPixels)
	some := images[:n*latent.DigitPixels]
	for _, k := range degrade.Kinds() {
		d := degrade.Degradation{Kind: k.Kind, Severity: k.Severe}
		damaged, err := infer.Damage(ctx, d, latent.Digit, some, infer.Options{Seed: o.seed})
		if err != nil {
			return err
		}
		x, names := infer.Floats(damaged), []string{"degraded input"}
		for _, m := range methods {
			names = append(names, strings.ReplaceAll(m.Name, "α", "alpha")) // the font has no Greek
			r, err := m.Restore(ctx, d, some)
			if err != nil {
				return err
			}
			x = append(x, infer.Floats(r.Pixels)...)
		}
		x = append(x, infer.Floats(some)...)
		if err := (plots.Sheet{Columns: n, Rows: append(names, "original")}).Save(filepath.Join(o.out, restoredPicture(k.Kind)), x); err != nil {
			return err
		}
	}
	return nil
}

// generation scores digits grown from noise beside real ones, and beside what
// the nets make of real ones.
func (o *evalOptions) generation(ctx context.Context, j *evaluate.Judge, m *latent.Model, set *dataset.Set, w io.Writer) error {
	// The first test digits are easier than the rest: take them at random.
	n := min(o.grown, set.Test.N)
	var held []byte
	for _, i := range rng.New(o.seed, 0).Perm(set.Test.N)[:n] {
		held = append(held, set.Test.Image(i)...)
	}
	still := m.Restore
	still.Steps = 0
	decoded, err := infer.Restore(ctx, m, still, nil, held, infer.Options{})
	if err != nil {
		return err
	}
	sets := []evaluate.Set{{Name: "test digits", Images: held}, {Name: "test digits, encoded and decoded", Images: decoded.Pixels}}
	grown, err := infer.Generate(ctx, m, m.Generate, o.grown, infer.Options{Seed: o.seed})
	if err != nil {
		return err
	}
	const paper = 2000 // the paper's number
	if o.grown > paper {
		sets = append(sets, evaluate.Set{Name: "LMPPM, from noise", Images: grown[:paper*latent.DigitPixels]})
	}
	sets = append(sets, evaluate.Set{Name: "LMPPM, from noise", Images: grown})
	l, err := loadLDM(o.ldm)
	if err != nil {
		return err
	}
	pixels, err := infer.GenerateLDM(ctx, l, min(paper, o.grown), infer.Options{Seed: o.seed})
	if err != nil {
		return err
	}
	sets = append(sets, evaluate.Set{Name: "LDM, from noise", Images: pixels})
	bar := progress.New(w, "judging what was grown", len(sets), progress.Options{Unit: "sets"})
	all, err := evaluate.Grow(ctx, j, &set.Train, sets, func(string) { bar.Add(1) })
	bar.Finish()
	if err != nil {
		return err
	}
	if err := atomicfile.Write(filepath.Join(o.out, "generation.md"), func(w io.Writer) error { return evaluate.GrownMarkdown(w, all) }); err != nil {
		return err
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(filepath.Join(o.out, generationFile), b); err != nil {
		return err
	}
	return plots.Sheet{Columns: 20}.Save(filepath.Join(o.out, "generated.png"), infer.Floats(grown[:min(200, o.grown)*latent.DigitPixels]))
}
