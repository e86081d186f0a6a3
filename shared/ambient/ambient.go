// Package ambient leads points of a space, of two dimensions or many, back to the curve or
// surface that the data lie on: down a learned distance to it, and up the density of samples
// of it. It is the model with which the paper explains itself (MPPM, Sec. 4.1): the encoder F,
// the decoder G and the distance D of Table 7, the Monte-Carlo kernel mean of Eq. 19, and
// the flow of Alg. 1 through them; with its baselines on the same data, a denoising
// autoencoder and diffusion. Package latent is the same idea for images, by way of codes.
//
// A Model is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine. Both give
// the same bits on every platform.
package ambient

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mppm/shared/ddpm"
	"mppm/shared/fault"
	"mppm/shared/flow"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// Kind is the value of the metadata key "kind" of the files Load reads.
const Kind = "mppm-points"

// MaxPoints bounds the training points of a file, and MaxSamples the samples at
// each of them: the kernel mean sums over all samples of all points.
const (
	MaxPoints  = 10_000
	MaxSamples = 64
)

// Preset is a flow with its kernel: the parameters of Alg. 1. Lengths are those
// of the model's coordinates.
type Preset struct {
	Alpha     float32 `json:"alpha"`               // α of Eq. 15
	Beta      float32 `json:"beta"`                // β of Eq. 15
	SigmaD    float32 `json:"sigma_d"`             // σ_d of Eq. 19, a length; > 0
	SigmaKer  float32 `json:"sigma_ker"`           // σ_ker of Eq. 19, in multiples of the codes' standard deviation; ≥ 0
	Samples   int     `json:"samples"`             // n of Eq. 24, for each training point; 1 to MaxSamples
	Seed      uint64  `json:"seed,omitempty"`      // of the samples
	Tau       float32 `json:"tau,omitempty"`       // τ of the gate, a length; 0: no gate
	Steps     int     `json:"steps"`               // at most so many steps
	Tolerance float32 `json:"tolerance,omitempty"` // a point that moves by no more, a length, has arrived; 0: never
}

// Validate returns an error that says which parameter is out of range.
func (p Preset) Validate() error {
	if !(p.SigmaD > 0) || math.IsInf(float64(p.SigmaD), 0) {
		return fmt.Errorf("flow: σ_d is %v; it must be more than 0", p.SigmaD)
	}
	if !(p.SigmaKer >= 0) || math.IsInf(float64(p.SigmaKer), 0) {
		return fmt.Errorf("flow: σ_ker is %v; it must be a number of at least 0", p.SigmaKer)
	}
	if p.Samples < 1 || p.Samples > MaxSamples {
		return fmt.Errorf("flow: %d samples; give 1 to %d", p.Samples, MaxSamples)
	}
	return p.flow().Validate()
}

func (p Preset) flow() flow.Params {
	return flow.Params{Alpha: p.Alpha, Beta: p.Beta, Tau: p.Tau, Steps: p.Steps, Tolerance: p.Tolerance}
}

// Diffusion are the parameters of a linear schedule, as the metadata key
// "diffusion" has them.
type Diffusion struct {
	First float64 `json:"first"` // β of the first step
	Last  float64 `json:"last"`  // β of the last
	Steps int     `json:"steps"` // T
}

// Model is F, G, D and the flow's parameters, the baselines, and the points that
// all of them were trained on.
type Model struct {
	Dim    int               // D, coordinates of a point
	Latent int               // d, coordinates of a code
	Points []float32         // the clean training points 𝒳, n × Dim, in the model's coordinates
	Codes  []float32         // S = F(𝒳), n × Latent
	Spread float32           // standard deviation of the codes' coordinates
	Flow   Preset            // the default flow
	Flows  map[string]Preset // every flow that the file names, that one included
	// Center and Scale lead from the data's own coordinates to the model's: see
	// Normalize. Data may lie so far from 0 that 32 bits cannot tell its points
	// apart, as coordinates of maps do: the center has 64.
	Center   []float64
	Scale    float32        // > 0
	Schedule *ddpm.Schedule // of the diffusion
	Meta     map[string]string

	f, g, daeF, daeG *nn.Function

	d        *nn.Field
	denoiser *ddpm.Denoiser
}

// defaultFlow is the name of the flow that a file must have.
const defaultFlow = "restore"

// Load reads a model from the bytes of a safetensors file. It trusts nothing in
// it, and returns an error that says which tensor or metadata key is wrong.
func Load(b []byte) (*Model, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("ambient: %w", err)
	}
	return New(f)
}

// New returns the model of what a safetensors file holds, as Load does. It copies the
// tensors, and keeps the metadata.
func New(f *safetensors.File) (*Model, error) {
	m, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("ambient: %w", err)
	}
	return m, nil
}

func load(f *safetensors.File) (*Model, error) {
	if k := f.Meta["kind"]; k != Kind {
		return nil, fault.New(fault.ErrKind, "metadata: kind is %q; this program reads %q", k, Kind)
	}
	m := &Model{Meta: f.Meta, Flows: map[string]Preset{}}
	if err := m.loadFlows(); err != nil {
		return nil, err
	}
	if err := m.loadPoints(f); err != nil {
		return nil, err
	}
	if err := m.loadNets(f); err != nil {
		return nil, err
	}
	m.encode()
	return m, nil
}

func (m *Model) loadFlows() error {
	for key, text := range m.Meta {
		name, ok := strings.CutPrefix(key, "flow.")
		if !ok {
			continue
		}
		var p Preset
		err := metadata.Numbers(text, map[string]any{
			"alpha": &p.Alpha, "beta": &p.Beta, "sigma_d": &p.SigmaD, "sigma_ker": &p.SigmaKer, "samples": &p.Samples,
			"seed": &p.Seed, "tau": &p.Tau, "steps": &p.Steps, "tolerance": &p.Tolerance,
		})
		if err == nil {
			err = p.Validate()
		}
		if err != nil {
			return fault.New(fault.ErrMetadata, "metadata: %s: %w", key, err)
		}
		m.Flows[name] = p
	}
	var ok bool
	if m.Flow, ok = m.Flows[defaultFlow]; !ok {
		return fault.New(fault.ErrMetadata, "metadata: flow.%s is missing", defaultFlow)
	}
	var d Diffusion
	err := metadata.Numbers(m.Meta["diffusion"], map[string]any{"first": &d.First, "last": &d.Last, "steps": &d.Steps})
	if err == nil {
		m.Schedule, err = ddpm.Linear(d.First, d.Last, d.Steps)
	}
	if err != nil {
		return fault.New(fault.ErrMetadata, "metadata: diffusion: %w", err)
	}
	return nil
}

func (m *Model) loadPoints(f *safetensors.File) error {
	t, ok := f.Lookup("points")
	if !ok || len(t.Shape) != 2 || t.Shape[0] < 1 || t.Shape[0] > MaxPoints || t.Shape[1] < 1 || t.Shape[1] > nn.MaxWidth {
		return fault.New(fault.ErrTensor, "tensor points is missing or not of shape [points, coordinates], at most %d and %d", MaxPoints, nn.MaxWidth)
	}
	m.Dim = t.Shape[1]
	var err error
	if m.Points, err = f.Float32("points", t.Shape...); err != nil {
		return err
	}
	if err := m.loadCenter(f); err != nil {
		return err
	}
	s, err := f.Float32("scale", 1)
	if err != nil {
		return err
	}
	if m.Scale = s[0]; !(m.Scale > 0) {
		return fault.New(fault.ErrTensor, "tensor scale is %v; it must be more than 0", m.Scale)
	}
	return nil
}

// loadCenter reads the center: the tensor of that name, or, where 32 bits do not
// hold it, the metadata key of that name, which has as many numbers.
func (m *Model) loadCenter(f *safetensors.File) error {
	center, err := f.Float32("center", m.Dim)
	if err != nil {
		return err
	}
	m.Center = make([]float64, m.Dim)
	for k, v := range center {
		m.Center[k] = float64(v)
	}
	text, ok := m.Meta["center"]
	if !ok {
		return nil
	}
	var exact []float64
	err = metadata.Items(text, func(item string) error {
		v, err := strconv.ParseFloat(item, 64)
		exact = append(exact, v)
		return err
	})
	if err != nil {
		return fault.New(fault.ErrMetadata, "metadata: center: %w", err)
	}
	if len(exact) != m.Dim {
		return fault.New(fault.ErrMetadata, "metadata: center has %d numbers; points have %d coordinates", len(exact), m.Dim)
	}
	for k, v := range exact {
		if float32(v) != center[k] {
			return fault.New(fault.ErrMetadata, "metadata: number %d of center is %v, and %v in the tensor of that name", k, v, center[k])
		}
	}
	m.Center = exact
	return nil
}

// encode makes the codes of the training points, and measures their spread.
func (m *Model) encode() {
	r := m.Runner(64)
	n := len(m.Points) / m.Dim
	m.Codes = make([]float32, n*m.Latent)
	r.Encode(m.Codes, m.Points)
	var all float32
	for k := range m.Latent {
		var sum float32
		for i := k; i < len(m.Codes); i += m.Latent {
			sum += m.Codes[i]
		}
		mean := sum / float32(n)
		for i := k; i < len(m.Codes); i += m.Latent {
			e := m.Codes[i] - mean
			all += float32(e * e)
		}
	}
	m.Spread = float32(math.Sqrt(float64(all / float32(len(m.Codes)))))
}

// Normalize writes to dst the points x, in the data's own coordinates, in the
// model's: (x − Center)/Scale, rounded once. dst is as long as x, a whole number
// of points.
func (m *Model) Normalize(dst []float32, x []float64) {
	for i, v := range x {
		dst[i] = float32((v - m.Center[i%m.Dim]) / float64(m.Scale))
	}
}

// Denormalize is the inverse of Normalize: it writes to dst the points x, in the
// model's coordinates, in the data's own.
func (m *Model) Denormalize(dst []float64, x []float32) {
	for i, v := range x {
		dst[i] = float64(float64(v)*float64(m.Scale)) + m.Center[i%m.Dim]
	}
}

// limit bounds the coordinates of points, so that no square of one overflows.
const limit = 1e6

// CheckPoints returns an error if x is not a whole number of points, or holds
// what is not a number of at most a million.
func (m *Model) CheckPoints(x []float32) error {
	if len(x) == 0 || len(x)%m.Dim != 0 {
		return fault.New(fault.ErrSize, "%d numbers are not a whole number of points of %d coordinates", len(x), m.Dim)
	}
	for i, v := range x {
		if !(v >= -limit && v <= limit) {
			return fault.New(fault.ErrNotFinite, "coordinate %d of point %d is %v; it must be a number of at most %g", i%m.Dim, i/m.Dim, v, float64(limit))
		}
	}
	return nil
}
