package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/rundir"
	"mppm/trainer/internal/sweep"
	task "mppm/trainer/internal/task/latent"
)

// sweepAxes are what can be searched along; the first is the default.
var sweepAxes = []string{"flow", "bank", "loss", "noise"}

type sweepOptions struct {
	axis, out           string
	data                dataOptions
	weights, dae, judge string
	write               string
	held, n             int
	budget, epochs      int
	seed                uint64
	quiet               bool
	heldDef             *flagDef
	all                 bool // n is to be held
	budgetDef, epochDef *flagDef
	folder              *folder
}

func sweepCommand() command {
	return command{
		name:    "sweep",
		args:    "[--axis AXIS] [--out DIR] [flags]",
		summary: "search for the best settings on held-out training digits",
		about: `
Searches for settings on digits that are held out of the training set; the test
digits are not read. The model and the denoising autoencoder that it is measured
by should be trained without them: train mnist --holdout 5000, and train dae
--holdout 5000.

The axis flow searches for the parameters of the flows: of many that are drawn at
random, on few digits, those that do best are tried on more, refined one parameter
at a time, and the last few are compared on all. The winners can be written into a
copy of the weights with --write. The axis bank makes code banks of other sizes;
loss and noise train the model with other weights of the loss and other noise, for
a few epochs each, into folders below DIR. Along these axes the flows of the
weights are scored, or a search is made at each setting with --budget.

DIR gets a table as Markdown, every trial as CSV, the winners as JSON, and plots,
all named after the axis; and the log of trials. A sweep that was ended in any way
goes on by the same command: what the log has is not tried again. Winners are
written to standard output, a line of JSON each.`,
		examples: []string{
			"sweep --weights runs/mnist/mnist.safetensors --dae runs/dae/dae.safetensors --write tuned.safetensors",
			"sweep --axis bank --weights runs/mnist/mnist.safetensors --dae runs/dae/dae.safetensors",
			"sweep --axis noise --epochs 4 --n 2000",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := sweepOptions{out: "runs/sweep", held: 5000, epochs: 3, seed: 1}
			choice(f, &o.axis, "axis", "AXIS", "what is searched along: "+strings.Join(sweepAxes, ", "), sweepAxes)
			f.text(&o.out, "out", "DIR", "folder for the log, the tables and the plots")
			o.data.flags(f, idxFiles+", with labels"+orMNIST)
			f.text(&o.weights, "weights", "FILE", "the model (default: the embedded one)")
			f.text(&o.dae, "dae", "FILE", "the denoising autoencoder, trained on the noise of the model (default: the embedded one)")
			f.text(&o.judge, "judge", "FILE", "the classifier (default: the embedded one)")
			o.heldDef = f.integer(&o.held, "holdout", "N", "training digits that are held out; by default no more than one in five", 2, 1_000_000)
			f.integer(&o.n, "n", "N", "choose on so many of them; 0: all", 0, 1_000_000)
			o.budgetDef = f.integer(&o.budget, "budget", "N", "flows that are drawn for each task (default: 64 along flow, none along the others)", 0, 100_000)
			o.budgetDef.initial = ""
			o.epochDef = f.integer(&o.epochs, "epochs", "N", "of each training run, along loss and noise; its other parts are shortened alike", 1, 100_000)
			f.seed(&o.seed, "seed", "seed of everything random")
			f.text(&o.write, "write", "FILE", "write a copy of the weights with the winning flows, along flow")
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.reads("data", &o.data.dir, readsData)
			f.reads("weights", &o.weights, readsFile)
			f.reads("dae", &o.dae, readsFile)
			f.reads("judge", &o.judge, readsFile)
			f.writes("write", &o.write, writesFile)
			o.folder = f.owns("out", &o.out, o.use)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

// use is what a sweep makes of its folder. Sweeps along other axes may have it, too.
func (o *sweepOptions) use() rundir.Use {
	log := o.axis + sweep.LogSuffix
	return rundir.Use{
		Command: "sweep --axis " + o.axis,
		Names:   []string{log, o.axis + ".md", o.axis + ".csv", o.axis + ".json", o.axis + ".png", o.axis + "-fd.png", o.axis + "-ssim.png", o.axis + "-generate.png"},
		Marks:   []string{log},
	}
}

// check finds what is wrong with the flags before anything is read.
func (o *sweepOptions) check() error {
	trains := o.axis == "loss" || o.axis == "noise"
	switch {
	case o.write != "" && o.axis != sweepAxes[0]:
		return usagef("--write is for the axis %s: along %s there is no one set of weights that wins", sweepAxes[0], o.axis)
	case o.epochDef.given && !trains:
		return usagef("--epochs is for the axes loss and noise: along %s nothing is trained", o.axis)
	case o.n > o.held || o.n == 1:
		return usagef("--n is %d: give 2 to %d, as many digits as are held out, or 0 for all", o.n, o.held)
	}
	if !o.budgetDef.given && o.axis == sweepAxes[0] {
		o.budget = 64
	}
	if o.all = o.n == 0; o.all {
		o.n = o.held
	}
	return nil
}

// fit brings the number of digits that are held out down to a share of n, unless it
// was asked for, and says so.
func (o *sweepOptions) fit(w io.Writer, n int) error {
	const share = 5
	if n < 2+dataset.Least {
		return fmt.Errorf("there are %s: give at least %d, two to hold out and two to compare them with", count(n), 2+dataset.Least)
	}
	if most := max(n/share, 2); !o.heldDef.given && o.held > most {
		fmt.Fprintf(w, "note: of %s, %d are held out, not %d\n", count(n), most, o.held)
		o.held = most
		if o.all {
			o.n = most
		}
	}
	if o.n > o.held {
		return usagef("--n is %d: give 2 to %d, as many digits as are held out, or 0 for all", o.n, o.held)
	}
	if n-o.held < dataset.Least {
		return usagef("--holdout is %d: give 2 to %d, there are %s", o.held, n-dataset.Least, count(n))
	}
	return nil
}

// sawHeldOut tells whether a model was trained on the digits that n held-out ones
// are, by what its file says of its training.
func sawHeldOut(m *latent.Model, n int) bool {
	var c struct {
		Holdout int `json:"holdout"`
	}
	return json.Unmarshal([]byte(m.Meta["training"]), &c) != nil || c.Holdout < n
}

func (o *sweepOptions) run(ctx context.Context, e env) error {
	if err := o.check(); err != nil {
		return err
	}
	b, name, err := readWeights(o.weights)
	if err != nil {
		return err
	}
	m, err := loadModelOf(methodLMPPM, o.weights)
	if err != nil {
		return err
	}
	file, err := safetensors.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	db, daeName, err := readWeightsOf(methodDAE, o.dae)
	if err != nil {
		return err
	}
	dae, err := loadModelOf(methodDAE, o.dae)
	if err != nil {
		return err
	}
	c, judge, err := loadJudge(o.judge)
	if err != nil {
		return err
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	if o.write != "" {
		if err := atomicfile.Writable(o.write); err != nil {
			return err
		}
	}
	set, err := o.data.open(ctx, e.stderr, dataset.Load)
	if err != nil {
		return err
	}
	set.Test = dataset.Split{} // nothing here may read it
	if err := o.fit(e.stderr, set.Train.N); err != nil {
		return err
	}
	data, err := json.Marshal(set.Checksums)
	if err != nil {
		return err
	}
	columns := evaluate.Columns(degrade.Kinds()) // what a user can have
	setup := map[string]string{
		"weights": sweep.Sum(b), "dae": sweep.Sum(db), "judge": sweep.Sum(judge), "data": sweep.Sum(data),
		"held out": fmt.Sprint(o.held), "seed": fmt.Sprint(o.seed), "columns": fmt.Sprint(columns),
	}
	if o.axis == "loss" || o.axis == "noise" {
		delete(setup, "weights") // of which the flows alone are used, and the log has those
	}
	log, err := sweep.OpenLog(filepath.Join(o.out, o.axis+sweep.LogSuffix), len(columns), setup)
	if err != nil {
		return err
	}
	notes := o.notes(m, dae, name, daeName)
	for _, n := range notes {
		fmt.Fprintf(e.stderr, "warning: %s\n", n)
	}
	bench, err := sweep.NewBench(ctx, c, set, o.held, columns, o.seed)
	if err != nil {
		return err
	}
	w := progressOf(e, o.quiet)
	baseline := sweep.Of(dae)
	baseline.Name = "dae"
	s := &sweep.Sweep{Bench: bench, DAE: baseline, Log: log, Digits: o.n, Budget: o.budget, Seed: o.seed, Progress: w}
	rows, err := o.search(ctx, e.stderr, s, m, file, set)
	if err != nil {
		return err
	}
	r := s.Report(o.axis, rows, notes)
	if err := r.Save(o.out); err != nil {
		return err
	}
	if o.write != "" {
		if err := o.present(file, rows[0].Result); err != nil {
			return err
		}
	}
	return r.Lines(e.stdout)
}

// notes are what a reader of the report has to know.
func (o *sweepOptions) notes(m, dae *latent.Model, name, daeName string) []string {
	var notes []string
	saw := func(m *latent.Model, what, name, command string) {
		if sawHeldOut(m, o.held) {
			notes = append(notes, fmt.Sprintf("%s (%s) was trained on the digits that are held out here, or does not say that it was not: scores are those of digits it has seen; train it with %s --holdout %d", what, name, command, o.held))
		}
	}
	if o.axis == "flow" || o.axis == "bank" {
		saw(m, "the model", name, "train mnist")
	}
	saw(dae, "the autoencoder", daeName, "train dae")
	return notes
}

func (o *sweepOptions) search(ctx context.Context, w io.Writer, s *sweep.Sweep, m *latent.Model, file *safetensors.File, set *dataset.Set) ([]sweep.Row, error) {
	base := task.Default()
	short := func(n int) int { return o.epochs * n / base.Epochs }
	base.Support.Epochs, base.Refine, base.Epochs, base.Seed = short(base.Support.Epochs), short(base.Refine), o.epochs, o.seed
	runs := filepath.Join(o.out, "runs")
	if o.axis == "loss" || o.axis == "noise" {
		shrink(w, set.Train.N-o.held, nil, fitting{"", "the batch is %d", &base.Batch}, fitting{"", "the code bank has %d centers", &base.Centers})
	}
	switch o.axis {
	case "bank":
		return s.Banks(ctx, file, sweep.BankSizes(), m.Presets)
	case "loss":
		return s.Trainings(ctx, set, base, sweep.Losses(), m.Presets, runs)
	case "noise":
		return s.Trainings(ctx, set, base, sweep.Noises(), m.Presets, runs)
	}
	r, err := s.Search(ctx, sweep.Of(m))
	if err != nil {
		return nil, err
	}
	return []sweep.Row{{Setting: "flow", Result: r}}, nil
}

// present writes the weights with the winning flows.
func (o *sweepOptions) present(file *safetensors.File, r *sweep.Result) error {
	err := r.Present(file, map[string]string{
		"digits": fmt.Sprint(o.n), "holdout": fmt.Sprint(o.held), "budget": fmt.Sprint(o.budget), "seed": fmt.Sprint(o.seed),
	})
	if err != nil {
		return err
	}
	_, err = encodeWeights(file, o.write)
	return err
}
