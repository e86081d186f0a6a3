package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/trainer/internal/dataset"
)

// TestEval scores everything on a few digits, and checks that the tables and
// pictures are there.
func TestEval(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "eval")
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:500*784]))
	put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:120*784]))
	if r := run(t, "eval", "mnist", "--data", data, "--out", out); r.code != exitFailure || !strings.Contains(r.stderr, "t10k-labels-idx1-ubyte") {
		t.Errorf("without labels: %+v", r)
	}
	labels := append([]byte{0, 0, 8, 1, 0, 0, 0, 120}, set.Test.Labels[:120]...)
	put(t, filepath.Join(data, "t10k-labels-idx1-ubyte"), labels)
	must(t, "eval", "mnist", "--data", data, "--out", out, "--n", "30", "--grown", "100")
	table := string(get(t, filepath.Join(out, "table.md")))
	for _, want := range []string{"30 test digits", "### elastic=1.8", "| DAE |", "| LDM |", "| LMPPM restore |", "α = 0", "paper: LMPPM"} {
		if !strings.Contains(table, want) {
			t.Errorf("table.md has no %q:\n%s", want, table)
		}
	}
	for _, name := range []string{"table.csv", "table.json", "generation.md", "generation.json", "generated.png", "restored-gaussian.png", "restored-sharpen.png"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("eval made no %s (%v)", name, err)
		}
	}
	if r := run(t, "eval", "mnist", "--data", data, "--out", out, "--judge", filepath.Join(out, "table.md")); r.code != exitFailure || !strings.Contains(r.stderr, "table.md") {
		t.Errorf("a judge that is none: %+v", r)
	}
}
