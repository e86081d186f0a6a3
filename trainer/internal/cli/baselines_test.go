package cli

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/ldm/ldmtest"
	"mppm/trainer/internal/dataset"
)

// TestBaselines trains both baselines on a few digits, and restores and
// generates with them.
func TestBaselines(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, dir := t.TempDir(), t.TempDir()
	const n = 32
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	in := put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:5*784]))
	at := func(name string) string { return filepath.Join(dir, name) }
	dae, ldm := at("dae"), at("ldm")
	must(t, "train", "dae", "--data", data, "--out", dae, "--epochs", "2", "--batch", "16", "--centers", "8", "--noise", "0.4", "--fixed-noise")
	weights := filepath.Join(dae, "dae.safetensors")
	if r := must(t, "info", weights); !strings.Contains(r.stdout, "method: dae") || !strings.Contains(r.stdout, "fixedNoise: true") || strings.Contains(r.stdout, "distance") {
		t.Errorf("%s", r.stdout)
	}
	settings := []string{"--data", data, "--epochs", "2", "--batch", "16", "--hidden", "12", "--diffusion-steps", "30", "--last", "0.3"}
	must(t, append([]string{"train", "ldm", "--dae", dae, "--out", ldm}, settings...)...)
	must(t, append([]string{"train", "ldm", "--dae", weights, "--out", at("other")}, settings...)...)
	diffusion := filepath.Join(ldm, "ldm.safetensors")
	must(t, "export", "--checkpoint", ldm, "--data", data, "--out", at("again.safetensors"))
	if !bytes.Equal(get(t, diffusion), get(t, at("again.safetensors"))) {
		t.Error("export does not give the weights that training wrote")
	}
	if r := must(t, "info", diffusion); strings.Contains(r.stdout, "cannot run") || !strings.Contains(r.stdout, "diffusion-steps") && !strings.Contains(r.stdout, "steps: 30") {
		t.Errorf("%s", r.stdout)
	}
	restore := func(out string, more ...string) []byte {
		must(t, append([]string{"restore", "--in", in, "--out", at(out), "--degrade", "gaussian=0.7"}, more...)...)
		return get(t, at(out))
	}
	d := restore("d.idx", "--method", "dae", "--weights", weights, "--strip", at("d.png"))
	k := restore("k.idx", "--method", "dae", "--weights", weights, "--preset", "kernel")
	l := restore("l.idx", "--method", "ldm", "--weights", diffusion, "--strip", at("l.png"))
	if bytes.Equal(d, k) || bytes.Equal(d, l) {
		t.Error("different methods restore alike")
	}
	if !bytes.Equal(d, restore("l0.idx", "--method", "ldm", "--weights", diffusion, "--start", "0")) {
		t.Error("diffusion from step 0 is not the autoencoder's restoration")
	}
	if !bytes.Equal(l, restore("l1.idx", "--method", "ldm", "--weights", diffusion, "--workers", "1")) {
		t.Error("what diffusion restores depends on the workers")
	}
	decodePNG(t, at("d.png"))
	decodePNG(t, at("l.png"))
	r := must(t, "generate", "--method", "ldm", "--weights", diffusion, "--n", "3", "--out", at("g.idx"))
	if !strings.Contains(r.stdout, "30 steps of diffusion") {
		t.Errorf("%s", r.stdout)
	}
	must(t, "generate", "--method", "dae", "--weights", weights, "--n", "3", "--out", at("gd.idx"))

	for i, c := range []struct {
		want string
		args []string
	}{
		{"give --method dae", []string{"restore", "--weights", weights, "--in", in, "--out", at("x.idx")}},
		{"leave out --method", []string{"restore", "--method", "dae", "--weights", smallModel(t), "--in", in, "--out", at("x.idx")}},
		{"no distance net", []string{"restore", "--method", "dae", "--weights", weights, "--alpha", "0.1", "--in", in, "--out", at("x.idx")}},
		{"this program reads", []string{"restore", "--method", "ldm", "--weights", weights, "--in", in, "--out", at("x.idx")}},
		{"this program reads", []string{"restore", "--weights", diffusion, "--in", in, "--out", at("x.idx")}},
		{"has 30 steps", []string{"restore", "--method", "ldm", "--weights", diffusion, "--start", "31", "--in", in, "--out", at("x.idx")}},
		{"give --start", []string{"restore", "--method", "ldm", "--weights", put(t, at("few.safetensors"), ldmtest.Bytes(1)), "--degrade", "scribble=6", "--in", in, "--out", at("x.idx")}},
		{"by train dae", []string{"train", "mnist", "--resume", "--data", data, "--out", dae}},
		{"not a checkpoint of such a run", []string{"train", "ldm", "--resume", "--data", data, "--out", dae}},
		{"as train dae writes", []string{"train", "ldm", "--batch", "16", "--dae", diffusion, "--data", data, "--out", at("new")}},
		{"no such file", []string{"train", "ldm", "--batch", "16", "--dae", at("nowhere"), "--data", data, "--out", at("new")}},
	} {
		if r := run(t, c.args...); r.code == exitOK || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%d: exit code %d, want %q in %s", i, r.code, c.want, fmt.Sprint(r))
		}
	}
}
