package latent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/safetensors"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/plane"
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

// started is a run in a folder.
type started struct {
	*Task
	*run.Run
	dir string
}

// start begins a run in a folder.
func start(t testing.TB, c Config, set *dataset.Set) started {
	t.Helper()
	s := started{Task: New(c, set), dir: t.TempDir()}
	var err error
	if s.Run, err = run.New(s.Task, s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// open reads the run in a folder.
func open(dir string, set *dataset.Set) (started, error) {
	s := started{Task: New(Config{}, set), dir: dir}
	var err error
	s.Run, err = run.Open(s.Task, dir)
	return s, err
}

// reopen goes on with a run from its checkpoint.
func (s started) reopen(t testing.TB, set *dataset.Set) started {
	t.Helper()
	s, err := open(s.dir, set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// train goes on to the end of the run.
func (s started) train(t testing.TB) {
	t.Helper()
	if err := s.Train(t.Context(), run.Options{}); err != nil {
		t.Fatal(err)
	}
}

// first are the numbers of the first n images.
func first(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

// once runs the graph of a step on a batch of the first n images.
func (s started) once(t testing.TB, step *run.Step, n int) {
	t.Helper()
	if err := s.fill(step.Inputs, first(n), 0); err != nil {
		t.Fatal(err)
	}
	vm := gorgonia.NewTapeMachine(step.Graphs[0].Expr())
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
}

// modelOf returns the model that a run has trained.
func modelOf(t testing.TB, r started) *latent.Model {
	t.Helper()
	f, err := r.Weights(context.Background(), true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tiny() Config {
	c := Default()
	c.Epochs, c.Support.Epochs, c.Refine, c.Restored, c.Batch, c.Centers = 2, 0, 0, 0, 32, 64
	return c
}

// TestLearns: two hundred steps on real digits make the loss a fraction of what it was.
func TestLearns(t *testing.T) {
	set := digits(t, 1600)
	c := tiny()
	c.Epochs = 4
	r := start(t, c, set)
	r.train(t)
	first, last := r.History[0].Loss(c), r.History[len(r.History)-1].Loss(c)
	if !(last < 0.7*first) {
		t.Errorf("the loss went from %.2f to %.2f in %d epochs", first, last, c.Epochs)
	}
}

// TestRefine: refinement makes the decoder better at the codes that it is given,
// be they of clean digits or of restored ones, and touches nothing else.
func TestRefine(t *testing.T) {
	set := digits(t, 1600)
	for _, restored := range []float64{0, 0.5} {
		t.Run(fmt.Sprint(restored), func(t *testing.T) {
			c := tiny()
			c.Refine, c.Restored = 3, restored
			r := start(t, c, set)
			joint := &runtest.Countdown{Context: context.Background(), Left: c.Epochs * 50}
			if err := r.Train(joint, run.Options{}); err != run.ErrInterrupted {
				t.Fatal(err)
			}
			before := map[string][]float32{}
			for _, p := range r.params {
				before[p.Name] = slices.Clone(p.Data)
			}
			r.train(t)
			for _, p := range r.params {
				if changed := !slices.Equal(before[p.Name], p.Data); changed != strings.HasPrefix(p.Name, "decoder.") {
					t.Errorf("refinement changed %s: %t", p.Name, changed)
				}
			}
			first, last := r.History[c.Epochs].Decoder, r.History[c.Epochs+c.Refine-1].Decoder
			if !(last < first) {
				t.Errorf("the cross entropy went from %.2f to %.2f in %d epochs", first, last, c.Refine)
			}
		})
	}
}

// TestRestorer: the codes of refinement's restored images are those that package
// model's flow ends at, from the codes of the damaged images.
func TestRestorer(t *testing.T) {
	const n = 5
	set := digits(t, 64)
	r := start(t, tiny(), set)
	restore, err := r.restorer(n)
	if err != nil {
		t.Fatal(err)
	}
	x, z := make([]float32, n*latent.DigitPixels), make([]float32, n*latent.DigitLatent)
	set.Train.Float32(x[:latent.DigitPixels], 7)
	for i := 1; i < n; i++ {
		copy(x[i*latent.DigitPixels:], x[:latent.DigitPixels])
	}
	if err := restore(z, x, r.Step); err != nil {
		t.Fatal(err)
	}
	m := modelOf(t, r)
	run, noisy, want := m.Runner(1), make([]float32, latent.DigitPixels), make([]float32, latent.DigitLatent)
	for i := range n {
		r.damage(noisy, x[i*latent.DigitPixels:(i+1)*latent.DigitPixels], r.noise(r.Step*r.Config.Batch+i))
		run.Encode(want, noisy)
		if got := z[i*latent.DigitLatent : (i+1)*latent.DigitLatent]; slices.Equal(got, want) {
			t.Errorf("the flow left code %d where it was", i)
		}
		steps, err := run.Flow(want, home)
		if err != nil {
			t.Fatal(err)
		}
		for range steps {
		}
		if got := z[i*latent.DigitLatent : (i+1)*latent.DigitLatent]; !slices.Equal(got, want) {
			t.Errorf("code %d ends at %v, by package latent at %v", i, got, want)
		}
	}
}

// TestMatchesShared holds the graph's nets to package latent's: the loss terms of
// one batch, computed from package latent's F, G, D and ∇̂D.
func TestMatchesShared(t *testing.T) {
	set := digits(t, 64)
	c := tiny()
	r := start(t, c, set)
	// Package model cuts D off at 0; start it well above.
	r.params[len(r.params)-1].Data[0] = 3
	step, err := r.build(c.Batch)
	if err != nil {
		t.Fatal(err)
	}
	r.once(t, step, c.Batch)
	clean, noisy := step.Inputs[inClean], step.Inputs[inNoisy]
	run := modelOf(t, r).Runner(c.Batch)
	k := c.Batch
	zs, z := make([]float32, k*latent.DigitLatent), make([]float32, k*latent.DigitLatent)
	run.Encode(zs, clean)
	run.Encode(z, noisy)
	back, shifted := make([]float32, k*latent.DigitPixels), make([]float32, k*latent.DigitPixels)
	run.Decode(back, zs)
	d, grad, ds := make([]float32, k), make([]float32, k*latent.DigitLatent), make([]float32, k)
	run.Distance(ds, nil, zs)
	run.Distance(d, grad, z)
	shift := make([]float32, len(z))
	for i := range z {
		shift[i] = z[i] - d[i/latent.DigitLatent]*grad[i]
	}
	run.Decode(shifted, shift)
	square := func(a, b []float32) (s float64) {
		for i := range a {
			e := float64(a[i]) - float64(b[i])
			s += e * e
		}
		return s / float64(k)
	}
	want := [Terms]float64{0, square(back, clean), square(ds, make([]float32, k)), 0, // D > 0
		square(shift, zs), square(shifted, clean)}
	for i := range d {
		var s float64
		for j := i * latent.DigitLatent; j < (i+1)*latent.DigitLatent; j++ {
			e := float64(z[j]) - float64(zs[j])
			s += e * e
		}
		e := float64(d[i]) - math.Sqrt(s)
		want[0] += e * e / float64(k)
	}
	for i, w := range want {
		if got := float64(r.terms[i]); math.Abs(got-w) > 1e-5*math.Abs(w)+1e-9 {
			t.Errorf("term %d: the graph gives %v, package latent %v", i+1, got, w)
		}
	}
}

// TestExportsThePlane: a weights file names the plane that its own codes, as they
// are read, give: the same that a program without it would find. Another bank has
// another plane.
func TestExportsThePlane(t *testing.T) {
	ctx := context.Background()
	set := digits(t, 64)
	for _, c := range []struct {
		method Method
		float  bool
	}{{LMPPM, false}, {LMPPM, true}, {DAE, false}} {
		config := tiny()
		config.Method = c.method
		if c.method == DAE {
			config.Support = Support{}
		}
		r := start(t, config, set)
		f, err := r.Weights(ctx, c.float)
		if err != nil {
			t.Fatal(err)
		}
		checkPlane(t, f)
		codes, err := r.encodeAll(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if f, err = Rebank(ctx, f, set, codes, 20, 1); err != nil {
			t.Fatal(err)
		}
		checkPlane(t, f)
	}
}

func checkPlane(t *testing.T, f *safetensors.File) {
	t.Helper()
	m, err := latent.New(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := plane.Separate(m.Bank.Codes(), latent.DigitLatent, m.Bank.Labels)
	if err != nil {
		t.Fatal(err)
	}
	if m.Plane == nil {
		t.Fatal("the weights name no plane")
	}
	if !slices.Equal(m.Plane.Mean(), want.Mean()) || !slices.Equal(m.Plane.Axes(), want.Axes()) {
		t.Errorf("the weights' plane has the axes %v, their codes give %v", m.Plane.Axes(), want.Axes())
	}
}

// TestDAE: the loss of the autoencoder is package latent's squared error, its
// file is of a model without D, and the noise is as wide as it is told.
func TestDAE(t *testing.T) {
	set := digits(t, 32)
	c := DefaultDAE()
	c.Batch, c.Centers, c.Epochs = 32, 8, 1
	c.Clipped = 0 // so that the noise can be measured
	for _, fixed := range []bool{false, true} {
		c.FixedNoise = fixed
		r := start(t, c, set)
		step, err := r.build(c.Batch)
		if err != nil {
			t.Fatal(err)
		}
		r.once(t, step, c.Batch)
		clean, noisy := step.Inputs[inClean], step.Inputs[inNoisy]
		file, err := r.Weights(context.Background(), true)
		if err != nil {
			t.Fatal(err)
		}
		m, err := latent.New(file)
		if err != nil {
			t.Fatal(err)
		}
		if m.HasDistance() || m.Restore.Steps != 0 {
			t.Errorf("the model has a distance: %v, and restores in %d steps", m.HasDistance(), m.Restore.Steps)
		}
		run := m.Runner(8)
		z, back := make([]float32, 32*latent.DigitLatent), make([]float32, 32*latent.DigitPixels)
		run.Encode(z, noisy)
		run.Decode(back, z)
		var want float64
		wide := 0
		for i := range 32 {
			var noise float64
			for k := i * latent.DigitPixels; k < (i+1)*latent.DigitPixels; k++ {
				e := float64(back[k]) - float64(clean[k])
				want += e * e / 32
				e = float64(noisy[k]) - float64(clean[k])
				noise += e * e / latent.DigitPixels
			}
			if math.Sqrt(noise) > 0.7 {
				wide++
			}
		}
		if got := float64(r.terms[0]); math.Abs(got-want) > 1e-5*want {
			t.Errorf("the graph's loss is %v, package latent gives %v", got, want)
		}
		if fixed != (wide == 32) {
			t.Errorf("fixed noise %v: %d of 32 images have noise above 0.7", fixed, wide)
		}
		if fixed {
			continue
		}
		r.train(t)
		again := r.reopen(t, set)
		if again.Config.Method != DAE || !again.Done() {
			t.Errorf("reopened: %+v", again.Config)
		}
	}
}

// TestOldConfig: the configuration of a run from before there were methods reads
// as LMPPM's and is written as it was.
func TestOldConfig(t *testing.T) {
	const old = `{"seed":1,"epochs":12,"batch":128,"rate":0.001,"lambda":[0.05,1,0.05,1,0.05,0.5],"noise":0.8,"centers":5000,"hidden":[100,50,20],"activation":"silu"}`
	var c Config
	if err := json.Unmarshal([]byte(old), &c); err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Epochs, want.Refine, want.Restored, want.Lambda[5] = 12, 0, 0, 0.5
	want.Clipped, want.Support = 0, Support{}
	want.Lambda[0], want.Lambda[2] = 0.05, 0.05
	if c.Method != LMPPM || !reflect.DeepEqual(c, want) {
		t.Errorf("read as %+v", c)
	}
	if b, err := json.Marshal(c); err != nil || string(b) != old {
		t.Errorf("written as %s, %v", b, err)
	}
	c.Method = "gan"
	if err := c.Validate(60_000); err == nil {
		t.Error("an unknown method was taken")
	}
}

// TestResume: a run that is interrupted at any step ends with the same bits.
func TestResume(t *testing.T) {
	c := tiny()
	c.Refine, c.Restored = 2, 0.5
	t.Run("Eq. 20", func(t *testing.T) { resume(t, c) })
	c.Support.Epochs = 2
	t.Run("and D alone", func(t *testing.T) { resume(t, c) })
}

func resume(t *testing.T, c Config) {
	set := digits(t, 160)
	whole := start(t, c, set)
	whole.train(t)
	again := start(t, c, set)
	for stop := 1; !again.Done(); stop += 2 {
		ctx := &runtest.Countdown{Context: context.Background(), Left: stop}
		if err := again.Train(ctx, run.Options{}); err != nil && err != run.ErrInterrupted {
			t.Fatal(err)
		}
		again = again.reopen(t, set)
	}
	for i, p := range whole.params {
		q := again.params[i]
		for k := range p.Data {
			if p.Data[k] != q.Data[k] || p.M[k] != q.M[k] || p.V[k] != q.V[k] {
				t.Fatalf("%s[%d] is %v, in an uninterrupted run %v", p.Name, k, q.Data[k], p.Data[k])
			}
		}
	}
	for i := range whole.History {
		if whole.History[i] != again.History[i] {
			t.Errorf("epoch %d: %v, in an uninterrupted run %v", i+1, again.History[i], whole.History[i])
		}
	}
}

// BenchmarkStep times one step: forward, backward and Adam. trainer/bench/step.py
// times PyTorch at the same.
func BenchmarkStep(b *testing.B) {
	const images = 1024
	set := digits(b, images)
	for _, c := range []Config{Default(), DefaultDAE()} {
		name := strings.ToUpper(string(cmp.Or(c.Method, "lmppm")))
		b.Run(fmt.Sprintf("%s/%d", name, c.Batch), func(b *testing.B) {
			c.Centers = 10
			r := start(b, c, set)
			s, err := r.build(c.Batch)
			if err != nil {
				b.Fatal(err)
			}
			if err := r.fill(s.Inputs, first(c.Batch), 0); err != nil {
				b.Fatal(err)
			}
			vm := optim.NewTape(s.Graphs[0].Expr(), r.params, nil)
			defer vm.Close()
			step := 0
			for b.Loop() {
				if step++; vm.Step(step, 1e-3) != nil {
					b.Fatal("a step failed")
				}
			}
			b.ReportMetric(float64(b.N*c.Batch)/b.Elapsed().Seconds(), "images/s")
		})
	}
}
