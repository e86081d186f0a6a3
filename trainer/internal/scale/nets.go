package scale

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mppm/shared/latent"
	"mppm/shared/nn"
	"mppm/shared/rng"
	"mppm/shared/unet"
	"mppm/trainer/internal/netgraph"
	"mppm/trainer/internal/optim"
	task "mppm/trainer/internal/task/latent"
)

// colors is how many channels the images of the U-Net have.
const colors = 3

// step is the graph of a training step, with data in its inputs.
type step struct {
	params []*optim.Parameter
	loss   []float32 // what the step kept; the first is a part of the loss at least
}

func (s *step) graph() *gorgonia.ExprGraph { return s.params[0].Node.Graph() }

// newStep builds the graph of a cell.
func newStep(c Cell) (*step, error) {
	switch {
	case c.Net == UNet:
		return uNet(c.Side, c.Batch)
	case c.Side != latent.DigitSide:
		return autoencoder(c.Side, c.Batch)
	}
	config := task.Default()
	if c.Net == DAE {
		config = task.DefaultDAE()
	}
	config.Batch = c.Batch
	s, err := task.NewStep(config)
	if err != nil {
		return nil, err
	}
	fill(s.Clean, s.Noisy)
	return &step{s.Params, s.Terms}, nil
}

// fill draws images, and the same with noise.
func fill(clean, noisy []float32) {
	r := rng.New(1, 0)
	for i := range clean {
		clean[i] = r.Float32()
	}
	r.FillNorm(noisy, 0.4)
	for i, v := range clean {
		noisy[i] += v
	}
}

// build returns the step of F and G, which are to make n clean images of noisy ones,
// by their squared error. What F keeps by the names of skips goes past z to G.
func build(n int, f, g *nn.Net, skips []string) (*step, error) {
	pixels := f.In().Size()
	clean, noisy := make([]float32, n*pixels), make([]float32, n*pixels)
	fill(clean, noisy)
	params := netgraph.Parameters(1, 0, f, g)
	b := netgraph.New(params)
	z := b.Apply(f, b.Matrix("noisy", n, pixels, noisy))
	var past []*gorgonia.Node
	for _, name := range skips {
		past = append(past, z.Kept(name))
	}
	y := b.Apply(g, z.Out(), past...).Out()
	loss := b.SquaredError(y, b.Matrix("clean", n, pixels, clean))
	kept := make([]float32, 1)
	b.Keep("loss", loss, kept)
	err := b.Err()
	if err == nil {
		err = optim.Differentiate(loss, params)
	}
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	return &step{params, kept}, nil
}

// autoencoder is F and G of Table 8 for gray images of any side.
func autoencoder(side, n int) (*step, error) {
	image := nn.Shape{H: side, W: side, C: 1}
	f, err := latent.Encoder(image, latent.DigitLatent)
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	g, err := latent.Decoder(image, latent.DigitLatent)
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	return build(n, f, g, nil)
}

// uNet is the U-Net of Table 9 for color images of any side from 16 on, with its
// skip connections.
func uNet(side, n int) (*step, error) {
	nets, err := unet.New(nn.Shape{H: side, W: side, C: colors}, unet.Table9())
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	return build(n, nets.F, nets.G, nets.Skips())
}
