package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/evaluate"
	train "mppm/trainer/internal/run"
	ldmtask "mppm/trainer/internal/task/ldm"
)

// smallUNet makes a U-Net of few numbers, trained briefly, of train images.
var smallUNet = strings.Fields("--side 16 --share 0.4 --channels 4,8 --latent 12 --chart 8 --hidden 8 --epochs 1 --batch 4 --centers 8")

// diffusionOf trains a diffusion model on the codes of an autoencoder, briefly, and returns
// the path of its weights.
func diffusionOf(t *testing.T, data, dae string) string {
	t.Helper()
	set, err := dataset.OpenImages(t.Context(), data, dataset.ImageOptions{Side: 16, Share: 0.4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := ldmtask.Default()
	c.Epochs, c.Batch, c.Hidden, c.Diffusion.Steps, c.Diffusion.Last = 1, 4, []int{8}, 20, 0.3
	dir := t.TempDir()
	l := ldmtask.New(c, set, get(t, dae))
	r, err := train.New(l, filepath.Join(dir, "run"))
	if err == nil {
		err = r.Train(t.Context(), train.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Weights(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ldm.safetensors")
	if _, err := encodeWeights(f, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEvalImages scores a model of pictures and its baselines in an embedding that was
// trained on them, and finds the tables and sheets; the same once more, as JSON, is the
// same; other pictures are refused unless all are scored.
func TestEvalImages(t *testing.T) {
	data, out := t.TempDir(), t.TempDir()
	for i, b := range photos(t, 30) {
		put(t, filepath.Join(data, fmt.Sprintf("%02d.jpg", i)), b)
	}
	at := func(name string) string { return filepath.Join(out, name) }
	must(t, append([]string{"train", "images", "--quiet", "--data", data, "--out", at("run"), "--distance", "1"}, smallUNet...)...)
	must(t, append([]string{"train", "images", "--quiet", "--data", data, "--out", at("dae"), "--method", "dae", "--distance", "0"}, smallUNet...)...)
	r := must(t, "train", "embedding", "--data", data, "--out", at("embedding"), "--side", "16", "--share", "0.4", "--epochs", "2", "--batch", "8", "--numbers", "4")
	if !strings.Contains(r.stdout, "are found again by another view") {
		t.Errorf("train embedding says %q", r.stdout)
	}
	judge := filepath.Join(at("embedding"), embeddingName)
	if r := must(t, "info", judge); strings.Contains(r.stdout, "cannot run") || !strings.Contains(r.stdout, "trained on views") {
		t.Errorf("info:\n%s", r.stdout)
	}
	must(t, "export", "--checkpoint", at("embedding"), "--data", data, "--out", at("again.safetensors"))
	if !bytes.Equal(get(t, judge), get(t, at("again.safetensors"))) {
		t.Error("export does not give the embedding that training wrote")
	}
	dae := filepath.Join(at("dae"), imagesDAEName)
	diffusion := diffusionOf(t, data, dae)
	weights := filepath.Join(at("run"), imagesName)
	args := []string{"eval", "images", "--data", data, "--weights", weights, "--dae", dae, "--ldm", diffusion, "--embedding", judge, "--grown", "12", "--preset", "restore,generate"}
	r = must(t, append(args, "--out", at("eval"))...)
	for _, want := range []string{"scribble=13", "DAE", "LDM", "LMPPM restore, α = 0", "LMPPM generate", "paper, Table 2, sharpen=18: LMPPM", "4 numbers"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the table has no %q:\n%s", want, r.stdout)
		}
	}
	for _, c := range evaluate.ImageColumns() {
		if img, err := png.Decode(bytes.NewReader(get(t, filepath.Join(at("eval"), columnPicture(c))))); err != nil || img.ColorModel() != color.RGBAModel {
			t.Errorf("%s is no picture in color: %v", columnPicture(c), err)
		}
	}
	c, err := png.DecodeConfig(bytes.NewReader(get(t, filepath.Join(at("eval"), "images-missing-0.08.png"))))
	if rows := 9; err != nil || c.Height != rows*(2*16+4)+4 { // the input, DAE, LDM, a flow with both distances, without D, without L, one with D alone, and without it, the original
		t.Errorf("a sheet is %d pixels high, want %d rows: %v", c.Height, rows, err)
	}
	for _, name := range []string{imagesTable, imagesGrown, imagesGrownData, imagesGenerated, stepsPicture(steps)} {
		if len(get(t, filepath.Join(at("eval"), name))) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	if grown := string(get(t, filepath.Join(at("eval"), imagesGrown))); !strings.Contains(grown, "| LMPPM, from noise | 12 |") || !strings.Contains(grown, "LDM, from noise") {
		t.Errorf("generation:\n%s", grown)
	}
	again := must(t, append(args, "--out", at("eval2"), "--json", "--quiet")...)
	if again.stderr != "" || again.stdout != string(get(t, filepath.Join(at("eval"), imagesFigures))) {
		t.Errorf("the same once more is not the same, or says %q", again.stderr)
	}
	var table evaluate.ImageTable
	if err := json.Unmarshal([]byte(again.stdout), &table); err != nil || len(table.Rows) != 8 || table.Rows[2].Cells[3].In[0].Ratio == nil {
		t.Errorf("the JSON: %d rows, %v", len(table.Rows), err)
	}

	other := t.TempDir()
	for i, b := range photos(t, 12) {
		put(t, filepath.Join(other, fmt.Sprintf("%02d.jpg", i+100)), b)
	}
	args = []string{"eval", "images", "--quiet", "--data", other, "--weights", weights, "--embedding", judge, "--out", at("eval3")}
	if r := run(t, args...); r.code != exitFailure || !strings.Contains(r.stderr, "--all") {
		t.Errorf("other pictures: %+v", r)
	}
	r = must(t, append(args, "--all", "--n", "9")...)
	if !strings.Contains(r.stdout, "9 images of 16×16×3") || strings.Contains(r.stdout, "themselves have") {
		t.Errorf("other pictures, all of them:\n%s", r.stdout)
	}
	if _, err := os.Stat(filepath.Join(at("eval3"), imagesGrown)); err == nil {
		t.Error("what was grown is held to pictures that nothing was trained on")
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "no preset \"restor\"", []string{"--preset", "restor"}},
		{exitUsage, "--n is 100", []string{"--n", "100", "--all"}},
		{exitUsage, "no list of numbers", []string{"--embedding-mean", "half"}},
		{exitFailure, "at least 4", []string{"--n", "3", "--all"}},
		{exitFailure, "no ONNX file", []string{"--all", "--embedding", put(t, at("words"), []byte("words"))}},
		{exitFailure, "runs/embedding/embedding.safetensors", []string{"--all", "--embedding", at("runs/embedding/embedding.safetensors")}},
		{exitFailure, "cannot start", []string{"--all", "--embedder", at("nobody")}},
		{exitFailure, "no distance net", []string{"--weights", dae}},
		{exitFailure, "have a distance net", []string{"--all", "--dae", weights}},
	} {
		if r := run(t, append(args, c.args...)...); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: exit code %d, %s; want %q", c.args, r.code, r.stderr, c.want)
		}
	}
	t.Chdir(out)
	if r := run(t, "eval", "images", "--quiet", "--data", data, "--weights", weights); r.code != exitFailure || !strings.Contains(r.stderr, "train embedding --data") {
		t.Errorf("without an embedding: %+v", r)
	}
	if r := run(t, "eval", "images", "--quiet", "--data", data, "--weights", "", "--out", "e"); r.code != exitUsage {
		t.Errorf("without weights: %+v", r)
	}
}

// TestTrainEmbeddingErrors: what cannot be trained on is refused in words.
func TestTrainEmbeddingErrors(t *testing.T) {
	for want, args := range map[string][]string{
		"--data is missing":    nil,
		"holds no pictures":    {"--data", t.TempDir()},
		"no checkpoint":        {"--data", t.TempDir(), "--resume"},
		"--side: 8 is not in ": {"--data", t.TempDir(), "--side", "8"},
		"cannot change a run":  {"--data", t.TempDir(), "--resume", "--epochs", "3"},
	} {
		if r := run(t, append([]string{"train", "embedding", "--out", filepath.Join(t.TempDir(), "o")}, args...)...); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: exit code %d, %s; want %q", args, r.code, r.stderr, want)
		}
	}
}
