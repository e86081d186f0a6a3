// Package latent restores damaged images, and grows new ones from noise. An image is
// encoded to a code of a few numbers; the code flows, step by step, to where the codes of
// clean images are; where it arrives, it is decoded. Whoever generates starts from a code
// that is noise.
//
// It is the paper's Latent Manifold-Probabilistic Projection Model (LMPPM, Sec. 4.2): the
// encoder F, the decoder G and the distance D, the bank of codes that the density is of, and
// the flow of Alg. 4 through them. Images and codes have the shapes that a model's nets have.
//
// A Model is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine.
package latent

import (
	"fmt"
	"iter"
	"math"
	"strings"

	"mppm/shared/fault"
	"mppm/shared/flow"
	"mppm/shared/kde"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/project"
	"mppm/shared/rng"
	"mppm/shared/safetensors"
)

// Kind is what the metadata key "kind" of the files Load reads has: see Describe.
const Kind = "lmppm"

// Preset is a flow with its kernel: the parameters of Alg. 4.
type Preset struct {
	Alpha     float32 `json:"alpha"`               // α of Eq. 15
	Beta      float32 `json:"beta"`                // β of Eq. 15
	Sigma     float32 `json:"sigma"`               // σ_ker of Eq. 21, in multiples of the bank's spacing; > 0
	Start     float32 `json:"start,omitempty"`     // σ_ker of the first step, likewise: it shrinks to 1−β of itself with every step, down to Sigma; 0: Sigma throughout
	Tau       float32 `json:"tau,omitempty"`       // τ of the gate, likewise; 0: no gate
	Steps     int     `json:"steps"`               // at most so many steps
	Tolerance float32 `json:"tolerance,omitempty"` // a point that moves by no more, likewise, has arrived; 0: never
	Noise     float32 `json:"noise,omitempty"`     // generation alone: spread of the start, in multiples of the codes' own
	Rounds    int     `json:"rounds,omitempty"`    // restoration alone: how often the image is encoded, and flows all Steps (App. B.3); 0 is 1
	Trust     float32 `json:"trust,omitempty"`     // restoration by a U-Net alone: the distance, in multiples of the spacing, at which skips and projections count alike; 0: the skips as they are
	Local     float32 `json:"local,omitempty"`     // restoration with L alone: the same at each pixel, in units of the pixels
	Keep      float32 `json:"keep,omitempty"`      // restoration with L alone: the distance, in units of the pixels, at which a bright pixel as it was and as it is decoded count alike; 0: all of it is decoded
}

// MaxRounds bounds Preset.Rounds.
const MaxRounds = 100

// Widened returns p with a kernel that shrinks starting no narrower than it ends,
// for controls that set Sigma alone.
func (p Preset) Widened() Preset {
	if p.Start > 0 {
		p.Start = max(p.Start, p.Sigma)
	}
	return p
}

// Validate returns an error that says which parameter is out of range.
func (p Preset) Validate() error {
	if !(p.Sigma > 0) || math.IsInf(float64(p.Sigma), 0) {
		return fmt.Errorf("flow: σ_ker is %v; it must be more than 0", p.Sigma)
	}
	if !(p.Start == 0 || p.Start >= p.Sigma) || math.IsInf(float64(p.Start), 0) {
		return fmt.Errorf("flow: σ_ker starts at %v and ends at %v; it must start at no less, or at 0 to stay as it is", p.Start, p.Sigma)
	}
	if !(p.Noise >= 0) || math.IsInf(float64(p.Noise), 0) {
		return fmt.Errorf("flow: the noise is %v; it must be a number of at least 0", p.Noise)
	}
	for _, v := range []struct {
		name  string
		value float32
	}{{"the trust in skips", p.Trust}, {"the local trust in skips", p.Local}, {"the distance up to which pixels are kept", p.Keep}} {
		if !(v.value >= 0) || math.IsInf(float64(v.value), 0) {
			return fmt.Errorf("flow: %s is %v; it must be a number of at least 0", v.name, v.value)
		}
	}
	if p.Rounds < 0 || p.Rounds > MaxRounds {
		return fmt.Errorf("flow: %d rounds; give 0 to %d", p.Rounds, MaxRounds)
	}
	return p.flow(1).Validate()
}

func (p Preset) flow(spacing float32) flow.Params {
	return flow.Params{Alpha: p.Alpha, Beta: p.Beta, Tau: p.Tau * spacing, Steps: p.Steps, Tolerance: p.Tolerance * spacing}
}

// Bank is the code bank S of Eq. 21, compressed to cluster centers.
type Bank struct {
	*kde.Bank
	Spacing float32 // median distance from a training code to the nearest other
	Labels  []uint8 // class of each code; nil where the data had none
}

// Model is F, G, D, the code bank and the flow's parameters. A denoising
// autoencoder, the baseline, is a model without D.
type Model struct {
	*Autoencoder
	Restore  Preset            // the default flow of restoration
	Generate Preset            // the default flow of generation
	Presets  map[string]Preset // every flow that the file names, those two included
	Bank     *Bank
	Plane    *project.Plane    // on which classes of codes overlap least; nil where the file names none
	Meta     map[string]string // the file's metadata

	distance *nn.Field // nil where there is no D
	classes  []string  // nil where the file names none

	priorMean, priorFactor []float32 // mean of the codes; lower triangle L, L·Lᵀ their covariance
}

// Load reads a model from the bytes of a safetensors file. It trusts nothing in
// it, and returns an error that says which tensor or metadata key is wrong.
func Load(b []byte) (*Model, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("latent: %w", err)
	}
	return New(f)
}

// New returns the model of what a safetensors file holds, as Load does. It copies the
// tensors, and keeps the metadata.
func New(f *safetensors.File) (*Model, error) {
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("latent: %w", err)
	}
	return m, nil
}

func load(f *safetensors.File) (*Model, error) {
	if err := CheckKind(f.Meta, Kind); err != nil {
		return nil, err
	}
	m := &Model{Meta: f.Meta, Presets: map[string]Preset{}}
	var err error
	if m.Autoencoder, err = LoadAutoencoder(f); err != nil {
		return nil, err
	}
	if err := m.loadDistance(f); err != nil {
		return nil, err
	}
	for key, text := range f.Meta {
		name, ok := strings.CutPrefix(key, "flow.")
		if !ok {
			continue
		}
		p, err := parsePreset(text)
		if err != nil {
			return nil, fault.New(fault.ErrMetadata, "metadata: %s: %w", key, err)
		}
		if err := m.check(p); err != nil {
			return nil, fault.New(fault.ErrMetadata, "metadata: %s: %w", key, err)
		}
		m.Presets[name] = p
	}
	for name, p := range map[string]*Preset{"restore": &m.Restore, "generate": &m.Generate} {
		var ok bool
		if *p, ok = m.Presets[name]; !ok {
			return nil, fault.New(fault.ErrMetadata, "metadata: flow.%s is missing", name)
		}
	}
	d := m.Latent()
	if m.priorMean, err = f.Float32("prior.mean", d); err != nil {
		return nil, err
	}
	if m.priorFactor, err = f.Float32("prior.factor", d, d); err != nil {
		return nil, err
	}
	if m.Bank, err = loadBank(f); err != nil {
		return nil, err
	}
	if m.Bank.Dim() != d {
		return nil, fault.New(fault.ErrTensor, "tensor bank.codes is of codes of %d numbers; the encoder's have %d", m.Bank.Dim(), d)
	}
	if m.Plane, err = loadPlane(f, d); err != nil {
		return nil, err
	}
	return m, m.loadClasses()
}

// loadClasses reads the names of the classes, of which every label has to have one.
func (m *Model) loadClasses() (err error) {
	if m.classes, err = metadata.Classes(m.Meta); m.classes == nil {
		return err
	}
	for j, label := range m.Bank.Labels {
		if int(label) >= len(m.classes) {
			return fault.New(fault.ErrTensor, "tensor bank.labels: label %d is %d; the metadata has names of %d classes", j, label, len(m.classes))
		}
	}
	return nil
}

// Classes returns the names of the classes that Bank.Labels tells apart, class 0 first,
// or nil where the file names none: their numbers are their names then, as of digits.
func (m *Model) Classes() []string { return m.classes }

// loadDistance reads D. A file with none of its tensors and no activation for
// it is of a model without D.
func (m *Model) loadDistance(f *safetensors.File) error {
	activation, some := f.Meta["distance.activation"]
	for _, t := range f.Tensors {
		some = some || strings.HasPrefix(t.Name, "distance.")
	}
	if !some {
		return nil
	}
	act := nn.Activation(activation)
	if !act.Valid() {
		return fault.New(fault.ErrMetadata, "metadata: distance.activation is %q; want %q or %q", activation, nn.SiLU, nn.ReLU)
	}
	d, err := nn.LoadMLP(f, "distance", m.Latent(), 1, act)
	if err != nil {
		return err
	}
	m.distance, err = d.Field()
	return err
}

// HasDistance reports whether the model has D. Without it every distance is 0,
// and only flows with α = 0 and τ = 0 can run.
func (m *Model) HasDistance() bool { return m.distance != nil }

// check returns an error if p is not a flow that the model can run.
func (m *Model) check(p Preset) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if !m.HasLocal() && (p.Local > 0 || p.Keep > 0) {
		return fmt.Errorf("flow: the local trust in skips is %v and pixels are kept up to %v, but the model has no net for the distance at each pixel; give 0 and 0", p.Local, p.Keep)
	}
	if m.HasDistance() {
		return nil
	}
	if p.Alpha > 0 {
		return fmt.Errorf("flow: α is %v, but the model has no distance net to descend (it is a denoising autoencoder); give α 0", p.Alpha)
	}
	if p.Tau > 0 {
		return fmt.Errorf("flow: τ is %v, but the model has no distance net to gate the kernel (it is a denoising autoencoder); give τ 0", p.Tau)
	}
	if p.Trust > 0 {
		return fmt.Errorf("flow: the trust in skips is %v, but the model has no distance net to weigh them by (it is a denoising autoencoder); give 0", p.Trust)
	}
	return nil
}

func loadBank(f *safetensors.File) (*Bank, error) {
	t, ok := f.Lookup("bank.codes")
	if !ok || len(t.Shape) != 2 || t.Shape[0] < 1 {
		return nil, fault.New(fault.ErrTensor, "tensor bank.codes is missing or not of shape [numbers of a code, codes]")
	}
	codes, err := f.Float32("bank.codes", t.Shape...)
	if err != nil {
		return nil, err
	}
	k, err := kde.New(codes, t.Shape[0])
	if err != nil {
		return nil, err
	}
	b := &Bank{Bank: k}
	if _, ok := f.Lookup("bank.labels"); ok {
		if b.Labels, err = f.Uint8("bank.labels", k.Len()); err != nil {
			return nil, err
		}
	}
	s, err := f.Float32("bank.spacing", 1)
	if err != nil {
		return nil, err
	}
	if b.Spacing = s[0]; !(b.Spacing > 0) {
		return nil, fault.New(fault.ErrTensor, "tensor bank.spacing is %v; it must be more than 0", b.Spacing)
	}
	return b, nil
}

// Runner computes with a model. It holds the workspaces of the nets and is not
// safe for concurrent use.
type Runner struct {
	*Model
	*Coder
	d    *nn.FieldRunner // nil where there is no D
	bank kde.Workspace
}

// Runner returns a runner that computes at most batch ≥ 1 images at a time:
// memory for about 90 KB an image.
func (m *Model) Runner(batch int) *Runner {
	r := &Runner{Model: m, Coder: m.Autoencoder.Coder(batch)}
	if m.HasDistance() {
		r.d = m.distance.Runner(batch)
	}
	return r
}

// Mean writes to mean the kernel mean z̄ (Eq. 21) of each code of z, both
// n × d, for σ_ker = sigma > 0 in multiples of the bank's spacing.
func (r *Runner) Mean(mean, z []float32, sigma float32) {
	r.Bank.Mean(mean, z, sigma*r.Bank.Spacing, &r.bank)
}

// Distance writes to d (n) the learned distance of each code of z (n × d)
// to the codes of clean images, cut off below at 0, and to grad (n × d) its
// unit gradient (Eq. 14). grad may be nil. Without D all of them are 0.
func (r *Runner) Distance(d, grad, z []float32) {
	flow.Unit(r.evaluate(d, grad, z), r.Latent())
}

// Gradient writes to grad ∇D at each code of z, both n × d, as long as it is:
// that of a distance has length 1. Where D is cut off at 0, it is the gradient of
// what was cut off. Without D it is 0.
func (r *Runner) Gradient(grad, z []float32) {
	r.evaluate(make([]float32, len(z)/r.Latent()), grad, z)
}

// evaluate writes D, cut off below at 0, and its gradient, unless grad is nil. It returns
// what is written of that.
func (r *Runner) evaluate(d, grad, z []float32) []float32 {
	n := min(len(z)/r.Latent(), len(d))
	if grad != nil {
		n = min(n, len(grad)/r.Latent())
		grad = grad[:n*r.Latent()]
	}
	d, z = d[:n], z[:n*r.Latent()]
	if r.d == nil {
		clear(d)
		clear(grad)
		return grad
	}
	r.d.Evaluate(d, grad, z)
	for i, v := range d {
		d[i] = max(v, 0)
	}
	return grad
}

// Flow flows the codes z (n × d) in place, and yields the start and every
// step (Alg. 4). It returns an error if p is not valid, or needs a D that the
// model does not have.
func (r *Runner) Flow(z []float32, p Preset) (iter.Seq[flow.Step], error) {
	if err := r.check(p); err != nil {
		return nil, err
	}
	return flow.Run(&field{r, max(p.Sigma, p.Start), p.Sigma, 1 - p.Beta}, p.flow(r.Bank.Spacing), z)
}

// field is a runner seen as a flow's field. Its kernel may shrink from step to
// step: if z is a code and noise of width σ, then z̄ with that σ_ker is what to
// expect of the code, (1−β)z + β·z̄ has (1−β)σ of the noise left, and that is
// the width for the next step. It is the sampler of DDIM (Song et al. 2021),
// with the bank itself in place of a denoising net.
type field struct {
	r                    *Runner
	sigma, least, shrink float32
}

func (f *field) Dim() int { return f.r.Latent() }

func (f *field) Mean(mean, z []float32) {
	f.r.Mean(mean, z, f.sigma)
	f.sigma = max(float32(f.sigma*f.shrink), f.least)
}

func (f *field) Distance(d, grad, z []float32) { f.r.Distance(d, grad, z) }

// Noise fills z (n × d) with the starts of generation by the flow p: Gaussian noise
// with the codes' mean, and p.Noise times their spread. Where the kernel starts
// wide, what it takes for noise is added: Gaussian noise of width p.Start.
func (r *Runner) Noise(z []float32, p Preset, src *rng.Source) {
	d := r.Latent()
	e := make([]float32, d)
	for ; len(z) >= d; z = z[d:] {
		src.FillNorm(e, p.Noise)
		for i := range d {
			v := r.priorMean[i]
			for k := range i + 1 {
				v += float32(r.priorFactor[i*d+k] * e[k])
			}
			z[i] = v
		}
		if p.Start > 0 {
			src.FillNorm(e, p.Start*r.Bank.Spacing)
			for i, v := range e {
				z[i] += v
			}
		}
	}
}
