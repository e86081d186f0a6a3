package compute

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/latent/latenttest"
	"mppm/shared/ldm/ldmtest"
	"mppm/shared/link"
	"mppm/shared/metric"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
	"mppm/shared/unet"
	"mppm/weights"
)

// yard is a set of engines without a browser: what is sent is taken when work is called.
type yard struct {
	engines []*engine
	refuse  int // from which engine on none can be started; 0: all can
}

// engine is a server on a line.
type engine struct {
	s       Server
	receive func([]byte)
	lost    func()
	inbox   []func() error
	sent    int // messages to the page
	closed  bool
}

func (y *yard) dial(receive func([]byte), lost func()) (Line, error) {
	if y.refuse > 0 && len(y.engines) >= y.refuse {
		return nil, errors.New("there is no engine")
	}
	e := &engine{receive: receive, lost: lost}
	y.engines = append(y.engines, e)
	return e, nil
}

func (e *engine) Send(message []byte, f File) {
	e.inbox = append(e.inbox, func() error {
		if f == nil {
			return e.s.Receive(message, nil)
		}
		return e.s.Receive(message, f.Bytes())
	})
}

func (e *engine) Close() { e.closed = true }

// work has every engine that is there do one piece.
func (y *yard) work(t *testing.T) {
	t.Helper()
	for _, e := range y.engines {
		if e.closed {
			continue
		}
		inbox := e.inbox
		e.inbox = nil
		for _, take := range inbox {
			if err := take(); err != nil {
				t.Fatal(err)
			}
		}
		e.s.Work(func() bool { return false }, func(b []byte) {
			e.sent++
			e.receive(b)
		})
	}
}

// die ends an engine.
func (e *engine) die() {
	e.closed = true
	e.lost()
}

// all takes what comes of a work, and has the engines work on until it is over.
func all[P any](t *testing.T, y *yard, w *Work[P]) (pieces []*P) {
	t.Helper()
	for range 100_000 {
		if w.All(func() bool { return false }, func(p *P) { pieces = append(pieces, p) }) {
			return pieces
		}
		if y != nil {
			y.work(t)
		}
	}
	t.Fatal("the work is never over")
	return nil
}

// bring gives the shipped models, and small ones of faces.
func bring(t testing.TB, to func(name string, f File)) {
	t.Helper()
	for name, b := range map[string][]byte{
		Digits: weights.MNIST, Classifier: weights.Classifier, OfBaselines: weights.LDM, OfCurve + "circle": weights.Circle,
		OfFaces + "faces": encoded(t, latenttest.FileOf(3, nets(t))), OfFaceRivals + "faces": encoded(t, ldmtest.FileOf(4, nets(t))),
	} {
		to(name, Raw(b))
	}
}

// nets are small ones for faces.
func nets(t testing.TB) *latent.Nets {
	t.Helper()
	n, err := unet.New(nn.Shape{H: 20, W: 20, C: 3}, unet.Config{Channels: []int{4, 6}, Latent: 9})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func encoded(t testing.TB, f *safetensors.File) []byte {
	t.Helper()
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newCrew(t testing.TB, y *yard, most int) *Crew {
	c := NewCrew(y.dial, most, new(Models))
	bring(t, c.Bring)
	return c
}

func newHere(t testing.TB) *Here {
	m := new(Models)
	bring(t, m.Bring)
	return NewHere(m)
}

func noise(n int, seed uint64) []float32 {
	x := make([]float32, n)
	rng.New(seed, 0).FillNorm(x, 0.3)
	for i, v := range x {
		x[i] = float32(math.Abs(float64(v)))
	}
	return x
}

// same asks for a job here and of engines, and fails where the answers differ in a bit.
func same[P any](t *testing.T, here, there Asker, y *yard, j Job[P]) {
	t.Helper()
	work := Ask(here, j)
	want := all(t, nil, work)
	if err := work.Err(); err != nil || len(want) == 0 {
		t.Fatalf("%T gives %d pieces, and %v", j, len(want), err)
	}
	work = Ask(there, j)
	got := all(t, y, work)
	if work.Err() != nil || len(got) != len(want) {
		t.Fatalf("%T of an engine gives %d pieces, and %v; here it gives %d", j, len(got), work.Err(), len(want))
	}
	for i := range want {
		a, b := &wire{}, &wire{}
		any(want[i]).(coded).code(a)
		any(got[i]).(coded).code(b)
		if string(a.b) != string(b.b) {
			t.Fatalf("%T: piece %d differs", j, i)
		}
	}
}

// TestTaught: a job flows by what it brings, and what the one before brought is forgotten.
func TestTaught(t *testing.T) {
	here := newHere(t)
	e, err := here.models.engine()
	if err != nil {
		t.Fatal(err)
	}
	z := noise(e.Latent(), 3)
	flow := latent.Preset{Beta: 0.5, Sigma: 0.4, Steps: 30}
	last := func(teach latent.Memory) []float32 {
		r := all(t, nil, Ask(here, &Restore{Code: z, Flow: flow, Taught: teach}))[0]
		return r.Codes[len(r.Codes)-e.Latent():]
	}
	var codes [][]float32
	for _, seed := range []uint64{7, 8} {
		codes = append(codes, noise(e.Latent(), seed))
	}
	plain := last(latent.Memory{})
	for range 2 {
		for _, code := range codes {
			got := last(latent.Memory{Codes: code, Weight: 1, Forget: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}})
			for i, v := range got {
				if math.Abs(float64(v-code[i])) > 1e-3 {
					t.Fatalf("number %d is %v, want %v, which alone is known", i, v, code[i])
				}
			}
		}
		if !slices.Equal(last(latent.Memory{}), plain) {
			t.Fatal("what was taught before is known still")
		}
	}
	for _, teach := range []latent.Memory{{Codes: z[:5], Weight: 1}, {Forget: []int{12}}, {Codes: z}} {
		w := Ask(here, &Restore{Code: z, Flow: flow, Taught: teach})
		if got := all(t, nil, w); w.Err() == nil || len(got) > 0 {
			t.Errorf("a job that teaches %+v gives %d pieces, and %v", teach, len(got), w.Err())
		}
	}
}

// TestSameBits: whoever does a job, every bit of the answer is the same.
func TestSameBits(t *testing.T) {
	y := new(yard)
	here, there := newHere(t), newCrew(t, y, 3)
	e, err := here.models.engine()
	if err != nil {
		t.Fatal(err)
	}
	x, damaged := noise(28*28, 1), noise(28*28, 2)
	z := noise(12*e.Latent(), 3)
	m, _ := here.models.faces("faces")
	digits, face := fewSteps, m.Restore
	same(t, here, there, y, &Restore{Original: x, Damaged: damaged, Flow: digits})
	same(t, here, there, y, &Restore{Code: z[:e.Latent()], Flow: digits})
	same(t, here, there, y, &Grow{Class: 3, Codes: z, Flow: digits})
	teach := latent.Memory{Codes: z[:2*e.Latent()], Weight: 40, Forget: []int{7, 1}}
	same(t, here, there, y, &Restore{Original: x, Damaged: damaged, Flow: digits, Taught: teach})
	same(t, here, there, y, &Grow{Class: -1, Codes: z, Flow: digits, Taught: teach})
	same(t, here, there, y, &Walk{Class: -1, From: z[:e.Latent()], To: z[e.Latent() : 2*e.Latent()], Steps: 5, Flow: digits, Taught: teach})
	same(t, here, there, y, &Walk{Class: -1, From: z[:e.Latent()], To: z[e.Latent() : 2*e.Latent()], Steps: 5, Flow: digits})
	same(t, here, there, y, &Read{Ink: inks(x)})
	same(t, here, there, y, &Rivals{Original: x, Damaged: damaged, Damage: degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.3}, Seed: 4, Shown: 5})
	same(t, here, there, y, &Rivals{Diffusion: true, Original: x, Damaged: damaged, Damage: degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.3}, Seed: 4, Shown: 5})
	same(t, here, there, y, &Survey{})
	same(t, here, there, y, &Heat{X0: -1, Y0: -1, X1: 1, Y1: 1, W: 5, H: 4})
	same(t, here, there, y, &Bend{Curve: "circle"})
	same(t, here, there, y, &Home{Curve: "circle", At: [3]float64{0.5, 1, 0.2}, Flow: link.CurveFlow(), Seed: 5})
	same(t, here, there, y, &Cut{Curve: "circle", X: noise(3*20, 6), Row: 8})
	same(t, here, there, y, &Sample{Curve: "circle", Flow: link.CurveFlow()})
	same(t, here, there, y, &Meet{Model: "faces"})
	same(t, here, there, y, &Face{Model: "faces", Seed: 7})
	a, b := noise(m.Pixels(), 8), noise(m.Pixels(), 9)
	same(t, here, there, y, &Heal{Model: "faces", Original: a, Damaged: b, Flow: face})
	same(t, here, there, y, &FaceRivals{Model: "faces", Original: a, Damaged: b, Seed: 5})
	same(t, here, there, y, &Growth{Model: "faces", Seeds: []uint64{1, 2}, Flow: m.Generate})
	same(t, here, there, y, &Decode{Model: "faces", Codes: noise(3*m.Latent(), 10)})
	same(t, here, there, y, &Pass{Model: "faces", From: noise(m.Latent(), 11), To: noise(m.Latent(), 12), Steps: 4, Flow: m.Generate})
}

// TestDivided: codes that flow in parts give what they give together, and the parts are
// of different engines, which have been started for them.
func TestDivided(t *testing.T) {
	y := new(yard)
	here, there := newHere(t), newCrew(t, y, 3)
	if len(y.engines) != 1 || there.Parts() != 3 {
		t.Fatalf("%d engines are started at once, and there may be %d; want 1 of 3", len(y.engines), there.Parts())
	}
	e, err := here.models.engine()
	if err != nil {
		t.Fatal(err)
	}
	const n = 10
	z := noise(n*e.Latent(), 3)
	flow := fewSteps
	whole := all(t, nil, Ask(here, &Grow{Class: -1, Codes: z, Flow: flow}))
	var parts [][]*Grown
	for i := range 3 {
		lo, hi := Divide(n, 3, i)
		parts = append(parts, all(t, y, AskPart(there, &Grow{Class: -1, Codes: z[lo*e.Latent() : hi*e.Latent()], Flow: flow}, i)))
	}
	for k, step := range whole {
		var codes []float32
		var ink []byte
		for _, p := range parts {
			codes, ink = append(codes, p[k].Codes...), append(ink, p[k].Ink...)
		}
		if !slices.Equal(codes, step.Codes) || !slices.Equal(ink, step.Ink) {
			t.Fatalf("step %d in parts differs from the whole", k)
		}
	}
	if len(y.engines) != 3 {
		t.Errorf("three parts are done by %d engines", len(y.engines))
	}
	for i, e := range y.engines {
		if e.sent == 0 {
			t.Errorf("engine %d did nothing", i)
		}
	}
}

// TestLost: what an engine that is lost was to do is done here, from where it stood; and
// so is all that is asked from then on.
func TestLost(t *testing.T) {
	here := newHere(t)
	e, err := here.models.engine()
	if err != nil {
		t.Fatal(err)
	}
	j := &Grow{Class: -1, Codes: noise(2*e.Latent(), 3), Flow: fewSteps}
	want := all(t, nil, Ask(here, j))
	for _, end := range []func(*engine){(*engine).die, func(e *engine) { e.receive([]byte{toGive, 1, 200}) }, func(e *engine) { e.receive(nil) }} {
		y := new(yard)
		there := newCrew(t, y, 1)
		w := Ask(there, j)
		var got []*Grown
		for len(got) < 3 {
			y.work(t)
			w.All(func() bool { return true }, func(p *Grown) { got = append(got, p) })
		}
		y.work(t) // one has come, and was not taken
		end(y.engines[0])
		got = append(got, all(t, nil, w)...)
		if w.Err() != nil || len(got) != len(want) {
			t.Fatalf("%d steps came, and %v; want %d", len(got), w.Err(), len(want))
		}
		for i := range want {
			if got[i].Index != i || !slices.Equal(got[i].Codes, want[i].Codes) {
				t.Fatalf("step %d differs", i)
			}
		}
		if !y.engines[0].closed || there.Alive() != 0 || there.Parts() != 1 {
			t.Error("the engine is still counted on")
		}
		if again := all(t, nil, Ask(there, j)); len(again) != len(want) {
			t.Errorf("without engines %d steps come", len(again))
		}
	}
}

// TestNoEngine: where none, or not all, can be started, the work is done all the same.
func TestNoEngine(t *testing.T) {
	none := func(func([]byte), func()) (Line, error) { return nil, errors.New("there are no workers") }
	c := NewCrew(none, 4, new(Models))
	bring(t, c.Bring)
	if c.Parts() != 1 || c.Alive() != 0 {
		t.Errorf("without engines there are %d parts", c.Parts())
	}
	if got := all(t, nil, Ask(c, &Bend{Curve: "circle"})); len(got) != 1 || len(got[0].Points) == 0 {
		t.Error("without engines nothing is computed")
	}
	y := &yard{refuse: 2}
	c = newCrew(t, y, 4)
	e, err := newHere(t).models.engine()
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Parts() {
		w := AskPart(c, &Grow{Class: -1, Codes: noise(e.Latent(), uint64(i)), Flow: fewSteps}, i)
		if all(t, y, w); w.Err() != nil {
			t.Errorf("part %d: %v", i, w.Err())
		}
	}
}

// TestStop: what is stopped is not done any more, and what was sent of it is left aside.
func TestStop(t *testing.T) {
	y := new(yard)
	c := newCrew(t, y, 1)
	e, err := newHere(t).models.engine()
	if err != nil {
		t.Fatal(err)
	}
	w := Ask(c, &Grow{Class: -1, Codes: noise(e.Latent(), 1), Flow: fewSteps})
	y.work(t)
	if _, ok := w.Next(); !ok {
		t.Fatal("the first step did not come")
	}
	y.work(t)
	w.Stop()
	w.Stop()
	if _, ok := w.Next(); ok || !w.Over() {
		t.Error("what was stopped goes on")
	}
	y.work(t)
	if y.engines[0].s.Busy() {
		t.Error("the engine goes on with what was stopped")
	}
	var none *Work[Grown]
	none.Stop()
	if _, ok := none.Next(); ok || !none.Over() || none.Err() != nil {
		t.Error("no work gives something")
	}
}

// TestErrors: an engine's error is that of the page's own program, and jobs that make no
// sense are refused.
func TestErrors(t *testing.T) {
	y := new(yard)
	here, there := newHere(t), newCrew(t, y, 1)
	bad := fewSteps
	bad.Alpha = 2
	refused := func(name string, ask func(a Asker) (errs [2]string, n int)) {
		t.Helper()
		a, n := ask(here)
		b, _ := ask(there)
		if a[0] == "" || a != b || n != 0 {
			t.Errorf("%s: %q here, %q of an engine, %d pieces", name, a, b, n)
		}
	}
	refused("a flow", said(t, y, &Grow{Class: -1, Flow: bad}))
	refused("codes", said(t, y, &Grow{Class: -1, Codes: make([]float32, 1), Flow: fewSteps}))
	refused("class", said(t, y, &Grow{Class: 77, Flow: fewSteps}))
	refused("image", said(t, y, &Restore{Damaged: make([]float32, 3), Flow: fewSteps}))
	refused("code", said(t, y, &Restore{Code: make([]float32, 3), Flow: fewSteps}))
	refused("walk", said(t, y, &Walk{Class: -1, Steps: 3}))
	refused("ink", said(t, y, &Read{Ink: make([]byte, 5)}))
	refused("rivals", said(t, y, &Rivals{Original: make([]float32, 5)}))
	refused("heat", said(t, y, &Heat{W: 1, H: 1 << 30}))
	refused("curve", said(t, y, &Bend{Curve: "square"}))
	refused("cut", said(t, y, &Cut{Curve: "circle", X: make([]float32, 2), Row: 1}))
	refused("row", said(t, y, &Cut{Curve: "circle", X: make([]float32, 3)}))
	refused("faces", said(t, y, &Meet{Model: "nobody"}))
	refused("heal", said(t, y, &Heal{Model: "faces"}))
	refused("what faces are compared with", said(t, y, &FaceRivals{Model: "faces"}))
	refused("pass", said(t, y, &Pass{Model: "faces"}))
}

func said[P any](t *testing.T, y *yard, j Job[P]) func(Asker) ([2]string, int) {
	return func(a Asker) ([2]string, int) {
		w := Ask(a, j)
		n := len(all(t, y, w))
		return [2]string{fmt.Sprint(w.Err()), strings.TrimSpace(fmt.Sprintf("%T", j))}, n
	}
}

// fewSteps is a flow of a few steps.
var fewSteps = latent.Preset{Alpha: 0.5, Beta: 0.3, Sigma: 0.6, Steps: 5}

// TestBringAgain: a curve that comes again, having learnt more, takes the place of the one
// of before, for an engine as for who takes over from it.
func TestBringAgain(t *testing.T) {
	y := new(yard)
	there := newCrew(t, y, 1)
	dim := func() int {
		t.Helper()
		w := Ask(there, &Bend{Curve: "circle"})
		s := all(t, y, w)
		if w.Err() != nil || len(s) != 1 {
			t.Fatalf("the curve has %d shapes, %v", len(s), w.Err())
		}
		return s[0].Dim
	}
	if dim() != 3 {
		t.Fatal("the half circle is flat")
	}
	files := len(there.files)
	for range 3 {
		there.Bring(OfCurve+"circle", Raw(weights.Moons))
	}
	if dim() != 2 || len(there.files) != files {
		t.Errorf("brought again, the curve is the one of before, or there are %d files", len(there.files))
	}
	y.engines[0].die()
	if dim() != 2 {
		t.Error("without an engine the curve is the one of before")
	}
}

// TestFaceRivals: what the shipped drawn faces are compared with takes noise off one, and
// diffusion makes another picture of it than the autoencoder that it runs in.
func TestFaceRivals(t *testing.T) {
	m := new(Models)
	m.Bring(OfFaces+"drawn", Raw(weights.Drawn))
	m.Bring(OfFaceRivals+"drawn", Raw(weights.DrawnLDM))
	here := NewHere(m)
	face := all(t, nil, Ask(here, &Face{Model: "drawn", Seed: 3}))[0].X
	damaged, is := make([]float32, len(face)), m.Faces["drawn"].Image()
	noise := degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.3}
	if err := noise.ApplyColor(damaged, face, is.W, is.H, is.C, rng.New(4, 0)); err != nil {
		t.Fatal(err)
	}
	made := all(t, nil, Ask(here, &FaceRivals{Model: "drawn", Original: face, Damaged: damaged, Seed: 5}))
	if len(made) != 2 || slices.Equal(made[0].Ink, made[1].Ink) {
		t.Fatalf("%d pictures, or twice the same", len(made))
	}
	before := metric.MSE(face, damaged)
	for i, p := range made {
		if !(p.Score.MSE < before/3) {
			t.Errorf("picture %d takes the mean squared error from %.4f to %.4f", i, before, p.Score.MSE)
		}
	}
}
