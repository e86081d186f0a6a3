package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
)

// TestSweep searches on a few digits, goes on from its log, and writes the
// winners into a copy of the weights.
func TestSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, dir := t.TempDir(), t.TempDir()
	const n = 400
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	put(t, filepath.Join(data, "train-labels-idx1-ubyte"), labels(set.Train.Labels[:n]))
	// What is no digit at all would show in any score.
	put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(bytes.Repeat([]byte{255}, 784)))
	at := func(name string) string { return filepath.Join(dir, name) }
	held := filepath.Join(dir, "held")
	must(t, "train", "mnist", "--data", data, "--out", held, "--epochs", "1", "--batch", "32", "--centers", "16", "--holdout", "50", "--quiet")
	weights := filepath.Join(held, "mnist.safetensors")
	if r := must(t, "info", weights); !strings.Contains(r.stdout, "holdout: 50") || !strings.Contains(r.stdout, "without 50 held-out training digits") || !strings.Contains(r.stdout, "images: 50") {
		t.Errorf("%s", r.stdout)
	}
	must(t, "export", "--data", data, "--checkpoint", held, "--out", at("again.safetensors"), "--quiet")
	if !bytes.Equal(get(t, weights), get(t, at("again.safetensors"))) {
		t.Error("export of a run that leaves out digits does not give what training wrote")
	}
	args := []string{"sweep", "--data", data, "--weights", weights, "--holdout", "50", "--n", "20", "--budget", "2", "--out", at("sweep")}
	first := must(t, append(args, "--write", at("tuned.safetensors"))...)
	if strings.Contains(first.stderr, "the model") || !strings.Contains(first.stderr, "warning: the autoencoder (the embedded weights) was trained on the digits that are held out") {
		t.Errorf("%s", first.stderr)
	}
	tuned, err := latent.Load(get(t, at("tuned.safetensors")))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for text := range strings.Lines(first.stdout) {
		var line struct {
			Preset string
			Flow   latent.Preset
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		names = append(names, line.Preset)
		if tuned.Presets[line.Preset] != line.Flow {
			t.Errorf("%s won with %+v, and %+v was written", line.Preset, line.Flow, tuned.Presets[line.Preset])
		}
	}
	if want := []string{"restore", "sharp", "faithful", "generate"}; !slices.Equal(names, want) {
		t.Errorf("winners %q, want %q", names, want)
	}
	a, err := safetensors.Parse(get(t, weights))
	if err != nil {
		t.Fatal(err)
	}
	b, err := safetensors.Parse(get(t, at("tuned.safetensors")))
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range a.Tensors {
		if b.Tensors[i].Name != tensor.Name || !bytes.Equal(b.Tensors[i].Data, tensor.Data) {
			t.Errorf("tensor %s has changed", tensor.Name)
		}
	}
	log := get(t, at("sweep/flow-trials.json"))
	again := must(t, append(args, "--quiet")...)
	if again.stdout != first.stdout || !bytes.Equal(get(t, at("sweep/flow-trials.json")), log) {
		t.Errorf("done again, the sweep says\n%s\nand said\n%s", again.stdout, first.stdout)
	}
	for _, name := range []string{"flow.md", "flow.csv", "flow.json", "flow.png", "flow-generate.png"} {
		if _, err := os.Stat(at("sweep/" + name)); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailure, "choose another folder", append(args, "--seed", "2")},
		{exitFailure, "350 training digits that are not held out fill no code bank", append(args, "--axis", "bank")},
		{exitUsage, "did you mean bank", []string{"sweep", "--axis", "bnak"}},
		{exitUsage, "--write is for", []string{"sweep", "--axis", "noise", "--write", "x"}},
		{exitUsage, "nothing is trained", []string{"sweep", "--epochs", "2"}},
		{exitUsage, "give 2 to 50", []string{"sweep", "--holdout", "50", "--n", "51"}},
		{exitUsage, "give 2 to 398", append(args, "--holdout", "400", "--out", at("other"))},
		{exitFailure, "they have no distance net", []string{"sweep", "--weights", put(t, at("dae"), daeBytes(t))}},
	} {
		if r := run(t, c.args...); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: exit code %d, want %d and %q in %s", c.args, r.code, c.code, c.want, r.stderr)
		}
	}
}

func daeBytes(t *testing.T) []byte {
	b, _, err := readWeightsOf(methodDAE, "")
	if err != nil {
		t.Fatal(err)
	}
	return b
}
