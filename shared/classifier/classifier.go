// Package classifier reads handwritten digits: a small convolutional net that
// gives the probability of each class, and the embedding in which Sec. 5.1
// measures the Fréchet distance.
//
// A Classifier is read from a safetensors file, is immutable, and is safe for
// concurrent use; a Runner computes with it, one for each goroutine. The numbers
// are the same, bit for bit, on every platform.
package classifier

import (
	"fmt"

	"mppm/shared/nn"
	"mppm/shared/safetensors"
	"mppm/shared/vec"
)

// The sizes of the net.
const (
	Side    = 28          // pixels along each edge of an image
	Pixels  = Side * Side // numbers of an image
	Classes = 10          // digits
	Width   = 128         // numbers of an embedding
)

// Kind is the value of the metadata key "kind" of the files Load reads.
const Kind = "classifier-28x28"

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

	net *nn.Function
}

// Load reads a classifier from the bytes of a safetensors file. It trusts
// nothing in it, and returns an error that says which tensor or metadata key is
// wrong.
func Load(b []byte) (*Classifier, error) {
	f, err := safetensors.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	c, err := load(f)
	if err != nil {
		return nil, fmt.Errorf("classifier: %w", err)
	}
	return c, nil
}

func load(f *safetensors.File) (*Classifier, error) {
	if k := f.Meta["kind"]; k != Kind {
		return nil, fmt.Errorf("metadata: kind is %q; this program reads %q", k, Kind)
	}
	net, err := Digits.Load(f)
	if err != nil {
		return nil, err
	}
	return &Classifier{f.Meta, net}, nil
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
	return &Runner{c, c.net.Runner(batch), batch, make([]float32, batch*Classes)}
}

// Classify reads n images x (n × Pixels, nominally in [0, 1]). It writes to
// probs (n × Classes) the probability of each class and to embeddings
// (n × Width) the numbers ≥ 0 that the last layer decides by; either may be nil.
// What an image gives does not depend on the others. An image that is not finite
// gives numbers that are not.
func (r *Runner) Classify(probs, embeddings, x []float32) {
	for n := len(x) / Pixels; n > 0; n = len(x) / Pixels {
		n = min(n, r.batch)
		logits := r.logits[:n*Classes]
		r.run.Forward(logits, x[:n*Pixels])
		x = x[n*Pixels:]
		if embeddings != nil {
			embeddings = embeddings[copy(embeddings, r.run.Kept(embedding)):]
		}
		if probs != nil {
			for i := 0; i < len(logits); i += Classes {
				softmax(probs[i:i+Classes], logits[i:i+Classes])
			}
			probs = probs[n*Classes:]
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

// Best returns the class of the largest probability, the first of equals, and
// that probability.
func Best(probs []float32) (class int, p float32) {
	for i, v := range probs[:Classes] {
		if v > p {
			class, p = i, v
		}
	}
	return class, p
}
