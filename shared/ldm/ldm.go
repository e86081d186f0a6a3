// Package ldm restores and grows images by latent diffusion, which the paper compares its
// model with (Sec. 5): denoising diffusion, of package ddpm, of the codes of an autoencoder.
// Unlike the model of package latent it has to be told how badly an image is damaged.
//
// A Model is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine.
package ldm

import (
	"fmt"
	"iter"
	"math"
	"sort"

	"mppm/shared/ddpm"
	"mppm/shared/degrade"
	"mppm/shared/fault"
	"mppm/shared/latent"
	"mppm/shared/metadata"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// Kind is what the metadata key "kind" of the files Load reads has, as
// latent.Describe writes it.
const Kind = "ldm"

// Diffusion are the parameters of a linear schedule, as the metadata key
// "diffusion" has them.
type Diffusion struct {
	First float64 `json:"first"` // β of the first step
	Last  float64 `json:"last"`  // β of the last
	Steps int     `json:"steps"` // T
}

// Point is one of a curve that says what damage of a severity does to codes.
type Point struct {
	Severity float64 `json:"severity"`
	// Spread is the root mean square by which the damage moves a coordinate of a
	// code, in multiples of the codes' own standard deviation.
	Spread float64 `json:"spread"`
}

// Model is F, G, the denoiser, and how codes are made normal.
type Model struct {
	*latent.Autoencoder
	Schedule *ddpm.Schedule
	Meta     map[string]string // the file's metadata

	denoiser  *ddpm.Denoiser
	mean, std []float32 // of each coordinate of the codes of clean images
	damage    map[degrade.Kind][]Point
}

// Load reads a model from the bytes of a safetensors file. It trusts nothing in
// it, and returns an error that says which tensor or metadata key is wrong.
func Load(b []byte) (*Model, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("ldm: %w", err)
	}
	return New(f)
}

// New returns the model of what a safetensors file holds, as Load does. It copies the
// tensors, and keeps the metadata.
func New(f *safetensors.File) (*Model, error) {
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("ldm: %w", err)
	}
	return m, nil
}

func load(f *safetensors.File) (*Model, error) {
	if err := latent.CheckKind(f.Meta, Kind); err != nil {
		return nil, err
	}
	m := &Model{Meta: f.Meta}
	var d Diffusion
	if err := metadata.Numbers(f.Meta["diffusion"], map[string]any{"first": &d.First, "last": &d.Last, "steps": &d.Steps}); err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: diffusion: %w", err)
	}
	if err := m.loadDamage(f.Meta["damage"]); err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: damage: %w", err)
	}
	for kind, curve := range m.damage {
		if err := check(curve); err != nil {
			return nil, fault.New(fault.ErrMetadata, "metadata: damage: %s: %w", kind, err)
		}
	}
	var err error
	if m.Schedule, err = ddpm.Linear(d.First, d.Last, d.Steps); err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: %w", err)
	}
	if m.Autoencoder, err = latent.LoadAutoencoder(f); err != nil {
		return nil, err
	}
	if m.denoiser, err = ddpm.Load(f, m.Latent()); err != nil {
		return nil, err
	}
	if m.mean, err = f.Float32("latent.mean", m.Latent()); err != nil {
		return nil, err
	}
	if m.std, err = f.Float32("latent.std", m.Latent()); err != nil {
		return nil, err
	}
	for i, v := range m.std {
		if !(v > 0) {
			return nil, fault.New(fault.ErrTensor, "tensor latent.std: number %d is %v; it must be more than 0", i, v)
		}
	}
	return m, nil
}

// loadDamage reads what damage does to codes: a curve for each kind.
func (m *Model) loadDamage(text string) error {
	m.damage = map[degrade.Kind][]Point{}
	return metadata.Members(text, func(kind, curve string) error {
		var points []Point
		err := metadata.Items(curve, func(item string) error {
			var p Point
			err := metadata.Numbers(item, map[string]any{"severity": &p.Severity, "spread": &p.Spread})
			points = append(points, p)
			return err
		})
		m.damage[degrade.Kind(kind)] = points
		return err
	})
}

// check returns an error if the severities of a curve do not ascend or a spread
// is negative.
func check(curve []Point) error {
	if len(curve) == 0 {
		return fmt.Errorf("the curve is empty")
	}
	for i, p := range curve {
		if !(p.Spread >= 0) || i > 0 && !(p.Severity > curve[i-1].Severity) {
			return fmt.Errorf("point %d is %+v; severities must ascend and spreads be at least 0", i, p)
		}
	}
	return nil
}

// Blind is the damage that restoration takes an image to have when nobody says
// what it is.
var Blind = degrade.Degradation{Kind: degrade.Gaussian, Severity: 0.7}

// Start returns from how many steps restoration of images with a damage starts:
// as many as give codes, in root mean square, the noise that the damage gives
// them. The file knows that of training images, for each kind of damage by its
// severity; between two severities it goes along a line. It returns an error if
// the file does not know the kind.
//
// So diffusion is told the kind and the severity of the damage, which the flow
// of package latent never is.
func (m *Model) Start(d degrade.Degradation) (int, error) {
	curve, ok := m.damage[d.Kind]
	if !ok {
		return 0, fmt.Errorf("ldm: the weights do not say from which step to restore damage of the kind %q", d.Kind)
	}
	i := sort.Search(len(curve), func(i int) bool { return curve[i].Severity >= d.Severity })
	switch {
	case i == len(curve):
		return m.Schedule.Match(curve[i-1].Spread), nil
	case i == 0:
		return m.Schedule.Match(curve[0].Spread), nil
	}
	a, b := curve[i-1], curve[i]
	share := (d.Severity - a.Severity) / (b.Severity - a.Severity)
	return m.Schedule.Match(float64(a.Spread*(1-share)) + float64(b.Spread*share)), nil
}

// Spread returns the root mean square by which the coordinates of codes b (n ×
// d, as F gives them) differ from those of codes a, in multiples of
// the standard deviation of the codes of clean images.
func (m *Model) Spread(a, b []float32) float64 {
	var sum float64
	for i, v := range a {
		e := (float64(b[i]) - float64(v)) / float64(m.std[i%len(m.std)])
		sum += float64(e * e)
	}
	return math.Sqrt(sum / float64(len(a)))
}

// Runner computes with a model. It holds the workspaces of the nets and is not
// safe for concurrent use.
type Runner struct {
	*Model
	*latent.Coder
	predictor *ddpm.Runner
}

// Runner returns a runner that computes at most batch ≥ 1 images at a time.
func (m *Model) Runner(batch int) *Runner {
	return &Runner{Model: m, Coder: m.Autoencoder.Coder(batch), predictor: m.denoiser.Runner(batch)}
}

// Restore takes the codes z = F(x) of damaged images (n × d) into the
// diffusion after so many steps, and back through them: it yields the start and
// every step, as points of the diffusion; Codes makes codes of them. z holds the
// points. Image i draws from sources[i] alone. Restore returns an error if steps
// is not in [0, Schedule.Len()] or there is not one source for each image.
func (r *Runner) Restore(z []float32, steps int, sources []*rng.Source) (iter.Seq[ddpm.Step], error) {
	seq, err := r.Schedule.Run(r.predictor, steps, z, sources)
	if err != nil {
		return nil, err
	}
	return func(yield func(ddpm.Step) bool) {
		r.points(z, z)
		r.Schedule.Enter(z, steps)
		seq(yield)
	}, nil
}

// Generate grows points from pure noise, which it draws: Alg. 3. It yields as
// Restore does.
func (r *Runner) Generate(z []float32, sources []*rng.Source) (iter.Seq[ddpm.Step], error) {
	seq, err := r.Schedule.Run(r.predictor, r.Schedule.Len(), z, sources)
	if err != nil {
		return nil, err
	}
	return func(yield func(ddpm.Step) bool) {
		d := r.Latent()
		for i, src := range sources {
			src.FillNorm(z[i*d:(i+1)*d], 1)
		}
		seq(yield)
	}, nil
}

// points writes to dst the codes z with mean 0 and standard deviation 1.
func (m *Model) points(dst, z []float32) {
	for i, v := range z {
		k := i % len(m.std)
		dst[i] = (v - m.mean[k]) / m.std[k]
	}
}

// Codes writes to z the codes, for Decode, of points x of the diffusion with so
// many steps left, both n × d: of ones between the ends, what they are with
// their noise. z may be x.
func (m *Model) Codes(z, x []float32, left int) {
	scale := float32(1)
	if left > 0 {
		scale = float32(1 / math.Sqrt(m.Schedule.Kept(left-1)))
	}
	for i, v := range x {
		k := i % len(m.std)
		z[i] = float32(float32(v*scale)*m.std[k]) + m.mean[k]
	}
}
