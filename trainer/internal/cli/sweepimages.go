package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"mppm/shared/degrade"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/rundir"
	"mppm/trainer/internal/sweep"
)

// sweepImagesTrials is the file of sweep images.
const sweepImagesTrials = "sweep-images.json"

func sweepImagesCommand() command {
	return command{
		name:    "sweep images",
		args:    "--data DIR --weights FILE [--dae FILE] [flags]",
		summary: "look for the flow that restores pictures best",
		about: fmt.Sprintf(`
Restores pictures that were held out when the weights were trained, with each damage of
eval images at its most severe, by one flow after the other: from the model's own on,
along trust, steps, α, rounds and β, twice. A flow is the better the lower the mean over
all damage of log(FD / FD of the denoising autoencoder), to which %d times what its SSIM
falls short of that one's by more than %v is added; without --dae, the pictures as they
were damaged stand in its place. --n says how many pictures take part: what was chosen on
them is better scored on the others, or said to be chosen so.

Every flow is a line on standard output, the best comes last, as weights have it; the
folder gets all of them (sweep-images.json).`, sweep.Short, sweep.Slack),
		examples: []string{
			"sweep images --data photos/ --weights runs/images/images.safetensors --n 5",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := evalImagesOptions{out: "runs/sweep-images", seed: 1, embedding: ownEmbedding, n: 80}
			f.text(&o.data, "data", "DIR", "folder of pictures that the weights were trained on a part of").required = true
			f.text(&o.weights, "weights", "FILE", "the model").required = true
			f.text(&o.dae, "dae", "FILE", "the denoising autoencoder, trained on the same (default: none)")
			f.text(&o.out, "out", "DIR", "folder for what was found")
			f.integer(&o.n, "n", "N", "so many of the pictures, drawn by the seed; 0: all", 0, 1_000_000)
			f.seed(&o.seed, "seed", "seed of damage and noise")
			f.text(&o.embedding, "embedding", "FILE", "a net, as safetensors or ONNX")
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.reads("data", &o.data, readsFolder)
			f.reads("weights", &o.weights, readsFile)
			f.reads("dae", &o.dae, readsFile)
			f.reads("embedding", &o.embedding, readsFile)
			o.folder = f.owns("out", &o.out, func() rundir.Use {
				return rundir.Use{Command: "sweep images", Names: []string{sweepImagesTrials}, Marks: []string{sweepImagesTrials}}
			})
			return func(ctx context.Context, e env, _ []string) error { return o.sweep(ctx, e) }
		},
	}
}

// sweep is the command sweep images.
func (o *evalImagesOptions) sweep(ctx context.Context, e env) error {
	m, taken, err := o.model()
	if err != nil {
		return err
	}
	release, err := o.folder.claim(e)
	if err != nil {
		return err
	}
	defer release()
	set, err := o.pictures(ctx, e, taken, m.Meta, o.weights)
	if err != nil {
		return err
	}
	if o.n > set.Test.N {
		fmt.Fprintf(e.stderr, "note: %d pictures were held out: all of them take part\n", set.Test.N)
		o.n = 0
	}
	images, err := o.chosen(set)
	if err != nil {
		return err
	}
	embeddings, end, err := o.embeddings(ctx, e, set)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	methods, _, err := o.methods(e, m, nil, func(int) {})
	if err != nil {
		return err
	}
	var dae *evaluate.Method
	if len(methods) > 0 {
		dae = &methods[0]
	}
	j, err := evaluate.NewImageJudge(ctx, embeddings, m.Image(), images, nil, o.seed, func(int) {})
	if err != nil {
		return err
	}
	var columns []degrade.Degradation
	for _, in := range degrade.Kinds() {
		if in.Color[2] != 0 {
			columns = append(columns, degrade.Degradation{Kind: in.Kind, Severity: in.Color[2]})
		}
	}
	bar := progress.New(progressOf(e, o.quiet), "flows", sweep.MostImageFlows(), progress.Options{})
	all, err := sweep.ImageFlows(ctx, j, m, dae, columns, images, o.seed, func(t sweep.ImageTrial) {
		bar.Add(1)
		fmt.Fprintln(e.stdout, trialLine(t, columns))
	})
	bar.Finish()
	if len(all) > 0 {
		write := func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(all)
		}
		if failed := atomicfile.Write(filepath.Join(o.out, sweepImagesTrials), write); err == nil {
			err = failed
		}
	}
	if err != nil {
		return err
	}
	best, err := json.Marshal(all[0].Preset)
	if err == nil {
		_, err = fmt.Fprintf(e.stdout, "best: %s\n", best)
	}
	return err
}

// trialLine is a flow and its scores in a line.
func trialLine(t sweep.ImageTrial, columns []degrade.Degradation) string {
	var b strings.Builder
	p := t.Preset
	fmt.Fprintf(&b, "loss %.4f  keep %v local %v trust %v steps %d α %v rounds %d β %v ", t.Loss, p.Keep, p.Local, p.Trust, p.Steps, p.Alpha, max(1, p.Rounds), p.Beta)
	for i, c := range columns {
		fmt.Fprintf(&b, " %s %.3f/%.2f", c.Kind, t.SSIM[i], t.FD[i])
	}
	return b.String()
}
