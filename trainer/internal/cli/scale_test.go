package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestScale(t *testing.T) {
	t.Setenv(asTrainer, "1") // for the processes that measure
	out := filepath.Join(t.TempDir(), "scale")
	args := []string{"scale", "--out", out, "--batches", "2,1", "--sides", "16,32", "--batch", "2", "--unet-batches", "1", "--seconds", "0"}
	r := must(t, args...)
	if !strings.HasPrefix(r.stdout, "measured to ") || !strings.Contains(r.stderr, "measuring: 7/7 cells in ") {
		t.Errorf("%+v", r)
	}
	if files, want := tree(t, out), []string{"batch-memory.png", "batch-time.png", "scale.csv", "scale.md", "side-memory.png", "side-time.png"}; !slices.Equal(files, want) {
		t.Errorf("the folder holds %q, want %q", files, want)
	}
	rows, err := csv.NewReader(strings.NewReader(string(get(t, filepath.Join(out, "scale.csv"))))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, row := range rows[1:] {
		cells = append(cells, strings.Join(row[:3], ":"))
		if row[4] != "2" || row[5] == "" || row[7] == "" || row[9] != "" {
			t.Errorf("%q", row)
		}
	}
	if want := []string{"dae:16:2", "dae:28:1", "dae:28:2", "dae:32:2", "lmppm:28:1", "lmppm:28:2", "unet:32:1"}; !slices.Equal(cells, want) {
		t.Errorf("%q, want %q", cells, want)
	}

	// What does not fit is a row with a note.
	none := filepath.Join(t.TempDir(), "none")
	if r := must(t, "scale", "--quiet", "--out", none, "--batches", "64", "--sides", "none", "--memory", "0.001"); r.stdout+r.stderr != "" {
		t.Errorf("--quiet: %+v", r)
	}
	if md := string(get(t, filepath.Join(none, "scale.md"))); strings.Count(md, "not enough memory") != 2 {
		t.Errorf("%s", md)
	}

	var row map[string]any
	if err := json.Unmarshal([]byte(must(t, "scale", "--cell", "dae:12:1", "--seconds", "0").stdout), &row); err != nil || row["side"] != 12.0 || row["steps"] != 2.0 {
		t.Errorf("%v, %v", row, err)
	}
	for want, args := range map[string][]string{
		"there is nothing":  {"--batches", "none", "--sides", "none"},
		"such as 8,16,32":   {"--batches", "8,x"},
		"the batch is 9999": {"--batches", "99999"},
		"the side is 4":     {"--sides", "4"},
		"range 1 to":        {"--batch", "0"},
		"no net":            {"--cell", "gan:28:1"},
		"--seconds":         {"--seconds", "-1"},
	} {
		if r := run(t, append([]string{"scale", "--out", out}, args...)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: exit code %d, want %q in %s", args, r.code, want, r.stderr)
		}
	}
	// What fails in the process that measures is told as one error.
	if r := run(t, append(slices.Clone(args), "--device", "abacus")...); r.code != exitFailure || !strings.Contains(r.stderr, "measuring dae:16:2") || !strings.Contains(r.stderr, "abacus") {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	empty := filepath.Join(t.TempDir(), "empty")
	if r := runWith(ctx, "", "scale", "--quiet", "--out", empty); r.code != exitFailure || r.stderr != "interrupted\n" || len(tree(t, empty)) != 0 {
		t.Errorf("interrupted: %+v", r)
	}
}
