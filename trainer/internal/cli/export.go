package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/atomicfile"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/infer"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/progress"
	train "mppm/trainer/internal/run"
	task "mppm/trainer/internal/task/ambient"
	"mppm/trainer/internal/task/classifier"
	"mppm/trainer/internal/task/embedding"
	nets "mppm/trainer/internal/task/latent"
	"mppm/trainer/internal/task/ldm"
	"mppm/trainer/internal/task/unet"
)

type exportOptions struct {
	checkpoint, out     string
	format, weights     string // weights: those that ONNX files are made of
	data                dataOptions
	decimal             string // mark of the numbers in a CSV file
	float, quiet, force bool
	int8                bool // of ONNX files
}

func exportCommand() command {
	return command{
		name:    "export",
		args:    "--checkpoint DIR --out FILE [--float], or --format onnx [--weights FILE] --out DIR",
		summary: "turn a checkpoint into a weights file, or weights into ONNX files",
		about: `
Makes the weights file that everything else runs from a checkpoint of training:
eight bits for each weight with one scale for each output channel, or 32-bit
numbers with --float. The code bank is made anew of the data that the run was
trained on. Then the weights restore the test images from Gaussian noise of
deviation 0.7; the scores go into the file's metadata. The weights of a classifier
have no code bank; they read the test images. A run on points has its points for a
bank, and is scored on those held out.

With --format onnx it makes ONNX files, in a folder, of a weights file of any kind: of
32-bit numbers, or with --int8 as they are stored; as many images or codes at a time
as one likes (N). Images are N × height × width × channels, from 0 to 1, and codes N × d:
  encoder.onnx      image → code, and of a U-Net the skips S_1 to S_k by their names
  decoder.onnx      code, and of a U-Net the skips → image
  projections.onnx  code → what stands for the skips, of a U-Net that has projections
  local.onnx        image, skips → distance at each pixel, of a U-Net that has it
  distance.onnx     code → distance (N), gradient (N × d, of length 1)
  step.onnx         code, alpha, beta, sigma, tau → next (N × d), distance (N), moved (N):
                    a step of the flow (Eq. 15 and 21); a flow is that many times, sigma
                    times 1 − beta after each down to where it ends
  restore.onnx      image → restored: the whole restoration, its flow and all
  generate.onnx     noise (N × d), wide (N × d) → image: the whole generation
Alpha to tau are one number each, sigma and tau in multiples of the bank's spacing. Of a
model without D there is no distance, no alpha and no tau. Latent diffusion has
denoiser.onnx and diffusion.onnx in place of D and the step, points have point for image
and code, a classifier is classifier.onnx and an embedding embedding.onnx:
docs/interop.md has what each file takes and makes.`,
		examples: []string{
			"export --checkpoint runs/mnist --out weights/mnist.safetensors",
			"export --checkpoint runs/mnist --out mnist-float.safetensors --float",
			"export --checkpoint runs/classifier --out weights/classifier.safetensors",
			"export --format onnx --out onnx",
			"export --format onnx --weights faces --out onnx-faces",
		},
		setup: func(f *flagSet) func(context.Context, env, []string) error {
			var o exportOptions
			f.text(&o.checkpoint, "checkpoint", "DIR", "folder of the training run")
			f.text(&o.out, "out", "PATH", "the weights file to write, or the folder of ONNX files").required = true
			choice(f, &o.format, "format", "NAME", "what to write: safetensors, or onnx, of weights", []string{formatSafetensors, formatONNX})
			f.text(&o.weights, "weights", "FILE", "with --format onnx, the weights: a file, or the name of embedded ones, such as faces, dae, ldm, circle or classifier (default: those of digits)")
			o.data.flags(f, "the data of the run, if it had its own: a folder, or the CSV file of points"+orMNIST)
			f.text(&o.decimal, "decimal", "MARK", "decimal mark of the CSV file, if it had to be said: point or comma").values = decimalMarks
			f.toggle(&o.float, "float", "keep 32-bit numbers")
			f.toggle(&o.int8, "int8", "with --format onnx, keep weights and codes in eight bits where they are stored so: a quarter of the size, the same numbers")
			f.toggle(&o.force, "force", "replace ONNX files that are there")
			f.toggle(&o.quiet, "quiet", "say nothing")
			f.reads("checkpoint", &o.checkpoint, readsRun)
			f.reads("data", &o.data.dir, readsData)
			f.reads("weights", &o.weights, readsFile)
			f.writes("out", &o.out, o.writesExport)
			return func(ctx context.Context, e env, _ []string) error { return o.run(ctx, e) }
		},
	}
}

func (o *exportOptions) run(ctx context.Context, e env) error {
	switch {
	case o.format == formatONNX && (o.checkpoint != "" || o.float || o.data.dir != "" || o.decimal != ""):
		return usagef("--format onnx is of weights: give --weights FILE and --out DIR alone; `%s export --checkpoint DIR --out FILE` makes weights of a run", program)
	case o.format == formatONNX:
		return o.exportONNX(e)
	case o.weights != "" || o.force || o.int8:
		return usagef("--weights, --int8 and --force are for --format onnx")
	case o.checkpoint == "":
		return usagef("the flag --checkpoint DIR is missing (or --format onnx, for ONNX files of weights)")
	}
	if err := atomicfile.Writable(o.out); err != nil {
		return err
	}
	kind := ""
	if c, err := optim.Open(o.checkpoint); err == nil {
		kind = c.Kind()
	}
	if kind == task.CheckpointKind {
		return o.exportPoints(e)
	}
	set, err := o.data.open(ctx, e.stderr, readerOfRun(e, o.checkpoint, o.quiet))
	if err != nil {
		return err
	}
	switch kind {
	case classifier.CheckpointKind:
		return o.exportClassifier(ctx, e, set)
	case ldm.CheckpointKind:
		return o.exportLDM(ctx, e, set)
	case embedding.CheckpointKind:
		return o.exportEmbedding(ctx, e, set)
	}
	var t weighed = nets.New(nets.Config{}, set)
	if kind == unet.CheckpointKind {
		t = unet.New(unet.Config{}, set)
	}
	if err := o.open(e, t); err != nil {
		return err
	}
	b, err := writeWeights(ctx, o.out, t, o.float, progressOf(e, o.quiet))
	if err != nil {
		return err
	}
	if !o.quiet {
		_, err = fmt.Fprintf(e.stdout, "exported to %s (%s)\n", o.out, size(len(b)))
	}
	return err
}

// readerOfRun returns what reads the data of the run in a folder: a folder of pictures, if
// it was trained on one.
func readerOfRun(e env, dir string, quiet bool) func(context.Context, string) (*dataset.Set, error) {
	if c, err := unet.SavedConfig(dir); err == nil {
		return picturesOf(e, c.Pictures(), quiet)
	}
	if c, err := embedding.SavedConfig(dir); err == nil {
		return picturesOf(e, c.Pictures(), quiet)
	}
	if b, _, err := readWeights(filepath.Join(dir, ldm.AutoencoderName)); err == nil {
		return readerOf(e, b, quiet)
	}
	return dataset.Open // whatever is wrong with the run, its opening says
}

// open reads the run of a task, and says so if it has not come to its end.
func (o *exportOptions) open(e env, t train.Task) error {
	r, err := train.Open(t, o.checkpoint)
	if err == nil && !r.Done() {
		fmt.Fprintf(e.stderr, "note: the run in %s has not come to its end\n", o.checkpoint)
	}
	return err
}

// weighed is a task whose weights are of a model of package latent.
type weighed interface {
	train.Task
	Data() *dataset.Set
	Weights(ctx context.Context, float bool) (*safetensors.File, error)
}

// writeWeights makes the weights of a run, scores them on the test images of its
// data if there are any, and writes them to path. It returns the file's bytes.
func writeWeights(ctx context.Context, path string, t weighed, float bool, w io.Writer) ([]byte, error) {
	f, err := t.Weights(ctx, float)
	if err != nil {
		return nil, err
	}
	noise := digitNoise
	if t.Kind() == unet.CheckpointKind {
		noise = pictureNoise
	}
	return writeScored(ctx, path, f, t.Data(), noise, w)
}

// writeScored scores weights on the test images of a set, if there are any, with noise on
// them, and writes them to path. It returns the file's bytes.
func writeScored(ctx context.Context, path string, f *safetensors.File, set *dataset.Set, noise degrade.Degradation, w io.Writer) (_ []byte, err error) {
	if set.Test.N > 0 {
		f.Meta["scores"], err = scoreBy(f, &set.Test, noise, w, func(b, images []byte, d degrade.Degradation, o infer.Options) (*infer.Restored, error) {
			m, err := latent.Load(b)
			if err != nil {
				return nil, err
			}
			return infer.Restore(ctx, m, m.Restore, &d, images, o)
		})
		if err != nil {
			return nil, err
		}
	}
	return encodeWeights(f, path)
}

func encodeWeights(f *safetensors.File, path string) ([]byte, error) {
	b, err := f.Encode()
	if err != nil {
		return nil, err
	}
	return b, atomicfile.WriteBytes(path, b)
}

// scored is how many test images weights are scored on, of those that are read from
// files one by one.
const scored = 10_000

// The noise that weights are scored at: the mild one of Table 6, and the one between its
// two for faces.
var (
	digitNoise   = degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}
	pictureNoise = degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.25}
)

// scoreBy has restore take the damage d off test images with the bytes b of the
// weights f, and returns the mean scores as JSON.
func scoreBy(f *safetensors.File, s *dataset.Split, d degrade.Degradation, w io.Writer, restore func(b, images []byte, d degrade.Degradation, o infer.Options) (*infer.Restored, error)) (string, error) {
	test, err := s.InMemory(scored)
	if err != nil {
		return "", err
	}
	b, err := f.Encode()
	if err != nil {
		return "", err
	}
	const seed = 1
	bar := progress.New(w, "scoring", test.N, progress.Options{})
	out, err := restore(b, test.Images, d, infer.Options{Seed: seed, Progress: bar.Add})
	bar.Finish()
	if err != nil {
		return "", err
	}
	type row struct {
		MSE  float64 `json:"mse"`
		PSNR float64 `json:"psnr"`
		SSIM float64 `json:"ssim"`
	}
	round := func(s infer.Score) row {
		r := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
		return row{r(s.MSE), r(s.PSNR), r(s.SSIM)}
	}
	text, err := json.Marshal(struct {
		Images   int    `json:"images"`
		Degrade  string `json:"degrade"`
		Seed     int    `json:"seed"`
		Degraded row    `json:"degraded"`
		Restored row    `json:"restored"`
	}{test.N, d.String(), seed, round(infer.Mean(out.Degraded)), round(infer.Mean(out.Output))})
	return string(text), err
}
