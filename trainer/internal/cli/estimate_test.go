package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/device"
	"mppm/trainer/internal/memory"
)

// needs is a run that takes so much memory.
type needs int64

func (n needs) Memory() (int64, error) { return int64(n), nil }

// TestEstimate: what a run takes is said before it begins, and one that takes more
// than there is does not begin.
func TestEstimate(t *testing.T) {
	limit := memory.Limit()
	if limit == 0 {
		t.Skip("the system does not say how much memory there is")
	}
	var stderr bytes.Buffer
	e := env{stderr: &stderr}
	if err := estimate(e, false, device.CPU, needs(150e6)); err != nil || !strings.Contains(stderr.String(), "training takes about 150 MB of memory") {
		t.Errorf("%q, %v", stderr.String(), err)
	}
	stderr.Reset()
	if err := estimate(e, true, device.CPU, needs(1)); err != nil || stderr.Len() > 0 {
		t.Errorf("quiet: %q, %v", stderr.String(), err)
	}
	if err := estimate(e, true, device.CPU, needs(2*limit)); err == nil || !strings.Contains(err.Error(), "training needs about "+memory.Size(2*limit)) || !strings.Contains(err.Error(), "--batch") {
		t.Errorf("twice what there is: %v", err)
	}
	if err := estimate(e, true, device.CPU, needs(limit)); err != nil || !strings.Contains(stderr.String(), "are free now") {
		t.Errorf("all there is, and some is taken: %q, %v", stderr.String(), err)
	}
	if err := estimate(e, true, "a GPU", needs(2*limit)); err != nil {
		t.Errorf("on a GPU: %v", err)
	}
	if err := roomFor(100, 784); err != nil {
		t.Error(err)
	}
	if err := roomFor(int(limit/1000), 784); err == nil || !strings.Contains(err.Error(), "images needs about") {
		t.Errorf("more images than there is memory for: %v", err)
	}
}

// endless never ends.
type endless struct {
	t    *testing.T
	left int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.left -= len(b); e.left < 0 {
		e.t.Fatal("standard input is read on and on")
	}
	clear(b)
	return len(b), nil
}

// TestEndlessInput: what never ends, or is far too large, is refused wherever a
// file is read, before it takes the memory of the machine.
func TestEndlessInput(t *testing.T) {
	dir := t.TempDir()
	w := smallModel(t)
	huge := put(t, filepath.Join(dir, "huge"), nil)
	if err := os.Truncate(huge, 1<<41); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	run3 := filepath.Join(dir, "run")
	data := filepath.Join(dir, "data")
	for _, d := range []string{run3, data} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{filepath.Join(run3, "checkpoint.safetensors"), filepath.Join(data, "train-images-idx3-ubyte")} {
		if err := os.Truncate(put(t, path, nil), 1<<41); err != nil {
			t.Fatal(err)
		}
	}
	sources := []string{huge}
	if info, err := os.Stat("/dev/zero"); err == nil && info.Mode()&os.ModeDevice != 0 {
		zero := filepath.Join(dir, "zero")
		if err := os.Symlink("/dev/zero", zero); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, "/dev/zero", zero)
	}
	out := filepath.Join(dir, "out")
	for i, from := range sources {
		commands := []string{
			"info FROM", "restore --in FROM --out OUT.idx", "restore --in IN --out OUT.idx --weights FROM", "restore --in IN --out OUT.idx --method ldm --weights FROM",
			"generate --out OUT.idx --weights FROM", "generate --out OUT.idx --method dae --weights FROM", "train points --in FROM --out OUT", "sweep --dae FROM --out OUT", "sweep --judge FROM --out OUT",
		}
		if i == 0 { // they read MNIST first
			commands = append(commands, "train ldm --dae FROM --out OUT", "eval mnist --judge FROM --out OUT",
				"export --checkpoint RUN --out OUT.safetensors", "train mnist --resume --out RUN", "train mnist --data DATA --out OUT")
		}
		for _, args := range commands {
			args := strings.Fields(strings.NewReplacer("FROM", from, "IN", w, "OUT", out, "RUN", run3, "DATA", data).Replace(args))
			r := run(t, args...)
			if r.code != exitFailure || r.stdout != "" || strings.Contains(r.stderr, "panic") {
				t.Errorf("%q: %+v", args, r)
			}
		}
	}
	in := &endless{t, 1 << 20}
	var stdout, stderr bytes.Buffer
	if code := Run(t.Context(), []string{"restore", "--weights", w, "--in", "-", "--out", out + ".idx"}, in, &stdout, &stderr, nil); code != exitFailure || !strings.Contains(stderr.String(), "not an IDX file or a PNG") {
		t.Errorf("endless standard input: %d, %s", code, stderr.String())
	}
}

// TestWideStrip: a strip of all of very many steps is refused before any work.
func TestWideStrip(t *testing.T) {
	dir := t.TempDir()
	in := put(t, filepath.Join(dir, "in.idx"), idxOf(digits(1)))
	args := []string{"restore", "--weights", smallModel(t), "--in", in, "--out", filepath.Join(dir, "out.idx"), "--strip", filepath.Join(dir, "strip.png"), "--steps", "10000", "--every"}
	r := run(t, append(args, "1")...)
	if r.code != exitUsage || !strings.Contains(r.stderr, "10003 columns: give 34 or more") {
		t.Errorf("%+v", r)
	}
	if r := run(t, append(args, "33")...); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
	if got := tree(t, dir); len(got) != 1 {
		t.Errorf("left %q", got)
	}
	must(t, append(args, "34", "--steps", "40", "--quiet")...)
}
