package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
	"mppm/weights"
)

// few makes the work of a command small: settings that are given after those of
// an example, and count in their place.
var few = map[string]string{
	"train mnist":      "--epochs 1 --distance 1 --refine 1 --batch 16 --centers 8",
	"train images":     "--epochs 1 --distance 1 --batch 4 --centers 8 --side 16 --share 0.3 --channels 4,8 --latent 12 --chart 8",
	"train embedding":  "--epochs 1 --batch 4 --side 16",
	"train dae":        "--epochs 1 --batch 16 --centers 8",
	"train ldm":        "--epochs 1 --batch 16 --hidden 12 --diffusion-steps 30 --last 0.3",
	"train classifier": "--epochs 1 --batch 16 --holdout 10",
	"train circle":     "--epochs 2",
	"train points":     "--epochs 2",
	"import":           "--centers 8",
	"generate":         "--n 10",
	"eval mnist":       "--n 10 --grown 100",
	"eval images":      "--n 5",
	"eval distance":    "--n 10",
	"eval circle":      "--epochs 1 --seeds 1 --tests 10",
	"sweep":            "--n 10 --holdout 20 --budget 1",
	"scale":            "--seconds 0 --batches 1 --sides 16",
}

// TestExamples runs every example of every help text as it stands, each in a
// folder of its own that has what its reader has. Only how much is computed, and
// from which digits, is given besides.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	t.Setenv(asTrainer, "1") // for the processes of scale
	home := reader(t)
	for _, cmd := range commands() {
		for _, example := range cmd.examples {
			t.Run(strings.ReplaceAll(example, "/", "_"), func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(home)); err != nil {
					t.Fatal(err)
				}
				t.Chdir(dir)
				if strings.HasPrefix(cmd.name, "train ") && cmd.name != "train ldm" { // which begins with a run of train dae
					if err := os.RemoveAll("runs"); err != nil {
						t.Fatal(err)
					}
				}
				if begun, resumes := strings.CutSuffix(example, " --resume"); resumes {
					if cmd.name == "train ldm" {
						begun += " --dae runs/dae"
					}
					must(t, brief(cmd, begun)...)
				}
				must(t, brief(cmd, example)...)
			})
		}
	}
}

// brief returns the words of an example and of what makes it small.
func brief(cmd command, example string) []string {
	args := strings.Fields(example)
	flags := new(flagSet)
	cmd.setup(flags)
	if slices.ContainsFunc(flags.list, func(d *flagDef) bool { return d.name == "data" }) && !slices.Contains(args, "--data") && !slices.Contains(args, "--format") {
		args = append(args, "--data", "my-digits")
		if slices.Contains(args, "bank") { // the smallest that is tried has 500 codes
			args[len(args)-1] = "more-digits"
		}
	}
	if slices.Contains(args, "--resume") || slices.Contains(args, "--cell") { // those take their settings as they are
		return args
	}
	if cmd.name == "sweep" && slices.Contains(args, "--epochs") { // it trains along some axes only
		args = append(args, "--epochs", "1")
	}
	return append(args, strings.Fields(few[cmd.name])...)
}

// reader returns a folder with all that the examples read: digits and points of
// the reader's own, and what the commands leave behind.
func reader(t *testing.T) string {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	at := func(name string) string {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const test = 20
	for dir, train := range map[string]int{"my-digits": 160, "more-digits": 540} {
		put(t, at(dir+"/train-images-idx3-ubyte"), idxOf(set.Train.Images[:train*784]))
		put(t, at(dir+"/train-labels-idx1-ubyte"), labels(set.Train.Labels[:train]))
		put(t, at(dir+"/t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:test*784]))
		put(t, at(dir+"/t10k-labels-idx1-ubyte"), labels(set.Test.Labels[:test]))
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(idxOf(set.Test.Images[:test*784]))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, at("t10k-images-idx3-ubyte.gz"), packed.Bytes())
	put(t, at("noisy.png"), pngOf(t, set.Test.Images[:784], 28, 28))
	put(t, at("scans/one.png"), pngOf(t, set.Test.Images[:784], 28, 28))
	put(t, at("scans/two.png"), pngOf(t, set.Test.Images[784:2*784], 28, 28))
	for i, b := range photos(t, 24) {
		put(t, at(fmt.Sprintf("photos/%d.jpg", i)), b)
		put(t, at(fmt.Sprintf("more-photos/%d.jpg", i)), b)
	}
	var points strings.Builder
	for i := range 100 {
		fmt.Fprintf(&points, "%d,%d,%d\n", i, 2*i, i*i%7)
	}
	put(t, at("my-points.csv"), []byte(points.String()))
	put(t, at("page.safetensors"), weights.Circle)
	put(t, at("weights/dae.safetensors"), daeBytes(t))
	put(t, at("torch.safetensors"), torchBytes(t))
	for _, cmd := range commands() {
		for _, run := range []string{"train mnist --out runs/mnist", "train dae --out runs/dae", "train dae --out runs/dae-0.4 --noise 0.4 --fixed-noise --clipped 0", "train classifier --out runs/classifier", "train images --data photos --out runs/images", "train images --method dae --data photos --out runs/images-dae", "train embedding --data photos --out runs/embedding"} {
			if strings.HasPrefix(run, cmd.name+" ") {
				t.Chdir(home)
				must(t, brief(cmd, run)...)
			}
		}
	}
	return home
}
