// Package session is a model at somebody else's service: what the npm package can ask
// of one, as functions of numbers, with everything checked that comes from outside. It
// knows no JavaScript; package main beside it, npm/engine, does.
//
// Images are rows of numbers, nominally in [0, 1], black to white, the channels of a
// pixel side by side; codes are rows of numbers. Several come one after the other. What
// is returned belongs to the caller.
package session

import (
	"errors"
	"fmt"
	"slices"

	"mppm/shared/classifier"
	"mppm/shared/degrade"
	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
)

// Code says what kind of error one is, for programs.
type Code string

// The codes.
const (
	Weights     Code = "weights"     // a file is not one of the model's
	Shape       Code = "shape"       // there are not as many numbers as there must be
	Range       Code = "range"       // a number or a name is none of those that there may be
	Unsupported Code = "unsupported" // the model does not have what is asked for
	Late        Code = "late"        // a step was asked for that the flow has left behind
	Runtime     Code = "runtime"     // the program is at fault
)

// Error is an error with its code. All errors of this package are.
type Error struct {
	Code Code
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error without its code.
func (e *Error) Unwrap() error { return e.Err }

func failf(code Code, format string, args ...any) error {
	return &Error{code, fmt.Errorf(format, args...)}
}

func coded(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &Error{code, err}
}

// MaxNumbers bounds the numbers of all images, or codes, of one request, so that memory
// suffices for them: 64 MB.
const MaxNumbers = 1 << 24

// batch is how many small images are computed at a time.
const batch = 16

// Session is a model, and the flows under way in it. It is not safe for concurrent use.
type Session struct {
	model   *latent.Model
	all     *latent.Runner
	classes map[int]*latent.Runner // of one class each
	reader  *classifier.Runner     // nil where there is none
	flows   map[int]*flow
	next    int // number of the next flow
}

// Load reads a model from the bytes of its file. The error is of code Weights.
func Load(file []byte) (*Session, error) {
	m, err := latent.Load(file)
	if err != nil {
		return nil, coded(Weights, err)
	}
	s := &Session{model: m, classes: map[int]*latent.Runner{}, flows: map[int]*flow{}}
	s.all = s.runner(m)
	return s, nil
}

// runner returns one with workspaces for several images, or for one if they are large.
func (s *Session) runner(m *latent.Model) *latent.Runner {
	if m.HasSkips() {
		return m.Runner(1)
	}
	return m.Runner(batch)
}

// LoadClassifier reads the net that reads images. The error is of code Weights.
func (s *Session) LoadClassifier(file []byte) error {
	c, err := classifier.Load(file)
	if err != nil {
		return coded(Weights, err)
	}
	if c.Image() != s.model.Image() {
		return failf(Weights, "the classifier reads images of %v, and the model's are of %v: take one that was trained on the same images", c.Image(), s.model.Image())
	}
	s.reader = c.Runner(batch)
	return nil
}

// Image returns the shape of the model's images.
func (s *Session) Image() nn.Shape { return s.model.Image() }

// Latent returns d, how many numbers a code has.
func (s *Session) Latent() int { return s.model.Latent() }

// Spacing returns the median distance from a code to the nearest other, in whose
// multiples σ, τ and the tolerance of flows are.
func (s *Session) Spacing() float32 { return s.model.Bank.Spacing }

// Flows returns the flows that the file names, restore and generate among them.
func (s *Session) Flows() map[string]latent.Preset { return s.model.Presets }

// Classes returns the classes that images can be grown of, none where the codes have no
// labels.
func (s *Session) Classes() []int {
	var seen [256]bool
	var list []int
	for _, c := range s.model.Bank.Labels {
		if !seen[c] {
			seen[c] = true
			list = append(list, int(c))
		}
	}
	slices.Sort(list)
	return list
}

// Has reports what the model has beside F and G: the distance D, the skips of a U-Net,
// and L, the distance at each pixel.
func (s *Session) Has() (distance, skips, local bool) {
	return s.model.HasDistance(), s.model.HasSkips(), s.model.HasLocal()
}

// Encode returns the codes F(x) of images (n × d).
func (s *Session) Encode(x []float32) ([]float32, error) {
	if err := s.images(x); err != nil {
		return nil, err
	}
	z := make([]float32, len(x)/s.model.Pixels()*s.Latent())
	s.all.Encode(z, x)
	return z, nil
}

// Decode returns the images G(z) of codes (n × pixels). A U-Net draws them without the
// skips of any image.
func (s *Session) Decode(z []float32) ([]float32, error) {
	if err := s.codes(z); err != nil {
		return nil, err
	}
	x := make([]float32, len(z)/s.Latent()*s.model.Pixels())
	s.all.Decode(x, z)
	return x, nil
}

// Distance returns D of codes (n), the learned distance to those of clean images, at
// least 0. The error is of code Unsupported where the model has no D.
func (s *Session) Distance(z []float32) ([]float32, error) {
	if err := s.distance(z); err != nil {
		return nil, err
	}
	d := make([]float32, len(z)/s.Latent())
	s.all.Distance(d, nil, z)
	return d, nil
}

// Gradient returns ∇D at codes (n × d), as long as it is. The error is as with Distance.
func (s *Session) Gradient(z []float32) ([]float32, error) {
	if err := s.distance(z); err != nil {
		return nil, err
	}
	g := make([]float32, len(z))
	s.all.Gradient(g, z)
	return g, nil
}

func (s *Session) distance(z []float32) error {
	if !s.model.HasDistance() {
		return failf(Unsupported, "the model has no distance net: it is a denoising autoencoder")
	}
	return s.codes(z)
}

// Sigma returns σ_ker of the model's restoration, in multiples of the codes' spacing.
func (s *Session) Sigma() float64 { return float64(s.model.Restore.Sigma) }

// Mean returns the kernel mean z̄ (Eq. 21) at codes (n × d), for σ_ker = sigma > 0 in
// multiples of the codes' spacing.
func (s *Session) Mean(z []float32, sigma float64) ([]float32, error) {
	if err := s.codes(z); err != nil {
		return nil, err
	}
	if err := (latent.Preset{Sigma: float32(sigma)}).Validate(); err != nil {
		return nil, coded(Range, err)
	}
	mean := make([]float32, len(z))
	s.all.Mean(mean, z, float32(sigma))
	return mean, nil
}

// Reading is what the classifier sees in an image.
type Reading struct {
	Class         int // the most probable
	Probability   float32
	Probabilities []float32 // of each class
}

// Read returns what each image shows. The error is of code Unsupported until there is a
// classifier.
func (s *Session) Read(x []float32) ([]Reading, error) {
	if s.reader == nil {
		return nil, failf(Unsupported, "there is no classifier: name one when the model is loaded")
	}
	if err := s.images(x); err != nil {
		return nil, err
	}
	classes := s.reader.Classes()
	list := make([]Reading, len(x)/s.model.Pixels())
	p := make([]float32, len(list)*classes)
	s.reader.Classify(p, nil, x)
	for i := range list {
		list[i].Probabilities = p[i*classes : (i+1)*classes]
		list[i].Class, list[i].Probability = classifier.Best(list[i].Probabilities)
	}
	return list, nil
}

// Damage returns images as a degradation spoils them, image i with stream i of the
// seed's random numbers.
func (s *Session) Damage(x []float32, kind string, severity float64, seed uint64) ([]float32, error) {
	if err := s.images(x); err != nil {
		return nil, err
	}
	d := degrade.Degradation{Kind: degrade.Kind(kind), Severity: severity}
	if err := d.Validate(); err != nil {
		return nil, coded(Range, err)
	}
	shape, size := s.Image(), s.model.Pixels()
	y := make([]float32, len(x))
	for i := 0; i < len(x); i += size {
		if err := d.ApplyColor(y[i:i+size], x[i:i+size], shape.W, shape.H, shape.C, rng.New(seed, uint64(i/size))); err != nil {
			return nil, coded(Range, err)
		}
	}
	return y, nil
}

// images returns an error unless x is images, and not too many.
func (s *Session) images(x []float32) error {
	if err := s.whole(len(x), s.model.Pixels(), "images", s.Image()); err != nil {
		return err
	}
	return coded(Range, s.model.CheckImages(x))
}

// codes returns an error unless z is codes, and not too many.
func (s *Session) codes(z []float32) error {
	if err := s.whole(len(z), s.Latent(), "codes", nn.Vector(s.Latent())); err != nil {
		return err
	}
	for i, v := range z {
		if !(v >= -farthest && v <= farthest) {
			return failf(Range, "number %d of code %d is %v; it must be one of at most %g", i%s.Latent(), i/s.Latent(), v, float64(farthest))
		}
	}
	return nil
}

// farthest bounds the numbers of codes, so that no square of one overflows.
const farthest = 1e6

func (s *Session) whole(numbers, size int, what string, shape nn.Shape) error {
	if numbers == 0 || numbers%size != 0 {
		return failf(Shape, "%d numbers are no whole number of %s of %v", numbers, what, shape)
	}
	return s.room(numbers / size)
}

// room returns an error if there are too many images, or codes, for one request.
func (s *Session) room(n int) error {
	if most := MaxNumbers / max(s.model.Pixels(), s.Latent()); n > most {
		return failf(Shape, "%d at once are too many: give %d at most", n, most)
	}
	return nil
}

// only returns the runner of a class.
func (s *Session) only(class int) (*latent.Runner, error) {
	if r := s.classes[class]; r != nil {
		return r, nil
	}
	m, err := s.model.Class(class)
	if err != nil && s.model.Bank.Labels == nil {
		return nil, coded(Unsupported, err)
	}
	if err != nil {
		return nil, coded(Range, err)
	}
	s.classes[class] = s.runner(m)
	return s.classes[class], nil
}

// Failure returns the code of an error of this package, and Runtime of any other.
func Failure(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Runtime
}
