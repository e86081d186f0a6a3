package compute

import (
	"fmt"
	"math"

	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/rng"
	"mppm/wasm/app/model"
	"mppm/wasm/app/timeline"
)

// Score compares an image with the original.
type Score struct {
	MSE  float64 `json:"mse"`
	SSIM float64 `json:"ssim"`
}

func (s *Score) code(w *wire) {
	w.float64(&s.MSE)
	w.float64(&s.SSIM)
}

// Compare scores an image in gray of w × h pixels. It returns an error if that is not
// the shape of both, or SSIM's window does not fit.
func Compare(original, x []float32, w, h int) (Score, error) {
	ssim, err := metric.SSIM(original, x, w, h)
	if err != nil {
		return Score{}, err
	}
	return Score{MSE: metric.MSE(original, x), SSIM: ssim}, nil
}

func codeReading(w *wire, r *model.Reading) {
	whole(w, &r.Digit)
	w.float64(&r.Confidence)
}

func codePreset(w *wire, p *latent.Preset) {
	for _, v := range []*float32{&p.Alpha, &p.Beta, &p.Sigma, &p.Start, &p.Tau, &p.Tolerance, &p.Noise, &p.Trust, &p.Local, &p.Keep} {
		w.float32(v)
	}
	whole(w, &p.Steps)
	whole(w, &p.Rounds)
}

func codeMemory(w *wire, t *latent.Memory) {
	w.float32s(&t.Codes)
	w.float32(&t.Weight)
	items(w, &t.Forget, 1, whole)
}

// inks returns images in [0, 1] as they are shown.
func inks(x []float32) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		b[i] = timeline.Ink(v)
	}
	return b
}

// Restore has one image of a digit restored, or one code flow, and reads every step.
type Restore struct {
	answers[Restored]
	Original []float32 // to score against; nil: nothing is scored
	Damaged  []float32 // nil: Code flows
	Code     []float32
	Flow     latent.Preset
	Taught   latent.Memory // what the bank is taught
}

// Restored is a whole flow of one image. Without a classifier nothing is read.
type Restored struct {
	Ink      []byte // of every step, one after the other
	Codes    []float32
	Distance []float32 // D of every step
	Before   Score     // of the damaged image
	Scores   []Score   // of every step

	ReadsFirst model.Reading   // the damaged image, as it is shown
	Reads      []model.Reading // of every step
}

func (j *Restore) code(w *wire) {
	w.float32s(&j.Original)
	w.float32s(&j.Damaged)
	w.float32s(&j.Code)
	codePreset(w, &j.Flow)
	codeMemory(w, &j.Taught)
}

func (r *Restored) code(w *wire) {
	w.bytes(&r.Ink)
	w.float32s(&r.Codes)
	w.float32s(&r.Distance)
	r.Before.code(w)
	items(w, &r.Scores, 16, func(w *wire, s *Score) { s.code(w) })
	codeReading(w, &r.ReadsFirst)
	items(w, &r.Reads, 9, codeReading)
}

func (j *Restore) run(m *Models, yield func(coded) bool) error {
	e, err := m.teach(j.Taught)
	if err != nil {
		return err
	}
	shape := e.Image()
	z := append([]float32(nil), j.Code...)
	if j.Damaged != nil {
		if len(j.Damaged) != shape.Size() || j.Original != nil && len(j.Original) != shape.Size() {
			return errImages
		}
		z = make([]float32, e.Latent())
		e.Encode(z, j.Damaged)
	}
	if len(z) != e.Latent() {
		return errImages
	}
	seq, err := e.Flow(z, j.Flow)
	if err != nil {
		return err
	}
	r := new(Restored)
	for s := range seq {
		r.Codes = append(r.Codes, s.X...)
		r.Distance = append(r.Distance, s.Distance...)
	}
	n := len(r.Distance)
	x := make([]float32, n*shape.Size())
	e.Decode(x, r.Codes)
	r.Ink = inks(x)
	if j.Original != nil {
		if r.Before, err = Compare(j.Original, j.Damaged, shape.W, shape.H); err != nil {
			return err
		}
		r.Scores = make([]Score, n)
		for i := range r.Scores {
			if r.Scores[i], err = Compare(j.Original, x[i*shape.Size():(i+1)*shape.Size()], shape.W, shape.H); err != nil {
				return err
			}
		}
	}
	if !m.readable() {
		yield(r)
		return nil
	}
	if j.Damaged == nil {
		if r.Reads, err = readInk(m, r.Ink); err == nil {
			yield(r)
		}
		return err
	}
	c, err := m.reader()
	if err != nil {
		return err
	}
	// The damaged image is read as it is shown, without what leaves [0, 1].
	shown := make([]float32, shape.Size())
	for i, v := range j.Damaged {
		shown[i] = min(max(v, 0), 1)
	}
	r.ReadsFirst, r.Reads = model.Read(c, shown, 1)[0], model.Read(c, x, n)
	yield(r)
	return nil
}

// Grow has codes flow by the bank of a class, and decodes every step.
type Grow struct {
	answers[Grown]
	Class  int       // -1: all classes
	Codes  []float32 // where they start
	Flow   latent.Preset
	Taught latent.Memory // what the bank of all classes is taught
}

// Grown is a step of all codes.
type Grown struct {
	Index    int
	Ink      []byte
	Codes    []float32
	Distance []float32
}

func (j *Grow) code(w *wire) {
	whole(w, &j.Class)
	w.float32s(&j.Codes)
	codePreset(w, &j.Flow)
	codeMemory(w, &j.Taught)
}

func (g *Grown) code(w *wire) {
	whole(w, &g.Index)
	w.bytes(&g.Ink)
	w.float32s(&g.Codes)
	w.float32s(&g.Distance)
}

func (j *Grow) run(m *Models, yield func(coded) bool) error {
	e, err := m.only(j.Class, j.Taught)
	if err != nil {
		return err
	}
	z := append([]float32(nil), j.Codes...)
	if len(z)%e.Latent() != 0 {
		return errImages
	}
	seq, err := e.Flow(z, j.Flow)
	if err != nil {
		return err
	}
	x := make([]float32, len(z)/e.Latent()*e.Image().Size())
	for s := range seq {
		e.Decode(x, s.X)
		if !yield(&Grown{s.Index, inks(x), append([]float32(nil), s.X...), append([]float32(nil), s.Distance...)}) {
			return nil
		}
	}
	return nil
}

// Divide returns the bounds of part i of n things in so many parts.
func Divide(n, parts, i int) (lo, hi int) { return n * i / parts, n * (i + 1) / parts }

// Walk goes in a straight line from one code to another, and has the flow take every
// place but the ends to where digits are. The answer is one Restored.
type Walk struct {
	answers[Restored]
	Class    int
	From, To []float32
	Steps    int
	Flow     latent.Preset
	Taught   latent.Memory // what the bank of all classes is taught
}

// maxWalk bounds the steps of a walk.
const maxWalk = 1000

func (j *Walk) code(w *wire) {
	whole(w, &j.Class)
	w.float32s(&j.From)
	w.float32s(&j.To)
	whole(w, &j.Steps)
	codePreset(w, &j.Flow)
	codeMemory(w, &j.Taught)
}

func (j *Walk) run(m *Models, yield func(coded) bool) error {
	e, err := m.only(j.Class, j.Taught)
	if err != nil {
		return err
	}
	d := e.Latent()
	if len(j.From) != d || len(j.To) != d {
		return errImages
	}
	if j.Steps < 1 || j.Steps > maxWalk {
		return fmt.Errorf("a walk of %d steps; give 1 to %d", j.Steps, maxWalk)
	}
	n := j.Steps + 1
	r := &Restored{Codes: make([]float32, n*d), Distance: make([]float32, n)}
	for i := range n {
		t := float32(i) / float32(j.Steps)
		between(r.Codes[i*d:(i+1)*d], j.From, j.To, t)
	}
	seq, err := e.Flow(r.Codes[d:j.Steps*d], j.Flow)
	if err != nil {
		return err
	}
	for range seq {
	}
	x := make([]float32, n*e.Image().Size())
	e.Decode(x, r.Codes)
	e.Distance(r.Distance, nil, r.Codes)
	r.Ink = inks(x)
	if m.readable() {
		r.Reads, err = readInk(m, r.Ink)
	}
	if err == nil {
		yield(r)
	}
	return err
}

// between writes to z the code at t, from 0 to 1, of the straight line between two.
func between(z, from, to []float32, t float32) {
	for k := range z {
		z[k] = from[k] + float32(t*(to[k]-from[k]))
	}
}

// Read has the classifier read images as they are shown.
type Read struct {
	answers[Readings]
	Ink []byte
}

// Readings are what they are read as.
type Readings struct{ Reads []model.Reading }

func (j *Read) code(w *wire) { w.bytes(&j.Ink) }

func (r *Readings) code(w *wire) { items(w, &r.Reads, 9, codeReading) }

func (j *Read) run(m *Models, yield func(coded) bool) error {
	reads, err := readInk(m, j.Ink)
	if err == nil {
		yield(&Readings{reads})
	}
	return err
}

func readInk(m *Models, ink []byte) ([]model.Reading, error) {
	e, err := m.engine()
	if err != nil {
		return nil, err
	}
	c, err := m.reader()
	if err != nil {
		return nil, err
	}
	size := e.Image().Size()
	if len(ink)%size != 0 {
		return nil, errImages
	}
	x := make([]float32, len(ink))
	for i, b := range ink {
		x[i] = float32(b) / 255
	}
	return model.Read(c, x, len(ink)/size), nil
}

// Rivals has the baselines restore a damaged image: the denoising autoencoder, or
// diffusion.
type Rivals struct {
	answers[Rival]
	Diffusion         bool
	Original, Damaged []float32
	Damage            degrade.Degradation // that diffusion is told
	Seed              uint64              // diffusion's noise is of its stream 1
	Shown             int                 // the last step of the timeline on which diffusion is shown
}

// diffusionStream is the stream of a seed that diffusion draws from; the damage draws
// from stream 0.
const diffusionStream = 1

// Rival is what the denoising autoencoder makes of the image, or a step of diffusion;
// one that is not shown has no image.
type Rival struct {
	Ink   []byte
	Code  []float32
	Score Score
	Reads model.Reading
	Done  int // steps of diffusion
	Total int // of so many
}

func (j *Rivals) code(w *wire) {
	w.bool(&j.Diffusion)
	w.float32s(&j.Original)
	w.float32s(&j.Damaged)
	text(w, &j.Damage.Kind)
	w.float64(&j.Damage.Severity)
	w.uint64(&j.Seed)
	whole(w, &j.Shown)
}

func (r *Rival) code(w *wire) {
	w.bytes(&r.Ink)
	w.float32s(&r.Code)
	r.Score.code(w)
	codeReading(w, &r.Reads)
	whole(w, &r.Done)
	whole(w, &r.Total)
}

func (j *Rivals) run(m *Models, yield func(coded) bool) error {
	b, err := m.baselines()
	if err != nil {
		return err
	}
	e, err := m.engine()
	if err != nil {
		return err
	}
	shape := e.Image()
	if len(j.Original) != shape.Size() || len(j.Damaged) != shape.Size() {
		return errImages
	}
	x, z := make([]float32, shape.Size()), make([]float32, e.Latent())
	picture := func(done, total int) (*Rival, error) {
		score, err := Compare(j.Original, x, shape.W, shape.H)
		if err != nil {
			return nil, fmt.Errorf("comparing: %w", err)
		}
		r := &Rival{Ink: inks(x), Code: append([]float32(nil), z...), Score: score, Done: done, Total: total}
		if !m.readable() {
			return r, nil
		}
		c, err := m.reader()
		if err != nil {
			return nil, err
		}
		r.Reads = model.Read(c, x, 1)[0]
		return r, nil
	}
	b.Encode(z, j.Damaged)
	b.Decode(x, z)
	total, err := b.Start(j.Damage)
	if err != nil {
		return err
	}
	if !j.Diffusion {
		r, err := picture(0, total)
		if err == nil {
			yield(r)
		}
		return err
	}
	at := append([]float32(nil), z...)
	seq, err := b.Restore(at, total, []*rng.Source{rng.New(j.Seed, diffusionStream)})
	if err != nil {
		return err
	}
	shown := 0
	for s := range seq {
		pictured := false
		for shown <= j.Shown && s.Index >= ShownAt(shown, j.Shown, total) {
			b.Codes(z, s.X, s.Left)
			b.Decode(x, z)
			if r, err := picture(s.Index, total); err != nil || !yield(r) {
				return err
			}
			shown, pictured = shown+1, true
		}
		if !pictured && !yield(&Rival{Done: s.Index, Total: total}) {
			return nil
		}
	}
	return nil
}

// ShownAt returns after which of total steps of diffusion its picture at a step
// of the timeline 0 … last is taken.
func ShownAt(step, last, total int) int {
	if last < 1 {
		return total
	}
	return int(math.Round(float64(step) / float64(last) * float64(total)))
}
