// Package unet has the nets of Table 9, for images in colour: a U-Net whose skip
// connections have projections from the latent space (App. B.3). They take images of
// any shape that the poolings leave a pixel of.
package unet

import (
	"fmt"

	"mppm/shared/nn"
)

// Config are the widths of the nets.
type Config struct {
	Channels []int // of the encoder's blocks, from the image inwards
	Latent   int   // d, numbers of a code
}

// Table9 are the widths of the paper.
func Table9() Config { return Config{Channels: []int{32, 64, 128, 256}, Latent: 1024} }

// Nets are F, G, and between them the projections, for images of one shape.
type Nets struct {
	// F makes z of an image, and keeps what goes past z, S_1 to S_k, by the names
	// Skips: the features of each block before they are pooled.
	F *nn.Net
	// P makes Ŝ_1 to Ŝ_k of z, and keeps them by the same names. The paper draws
	// these projections and does not size them. Here they are one way up through
	// transposed convolutions: a linear layer to each of them alone would have
	// hundreds of millions of weights.
	P *nn.Net
	// G makes an image, in [0, 1], of z and of one input for each of Skips, in that
	// order: S_i, Ŝ_i, or a sum of both (x' = G(S_i + Ŝ_i(z'), z')).
	G     *nn.Net
	Skips []string
}

// New returns the nets for images of that shape. It returns an error that says what
// does not fit.
func New(image nn.Shape, c Config) (*Nets, error) {
	n := new(Nets)
	if len(c.Channels) == 0 {
		return nil, fmt.Errorf("unet: there are no blocks; give the channels of one at least")
	}
	var down []nn.Layer
	var skips []nn.Shape
	small := image // what is left after the poolings
	for i, out := range c.Channels {
		name, skip := fmt.Sprintf("encoder.%d", i), fmt.Sprintf("skip.%d", i)
		down = append(down, block(name+".conv1", name+".norm1", out)...)
		down = append(down, block(name+".conv2", name+".norm2", out)...)
		down = append(down, nn.Keep(skip), nn.MaxPool{Window: nn.Pairs})
		n.Skips = append(n.Skips, skip)
		skips = append(skips, nn.Shape{H: small.H, W: small.W, C: out})
		g := nn.Pairs.On(small)
		small = nn.Shape{H: g.OH, W: g.OW, C: out}
	}
	down = append(down, nn.Linear{Name: "encoder.linear", Out: nn.Vector(c.Latent)}, nn.LeakyReLU)

	var across, up []nn.Layer
	across = append(across, nn.Linear{Name: "projection.linear", Out: small})
	for i, shape := range skips {
		up = append(up, nn.Input{Name: n.Skips[i], Shape: shape})
	}
	up = append(up, nn.Linear{Name: "decoder.linear", Out: small})
	for i := len(skips) - 1; i >= 0; i-- {
		across = append(across, nn.LeakyReLU,
			nn.ConvTranspose{Name: fmt.Sprintf("projection.%d", i), Window: nn.Pairs, To: skips[i]}, nn.Keep(n.Skips[i]))
		name := fmt.Sprintf("decoder.%d", i)
		up = append(up, nn.ConvTranspose{Name: name + ".deconv", Window: nn.Pairs, To: skips[i]}, nn.Concat(n.Skips[i]))
		up = append(up, block(name+".conv1", name+".norm1", c.Channels[i])...)
		up = append(up, block(name+".conv2", name+".norm2", c.Channels[max(i-1, 0)])...)
	}
	up = append(up, nn.Conv{Name: "decoder.out", Window: nn.Same, Out: image.C}, nn.Sigmoid)

	var err error
	if n.F, err = nn.New(image, down...); err != nil {
		return nil, fmt.Errorf("unet: the encoder: %w", err)
	}
	if n.P, err = nn.New(nn.Vector(c.Latent), across...); err != nil {
		return nil, fmt.Errorf("unet: the projections: %w", err)
	}
	if n.G, err = nn.New(nn.Vector(c.Latent), up...); err != nil {
		return nil, fmt.Errorf("unet: the decoder: %w", err)
	}
	return n, nil
}

// block is a convolution to so many channels, batch norm and LeakyReLU.
func block(conv, norm string, out int) []nn.Layer {
	return []nn.Layer{nn.Conv{Name: conv, Window: nn.Same, Out: out}, nn.BatchNorm{Name: norm}, nn.LeakyReLU}
}

// Distance is D of Table 9 for codes of so many numbers: dropout follows each hidden
// layer (hidden: 300, 100, 30).
func Distance(latent int, hidden []int) (*nn.Net, error) {
	const dropout = 0.2
	var layers []nn.Layer
	for i, w := range hidden {
		layers = append(layers, nn.Linear{Name: fmt.Sprintf("distance.%d", i), Out: nn.Vector(w)}, nn.ReLU, nn.Dropout{Rate: dropout})
	}
	layers = append(layers, nn.Linear{Name: fmt.Sprintf("distance.%d", len(hidden)), Out: nn.Vector(1)})
	return nn.New(nn.Vector(latent), layers...)
}
