// Package unet trains the U-Net of Table 9 on images in color or gray: F, G, D and the
// projections Ŝ of App. B.3, or, for the denoising autoencoder that the paper compares
// with, F and G alone.
package unet

import (
	"cmp"
	"errors"
	"fmt"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/unet"
	"mppm/trainer/internal/dataset"
	"mppm/trainer/internal/optim"
	"mppm/trainer/internal/run"
	"mppm/trainer/internal/spoil"
)

// Terms is how many terms Eq. 20 has.
const Terms = 6

// Config is everything a run's result depends on, but the data.
type Config struct {
	DAE      bool           `json:"dae,omitempty"`  // the baseline: F and G, with the squared error of G(F(damaged)) alone
	Side     int            `json:"side"`           // pixels along each edge of an image
	Gray     bool           `json:"gray,omitempty"` // one channel in place of three
	Channels []int          `json:"channels"`       // of the encoder's blocks
	Latent   int            `json:"latent"`         // numbers of a code
	Chart    int            `json:"chart"`          // side of the small image that codes are a map of; 0: none
	Share    float64        `json:"share"`          // of the images, that is not trained on
	Seed     uint64         `json:"seed"`
	Epochs   int            `json:"epochs"`
	Alone    int            `json:"alone,omitempty"` // epochs at the end, in which D alone learns
	Local    int            `json:"local,omitempty"` // epochs after those, in which the distance at each pixel learns; 0: there is none
	Batch    int            `json:"batch"`
	Rate     float64        `json:"rate"`            // Adam's learning rate at the start
	Lambda   [Terms]float32 `json:"lambda,omitzero"` // λ₁ … λ₆ of Eq. 20
	Eikonal  float32        `json:"eikonal,omitempty"`
	Damage   spoil.Kind     `json:"damage"` // what training sees
	Noise    float64        `json:"noise"`  // its Gaussian noise has σ ~ U(0, Noise)
	Centers  int            `json:"centers"`
	Hidden   []int          `json:"hidden,omitempty"`     // widths of D's hidden layers
	Act      nn.Activation  `json:"activation,omitempty"` // of D
}

// Default is the configuration that the shipped weights were trained with: half of
// Table 9's channels, one block more, and codes on a chart.
func Default() Config {
	return Config{
		Side: 96, Channels: []int{16, 32, 64, 128, 128}, Latent: 192, Chart: 24, Share: 0.15, Seed: 1,
		Epochs: 24, Alone: 12, Local: 8, Batch: 16, Rate: 1e-3, Lambda: [Terms]float32{1, 1, 1, 1, 1, 1}, Eikonal: 0.1,
		Damage: spoil.Broad, Noise: 0.35, Centers: 1000, Hidden: []int{256, 256}, Act: nn.SiLU,
	}
}

// Baseline is the denoising autoencoder of c: whatever the two have in common is the
// same.
func (c Config) Baseline() Config {
	c.DAE, c.Alone, c.Local, c.Lambda, c.Eikonal, c.Hidden, c.Act = true, 0, 0, [Terms]float32{}, 0, nil, ""
	return c
}

// Pictures returns how the pictures of a folder become the data of such a run.
func (c Config) Pictures() dataset.ImageOptions {
	return dataset.ImageOptions{Side: c.Side, Gray: c.Gray, Share: c.Share, Seed: c.Seed}
}

// Image is the shape of an image.
func (c Config) Image() nn.Shape {
	if c.Gray {
		return nn.Shape{H: c.Side, W: c.Side, C: 1}
	}
	return nn.Shape{H: c.Side, W: c.Side, C: 3}
}

// SavedConfig returns the settings of the run in a folder.
func SavedConfig(dir string) (Config, error) {
	c, err := optim.Open(dir)
	if err != nil {
		return Config{}, err
	}
	var s state
	err = c.State(CheckpointKind, &s)
	return s.Config, err
}

// Validate returns an error that says which setting is out of range for a data set of n
// images.
func (c Config) Validate(n int) error {
	if err := dataset.Enough(n); err != nil {
		return err
	}
	if err := run.Settings(max(c.Epochs, min(1, c.Alone+c.Local)), c.Batch, n, "images", c.Rate); err != nil {
		return err
	}
	switch {
	case c.Alone < 0 || c.Alone > 0 && c.DAE:
		return fmt.Errorf("epochs of the distance alone are %d; give at least 0, and 0 for a denoising autoencoder", c.Alone)
	case c.Local < 0 || c.Local > 0 && c.DAE:
		return fmt.Errorf("epochs of the distance at each pixel are %d; give at least 0, and 0 for a denoising autoencoder", c.Local)
	case c.Epochs < 0:
		return fmt.Errorf("epochs are %d; give at least 0", c.Epochs)
	case c.Centers < 1 || c.Centers > n:
		return fmt.Errorf("the code bank is to have %d centers; give 1 to %d, the number of images", c.Centers, n)
	case !c.DAE && !c.Act.Valid():
		return fmt.Errorf("the activation %q is not known", c.Act)
	}
	if _, err := spoil.New(c.Damage, c.Image(), c.Noise); err != nil {
		return err
	}
	return cmp.Or(
		run.NotNegative("the noise", c.Noise),
		run.NotNegative("the weight of the slope of the distance", float64(c.Eikonal)),
		run.Lambdas(c.Lambda[:]),
		run.Widths("the distance net", c.Hidden))
}

// nets are those that are trained. A denoising autoencoder has no projections and no
// distance.
type nets struct {
	*latent.Nets
	d *nn.Net
}

// joint lists the nets that learn together, by Eq. 20.
func (n *nets) joint() []*nn.Net {
	shared := *n.Nets
	shared.L = nil
	if n.d == nil {
		return shared.All()
	}
	return append(shared.All(), n.d)
}

func (n *nets) all() []*nn.Net {
	if n.L == nil {
		return n.joint()
	}
	return append(n.joint(), n.L)
}

// nets returns those that are trained. It returns an error that says what does not fit.
func (c Config) nets() (*nets, error) {
	sizes := unet.Config{Channels: c.Channels, Latent: c.Latent, Chart: c.Chart}
	n, err := unet.New(c.Image(), sizes)
	if err != nil {
		return nil, err
	}
	if c.DAE {
		n.P = nil
		return &nets{Nets: n}, nil
	}
	if c.Local > 0 {
		if n.L, err = unet.Local(c.Image(), sizes); err != nil {
			return nil, err
		}
	}
	d, err := latent.Distance(c.Latent, c.Hidden, c.Act)
	if err != nil {
		return nil, err
	}
	return &nets{n, d}, nil
}

// errCollapsed says that all images have one code.
var errCollapsed = errors.New("all images look alike: there is nothing to make a chart of")
