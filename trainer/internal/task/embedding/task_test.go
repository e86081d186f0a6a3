package embedding

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/embedding"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

const side = 16

// pictures are smooth ones, each with waves of its own.
func pictures(train, test int) *dataset.Set {
	shape := nn.Shape{H: side, W: side, C: 3}
	make1 := func(n int, seed uint64) dataset.Split {
		s := dataset.Split{N: n, Shape: shape, Images: make([]byte, 0, n*shape.Size())}
		for i := range n {
			r := rng.New(seed, uint64(i))
			fx, fy, phase := r.Float64(), r.Float64(), [3]float64{7 * r.Float64(), 7 * r.Float64(), 7 * r.Float64()}
			for p := range side * side {
				for k := range 3 {
					s.Images = append(s.Images, byte(127+120*math.Sin(phase[k]+fx*float64(p%side)+fy*float64(p/side))))
				}
			}
		}
		return s
	}
	return &dataset.Set{Name: "waves", Train: make1(train, 1), Test: make1(test, 2), Checksums: map[string]string{"names": "waves"}}
}

func tiny() Config {
	c := Default()
	c.Epochs, c.Batch, c.Side, c.Numbers = 2, 16, side, 8
	return c
}

// started is a run in a folder.
type started struct {
	*Task
	*run.Run
	dir string
}

func start(t *testing.T, c Config, set *dataset.Set) started {
	t.Helper()
	s := started{Task: New(c, set), dir: t.TempDir()}
	var err error
	if s.Run, err = run.New(s.Task, s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLearns: a hundred steps or so find most views of pictures again that they have not seen,
// where the net as it was drawn finds few. The weights are an embedding of as many numbers.
func TestLearns(t *testing.T) {
	set := pictures(160, 60)
	c := tiny()
	c.Epochs, c.Batch, c.Numbers = 24, 32, 16
	r := start(t, c, set)
	_, before, err := r.Weights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	if first, last := r.History[0], r.History[len(r.History)-1]; !(last < 0.5*first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
	b, score, err := r.Weights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if score.Images != 60 || score.Found < 36 || score.Found < before.Found*3/2 {
		t.Errorf("before: %v; trained: %v", before, score)
	}
	e, err := embedding.Load(b, "", embedding.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Width() != 16 || e.Name() != Name || e.In() != set.Train.Shape {
		t.Errorf("it is %q, of %d numbers of %v", e.Name(), e.Width(), e.In())
	}
}

// TestResume: a run that is interrupted at any step ends with the same bits.
func TestResume(t *testing.T) {
	set := pictures(40, 4)
	whole := start(t, tiny(), set)
	if err := whole.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	again := start(t, tiny(), set)
	for stop := 1; !again.Done(); stop += 2 {
		ctx := &runtest.Countdown{Context: t.Context(), Left: stop}
		if err := again.Train(ctx, run.Options{}); err != nil && err != run.ErrInterrupted {
			t.Fatal(err)
		}
		again.Task = New(Config{}, set)
		var err error
		if again.Run, err = run.Open(again.Task, again.dir); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range whole.params {
		if q := again.params[i]; !slices.Equal(p.Data, q.Data) || !slices.Equal(p.V, q.V) {
			t.Errorf("%s differs from that of an uninterrupted run", p.Name)
		}
	}
	for i, b := range whole.buffers {
		if !slices.Equal(b.Data, again.buffers[i].Data) {
			t.Errorf("%s differs from that of an uninterrupted run", b.Name)
		}
	}
	if !slices.Equal(whole.History, again.History) || len(again.History) != 2 {
		t.Errorf("losses %v, in an uninterrupted run %v", again.History, whole.History)
	}
	if c, err := SavedConfig(whole.dir); err != nil || c != whole.Config {
		t.Errorf("the folder says %+v: %v", c, err)
	}
}

// TestViews: a seed gives one view, another seed another; views stay in range; without any
// change a view is the picture or its mirror; and each setting changes something.
func TestViews(t *testing.T) {
	set := pictures(1, 1)
	shape := set.Train.Shape
	x, y, again := make([]float32, shape.Size()), make([]float32, shape.Size()), make([]float32, shape.Size())
	set.Train.Float32(x, 0)
	mirror := make([]float32, len(x))
	for i := range x {
		p, k := i/3, i%3
		mirror[i] = x[(p/side*side+side-1-p%side)*3+k]
	}
	seen := map[bool]int{}
	for i := range 40 {
		Views{}.apply(y, x, shape, rng.New(1, uint64(i)))
		same, other := near(y, x), near(y, mirror)
		if !same && !other {
			t.Fatalf("view %d is neither the picture nor its mirror", i)
		}
		seen[same]++
	}
	if seen[true] < 8 || seen[false] < 8 {
		t.Errorf("%d views are upright, %d mirrored", seen[true], seen[false])
	}
	for what, v := range map[string]Views{"crop": {Crop: 0.5}, "color": {Color: 0.3}, "noise": {Noise: 0.1}, "blur": {Blur: 1}, "erase": {Erase: 0.5}} {
		changed := 0
		for i := range 40 {
			v.apply(y, x, shape, rng.New(1, uint64(i)))
			v.apply(again, x, shape, rng.New(1, uint64(i)))
			if !slices.Equal(y, again) {
				t.Fatalf("%s: a seed gives two views", what)
			}
			if slices.Min(y) < 0 || slices.Max(y) > 1 {
				t.Fatalf("%s: numbers from %v to %v", what, slices.Min(y), slices.Max(y))
			}
			if !near(y, x) && !near(y, mirror) {
				changed++
			}
		}
		if changed < 10 {
			t.Errorf("%s changes %d views of 40", what, changed)
		}
	}
}

func near(a, b []float32) bool {
	for i, v := range a {
		if math.Abs(float64(v-b[i])) > 1e-5 {
			return false
		}
	}
	return true
}

func TestErrors(t *testing.T) {
	set := pictures(40, 4)
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(*Config){
		"epochs are 0":                  func(c *Config) { c.Epochs = 0 },
		"the batch is 41; give 1 to 40": func(c *Config) { c.Batch = 41 },
		"told from the others":          func(c *Config) { c.Batch = 1 },
		"rate is NaN":                   func(c *Config) { c.Rate = math.NaN() },
		"has 1 numbers":                 func(c *Config) { c.Numbers = 1 },
		"side of pictures is 8":         func(c *Config) { c.Side = 8 },
		"768 numbers":                   func(c *Config) { c.Side = 32 },
		"cut off":                       func(c *Config) { c.Views.Crop = 0.95 },
		"change of colors is -1":        func(c *Config) { c.Views.Color = -1 },
		"noise of views":                func(c *Config) { c.Views.Noise = math.NaN() },
		"blurred views is 2":            func(c *Config) { c.Views.Blur = 2 },
		"what is erased":                func(c *Config) { c.Views.Erase = 1.5 },
	} {
		c := tiny()
		change(&c)
		_, err := run.New(New(c, set), t.TempDir())
		says(err, want)
	}
	r := start(t, tiny(), set)
	if err := r.Save(); err != nil {
		t.Fatal(err)
	}
	other := *set
	other.Checksums = map[string]string{"names": "others"}
	_, err := run.Open(New(Config{}, &other), r.dir)
	says(err, "other data")
	if _, err := SavedConfig(t.TempDir()); !errors.Is(err, optim.ErrNoCheckpoint) {
		t.Errorf("an empty folder: %v", err)
	}
	r = start(t, tiny(), set)
	r.params[0].Data[3] = float32(math.NaN())
	says(r.Train(t.Context(), run.Options{}), "at step 1: the run has diverged")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := start(t, tiny(), set).Weights(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
