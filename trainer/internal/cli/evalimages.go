package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/ldm"
	"mppm/shared/rng"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/bounded"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/embedding"
	"mppm/trainer/internal/evaluate"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plots"
	"mppm/trainer/internal/progress"
	"mppm/trainer/internal/quality"
	"mppm/trainer/internal/rundir"
)

type evalImagesOptions struct {
	out, data, weights, dae, ldm string
	presets                      []string
	embedding, embedder          string
	net                          embedding.Options
	n, grown                     int
	all, json, quiet             bool
	seed                         uint64
	folder                       *folder
}

// Files of eval images. That last is what nobody else writes.
const (
	imagesTable      = "images.md"
	imagesFigures    = "images.json"
	imagesGrown      = "images-generation.md"
	imagesGrownData  = "images-generation.json"
	imagesGenerated  = "images-generated.png"
	ownEmbedding     = "runs/embedding/embedding.safetensors"
	shownImages      = 8
	shownGenerations = 60
)

func evalImagesCommand() command {
	return command{
		name:    "eval images",
		args:    "--data DIR --weights FILE [--dae FILE] [--ldm FILE] [flags]",
		summary: "score a model of pictures and its baselines: Table 2, and generation",
		about: `
Damages the pictures of a folder that were held out when the weights were trained, as
Tables 2 and 6 do, each kind at three severities, restores them with the model, without
its distance (α = 0), without that at each pixel (D alone) and with the baselines, and
scores what comes out: SSIM over the channels and PSNR against the pictures as they were,
and the Fréchet distance to those, and to the training pictures, in an embedding, with
the interval that drawing the pictures again and again gives. The paper's figures stand
beside. The table goes to standard output; the folder gets it too (images.md,
images.json), a sheet of each damage with what every method makes of it, one of the steps
of a restoration, and, for generation, images-generation.md and images-generated.png.

The embedding is a net: one of train embedding, any as nn.Net's text in a safetensors
file, or one in ONNX. --embedder has another program make the numbers, beside or in
place of the net; docs/faces-eval.md shows one for faces. Distances are in per cent of
the embedding's variance over the training pictures, so they are of one scale for all.

With --all every picture of the folder is scored, as it has to be where nothing was
trained on any.`,
		examples: []string{
			"eval images --data photos/ --weights runs/images/images.safetensors",
			"eval images --data photos/ --weights runs/images/images.safetensors --n 20 --json --out runs/eval-quick",
			"eval images --data more-photos/ --all --weights runs/images/images.safetensors --out runs/eval-more",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			o := evalImagesOptions{out: "runs/eval-images", seed: 1, embedding: ownEmbedding, presets: []string{"restore"}}
			f.text(&o.data, "data", "DIR", "folder of pictures that the weights were trained on a part of").required = true
			f.text(&o.weights, "weights", "FILE", "the model").required = true
			f.text(&o.dae, "dae", "FILE", "the denoising autoencoder, trained on the same (default: none)")
			f.text(&o.ldm, "ldm", "FILE", "the latent diffusion model (default: none)")
			f.text(&o.out, "out", "DIR", "folder for the tables and pictures")
			f.add(flagDef{name: "preset", arg: "NAME,NAME,...", help: "flows of the model to score", initial: "restore",
				values: func() []string { return picturePresets(o.weights) },
				set:    func(s string) error { o.presets = strings.Split(s, ","); return nil }})
			f.toggle(&o.all, "all", "score every picture of the folder: none was trained on")
			f.integer(&o.n, "n", "N", "so many of the pictures, drawn by the seed; 0: all", 0, 1_000_000)
			f.integer(&o.grown, "grown", "N", "pictures to grow from noise; 0: as many as are scored", 0, 100_000)
			f.seed(&o.seed, "seed", "seed of damage, noise and draws")
			f.toggle(&o.json, "json", "write JSON to standard output in place of the table")
			f.toggle(&o.quiet, "quiet", "show no progress")
			f.group = "the embedding"
			f.text(&o.embedding, "embedding", "FILE", "a net, as safetensors or ONNX")
			f.text(&o.embedder, "embedder", "COMMAND", "a program that makes the numbers, words with spaces between; without --embedding it is the only embedding")
			channels(f, &o.net.Mean, "embedding-mean", "what is taken off the channels, which are from 0 to 1 (default: as the file says, or 0)")
			channels(f, &o.net.Std, "embedding-std", "what they are divided by then (default: as the file says, or 1)")
			f.text(&o.net.Output, "embedding-output", "NAME", "of an ONNX net: the value that is taken (default: its output)")
			f.integer(&o.net.Side, "embedding-side", "N", "of an ONNX net: the side of its input, where the file leaves it open", 0, 2048).initial = ""
			f.reads("data", &o.data, readsFolder)
			for _, file := range []struct {
				name string
				path *string
			}{{"weights", &o.weights}, {"dae", &o.dae}, {"ldm", &o.ldm}, {"embedding", &o.embedding}} {
				f.reads(file.name, file.path, readsFile)
			}
			o.folder = f.owns("out", &o.out, evalImagesUse)
			return func(ctx context.Context, e env, _ []string) error {
				if o.embedder != "" && !f.given("embedding") {
					o.embedding = ""
				}
				return o.run(ctx, e)
			}
		},
	}
}

// channels adds a flag for a number of each channel, or one for all.
func channels(f *flagSet, p *[]float64, name, help string) {
	f.add(flagDef{name: name, arg: "X,X,X", help: help, set: func(s string) (err error) {
		*p, err = embedding.Numbers(s)
		return err
	}})
}

// picturePresets is presets for a model of pictures.
func picturePresets(path string) []string {
	m, _, err := loadAnyModelOf(methodLMPPM, path)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(m.Presets))
}

// evalImagesUse is what eval images makes of its folder.
func evalImagesUse() rundir.Use {
	u := rundir.Use{Command: "eval images", Names: []string{imagesTable, imagesFigures, imagesGrown, imagesGrownData, imagesGenerated, stepsPicture(steps)}, Marks: []string{imagesFigures}}
	for _, c := range evaluate.ImageColumns() {
		u.Names = append(u.Names, columnPicture(c))
	}
	return u
}

// steps is the damage of Figure 14.
var steps = degrade.Degradation{Kind: degrade.Missing, Severity: 0.08}

// The names of pictures.
func columnPicture(d degrade.Degradation) string {
	return fmt.Sprintf("images-%s-%g.png", d.Kind, d.Severity)
}
func stepsPicture(d degrade.Degradation) string {
	return fmt.Sprintf("images-steps-%s-%g.png", d.Kind, d.Severity)
}

// model reads the model, and returns how the pictures become its data.
func (o *evalImagesOptions) model() (*latent.Model, dataset.ImageOptions, error) {
	m, name, err := loadAnyModelOf(methodLMPPM, o.weights)
	if err != nil {
		return nil, dataset.ImageOptions{}, err
	}
	var held struct { // of the run's settings: what says which pictures it did not see
		Share float64 `json:"share"`
		Seed  uint64  `json:"seed"`
	}
	if err := json.Unmarshal([]byte(m.Meta["training"]), &held); err != nil || held.Share == 0 {
		return nil, dataset.ImageOptions{}, fmt.Errorf("%s: they do not say that they were trained on a folder of pictures: give weights of train images, or use eval mnist", name)
	}
	return m, dataset.ImageOptions{Side: m.Image().H, Gray: m.Image().C == 1, All: o.all, Share: held.Share, Seed: held.Seed}, nil
}

func (o *evalImagesOptions) run(ctx context.Context, e env) (err error) {
	m, taken, err := o.model()
	if err != nil {
		return err
	}
	flows, err := o.flows(m)
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
	images, err := o.chosen(set)
	if err != nil {
		return err
	}
	embeddings, end, err := o.embeddings(ctx, e, set)
	if err != nil {
		return err
	}
	defer func() {
		if ended := end(); err == nil {
			err = ended
		}
	}()
	w := progressOf(e, o.quiet)
	columns := evaluate.ImageColumns()
	var bar *progress.Bar
	methods, diffusion, err := o.methods(e, m, flows, func(n int) { bar.Add(n) })
	if err != nil {
		return err
	}
	n := len(images) / m.Pixels()
	train := &set.Train
	if o.all {
		train = nil
	}
	bar = progress.New(w, "embedding", len(embeddings)*(n+set.Train.N), progress.Options{})
	j, err := evaluate.NewImageJudge(ctx, embeddings, m.Image(), images, train, o.seed, bar.Add)
	bar.Finish()
	if err != nil {
		return err
	}
	sheets := newSheets(m, methods, columns, images)
	bar = progress.New(w, "restoring", len(methods)*len(columns)*n, progress.Options{})
	t, err := evaluate.Images(ctx, j, methods, columns, images, o.seed, sheets.see, func(method, column string) { bar.Note("%s, %s", method, column) })
	bar.Finish()
	if err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{imagesTable: t.Markdown, imagesFigures: t.JSON} {
		if err := atomicfile.Write(filepath.Join(o.out, name), write); err != nil {
			return err
		}
	}
	if err := sheets.save(o.out); err != nil {
		return err
	}
	if err := o.steps(m, flows[0].preset, images); err != nil {
		return err
	}
	if train != nil {
		if err := o.generation(ctx, j, m, diffusion, set, images, w); err != nil {
			return err
		}
	}
	if !o.quiet {
		fmt.Fprintf(e.stderr, "%s holds the tables and the pictures\n", o.out)
	}
	if o.json {
		return t.JSON(e.stdout)
	}
	return t.Text(e.stdout)
}

// flow is one of the model's, with a name for the table.
type namedFlow struct {
	name   string
	preset latent.Preset
}

// flows are those that are asked for, each followed by itself without the distance, and
// without that at each pixel.
func (o *evalImagesOptions) flows(m *latent.Model) ([]namedFlow, error) {
	var all []namedFlow
	for _, name := range o.presets {
		p, ok := m.Presets[name]
		if !ok {
			names := slices.Sorted(maps.Keys(m.Presets))
			return nil, usagef("--preset: the weights have no preset %q, only %s%s", name, strings.Join(names, ", "), suggest(name, names, ""))
		}
		all = append(all, namedFlow{"LMPPM " + name, p})
		if p.Alpha > 0 {
			still := p
			still.Alpha = 0
			all = append(all, namedFlow{"LMPPM " + name + ", α = 0", still})
		}
		if p.Local > 0 || p.Keep > 0 {
			p.Local, p.Keep = 0, 0
			all = append(all, namedFlow{"LMPPM " + name + ", D alone", p})
		}
	}
	return all, nil
}

// methods are the rows of the table, and the diffusion model among them, or nil. Each tells
// progress of the images that it has restored.
func (o *evalImagesOptions) methods(e env, m *latent.Model, flows []namedFlow, progress func(n int)) ([]evaluate.Method, *ldm.Model, error) {
	options := infer.Options{Seed: o.seed, Progress: progress}
	flow := func(name string, m *latent.Model, p latent.Preset) evaluate.Method {
		return evaluate.Method{Name: name, Restore: func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
			return infer.Restore(ctx, m, p, &d, images, options)
		}}
	}
	fits := func(name string, a *latent.Autoencoder, meta map[string]string) error {
		if a.Image() != m.Image() {
			return fmt.Errorf("%s: they are of images of %v, and the model is of %v: give baselines of the same", name, a.Image(), m.Image())
		}
		if dataOf(meta) != dataOf(m.Meta) {
			fmt.Fprintf(e.stderr, "note: %s was trained on other pictures than the model: some of those that are scored may be among them\n", name)
		}
		return nil
	}
	var all []evaluate.Method
	var diffusion *ldm.Model
	if o.dae != "" {
		dae, name, err := loadAnyModelOf(methodDAE, o.dae)
		if err == nil {
			err = fits(name, dae.Autoencoder, dae.Meta)
		}
		if err != nil {
			return nil, nil, err
		}
		all = append(all, flow(evaluate.Baseline, dae, dae.Restore))
	}
	if o.ldm != "" {
		b, name, err := readWeightsOf(methodLDM, o.ldm)
		if err != nil {
			return nil, nil, err
		}
		if diffusion, err = ldm.Load(b); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := fits(name, diffusion.Autoencoder, diffusion.Meta); err != nil {
			return nil, nil, err
		}
		all = append(all, evaluate.Method{Name: "LDM", Restore: func(ctx context.Context, d degrade.Degradation, images []byte) (*infer.Restored, error) {
			steps, err := diffusion.Start(d)
			if err != nil {
				return nil, err
			}
			return infer.RestoreLDM(ctx, diffusion, steps, &d, images, options)
		}})
	}
	for _, f := range flows {
		all = append(all, flow(f.name, m, f.preset))
	}
	return all, diffusion, nil
}

// dataOf returns the checksums of what weights were trained on, "" where they do not say.
func dataOf(meta map[string]string) string {
	var data struct {
		MD5 map[string]string `json:"md5"`
	}
	if json.Unmarshal([]byte(meta["data"]), &data) != nil || data.MD5 == nil {
		return ""
	}
	return fmt.Sprint(data.MD5)
}

// pictures reads the folder as the run of the weights did: which pictures are held out
// follows from the run's settings. It returns an error if those are not the same as then,
// unless all are scored.
func (o *evalImagesOptions) pictures(ctx context.Context, e env, taken dataset.ImageOptions, meta map[string]string, name string) (*dataset.Set, error) {
	set, err := (&dataOptions{dir: o.data}).open(ctx, e.stderr, picturesOf(e, taken, o.quiet))
	if err != nil || o.all {
		return set, err
	}
	var data struct {
		MD5 map[string]string `json:"md5"`
	}
	if err := json.Unmarshal([]byte(meta["data"]), &data); err != nil {
		return nil, fmt.Errorf("%s: metadata: data: %w", name, err)
	}
	if err := optim.CheckData(data.MD5, set.Checksums); err != nil {
		return nil, fmt.Errorf("%s were not trained on the pictures in %s, or some have come or gone since, so which of them were held out is not known: give the same with --data; to score pictures none of which was trained on, add --all", name, o.data)
	}
	return set, nil
}

// chosen returns the pictures that are scored.
func (o *evalImagesOptions) chosen(set *dataset.Set) ([]byte, error) {
	n, test := set.Test.N, &set.Test
	if o.n > n {
		return nil, usagef("--n is %d: there are %d pictures to score", o.n, n)
	}
	if o.n > 0 {
		n = o.n
	}
	if least := quality.Neighbors + 1; n < least {
		return nil, fmt.Errorf("there are %d pictures to score: give at least %d", n, least)
	}
	if err := roomFor(n, test.Pixels()); err != nil {
		return nil, err
	}
	at := rng.New(o.seed, 0).Perm(test.N)[:n]
	slices.Sort(at)
	images := make([]byte, 0, n*test.Pixels())
	for _, i := range at {
		images = append(images, test.Image(i)...)
	}
	return images, test.Err()
}

// embeddings are those that are asked for, and end is to be called when they are not needed
// any more.
func (o *evalImagesOptions) embeddings(ctx context.Context, e env, set *dataset.Set) (all []embedding.Embedding, end func() error, err error) {
	end = func() error { return nil }
	if o.embedding != "" {
		b, err := bounded.ReadFile(o.embedding, maxWeights, nil)
		if errors.Is(err, fs.ErrNotExist) && o.embedding == ownEmbedding {
			return nil, nil, fmt.Errorf("there is no embedding yet to measure distances in: make one of the project's own by %s train embedding --data %s, or name a net with --embedding or a program with --embedder", program, o.data)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("cannot read the embedding: %w", err)
		}
		n, err := embedding.Load(b, filepath.Base(o.embedding), o.net)
		if err != nil {
			return nil, nil, err
		}
		if own := dataOf(n.Meta); own != "" && own != fmt.Sprint(set.Checksums) && !o.all {
			fmt.Fprintln(e.stderr, "note: the embedding was trained on other pictures than the model: some of those that are scored may be among them")
		}
		all = append(all, n)
	}
	if o.embedder != "" {
		p, err := embedding.Start(ctx, o.embedder, e.stderr)
		if err != nil {
			return nil, nil, err
		}
		all, end = append(all, p), p.Close
	}
	return all, end, nil
}

// sheets keeps what some pictures become in every cell.
type sheets struct {
	model   *latent.Model
	names   []string
	columns []degrade.Degradation
	at      []int      // the pictures
	rows    [][][]byte // by column and row
	clean   []byte
}

func newSheets(m *latent.Model, methods []evaluate.Method, columns []degrade.Degradation, images []byte) *sheets {
	s := &sheets{model: m, names: []string{"degraded input"}, columns: columns, rows: make([][][]byte, len(columns))}
	for _, method := range methods {
		s.names = append(s.names, strings.ReplaceAll(method.Name, "α", "alpha")) // the font has no Greek
	}
	for i := range s.rows {
		s.rows[i] = make([][]byte, len(s.names))
	}
	n := len(images) / m.Pixels()
	some := min(shownImages, n)
	for i := range some { // names that begin alike are alike: not the first ones
		s.at = append(s.at, i*n/some)
	}
	s.clean = s.pick(images)
	return s
}

func (s *sheets) pick(pixels []byte) []byte {
	size := s.model.Pixels()
	var all []byte
	for _, i := range s.at {
		all = append(all, pixels[i*size:(i+1)*size]...)
	}
	return all
}

func (s *sheets) see(row, column int, pixels []byte) { s.rows[column][row] = s.pick(pixels) }

// save draws Figures 10 to 13 and 17, and their like for every column.
func (s *sheets) save(dir string) error {
	for i, d := range s.columns {
		var x []float32
		for _, row := range append(s.rows[i], s.clean) {
			x = append(x, infer.Floats(row)...)
		}
		sheet := plots.Sheet{Image: s.model.Image(), Columns: len(s.at), Scale: scaleOf(s.model), Rows: append(slices.Clip(s.names), "original")}
		if err := sheet.Save(filepath.Join(dir, columnPicture(d)), x); err != nil {
			return err
		}
	}
	return nil
}

// scaleOf is how large pixels are drawn.
func scaleOf(m *latent.Model) int {
	if m.Image().H < 100 {
		return 2
	}
	return 1
}

// steps draws Figure 14: some pictures, and what they have become after steps of the flow.
func (o *evalImagesOptions) steps(m *latent.Model, p latent.Preset, images []byte) error {
	const rows = 6
	size, n := m.Pixels(), len(images)/m.Pixels()
	some := min(rows, n)
	clean, damaged := make([]float32, 0, some*size), make([]float32, some*size)
	for i := range some {
		at := i * n / some
		clean = append(clean, infer.Floats(images[at*size:(at+1)*size])...)
		if err := infer.Degrade(damaged[i*size:(i+1)*size], clean[i*size:], m.Image(), steps, o.seed, at); err != nil {
			return err
		}
	}
	numbers, decoded, err := infer.Trajectory(m, p, damaged, (&restoreOptions{}).stride(p.Steps*max(1, p.Rounds)))
	if err != nil {
		return err
	}
	heads, columns := []string{"damaged"}, [][]float32{damaged}
	for i, step := range numbers {
		heads, columns = append(heads, fmt.Sprintf("step %d", step)), append(columns, decoded[i])
	}
	heads, columns = append(heads, "original"), append(columns, clean)
	var x []float32
	for i := range some {
		for _, c := range columns {
			x = append(x, c[i*size:(i+1)*size]...)
		}
	}
	return plots.Sheet{Image: m.Image(), Columns: len(columns), Scale: scaleOf(m), Heads: heads}.Save(filepath.Join(o.out, stepsPicture(steps)), x)
}

// generation scores pictures grown from noise beside real ones, and beside what the nets
// make of the codes of real ones.
func (o *evalImagesOptions) generation(ctx context.Context, j *evaluate.ImageJudge, m *latent.Model, diffusion *ldm.Model, set *dataset.Set, images []byte, w io.Writer) error {
	n := len(images) / m.Pixels()
	if o.grown > 0 {
		n = o.grown
	}
	bar := progress.New(w, "growing", 2*n, progress.Options{})
	defer func() { bar.Finish() }()
	options := infer.Options{Seed: o.seed, Progress: bar.Add}
	codes, err := infer.Codes(ctx, m, nil, images, options)
	if err != nil {
		return err
	}
	still := m.Restore
	still.Steps = 0
	decoded, err := infer.RestoreCodes(ctx, m, still, codes, images, infer.Options{})
	if err != nil {
		return err
	}
	sets := []evaluate.Set{{Name: "held-out images", Images: images}, {Name: "held-out images, encoded and decoded", Images: decoded.Pixels}}
	grown, err := infer.Generate(ctx, m, m.Generate, n, options)
	if err != nil {
		return err
	}
	sets = append(sets, evaluate.Set{Name: "LMPPM, from noise", Images: grown})
	if diffusion != nil {
		pixels, err := infer.GenerateLDM(ctx, diffusion, n, infer.Options{Seed: o.seed})
		if err != nil {
			return err
		}
		sets = append(sets, evaluate.Set{Name: "LDM, from noise", Images: pixels})
	}
	bar.Finish()
	bar = progress.New(w, "judging what was grown", len(sets), progress.Options{Unit: "sets"})
	all, err := evaluate.GrowImages(ctx, j, &set.Train, sets, func(string) { bar.Add(1) })
	if err != nil {
		return err
	}
	err = atomicfile.Write(filepath.Join(o.out, imagesGrown), func(w io.Writer) error { return evaluate.GrownImagesMarkdown(w, all) })
	if err == nil {
		err = atomicfile.Write(filepath.Join(o.out, imagesGrownData), func(w io.Writer) error { return evaluate.GrownImagesJSON(w, all) })
	}
	if err != nil {
		return err
	}
	shown := grown[:min(shownGenerations, n)*m.Pixels()]
	return plots.Sheet{Image: m.Image(), Columns: 10, Scale: scaleOf(m)}.Save(filepath.Join(o.out, imagesGenerated), infer.Floats(shown))
}
