package cli

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mppm/shared/ambient"
)

// TestTrainPoints trains on points of a file and of a curve, interrupts nothing,
// and gets the same weights again.
func TestTrainPoints(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	var b strings.Builder
	b.WriteString("width,height\n")
	for i := range 50 {
		s, c := math.Sincos(float64(i) / 20)
		fmt.Fprintf(&b, "%.4f,%.4f\n", 100+30*c, 30*s)
	}
	in := put(t, at("in.csv"), []byte(b.String()))
	small := []string{"--epochs", "10", "--batch", "20", "--denoiser", "16"}
	r := must(t, append([]string{"train", "points", "--in", in, "--out", at("a")}, small...)...)
	for _, want := range []string{"points.safetensors", "restored.png", "MPPM"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in %s", want, r.stdout)
		}
	}
	weights := get(t, at("a/points.safetensors"))
	m, err := ambient.Load(weights)
	if err != nil {
		t.Fatal(err)
	}
	if m.Dim != 2 || len(m.Points) != 40*2 || math.Abs(float64(m.Scale)-20) > 10 {
		t.Errorf("%d coordinates, %d numbers, scale %v", m.Dim, len(m.Points), m.Scale)
	}
	must(t, append([]string{"train", "points", "--in", in, "--out", at("b"), "--quiet"}, small...)...)
	if !bytes.Equal(weights, get(t, at("b/points.safetensors"))) {
		t.Error("the same command gives other weights")
	}
	must(t, "train", "points", "--in", in, "--out", at("a"), "--resume", "--quiet") // it has ended: the weights are written again
	if !bytes.Equal(weights, get(t, at("a/points.safetensors"))) {
		t.Error("resuming a run that has ended gives other weights")
	}
	must(t, append([]string{"train", "points", "--curve", "trefoil", "--out", at("c"), "--quiet"}, small...)...)
	if m, err = ambient.Load(get(t, at("c/trefoil.safetensors"))); err != nil || m.Dim != 3 || m.Latent != 2 {
		t.Errorf("the trefoil: %v, %+v", err, m)
	}
	must(t, append([]string{"train", "circle", "--out", at("d"), "--quiet", "--paper", "--lambda3", "2"}, small...)...)
	if m, err = ambient.Load(get(t, at("d/circle.safetensors"))); err != nil || !strings.Contains(m.Meta["training"], `"target":"projection"`) || !strings.Contains(m.Meta["training"], `[1,1,2,1,1]`) {
		t.Errorf("the circle: %v, %v", err, m.Meta)
	}
	// What export makes of a run is what the run made, and says whose points it needs.
	must(t, "export", "--checkpoint", at("a"), "--data", in, "--out", at("a2"), "--quiet")
	must(t, "export", "--checkpoint", at("c"), "--out", at("c2"), "--quiet")
	if !bytes.Equal(get(t, at("a2")), weights) || !bytes.Equal(get(t, at("c2")), get(t, at("c/trefoil.safetensors"))) {
		t.Error("export makes other weights than the run")
	}
	must(t, "export", "--checkpoint", at("c"), "--out", at("c32"), "--float", "--quiet")
	if m, err = ambient.Load(get(t, at("c32"))); err != nil || m.Dim != 3 {
		t.Errorf("weights in 32 bits: %v", err)
	}
	for _, name := range []string{"a/loss.png", "a/restored.png", "c/restored.png", "d/loss.png"} {
		if info, err := os.Stat(at(name)); err != nil || info.Size() == 0 {
			t.Errorf("there is no %s (%v)", name, err)
		}
	}
	csv := func(name, text string) string { return put(t, at(name), []byte(text)) }
	for i, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "give --in FILE.csv or --curve NAME", []string{"train", "points"}},
		{exitUsage, "--data FILE.csv", []string{"export", "--checkpoint", at("a"), "--out", at("x")}},
		{exitFailure, "other data", []string{"export", "--checkpoint", at("c"), "--data", in, "--out", at("x")}},
		{exitUsage, "leave one out", []string{"train", "points", "--in", in, "--curve", "spiral"}},
		{exitUsage, `no curve "helix"`, []string{"train", "points", "--curve", "helix"}},
		{exitUsage, "--batch cannot change", []string{"train", "points", "--in", in, "--out", at("a"), "--resume", "--batch", "3"}},
		{exitUsage, "--target: there is no", []string{"train", "circle", "--target", "moon", "--out", at("x")}},
		{exitUsage, "--activation: there is no", []string{"train", "circle", "--activation", "tanh", "--out", at("x")}},
		{exitFailure, "no such file", []string{"train", "points", "--in", at("none.csv"), "--out", at("x")}},
		{exitFailure, "ragged.csv: line 2 has 1 column", []string{"train", "points", "--in", csv("ragged.csv", "1,2\n3\n"), "--out", at("x")}},
		{exitFailure, `"a" is not a number`, []string{"train", "points", "--in", csv("words.csv", "1,2\na,b\n3,b"), "--out", at("x")}},
		{exitFailure, "no points", []string{"train", "points", "--in", csv("empty.csv", ""), "--out", at("x")}},
		{exitFailure, "one point", []string{"train", "points", "--in", csv("one.csv", "1,2\n"), "--out", at("x")}},
		{exitFailure, "NaN", []string{"train", "points", "--in", csv("nan.csv", "1,2\nNaN,3\n"), "--out", at("x")}},
		{exitFailure, "holds a run", []string{"train", "points", "--in", in, "--out", at("a")}},
		{exitFailure, "other data", []string{"train", "points", "--curve", "spiral", "--out", at("a"), "--resume"}},
		{exitFailure, "no checkpoint", []string{"train", "circle", "--out", at("x"), "--resume"}},
		{exitFailure, "--device no such card", []string{"train", "circle", "--device", "no such card", "--out", at("x")}},
	} {
		if r := run(t, c.args...); r.code != c.code || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%d: exit code %d, want %d, and %q in %s", i, r.code, c.code, c.want, r.stderr)
		}
	}
	if _, err := os.Stat(at("x")); err == nil {
		t.Error("a command that fails leaves a folder")
	}
}

// TestEvalCircle trains a little, and checks that the tables and figures are
// there.
func TestEvalCircle(t *testing.T) {
	out := filepath.Join(t.TempDir(), "eval")
	args := []string{"eval", "circle", "--out", out, "--seeds", "1", "--epochs", "2", "--tests", "20"}
	must(t, args...)
	first := get(t, filepath.Join(out, "table.json"))
	for _, name := range []string{"table.md", "table.csv", "figure4.png", "figure5.png", "figure6.png", "figure7.png", "nets/default-1.safetensors", "nets/paper-1.safetensors"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("eval made no %s (%v)", name, err)
		}
	}
	must(t, args...)
	if !bytes.Equal(first, get(t, filepath.Join(out, "table.json"))) {
		t.Error("the same evaluation has another result")
	}
}
