package app

import (
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"
	"time"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/flow"
	"mppm/shared/idx"
	"mppm/shared/latent"
	"mppm/shared/project"
	"mppm/shared/rng"
)

// fake is an engine whose flow can be followed with a pencil: the code's first
// number is the image's mean, its second how far it is from clean. Each step
// halves that distance; the image is gray by what is left of it.
type fake struct {
	early int // steps after which every point has arrived, 0 for never
	flows int
	err   error
	plane *project.Plane // of the map
}

func (f *fake) Encode(z, x []float32) {
	for i := 0; i < len(x)/latent.Pixels; i++ {
		var sum float32
		for _, v := range x[i*latent.Pixels : (i+1)*latent.Pixels] {
			sum += v
		}
		z[i*latent.Latent], z[i*latent.Latent+1] = sum/latent.Pixels, 1
	}
}

func (f *fake) Decode(x, z []float32) {
	for i := 0; i < len(z)/latent.Latent; i++ {
		for k := range latent.Pixels {
			x[i*latent.Pixels+k] = z[i*latent.Latent+1]
		}
	}
}

func (f *fake) Noise(z []float32, src *rng.Source) {
	for i := 0; i < len(z)/latent.Latent; i++ {
		z[i*latent.Latent], z[i*latent.Latent+1] = src.Float32(), 1
	}
}

func (f *fake) Flow(z []float32, p latent.Preset) (iter.Seq[flow.Step], error) {
	f.flows++
	if f.err != nil {
		return nil, f.err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	n := len(z) / latent.Latent
	return func(yield func(flow.Step) bool) {
		d := make([]float32, n)
		for i := 0; ; i++ {
			for k := range n {
				d[k] = z[k*latent.Latent+1]
			}
			if !yield(flow.Step{Index: i, X: z, Distance: d}) || i == p.Steps || i == f.early && f.early > 0 {
				return
			}
			for k := range n {
				z[k*latent.Latent+1] /= 2
			}
		}
	}, nil
}

// Distance is the code's second number.
func (f *fake) Distance(d, grad, z []float32) {
	for i := range len(z) / latent.Latent {
		d[i] = z[i*latent.Latent+1]
	}
}

// Bank is thirty codes of three classes, far apart along the first and the third
// number.
func (f *fake) Bank() (codes []float32, labels []uint8) {
	src := rng.New(5, 0)
	for i := range 30 {
		z := make([]float32, latent.Latent)
		src.FillNorm(z, 0.1)
		class := i % 3
		z[0] += float32([]int{0, 4, 0}[class])
		z[2] += float32([]int{0, 0, 4}[class])
		codes, labels = append(codes, z...), append(labels, uint8(class))
	}
	return codes, labels
}

func (f *fake) Plane() *project.Plane { return f.plane }

func (f *fake) Only(class int) (Engine, error) {
	if class > 2 {
		return nil, fmt.Errorf("there is no class %d", class)
	}
	return &one{f, class}, nil
}

// one is the fake whose noise has its class as its first number.
type one struct {
	*fake
	class int
}

func (o *one) Noise(z []float32, src *rng.Source) {
	o.fake.Noise(z, src)
	for i := 0; i < len(z); i += latent.Latent {
		z[i] = float32(o.class)
	}
}

// reader takes an image for the digit that its mean, in tenths, names, and is
// the surer the darker it is.
type reader struct{ images int }

func (r *reader) Classify(probs, embeddings, x []float32) {
	for i := 0; i < len(x)/latent.Pixels; i++ {
		r.images++
		var sum float32
		for _, v := range x[i*latent.Pixels : (i+1)*latent.Pixels] {
			if !(v >= 0 && v <= 1) {
				panic("the classifier was given a pixel that is not shown")
			}
			sum += v
		}
		mean := float64(sum) / latent.Pixels
		probs[i*classifier.Classes+min(int(mean*10+1e-3), 9)] = float32(1 - mean/2)
	}
}

var preset = latent.Preset{Alpha: 0.6, Beta: 0.2, Sigma: 0.4, Steps: 4}

// twoDigits are a blank image called 3 and a full one called 8.
func twoDigits(t *testing.T) *Digits {
	t.Helper()
	pixels := make([]byte, 2*latent.Pixels)
	for i := latent.Pixels; i < len(pixels); i++ {
		pixels[i] = 255
	}
	images, err := idx.New(pixels, 2, 28, 28)
	if err != nil {
		t.Fatal(err)
	}
	labels, err := idx.New([]byte{3, 8}, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDigits(images.Encode(), labels.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newApp(t *testing.T, e *fake) *App {
	t.Helper()
	a, err := New(e, &reader{}, preset, preset, twoDigits(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// settle lets time pass until nothing moves.
func settle(t *testing.T, a *App) {
	t.Helper()
	for range 1000 {
		a.Update(20 * time.Millisecond)
		if !a.Busy() {
			return
		}
	}
	t.Fatal("the app never comes to rest")
}

func TestRestorePlaysToTheEnd(t *testing.T) {
	a := newApp(t, &fake{})
	a.Update(time.Millisecond)
	r := a.Readout()
	if r.Step != 0 || r.Steps != 4 || !r.Playing || r.Label != 3 {
		t.Fatalf("after the first frame: %+v; want step 0 of 4 of a 3, playing", r)
	}
	settle(t, a)
	r = a.Readout()
	if r.Step != 4 || r.Playing || r.Busy {
		t.Errorf("at rest: %+v; want step 4, not playing", r)
	}
	if want := 1.0 / 16; r.Distance != want {
		t.Errorf("D at the last step is %v, want %v", r.Distance, want)
	}
	// The fake's image is D everywhere and the original is 0 everywhere.
	if want := 1.0 / 256; math.Abs(r.MSEAfter-want) > 1e-9 {
		t.Errorf("MSE of the last step is %v, want %v", r.MSEAfter, want)
	}
	// On black, half of the noise is cut off: of 0.49, half is left, less what is
	// above 1.
	if r.MSEBefore < 0.15 || r.MSEBefore > 0.25 {
		t.Errorf("MSE of noise 0.7 is %v, want about 0.2", r.MSEBefore)
	}
	if got := r.Status(); !strings.HasPrefix(got, "step 4 of 4 · D = 0.06 · SSIM ") {
		t.Errorf("status is %q", got)
	}
}

func TestSeverityShowsAtOnce(t *testing.T) {
	e := &fake{}
	a := newApp(t, e)
	settle(t, a)
	a.Seek(2)
	settle(t, a)
	before := a.Readout().MSEBefore
	if err := a.SetSeverity(0.2); err != nil {
		t.Fatal(err)
	}
	a.Update(time.Millisecond)
	r := a.Readout()
	if r.MSEBefore >= before {
		t.Errorf("less noise has MSE %v, more had %v", r.MSEBefore, before)
	}
	if r.Step != 2 || r.Playing {
		t.Errorf("the playhead went to %d (playing %v); a slider must leave it at 2", r.Step, r.Playing)
	}
	flows := e.flows
	a.Update(time.Second)
	if e.flows != flows {
		t.Error("the flow was computed again though nothing changed")
	}
	revision := a.Revision()
	a.Update(time.Second)
	if a.Revision() != revision {
		t.Error("the revision grows though nothing changes: the page would redraw for ever")
	}
}

func TestSameSeedSameDamage(t *testing.T) {
	a, b := newApp(t, &fake{}), newApp(t, &fake{})
	settle(t, a)
	settle(t, b)
	if fmt.Sprint(a.Degraded()) != fmt.Sprint(b.Degraded()) {
		t.Error("the same seed gives different damage")
	}
	b.SetSeed(2)
	settle(t, b)
	if fmt.Sprint(a.Degraded()) == fmt.Sprint(b.Degraded()) {
		t.Error("another seed gives the same damage")
	}
}

func TestEveryKindOfDamage(t *testing.T) {
	a := newApp(t, &fake{})
	for _, i := range append(degrade.Kinds(), degrade.Info{Kind: None}) {
		if err := a.SetKind(i.Kind); err != nil {
			t.Errorf("%s: %v", i.Kind, err)
		}
		for _, s := range []float64{i.Min, i.Mild, i.Severe, i.Max} {
			if err := a.SetSeverity(s); err != nil {
				t.Errorf("%s: severity %v: %v", i.Kind, s, err)
			}
			a.Update(time.Millisecond)
			if a.Err() != nil {
				t.Errorf("%s at %v: %v", i.Kind, s, a.Err())
			}
		}
	}
	if a.Readout().MSEBefore != 0 {
		t.Errorf("no damage has MSE %v", a.Readout().MSEBefore)
	}
}

func TestRefusals(t *testing.T) {
	a := newApp(t, &fake{})
	state := a.State
	for name, err := range map[string]error{
		"mode":          a.SetMode("fly"),
		"kind":          a.SetKind("rust"),
		"no kind":       a.SetKind(""),
		"severity":      a.SetSeverity(99),
		"severity NaN":  a.SetSeverity(math.NaN()),
		"brush":         a.SetBrush(0),
		"brush NaN":     a.SetBrush(math.NaN()),
		"grid":          a.SetGrid(0),
		"large grid":    a.SetGrid(11),
		"digit":         a.SetDigit(2),
		"digit below 0": a.SetDigit(-1),
		"cell":          a.Select(36),
	} {
		if err == nil {
			t.Errorf("%s out of range was accepted", name)
		}
	}
	if a.State != state {
		t.Errorf("a refusal changed the state from %+v to %+v", state, a.State)
	}
	if _, err := New(&fake{}, &reader{}, latent.Preset{Alpha: 2, Sigma: 1}, preset, twoDigits(t)); err == nil {
		t.Error("a flow with α = 2 was accepted")
	}
	if _, err := New(&fake{}, &reader{}, preset, preset, nil); err == nil {
		t.Error("no digits were accepted")
	}
}

func TestEngineErrorIsShown(t *testing.T) {
	e := &fake{err: fmt.Errorf("the flow is dry")}
	a := newApp(t, e)
	a.Update(time.Millisecond)
	if got := a.Readout().Status(); got != "the flow is dry" {
		t.Errorf("status is %q", got)
	}
	e.err = nil
	a.SetSeed(5)
	a.Update(time.Millisecond)
	if a.Err() != nil {
		t.Errorf("the error stays: %v", a.Err())
	}
}

func TestAnotherDigitGoesRound(t *testing.T) {
	a := newApp(t, &fake{})
	for _, want := range []int{8, 3, 8} {
		a.AnotherDigit()
		settle(t, a)
		if got := a.Label(); got != want {
			t.Errorf("the next digit is a %d, want %d", got, want)
		}
	}
	if a.Original()[0] != 1 {
		t.Errorf("a byte of 255 is %v, want 1", a.Original()[0])
	}
	// Coming back from a drawing shows the digit that was there.
	a.PenDown(14, 14, 1)
	a.AnotherDigit()
	if a.Label() != 8 {
		t.Errorf("after a drawing the digit is a %d, want the 8 of before", a.Label())
	}
}

func TestDrawing(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	a.PenMove(3, 3, 1) // no stroke begun
	if a.Source != Digit {
		t.Error("moving over the pad without pressing draws")
	}
	a.PenDown(14, 6, 1)
	a.PenMove(14, 22, 1)
	a.PenUp()
	a.PenMove(2, 2, 1)
	settle(t, a)
	if a.Label() != -1 || a.Source != Drawing || a.PadEmpty() {
		t.Errorf("after a stroke: label %d, source %q, empty %v", a.Label(), a.Source, a.PadEmpty())
	}
	at := func(x, y int) float32 { return a.Original()[y*latent.Side+x] }
	if at(13, 14) != 1 || at(14, 14) != 1 {
		t.Errorf("the middle of the stroke has ink %v and %v, want 1", at(13, 14), at(14, 14))
	}
	if at(3, 3) != 0 || at(20, 14) != 0 {
		t.Error("there is ink where the pen was up")
	}
	if r := a.Readout(); r.Step != r.Steps {
		t.Errorf("while drawing, step %d of %d is shown, want the last", r.Step, r.Steps)
	}
	a.ClearPad()
	settle(t, a)
	if !a.PadEmpty() || at(14, 14) != 0 {
		t.Error("the pad is not empty after clearing")
	}
}

func TestGenerateGrows(t *testing.T) {
	e := &fake{}
	a := newApp(t, e)
	settle(t, a)
	if err := a.SetMode(Generate); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	p := a.Path()
	if p.N != 36 || p.Steps() != 5 {
		t.Fatalf("the grid has %d digits and %d steps, want 36 and 5", p.N, p.Steps())
	}
	if r := a.Readout(); r.Step != 4 || r.Distance != 1.0/16 {
		t.Errorf("at rest: %+v; want step 4 at mean D 0.0625", r)
	}
	flows := e.flows
	if err := a.SetMode(Restore); err != nil {
		t.Fatal(err)
	}
	if err := a.SetMode(Generate); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	if e.flows != flows {
		t.Error("going to the other tab and back computes the grid again")
	}
	if err := a.Select(35); err != nil {
		t.Fatal(err)
	}
	if err := a.SetGrid(2); err != nil {
		t.Fatal(err)
	}
	if a.Selected != 3 {
		t.Errorf("in a grid of 4, digit %d is selected", a.Selected)
	}
	a.Update(time.Millisecond)
	// A new seed in the middle of growing drops what was under way.
	a.SetGenerateSeed(7)
	settle(t, a)
	if a.Path().N != 4 || a.Path().Steps() != 5 {
		t.Errorf("the new grid has %d digits and %d steps", a.Path().N, a.Path().Steps())
	}
}

// TestWideKernel: the dial of σ goes beyond the width that a shrinking kernel
// starts with, and leaves that as it was.
func TestWideKernel(t *testing.T) {
	shrinks := preset
	shrinks.Sigma, shrinks.Start = 0.2, 0.5
	a, err := New(&fake{}, &reader{}, shrinks, shrinks, twoDigits(t))
	must(t, err)
	for _, m := range []Mode{Restore, Generate} {
		must(t, a.SetMode(m), a.SetParameter(Sigma, 2))
		settle(t, a)
		if err := a.Err(); err != nil {
			t.Errorf("%s: %v", m, err)
		}
		must(t, a.SetParameter(Sigma, 0.2))
		if got := a.Preset(); got != shrinks {
			t.Errorf("%s: there and back again the flow is %+v, was %+v", m, got, shrinks)
		}
	}
}

func TestEarlyArrivalShortensTheTimeline(t *testing.T) {
	a := newApp(t, &fake{early: 2})
	settle(t, a)
	if r := a.Readout(); r.Steps != 2 || r.Step != 2 {
		t.Errorf("restoring: step %d of %d, want 2 of 2", r.Step, r.Steps)
	}
	if err := a.SetMode(Generate); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	if r := a.Readout(); r.Steps != 2 || r.Step != 2 {
		t.Errorf("generating: step %d of %d, want 2 of 2", r.Step, r.Steps)
	}
}

func TestReducedMotion(t *testing.T) {
	a := newApp(t, &fake{})
	a.SetReducedMotion(true)
	a.Update(time.Millisecond)
	if r := a.Readout(); r.Step != 4 || r.Playing || a.Head().Moving() {
		t.Errorf("with reduced motion: %+v; want the last step at once", r)
	}
	a.Seek(1)
	a.Update(time.Millisecond)
	if a.Head().Moving() || a.Head().Pos() != 1 {
		t.Errorf("seeking eases to %v", a.Head().Pos())
	}
}

func TestDrawingSettles(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	a.PenDown(3, 2, 1)
	a.PenMove(3, 12, 1)
	a.Update(time.Millisecond)
	left := func() float32 { return a.Original()[7*latent.Side+3] }
	if left() != 1 || a.Settled() {
		t.Errorf("under the pen there is ink %v, settled %v; want the stroke where it is drawn", left(), a.Settled())
	}
	// The model gets the stroke in the middle all the while.
	if got := a.original[14*latent.Side+13]; got != 1 || a.original[7*latent.Side+3] != 0 {
		t.Errorf("the model does not get the stroke in the middle: ink %v there", got)
	}
	a.Update(time.Minute)
	if a.Settled() {
		t.Error("the drawing moves under the pen")
	}
	a.PenUp()
	if !a.Busy() {
		t.Error("the page would rest before the drawing is where it belongs")
	}
	settle(t, a)
	if left() != 0 || !a.Settled() || a.Original()[14*latent.Side+13] != 1 {
		t.Errorf("at rest the drawing is not shown as the model sees it: ink %v at the left", left())
	}
	// The next stroke begins where it is seen, under the pen.
	a.PenDown(20, 20, 1)
	a.Update(time.Millisecond)
	if got := a.Original()[20*latent.Side+20]; got < 0.95 {
		t.Errorf("under the pen there is ink %v, want nearly 1", got)
	}
	a.PenUp()
	settle(t, a)
	two := fmt.Sprint(a.Original())
	a.Undo()
	settle(t, a)
	if r := a.Readout(); !r.Undo || !r.Redo || fmt.Sprint(a.Original()) == two {
		t.Errorf("after taking a stroke back: undo %v, redo %v", r.Undo, r.Redo)
	}
	a.Redo()
	settle(t, a)
	if fmt.Sprint(a.Original()) != two || a.CanRedo() {
		t.Error("bringing the stroke back gives another picture")
	}
	a.ClearPad()
	a.Undo()
	settle(t, a)
	if fmt.Sprint(a.Original()) != two {
		t.Error("clearing cannot be taken back")
	}
	a.AnotherDigit()
	if a.Undo(); a.Source != Digit || a.CanUndo() {
		t.Error("undo works on a drawing that is not shown")
	}
}

func TestReadsEveryStep(t *testing.T) {
	a := newApp(t, &fake{})
	settle(t, a)
	// The fake's images have the means 1, 1/2, 1/4, 1/8 and 1/16.
	for step, want := range []Reading{{9, 0.5}, {5, 0.75}, {2, 0.875}, {1, 0.9375}, {0, 0.96875}} {
		a.Seek(step)
		settle(t, a)
		r := a.Readout()
		if math.Abs(r.Reads.Confidence-want.Confidence) > 1e-3 || r.Reads.Digit != want.Digit {
			t.Errorf("step %d reads as %+v, want %+v", step, r.Reads, want)
		}
	}
	r := a.Readout()
	if !strings.HasSuffix(r.Status(), " · reads as 0 (97 %)") {
		t.Errorf("status is %q", r.Status())
	}
	// Noise 0.7 on black, as it is shown, has the mean 0.7·φ(0) − …: about 0.25.
	if r.ReadsFirst.Digit < 2 || r.ReadsFirst.Digit > 3 || r.ReadsFirst.Confidence == 0 {
		t.Errorf("the damaged image reads as %+v", r.ReadsFirst)
	}
	a.ClearPad()
	settle(t, a)
	if r := a.Readout(); r.Reads.Confidence != 0 || strings.Contains(r.Status(), "reads") {
		t.Errorf("an empty pad %v: %q", r.Reads, r.Status())
	}
}

func TestReadsTheEnlargedDigit(t *testing.T) {
	a := newApp(t, &fake{})
	r := a.reader.(*reader)
	if err := a.SetMode(Generate); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	if r.images != 5 {
		t.Errorf("%d images were read, want the 5 of the digit that is shown large", r.images)
	}
	if got := a.Readout().Status(); got != "step 4 of 4 · mean D = 0.06 · cell 1 reads as 0 (97 %)" {
		t.Errorf("status is %q", got)
	}
	if err := a.Select(7); err != nil {
		t.Fatal(err)
	}
	settle(t, a)
	if got := a.Readout().Status(); r.images != 10 || !strings.HasSuffix(got, "cell 8 reads as 0 (97 %)") {
		t.Errorf("after %d images the status is %q", r.images, got)
	}
}

func TestReadingIsNeverQuiteSure(t *testing.T) {
	for _, c := range []struct {
		r    Reading
		want string
	}{
		{Reading{4, 0.97}, "reads as 4 (97 %)"},
		{Reading{0, 0.104}, "reads as 0 (10 %)"},
		{Reading{9, 0.994}, "reads as 9 (99 %)"},
		{Reading{9, 1}, "reads as 9 (> 99 %)"},
	} {
		if got := c.r.String(); got != c.want {
			t.Errorf("%+v says %q, want %q", c.r, got, c.want)
		}
	}
}
