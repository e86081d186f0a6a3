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

// Nets are the nets of an autoencoder.
type Nets struct {
	F, G *nn.Net
	// P makes of z the projections Ŝ_1 to Ŝ_k of App. B.3, where G takes skips: then G's
	// further inputs are S_1 to S_k, which F and P keep by those inputs' names. It is nil
	// where G takes z alone, and where there are no projections: then Ŝ is 0.
	P *nn.Net
}

// All lists the nets, F first.
func (n *Nets) All() []*nn.Net {
	if n.P == nil {
		return []*nn.Net{n.F, n.G}
	}
	return []*nn.Net{n.F, n.G, n.P}
}

// Digits returns F and G for digits.
func Digits() *Nets { return &Nets{F: F, G: G} }

// Skips returns the names of S_1 to S_k; none where G takes z alone.
func (n *Nets) Skips() []string {
	var names []string
	for _, l := range n.G.Layers() {
		if in, ok := l.(nn.Input); ok {
			names = append(names, in.Name)
		}
	}
	return names
}

// check returns an error if the nets do not fit together.
func (n *Nets) check() error {
	if len(n.F.Inputs()) > 1 {
		return fmt.Errorf("%s: the net has %d inputs; want one", encoderKey, len(n.F.Inputs()))
	}
	d := n.F.Out().Size()
	if d > maxLatent || n.G.In() != nn.Vector(d) {
		return fmt.Errorf("the encoder makes codes of %v numbers and the decoder takes %v; want the same, at most %d", n.F.Out(), n.G.In(), maxLatent)
	}
	if n.G.Out() != n.F.In() {
		return fmt.Errorf("the encoder takes images of %v and the decoder makes %v; want the same", n.F.In(), n.G.Out())
	}
	skips := n.Skips()
	if n.P != nil {
		if len(skips) == 0 {
			return fmt.Errorf("%s: the decoder takes no skips: leave them out", projectionsKey)
		}
		if len(n.P.Inputs()) > 1 || n.P.In() != nn.Vector(d) {
			return fmt.Errorf("%s: the net takes %v; want codes of %d numbers alone", projectionsKey, n.P.In(), d)
		}
	}
	for i, name := range skips {
		want := n.G.Shape(n.G.Inputs()[i+1])
		for _, from := range []struct {
			key string
			net *nn.Net
		}{{encoderKey, n.F}, {projectionsKey, n.P}} {
			if from.net == nil {
				continue
			}
			v, ok := from.net.Value(name)
			if !ok || from.net.Shape(v) != want {
				return fmt.Errorf("%s: the net does not keep %s, of %v, which the decoder takes", from.key, name, want)
			}
		}
	}
	return nil
}

// The metadata keys that describe the nets, as nn.Net's text.
const (
	encoderKey     = "encoder"
	decoderKey     = "decoder"
	projectionsKey = "projections"
)

// Describe writes to the metadata of a file what kind it is of, and its nets. Files of
// before hold the nets for digits alone, do not describe them, and have the digits'
// size in their kind: a file with those nets is still written so.
func Describe(meta map[string]string, kind string, n *Nets) error {
	if err := n.check(); err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	texts := make([]string, 0, 5)
	for _, net := range append([]*nn.Net{F, G}, n.All()...) {
		text, err := net.Text()
		if err != nil {
			return fmt.Errorf("latent: %w", err)
		}
		texts = append(texts, text)
	}
	if slices.Equal(texts[:2], texts[2:]) {
		meta["kind"] = kind + digits
		return nil
	}
	meta["kind"], meta[encoderKey], meta[decoderKey] = kind, texts[2], texts[3]
	if n.P != nil {
		meta[projectionsKey] = texts[4]
	}
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

// Described returns the nets that the metadata of a file describes. It trusts nothing in
// it, and returns an error that says which net is wrong.
func Described(meta map[string]string) (*Nets, error) {
	if strings.HasSuffix(meta["kind"], digits) {
		return Digits(), nil
	}
	n, err := Parse(meta[encoderKey], meta[decoderKey], meta[projectionsKey])
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return n, nil
}

// Parse reads nets from their texts, as nn.Net writes them; that of P is empty where
// there is none. It returns an error that says which is none, or that they do not fit
// together.
func Parse(encoder, decoder, projections string) (*Nets, error) {
	n := new(Nets)
	for _, t := range []struct {
		key, text string
		net       **nn.Net
	}{{encoderKey, encoder, &n.F}, {decoderKey, decoder, &n.G}, {projectionsKey, projections, &n.P}} {
		if t.key == projectionsKey && t.text == "" {
			continue
		}
		var err error
		if *t.net, err = nn.Parse(t.text); err != nil {
			return nil, fmt.Errorf("%s: %w", t.key, err)
		}
	}
	return n, n.check()
}

// maxLatent bounds the numbers of a code.
const maxLatent = nn.MaxWidth

// Autoencoder is F and G, which the baselines share with the model, and P for a U-Net.
// It is immutable and safe for concurrent use.
type Autoencoder struct {
	f, g, p *nn.Function // p is nil where there are no projections
	skips   []string
}

// LoadAutoencoder reads F, G and P from a file, whatever else it holds. It returns
// an error that says which tensor or metadata key is wrong.
func LoadAutoencoder(f *safetensors.File) (*Autoencoder, error) {
	n, err := Described(f.Meta)
	if err != nil {
		return nil, err
	}
	return n.Load(f)
}

// Load is LoadAutoencoder where the nets are known: the metadata is not read.
func (n *Nets) Load(f *safetensors.File) (a *Autoencoder, err error) {
	a = &Autoencoder{skips: n.Skips()}
	if a.f, err = n.F.Load(f); err != nil {
		return nil, err
	}
	if a.g, err = n.G.Load(f); err != nil {
		return nil, err
	}
	if n.P != nil {
		a.p, err = n.P.Load(f)
	}
	return a, err
}

// HasSkips reports whether G takes skips beside z: whether this is a U-Net.
func (a *Autoencoder) HasSkips() bool { return len(a.skips) > 0 }

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

// Coder computes F, G and P. It holds their workspaces, each from when it is first
// needed on, and is not safe for concurrent use.
type Coder struct {
	nets    *Autoencoder
	batch   int
	f, g, p *nn.Runner
	mixed   [][]float32 // of a batch: what G takes beside z
	small   []float32   // of a batch: what P makes at its end, which nobody needs
	nothing [][]float32 // of a batch: Ŝ where there is no P
}

// Coder returns a coder that computes at most batch ≥ 1 images at a time.
func (a *Autoencoder) Coder(batch int) *Coder { return &Coder{nets: a, batch: max(batch, 1)} }

// Encode writes to z (n × d) the codes F(x) of n images x (n × pixels),
// nominally in [0, 1]; noise may take pixels outside.
func (c *Coder) Encode(z, x []float32) { c.encoder().Forward(z, x) }

// Decode writes to x (n × pixels, in [0, 1]) the images G(z) of n codes z
// (n × d). The skips that a U-Net takes are the projections Ŝ(z), or 0 if it has none.
func (c *Coder) Decode(x, z []float32) { c.DecodeSkips(x, z, nil, nil) }

func (c *Coder) encoder() *nn.Runner {
	if c.f == nil {
		c.f = c.nets.f.Runner(c.batch)
	}
	return c.f
}

// Skips are what goes past the codes of some images in a U-Net: S_1 to S_k of each.
type Skips struct{ values [][]float32 }

// EncodeSkips is Encode, and keeps S_1 to S_k in s, which it makes as large as they are.
// A model without skips has none.
func (c *Coder) EncodeSkips(z, x []float32, s *Skips) {
	f, d, pixels := c.encoder(), c.nets.Latent(), c.nets.Pixels()
	n := len(x) / pixels
	if s.values == nil {
		s.values = make([][]float32, len(c.nets.skips))
	}
	for lo := 0; lo < n; lo += c.batch {
		hi := min(n, lo+c.batch)
		f.Forward(z[lo*d:hi*d], x[lo*pixels:hi*pixels])
		for k, name := range c.nets.skips {
			v := f.Kept(name)
			if size := len(v) / (hi - lo); len(s.values[k]) != n*size {
				s.values[k] = make([]float32, n*size)
			}
			copy(s.values[k][lo*(len(v)/(hi-lo)):], v)
		}
	}
}

// DecodeSkips writes to x (n × pixels) the images
//
//	G(w·S_1 + (1−w)·Ŝ_1(z), …, w·S_k + (1−w)·Ŝ_k(z), z)
//
// of n codes z (n × d) and the skips s of as many images, for the weight w, from 0 to 1,
// that trust (n) has of each; nil is 1 of all. It is App. B.3 with a weight: how far
// skips that may be of a damaged image are trusted. Without s, w is 0.
func (c *Coder) DecodeSkips(x, z []float32, s *Skips, trust []float32) {
	if c.g == nil {
		c.g = c.nets.g.Runner(c.batch)
	}
	if !c.nets.HasSkips() {
		c.g.Forward(x, z)
		return
	}
	if c.mixed == nil {
		c.startProjections()
	}
	d, pixels := c.nets.Latent(), c.nets.Pixels()
	n := len(z) / d
	for lo := 0; lo < n; lo += c.batch {
		hi := min(n, lo+c.batch)
		project := s == nil
		for i := lo; i < hi && !project; i++ {
			project = trust != nil && trust[i] < 1
		}
		if project && c.p != nil {
			c.p.Forward(c.small, z[lo*d:hi*d])
		}
		for k := range c.nets.skips {
			if !project {
				size := len(s.values[k]) / n
				c.mixed[k] = s.values[k][lo*size : hi*size]
				continue
			}
			c.mixed[k] = c.projected(k, hi-lo)
			if s == nil {
				continue
			}
			size := len(c.mixed[k]) / (hi - lo)
			for i := lo; i < hi; i++ {
				w := float32(1)
				if trust != nil {
					w = trust[i]
				}
				mix(c.mixed[k][(i-lo)*size:(i-lo+1)*size], s.values[k][i*size:(i+1)*size], w)
			}
		}
		c.g.Forward(x[lo*pixels:hi*pixels], z[lo*d:hi*d], c.mixed...)
	}
}

// startProjections makes the workspaces of what G takes beside z.
func (c *Coder) startProjections() {
	c.mixed, c.nothing = make([][]float32, len(c.nets.skips)), make([][]float32, len(c.nets.skips))
	if c.nets.p != nil {
		c.p = c.nets.p.Runner(c.batch)
		c.small = make([]float32, c.batch*c.nets.p.Out().Size())
		return
	}
	for k, v := range c.nets.g.Inputs()[1:] {
		c.nothing[k] = make([]float32, c.batch*c.nets.g.Shape(v).Size())
	}
}

// projected returns Ŝ_k of the n codes that P was given last, to be changed, or as many
// numbers of 0.
func (c *Coder) projected(k, n int) []float32 {
	if c.p != nil {
		return c.p.Kept(c.nets.skips[k])
	}
	y := c.nothing[k][:n*len(c.nothing[k])/c.batch]
	clear(y)
	return y
}

// mix writes w·s + (1−w)·y to y, in which it is what P kept.
func mix(y, s []float32, w float32) {
	s = s[:len(y)]
	for i, v := range y {
		y[i] = float32(w*s[i]) + float32((1-w)*v)
	}
}
