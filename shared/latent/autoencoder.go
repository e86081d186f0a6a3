package latent

import (
	"fmt"
	"slices"
	"strings"

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

// The digits' own configuration: the sizes of Table 8's MNIST model.
const (
	DigitSide   = 28                    // pixels along each edge of an image
	DigitPixels = DigitSide * DigitSide // numbers of an image
	DigitLatent = 18                    // d, numbers of a code
)

// F and G for digits.
var (
	Digit = nn.Shape{H: DigitSide, W: DigitSide, C: 1}
	F     = nn.Must(Encoder(Digit, DigitLatent))
	G     = nn.Must(Decoder(Digit, DigitLatent))
)

// AutoencoderSpecs lists the parameters of F and G, each weight with its output
// channel first and its bias after it.
func AutoencoderSpecs() []nn.Spec { return slices.Concat(F.Specs(), G.Specs()) }

// Autoencoder is F and G, which the baselines share with the model.
// It is immutable and safe for concurrent use.
type Autoencoder struct{ f, g *nn.Function }

// The metadata keys that describe the nets, as nn.Net's text.
const (
	encoderKey = "encoder"
	decoderKey = "decoder"
)

// Describe writes to the metadata of a file what kind it is of, and its nets F and G.
// Files of before hold the nets for digits alone, do not describe them, and have the
// digits' size in their kind: a file with those nets is still written so.
func Describe(meta map[string]string, kind string, f, g *nn.Net) error {
	texts := make([]string, 0, 4)
	for _, n := range []*nn.Net{f, F, g, G} {
		text, err := n.Text()
		if err != nil {
			return fmt.Errorf("latent: %w", err)
		}
		texts = append(texts, text)
	}
	if texts[0] == texts[1] && texts[2] == texts[3] {
		meta["kind"] = kind + digits
		return nil
	}
	meta["kind"], meta[encoderKey], meta[decoderKey] = kind, texts[0], texts[2]
	return nil
}

// digits ends the kind of a file with the nets for digits.
const digits = "-28x28"

// CheckKind returns an error if metadata is not of the given kind, as Describe writes
// it.
func CheckKind(meta map[string]string, kind string) error {
	if k := meta["kind"]; k != kind && k != kind+digits {
		return fmt.Errorf("metadata: kind is %q; this program reads %q and %q", k, kind, kind+digits)
	}
	return nil
}

// Nets returns F and G as the metadata of a file describes them. It trusts nothing in
// it, and returns an error that says which net is wrong.
func Nets(meta map[string]string) (f, g *nn.Net, err error) {
	if strings.HasSuffix(meta["kind"], digits) {
		return F, G, nil
	}
	if f, g, err = Parse(meta[encoderKey], meta[decoderKey]); err != nil {
		return nil, nil, fmt.Errorf("metadata: %w", err)
	}
	return f, g, nil
}

// Parse reads F and G from their texts, as nn.Net writes them. It returns an error that
// says which is none, or that they do not fit together.
func Parse(encoder, decoder string) (f, g *nn.Net, err error) {
	read := func(name, text string) (*nn.Net, error) {
		n, err := nn.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(n.Inputs()) > 1 {
			return nil, fmt.Errorf("%s: the net has %d inputs; want one", name, len(n.Inputs()))
		}
		return n, nil
	}
	if f, err = read(encoderKey, encoder); err != nil {
		return nil, nil, err
	}
	if g, err = read(decoderKey, decoder); err != nil {
		return nil, nil, err
	}
	if d := f.Out().Size(); d > maxLatent || g.In() != nn.Vector(d) {
		return nil, nil, fmt.Errorf("the encoder makes codes of %v numbers and the decoder takes %v; want the same, at most %d", f.Out(), g.In(), maxLatent)
	}
	if g.Out() != f.In() {
		return nil, nil, fmt.Errorf("the encoder takes images of %v and the decoder makes %v; want the same", f.In(), g.Out())
	}
	return f, g, nil
}

// maxLatent bounds the numbers of a code.
const maxLatent = nn.MaxWidth

// LoadAutoencoder reads F and G from a file, whatever else it holds. It returns
// an error that says which tensor or metadata key is wrong.
func LoadAutoencoder(f *safetensors.File) (*Autoencoder, error) {
	encoder, decoder, err := Nets(f.Meta)
	if err != nil {
		return nil, err
	}
	return LoadNets(f, encoder, decoder)
}

// LoadNets is LoadAutoencoder where the nets are known: the metadata is not read.
func LoadNets(f *safetensors.File, encoder, decoder *nn.Net) (a *Autoencoder, err error) {
	a = new(Autoencoder)
	if a.f, err = encoder.Load(f); err != nil {
		return nil, err
	}
	if a.g, err = decoder.Load(f); err != nil {
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

// CheckImages returns an error if x is not a whole number of images, at least one, or
// holds a number that is not finite.
func (a *Autoencoder) CheckImages(x []float32) error {
	s := a.Image()
	if len(x) == 0 || len(x)%s.Size() != 0 {
		return fmt.Errorf("%d numbers are not a whole number of images of %v", len(x), s)
	}
	for i, v := range x {
		if v-v != 0 {
			at := i % s.Size() / s.C
			return fmt.Errorf("pixel (%d, %d) of image %d is %v; pixels must be finite", at%s.W, at/s.W, i/s.Size(), v)
		}
	}
	return nil
}

// Coder computes F and G. It holds their workspaces, each from when it is first
// needed on, and is not safe for concurrent use.
type Coder struct {
	nets  *Autoencoder
	batch int
	f, g  *nn.Runner
}

// Coder returns a coder that computes at most batch ≥ 1 images at a time.
func (a *Autoencoder) Coder(batch int) *Coder { return &Coder{nets: a, batch: batch} }

// Encode writes to z (n × d) the codes F(x) of n images x (n × pixels),
// nominally in [0, 1]; noise may take pixels outside.
func (c *Coder) Encode(z, x []float32) {
	if c.f == nil {
		c.f = c.nets.f.Runner(c.batch)
	}
	c.f.Forward(z, x)
}

// Decode writes to x (n × pixels, in [0, 1]) the images G(z) of n codes z
// (n × d).
func (c *Coder) Decode(x, z []float32) {
	if c.g == nil {
		c.g = c.nets.g.Runner(c.batch)
	}
	c.g.Forward(x, z)
}
