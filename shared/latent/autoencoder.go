package latent

import (
	"fmt"
	"slices"
	"strings"

	"mppm/shared/fault"
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
	// L makes of an image, and of S_1 to S_k, its distance to clean images where each
	// pixel is: a map of one channel. It is nil where the model has D alone, which sees the
	// image as a whole.
	L *nn.Net
}

// All lists the nets, F first.
func (n *Nets) All() []*nn.Net {
	all := []*nn.Net{n.F, n.G}
	for _, net := range []*nn.Net{n.P, n.L} {
		if net != nil {
			all = append(all, net)
		}
	}
	return all
}

// Digits returns F and G for digits.
func Digits() *Nets { return &Nets{F: F, G: G} }

// Skips returns the names of S_1 to S_k; none where G takes z alone.
func (n *Nets) Skips() []string { return further(n.G) }

// further returns the names of the inputs of a net beside its first.
func further(n *nn.Net) []string {
	var names []string
	for _, l := range n.Layers() {
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
	if n.L != nil {
		image := n.F.In()
		if n.L.In() != image || n.L.Out() != (nn.Shape{H: image.H, W: image.W, C: 1}) {
			return fmt.Errorf("%s: the net makes %v of %v; want a map of one channel, of images of %v", localKey, n.L.Out(), n.L.In(), image)
		}
		for i, name := range further(n.L) {
			want := n.L.Shape(n.L.Inputs()[i+1])
			if v, ok := n.F.Value(name); !ok || n.F.Shape(v) != want || !slices.Contains(skips, name) {
				return fmt.Errorf("%s: the net takes %s, of %v; want skips alone, as the encoder keeps them", localKey, name, want)
			}
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
	localKey       = "local"
)

// Describe writes to the metadata of a file what kind it is of, and its nets. Files of
// before hold the nets for digits alone, do not describe them, and have the digits'
// size in their kind: a file with those nets is still written so.
func Describe(meta map[string]string, kind string, n *Nets) error {
	if err := n.check(); err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	texts := make([]string, 0, 6)
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
	if n.L != nil {
		meta[localKey] = texts[len(texts)-1]
	}
	return nil
}

// digits ends the kind of a file with the nets for digits.
const digits = "-28x28"

// CheckKind returns an error if metadata is not of the given kind, as Describe writes
// it.
func CheckKind(meta map[string]string, kind string) error {
	if k := meta["kind"]; k != kind && k != kind+digits {
		return fault.New(fault.ErrKind, "metadata: kind is %q; this program reads %q and %q", k, kind, kind+digits)
	}
	return nil
}

// Described returns the nets that the metadata of a file describes. It trusts nothing in
// it, and returns an error that says which net is wrong.
func Described(meta map[string]string) (*Nets, error) {
	if strings.HasSuffix(meta["kind"], digits) {
		return Digits(), nil
	}
	n, err := Parse(meta[encoderKey], meta[decoderKey], meta[projectionsKey], meta[localKey])
	if err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: %w", err)
	}
	return n, nil
}

// Parse reads nets from their texts, as nn.Net writes them; those of P and L are empty
// where there is none. It returns an error that says which is none, or that they do not
// fit together.
func Parse(encoder, decoder, projections, local string) (*Nets, error) {
	n := new(Nets)
	for _, t := range []struct {
		key, text string
		net       **nn.Net
	}{{encoderKey, encoder, &n.F}, {decoderKey, decoder, &n.G}, {projectionsKey, projections, &n.P}, {localKey, local, &n.L}} {
		if (t.net == &n.P || t.net == &n.L) && t.text == "" {
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

// Autoencoder is F and G, which the baselines share with the model, and P and L for a
// U-Net. It is immutable and safe for concurrent use.
type Autoencoder struct {
	f, g, p, l *nn.Function // p and l are nil where there are none
	skips      []string
	seen       []int // the skips that l takes
}

// LoadAutoencoder reads F, G, P and L from a file, whatever else it holds. It returns
// an error that says which tensor or metadata key is wrong.
func LoadAutoencoder(f *safetensors.File) (*Autoencoder, error) {
	n, err := Described(f.Meta)
	if err != nil {
		return nil, err
	}
	return n.Load(f)
}

// Load is LoadAutoencoder where the nets are known: the metadata is not read.
func (n *Nets) Load(f *safetensors.File) (*Autoencoder, error) {
	a := &Autoencoder{skips: n.Skips()}
	for _, t := range []struct {
		net *nn.Net
		to  **nn.Function
	}{{n.F, &a.f}, {n.G, &a.g}, {n.P, &a.p}, {n.L, &a.l}} {
		if t.net == nil {
			continue
		}
		var err error
		if *t.to, err = t.net.Load(f); err != nil {
			return nil, err
		}
	}
	if n.L != nil {
		for _, name := range further(n.L) {
			a.seen = append(a.seen, slices.Index(a.skips, name))
		}
	}
	return a, nil
}

// HasSkips reports whether G takes skips beside z: whether this is a U-Net.
func (a *Autoencoder) HasSkips() bool { return len(a.skips) > 0 }

// HasLocal reports whether the model has L, the distance at each pixel.
func (a *Autoencoder) HasLocal() bool { return a.l != nil }

// Image returns the shape of the images that F takes and G makes.
func (a *Autoencoder) Image() nn.Shape { return a.f.In() }

// Pixels returns how many numbers an image has.
func (a *Autoencoder) Pixels() int { return a.Image().Size() }

// Latent returns d, how many numbers a code has.
func (a *Autoencoder) Latent() int { return a.f.Out().Size() }

// CheckImages returns an error if x is not a whole number of images, at least one, or
// holds a number that is not finite: fault.ErrSize, fault.ErrNotFinite.
func (a *Autoencoder) CheckImages(x []float32) error {
	s := a.Image()
	if len(x) == 0 || len(x)%s.Size() != 0 {
		return fault.New(fault.ErrSize, "%d numbers are not a whole number of images of %v", len(x), s)
	}
	for i, v := range x {
		if v-v != 0 {
			at := i % s.Size() / s.C
			return fault.New(fault.ErrNotFinite, "pixel (%d, %d) of image %d is %v; pixels must be finite", at%s.W, at/s.W, i/s.Size(), v)
		}
	}
	return nil
}

// CheckCodes returns an error if z is not a whole number of codes, at least one, or holds a
// number that is not finite: fault.ErrSize, fault.ErrNotFinite.
func (a *Autoencoder) CheckCodes(z []float32) error {
	d := a.Latent()
	if len(z) == 0 || len(z)%d != 0 {
		return fault.New(fault.ErrSize, "%d numbers are not a whole number of codes of %d", len(z), d)
	}
	for i, v := range z {
		if v-v != 0 {
			return fault.New(fault.ErrNotFinite, "number %d of code %d is %v; it must be finite", i%d, i/d, v)
		}
	}
	return nil
}

// Coder computes F, G, P and L. It holds their workspaces, each from when it is first
// needed on, and is not safe for concurrent use.
//
// It takes whole images and codes: n is how many of them all of a method's slices have room
// for, and what is behind those stays as it is. So a slice of a wrong length never panics;
// who cannot be sure of theirs asks CheckImages and CheckCodes first.
type Coder struct {
	nets       *Autoencoder
	batch      int
	f, g, p, l *nn.Runner
	mixed      [][]float32 // of a batch: what G takes beside z
	small      []float32   // of a batch: what P makes at its end, which nobody needs
	nothing    [][]float32 // of a batch: Ŝ where there is no P
	weight     []float32   // of an image: how far each number of a skip counts
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
type Skips struct {
	values [][]float32
	n      int // images that they are of
}

// Of returns S_{k+1} of all the images, one after the other: what G takes as its further
// input k. It is the skips' own.
func (s *Skips) Of(k int) []float32 { return s.values[k] }

// EncodeSkips is Encode, and keeps S_1 to S_k in s, which it makes as large as they are.
// A model without skips has none.
func (c *Coder) EncodeSkips(z, x []float32, s *Skips) {
	f, d, pixels := c.encoder(), c.nets.Latent(), c.nets.Pixels()
	n := min(len(x)/pixels, len(z)/d)
	s.n = n
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

// Local writes to d (n × H·W) L of n images x (n × pixels) with the skips s that
// EncodeSkips made of them: about the root mean square, over the channels and the
// pixels next to it, of what damage did to each pixel, 0 or more. Its square, summed
// over the image, is the squared distance of Eq. 4 that the paper's D has in ambient
// space, here with the places where it is. Without L it is 0.
func (c *Coder) Local(d, x []float32, s *Skips) {
	if c.nets.l == nil {
		clear(d)
		return
	}
	if c.l == nil {
		c.l = c.nets.l.Runner(c.batch)
	}
	pixels, area := c.nets.Pixels(), c.nets.l.Out().Size()
	n := min(len(x)/pixels, len(d)/area)
	if len(c.nets.seen) > 0 {
		n = min(n, s.n)
	}
	taken := make([][]float32, len(c.nets.seen))
	for lo := 0; lo < n; lo += c.batch {
		hi := min(n, lo+c.batch)
		for i, k := range c.nets.seen {
			size := len(s.values[k]) / s.n
			taken[i] = s.values[k][lo*size : hi*size]
		}
		c.l.Forward(d[lo*area:hi*area], x[lo*pixels:hi*pixels], taken...)
	}
	for i, v := range d[:n*area] {
		d[i] = max(v, 0)
	}
}

// Trust says how far skips are trusted, from 0 to 1: not at all, as they are.
type Trust struct {
	Image []float32 // of each image (n); nil: 1 of all
	Pixel []float32 // of each pixel (n × H·W), a smaller skip having the mean of those that it stands for; nil: 1 of all
}

// images returns of how many images it says so, at most n.
func (t *Trust) images(image nn.Shape, n int) int {
	if t == nil {
		return n
	}
	if t.Image != nil {
		n = min(n, len(t.Image))
	}
	if t.Pixel != nil {
		n = min(n, len(t.Pixel)/(image.H*image.W))
	}
	return n
}

// whole reports whether all skips of image i count as they are.
func (t *Trust) whole(i int) bool {
	return t == nil || t.Pixel == nil && (t.Image == nil || t.Image[i] >= 1)
}

// DecodeSkips writes to x (n × pixels) the images
//
//	G(w·S_1 + (1−w)·Ŝ_1(z), …, w·S_k + (1−w)·Ŝ_k(z), z)
//
// of n codes z (n × d) and the skips s of as many images, for the weight w of what trust
// says of the image and of the pixel; nil is 1 everywhere. It is App. B.3 with a weight:
// how far skips that may be of a damaged image are trusted. Without s, w is 0.
func (c *Coder) DecodeSkips(x, z []float32, s *Skips, trust *Trust) {
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
	n := min(len(z)/d, len(x)/pixels)
	if s != nil {
		n = min(n, s.n, trust.images(c.nets.Image(), n))
	}
	for lo := 0; lo < n; lo += c.batch {
		hi := min(n, lo+c.batch)
		project := s == nil
		for i := lo; i < hi && !project; i++ {
			project = !trust.whole(i)
		}
		if project && c.p != nil {
			c.p.Forward(c.small, z[lo*d:hi*d])
		}
		for k := range c.nets.skips {
			if !project {
				size := len(s.values[k]) / s.n
				c.mixed[k] = s.values[k][lo*size : hi*size]
				continue
			}
			c.mixed[k] = c.projected(k, hi-lo)
			if s == nil {
				continue
			}
			shape := c.nets.g.Shape(c.nets.g.Inputs()[k+1])
			size := shape.Size()
			for i := lo; i < hi; i++ {
				c.mix(c.mixed[k][(i-lo)*size:(i-lo+1)*size], s.values[k][i*size:(i+1)*size], shape, trust, i)
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

// mix writes w·s + (1−w)·y to y, a skip of image i, in which it is what P kept.
func (c *Coder) mix(y, s []float32, shape nn.Shape, trust *Trust, i int) {
	w := float32(1)
	if trust != nil && trust.Image != nil {
		w = trust.Image[i]
	}
	s = s[:len(y)]
	if trust == nil || trust.Pixel == nil {
		for k, v := range y {
			y[k] = float32(w*s[k]) + float32((1-w)*v)
		}
		return
	}
	image := c.nets.Image()
	area := image.H * image.W
	if len(c.weight) < shape.H*shape.W {
		c.weight = make([]float32, area)
	}
	shrink(c.weight, trust.Pixel[i*area:(i+1)*area], image, shape)
	for p := range shape.H * shape.W {
		w := float32(w * c.weight[p])
		for k := p * shape.C; k < (p+1)*shape.C; k++ {
			y[k] = float32(w*s[k]) + float32((1-w)*y[k])
		}
	}
}

// shrink writes to y the mean of what each pixel of the smaller image stands for.
func shrink(y, x []float32, from, to nn.Shape) {
	for r := range to.H {
		top, bottom := r*from.H/to.H, (r+1)*from.H/to.H
		for c := range to.W {
			left, right := c*from.W/to.W, (c+1)*from.W/to.W
			var sum float32
			for i := top; i < bottom; i++ {
				for _, v := range x[i*from.W+left : i*from.W+right] {
					sum += v
				}
			}
			y[r*to.W+c] = sum / float32((bottom-top)*(right-left))
		}
	}
}
