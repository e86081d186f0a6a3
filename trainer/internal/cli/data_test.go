package cli

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mppm/shared/ambient"
	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/trainer/internal/dataset"
)

// someDigits writes the first training and test digits of MNIST to a folder, under the
// names that format makes of train or t10k, images or labels, and 3 or 1.
func someDigits(t *testing.T, train, test int, format string, transposed bool) string {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if transposed {
		set.Transpose()
	}
	dir := t.TempDir()
	for part, s := range map[string]struct {
		*dataset.Split
		n int
	}{"train": {&set.Train, train}, "t10k": {&set.Test, test}} {
		images, err := idx.New(s.Images[:s.n*dataset.Pixels], s.n, dataset.Side, dataset.Side)
		if err != nil {
			t.Fatal(err)
		}
		labels, err := idx.New(s.Labels[:s.n], s.n)
		if err != nil {
			t.Fatal(err)
		}
		for what, f := range map[string]*idx.File{"images": images, "labels": labels} {
			path := filepath.Join(dir, fmt.Sprintf(format, part, what, len(f.Shape)))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			put(t, path, f.Encode())
		}
	}
	return dir
}

const published = "%s-%s-idx%d-ubyte"

// TestFewImages: with few images the defaults are those that fit, which is said; what
// does not fit and was asked for is refused, and so is a set that nothing can be
// learned of.
func TestFewImages(t *testing.T) {
	data, dir := someDigits(t, 60, 12, published, false), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	short := []string{"--data", data, "--quiet", "--epochs", "1"}
	for name, c := range map[string]struct {
		args []string
		want string // the one line on stderr
	}{
		"mnist":      {[]string{"train", "mnist", "--refine", "1"}, "note: with 60 images to train on, the batch is 60, not 128, and the code bank has 60 centers, not 5000\n"},
		"dae":        {[]string{"train", "dae", "--batch", "50"}, "note: with 60 images to train on, the code bank has 60 centers, not 5000\n"},
		"held out":   {[]string{"train", "dae", "--holdout", "20", "--centers", "7"}, "note: with 40 images to train on, the batch is 40, not 128\n"},
		"classifier": {[]string{"train", "classifier"}, "note: with 60 images to train on, the batch is 60, not 128\n"},
	} {
		r := must(t, slices.Concat(c.args, short, []string{"--out", at(name)})...)
		if !strings.HasPrefix(r.stderr, c.want) || strings.Count(r.stderr, "note:") != 1 {
			t.Errorf("%s: %q, want %q", name, r.stderr, c.want)
		}
	}
	r := must(t, slices.Concat([]string{"train", "ldm", "--dae", at("dae"), "--out", at("ldm")}, short)...)
	if want := "the batch is 60, not 128"; !strings.Contains(r.stderr, want) {
		t.Errorf("ldm: %q, want %q", r.stderr, want)
	}
	one, three := someDigits(t, 1, 1, published, false), someDigits(t, 3, 3, published, false)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"batch":             {[]string{"train", "dae", "--data", data, "--batch", "61"}, "the batch is 61; give 1 to 60"},
		"centers":           {[]string{"train", "mnist", "--data", data, "--centers", "61"}, "61 centers; give 1 to 60"},
		"batch, held out":   {[]string{"train", "classifier", "--data", data, "--holdout", "20", "--batch", "41"}, "the batch is 41; give 1 to 40"},
		"holdout":           {[]string{"train", "classifier", "--data", data, "--holdout", "59"}, "59 images are to be held out; give 0 to 58"},
		"holdout, all":      {[]string{"train", "mnist", "--data", data, "--holdout", "60"}, "60 training digits are to be held out"},
		"one image":         {[]string{"train", "mnist", "--data", one}, "there is 1 image to train on; give at least 2"},
		"one, classifier":   {[]string{"train", "classifier", "--data", one}, "give at least 2"},
		"one, ldm":          {[]string{"train", "ldm", "--data", one, "--dae", at("dae/dae.safetensors")}, "give at least 2"},
		"eval":              {[]string{"eval", "mnist", "--data", three}, "give at least 4 of each"},
		"eval, n":           {[]string{"eval", "mnist", "--data", data, "--n", "13"}, "there are 12 test digits"},
		"sweep":             {[]string{"sweep", "--data", three}, "give at least 4"},
		"sweep, holdout":    {[]string{"sweep", "--data", data, "--holdout", "59"}, "give 2 to 58"},
		"sweep, n":          {[]string{"sweep", "--data", data, "--n", "13"}, "give 2 to 12"},
		"sweep, n, holdout": {[]string{"sweep", "--data", data, "--n", "31", "--holdout", "30"}, "give 2 to 30"},
	} {
		r := run(t, append(c.args, "--quiet", "--out", at("x"))...)
		if r.code == exitOK || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit code %d, want %q in %s", name, r.code, c.want, r.stderr)
		}
	}
}

// TestTranspose: EMNIST's files, which are transposed, make the nets that MNIST's make
// once they are turned upright; a run does not go on with others; and restore turns
// what it reads.
func TestTranspose(t *testing.T) {
	const emnist = "gzip/emnist-digits-%s-%s-idx%d-ubyte"
	upright, lying := someDigits(t, 40, 4, published, false), someDigits(t, 40, 4, emnist, true)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	trained := func(out string, args ...string) (result, *latent.Model) {
		r := must(t, append([]string{"train", "dae", "--quiet", "--epochs", "1", "--out", at(out)}, args...)...)
		m, err := latent.Load(get(t, at(out+"/dae.safetensors")))
		if err != nil {
			t.Fatal(err)
		}
		return r, m
	}
	_, a := trained("a", "--data", upright)
	_, b := trained("b", "--data", lying, "--transpose")
	r, c := trained("c", "--data", lying)
	if !slices.Equal(codesOf(a), codesOf(b)) {
		t.Error("images that are turned upright give other codes")
	}
	if slices.Equal(codesOf(a), codesOf(c)) || !strings.Contains(r.stderr, "--transpose turns the digits upright") {
		t.Errorf("images that lie give the same codes, or nothing is said: %s", r.stderr)
	}
	for _, args := range [][]string{
		{"--data", lying, "--out", at("b")},
		{"--data", lying, "--out", at("c"), "--transpose"},
	} {
		if r := run(t, append([]string{"train", "dae", "--quiet", "--resume"}, args...)...); r.code != exitFailure || !strings.Contains(r.stderr, "transposed") {
			t.Errorf("%q: exit code %d, %s", args, r.code, r.stderr)
		}
	}
	must(t, "export", "--quiet", "--checkpoint", at("b"), "--data", lying, "--transpose", "--out", at("b.safetensors"))
	if !bytes.Equal(get(t, at("b.safetensors")), get(t, at("b/dae.safetensors"))) {
		t.Error("export makes other weights than the run")
	}
	in := filepath.Join(lying, fmt.Sprintf(emnist, "t10k", "images", 3))
	must(t, "restore", "--quiet", "--in", filepath.Join(upright, fmt.Sprintf(published, "t10k", "images", 3)), "--out", at("upright.idx"))
	must(t, "restore", "--quiet", "--in", in, "--out", at("turned.idx"), "--transpose")
	if !bytes.Equal(get(t, at("upright.idx")), get(t, at("turned.idx"))) {
		t.Error("restore does not turn what it reads")
	}
	if r := must(t, "restore", "--quiet", "--in", in, "--out", at("lying.idx")); !strings.Contains(r.stderr, "--transpose") {
		t.Errorf("restore says nothing of how EMNIST's images lie: %s", r.stderr)
	}
}

// TestOtherFiles: what stands in place of a file is named, whoever reads it.
func TestOtherFiles(t *testing.T) {
	dir := t.TempDir()
	page := put(t, filepath.Join(dir, "page"), []byte("<!DOCTYPE html>\n<html><head><title>404</title>"))
	pointer := put(t, filepath.Join(dir, "pointer"), []byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"))
	archive := put(t, filepath.Join(dir, "archive"), []byte("PK\x03\x04 train-images"))
	message := put(t, filepath.Join(dir, "message"), []byte("404: Not Found"))
	out := filepath.Join(dir, "out")
	for path, want := range map[string]string{page: "HTML page", pointer: "git lfs pull", archive: "zip archive", message: "a server's message"} {
		for _, args := range [][]string{
			{"info", path},
			{"restore", "--in", path, "--out", out},
			{"restore", "--weights", path, "--in", page, "--out", out},
			{"train", "dae", "--data", path, "--out", out},
			{"train", "points", "--in", path, "--out", out},
			{"eval", "mnist", "--judge", path, "--out", out},
			{"train", "ldm", "--dae", path, "--out", out},
		} {
			if r := run(t, args...); r.code != exitFailure || !strings.Contains(r.stderr, path) || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%q: exit code %d, want %q in %s", args, r.code, want, r.stderr)
			}
		}
	}
}

// TestTrainFarPoints: points of a map are trained on and led back to where they were.
func TestTrainFarPoints(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("sep=;\r\n\"Rechtswert, m\";\"Hochwert, m\"\r\n")
	var want [][2]float64
	for i := range 60 {
		s, c := math.Sincos(float64(i) / 20)
		x := [2]float64{691_607.5 + 0.01*c, 5_335_000.25 + 0.01*s}
		want = append(want, x)
		b.WriteString(strings.ReplaceAll(fmt.Sprintf("%.6f;%.6f\r\n", x[0], x[1]), ".", ","))
	}
	in := put(t, filepath.Join(dir, "in.csv"), []byte(b.String()+"\r\n"))
	out := filepath.Join(dir, "out")
	r := must(t, "train", "points", "--in", in, "--out", out, "--epochs", "5", "--denoiser", "16", "--quiet")
	for _, note := range []string{"decimal commas", "with so few points to train on, the batch is 48, not 110"} {
		if !strings.Contains(r.stderr, note) {
			t.Errorf("no %q in %s", note, r.stderr)
		}
	}
	m, err := ambient.Load(get(t, filepath.Join(out, "points.safetensors")))
	if err != nil {
		t.Fatal(err)
	}
	own := make([]float64, len(m.Points))
	m.Denormalize(own, m.Points)
	for i := 0; i < len(own); i += 2 {
		if !slices.ContainsFunc(want, func(x [2]float64) bool { return math.Hypot(x[0]-own[i], x[1]-own[i+1]) < 2e-6 }) {
			t.Fatalf("the weights have a point at %v, where there is none", own[i:i+2])
		}
	}
	must(t, "export", "--quiet", "--checkpoint", out, "--data", in, "--out", filepath.Join(dir, "e"))
	if !bytes.Equal(get(t, filepath.Join(dir, "e")), get(t, filepath.Join(out, "points.safetensors"))) {
		t.Error("export makes other weights than the run")
	}
	column := put(t, filepath.Join(dir, "column.csv"), []byte("3,14\n2,71\n1,41\n1,61\n"))
	x := filepath.Join(dir, "x")
	if r := run(t, "train", "points", "--in", column, "--out", x); r.code != exitFailure || !strings.Contains(r.stderr, "--decimal comma or --decimal point") {
		t.Errorf("3,14: exit code %d, %s", r.code, r.stderr)
	}
	if r := run(t, "train", "points", "--in", column, "--out", x, "--decimal", "colon"); r.code != exitUsage {
		t.Errorf("--decimal colon: exit code %d, %s", r.code, r.stderr)
	}
	if r := run(t, "train", "points", "--in", column, "--out", x, "--decimal", "comma", "--batch", "4"); r.code != exitUsage || !strings.Contains(r.stderr, "give 1 to 3") {
		t.Errorf("--batch 4: exit code %d, %s", r.code, r.stderr)
	}
	for mark, dim := range map[string]int{"comma": 1, "point": 2} {
		to := filepath.Join(dir, mark)
		must(t, "train", "points", "--in", column, "--out", to, "--decimal", mark, "--epochs", "5", "--denoiser", "8", "--quiet")
		if m, err := ambient.Load(get(t, filepath.Join(to, "points.safetensors"))); err != nil || m.Dim != dim {
			t.Errorf("--decimal %s: %v, %v", mark, m.Dim, err)
		}
	}
}

// codesOf returns the code bank of a model.
func codesOf(m *latent.Model) []float32 {
	codes := make([]float32, m.Bank.Len()*latent.DigitLatent)
	for j := range m.Bank.Len() {
		m.Bank.Code(codes[j*latent.DigitLatent:], j)
	}
	return codes
}
