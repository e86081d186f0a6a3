package session

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/rng"
	"mppm/weights"
)

func open(t *testing.T, file []byte) *Session {
	t.Helper()
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wants fails the test unless an error is of that code, and says something.
func wants(t *testing.T, code Code, err error, what string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || Failure(err) != code || err.Error() == "" {
		t.Errorf("%s: the error is %v, of code %q; want code %q", what, err, Failure(err), code)
	}
}

// walk goes through a flow, and returns its steps.
func walk(t *testing.T, s *Session, number int) (steps []Step) {
	t.Helper()
	for {
		step, ok, err := s.Step(number)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return steps
		}
		steps = append(steps, step)
	}
}

func begin(t *testing.T, s *Session, from Start, set Settings) int {
	t.Helper()
	number, err := s.Begin(from, set)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// TestDigits: a session computes what the packages below it do, and knows the model.
func TestDigits(t *testing.T) {
	s := open(t, weights.MNIST)
	m, err := latent.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	if distance, skips, local := s.Has(); !distance || skips || local || s.Image() != latent.Digit || s.Latent() != latent.DigitLatent || s.Spacing() != m.Bank.Spacing {
		t.Errorf("the model is of %v and %d numbers, and has %v, %v, %v", s.Image(), s.Latent(), distance, skips, local)
	}
	if c := s.Classes(); !slices.Equal(c, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Errorf("the classes are %v", c)
	}

	r := m.Runner(2)
	z, x := make([]float32, 2*m.Latent()), make([]float32, 2*m.Pixels())
	r.Noise(z, m.Generate, rng.New(4, 0))
	flow, err := r.Flow(z, m.Generate)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range flow {
		n++
	}
	r.Decode(x, z)
	number := begin(t, s, Start{N: 2, Seed: 4}, Settings{})
	steps := walk(t, s, number)
	last := steps[len(steps)-1]
	images, err := s.Images(number, last.Index)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != n || !slices.Equal(last.Codes, z) || !slices.Equal(images, x) {
		t.Errorf("two digits of seed 4 are others than below, after %d steps of %d", len(steps), n)
	}
	s.End(number)
	s.End(number)

	damaged, err := s.Damage(x, "scribble", 6, 9)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, len(x))
	for i := range 2 {
		d := degrade.Degradation{Kind: degrade.Scribble, Severity: 6}
		if err := d.Apply(want[i*m.Pixels():(i+1)*m.Pixels()], x[i*m.Pixels():(i+1)*m.Pixels()], 28, 28, rng.New(9, uint64(i))); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(damaged, want) {
		t.Error("the damage is another than below")
	}

	if err := s.LoadClassifier(weights.Classifier); err != nil {
		t.Fatal(err)
	}
	list, err := s.Read(images)
	if err != nil {
		t.Fatal(err)
	}
	for i, reading := range list {
		if reading.Probability != slices.Max(reading.Probabilities) || reading.Probabilities[reading.Class] != reading.Probability || len(reading.Probabilities) != 10 {
			t.Errorf("digit %d is read as %+v", i, reading)
		}
	}
	// What is returned is the caller's.
	encoded, err := s.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	again := slices.Clone(encoded)
	if _, err := s.Encode(damaged); err != nil || !slices.Equal(encoded, again) {
		t.Error("codes change when others are made")
	}
}

// TestSettings: what is set of a flow holds, and nothing else changes.
func TestSettings(t *testing.T) {
	s := open(t, weights.MNIST)
	p, err := s.preset(Start{N: 1}, Settings{})
	if err != nil || p != s.model.Generate {
		t.Errorf("the flow of generation is %+v, %v", p, err)
	}
	p, err = s.preset(Start{N: 1}, Settings{Preset: "restore", Numbers: map[string]float64{"alpha": 0.25, "steps": 3}})
	want := s.model.Restore
	want.Alpha, want.Steps = 0.25, 3
	if err != nil || p != want {
		t.Errorf("the flow is %+v, %v; want %+v", p, err, want)
	}
	// A kernel that shrinks starts no narrower than it ends.
	p, err = s.preset(Start{N: 1}, Settings{Numbers: map[string]float64{"sigma": 4}})
	if err != nil || p.Start != 0 && p.Start < p.Sigma {
		t.Errorf("the kernel goes from %v to %v, %v", p.Start, p.Sigma, err)
	}
	for _, set := range []Settings{
		{Preset: "nothing"},
		{Numbers: map[string]float64{"alhpa": 1}},
		{Numbers: map[string]float64{"alpha": math.NaN()}},
		{Numbers: map[string]float64{"alpha": 0.7, "beta": 0.7}},
		{Numbers: map[string]float64{"steps": 2.5}},
		{Numbers: map[string]float64{"steps": math.Inf(1)}},
		{Numbers: map[string]float64{"sigma": 0}},
		{Numbers: map[string]float64{"local": 0.5}}, // of a model without L
	} {
		_, err := s.Begin(Start{N: 1}, set)
		wants(t, Range, err, strings.TrimSpace(set.Preset))
	}
}

// TestStarts: a flow starts from one thing, which is whole.
func TestStarts(t *testing.T) {
	s := open(t, weights.MNIST)
	one, none := 1, 10
	image, code := make([]float32, 784), make([]float32, 18)
	for _, c := range []struct {
		what string
		from Start
		code Code
	}{
		{"nothing", Start{}, Range},
		{"two things", Start{Images: image, Codes: code}, Range},
		{"half an image", Start{Images: image[:300]}, Shape},
		{"no image", Start{Images: image[:0]}, Shape},
		{"half a code", Start{Codes: code[:9]}, Shape},
		{"an image that is no number", Start{Images: slices.Repeat([]float32{float32(math.NaN())}, 784)}, Range},
		{"a code too far away", Start{Codes: slices.Repeat([]float32{1e30}, 18)}, Range},
		{"fewer than none", Start{N: -1}, Range},
		{"too many", Start{N: MaxNumbers}, Shape},
		{"a class of images", Start{Images: image, Class: &one}, Range},
		{"a class that there is not", Start{N: 1, Class: &none}, Range},
	} {
		_, err := s.Begin(c.from, Settings{})
		wants(t, c.code, err, c.what)
	}
	if len(s.flows) != 0 {
		t.Errorf("%d flows are under way that did not begin", len(s.flows))
	}
	was := slices.Clone(code)
	walk(t, s, begin(t, s, Start{Codes: code, Class: &one}, Settings{}))
	if !slices.Equal(code, was) {
		t.Error("a flow changes the codes that it was given")
	}
	// The kernel mean leads codes to the class from anywhere.
	number := begin(t, s, Start{N: 8, Seed: 1, Class: &one}, Settings{})
	steps := walk(t, s, number)
	images, err := s.Images(number, steps[len(steps)-1].Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LoadClassifier(weights.Classifier); err != nil {
		t.Fatal(err)
	}
	list, err := s.Read(images)
	if err != nil {
		t.Fatal(err)
	}
	ones := 0
	for _, r := range list {
		if r.Class == one {
			ones++
		}
	}
	if ones < 7 {
		t.Errorf("of eight ones %d are read as such", ones)
	}
}

// TestFlows: flows that go on at the same time do not touch each other, their images are
// of the step they are at, and there are not too many.
func TestFlows(t *testing.T) {
	s := open(t, weights.MNIST)
	alone := walk(t, s, begin(t, s, Start{N: 3, Seed: 2}, Settings{}))
	a, b := begin(t, s, Start{N: 3, Seed: 2}, Settings{}), begin(t, s, Start{N: 5, Seed: 3}, Settings{})
	for i, want := range alone {
		step, ok, err := s.Step(a)
		if err != nil || !ok || step.Index != want.Index || !slices.Equal(step.Codes, want.Codes) || !slices.Equal(step.Distance, want.Distance) {
			t.Fatalf("step %d beside another flow: %+v, %v", i, step, err)
		}
		if _, _, err := s.Step(b); err != nil {
			t.Fatal(err)
		}
		x, err := s.Images(a, step.Index)
		if err != nil {
			t.Fatal(err)
		}
		if decoded, err := s.Decode(step.Codes); err != nil || !slices.Equal(x, decoded) {
			t.Errorf("the images of step %d are not its codes', %v", i, err)
		}
		_, err = s.Images(a, step.Index+1)
		wants(t, Late, err, "the images of a step to come")
	}
	s.End(a)
	_, _, err := s.Step(a)
	wants(t, Late, err, "a flow that was left")
	_, err = s.Images(a, 0)
	wants(t, Late, err, "images of a flow that was left")
	fresh := begin(t, s, Start{N: 1}, Settings{})
	_, err = s.Images(fresh, 0)
	wants(t, Late, err, "images before the first step")
	for len(s.flows) < MaxFlows {
		begin(t, s, Start{N: 1}, Settings{})
	}
	_, err = s.Begin(Start{N: 1}, Settings{})
	wants(t, Range, err, "too many flows")
}

// TestFaces: a U-Net is restored with the skips of its images, step by step.
func TestFaces(t *testing.T) {
	s := open(t, weights.Drawn)
	if distance, skips, local := s.Has(); !distance || !skips || !local || len(s.Classes()) != 0 {
		t.Errorf("the model has %v, %v, %v and classes %v", distance, skips, local, s.Classes())
	}
	number := begin(t, s, Start{N: 1, Seed: 1}, Settings{})
	steps := walk(t, s, number)
	face, err := s.Images(number, steps[len(steps)-1].Index)
	if err != nil {
		t.Fatal(err)
	}
	damaged, err := s.Damage(face, "missing", 0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := s.model.Runner(1)
	frames, err := r.Restoration(damaged, s.model.Restore)
	if err != nil {
		t.Fatal(err)
	}
	number = begin(t, s, Start{Images: damaged}, Settings{})
	for f := range frames {
		step, ok, err := s.Step(number)
		if err != nil || !ok || !slices.Equal(step.Codes, f.X) {
			t.Fatalf("step %d: %v, %v", f.Index, ok, err)
		}
		if x, err := s.Images(number, step.Index); err != nil || !slices.Equal(x, f.Image()) {
			t.Errorf("step %d has another image, %v", f.Index, err)
		}
	}
	zero := 0
	_, err = s.Begin(Start{N: 1, Class: &zero}, Settings{})
	wants(t, Unsupported, err, "a class of faces")
	wants(t, Weights, s.LoadClassifier(weights.Classifier), "the digits' classifier for faces")
	_, err = s.Draw([][]float32{{1, 1, 1}}, true)
	wants(t, Unsupported, err, "a drawing of a face")
	_, err = s.Read(face)
	wants(t, Unsupported, err, "reading without a classifier")
}

// TestBadNumbers: every function refuses what is no image and no code.
func TestBadNumbers(t *testing.T) {
	_, err := Load([]byte("no file"))
	wants(t, Weights, err, "no file")
	s := open(t, weights.MNIST)
	wants(t, Weights, s.LoadClassifier(weights.MNIST), "a model as a classifier")
	nan := float32(math.NaN())
	for what, f := range map[string]func([]float32) error{
		"Encode":   func(x []float32) error { _, err := s.Encode(x); return err },
		"Damage":   func(x []float32) error { _, err := s.Damage(x, "sharpen", 8, 0); return err },
		"Decode":   func(z []float32) error { _, err := s.Decode(z); return err },
		"Distance": func(z []float32) error { _, err := s.Distance(z); return err },
		"Gradient": func(z []float32) error { _, err := s.Gradient(z); return err },
		"Mean":     func(z []float32) error { _, err := s.Mean(z, 1); return err },
	} {
		size := s.Latent()
		if what == "Encode" || what == "Damage" {
			size = s.Image().Size()
		}
		wants(t, Shape, f(nil), what)
		wants(t, Shape, f(make([]float32, size-1)), what)
		wants(t, Shape, f(make([]float32, MaxNumbers/size*size+2*784*18)), what)
		wants(t, Range, f(slices.Repeat([]float32{nan}, size)), what)
		if err := f(make([]float32, 2*size)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, sigma := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		_, err := s.Mean(make([]float32, 18), sigma)
		wants(t, Range, err, "a width of the kernel")
	}
	image := make([]float32, 784)
	for kind, severity := range map[string]float64{"rain": 1, "gaussian": -1, "elastic": math.NaN(), "scribble": 1.5} {
		_, err := s.Damage(image, kind, severity, 0)
		wants(t, Range, err, kind)
	}
	for _, c := range []struct {
		strokes [][]float32
		code    Code
	}{
		{[][]float32{{}}, Shape}, {[][]float32{{1, 2}}, Shape}, {[][]float32{make([]float32, 3*20_001)}, Shape},
		{[][]float32{{1, 1, 0}}, Range}, {[][]float32{{nan, 1, 1}}, Range}, {[][]float32{{1, 2000, 1}}, Range}, {[][]float32{{1, 1, 50}}, Range},
	} {
		if len(c.strokes[0]) > 100 {
			for i := range c.strokes[0] {
				c.strokes[0][i] = 1
			}
		}
		_, err := s.Draw(c.strokes, true)
		wants(t, c.code, err, "a drawing")
	}
	if x, err := s.Draw(nil, true); err != nil || slices.Max(x) != 0 {
		t.Errorf("no strokes: %v", err)
	}
}
