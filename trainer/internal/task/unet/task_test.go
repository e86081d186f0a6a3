package unet

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
	"mppm/trainer/internal/spoil"
)

// tiny is a run of seconds.
func tiny() Config {
	c := Default()
	c.Side, c.Channels, c.Latent, c.Chart, c.Hidden = 16, []int{4, 6}, 10, 8, []int{16}
	c.Epochs, c.Alone, c.Batch, c.Centers, c.Share = 2, 1, 4, 8, 0.2
	return c
}

// pictures is a set of images of colored blobs.
func pictures(t testing.TB, c Config, n int) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		r := rng.New(5, uint64(i))
		u, v, tone := 24*r.Float64()+4, 24*r.Float64()+4, r.Float64()
		img := image.NewRGBA(image.Rect(0, 0, 32, 32))
		for y := range 32 {
			for x := range 32 {
				e := math.Exp(-(math.Pow(float64(x)-u, 2) + math.Pow(float64(y)-v, 2)) / 60)
				img.SetRGBA(x, y, color.RGBA{byte(40 + 200*e*tone), byte(40 + 200*e*(1-tone)), byte(6 * i), 255})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.png", i)), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set, err := dataset.OpenImages(t.Context(), dir, c.Pictures())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestResume: a run that is interrupted ends with the checkpoint of one that is not, to
// the last bit, in each part and for the baseline.
func TestResume(t *testing.T) {
	for _, c := range []Config{tiny(), tiny().Baseline()} {
		set := pictures(t, c, 30)
		read := func(dir string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, "checkpoint.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		whole := t.TempDir()
		task := New(c, set)
		r, err := run.New(task, whole)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Train(t.Context(), run.Options{}); err != nil {
			t.Fatal(err)
		}
		for i, rec := range task.History {
			for k, v := range rec.Terms {
				if v-v != 0 {
					t.Errorf("term %d of epoch %d is %v", k+1, i+1, v)
				}
			}
		}
		dir := t.TempDir()
		if r, err = run.New(New(c, set), dir); err != nil {
			t.Fatal(err)
		}
		for stop := 2; !r.Done(); stop = stop%5 + 1 {
			if err := r.Train(&runtest.Countdown{Context: t.Context(), Left: stop}, run.Options{}); err != nil && err != run.ErrInterrupted {
				t.Fatal(err)
			}
			if r, err = run.Open(New(c, set), dir); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(read(dir), read(whole)) {
			t.Error("the checkpoint differs from that of an uninterrupted run")
		}
		if saved, err := SavedConfig(dir); err != nil || fmt.Sprint(saved) != fmt.Sprint(c) {
			t.Errorf("the settings are read as %+v: %v", saved, err)
		}
	}
}

// TestLearns: more epochs, less loss; and the weights, in eight bits and with batch norm
// folded, decode what the nets in training decode.
func TestLearns(t *testing.T) {
	c := tiny()
	c.Epochs, c.Alone = 12, 6
	set := pictures(t, c, 40)
	task := New(c, set)
	r, err := run.New(task, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	first, last := task.History[0], task.History[c.Epochs-1]
	if !(last.Terms[5] < first.Terms[5]/2 && last.Terms[1] < first.Terms[1]/2) {
		t.Errorf("the terms of decoding went from %v to %v", first.Terms, last.Terms)
	}
	alone, local := task.History[c.Epochs:c.Epochs+c.Alone], task.History[c.Epochs+c.Alone:]
	if !(local[len(local)-1].Local < local[0].Local*0.8) {
		t.Errorf("the error of L went from %v to %v", local[0].Local, local[len(local)-1].Local)
	}
	if !(alone[len(alone)-1].Terms[0] < alone[0].Terms[0]) {
		t.Errorf("alone, the error of D went from %v to %v", alone[0].Terms[0], alone[len(alone)-1].Terms[0])
	}
	f, err := task.Weights(context.Background(), false)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := latent.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Tensors {
		if bytes.Contains([]byte(s.Name), []byte("norm")) {
			t.Errorf("the weights hold %s", s.Name)
		}
	}
	a, err := task.autoencoder()
	if err != nil {
		t.Fatal(err)
	}
	test, err := set.Test.InMemory(4)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, test.N*m.Pixels())
	for i, v := range test.Images {
		x[i] = float32(v) / 255
	}
	decode := func(c *latent.Coder) []float32 {
		z, y := make([]float32, test.N*m.Latent()), make([]float32, len(x))
		var s latent.Skips
		c.EncodeSkips(z, x, &s)
		c.DecodeSkips(y, z, &s, nil)
		return y
	}
	var off float64
	got, want := decode(m.Runner(2).Coder), decode(a.Coder(2))
	for i, v := range got {
		off += math.Abs(float64(v - want[i]))
	}
	if off /= float64(len(x)); off > 0.01 {
		t.Errorf("in eight bits and folded, a pixel is off by %v", off)
	}
}

// TestChart: with a chart, the first codes are the principal components of the small
// images, in order, and a code's small image is the one that it is of.
func TestChart(t *testing.T) {
	c := tiny()
	c.Latent = 12
	set := pictures(t, c, 40)
	task := New(c, set)
	if _, err := run.New(task, ""); err != nil {
		t.Fatal(err)
	}
	a, err := task.autoencoder()
	if err != nil {
		t.Fatal(err)
	}
	n, d := set.Train.N, c.Latent
	z, x := make([]float32, n*d), make([]float32, n*a.Pixels())
	for i := range n {
		set.Train.Float32(x[i*a.Pixels():], i)
	}
	a.Coder(8).Encode(z, x)
	spread := make([]float64, d)
	for k := range d {
		var sum float64
		for i := range n {
			sum += float64(z[i*d+k])
			spread[k] += float64(z[i*d+k]) * float64(z[i*d+k])
		}
		if math.Abs(sum) > 1e-3*float64(n) {
			t.Errorf("the mean of coordinate %d is %v", k, sum/float64(n))
		}
		if k > 0 && spread[k] > spread[k-1]*(1+1e-4) {
			t.Errorf("coordinate %d spreads more than the one before it", k)
		}
	}
	for k := range d {
		for l := range k {
			var dot float64
			for i := range n {
				dot += float64(z[i*d+k]) * float64(z[i*d+l])
			}
			if math.Abs(dot) > 1e-3*math.Sqrt(spread[k]*spread[l])+1e-4 {
				t.Errorf("coordinates %d and %d go together: %v", k, l, dot)
			}
		}
	}
}

// TestMask: masks are from 0 to 1, of all sizes alike, and of every kind.
func TestMask(t *testing.T) {
	c := tiny()
	task := New(c, pictures(t, c, 20))
	if _, err := run.New(task, ""); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	off := make([]float32, 16*16)
	off[40] = 1
	for i := range 100 {
		masks := [][]float32{make([]float32, 16*16), make([]float32, 8*8)}
		task.mask(masks, 0, func() []float32 { return off }, rng.New(1, uint64(i)))
		var means [2]float64
		for k, m := range masks {
			for _, v := range m {
				if v < 0 || v > 1 {
					t.Fatalf("a weight is %v", v)
				}
				means[k] += float64(v) / float64(len(m))
			}
		}
		if math.Abs(means[0]-means[1]) > 1e-5 {
			t.Errorf("the sizes have the means %v", means)
		}
		switch lo, hi := slices.Min(masks[0]), slices.Max(masks[0]); {
		case lo == 1:
			seen["all"] = true
		case hi == 0:
			seen["none"] = true
		case lo == hi:
			seen["some"] = true
		case masks[0][40] < 0.5 && masks[0][39] == 1 && masks[0][41] == 1:
			seen["where"] = true
		default:
			seen["holes"] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("there are only masks of the kinds %v", seen)
	}
}

// TestRefuses: settings that make no nets, and data of another shape.
func TestRefuses(t *testing.T) {
	set := pictures(t, tiny(), 20)
	for name, change := range map[string]func(*Config){
		"no blocks":     func(c *Config) { c.Channels = nil },
		"too many":      func(c *Config) { c.Channels = []int{2, 2, 2, 2, 2} },
		"no code":       func(c *Config) { c.Latent = 0 },
		"chart":         func(c *Config) { c.Chart = 17 },
		"other side":    func(c *Config) { c.Side = 20 },
		"gray":          func(c *Config) { c.Gray = true },
		"no damage":     func(c *Config) { c.Damage = "" },
		"baseline of D": func(c *Config) { *c = c.Baseline(); c.Alone = 1 },
		"activation":    func(c *Config) { c.Act = "sine" },
		"centers":       func(c *Config) { c.Centers = 1000 },
		"noise":         func(c *Config) { c.Noise = math.NaN() },
	} {
		c := tiny()
		change(&c)
		if _, err := run.New(New(c, set), ""); err == nil {
			t.Errorf("%s: it is trained on", name)
		}
	}
	if _, err := spoil.New(tiny().Damage, nn.Shape{H: 16, W: 16, C: 3}, 1); err != nil {
		t.Error(err)
	}
}
