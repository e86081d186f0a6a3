package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mppm/shared/degrade"
	"mppm/shared/idx"
	"mppm/shared/latent/latenttest"
	"mppm/trainer/internal/dataset"
	"mppm/weights"
)

// result is what a run of the program left behind.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result { return runWith(t.Context(), "", args...) }

func runWith(ctx context.Context, stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := Run(ctx, args, strings.NewReader(stdin), &stdout, &stderr, served)
	return result{code, stdout.String(), stderr.String()}
}

// served is a server that ends before anybody can visit it: no browser is opened.
func served(context.Context, Serving) error { return nil }

// must runs a command that has to succeed.
func must(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t, args...)
	if r.code != exitOK {
		t.Fatalf("%q: exit code %d\n%s", args, r.code, r.stderr)
	}
	return r
}

func put(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tree lists all files below dir, temporary ones too.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dir {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// smallModel writes the weights of a random model, and returns their path.
func smallModel(t *testing.T) string {
	t.Helper()
	b, err := latenttest.File(1).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return put(t, filepath.Join(t.TempDir(), "model.safetensors"), b)
}

// digits are n images of rings.
func digits(n int) []byte {
	b := make([]byte, n*784)
	for i := range b {
		x, y, k := i%28, i/28%28, i/784
		if d := (x-14)*(x-14) + (y-14)*(y-14); d > 30+k%20 && d < 70+k%30 {
			b[i] = byte(200 + k%50)
		}
	}
	return b
}

func idxOf(pixels []byte) []byte {
	f := idx.File{Shape: []int{len(pixels) / 784, 28, 28}, Data: pixels}
	return f.Encode()
}

func pngOf(t *testing.T, pixels []byte, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, &image.Gray{Pix: pixels, Stride: w, Rect: image.Rect(0, 0, w, h)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pixelsOf(t *testing.T, b []byte) []byte {
	t.Helper()
	f, err := idx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := f.Images(); err != nil {
		t.Fatal(err)
	}
	return f.Data
}

func decodePNG(t *testing.T, path string) *image.Gray {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(get(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	gray, ok := img.(*image.Gray)
	if !ok {
		t.Fatalf("%s is %T, want gray", path, img)
	}
	return gray
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"help", "--help", "-h"} {
		r := must(t, args)
		for _, cmd := range append(commands(), command{name: "help"}) {
			if !strings.Contains(r.stdout, "\n  "+cmd.name+" ") {
				t.Errorf("%s does not list %s", args, cmd.name)
			}
		}
		if r.stderr != "" {
			t.Errorf("%s wrote %q to stderr", args, r.stderr)
		}
	}
	for _, cmd := range commands() {
		words := strings.Fields(cmd.name)
		want := must(t, append([]string{"help"}, words...)...).stdout
		if got := must(t, append(words, "--help")...).stdout; got != want {
			t.Errorf("%s --help is not help %s", cmd.name, cmd.name)
		}
		if len(cmd.examples) == 0 || cmd.summary == "" {
			t.Errorf("%s lacks examples or a summary", cmd.name)
		}
		for i, line := range strings.Split(want, "\n") {
			if n := len([]rune(line)); n > 90 && !strings.Contains(line, program) {
				t.Errorf("line %d of help %s has %d columns", i+1, cmd.name, n)
			}
		}
		// The examples have to be lines that the program takes.
		for _, example := range cmd.examples {
			found, rest, err := rootCommand(env{}).Find(strings.Fields(example))
			if err != nil || nameOf(found) != cmd.name {
				t.Errorf("example %q is no %s: %v", example, cmd.name, err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("example %q: %v", example, err)
			}
			if err := found.ValidateArgs(found.Flags().Args()); err != nil {
				t.Errorf("example %q: %v", example, err)
			}
		}
	}
	if r := must(t, "train", "--help"); !strings.Contains(r.stdout, "--lambda6") {
		t.Errorf("train --help: %s", r.stdout)
	}
	if r := must(t, "help", "train"); !strings.Contains(r.stdout, "--lambda6") {
		t.Errorf("help train: %s", r.stdout)
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if r := must(t, args...); !strings.HasPrefix(r.stdout, "mppm ") || strings.Count(r.stdout, "\n") != 1 {
			t.Errorf("%q: %q", args, r.stdout)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	in := put(t, filepath.Join(t.TempDir(), "in.idx"), idxOf(digits(1)))
	out := filepath.Join(dir, "out.idx")
	restore := func(more ...string) []string {
		return append([]string{"restore", "--weights", w, "--in", in, "--out", out}, more...)
	}
	generate := func(more ...string) []string {
		return append([]string{"generate", "--weights", w, "--n", "1", "--out", out}, more...)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"no command", nil},
		{"did you mean restore?", []string{"restroe"}},
		{"did you mean generate?", []string{"gen"}},
		{`no command "xyzzy"`, []string{"xyzzy"}},
		{"it takes mnist", []string{"train", "faces"}},
		{"did you mean mnist?", []string{"train", "mnst"}},
		{"train what?", []string{"train"}},
		{"did you mean restore?", []string{"help", "restor"}},
		{"name of one command", []string{"help", "info", "restore"}},
		{`version: unexpected argument "2"`, []string{"version", "2"}},
		{"--in PATH is missing", []string{"restore"}},
		{"--out PATH is missing", []string{"restore", "--in", in}},
		{"--out PATH is missing", []string{"generate"}},
		{"--checkpoint DIR is missing", []string{"export", "--out", out}},
		{"did you mean --degrade?", restore("--degrad", "gaussian=1")},
		{"did you mean --seed?", restore("--sed", "1")},
		{"there is no flag --zzzzzzzz", restore("--zzzzzzzz")},
		{"--seed needs a value", restore("--seed")},
		{`--seed: "-1"`, restore("--seed", "-1")},
		{`--seed: "1.5"`, restore("--seed=1.5")},
		{"--strip: the value is empty", restore("--strip", "")},
		{"end the name in .png", restore("--strip", filepath.Join(dir, "strip.jpg"))},
		{`unexpected argument "more"`, restore("more")},
		{`there is no "gan"`, restore("--method", "gan")},
		{"did you mean ldm?", generate("--method", "ldn")},
		{"--alpha is of the flow", restore("--method", "ldm", "--alpha", "0.1")},
		{"--preset is of the flow", generate("--method", "ldm", "--preset", "generate")},
		{"--start is of diffusion", restore("--start", "3")},
		{"--dae PATH is missing", []string{"train", "ldm"}},
		{"--dae cannot change", []string{"train", "ldm", "--resume", "--dae", w}},
		{"--rate cannot change", []string{"train", "ldm", "--resume", "--rate", "1"}},
		{"there is no flag --lambda1", []string{"train", "dae", "--lambda1", "1"}},
		{"--degrade", restore("--degrade", "gaussian")},
		{"--degrade", restore("--degrade", "gaussian=NaN")},
		{"--degrade", restore("--degrade", "gaussian=-1")},
		{"--degrade", restore("--degrade", "fog=1")},
		{"--alpha: -0.1 is negative", restore("--alpha", "-0.1")},
		{"--alpha: \"NaN\" is not a finite number", restore("--alpha", "NaN")},
		{"--beta: \"Inf\" is not a finite number", restore("--beta=Inf")},
		{"--sigma: \"x\" is not a finite number", restore("--sigma", "x")},
		{"--sigma is 0", restore("--sigma", "0")},
		{"--tau: -1 is negative", restore("--tau", "-1")},
		{"--tolerance: -1 is negative", restore("--tolerance", "-1")},
		{"--steps: 1000000 is not in the range", restore("--steps", "1000000")},
		{"--steps: -1 is not in the range", restore("--steps", "-1")},
		{"α+β is 1", restore("--alpha", "0.5", "--beta", "0.5")},
		{"less than 1", restore("--alpha", "0.8")}, // with the preset's β
		{"less than 1", generate("--beta", "0.6")},
		{`no preset "sharpp"`, restore("--preset", "sharpp")},
		{"did you mean restore?", restore("--preset", "restor")},
		{"--every: 0 is not in the range", restore("--every", "0")},
		{"--workers: 0 is not in the range", restore("--workers", "0")},
		{"--n: 0 is not in the range", generate("--n", "0")},
		{"--n: \"many\" is not a whole number", generate("--n", "many")},
		{"--noise: -1 is negative", generate("--noise", "-1")},
		{"end the name in .png", generate("--grid", filepath.Join(dir, "grid"))},
		{"there is no flag --noise", restore("--noise", "1")},
		{`"maybe" is neither true nor false`, restore("--quiet=maybe")},
		{"--lambda3: -1 is negative", []string{"train", "mnist", "--lambda3", "-1"}},
		{"--epochs: 0 is not in the range", []string{"train", "mnist", "--epochs", "0"}},
		{`unexpected argument "b"`, []string{"info", "a", "b"}},
		{"there is no flag --jsn; did you mean --json?", []string{"info", "--jsn"}},
	} {
		r := run(t, c.args...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) || !strings.Contains(r.stderr, "see: "+program+" help") {
			t.Errorf("%q: exit code %d, stdout %q, want 2 and %q in\n%s", c.args, r.code, r.stdout, c.want, r.stderr)
		}
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("wrong command lines wrote %q", got)
	}
}

// TestFailures: what goes wrong after the command line is an exit code of 1, one
// line that says what and where, and nothing written.
func TestFailures(t *testing.T) {
	w := smallModel(t)
	have := t.TempDir()
	file := func(name string, b []byte) string { return put(t, filepath.Join(have, name), b) }
	good := file("good.idx", idxOf(digits(2)))
	weightsBytes := get(t, w)
	wrongKind := latenttest.File(1)
	wrongKind.Meta["kind"] = "something"
	other, err := wrongKind.Encode()
	if err != nil {
		t.Fatal(err)
	}
	badFlow := latenttest.File(1)
	badFlow.Meta["flow.restore"] = `{"alpha":0.9,"beta":0.3,"sigma":0.45,"steps":15}`
	flow, err := badFlow.Encode()
	if err != nil {
		t.Fatal(err)
	}
	nan := latenttest.File(1)
	for i := range nan.Tensors {
		if nan.Tensors[i].Name == "encoder.conv1.bias" {
			nan.Tensors[i].Data = slices.Clone(nan.Tensors[i].Data)
			copy(nan.Tensors[i].Data, []byte{0, 0, 0xc0, 0x7f})
		}
	}
	notNumbers, err := nan.Encode()
	if err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(have, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.idx")
	for _, c := range []struct {
		want []string
		args []string
	}{
		{[]string{"none.idx", "no such file"}, []string{"--in", filepath.Join(have, "none.idx"), "--out", out}},
		{[]string{"empty", "put PNGs into it"}, []string{"--in", empty, "--out", out}},
		{[]string{"cut.idx"}, []string{"--in", file("cut.idx", idxOf(digits(2))[:900]), "--out", out}},
		{[]string{"lie.idx"}, []string{"--in", file("lie.idx", append([]byte{0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff}, make([]byte, 100)...)), "--out", out}},
		{[]string{"cut.png", "broken PNG"}, []string{"--in", file("cut.png", pngOf(t, digits(1), 28, 28)[:50]), "--out", out}},
		{[]string{"text.png", "neither an IDX file nor a PNG"}, []string{"--in", file("text.png", []byte("digits")), "--out", out}},
		{[]string{"2 images do not fit"}, []string{"--in", good, "--out", filepath.Join(dir, "one.png")}},
		{[]string{".jpg cannot be written"}, []string{"--in", good, "--out", filepath.Join(dir, "x.jpg")}},
		{[]string{"make it first"}, []string{"--in", good, "--out", filepath.Join(dir, "no", "x.idx")}},
		{[]string{"make it first"}, []string{"--in", good, "--out", out, "--strip", filepath.Join(dir, "no", "x.png")}},
		{[]string{"--force"}, []string{"--in", good, "--out", good}},
		{[]string{"none.safetensors", "no such file"}, []string{"--in", good, "--out", out, "--weights", filepath.Join(have, "none.safetensors")}},
		{[]string{"is a folder"}, []string{"--in", good, "--out", out, "--weights", have}},
		{[]string{"cut.safetensors"}, []string{"--in", good, "--out", out, "--weights", file("cut.safetensors", weightsBytes[:len(weightsBytes)/2])}},
		{[]string{"tiny.safetensors"}, []string{"--in", good, "--out", out, "--weights", file("tiny.safetensors", []byte{1, 2, 3})}},
		{[]string{"kind.safetensors", "something"}, []string{"--in", good, "--out", out, "--weights", file("kind.safetensors", other)}},
		{[]string{"flow.safetensors", "flow.restore"}, []string{"--in", good, "--out", out, "--weights", file("flow.safetensors", flow)}},
		{[]string{"nan.safetensors", "encoder.conv1.bias"}, []string{"--in", good, "--out", out, "--weights", file("nan.safetensors", notNumbers)}},
	} {
		args := append([]string{"restore", "--weights", w}, c.args...)
		r := run(t, args...)
		if r.code != exitFailure || r.stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q", c.args, r.code, r.stdout)
		}
		if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "error: restore: ") {
			t.Errorf("%q: stderr is not one line of error:\n%s", c.args, r.stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("%q: no %q in %s", c.args, want, r.stderr)
			}
		}
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("failures left %q behind", got)
	}
	if !bytes.Equal(get(t, good), idxOf(digits(2))) {
		t.Error("the input was changed")
	}
	if r := run(t, "info", filepath.Join(have, "cut.safetensors")); r.code != exitFailure || !strings.Contains(r.stderr, "cut.safetensors") || r.stdout != "" {
		t.Errorf("info of a truncated file: %+v", r)
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	out := filepath.Join(t.TempDir(), "out.idx")
	if err := os.Symlink("/dev/full", out); err != nil {
		t.Fatal(err)
	}
	r := run(t, "generate", "--weights", smallModel(t), "--n", "1", "--out", out, "--quiet")
	if r.code != exitFailure || r.stdout != "" || !strings.Contains(r.stderr, "no space left") || !strings.Contains(r.stderr, "free some space") {
		t.Errorf("%+v", r)
	}
}

func TestRestoreForms(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	const n = 12
	in := put(t, path("in.idx"), idxOf(digits(n)))
	r := must(t, "restore", "--weights", w, "--in", in, "--out", path("out.idx"))
	if want := fmt.Sprintf("%d images restored to %s\n", n, path("out.idx")); r.stdout != want {
		t.Errorf("stdout %q, want %q", r.stdout, want)
	}
	if !strings.Contains(r.stderr, "restoring: 12/12 images in ") {
		t.Errorf("stderr %q", r.stderr)
	}
	want := pixelsOf(t, get(t, path("out.idx")))
	if len(want) != n*784 || bytes.Equal(want, digits(n)) {
		t.Fatalf("%d bytes written", len(want))
	}
	// Every other form gives the same images.
	must(t, "restore", "--weights", w, "--in", in, "--out", path("out-ubyte.gz"), "--workers", "3", "--quiet")
	if got := get(t, path("out-ubyte.gz")); got[0] != 0x1f || !bytes.Equal(pixelsOf(t, got), want) {
		t.Error("gzipped IDX differs")
	}
	must(t, "restore", "--weights", w, "--in", in, "--out", path("folder"))
	if err := os.Mkdir(path("single"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("%05d.png", i)
		if got := decodePNG(t, filepath.Join(path("folder"), name)).Pix; !bytes.Equal(got, want[i*784:(i+1)*784]) {
			t.Errorf("%s differs", name)
		}
		put(t, filepath.Join(path("single"), fmt.Sprintf("%d.png", i)), pngOf(t, digits(n)[i*784:(i+1)*784], 28, 28))
	}
	must(t, "restore", "--weights", w, "--in", path("single"), "--out", path("from-folder.idx"))
	if got := pixelsOf(t, get(t, path("from-folder.idx"))); !bytes.Equal(got, want) {
		t.Error("a folder, in natural order, gives other images")
	}
	must(t, "restore", "--weights", w, "--in", filepath.Join(path("single"), "3.png"), "--out", path("three.png"))
	if got := decodePNG(t, path("three.png")).Pix; !bytes.Equal(got, want[3*784:4*784]) {
		t.Error("one PNG gives another image")
	}
	r = runWith(t.Context(), string(get(t, in)), "restore", "--weights", w, "--in", "-", "--out", "-")
	if r.code != exitOK || !bytes.Equal(pixelsOf(t, []byte(r.stdout)), want) {
		t.Errorf("through the streams: exit code %d\n%s", r.code, r.stderr)
	}
	r = must(t, "restore", "--weights", w, "--in", in, "--out", path("quiet.idx"), "--quiet")
	if r.stdout != "" || r.stderr != "" {
		t.Errorf("--quiet wrote %q and %q", r.stdout, r.stderr)
	}
}

func TestRestoreSaysWhatItResized(t *testing.T) {
	dir := t.TempDir()
	in := put(t, filepath.Join(dir, "big.png"), pngOf(t, make([]byte, 64*48), 64, 48))
	if r := run(t, "restore", "--weights", smallModel(t), "--in", in, "--out", filepath.Join(dir, "out.png")); r.code != 1 || !strings.Contains(r.stderr, "page is empty") {
		t.Errorf("an empty page: code %d, stderr %q", r.code, r.stderr)
	}
	r := must(t, "restore", "--weights", smallModel(t), "--in", in, "--out", filepath.Join(dir, "out.png"), "--center", "never")
	if !strings.Contains(r.stderr, "note: the image is not 28×28 pixels") || !strings.Contains(r.stderr, "64×48") {
		t.Errorf("stderr %q", r.stderr)
	}
	if got := decodePNG(t, filepath.Join(dir, "out.png")).Bounds(); got != image.Rect(0, 0, 28, 28) {
		t.Errorf("output of %v", got)
	}
}

// table reads the rows of the scores.
func table(t *testing.T, s string) map[string][3]float64 {
	t.Helper()
	rows := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`(?m)^ *(degraded|restored) +(\S+) +(\S+) +(\S+) *$`).FindAllStringSubmatch(s, -1) {
		var row [3]float64
		for i := range row {
			v, err := strconv.ParseFloat(m[2+i], 64)
			if err != nil {
				t.Fatal(err)
			}
			row[i] = v
		}
		rows[m[1]] = row
	}
	if len(rows) != 2 {
		t.Fatalf("no table in %q", s)
	}
	return rows
}

func TestRestoreDegrades(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	in := put(t, filepath.Join(dir, "in.idx"), idxOf(digits(60)))
	args := func(out, seed string, more ...string) []string {
		return append([]string{"restore", "--weights", w, "--in", in, "--out", filepath.Join(dir, out), "--degrade", "gaussian-unclipped=0.5", "--seed", seed}, more...)
	}
	first := must(t, args("a.idx", "7")...)
	rows := table(t, first.stdout)
	// Noise of deviation 0.5: a mean square of 0.25, 6.02 dB.
	if d := rows["degraded"]; math.Abs(d[0]-0.25) > 0.005 || math.Abs(d[1]-6.02) > 0.1 || !(d[2] < 0.5) {
		t.Errorf("degraded %v, want about 0.25 and 6.02", d)
	}
	if !strings.HasPrefix(first.stdout, "60 images, gaussian-unclipped=0.5, seed 7: ") {
		t.Errorf("stdout %q", first.stdout)
	}
	// The score of the output is that of the file.
	got, clean, mse := pixelsOf(t, get(t, filepath.Join(dir, "a.idx"))), digits(60), 0.0
	for i := range got {
		d := (float64(got[i]) - float64(clean[i])) / 255
		mse += d * d / float64(len(got))
	}
	if r := rows["restored"]; math.Abs(r[0]-mse) > 1e-5 {
		t.Errorf("restored %v, want a mean square of %v", r, mse)
	}
	second := must(t, args("b.idx", "7", "--workers", "4")...)
	if second.stdout != first.stdout || !bytes.Equal(get(t, filepath.Join(dir, "a.idx")), get(t, filepath.Join(dir, "b.idx"))) {
		t.Error("the same seed gives another result")
	}
	must(t, args("c.idx", "8")...)
	if bytes.Equal(get(t, filepath.Join(dir, "a.idx")), get(t, filepath.Join(dir, "c.idx"))) {
		t.Error("another seed gives the same result")
	}
	r := runWith(t.Context(), "", "restore", "--weights", w, "--in", in, "--out", "-", "--degrade", "gaussian=0.5")
	if r.code != exitOK || len(pixelsOf(t, []byte(r.stdout))) != 60*784 {
		t.Errorf("exit code %d", r.code)
	}
	table(t, r.stderr)
	for _, k := range degrade.All() {
		must(t, "restore", "--weights", w, "--in", in, "--out", filepath.Join(dir, "d.idx"), "--degrade", fmt.Sprintf("%s=%g", k.Kind, k.Severe), "--quiet")
	}
}

func TestFlowFlags(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	in := put(t, filepath.Join(dir, "in.idx"), idxOf(digits(3)))
	out := func(more ...string) string {
		path := filepath.Join(dir, "out.idx")
		must(t, append([]string{"restore", "--weights", w, "--in", in, "--out", path, "--quiet"}, more...)...)
		return string(get(t, path))
	}
	plain := out()
	// The preset of modeltest: spelled out, it changes nothing.
	if out("--alpha", "0.6", "--beta", "0.3", "--sigma", "0.45", "--tau", "1", "--steps", "15", "--tolerance", "0", "--preset", "restore") != plain {
		t.Error("the preset's own parameters give another result")
	}
	seen := map[string]string{"": plain}
	for _, flag := range []string{"--alpha=0.1", "--beta=0.05", "--sigma=2", "--tau=0", "--steps=3", "--steps=0", "--tolerance=5", "--preset=generate"} {
		got := out(flag)
		for other, bytes := range seen {
			if bytes == got {
				t.Errorf("%s gives the same as %q", flag, other)
			}
		}
		seen[flag] = got
	}
}

func TestStrip(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	clean := digits(20)
	in := put(t, filepath.Join(dir, "in.idx"), idxOf(clean))
	strip, out := filepath.Join(dir, "strip.png"), filepath.Join(dir, "out.idx")
	const cell, gap, head = 28*3 + 4, 4, 14
	at := func(img *image.Gray, row, col, pixel int) byte {
		return img.GrayAt(gap+col*cell+pixel%28*3+1, gap+head+row*cell+pixel/28*3+1).Y
	}
	check := func(img *image.Gray, rows, columns int) {
		t.Helper()
		if want := image.Rect(0, 0, gap+columns*cell, gap+head+rows*cell); img.Bounds() != want {
			t.Fatalf("strip of %v, want %v (%d rows, %d columns)", img.Bounds(), want, rows, columns)
		}
		restored := pixelsOf(t, get(t, out))
		for row := range rows {
			for p := range 784 {
				if got := at(img, row, 0, p); got != clean[row*784+p] {
					t.Fatalf("row %d: the first column is not the input", row)
				}
				if got := at(img, row, columns-1, p); got != restored[row*784+p] {
					t.Fatalf("row %d: the last column is not the output", row)
				}
			}
		}
	}
	// input, steps 0, 5, 10, and the output for 15
	must(t, "restore", "--weights", w, "--in", in, "--out", out, "--strip", strip, "--every", "5")
	check(decodePNG(t, strip), 16, 5)
	// clean, degraded, steps 0, 3, 6, 9, 12, output
	must(t, "restore", "--weights", w, "--in", in, "--out", out, "--strip", strip, "--degrade", "gaussian=0.5")
	check(decodePNG(t, strip), 16, 8)
	must(t, "restore", "--weights", w, "--in", in, "--out", out, "--strip", strip, "--steps", "0")
	check(decodePNG(t, strip), 16, 2)
}

func TestGenerate(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	r := must(t, "generate", "--weights", w, "--n", "70", "--seed", "4", "--out", path("a.idx"), "--grid", path("grid.png"))
	if !strings.HasPrefix(r.stdout, "70 images generated to "+path("a.idx")+" (seed 4, α 0.6, β 0.2, ") || !strings.Contains(r.stderr, "generating: 70/70 images") {
		t.Errorf("%+v", r)
	}
	all := pixelsOf(t, get(t, path("a.idx")))
	if len(all) != 70*784 {
		t.Fatalf("%d bytes", len(all))
	}
	must(t, "generate", "--weights", w, "--n", "3", "--seed", "4", "--out", path("folder"), "--workers", "2")
	for i := range 3 {
		if got := decodePNG(t, filepath.Join(path("folder"), fmt.Sprintf("%05d.png", i))).Pix; !bytes.Equal(got, all[i*784:(i+1)*784]) {
			t.Errorf("image %d of 3 is not image %d of 70", i, i)
		}
	}
	must(t, "generate", "--weights", w, "--n", "1", "--seed", "5", "--out", path("one.png"))
	if bytes.Equal(decodePNG(t, path("one.png")).Pix, all[:784]) {
		t.Error("another seed gives the same image")
	}
	if got := decodePNG(t, path("grid.png")).Bounds(); got != image.Rect(0, 0, 4+9*60, 4+8*60) {
		t.Errorf("grid of %v", got)
	}
	must(t, "generate", "--weights", w, "--n", "2", "--grid", path("only.png"))
	r = runWith(t.Context(), "", "generate", "--weights", w, "--n", "2", "--seed", "4", "--out", "-")
	if r.code != exitOK || !bytes.Equal(pixelsOf(t, []byte(r.stdout)), all[:2*784]) {
		t.Errorf("to stdout: exit code %d", r.code)
	}
}

func TestInfo(t *testing.T) {
	f := latenttest.File(1)
	f.Meta["training"] = `{"epochs":12,"lambda":[0.05,1],"data":{"name":"mnist"}}`
	f.Meta["note"] = "not JSON: \x1b[31mred"
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := put(t, filepath.Join(t.TempDir(), "m.safetensors"), b)
	r := must(t, "info", path)
	for _, want := range []string{
		path + ": ", "kind of model: lmppm-28x28", "\n  encoder.conv2.weight ", "I8 with scales  64×3×3×32", "18.7 kB\n", "  total of I8", "\nmetadata\n",
		"  flow.restore:\n    alpha: 0.6\n", "  training:\n    data:\n      name: mnist\n    epochs: 12\n    lambda: [0.05,1]\n", "note: not JSON: ·[31mred\n",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("no %q in\n%s", want, r.stdout)
		}
	}
	r = must(t, "info", path, "--json")
	var got struct {
		Name       string
		Bytes      int
		Kind       string
		Loads      bool
		Parameters int
		Types      map[string]struct{ Tensors, Bytes int }
		Tensors    []struct {
			Name, DType string
			Shape       []int
			Bytes       int
		}
		Metadata map[string]any
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if got.Name != path || got.Bytes != len(b) || got.Kind != "lmppm-28x28" || !got.Loads || len(got.Tensors) != len(f.Tensors) {
		t.Errorf("%+v", got)
	}
	// FINDINGS counts the nets of Table 8; the bank has 18×100 and 100, the prior
	// 18 and 18×18, the spacing is 1.
	if want := 75_282 + 78_337 + 7_991 + 1900 + 18*19 + 1; got.Parameters != want {
		t.Errorf("%d parameters, want %d", got.Parameters, want)
	}
	total := 0
	for _, k := range got.Types {
		total += k.Bytes
	}
	if total == 0 || total > len(b) {
		t.Errorf("tensors of %d bytes in a file of %d", total, len(b))
	}
	if training, ok := got.Metadata["training"].(map[string]any); !ok || training["epochs"] != 12.0 {
		t.Errorf("training is %v", got.Metadata["training"])
	}
	if got.Metadata["note"] != "not JSON: \x1b[31mred" {
		t.Errorf("note is %q", got.Metadata["note"])
	}
	// A file that is no model of ours is described all the same.
	f.Meta["kind"] = "other"
	if b, err = f.Encode(); err != nil {
		t.Fatal(err)
	}
	put(t, path, b)
	if r := must(t, "info", path); !strings.Contains(r.stdout, "this program cannot run it: ") {
		t.Errorf("%s", r.stdout)
	}
}

func TestInterrupt(t *testing.T) {
	w := smallModel(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := runWith(ctx, "", "generate", "--weights", w, "--n", "100000", "--out", filepath.Join(dir, "out.idx"), "--quiet")
	if r.code != exitFailure || r.stderr != "interrupted\n" || r.stdout != "" {
		t.Errorf("%+v", r)
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("left %q behind", got)
	}
}

func TestNoEmbeddedWeights(t *testing.T) {
	keep := weights.MNIST
	weights.MNIST = nil
	defer func() { weights.MNIST = keep }()
	r := run(t, "info")
	if r.code != exitFailure || !strings.Contains(r.stderr, "--weights") {
		t.Errorf("%+v", r)
	}
}

// TestEmbeddedWeights restores and grows digits with the weights that ship.
func TestEmbeddedWeights(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := put(t, filepath.Join(dir, "in.idx"), idxOf(set.Test.Images[:500*784]))
	r := must(t, "restore", "--in", in, "--out", filepath.Join(dir, "out.idx"), "--degrade", "gaussian=0.7", "--seed", "1")
	rows := table(t, r.stdout)
	if rows["restored"][2] < 0.65 || rows["restored"][0] > rows["degraded"][0]/2 {
		t.Errorf("500 digits with noise 0.7 are restored badly:\n%s", r.stdout)
	}
	must(t, "generate", "--n", "20", "--seed", "1", "--out", filepath.Join(dir, "grown.idx"))
	// Digits have ink and ground: neither all black nor all gray.
	for i, grown := 0, pixelsOf(t, get(t, filepath.Join(dir, "grown.idx"))); i < 20; i++ {
		ink, ground := 0, 0
		for _, v := range grown[i*784 : (i+1)*784] {
			if v > 200 {
				ink++
			}
			if v < 20 {
				ground++
			}
		}
		if ink < 20 || ground < 392 {
			t.Errorf("generated image %d has %d pixels of ink and %d of ground", i, ink, ground)
		}
	}
	if r := must(t, "info"); !strings.Contains(r.stdout, "the embedded weights: ") {
		t.Errorf("%s", r.stdout)
	}
}

// TestTrainAndExport goes the whole way on a few digits: train, interrupted and
// resumed, export, info, restore, generate.
func TestTrainAndExport(t *testing.T) {
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	data, dir := t.TempDir(), t.TempDir()
	const n = 64
	put(t, filepath.Join(data, "train-images-idx3-ubyte"), idxOf(set.Train.Images[:n*784]))
	put(t, filepath.Join(data, "t10k-images-idx3-ubyte"), idxOf(set.Test.Images[:5*784]))
	train := func(out string, more ...string) []string {
		return append([]string{"train", "mnist", "--data", data, "--out", filepath.Join(dir, out)}, more...)
	}
	settings := []string{"--epochs", "4", "--distance", "2", "--refine", "2", "--batch", "32", "--centers", "20", "--seed", "3", "--hidden", "16,8"}
	r := must(t, train("whole", settings...)...)
	if !strings.HasPrefix(r.stdout, "trained to ") || !strings.Contains(r.stderr, "training: 512/512 images in ") {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"checkpoint.safetensors", "mnist.safetensors", "loss.png", "restored.png", "generated.png"} {
		if !slices.Contains(tree(t, filepath.Join(dir, "whole")), name) {
			t.Errorf("no %s in the folder of the run", name)
		}
	}
	decodePNG(t, filepath.Join(dir, "whole", "restored.png"))

	// Interrupt a run in the middle: when its first epoch is saved.
	part := train("part", settings...)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(dir, "part", "checkpoint.safetensors")); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	r = runWith(ctx, "", part...)
	cancel()
	if r.code != exitFailure || !strings.HasSuffix(r.stderr, "\ninterrupted; --resume goes on from here\n") || strings.Contains(r.stderr, "error") {
		t.Fatalf("%+v", r)
	}
	if r := run(t, part...); r.code != exitFailure || !strings.Contains(r.stderr, "--resume") {
		t.Errorf("a second run in the same folder: %+v", r)
	}
	if r := run(t, train("part", "--resume", "--epochs", "9")...); r.code != exitUsage || !strings.Contains(r.stderr, "--epochs cannot change") {
		t.Errorf("another setting with --resume: %+v", r)
	}
	must(t, train("part", "--resume", "--quiet")...)
	for _, name := range []string{"checkpoint.safetensors", "mnist.safetensors", "restored.png", "generated.png"} {
		if !bytes.Equal(get(t, filepath.Join(dir, "whole", name)), get(t, filepath.Join(dir, "part", name))) {
			t.Errorf("%s of an interrupted run is not that of an uninterrupted one", name)
		}
	}
	if r := run(t, train("none", "--resume")...); r.code != exitFailure || !strings.Contains(r.stderr, "no checkpoint") {
		t.Errorf("--resume of nothing: %+v", r)
	}

	small, big := filepath.Join(dir, "int8.safetensors"), filepath.Join(dir, "float.safetensors")
	must(t, "export", "--checkpoint", filepath.Join(dir, "part"), "--data", data, "--out", small)
	must(t, "export", "--checkpoint", filepath.Join(dir, "part"), "--data", data, "--out", big, "--float")
	if !bytes.Equal(get(t, small), get(t, filepath.Join(dir, "part", "mnist.safetensors"))) {
		t.Error("export does not give the weights that training wrote")
	}
	if s, b := len(get(t, small)), len(get(t, big)); 2*s > b {
		t.Errorf("eight bits take %d bytes, 32 take %d", s, b)
	}
	if r := must(t, "info", small); !strings.Contains(r.stdout, "epochs: 4") || !strings.Contains(r.stdout, "refine: 2") || !strings.Contains(r.stdout, "hidden: [16,8]") || strings.Contains(r.stdout, "cannot run") {
		t.Errorf("%s", r.stdout)
	}
	must(t, "restore", "--weights", big, "--in", filepath.Join(data, "t10k-images-idx3-ubyte"), "--out", filepath.Join(dir, "r.idx"))
	must(t, "generate", "--weights", small, "--n", "2", "--out", filepath.Join(dir, "g.idx"))
	for want, args := range map[string][]string{
		"no checkpoint":     {"export", "--checkpoint", dir, "--data", data, "--out", filepath.Join(dir, "x.safetensors")},
		"other data":        {"export", "--checkpoint", filepath.Join(dir, "part"), "--out", filepath.Join(dir, "x.safetensors")},
		"make it first":     {"export", "--checkpoint", filepath.Join(dir, "part"), "--data", data, "--out", filepath.Join(dir, "no", "x")},
		"cannot read":       train("x", "--data", filepath.Join(dir, "nowhere")),
		"1 to 64":           train("x", "--centers", "65"),
		"not a list of wid": train("x", "--hidden", "a,b"),
		"there is no \"x\"": train("x", "--activation", "x"),
	} {
		if r := run(t, args...); r.code == exitOK || !strings.Contains(r.stderr, want) {
			t.Errorf("%q: exit code %d, want %q in %s", args, r.code, want, r.stderr)
		}
	}
}
