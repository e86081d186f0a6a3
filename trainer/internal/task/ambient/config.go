// Package ambient trains MPPM in ambient space (Sec. 4.1) on Gorgonia graphs with
// the loss of Eq. 16, and beside it, on the same points and noise, its baselines:
// a denoising autoencoder and diffusion (Alg. 2).
package ambient

import (
	"cmp"
	"fmt"

	"mppm/shared/ambient"
	"mppm/shared/ddpm"
	"mppm/shared/nn"
	"mppm/trainer/internal/run"
)

// Terms is how many terms Eq. 16 has.
const Terms = 5

// Target says what x* of Eq. 16 is.
type Target string

// The targets.
const (
	Projection Target = "projection" // G(F(x)), Eq. 18
	Nearest    Target = "nearest"    // the nearest of the clean training points, as below Eq. 20
	Clean      Target = "clean"      // the clean point that noise was added to
)

// Config is everything a run's result depends on, but the points.
type Config struct {
	Seed       uint64            `json:"seed"`
	Epochs     int               `json:"epochs"` // at most
	Patience   int               `json:"patience"`
	Batch      int               `json:"batch"`
	Rate       float64           `json:"rate"`   // Adam's learning rate at the start
	Decay      float64           `json:"decay"`  // weight decay, added to the gradient
	Lambda     [Terms]float32    `json:"lambda"` // λ₁ … λ₅ of Eq. 16
	Target     Target            `json:"target"`
	Noise      float64           `json:"noise"`                // training noise is Gaussian with σ ~ U(0, Noise)
	FixedNoise bool              `json:"fixedNoise,omitempty"` // σ is Noise, always
	Latent     int               `json:"latent"`
	Hidden     []int             `json:"hidden"`     // widths of the hidden layers of F, and in reverse of G
	Distance   []int             `json:"distance"`   // of D
	Activation nn.Activation     `json:"activation"` // of D
	Denoiser   []int             `json:"denoiser"`   // of the diffusion's net
	Draws      int               `json:"draws"`      // noisy copies of each point in a step of the diffusion
	Diffusion  ambient.Diffusion `json:"diffusion"`
	Flow       ambient.Preset    `json:"flow"` // the default flow of the weights
	// From is the SHA-256 of the file whose nets the run began with, in hexadecimal;
	// empty if they were drawn.
	From string `json:"from,omitempty"`
}

// Paper is the configuration of Tables 7 and 10. What they leave open is as in
// Default.
func Paper() Config {
	c := Default()
	c.Target, c.Batch, c.Rate = Projection, 550, 1e-3
	c.Noise, c.FixedNoise = float64(PaperFlow().SigmaD), true
	return c
}

// PaperFlow is the flow of Table 10. The table has no σ_d; Alg. 1 gives the training
// noise that name, and 0.2 is the noise here. σ_ker is that of Default.
func PaperFlow() ambient.Preset {
	return ambient.Preset{Alpha: 0.15, Beta: 0.1, SigmaD: 0.2, SigmaKer: 0.05, Samples: 8, Steps: 60, Tolerance: 0.005}
}

// Default is the configuration that the shipped weights of the half circle were
// trained with. The nets and the weight decay are those of Tables 7 and 10; steps
// are five times as many in as many epochs, because the diffusion and D are far
// from done after 1,500. The flow has Table 10's α. Its σ_d is small, because the
// kernel mean is mean shift: it moves a point along the manifold by
// β·σ_d²·∇log p in each step, to where points are dense, and that over 60 steps of
// σ_d = 0.2 is most of the way.
func Default() Config {
	return Config{
		Seed: 1, Epochs: 1500, Patience: 100, Batch: 110, Rate: 3e-3, Decay: 1e-4,
		Lambda: [Terms]float32{1, 1, 1, 1, 1}, Target: Nearest,
		Noise: 0.4, Latent: 1,
		Hidden: []int{64, 64}, Distance: []int{16, 8, 4}, Activation: nn.ReLU,
		Denoiser: []int{64, 64, 64}, Draws: 1, Diffusion: ambient.Diffusion{First: ddpm.First, Last: ddpm.Last, Steps: 1000},
		Flow: ambient.Preset{Alpha: 0.15, Beta: 0.3, SigmaD: 0.02, SigmaKer: 0.05, Samples: 8, Steps: 15},
	}
}

// Validate returns an error that says which setting is out of range.
func (c Config) Validate() error {
	switch {
	case c.Patience < 1:
		return fmt.Errorf("the patience is %d; give at least 1 epoch", c.Patience)
	case c.Target != Projection && c.Target != Nearest && c.Target != Clean:
		return fmt.Errorf("the target %q is not known; give %s, %s or %s", c.Target, Projection, Nearest, Clean)
	case !c.Activation.Valid():
		return fmt.Errorf("the activation %q is not known", c.Activation)
	case c.Latent < 1 || c.Latent > 64:
		return fmt.Errorf("codes have %d coordinates; give 1 to 64", c.Latent)
	case c.Draws < 1 || c.Draws > 64:
		return fmt.Errorf("the diffusion draws %d times; give 1 to 64", c.Draws)
	}
	_, err := c.schedule()
	return cmp.Or(
		run.Settings(c.Epochs, c.Batch, 0, "points", c.Rate),
		run.NotNegative("the weight decay", c.Decay),
		run.NotNegative("the noise", c.Noise),
		run.Lambdas(c.Lambda[:]),
		run.Widths("F and G", c.Hidden), run.Widths("D", c.Distance), run.Widths("the denoiser", c.Denoiser),
		c.Flow.Validate(), err)
}

func (c Config) schedule() (*ddpm.Schedule, error) {
	return ddpm.Linear(c.Diffusion.First, c.Diffusion.Last, c.Diffusion.Steps)
}
