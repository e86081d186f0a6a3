package ldm

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

// digits returns the first n digits of MNIST.
func digits(t testing.TB, n int) *dataset.Set {
	t.Helper()
	set, err := dataset.Load(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	set.Train.N = n
	set.Train.Images = set.Train.Images[:n*latent.DigitPixels]
	set.Train.Labels = set.Train.Labels[:n]
	return set
}

func tiny() Config {
	c := Default()
	c.Epochs, c.Batch, c.Hidden = 2, 16, []int{20, 12}
	c.Diffusion.Last, c.Diffusion.Steps = 0.2, 50
	return c
}

// autoencoder is a weights file with random nets.
func autoencoder(t testing.TB, seed uint64) []byte {
	t.Helper()
	b, err := latenttest.File(seed).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// started is a run in a folder.
type started struct {
	*Task
	*run.Run
}

func start(t testing.TB, c Config, set *dataset.Set, dir string) started {
	t.Helper()
	s := started{Task: New(c, set, autoencoder(t, 1))}
	var err error
	if s.Run, err = run.New(s.Task, dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// weights encodes and reads a run's weights file.
func weights(t testing.TB, r started, float bool) ([]byte, *ldm.Model) {
	t.Helper()
	f, err := r.Weights(context.Background(), float)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ldm.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, m
}

// TestMatchesShared holds the graph's loss of a batch to package ddpm's
// denoiser, as a weights file has it.
func TestMatchesShared(t *testing.T) {
	set := digits(t, 16)
	r := start(t, tiny(), set, t.TempDir())
	if err := r.encode(context.Background()); err != nil {
		t.Fatal(err)
	}
	step, err := r.build(r.Config.Batch)
	if err != nil {
		t.Fatal(err)
	}
	in, noise := step.Inputs[inPoints], step.Inputs[inNoise]
	order := make([]int, 16)
	for i := range order {
		order[i] = i
	}
	if err := r.fill(step.Inputs, order, 0); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(step.Graphs[0].Expr())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	f, err := r.Weights(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ddpm.Load(f, latent.DigitLatent)
	if err != nil {
		t.Fatal(err)
	}
	runner, s := d.Runner(1), r.schedule
	got, features := make([]float32, latent.DigitLatent), make([]float32, ddpm.TimeFeatures)
	var want float64
	for i := range r.Config.Batch {
		row := in[i*r.inputs() : (i+1)*r.inputs()]
		at := -1
		for k := range s.Len() {
			ddpm.Features(features, s.Time(k))
			if features[0] == row[latent.DigitLatent] {
				at = k
			}
		}
		if at < 0 {
			t.Fatalf("row %d has the features of no step", i)
		}
		runner.Predict(got, row[:latent.DigitLatent], s.Time(at))
		for k, v := range got {
			e := float64(v) - float64(noise[i*latent.DigitLatent+k])
			want += e * e / float64(r.Config.Batch)
		}
	}
	if got := float64(r.loss[0]); math.Abs(got-want) > 1e-5*want {
		t.Errorf("the graph's loss is %v, package ddpm gives %v", got, want)
	}
}

// TestLearns: some hundred steps predict noise better than nothing does.
func TestLearns(t *testing.T) {
	set := digits(t, 640)
	c := tiny()
	c.Epochs, c.Hidden = 12, []int{48}
	r := start(t, c, set, t.TempDir())
	if err := r.Train(context.Background(), run.Options{Every: 100}); err != nil {
		t.Fatal(err)
	}
	if last := r.History[len(r.History)-1]; !(last < 0.9*latent.DigitLatent) {
		t.Errorf("the loss is %.2f after %d epochs; that of predicting 0 is %d", last, c.Epochs, latent.DigitLatent)
	}
	// The codes that the file makes normal are so.
	set.Train.N = 50 // enough to see what damage does
	_, m := weights(t, r, false)
	zero, codes := make([]float32, latent.DigitLatent), make([]float32, latent.DigitLatent)
	m.Codes(codes, zero, 0)
	for k, v := range codes {
		if v != r.mean[k] {
			t.Errorf("coordinate %d of the mean code is %v, want %v", k, v, r.mean[k])
		}
	}
	for _, info := range degrade.All() {
		mild, err := m.Start(degrade.Degradation{Kind: info.Kind, Severity: info.Mild})
		if err != nil {
			t.Fatal(err)
		}
		severe, err := m.Start(degrade.Degradation{Kind: info.Kind, Severity: info.Severe})
		if err != nil {
			t.Fatal(err)
		}
		if !(0 < mild && mild <= severe) {
			t.Errorf("%s starts at step %d mild and %d severe", info.Kind, mild, severe)
		}
	}
}

// TestResume: a run that is interrupted at any step ends with the same bits.
func TestResume(t *testing.T) {
	set := digits(t, 48)
	c := tiny()
	whole := start(t, c, set, t.TempDir())
	if err := whole.Train(context.Background(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	again := start(t, c, set, dir)
	for stop := 1; !again.Done(); stop++ {
		ctx := &runtest.Countdown{Context: context.Background(), Left: stop}
		if err := again.Train(ctx, run.Options{}); err != nil && err != run.ErrInterrupted {
			t.Fatal(err)
		}
		again.Task = New(Config{}, set, nil)
		var err error
		if again.Run, err = run.Open(again.Task, dir); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := weights(t, whole, false)
	if got, _ := weights(t, again, false); !bytes.Equal(got, want) {
		t.Error("the weights differ from an uninterrupted run's")
	}
	for i := range whole.History {
		if whole.History[i] != again.History[i] {
			t.Errorf("epoch %d: %v, in an uninterrupted run %v", i+1, again.History[i], whole.History[i])
		}
	}
}

func TestRefuses(t *testing.T) {
	set := digits(t, 80)
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Epochs = 0 }, "epochs"},
		{func(c *Config) { c.Batch = 81 }, "batch"},
		{func(c *Config) { c.Rate = math.NaN() }, "rate"},
		{func(c *Config) { c.Hidden = []int{0} }, "width 0"},
		{func(c *Config) { c.Hidden = make([]int, 16) }, "16 hidden"},
		{func(c *Config) { c.Diffusion.Steps = -1 }, "-1 steps"},
		{func(c *Config) { c.Diffusion.Last = 1 }, "β is 1"},
	} {
		config := tiny()
		c.change(&config)
		if _, err := run.New(New(config, set, autoencoder(t, 1)), t.TempDir()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	f := latenttest.File(1)
	f.Meta["kind"] = "unet"
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.New(New(tiny(), set, b), t.TempDir()); err == nil || !strings.Contains(err.Error(), "unet") {
		t.Errorf("another kind of weights: error %v", err)
	}
	dir := t.TempDir()
	if _, err := run.New(New(tiny(), set, []byte("nonsense")), dir); err == nil {
		t.Error("nonsense was taken for weights")
	}
	r := start(t, tiny(), set, dir) // the failures left nothing in the way
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := run.New(New(tiny(), set, autoencoder(t, 1)), dir); err == nil || !strings.Contains(err.Error(), "holds a run") {
		t.Errorf("a folder with a run: error %v", err)
	}
	if _, err := run.Open(New(Config{}, digits(t, 10), nil), dir); err == nil || !strings.Contains(err.Error(), "batch") {
		t.Errorf("a batch of 16 of 10 images: error %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, AutoencoderName), autoencoder(t, 2), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Open(New(Config{}, set, nil), dir); err == nil || !strings.Contains(err.Error(), "another autoencoder") {
		t.Errorf("another autoencoder: error %v", err)
	}
}
