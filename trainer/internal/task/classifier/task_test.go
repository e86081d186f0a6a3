package classifier

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/classifier"
	"mppm/shared/classifier/classifiertest"
	"mppm/shared/rng"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

// digits returns the first n training digits of MNIST, and the first 500 test
// digits.
func digits(t *testing.T, n int) *dataset.Set {
	t.Helper()
	set, err := dataset.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	cut := func(s *dataset.Split, n int) {
		s.N, s.Images, s.Labels = n, s.Images[:n*dataset.Pixels], s.Labels[:n]
	}
	cut(&set.Train, n)
	cut(&set.Test, 500)
	return set
}

func tiny() Config {
	c := Default()
	c.Epochs, c.Batch = 2, 32
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

// TestNamedClasses: the net has as many classes as the data names, and the weights keep
// their names.
func TestNamedClasses(t *testing.T) {
	set := digits(t, 64)
	set.Classes = strings.Split("a b c d e f g h i j k l", " ")
	c := tiny()
	c.Epochs = 1
	r := start(t, c, set)
	if err := r.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	b, _, err := r.Weights(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	m, err := classifier.Load(b)
	if err != nil || m.Classes() != 12 || !slices.Equal(m.Names(), set.Classes) {
		t.Errorf("the classifier tells %d classes apart, %q: %v", m.Classes(), m.Names(), err)
	}
}

func (s started) reopen(t *testing.T) started {
	t.Helper()
	s.Task = New(Config{}, s.set)
	var err error
	if s.Run, err = run.Open(s.Task, s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLearns: a few hundred steps read most digits, in eight bits.
func TestLearns(t *testing.T) {
	set := digits(t, 3000)
	c := tiny()
	c.Epochs, c.Holdout = 4, 600
	r := start(t, c, set)
	if err := r.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	if first, last := r.History[0], r.History[len(r.History)-1]; !(last < 0.7*first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
	for _, float := range []bool{false, true} {
		_, score, err := r.Weights(t.Context(), float)
		if err != nil {
			t.Fatal(err)
		}
		if score.Digits != "held-out" || score.N != 600 || score.Accuracy() < 0.85 {
			t.Errorf("float %t: %v", float, score)
		}
	}
}

// TestHoldout: other labels for the digits that are held out change nothing.
func TestHoldout(t *testing.T) {
	set := digits(t, 170)
	c := tiny()
	c.Holdout = 70
	var losses [2][]float64
	for i := range losses {
		r := start(t, c, set)
		if err := r.Train(t.Context(), run.Options{}); err != nil {
			t.Fatal(err)
		}
		losses[i] = r.History
		for k := 100; k < 170; k++ {
			set.Train.Labels[k] = (set.Train.Labels[k] + 1) % dataset.Classes
		}
	}
	if !slices.Equal(losses[0], losses[1]) || len(losses[0]) != c.Epochs {
		t.Errorf("the run learned from the digits it held out: %v and %v", losses[0], losses[1])
	}
}

// TestMatchesShared holds the graph's net to package classifier's.
func TestMatchesShared(t *testing.T) {
	r := start(t, tiny(), digits(t, 64))
	s, err := r.build(32)
	if err != nil {
		t.Fatal(err)
	}
	targets := s.Inputs[inTargets]
	order := make([]int, 32)
	for i := range order {
		order[i] = i
	}
	if err := r.fill(s.Inputs, order, 0); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(s.Graphs[0].Expr())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	file, _, err := r.Weights(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	c, err := classifier.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	probs := make([]float32, 32*classifier.Classes)
	c.Runner(7).Classify(probs, nil, s.Inputs[inImages])
	var want float64
	for i := range 32 {
		var sum float64
		x := r.logits[i*classifier.Classes : (i+1)*classifier.Classes]
		for _, v := range x {
			sum += math.Exp(float64(v))
		}
		for k, v := range x {
			p := math.Exp(float64(v)) / sum
			if got := float64(probs[i*classifier.Classes+k]); math.Abs(got-p) > 1e-6 {
				t.Fatalf("image %d, class %d: %v, the graph has %v", i, k, got, p)
			}
			if targets[i*classifier.Classes+k] == 1 {
				if k != int(r.set.Train.Labels[i]) {
					t.Fatalf("image %d has label %d and target %d", i, r.set.Train.Labels[i], k)
				}
				want -= math.Log(p) / 32
			}
		}
	}
	if math.Abs(want-float64(r.loss[0])) > 1e-5 {
		t.Errorf("the loss is %v, by the probabilities it is %v", r.loss[0], want)
	}
}

// TestResume: a run that is interrupted at any step ends with the same bits.
func TestResume(t *testing.T) {
	set := digits(t, 170)
	c := tiny()
	c.Holdout = 10
	whole := start(t, c, set)
	if err := whole.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
	again := start(t, c, set)
	for stop := 1; !again.Done(); stop += 2 {
		ctx := &runtest.Countdown{Context: t.Context(), Left: stop}
		if err := again.Train(ctx, run.Options{}); err != nil && err != run.ErrInterrupted {
			t.Fatal(err)
		}
		again = again.reopen(t)
	}
	for i, p := range whole.params {
		q := again.params[i]
		if !slices.Equal(p.Data, q.Data) || !slices.Equal(p.M, q.M) || !slices.Equal(p.V, q.V) {
			t.Errorf("%s differs from that of an uninterrupted run", p.Name)
		}
	}
	if !slices.Equal(whole.History, again.History) || len(again.History) != c.Epochs {
		t.Errorf("losses %v, in an uninterrupted run %v", again.History, whole.History)
	}
}

func TestErrors(t *testing.T) {
	set := digits(t, 64)
	says := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(*Config){
		"epochs are 0":                    func(c *Config) { c.Epochs = 0 },
		"64 images are to be held out":    func(c *Config) { c.Holdout = 64 },
		"-1 images are to be held out":    func(c *Config) { c.Holdout = -1 },
		"the batch is 33; give 1 to 32":   func(c *Config) { c.Batch, c.Holdout = 33, 32 },
		"the batch is 0":                  func(c *Config) { c.Batch = 0 },
		"rate is NaN":                     func(c *Config) { c.Rate = math.NaN() },
		"rate is 0":                       func(c *Config) { c.Rate = 0 },
		"shift of training digits is 15":  func(c *Config) { c.Warp.Shift = 15 },
		"angle of training digits is NaN": func(c *Config) { c.Warp.Angle = math.NaN() },
		"scale of training digits is -1":  func(c *Config) { c.Warp.Scale = -1 },
		"bend of training digits is 11":   func(c *Config) { c.Warp.Bend = 11 },
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
	_, err := run.New(New(tiny(), set), r.dir)
	says(err, "--resume")
	if _, err = run.Open(New(Config{}, set), t.TempDir()); !errors.Is(err, optim.ErrNoCheckpoint) {
		t.Errorf("an empty folder: %v", err)
	}
	other := *set
	other.Checksums = map[string]string{}
	_, err = run.Open(New(Config{}, &other), r.dir)
	says(err, "other data")
	bare := *set
	bare.Test.Labels = nil
	_, err = run.Open(New(Config{}, &bare), r.dir)
	says(err, "no labels")
	_, err = run.New(New(tiny(), &bare), t.TempDir())
	says(err, "no labels")
	if err := optim.Save(r.dir, "another-kind", nil, nil); err != nil {
		t.Fatal(err)
	}
	_, err = run.Open(New(Config{}, set), r.dir)
	says(err, "another-kind")

	r = start(t, tiny(), set)
	r.params[0].Data[3] = float32(math.NaN())
	says(r.Train(t.Context(), run.Options{}), "at step 1: the run has diverged")
	_, _, err = r.Weights(t.Context(), false)
	says(err, "conv1.weight")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := start(t, tiny(), set).Weights(ended, false); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestRead(t *testing.T) {
	c := classifiertest.Classifier(1)
	const n = 150
	x := make([]float32, n*classifier.Pixels)
	rng.New(1, 0).FillNorm(x, 1)
	got, err := Read(t.Context(), c, x)
	if err != nil {
		t.Fatal(err)
	}
	probs, embeddings := make([]float32, n*classifier.Classes), make([]float32, n*classifier.Width)
	c.Runner(n).Classify(probs, embeddings, x)
	if got.N != n || !slices.Equal(got.Probs, probs) || !slices.Equal(got.Embeddings, embeddings) {
		t.Error("Read gives other numbers than Classify")
	}
	for i, class := range got.Classes() {
		p := probs[i*classifier.Classes : (i+1)*classifier.Classes]
		if p[class] != slices.Max(p) {
			t.Fatalf("image %d is read as %d of %v", i, class, p)
		}
	}
}

func TestWarp(t *testing.T) {
	const side = dataset.Side
	src := make([]float32, dataset.Pixels)
	for y := 8; y < 20; y++ {
		for x := 10; x < 17; x++ {
			src[y*side+x] = float32(x*y) / 400
		}
	}
	dst, again := make([]float32, dataset.Pixels), make([]float32, dataset.Pixels)
	Warp{}.apply(dst, src, rng.New(1, 1))
	if !slices.Equal(dst, src) {
		t.Error("no warp changes the image")
	}
	ink := func(x []float32) (sum, mx, my float64) {
		for i, v := range x {
			sum += float64(v)
			mx += float64(v) * float64(i%side)
			my += float64(v) * float64(i/side)
		}
		return sum, mx / sum, my / sum
	}
	sum, mx, my := ink(src)
	for _, c := range []struct {
		name           string
		w              Warp
		far, more, off float64 // the center moves at most; ink changes at most by a share; some image differs by
	}{
		{"shift", Warp{Shift: 2}, 2.01, 1e-6, 1},
		{"angle", Warp{Angle: 20}, 1, 0.02, 0.1},
		{"scale", Warp{Scale: 0.2}, 0.5, 0.5, 0.1},
		{"bend", Warp{Bend: 1}, 2.5, 0.7, 0.1},
	} {
		most, moved := 0.0, [2]float64{}
		for i := range 200 {
			c.w.apply(dst, src, rng.New(1, uint64(i)))
			c.w.apply(again, src, rng.New(1, uint64(i)))
			if !slices.Equal(dst, again) {
				t.Fatalf("%s: a seed gives two images", c.name)
			}
			if slices.Min(dst) < 0 || slices.Max(dst) > slices.Max(src) {
				t.Fatalf("%s: numbers from %v to %v", c.name, slices.Min(dst), slices.Max(dst))
			}
			s, x, y := ink(dst)
			if max(math.Abs(x-mx), math.Abs(y-my)) > c.far {
				t.Fatalf("%s %d: the center moves from (%v, %v) to (%v, %v)", c.name, i, mx, my, x, y)
			}
			if math.Abs(s-sum) > c.more*sum {
				t.Fatalf("%s %d: ink goes from %v to %v", c.name, i, sum, s)
			}
			for k := range dst {
				most = max(most, math.Abs(float64(dst[k]-src[k])))
			}
			moved[0], moved[1] = moved[0]+(x-mx)/200, moved[1]+(y-my)/200
		}
		if most < c.off/2 {
			t.Errorf("%s: no image differs by more than %v", c.name, most)
		}
		if max(math.Abs(moved[0]), math.Abs(moved[1])) > 0.35 {
			t.Errorf("%s: images move by %v on average", c.name, moved)
		}
	}
}

func TestBilinear(t *testing.T) {
	img := []float32{1, 2, 3, 4}
	for _, c := range []struct{ x, y, want float64 }{
		{0, 0, 1}, {1, 1, 4}, {0.5, 0.5, 2.5}, {0.25, 0, 1.25}, {-0.5, 0, 0.5}, {1.5, 1.5, 1}, {-1, 0, 0}, {2, 0, 0}, {0, -7, 0}, {1e9, 0, 0},
	} {
		if got := bilinear(img, 2, c.x, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("(%v, %v) is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
