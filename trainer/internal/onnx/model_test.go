package onnx

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/weights"
)

// array is what goes in or comes out of a file by a name.
type array struct {
	Dims  []int  `json:"dims"`
	Data  []byte `json:"data"`            // floats, little-endian
	Whole *int   `json:"whole,omitempty"` // one whole number in place of those
}

func wholeOf(v int) array { return array{Whole: &v} }

func arrayOf(data []float32, dims ...int) array {
	var raw []byte
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return array{Dims: append([]int{}, dims...), Data: raw}
}

// run is a file and what goes into it.
type run struct {
	Model string           `json:"model"`
	Feeds map[string]array `json:"feeds"`
}

// onnxruntime runs files with ONNX Runtime. It skips the test where that is not installed.
func onnxruntime(t *testing.T, runs []run) []map[string]array {
	t.Helper()
	at := "runtime"
	if _, err := os.Stat(filepath.Join(at, "node_modules", "onnxruntime-node")); err != nil {
		t.Skip("ONNX Runtime is not installed: `make onnx` installs it, and runs this")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run ONNX Runtime with")
	}
	in, err := json.Marshal(runs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, filepath.Join("testdata", "run.mjs"), at)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results []map[string]array
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
	return results
}

// written makes the files of weights, in a folder.
func written(t *testing.T, b []byte) (dir string, f *safetensors.File, m *latent.Model) {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = latent.New(f); err != nil {
		t.Fatal(err)
	}
	return files(t, f, ModelOptions{}), f, m
}

// files writes the files of a model to a folder.
func files(t *testing.T, f *safetensors.File, o ModelOptions) string {
	t.Helper()
	all, err := Files(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return folder(t, all)
}

// folder writes files, each of them checked, and by onnx.checker where Python has it.
func folder(t *testing.T, all map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range all {
		if err := check(content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if python := pythonWith("onnx"); python != "" {
		const script = `
import glob, onnx, sys
for path in glob.glob(sys.argv[1] + "/*.onnx"):
    onnx.checker.check_model(onnx.load(path), full_check=True)`
		if out, err := exec.Command(python, "-c", script, dir).CombinedOutput(); err != nil {
			t.Errorf("onnx.checker: %v\n%s", err, out)
		}
	}
	return dir
}

// pythonWith returns a Python that has a module; "" if none has.
var pythonWith = func() func(module string) string {
	var mu sync.Mutex
	found := map[string]string{}
	return func(module string) string {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := found[module]; !ok {
			found[module] = ""
			for _, name := range []string{"python3", "/usr/bin/python3"} {
				if exec.Command(name, "-c", "import "+module).Run() == nil {
					found[module] = name
					break
				}
			}
		}
		return found[module]
	}
}()

// digits returns n test digits with noise of 0.7, which takes them out of [0, 1].
func digits(t *testing.T, n int) []float32 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "site", "static", "digits-images.idx"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := idx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, n*latent.DigitPixels)
	rng.New(1, 0).FillNorm(x, 0.7)
	for i := range x {
		x[i] += float32(a.Data[i]) / 255
	}
	return x
}

// near fails if numbers are not those that are wanted, to within a share of the largest.
func near(t *testing.T, what string, got array, want []float32, share float64) {
	t.Helper()
	if len(got.Data) != 4*len(want) {
		t.Errorf("%s: %d numbers of %v; want %d", what, len(got.Data)/4, got.Dims, len(want))
		return
	}
	largest, off := 1.0, 0.0
	for i, g := range littleFloats(got.Data) {
		largest, off = max(largest, math.Abs(float64(want[i]))), max(off, math.Abs(float64(g-want[i])))
		if g-g != 0 {
			t.Errorf("%s: number %d is %v", what, i, g)
			return
		}
	}
	if off > share*largest {
		t.Errorf("%s is off by %.2g, of numbers up to %.3g", what, off, largest)
	}
	t.Logf("%s: off by %.2g, of numbers up to %.3g", what, off, largest)
}

// TestModelOfDigits holds the files of the shipped model to the model, on 100 digits.
func TestModelOfDigits(t *testing.T) {
	dir, f, m := written(t, weights.MNIST)
	const n, share = 100, 1e-5
	d := m.Latent()
	r := m.Runner(16)
	x := digits(t, n)
	z, y := make([]float32, n*d), make([]float32, len(x))
	r.Encode(z, x)
	r.Decode(y, z)
	distance, grad := make([]float32, n), make([]float32, n*d)
	r.Distance(distance, grad, z)
	flowed := func(z []float32, p latent.Preset) ([]float32, []float32) {
		z = append([]float32(nil), z...)
		seq, err := r.Flow(z, p)
		if err != nil {
			t.Fatal(err)
		}
		var moved []float32
		for s := range seq {
			moved = s.Moved
		}
		return z, moved
	}
	one := latent.Preset{Alpha: 0.2, Beta: 0.5, Sigma: 0.6, Steps: 1} // without a gate
	next, moved := flowed(z, one)
	gated := m.Restore
	gated.Start, gated.Steps = 0, 1
	second, _ := flowed(z, gated)
	end, _ := flowed(z, m.Restore)
	restored := make([]float32, len(x))
	r.Decode(restored, end)
	// Codes that rest where they hardly move.
	tired := m.Restore
	tired.Tolerance = 0.3
	rested, _ := flowed(z, tired)
	early := make([]float32, len(x))
	r.Decode(early, rested)

	text, err := json.Marshal(tired)
	if err != nil {
		t.Fatal(err)
	}
	small := files(t, f, ModelOptions{Int8: true})
	f.Meta["flow.restore"] = string(text)
	tires := files(t, f, ModelOptions{})

	image := arrayOf(x, n, 28, 28, 1)
	code := arrayOf(z, n, d)
	number := func(v float32) array { return arrayOf([]float32{v}) }
	at := func(name string) string { return filepath.Join(dir, name) }
	out := onnxruntime(t, []run{
		{at(EncoderFile), map[string]array{"image": image}},
		{at(DecoderFile), map[string]array{"code": code}},
		{at(DistanceFile), map[string]array{"code": code}},
		{at(StepFile), map[string]array{"code": code, "alpha": number(one.Alpha), "beta": number(one.Beta), "sigma": number(one.Sigma), "tau": number(0)}},
		{at(StepFile), map[string]array{"code": code, "alpha": number(gated.Alpha), "beta": number(gated.Beta), "sigma": number(gated.Sigma), "tau": number(gated.Tau)}},
		{at(RestoreFile), map[string]array{"image": image}},
		{filepath.Join(tires, RestoreFile), map[string]array{"image": image}},
		{at(EncoderFile), map[string]array{"image": arrayOf(x[:784], 1, 28, 28, 1)}},
		{filepath.Join(small, RestoreFile), map[string]array{"image": image}},
		{filepath.Join(small, StepFile), map[string]array{"code": code, "alpha": number(one.Alpha), "beta": number(one.Beta), "sigma": number(one.Sigma), "tau": number(0)}},
	})
	near(t, "F", out[0]["code"], z, share)
	near(t, "G", out[1]["image"], y, share)
	near(t, "D", out[2]["distance"], distance, share)
	near(t, "∇D", out[2]["gradient"], grad, share)
	near(t, "a step", out[3]["next"], next, share)
	near(t, "D of a step", out[3]["distance"], distance, share)
	near(t, "the way of a step", out[3]["moved"], moved, share)
	near(t, "a step of restoration", out[4]["next"], second, share)
	near(t, "a restoration", out[5]["restored"], restored, share)
	near(t, "one that rests", out[6]["restored"], early, share)
	near(t, "F of one", out[7]["code"], z[:d], share)
	near(t, "a restoration in eight bits", out[8]["restored"], restored, share)
	near(t, "a step in eight bits", out[9]["next"], next, share)
	for _, name := range []string{EncoderFile, DecoderFile, RestoreFile} {
		if whole, less := length(t, at(name)), length(t, filepath.Join(small, name)); less > whole*2/5 {
			t.Errorf("%s has %d bytes in eight bits, and %d without", name, less, whole)
		}
	}
}

func length(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestModelOfFaces does so for a U-Net with projections and skips.
func TestModelOfFaces(t *testing.T) {
	if testing.Short() {
		t.Skip("a U-Net takes seconds")
	}
	dir, _, m := written(t, weights.Faces)
	if !m.HasSkips() {
		t.Fatal("the model of faces has no skips")
	}
	const n, share = 2, 1e-5
	r := m.Runner(n)
	s := m.Image()
	x := make([]float32, n*s.Size())
	src := rng.New(1, 0)
	for i := range x {
		x[i] = src.Float32()
	}
	z, y, plain := make([]float32, n*m.Latent()), make([]float32, len(x)), make([]float32, len(x))
	var skips latent.Skips
	r.EncodeSkips(z, x, &skips)
	r.DecodeSkips(y, z, &skips, nil)
	r.Decode(plain, z)
	local := make([]float32, n*s.H*s.W)
	r.Local(local, x, &skips)
	at := func(name string) string { return filepath.Join(dir, name) }
	code := arrayOf(z, n, m.Latent())
	out := onnxruntime(t, []run{{at(EncoderFile), map[string]array{"image": arrayOf(x, n, s.H, s.W, s.C)}}, {at(ProjectionsFile), map[string]array{"code": code}}})
	near(t, "F", out[0]["code"], z, share)
	whole, projected := map[string]array{"code": code}, map[string]array{"code": code}
	for name, v := range out[0] {
		if name != "code" {
			whole[name] = v
		}
	}
	for name, v := range out[1] {
		projected[name] = v
	}
	seen := map[string]array{"image": arrayOf(x, n, s.H, s.W, s.C)}
	for _, name := range further(localOf(t, weights.Faces)) {
		seen[name] = whole[name]
	}
	out = onnxruntime(t, []run{{at(DecoderFile), whole}, {at(DecoderFile), projected}, {at(LocalFile), seen}})
	near(t, "G of the skips", out[0]["image"], y, share)
	near(t, "G of the projections", out[1]["image"], plain, share)
	near(t, "L", out[2]["distance"], local, share)
}

func localOf(t *testing.T, b []byte) *nn.Net {
	t.Helper()
	f, err := safetensors.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	nets, err := latent.Described(f.Meta)
	if err != nil {
		t.Fatal(err)
	}
	return nets.L
}

// TestModelWithoutD: what has no D has no file of it, and its flow is a kernel mean.
func TestModelWithoutD(t *testing.T) {
	dir, _, m := written(t, weights.DAE)
	if _, err := os.Stat(filepath.Join(dir, DistanceFile)); err == nil {
		t.Error("a model without D has a file of it")
	}
	r := m.Runner(4)
	x := digits(t, 4)
	z := make([]float32, 4*m.Latent())
	r.Encode(z, x)
	p := latent.Preset{Beta: 0.5, Sigma: 0.6, Steps: 1}
	next := append([]float32(nil), z...)
	seq, err := r.Flow(next, p)
	if err != nil {
		t.Fatal(err)
	}
	for range seq {
	}
	number := func(v float32) array { return arrayOf([]float32{v}) }
	out := onnxruntime(t, []run{{filepath.Join(dir, StepFile), map[string]array{"code": arrayOf(z, 4, m.Latent()), "beta": number(p.Beta), "sigma": number(p.Sigma)}}})
	near(t, "a step", out[0]["next"], next, 1e-5)
}

// TestReadsWhatIsWritten: F as it is written is a net that Read reads, and the same one.
func TestReadsWhatIsWritten(t *testing.T) {
	dir, _, m := written(t, weights.MNIST)
	b, err := os.ReadFile(filepath.Join(dir, EncoderFile))
	if err != nil {
		t.Fatal(err)
	}
	net, f, err := Read(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	fn, err := net.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	if net.In() != m.Image() {
		t.Fatalf("the net that was read takes %v, was written of %v", net.In(), m.Image())
	}
	const n = 8
	x := digits(t, n)
	z, again := make([]float32, n*m.Latent()), make([]float32, n*m.Latent())
	m.Runner(n).Encode(z, x)
	fn.Runner(n).Forward(again, x)
	near(t, "F, read", arrayOf(again), z, 1e-5)
}

// TestNotWritten: a net with what no file has is refused, not written without it.
func TestNotWritten(t *testing.T) {
	if _, err := newBuilder(false).activate(nn.Activation("tanh"), "x"); err == nil || !strings.Contains(err.Error(), "tanh") {
		t.Errorf("an activation that is none: %v", err)
	}
	if _, err := Files(new(safetensors.File), ModelOptions{}); err == nil {
		t.Error("files were made of nothing")
	}
}
