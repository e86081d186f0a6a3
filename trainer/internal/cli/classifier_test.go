package cli

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/classifier"
	"mppm/shared/idx"
	"mppm/trainer/internal/dataset"
)

func labels(l []byte) []byte {
	f := idx.File{Shape: []int{len(l)}, Data: l}
	return f.Encode()
}

// TestTrainClassifier goes the whole way on a few digits: train, resume, export,
// info.
func TestTrainClassifier(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, dir := t.TempDir(), t.TempDir()
	const n, tests = 64, 20
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	put(t, filepath.Join(data, "train-labels-idx1-ubyte"), labels(set.Train.Labels[:n]))
	put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:tests*784]))
	put(t, filepath.Join(data, "t10k-labels-idx1-ubyte"), labels(set.Test.Labels[:tests]))
	train := func(out string, more ...string) []string {
		return append([]string{"train", "classifier", "--data", data, "--out", filepath.Join(dir, out)}, more...)
	}
	r := must(t, train("run", "--epochs", "3", "--batch", "16", "--seed", "4")...)
	if !strings.HasPrefix(r.stdout, "trained to ") || !strings.Contains(r.stdout, " % of 20 test digits are read right\n") || !strings.Contains(r.stderr, "training: 192/192 images in ") {
		t.Errorf("%+v", r)
	}
	files := tree(t, filepath.Join(dir, "run"))
	if want := []string{"checkpoint.safetensors", "classifier.safetensors", "loss.png"}; !slices.Equal(files, want) {
		t.Errorf("the folder of the run holds %q, want %q", files, want)
	}
	weights := get(t, filepath.Join(dir, "run", "classifier.safetensors"))
	if _, err := classifier.Load(weights); err != nil {
		t.Fatal(err)
	}
	// A run that is over has nothing to resume, and says what it said.
	if again := must(t, train("run", "--resume")...); again.stdout != r.stdout || !bytes.Equal(get(t, filepath.Join(dir, "run", "classifier.safetensors")), weights) {
		t.Errorf("--resume of a run that is over: %+v", again)
	}
	if r := must(t, train("held", "--epochs", "1", "--batch", "16", "--holdout", "10", "--quiet")...); r.stdout != "" || r.stderr != "" {
		t.Errorf("--quiet: %+v", r)
	}

	small, big := filepath.Join(dir, "int8.safetensors"), filepath.Join(dir, "float.safetensors")
	export := func(run, out string, more ...string) []string {
		return append([]string{"export", "--checkpoint", filepath.Join(dir, run), "--data", data, "--out", out}, more...)
	}
	r = must(t, export("run", small)...)
	if !strings.HasPrefix(r.stdout, "exported to "+small) || !strings.Contains(r.stdout, "test digits are read right") || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if !bytes.Equal(get(t, small), weights) {
		t.Error("export does not give the weights that training wrote")
	}
	r = must(t, export("held", big, "--float")...)
	if !strings.Contains(r.stdout, "of 10 held-out digits are read right") {
		t.Errorf("%+v", r)
	}
	if s, b := len(weights), len(get(t, big)); 3*s > b {
		t.Errorf("eight bits take %d bytes, 32 take %d", s, b)
	}
	if r := must(t, "info", small); !strings.Contains(r.stdout, "kind of model: "+classifier.Kind+"-28x28") || !strings.Contains(r.stdout, "epochs: 3") || strings.Contains(r.stdout, "cannot run") {
		t.Errorf("%s", r.stdout)
	}

	bare := t.TempDir()
	put(t, filepath.Join(bare, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	put(t, filepath.Join(bare, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:tests*784]))
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailure, "--resume", train("run", "--batch", "16")},
		{exitFailure, "no checkpoint", train("none", "--resume")},
		{exitFailure, "no labels", []string{"train", "classifier", "--data", bare, "--out", filepath.Join(dir, "x")}},
		{exitFailure, "give 0 to 62", train("x", "--holdout", "64")},
		{exitFailure, "give 1 to 64", train("x", "--batch", "65")},
		{exitUsage, "--seed cannot change", train("run", "--resume", "--seed", "4")},
		{exitUsage, "--angle: 46 is not in the range", train("x", "--angle", "46")},
		{exitUsage, "--bend: -1 is negative", train("x", "--bend", "-1")},
		{exitFailure, "not a checkpoint of such a run", []string{"train", "mnist", "--data", data, "--out", filepath.Join(dir, "run"), "--resume"}},
		{exitFailure, "restore: ", []string{"restore", "--weights", small, "--in", filepath.Join(data, "t10k-images-idx3-ubyte"), "--out", filepath.Join(dir, "x.idx")}},
	} {
		r := run(t, c.args...)
		if r.code != c.code || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%q: exit code %d, want %d and %q in %s", c.args, r.code, c.code, c.want, r.stderr)
		}
	}
	if slices.Contains(tree(t, dir), "x") {
		t.Error("a run that could not start left a folder")
	}
}
