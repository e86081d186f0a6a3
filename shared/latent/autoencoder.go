package latent

import (
	"slices"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
)

// Encoder is F of Table 8 for images of any shape: two convolutions that halve the
// side, and a linear layer to codes of so many numbers.
func Encoder(image nn.Shape, latent int) (*nn.Net, error) {
	return nn.New(image,
		nn.Conv{Name: "encoder.conv1", Window: nn.Halving, Out: channels1}, nn.ReLU,
		nn.Conv{Name: "encoder.conv2", Window: nn.Halving, Out: channels2}, nn.ReLU,
		nn.Linear{Name: "encoder.linear", Out: nn.Vector(latent)})
}

// Decoder is G of Table 8: the way back from codes of so many numbers to images of
// any shape, in [0, 1].
func Decoder(image nn.Shape, latent int) (*nn.Net, error) {
	half := halved(image, channels1)
	quarter := halved(half, channels2)
	return nn.New(nn.Vector(latent),
		nn.Linear{Name: "decoder.linear", Out: quarter}, nn.ReLU,
		nn.ConvTranspose{Name: "decoder.deconv1", Window: nn.Halving, To: half}, nn.ReLU,
		nn.ConvTranspose{Name: "decoder.deconv2", Window: nn.Halving, To: image}, nn.Sigmoid)
}

// Distance is D of Table 8 for codes of so many numbers, with the given hidden
// widths (Table 8: 100, 50, 20) and activation.
func Distance(latent int, hidden []int, act nn.Activation) (*nn.Net, error) {
	return nn.MLP("distance", latent, hidden, 1, act)
}

// Channels after the two convolutions of F.
const (
	channels1 = 32
	channels2 = 64
)

// halved is the shape of an image after a convolution that halves its side.
func halved(image nn.Shape, channels int) nn.Shape {
	g := nn.Halving.On(image)
	return nn.Shape{H: g.OH, W: g.OW, C: channels}
}

// F and G for digits.
var (
	Digit = nn.Shape{H: Side, W: Side, C: 1}
	F     = nn.Must(Encoder(Digit, Latent))
	G     = nn.Must(Decoder(Digit, Latent))
)

// AutoencoderSpecs lists the parameters of F and G, each weight with its output
// channel first and its bias after it.
func AutoencoderSpecs() []nn.Spec { return slices.Concat(F.Specs(), G.Specs()) }

// Autoencoder is F and G of Table 8, which the baselines share with the model.
// It is immutable and safe for concurrent use.
type Autoencoder struct{ f, g *nn.Function }

// LoadAutoencoder reads F and G from a file, whatever else it holds. It returns
// an error that says which tensor is wrong.
func LoadAutoencoder(f *safetensors.File) (*Autoencoder, error) {
	a := new(Autoencoder)
	var err error
	if a.f, err = F.Load(f); err != nil {
		return nil, err
	}
	if a.g, err = G.Load(f); err != nil {
		return nil, err
	}
	return a, nil
}

// Image returns the shape of the images that F takes and G makes.
func (a *Autoencoder) Image() nn.Shape { return a.f.In() }

// Pixels returns how many numbers an image has.
func (a *Autoencoder) Pixels() int { return a.Image().Size() }

// Latent returns d, how many numbers a code has.
func (a *Autoencoder) Latent() int { return a.f.Out().Size() }

// Coder computes F and G. It holds their workspaces, each from when it is first
// needed on, and is not safe for concurrent use.
type Coder struct {
	nets  *Autoencoder
	batch int
	f, g  *nn.Runner
}

// Coder returns a coder that computes at most batch ≥ 1 images at a time.
func (a *Autoencoder) Coder(batch int) *Coder { return &Coder{nets: a, batch: batch} }

// Encode writes to z (n × Latent) the codes F(x) of n images x (n × Pixels),
// nominally in [0, 1]; noise may take pixels outside.
func (c *Coder) Encode(z, x []float32) {
	if c.f == nil {
		c.f = c.nets.f.Runner(c.batch)
	}
	c.f.Forward(z, x)
}

// Decode writes to x (n × Pixels, in [0, 1]) the images G(z) of n codes z
// (n × Latent).
func (c *Coder) Decode(x, z []float32) {
	if c.g == nil {
		c.g = c.nets.g.Runner(c.batch)
	}
	c.g.Forward(x, z)
}
