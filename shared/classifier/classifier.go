// Package classifier tells classes of images apart, handwritten digits or others: a
// small convolutional net that gives the probability of each class, and the embedding
// in which Sec. 5.1 measures the Fréchet distance.
//
// A Classifier is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine. The numbers
// are the same, bit for bit, on every platform.
package classifier

import (
	"fmt"

	"mppm/shared/fault"
	"mppm/shared/metadata"
	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/shared/vec"
)

// The sizes of the net for digits.
const (
	Side    = 28          // pixels along each edge of an image
	Pixels  = Side * Side // numbers of an image
	Classes = 10          // digits
	Width   = 128         // numbers of an embedding
)

// Kind is what the metadata key "kind" of the files Load reads has: see Describe.
const (
	Kind   = "classifier"
	digits = "-28x28" // ends the kind of a file with the net for digits
	netKey = "net"    // of the metadata: the net, as nn.Net's text
)

// Describe writes to the metadata of a file what kind it is of, and its net. Files of
// before hold the net for digits, do not describe it, and have its size in their kind:
// a file with that net is still written so.
func Describe(meta map[string]string, net *nn.Net) error {
	text, err := net.Text()
	if err != nil {
		return fmt.Errorf("classifier: %w", err)
	}
	if own, err := Digits.Text(); err == nil && own == text {
		meta["kind"] = Kind + digits
		return nil
	}
	meta["kind"], meta[netKey] = Kind, text
	return nil
}

// described returns the net of a file with that metadata.
func described(meta map[string]string) (*nn.Net, error) {
	switch k := meta["kind"]; k {
	case Kind:
	case Kind + digits:
		return Digits, nil
	default:
		return nil, fault.New(fault.ErrKind, "metadata: kind is %q; this program reads %q and %q", k, Kind, Kind+digits)
	}
	n, err := nn.Parse(meta[netKey])
	if err != nil {
		return nil, fault.New(fault.ErrMetadata, "metadata: %s: %w", netKey, err)
	}
	if _, ok := n.Value(embedding); !ok || len(n.Inputs()) > 1 {
		return nil, fault.New(fault.ErrMetadata, "metadata: %s: the net has to have one input, and to keep a value as %q", netKey, embedding)
	}
	return n, nil
}

// Net is the classifier for images of any shape: two convolutions that halve the
// side, the embedding, which it keeps by that name, and the logits of so many
// classes.
func Net(image nn.Shape, classes int) (*nn.Net, error) {
	return nn.New(image,
		nn.Conv{Name: "conv1", Window: nn.Halving, Out: 32}, nn.ReLU,
		nn.Conv{Name: "conv2", Window: nn.Halving, Out: 64}, nn.ReLU,
		nn.Linear{Name: embedding, Out: nn.Vector(Width)}, nn.ReLU, nn.Keep(embedding),
		nn.Linear{Name: "classes", Out: nn.Vector(classes)})
}

const embedding = "embedding"

// Digits is the net for handwritten digits.
var Digits = nn.Must(Net(nn.Shape{H: Side, W: Side, C: 1}, Classes))

// Classifier is the net.
type Classifier struct {
	Meta map[string]string // the file's metadata

	net   *nn.Function
	names []string // nil where the file names none
}

// Load reads a classifier from the bytes of a safetensors file. It trusts
// nothing in it, and returns an error that says which tensor or metadata key is
// wrong.
func Load(b []byte) (*Classifier, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return New(f)
}

// New returns the classifier of what a safetensors file holds, as Load does. It copies the
// tensors, and keeps the metadata.
func New(f *safetensors.File) (*Classifier, error) {
	c, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return c, nil
}

func load(f *safetensors.File) (*Classifier, error) {
	net, err := described(f.Meta)
	if err != nil {
		return nil, err
	}
	loaded, err := net.Load(f)
	if err != nil {
		return nil, err
	}
	names, err := metadata.Classes(f.Meta)
	if err != nil {
		return nil, err
	}
	c := &Classifier{f.Meta, loaded, names}
	if names != nil && len(names) != c.Classes() {
		return nil, fault.New(fault.ErrMetadata, "metadata: %s has %d names; the net tells %d classes apart", metadata.ClassesKey, len(names), c.Classes())
	}
	return c, nil
}

// Image returns the shape of the images that the net reads.
func (c *Classifier) Image() nn.Shape { return c.net.In() }

// CheckImages returns an error if x is not a whole number of images, at least one, or holds
// a number that is not finite: fault.ErrSize, fault.ErrNotFinite.
func (c *Classifier) CheckImages(x []float32) error {
	size := c.Image().Size()
	if len(x) == 0 || len(x)%size != 0 {
		return fault.New(fault.ErrSize, "%d numbers are not a whole number of images of %v", len(x), c.Image())
	}
	for i, v := range x {
		if v-v != 0 {
			return fault.New(fault.ErrNotFinite, "number %d of image %d is %v; it must be finite", i%size, i/size, v)
		}
	}
	return nil
}

// Classes returns how many classes it tells apart.
func (c *Classifier) Classes() int { return c.net.Out().Size() }

// Names returns the names of the classes, class 0 first, or nil where the file has none:
// their numbers are their names then, as of digits.
func (c *Classifier) Names() []string { return c.names }

// Width returns how many numbers an embedding has.
func (c *Classifier) Width() int {
	v, _ := c.net.Value(embedding)
	return c.net.Shape(v).Size()
}

// Runner computes with a classifier. It holds the workspaces of the layers and
// is not safe for concurrent use.
type Runner struct {
	*Classifier
	run    *nn.Runner
	batch  int
	logits []float32
}

// Runner returns a runner that computes at most batch ≥ 1 images at a time:
// memory for about 40 KB an image.
func (c *Classifier) Runner(batch int) *Runner {
	batch = max(batch, 1)
	return &Runner{c, c.net.Runner(batch), batch, make([]float32, batch*c.Classes())}
}

// Classify reads n images x (n × pixels, nominally in [0, 1]). It writes to
// probs (n × classes) the probability of each class and to embeddings
// (n × width) the numbers ≥ 0 that the last layer decides by; either may be nil.
// What an image gives does not depend on the others. An image that is not finite
// gives numbers that are not. Where lengths do not agree, n is how many whole images all of
// them have room for: CheckImages says whether those are all.
func (r *Runner) Classify(probs, embeddings, x []float32) {
	pixels, classes := r.Image().Size(), r.Classes()
	if probs != nil {
		x = x[:min(len(x)/pixels, len(probs)/classes)*pixels]
	}
	if embeddings != nil {
		x = x[:min(len(x)/pixels, len(embeddings)/r.Width())*pixels]
	}
	for n := len(x) / pixels; n > 0; n = len(x) / pixels {
		n = min(n, r.batch)
		logits := r.logits[:n*classes]
		r.run.Forward(logits, x[:n*pixels])
		x = x[n*pixels:]
		if embeddings != nil {
			embeddings = embeddings[copy(embeddings, r.run.Kept(embedding)):]
		}
		if probs != nil {
			for i := 0; i < len(logits); i += classes {
				softmax(probs[i:i+classes], logits[i:i+classes])
			}
			probs = probs[n*classes:]
		}
	}
}

// softmax writes to p e^x over its sum. The largest number is taken off first,
// so that nothing overflows.
func softmax(p, x []float32) {
	top := vec.Max(x)
	for i, v := range x {
		p[i] = v - top
	}
	vec.Exp(p, p)
	var sum float32
	for _, v := range p {
		sum += v
	}
	for i := range p {
		p[i] /= sum
	}
}

// Best returns the class of the largest of an image's probabilities, the first of
// equals, and that probability.
func Best(probs []float32) (class int, p float32) {
	for i, v := range probs {
		if v > p {
			class, p = i, v
		}
	}
	return class, p
}
