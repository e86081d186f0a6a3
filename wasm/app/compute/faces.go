package compute

import (
	"mppm/shared/latent"
	"mppm/shared/metric"
	"mppm/shared/nn"
	"mppm/shared/rng"
)

// Meet finds out what a model of faces is like.
type Meet struct {
	answers[Features]
	Model string
}

// Features are what is to be known of one.
type Features struct {
	Image    nn.Shape
	Latent   int
	Skips    bool // its decoder takes what the encoder saw
	Local    bool // it knows the distance at each pixel
	Restore  latent.Preset
	Generate latent.Preset
}

func (j *Meet) code(w *wire) { text(w, &j.Model) }

func (f *Features) code(w *wire) {
	whole(w, &f.Image.H)
	whole(w, &f.Image.W)
	whole(w, &f.Image.C)
	whole(w, &f.Latent)
	w.bool(&f.Skips)
	w.bool(&f.Local)
	codePreset(w, &f.Restore)
	codePreset(w, &f.Generate)
}

func (j *Meet) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	yield(&Features{r.Image(), r.Latent(), r.HasSkips(), r.HasLocal(), r.Restore, r.Generate})
	return nil
}

// Face makes the face of a seed, by the model's own flow.
type Face struct {
	answers[Pixels]
	Model string
	Seed  uint64
}

// Pixels are an image, of numbers in [0, 1].
type Pixels struct{ X []float32 }

func (j *Face) code(w *wire) {
	text(w, &j.Model)
	w.uint64(&j.Seed)
}

func (p *Pixels) code(w *wire) { w.float32s(&p.X) }

func (j *Face) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	z, x := make([]float32, r.Latent()), make([]float32, r.Pixels())
	r.Noise(z, r.Generate, rng.New(j.Seed, 0))
	seq, err := r.Flow(z, r.Generate)
	if err != nil {
		return err
	}
	for range seq {
	}
	r.Decode(x, z)
	yield(&Pixels{x})
	return nil
}

// Heal restores a damaged face.
type Heal struct {
	answers[Picture]
	Model             string
	Original, Damaged []float32
	Flow              latent.Preset
}

// Picture is a step of a face.
type Picture struct {
	Ink      []byte
	Code     []float32
	Distance float32
	Before   Score // of the damaged face
	Score    Score
	Where    []float32 // of the first step: the distance at each pixel of the damaged face; nil where the flow does not ask for it
}

func (j *Heal) code(w *wire) {
	text(w, &j.Model)
	w.float32s(&j.Original)
	w.float32s(&j.Damaged)
	codePreset(w, &j.Flow)
}

func (p *Picture) code(w *wire) {
	w.bytes(&p.Ink)
	w.float32s(&p.Code)
	w.float32(&p.Distance)
	p.Before.code(w)
	p.Score.code(w)
	w.float32s(&p.Where)
}

func (j *Heal) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	if len(j.Original) != r.Pixels() || len(j.Damaged) != r.Pixels() {
		return errImages
	}
	var scorer metric.Scorer
	before, err := scoreOf(&scorer, r.Image(), j.Original, j.Damaged)
	if err != nil {
		return err
	}
	seq, err := r.Restoration(j.Damaged, j.Flow)
	if err != nil {
		return err
	}
	for f := range seq {
		x := f.Image()
		after, err := scoreOf(&scorer, r.Image(), j.Original, x)
		if err != nil {
			return err
		}
		p := &Picture{Ink: inks(x), Code: append([]float32(nil), f.X...), Distance: f.Distance[0], Before: before, Score: after}
		if f.Index == 0 {
			p.Where = append([]float32(nil), f.Local...)
		}
		if !yield(p) {
			return nil
		}
	}
	return nil
}

// scoreOf compares an image of a shape with the original.
func scoreOf(scorer *metric.Scorer, s nn.Shape, original, x []float32) (Score, error) {
	ssim, err := scorer.SSIMColor(original, x, s.W, s.H, s.C)
	if err != nil {
		return Score{}, err
	}
	return Score{metric.MSE(original, x), ssim}, nil
}

// FaceRivals has what a model of faces is compared with restore a damaged face: it answers
// with what the denoising autoencoder makes of it, and then diffusion.
//
// Diffusion is told how far the damage moved the code, whatever the damage is, and starts
// from the step whose noise does the same. The flow is never told.
type FaceRivals struct {
	answers[Picture]
	Model             string
	Original, Damaged []float32
	Seed              uint64 // of the noise of diffusion
}

func (j *FaceRivals) code(w *wire) {
	text(w, &j.Model)
	w.float32s(&j.Original)
	w.float32s(&j.Damaged)
	w.uint64(&j.Seed)
}

func (j *FaceRivals) run(m *Models, yield func(coded) bool) error {
	r, err := m.faceRivals(j.Model)
	if err != nil {
		return err
	}
	if len(j.Original) != r.Pixels() || len(j.Damaged) != r.Pixels() {
		return errImages
	}
	var skips latent.Skips
	var scorer metric.Scorer
	x, z, clean := make([]float32, r.Pixels()), make([]float32, r.Latent()), make([]float32, r.Latent())
	show := func() (bool, error) {
		r.DecodeSkips(x, z, &skips, nil)
		score, err := scoreOf(&scorer, r.Image(), j.Original, x)
		if err != nil {
			return false, err
		}
		return yield(&Picture{Ink: inks(x), Code: append([]float32(nil), z...), Score: score}), nil
	}
	r.Encode(clean, j.Original)
	r.EncodeSkips(z, j.Damaged, &skips)
	if more, err := show(); err != nil || !more {
		return err
	}
	steps := r.Schedule.Match(r.Spread(clean, z))
	seq, err := r.Restore(z, steps, []*rng.Source{rng.New(j.Seed, diffusionStream)})
	if err != nil {
		return err
	}
	for range seq {
	}
	r.Codes(z, z, 0)
	_, err = show()
	return err
}

// Growth grows faces from noise, each from a seed of its own, and then decodes them.
type Growth struct {
	answers[Faces]
	Model string
	Seeds []uint64
	Flow  latent.Preset
}

// Faces is a step of all codes, or where there is Ink, one face at the end.
type Faces struct {
	Codes    []float32
	Distance []float32
	Ink      []byte
}

func (j *Growth) code(w *wire) {
	text(w, &j.Model)
	items(w, &j.Seeds, 1, (*wire).uint64)
	codePreset(w, &j.Flow)
}

func (f *Faces) code(w *wire) {
	w.float32s(&f.Codes)
	w.float32s(&f.Distance)
	w.bytes(&f.Ink)
}

func (j *Growth) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	d := r.Latent()
	z := make([]float32, len(j.Seeds)*d)
	for i, seed := range j.Seeds {
		r.Noise(z[i*d:(i+1)*d], j.Flow, rng.New(seed, 0))
	}
	seq, err := r.Flow(z, j.Flow)
	if err != nil {
		return err
	}
	for s := range seq {
		if !yield(&Faces{Codes: append([]float32(nil), s.X...), Distance: append([]float32(nil), s.Distance...)}) {
			return nil
		}
	}
	x := make([]float32, r.Pixels())
	for i := range j.Seeds {
		r.Decode(x, z[i*d:(i+1)*d])
		if !yield(&Faces{Ink: inks(x)}) {
			return nil
		}
	}
	return nil
}

// Decode makes the images of codes of faces, one by one.
type Decode struct {
	answers[Faces]
	Model string
	Codes []float32
}

func (j *Decode) code(w *wire) {
	text(w, &j.Model)
	w.float32s(&j.Codes)
}

func (j *Decode) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	d := r.Latent()
	if len(j.Codes)%d != 0 {
		return errImages
	}
	x := make([]float32, r.Pixels())
	for z := j.Codes; len(z) > 0; z = z[d:] {
		r.Decode(x, z[:d])
		if !yield(&Faces{Ink: inks(x)}) {
			return nil
		}
	}
	return nil
}

// Pass turns one face into another: in so many steps along the straight line between
// their codes, each place on which the flow takes to where faces are.
type Pass struct {
	answers[Picture]
	Model    string
	From, To []float32
	Steps    int
	Flow     latent.Preset
}

func (j *Pass) code(w *wire) {
	text(w, &j.Model)
	w.float32s(&j.From)
	w.float32s(&j.To)
	whole(w, &j.Steps)
	codePreset(w, &j.Flow)
}

func (j *Pass) run(m *Models, yield func(coded) bool) error {
	r, err := m.faces(j.Model)
	if err != nil {
		return err
	}
	d := r.Latent()
	if len(j.From) != d || len(j.To) != d || j.Steps < 1 || j.Steps > maxWalk {
		return errImages
	}
	x, z, distance := make([]float32, r.Pixels()), make([]float32, d), make([]float32, 1)
	for i := range j.Steps + 1 {
		t := float32(i) / float32(j.Steps)
		between(z, j.From, j.To, t)
		if i > 0 && i < j.Steps {
			seq, err := r.Flow(z, j.Flow)
			if err != nil {
				return err
			}
			for range seq {
			}
		}
		r.Decode(x, z)
		r.Distance(distance, nil, z)
		if !yield(&Picture{Ink: inks(x), Code: append([]float32(nil), z...), Distance: distance[0]}) {
			return nil
		}
	}
	return nil
}
