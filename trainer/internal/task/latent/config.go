package latent

import (
	"cmp"
	"errors"
	"fmt"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/run"
)

// Method is what a run trains. A run of before there was a choice is of LMPPM.
type Method string

// The methods.
const (
	LMPPM Method = ""    // F, G and D, with the loss of Eq. 20
	DAE   Method = "dae" // the baseline: F and G, with the squared error of G(F(x + noise)) alone (Table 11)
)

// Config is everything a run's result depends on, but the data.
type Config struct {
	Method     Method         `json:"method,omitempty"`
	Encoder    string         `json:"encoder,omitempty"` // F, as nn.Net's text; "": that of digits
	Decoder    string         `json:"decoder,omitempty"` // G, likewise; its last layer is a sigmoid
	Seed       uint64         `json:"seed"`
	Epochs     int            `json:"epochs"`
	Refine     int            `json:"refine,omitempty"`   // epochs at the end, in which G alone learns; of LMPPM
	Restored   float64        `json:"restored,omitempty"` // share of the codes of those epochs that are restored ones; the others are of clean images
	Batch      int            `json:"batch"`
	Rate       float64        `json:"rate"`                 // Adam's learning rate at the start
	Lambda     [Terms]float32 `json:"lambda,omitzero"`      // λ₁ … λ₆ of Eq. 20; of LMPPM
	Noise      float64        `json:"noise"`                // training noise is Gaussian with σ ~ U(0, Noise)
	FixedNoise bool           `json:"fixedNoise,omitempty"` // σ is Noise, always
	Clipped    float64        `json:"clipped,omitempty"`    // share of the images whose noise is cut off at black and white, as a file has it
	Centers    int            `json:"centers"`
	Holdout    int            `json:"holdout,omitempty"`    // so many training images are not trained on; dataset.HoldOut says which
	Hidden     []int          `json:"hidden,omitempty"`     // widths of D's hidden layers; of LMPPM
	Activation nn.Activation  `json:"activation,omitempty"` // of D; of LMPPM
	Support    Support        `json:"support,omitzero"`     // of LMPPM
}

// Default is the configuration that the shipped weights were trained with; Table
// 8 gives the widths and Table 11 the optimizer, trials gave the rest.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 24, Refine: 12, Restored: 0.4, Batch: 128, Rate: 1e-3,
		Lambda: [Terms]float32{0.18, 1, 0.18, 1, 0.05, 2},
		Noise:  0.8, Clipped: 0.25, Centers: 5000,
		Hidden: []int{100, 50, 20}, Activation: nn.SiLU,
		Support: Support{Epochs: 8, Distance: 20, Eikonal: 8},
	}
}

// DefaultDAE is Default for the denoising autoencoder: whatever the two have in
// common is the same, so that what differs is the method. It has the epochs of
// the other's run in which the encoder or the decoder learns.
func DefaultDAE() Config {
	c := Default()
	c.Epochs, c.Refine, c.Restored = c.Epochs+c.Refine, 0, 0
	c.Method, c.Lambda, c.Hidden, c.Activation, c.Support = DAE, [Terms]float32{}, nil, "", Support{}
	return c
}

// Validate returns an error that says which setting is out of range for a data
// set of n images.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	if err := run.Settings(c.Epochs, c.Batch, n, "images", c.Rate); err != nil {
		return err
	}
	switch {
	case c.Method != LMPPM && c.Method != DAE:
		return fmt.Errorf("the method %q is not known", c.Method)
	case c.Refine < 0 || c.Refine > 0 && c.Method != LMPPM:
		return fmt.Errorf("epochs of refinement are %d; give at least 0, and 0 for a denoising autoencoder", c.Refine)
	case c.Restored > 0 && c.Method != LMPPM:
		return fmt.Errorf("the share of restored codes is %v; give 0 for a denoising autoencoder", c.Restored)
	case c.Centers < 1 || c.Centers > n:
		return fmt.Errorf("the code bank is to have %d centers; give 1 to %d, the number of images", c.Centers, n)
	case c.Support != Support{} && c.Method != LMPPM:
		return errors.New("a denoising autoencoder has no distance: leave out the weights of its support")
	case c.Support.Epochs < 0:
		return fmt.Errorf("epochs of the distance alone are %d; give at least 0", c.Support.Epochs)
	case c.Method == LMPPM && !c.Activation.Valid():
		return fmt.Errorf("the activation %q is not known", c.Activation)
	}
	return cmp.Or(
		run.NotNegative("the noise", c.Noise),
		run.Share("the share of restored codes", c.Restored),
		run.Share("the share of clipped noise", c.Clipped),
		run.NotNegative("the weight of the distance", float64(c.Support.Distance)),
		run.NotNegative("the weight of its slope", float64(c.Support.Eikonal)),
		run.Lambdas(c.Lambda[:]),
		run.Widths("the distance net", c.Hidden))
}

// Record is the loss of one epoch: the mean of each term of Eq. 20, before its
// weight. The loss of DAE is the first of them. An epoch of D alone has no second
// term, but those of Support; an epoch of refinement has Decoder instead.
type Record struct {
	Terms   [Terms]float64 `json:"terms"`
	Support [2]float64     `json:"support,omitzero"`  // the terms of Support, before their weights
	Decoder float64        `json:"decoder,omitempty"` // cross entropy of G(z*) and x, summed over the pixels
}

// Loss returns what an epoch's steps went down: Eq. 20, the weighted sum of the
// terms, or what Record says.
func (r Record) Loss(c Config) float64 {
	switch {
	case c.Method == DAE:
		return r.Terms[0]
	case r.Decoder != 0:
		return r.Decoder
	}
	var sum float64
	for i, t := range r.Terms {
		sum += float64(c.Lambda[i]) * t
	}
	return sum + float64(c.Support.Distance)*r.Support[0] + float64(c.Support.Eikonal)*r.Support[1]
}

// nets are those that are trained.
type nets struct {
	*latent.Nets
	d *nn.Net // nil where the method has none
}

// image and dim are the shape of an image, and how many numbers a code has.
func (n *nets) image() nn.Shape { return n.F.In() }
func (n *nets) pixels() int     { return n.F.In().Size() }
func (n *nets) dim() int        { return n.F.Out().Size() }

// all lists them.
func (n *nets) all() []*nn.Net {
	if n.d == nil {
		return n.All()
	}
	return append(n.All(), n.d)
}

// nets returns those that are trained. It returns an error that says which is none, or
// does not fit the others.
func (c Config) nets() (*nets, error) {
	n := &nets{Nets: latent.Digits()}
	var err error
	if c.Encoder != "" || c.Decoder != "" {
		if n.Nets, err = latent.Parse(c.Encoder, c.Decoder, "", ""); err != nil {
			return nil, err
		}
	}
	if layers := n.G.Layers(); layers[len(layers)-1] != nn.Sigmoid {
		return nil, errors.New("the decoder has to end in a sigmoid: images are numbers from 0 to 1")
	}
	if c.Method == LMPPM {
		n.d, err = latent.Distance(n.dim(), c.Hidden, c.Activation)
	}
	return n, err
}

// epochs is the number of epochs of all parts of the run.
func (c Config) epochs() int { return c.Epochs + c.Support.Epochs + c.Refine }
