package latent

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/nn/nntest"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/run"
)

// unplanned are settings with nets that no table has, and images for them: 32 × 32
// pixels in three colors, a side of which is odd in between, codes of 64 numbers. A run
// has ten steps of each part.
func unplanned(t testing.TB) (Config, *dataset.Set) {
	t.Helper()
	f, g, _ := nntest.Unplanned(t)
	c := tiny()
	c.Epochs, c.Support.Epochs, c.Refine, c.Restored, c.Batch, c.Centers = 1, 1, 1, 0.4, 6, 16
	var err error
	if c.Encoder, err = f.Text(); err == nil {
		c.Decoder, err = g.Text()
	}
	if err != nil {
		t.Fatal(err)
	}
	split := func(n int) dataset.Split {
		s := dataset.Split{N: n, Shape: f.In(), Images: make([]byte, n*f.In().Size())}
		for i := range s.Images {
			s.Images[i] = byte(127 + 120*math.Sin(float64(i%37)*0.2+float64(i/3072)))
		}
		return s
	}
	return c, &dataset.Set{Name: "waves", Train: split(60), Test: split(6), Checksums: map[string]string{"waves": "60"}}
}

// flows trains such a run on a machine, exports and loads it, and returns the file and
// the bits of its flows.
func (o unplannedOn) flows(t *testing.T) (file []byte, bits string) {
	t.Helper()
	c, set := unplanned(t)
	s := start(t, c, set)
	if err := s.Train(context.Background(), o.Options); err != nil {
		t.Fatal(err)
	}
	f, err := s.Weights(context.Background(), false)
	if err == nil {
		file, err = f.Encode()
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := latent.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if m.Pixels() != 3072 || m.Latent() != 64 || !m.HasDistance() {
		t.Fatalf("the model is of images of %v and codes of %d numbers", m.Image(), m.Latent())
	}
	if bits, err = latenttest.Bits(m); err != nil {
		t.Fatal(err)
	}
	return file, bits
}

// unplannedOn is a machine.
type unplannedOn struct{ run.Options }

// TestUnplanned: nets that no table has are trained, exported and loaded, and flow in
// WebAssembly as they do here, to the bit.
func TestUnplanned(t *testing.T) {
	file, want := unplannedOn{}.flows(t)
	if _, again := (unplannedOn{}).flows(t); again != want {
		t.Errorf("the same run gives %s and %s", want, again)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run WebAssembly in")
	}
	dir := t.TempDir()
	weights, program := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "flow.wasm")
	if err := os.WriteFile(weights, file, 0o666); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", program, "./testdata/flow")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js"), program, weights).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != want {
		t.Errorf("on %s the flows give %s, in WebAssembly %s (%v)", runtime.GOARCH, want, got, err)
	}
}

// TestUnfit: settings with nets that do not fit are refused, and say which.
func TestUnfit(t *testing.T) {
	good, set := unplanned(t)
	for name, c := range map[string]struct {
		change func(c *Config)
		want   string
	}{
		"no decoder":  {func(c *Config) { c.Decoder = "" }, "decoder: "},
		"no sigmoid":  {func(c *Config) { c.Decoder = strings.TrimSuffix(c.Decoder, "; sigmoid") }, "end in a sigmoid"},
		"digits":      {func(c *Config) { c.Encoder, c.Decoder = "", "" }, "3072 numbers; the encoder takes images of 28×28×1"},
		"another way": {func(c *Config) { c.Encoder += "; linear more 9" }, "want the same"},
	} {
		bad := good
		c.change(&bad)
		if _, err := run.New(New(bad, set), t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
