package ambient

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mppm/shared/ambient"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/pointcloud"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/run/runtest"
)

func tiny() Config {
	c := Default()
	c.Epochs, c.Batch, c.Denoiser = 12, 16, []int{16}
	return c
}

func circle(n int) *pointcloud.Cloud { return pointcloud.HalfCircle(n, rng.New(1, 0)) }

// started is a run.
type started struct {
	*Task
	*run.Run
}

func mustNew(t *testing.T, c Config, cloud *pointcloud.Cloud, dir string) started {
	t.Helper()
	s := started{Task: New(c, cloud)}
	var err error
	if s.Run, err = run.New(s.Task, dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// filled returns the inputs of a step on the first n training points.
func (s started) filled(n int) inputs {
	in := newInputs(n, s.Config.Draws, s.cloud.Dim)
	for i := range n {
		s.row(in, i, s.train[3*i:3*i+3], i, rng.New(5, uint64(i)))
	}
	return in
}

// vm returns what runs the graph of a method on in, and the terms that it leaves.
func (s started) vm(t *testing.T, m Method, in inputs) (gorgonia.VM, []float32) {
	t.Helper()
	g, err := s.graph(m, in, len(in[inClean])/s.cloud.Dim)
	if err != nil {
		t.Fatal(err)
	}
	return gorgonia.NewTapeMachine(g.Expr()), s.terms[m]
}

func load(t *testing.T, r started, float bool) (*ambient.Model, []byte) {
	t.Helper()
	f, err := r.Weights(float)
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ambient.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

// keep makes the parameters as they are those that Weights writes.
func (s started) keep() {
	for m := range methods {
		for i, p := range s.params[m] {
			copy(s.kept[m][i].Data, p.Data)
		}
	}
}

// TestMatchesShared holds the graphs' nets to package ambient's: the terms of Eq. 16
// and the autoencoder's loss of one batch, from package ambient's F, G, D and ∇̂D.
func TestMatchesShared(t *testing.T) {
	for _, target := range []Target{Projection, Nearest, Clean} {
		for _, act := range []nn.Activation{nn.ReLU, nn.SiLU} {
			c := tiny()
			c.Target, c.Activation = target, act
			r := mustNew(t, c, circle(40), "")
			// Package mppm cuts D off at 0; start it well above.
			last := r.params[model][len(r.params[model])-1]
			last.Data[0] = 2
			r.keep()
			in := r.filled(16)
			clean, noisy := in[inClean], in[inNoisy]
			terms := func(m Method) []float32 {
				vm, terms := r.vm(t, m, in)
				defer vm.Close()
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				return terms
			}
			m, _ := load(t, r, true)
			shared := m.Runner(7)
			d, on, grad := make([]float32, 16), make([]float32, 16), make([]float32, 48)
			shared.Distance(d, grad, noisy)
			shared.Distance(on, nil, clean)
			star, back := slices.Clone(in[inStar]), make([]float32, 48)
			if target == Projection {
				shared.Project(star, noisy)
			}
			shared.Project(back, clean)
			var want [Terms]float64
			for i := range 16 {
				var far float64
				for k := 3 * i; k < 3*i+3; k++ {
					e := float64(noisy[k]) - float64(star[k])
					far += e * e
					e = float64(back[k]) - float64(clean[k])
					want[1] += e * e / 16
					e = float64(noisy[k]) - float64(d[i])*float64(grad[k]) - float64(star[k])
					want[4] += e * e / 16
				}
				e := float64(d[i]) - math.Sqrt(far)
				want[0] += e * e / 16
				want[2] += float64(on[i]) * float64(on[i]) / 16
			}
			for i, got := range terms(model) {
				if math.Abs(float64(got)-want[i]) > 1e-4*(1+want[i]) {
					t.Errorf("%s, %s: term %d is %v, from package ambient it is %v", target, act, i+1, got, want[i])
				}
			}
			var off float64
			shared.DAE(back, noisy)
			for k, v := range back {
				e := float64(v) - float64(clean[k])
				off += e * e / 16
			}
			if got := terms(dae)[0]; math.Abs(float64(got)-off) > 1e-4*(1+off) {
				t.Errorf("the autoencoder's loss is %v, from package ambient it is %v", got, off)
			}
		}
	}
}

// TestGradient holds the gradient of Eq. 16 to differences of the loss, for every
// kind of parameter: λ₅ differentiates through ∇D, and through x* by Eq. 18.
func TestGradient(t *testing.T) {
	c := tiny()
	c.Target, c.Activation = Projection, nn.SiLU
	c.Lambda = [Terms]float32{1, 0.5, 2, 1, 3}
	r := mustNew(t, c, circle(40), "")
	r.params[model][len(r.params[model])-1].Data[0] = 0.5
	vm, terms := r.vm(t, model, r.filled(16))
	defer vm.Close()
	loss := func() float64 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		vm.Reset()
		return c.loss(terms)
	}
	loss()
	const h = 5e-4
	for _, p := range r.params[model] {
		grad := slices.Clone(p.Grad)
		// The coordinate with the steepest slope tells most.
		at := 0
		for i, g := range grad {
			if math.Abs(float64(g)) > math.Abs(float64(grad[at])) {
				at = i
			}
		}
		was := p.Data[at]
		p.Data[at] = was + h
		up := loss()
		p.Data[at] = was - h
		down := loss()
		p.Data[at] = was
		want := (up - down) / (2 * h)
		if got := float64(grad[at]); math.Abs(got-want) > 0.03*math.Abs(want)+2e-3 {
			t.Errorf("%s[%d]: the gradient is %v, differences give %v", p.Name, at, got, want)
		}
	}
}

// TestLearns: a few seconds of training make each loss a fraction of what it was,
// and the flow takes noisy points home.
func TestLearns(t *testing.T) {
	c := tiny()
	c.Epochs, c.Batch = 120, 40
	r := mustNew(t, c, circle(200), "")
	if err := r.Train(context.Background(), run.Options{Every: 1000}); err != nil {
		t.Fatal(err)
	}
	first, last := r.History[0], r.History[len(r.History)-1]
	for m, share := range [methods]float64{0.2, 0.7, 0.8} {
		if !(last.Held[m] < share*first.Held[m]) {
			t.Errorf("the loss of %v went from %.4f to %.4f", Method(m), first.Held[m], last.Held[m])
		}
	}
	m, _ := load(t, r, false)
	s, _, err := r.Score(m)
	if err != nil {
		t.Fatal(err)
	}
	if s.MPPM > s.Noisy/4 || s.DAE > s.Noisy/2 {
		t.Errorf("held-out points are %+v from the circle", s)
	}
}

// TestResume: a run that is interrupted after some steps and resumed ends with the
// bits of one that is not.
func TestResume(t *testing.T) {
	c := tiny()
	cloud := circle(60)
	whole := mustNew(t, c, cloud, t.TempDir())
	if err := whole.Train(context.Background(), run.Options{Every: 5}); err != nil {
		t.Fatal(err)
	}
	_, want := load(t, whole, false)
	dir := t.TempDir()
	r := mustNew(t, c, cloud, dir)
	for _, steps := range []int{7, 11, 1} {
		if err := r.Train(&runtest.Countdown{Context: context.Background(), Left: steps}, run.Options{Every: 5}); !errors.Is(err, run.ErrInterrupted) {
			t.Fatalf("after %d steps: %v", r.Step, err)
		}
		r.Task = New(Config{}, cloud)
		var err error
		if r.Run, err = run.Open(r.Task, dir); err != nil {
			t.Fatal(err)
		}
	}
	if r.Done() {
		t.Fatal("the run is done before it was resumed")
	}
	if err := r.Train(context.Background(), run.Options{Every: 5}); err != nil {
		t.Fatal(err)
	}
	if _, got := load(t, r, false); !bytes.Equal(got, want) {
		t.Error("the resumed run ends with other bits")
	}
	if _, err := run.New(New(c, cloud), dir); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a new run in a folder that is taken: %v", err)
	}
	if _, err := run.Open(New(Config{}, circle(61)), dir); err == nil || !strings.Contains(err.Error(), "other data") {
		t.Errorf("other points: %v", err)
	}
	if _, err := run.Open(New(Config{}, cloud), t.TempDir()); !errors.Is(err, optim.ErrNoCheckpoint) {
		t.Errorf("no run: %v", err)
	}
}

// TestStopsEarly: with a patience of a few epochs and a step size that cannot get
// better, MPPM and the autoencoder stop, and their best epoch is kept.
func TestStopsEarly(t *testing.T) {
	c := tiny()
	c.Epochs, c.Patience, c.Rate = 40, 10, 0.5
	r := mustNew(t, c, circle(60), "")
	if err := r.Train(context.Background(), run.Options{Every: 1000}); err != nil {
		t.Fatal(err)
	}
	for m, best := range r.Best {
		if stopped := Method(m) != diffusion; best.Stopped != stopped && best.Epoch < c.Epochs-c.Patience {
			t.Errorf("%v: %+v", Method(m), best)
		}
		for _, rec := range r.History {
			if rec.Held[m] < best.Loss {
				t.Errorf("%v: epoch %d has the loss %v, less than that of the best epoch, %v", Method(m), rec.Epoch, rec.Held[m], best.Loss)
			}
		}
	}
	if !r.Best[model].Stopped && !r.Best[dae].Stopped {
		t.Errorf("nothing stopped: %+v", r.Best)
	}
}

// TestFrame: points of any size and place are brought to size 1 around 0, and led
// back; those that have that size stay.
func TestFrame(t *testing.T) {
	c := tiny()
	if r := mustNew(t, c, circle(60), ""); r.frame.scale != 1 || r.frame.center[1] != 0 {
		t.Errorf("the half circle is moved: %+v", r.frame)
	}
	far := circle(60)
	for i, v := range far.Points {
		far.Points[i] = 500*v + 2000
	}
	r := mustNew(t, c, far, "")
	var square float64
	for _, v := range append(slices.Clone(r.train), r.held...) {
		square += float64(v) * float64(v) / 60
	}
	if math.Abs(square-1) > 1e-3 {
		t.Errorf("the mean square distance from 0 is %v, want 1", square)
	}
	m, _ := load(t, r, true)
	x := []float64{0, 0, 0}
	m.Denormalize(x, m.Points[:3])
	if off := math.Hypot(x[0]-2000, x[1]-2000); math.Abs(off-500) > 1 || math.Abs(x[2]-2000) > 1 {
		t.Errorf("a training point is led back to %v", x)
	}
}

func TestRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"epochs":      func(c *Config) { c.Epochs = 0 },
		"patience":    func(c *Config) { c.Patience = 0 },
		"batch":       func(c *Config) { c.Batch = 0 },
		"rate":        func(c *Config) { c.Rate = math.NaN() },
		"decay":       func(c *Config) { c.Decay = -1 },
		"noise":       func(c *Config) { c.Noise = math.Inf(1) },
		"target":      func(c *Config) { c.Target = "moon" },
		"activation":  func(c *Config) { c.Activation = "tanh" },
		"codes":       func(c *Config) { c.Latent = 0 },
		"draws":       func(c *Config) { c.Draws = 0 },
		"λ3":          func(c *Config) { c.Lambda[2] = -1 },
		"width":       func(c *Config) { c.Distance = []int{0} },
		"hidden":      func(c *Config) { c.Hidden = make([]int, 20) },
		"σ_d":         func(c *Config) { c.Flow.SigmaD = 0 },
		"steps; give": func(c *Config) { c.Diffusion.Steps = 0 },
	} {
		c := tiny()
		change(&c)
		if _, err := run.New(New(c, circle(60)), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := run.New(New(tiny(), circle(1)), ""); err == nil || !strings.Contains(err.Error(), "at least 2") {
		t.Errorf("one point: %v", err)
	}
	// Two points are few, but no reason to fail.
	r := mustNew(t, tiny(), &pointcloud.Cloud{Dim: 1, Points: []float64{1, 3}}, "")
	if err := r.Train(context.Background(), run.Options{Every: 1000}); err != nil {
		t.Errorf("two points: %v", err)
	}
	load(t, r, false)
}
